/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiled form of a set of rules, between rules_compile.c, which makes it, and rules_find.c, which searches it.
 * What a record touches is small and stands together: of a row that fits, in most maps, one slot of half a cache line.
 */
#ifndef MAP_RULES_INDEX_H
#define MAP_RULES_INDEX_H

#include <stdlib.h>

#include "base/hash.h"
#include "map/rules.h"
#include "net/prefixes.h"

#define rules_dims_max 64u
#define rules_words_max 64u   /* of a key before it is hashed to two */
#define rules_shapes_max 512u
#define rules_prefixes_max 8u /* dims of addresses in a shape */
#define rules_chains_max 4096u /* combinations of nested prefixes that one shape may look up */
#define rules_walk_max 4096u   /* rows of one key that only a look at each can tell apart */
#define rules_filters_max 4096u
#define rules_node_bits 24u    /* of the number of a prefix in a key */
#define rules_remembered 256u  /* addresses of a dim, a power of two */

/* A prefix of one dim. */
struct rules_node {
    uint64_t shapes; /* bit (shape % 64) for each shape in whose keys it is: what is in none need not be looked up */
    uint32_t parent; /* of the next shorter prefix around it, or rules_none */
    bool outer;      /* there are longer ones inside of it */
};

/* Something that keys are made of: a number, or an address that is resolved to a prefix. */
struct rules_dim {
    uint16_t subject;
    uint16_t flow_offset;  /* of a field's member in struct flow */
    uint8_t flow_bytes;    /* of it: 1 2 4 8, 16 of an address; 0: no field, see subject.h */
    uint8_t have_word;     /* of the field's bit in struct field_set */
    uint8_t absent;
    uint8_t bits;          /* of the number in a key */
    uint64_t have_bit;
    uint64_t most;         /* with so many bits */
    uint64_t whole_shapes; /* the bits that all nodes have */
    struct rules_memory *memory; /* rules_remembered of them; or NULL: nothing is remembered */
    struct prefixes *prefixes;
    struct rules_node *nodes;
};

struct rules_memory {
    struct address address; /* absent: free */
    uint32_t node;
};

/* Where a dim of a shape stands in its key. */
struct rules_place {
    uint8_t dim, word, shift;
};

struct rules_shape {
    uint64_t dims;       /* a bit each */
    uint32_t first, last; /* rows */
    uint32_t outer_first; /* the first row that has a prefix with others inside, or rules_none */
    uint8_t exact_count, prefix_count;
    bool hashed;         /* the key has more than two words: its rows are found by hash, and checked */
    uint8_t words;
    struct rules_place exact[rules_dims_max];
    struct rules_place prefix[rules_prefixes_max];
};

enum {
    SLOT_KIND = 3,  /* the row's, 0 to 3 */
    SLOT_CHECK = 4, /* the row has conditions that are to be looked at */
    SLOT_MORE = 8   /* there are more rows of this key */
};

/* The rows of one key. With CHECK or MORE `value` is where they begin among the members. */
struct rules_slot {
    uint64_t key[2];
    uint64_t value;
    uint32_t row; /* the first; rules_none: a free slot */
    uint16_t shape;
    uint16_t flags;
};

/* One of a key's rows, in the order of their numbers. Before them stands a head, whose `row` is how many there are. */
struct rules_member {
    uint64_t value;
    uint32_t row;
    uint32_t check; /* first of its conditions */
    uint16_t check_count;
    uint8_t kind;
};

struct rules {
    /* what a record needs */
    const struct flow *flow;
    struct flow_image *image;
    uint64_t ready, told; /* dims that were looked at, and those of them that the record tells */
    struct rules_slot *slots;
    uint32_t slot_count, shape_count;
    struct hash_seed seed;
    struct rules_shape *shapes;
    struct rules_member *members;
    struct rules_condition *checks;
    uint64_t values[rules_dims_max];
    struct rules_dim dims[rules_dims_max];
    unsigned dim_count;
    /* what it was made of */
    struct rules_row *rows;
    uint32_t row_count, row_room;
    struct rules_condition *conditions; /* of all rows; those with a filter or a text own it */
    uint32_t condition_count, condition_room;
    uint32_t filter_count, check_total;
};

/* A row as it was added. */
struct rules_row {
    uint64_t value;
    uint32_t first; /* of its conditions */
    uint8_t count;
    uint8_t kind;
};

/* An array with room for one more than `count`; NULL when memory is short, and the array is then as it was. */
static inline void *rules_grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t more = *room == 0 ? 64 : *room * 2;
    void *grown = array;

    if (count == *room) {
        grown = realloc(array, more * size);
        if (grown != NULL)
            *room = more;
    }
    return grown;
}

/* Both ways of making a key agree here. `words` is more than 2. */
static inline void rules_hash_key(const uint64_t *words, unsigned count, struct hash_seed seed, uint64_t key[2])
{
    struct hash_seed other = {seed.b, seed.a | UINT64_C(0x8421124884211249)};

    key[0] = hash_words(words, count, seed);
    key[1] = hash_words(words, count, other);
}

/* Where to begin to look for a key. */
static inline uint32_t rules_slot_of(const struct rules *rules, const uint64_t key[2], unsigned shape)
{
    uint64_t hash = hash_fold(key[0] ^ rules->seed.a, key[1] ^ rules->seed.b);

    hash = hash_fold(hash ^ shape, UINT64_C(0x9fb21c651e98df25));
    return (uint32_t)((hash >> 32) * rules->slot_count >> 32);
}

#endif
