/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups found by an open-addressing hash of the slots' bytes; rows sorted by counting. */
#include "plugins/print/groups.h"

#include "base/hash.h"

#include <stdlib.h>

#define slots_max 8
#define key_max (slots_max * 16)
#define index_first 64u

struct row {
    const uint8_t *body;
    uint32_t group;
};

struct groups {
    struct hash_seed seed; /* exporters' addresses come from outside */
    unsigned slot_count, key_bytes; /* a multiple of 8, zeroes at the end */
    struct {
        uint16_t offset, bytes;
    } slots[slots_max];
    uint8_t *keys; /* key_bytes for each group */
    uint32_t count, capacity;
    uint32_t *index; /* group + 1, 0 is free; a power of two, at most half full */
    uint32_t index_size;
    uint32_t last; /* the group found last: rows come in runs */
    struct row *rows;
    uint64_t row_count, row_capacity;
    const uint8_t **sorted;
    uint64_t *starts; /* count + 1 */
};

struct groups *groups_new(const struct layout_slot *const slots[], unsigned slot_count)
{
    struct groups *groups = slot_count <= slots_max ? calloc(1, sizeof(*groups)) : NULL;

    if (!groups)
        return NULL;
    groups->seed = hash_seed_new();
    groups->slot_count = slot_count;
    for (unsigned i = 0; i < slot_count; i++) {
        groups->slots[i].offset = slots[i]->offset;
        groups->slots[i].bytes = slots[i]->bytes;
        groups->key_bytes += slots[i]->bytes;
    }
    groups->key_bytes = align_up(groups->key_bytes, 8u);
    return groups;
}

void groups_clear(struct groups *groups)
{
    free(groups->keys);
    free(groups->index);
    free(groups->rows);
    free(groups->sorted);
    free(groups->starts);
    groups->keys = NULL;
    groups->index = NULL;
    groups->rows = NULL;
    groups->sorted = NULL;
    groups->starts = NULL;
    groups->count = groups->capacity = groups->index_size = groups->last = 0;
    groups->row_count = groups->row_capacity = 0;
}

void groups_free(struct groups *groups)
{
    if (!groups)
        return;
    groups_clear(groups);
    free(groups);
}

uint32_t groups_count(const struct groups *groups)
{
    return groups->count;
}

static void gather(const struct groups *groups, const uint8_t *body, uint8_t *key)
{
    for (unsigned i = 0; i < groups->slot_count; i++) {
        memcpy(key, body + groups->slots[i].offset, groups->slots[i].bytes);
        key += groups->slots[i].bytes;
    }
}

static uint32_t hash_key(const struct groups *groups, const uint8_t *key)
{
    return (uint32_t)hash_words(key, groups->key_bytes / 8, groups->seed);
}

static void place(struct groups *groups, uint32_t group)
{
    uint32_t mask = groups->index_size - 1;
    uint32_t at = hash_key(groups, groups->keys + (size_t)group * groups->key_bytes) & mask;

    while (groups->index[at])
        at = (at + 1) & mask;
    groups->index[at] = group + 1;
}

static int grow_index(struct groups *groups)
{
    uint32_t size = groups->index_size ? groups->index_size * 2 : index_first;
    uint32_t *bigger = calloc(size, sizeof(*bigger));
    uint8_t *keys = realloc(groups->keys, (size_t)size / 2 * groups->key_bytes);

    if (keys)
        groups->keys = keys;
    if (!bigger || !keys) {
        free(bigger);
        return -1;
    }
    free(groups->index);
    groups->index = bigger;
    groups->index_size = size;
    groups->capacity = size / 2;
    for (uint32_t i = 0; i < groups->count; i++)
        place(groups, i);
    return 0;
}

int64_t groups_find(struct groups *groups, const uint8_t *body)
{
    uint8_t key[key_max] = {0};
    size_t bytes = groups->key_bytes;

    gather(groups, body, key);
    if (groups->count > 0 && memcmp(groups->keys + groups->last * bytes, key, bytes) == 0)
        return groups->last;
    if (groups->count == groups->capacity && (groups->index_size > UINT32_MAX / 4 || grow_index(groups) != 0))
        return -1;
    uint32_t mask = groups->index_size - 1;
    for (uint32_t at = hash_key(groups, key) & mask; groups->index[at]; at = (at + 1) & mask) {
        uint32_t group = groups->index[at] - 1;
        if (memcmp(groups->keys + group * bytes, key, bytes) == 0)
            return groups->last = group;
    }
    groups->last = groups->count++;
    memcpy(groups->keys + groups->last * bytes, key, bytes);
    place(groups, groups->last);
    return groups->last;
}

int groups_add(struct groups *groups, uint32_t group, const uint8_t *body)
{
    if (groups->row_count == groups->row_capacity) {
        uint64_t capacity = groups->row_capacity ? groups->row_capacity * 2 : 1024;
        struct row *rows = realloc(groups->rows, capacity * sizeof(*rows));
        if (!rows)
            return -1;
        groups->rows = rows;
        groups->row_capacity = capacity;
    }
    groups->rows[groups->row_count++] = (struct row){.body = body, .group = group};
    return 0;
}

int groups_sort(struct groups *groups)
{
    groups->starts = calloc((size_t)groups->count + 1, sizeof(*groups->starts));
    groups->sorted = malloc((groups->row_count + 1) * sizeof(*groups->sorted));
    if (!groups->starts || !groups->sorted)
        return -1;
    for (uint64_t i = 0; i < groups->row_count; i++)
        groups->starts[groups->rows[i].group + 1]++;
    for (uint32_t i = 0; i < groups->count; i++)
        groups->starts[i + 1] += groups->starts[i];
    /* starts[g] moves to the end of g while g is filled, which is where the next one starts; put back below. */
    for (uint64_t i = 0; i < groups->row_count; i++)
        groups->sorted[groups->starts[groups->rows[i].group]++] = groups->rows[i].body;
    for (uint32_t i = groups->count; i > 0; i--)
        groups->starts[i] = groups->starts[i - 1];
    groups->starts[0] = 0;
    return 0;
}

const uint8_t *const *groups_rows(const struct groups *groups, uint32_t group, uint64_t *count)
{
    *count = groups->starts[group + 1] - groups->starts[group];
    return groups->sorted + groups->starts[group];
}
