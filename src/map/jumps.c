/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names are interned into a hash table of numbers; the rows are then walked once from the last to the first, with the
 * row that each name was last seen at.
 */
#include "map/jumps.h"

#include <stdlib.h>

#include "base/hash.h"

#define next_row (UINT32_MAX - 1) /* jeq=next */

struct name {
    uint64_t hash;
    uint32_t number; /* jumps_none: free */
    uint32_t text;   /* where it begins among the texts */
};

struct row {
    uint32_t label, jeq; /* numbers of names */
};

struct jumps {
    struct row *rows;
    struct name *names;
    char *texts;
    uint32_t row_count, row_room;
    uint32_t name_count, name_room; /* a power of two */
    size_t text_bytes, text_room;
    struct hash_seed seed;
};

struct jumps *jumps_new(void)
{
    struct jumps *jumps = calloc(1, sizeof(*jumps));

    if (jumps != NULL)
        jumps->seed = hash_seed_new();
    return jumps;
}

void jumps_free(struct jumps *jumps)
{
    if (jumps == NULL)
        return;
    free(jumps->rows);
    free(jumps->names);
    free(jumps->texts);
    free(jumps);
}

static struct name *find_place(const struct jumps *jumps, uint64_t hash, const char *text)
{
    uint32_t at = (uint32_t)hash & (jumps->name_room - 1);

    while (jumps->names[at].number != jumps_none &&
           (jumps->names[at].hash != hash || strcmp(jumps->texts + jumps->names[at].text, text) != 0))
        at = (at + 1) & (jumps->name_room - 1);
    return &jumps->names[at];
}

static int make_room(struct jumps *jumps, size_t bytes)
{
    struct name *names = NULL, *old = jumps->names;
    uint32_t old_room = jumps->name_room;

    if (jumps->text_bytes + bytes > jumps->text_room) {
        size_t room = (jumps->text_room + bytes) * 2;
        char *texts = realloc(jumps->texts, room);

        if (texts == NULL)
            return -1;
        jumps->texts = texts;
        jumps->text_room = room;
    }
    if ((jumps->name_count + 1) * 2 <= jumps->name_room)
        return 0;
    jumps->name_room = old_room == 0 ? 64 : old_room * 2;
    names = malloc(jumps->name_room * sizeof(*names));
    if (names == NULL) {
        jumps->name_room = old_room;
        return -1;
    }
    for (uint32_t i = 0; i < jumps->name_room; i++)
        names[i].number = jumps_none;
    jumps->names = names;
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i].number != jumps_none)
            *find_place(jumps, old[i].hash, jumps->texts + old[i].text) = old[i];
    free(old);
    return 0;
}

/* The number of a name, jumps_none for NULL. */
static int intern(struct jumps *jumps, const char *text, uint32_t *number, struct error *error)
{
    uint64_t words[(jumps_name_max + 8) / 8] = {0};
    size_t length = text == NULL ? 0 : strlen(text);
    struct name *name;
    uint64_t hash;

    *number = jumps_none;
    if (text == NULL)
        return 0;
    if (length == 0 || length > jumps_name_max)
        return error_set(error, "a label has %zu characters, expected 1 to %u", length, jumps_name_max);
    if (make_room(jumps, length + 1) < 0)
        return error_set(error, "out of memory for the labels of a map");
    memcpy(words, text, length);
    hash = hash_words(words, length / 8 + 1, jumps->seed);
    name = find_place(jumps, hash, text);
    if (name->number == jumps_none) {
        *name = (struct name){hash, jumps->name_count++, (uint32_t)jumps->text_bytes};
        memcpy(jumps->texts + jumps->text_bytes, text, length + 1);
        jumps->text_bytes += length + 1;
    }
    *number = name->number;
    return 0;
}

int jumps_add(struct jumps *jumps, const char *label, const char *jeq, struct error *error)
{
    struct row row = {jumps_none, jumps_none};

    if (jumps->row_count == jumps->row_room) {
        uint32_t room = jumps->row_room == 0 ? 64 : jumps->row_room * 2;
        struct row *rows = realloc(jumps->rows, room * sizeof(*rows));

        if (rows == NULL)
            return error_set(error, "out of memory for the labels of a map");
        jumps->rows = rows;
        jumps->row_room = room;
    }
    if (label != NULL && strcmp(label, "next") == 0)
        return error_set(error, "the label 'next' has a meaning of its own, expected another one");
    if (intern(jumps, label, &row.label, error) < 0)
        return -1;
    if (jeq != NULL && strcmp(jeq, "next") == 0)
        row.jeq = next_row;
    else if (intern(jumps, jeq, &row.jeq, error) < 0)
        return -1;
    jumps->rows[jumps->row_count++] = row;
    return 0;
}

int jumps_resolve(const struct jumps *jumps, uint32_t *targets, uint32_t *unresolved, struct error *error)
{
    uint32_t count = jumps->row_count;
    uint32_t *seen = malloc((jumps->name_count + 1) * sizeof(*seen)); /* the row of a name, of those below */
    uint32_t *depth = calloc(count + 1, sizeof(*depth)); /* rows to go through at most from here on */
    int result = 0;

    *unresolved = jumps_none;
    if (seen == NULL || depth == NULL)
        result = error_set(error, "out of memory for the labels of a map");
    for (uint32_t i = 0; result == 0 && i < jumps->name_count; i++)
        seen[i] = jumps_none;
    for (uint32_t i = count; result == 0 && i-- > 0;) {
        const struct row *row = &jumps->rows[i];
        uint32_t through;

        targets[i] = jumps_none;
        if (row->jeq == next_row)
            targets[i] = i + 1 < count ? i + 1 : jumps_none;
        else if (row->jeq != jumps_none)
            targets[i] = seen[row->jeq];
        if (row->jeq != jumps_none && row->jeq != next_row && targets[i] == jumps_none)
            *unresolved = i;
        if (row->label != jumps_none)
            seen[row->label] = i;
        through = 1 + (targets[i] == jumps_none ? 0 : depth[targets[i]]);
        depth[i] = through > depth[i + 1] ? through : depth[i + 1];
        if (depth[i] > jumps_depth_max) {
            *unresolved = i;
            result = error_set(error, "from here on a record could jump through more than %u rows", jumps_depth_max);
        }
    }
    free(seen);
    free(depth);
    return result;
}
