/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of names by an identifier, as options records fill them: interfaces, VRFs, applications, elements. The
 * identifier is a run of octets (numbers: 8 octets, see names_number). Looking up is one hash and mostly one compare;
 * a table has a limit of rows, and all tables of a lane share a limit of memory.
 */
#ifndef DECODE_NETFLOW_NAMES_H
#define DECODE_NETFLOW_NAMES_H

#include "base/base.h"
#include "flow/flow.h"

#define names_text_max 255 /* octets of a name, more are cut */
#define names_key_max 64   /* octets of an identifier, longer ones are refused */

struct name_row {
    uint64_t hash;
    uint64_t number;     /* what else is known: route distinguisher, type of an element */
    uint8_t key_size, text_length, text_room;
    uint8_t rank;        /* a name of a lower rank does not replace one of a higher: descriptions, names */
    bool has_number;
    char bytes[];        /* the key, the text */
};

struct name_table {
    struct name_row **rows; /* open addressing, linear; room is 0 or a power of two */
    unsigned room, count, limit;
    uint64_t refused;       /* names that found no place */
};

/* Memory of all tables of a lane: `*used` is charged and given back, a new row must leave it at `max` or below. */
struct name_memory {
    uint64_t *used, max;
};

/* NULL when it is not known. */
struct name_row *names_find(const struct name_table *table, const void *key, size_t key_size);
struct name_row *names_find_number(const struct name_table *table, uint64_t key);

/*
 * The row of a key, made without a text when it is not there; NULL when a limit forbids it (table->refused counts).
 * It stays where it is until names_set_text.
 */
struct name_row *names_make(struct name_table *table, struct name_memory *memory, const void *key, size_t key_size);

/*
 * Gives a row its text, cut at names_text_max, in place when there is room. Returns the row, which may have moved, or
 * NULL when memory is out (the row keeps its old text). A lower rank than the text's own changes nothing.
 */
struct name_row *names_set_text(struct name_table *table, struct name_memory *memory, struct name_row *row,
                                struct span text, unsigned rank);

static inline struct span names_text(const struct name_row *row)
{
    return row == NULL ? (struct span){NULL, 0} : (struct span){row->bytes + row->key_size, row->text_length};
}

void names_free(struct name_table *table, struct name_memory *memory);

#endif
