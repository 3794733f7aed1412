/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows are single blocks with key and text inside, so a name that fits is replaced in place and an empty table costs
 * nothing. The table of pointers doubles; rows are never taken out one by one. Knows nothing of options records.
 */
#include "decode/netflow/names.h"

#include <stdlib.h>

#include "base/hash.h"

#define room_first 16
#define text_step 16u /* room for a text is a multiple of it, so that a small change stays in place */

static uint64_t hash_of(const void *key, size_t key_size)
{
    static struct hash_seed seed;
    const uint8_t *at = key;
    uint64_t hash, tail = 0;

    if (unlikely(seed.b == 0))
        seed = hash_seed_new();
    hash = seed.a ^ key_size;
    for (; key_size >= 8; at += 8, key_size -= 8)
        hash = hash_fold(load_u64(at) ^ hash, seed.b);
    memcpy(&tail, at, key_size);
    return hash_fold(tail ^ hash, seed.b);
}

/* The place of a key, or the free one where it belongs; the table has room and is never full. */
static struct name_row **place_of(const struct name_table *table, uint64_t hash, const void *key, size_t key_size)
{
    unsigned mask = table->room - 1, place = (unsigned)hash & mask;

    while (table->rows[place] != NULL) {
        const struct name_row *row = table->rows[place];

        if (row->hash == hash && row->key_size == key_size && memcmp(row->bytes, key, key_size) == 0)
            break;
        place = (place + 1) & mask;
    }
    return &table->rows[place];
}

struct name_row *names_find(const struct name_table *table, const void *key, size_t key_size)
{
    if (table->count == 0 || key_size == 0 || key_size > names_key_max)
        return NULL;
    return *place_of(table, hash_of(key, key_size), key, key_size);
}

struct name_row *names_find_number(const struct name_table *table, uint64_t key)
{
    return names_find(table, &key, sizeof(key));
}

static bool may_take(const struct name_memory *memory, size_t bytes)
{
    return *memory->used + bytes <= memory->max;
}

static bool grow(struct name_table *table, struct name_memory *memory)
{
    unsigned room = table->room == 0 ? room_first : 2 * table->room;
    size_t more = (room - table->room) * sizeof(*table->rows);
    struct name_table bigger = *table;

    if (!may_take(memory, more))
        return false;
    bigger.rows = calloc(room, sizeof(*bigger.rows));
    if (bigger.rows == NULL)
        return false;
    bigger.room = room;
    for (unsigned i = 0; i < table->room; i++) {
        struct name_row *row = table->rows[i];

        if (row != NULL)
            *place_of(&bigger, row->hash, row->bytes, row->key_size) = row;
    }
    free(table->rows);
    *table = bigger;
    *memory->used += more;
    return true;
}

static size_t row_bytes(size_t key_size, size_t text_room)
{
    return sizeof(struct name_row) + key_size + text_room;
}

struct name_row *names_make(struct name_table *table, struct name_memory *memory, const void *key, size_t key_size)
{
    struct name_row *row = names_find(table, key, key_size);

    if (row != NULL)
        return row;
    if (key_size == 0 || key_size > names_key_max || table->count >= table->limit ||
        !may_take(memory, row_bytes(key_size, 0)) ||
        (4 * (table->count + 1) > 3 * table->room && !grow(table, memory)) ||
        (row = calloc(1, row_bytes(key_size, 0))) == NULL) {
        table->refused++;
        return NULL;
    }
    row->hash = hash_of(key, key_size);
    row->key_size = (uint8_t)key_size;
    memcpy(row->bytes, key, key_size);
    *place_of(table, row->hash, key, key_size) = row;
    table->count++;
    *memory->used += row_bytes(key_size, 0);
    return row;
}

struct name_row *names_set_text(struct name_table *table, struct name_memory *memory, struct name_row *row,
                                struct span text, unsigned rank)
{
    size_t length = text.length < names_text_max ? text.length : names_text_max;

    if (rank < row->rank)
        return row;
    if (length > row->text_room) {
        struct name_row **place = place_of(table, row->hash, row->bytes, row->key_size);
        size_t room = align_up(length, text_step), more;

        room = room < names_text_max ? room : names_text_max;
        more = room - row->text_room;
        if (!may_take(memory, more) || (row = realloc(row, row_bytes(row->key_size, room))) == NULL) {
            table->refused++;
            return NULL;
        }
        *place = row;
        row->text_room = (uint8_t)room;
        *memory->used += more;
    }
    memcpy(row->bytes + row->key_size, text.data, length);
    row->text_length = (uint8_t)length;
    row->rank = (uint8_t)rank;
    return row;
}

void names_free(struct name_table *table, struct name_memory *memory)
{
    for (unsigned i = 0; i < table->room; i++) {
        if (table->rows[i] == NULL)
            continue;
        *memory->used -= row_bytes(table->rows[i]->key_size, table->rows[i]->text_room);
        free(table->rows[i]);
    }
    *memory->used -= table->room * sizeof(*table->rows);
    free(table->rows);
    table->rows = NULL;
    table->room = table->count = 0;
}
