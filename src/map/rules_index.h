/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiled form of a set of rules, between rules_compile.c, which makes it, and rules_find.c, which searches it.
 * What a record touches is small and stands together: of a row that fits, in most maps, one slot of 8 or 16 bytes. With
 * a hundred thousand rows that is what counts, since each such look is a wait for memory.
 */
#ifndef MAP_RULES_INDEX_H
#define MAP_RULES_INDEX_H

#include <stdlib.h>

#include "base/hash.h"
#include "map/rules.h"
#include "net/prefixes.h"

#define rules_dims_max 64u
#define rules_words_max 64u   /* of a key before it is hashed to one */
#define rules_shapes_max 512u
#define rules_prefixes_max 8u /* dims of addresses in a shape */
#define rules_chains_max 4096u /* combinations of nested prefixes that one shape may look up */
#define rules_walk_max 4096u   /* rows of one key that only a look at each can tell apart */
#define rules_filters_max 4096u
#define rules_node_bits 24u    /* of the number of a prefix in a key, at most */
#define rules_place_bits 20u   /* of a table of places, at most */
#define rules_uppers_max 512u  /* different upper halves of values */
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

/*
 * What prefixes alone say of each address of one family that begins like all of them, by the bits that follow: the slot
 * of the first row of all around it. Where the networks of a map stand close together, that is one look instead of one
 * for the prefix and one for its key.
 */
struct rules_places {
    uint64_t *slots;    /* 2^bits, free ones where no row is; NULL: no such table */
    prefix_key skipped; /* the bits that they all begin with */
    uint8_t skip_bits, bits;
    bool empty;         /* there is no prefix of this family */
};

struct rules_shape {
    uint64_t dims;        /* a bit each */
    uint32_t first, last; /* rows */
    uint32_t outer_first; /* the first row that has a prefix with others inside, or rules_none */
    uint8_t exact_count, prefix_count;
    bool hashed;         /* the key has more than two words: its rows are found by hash, and checked */
    uint8_t words;
    uint8_t stride;      /* words of a slot: what it says, and the key's one or two; 1: the key is the slot's number */
    uint32_t slot_count;
    uint64_t *slots;
    uint8_t bits;        /* of a key of one word */
    struct rules_places *places; /* of both families, by enum prefix_family - 1; or NULL */
    struct rules_place exact[rules_dims_max];
    struct rules_place prefix[rules_prefixes_max];
};

/*
 * What a slot says of the rows of its key, in one word: the lower half of the first one's value, its number, which of
 * the upper halves the value has, and its kind plus one. With SLOT_MEMBERS, where that is not all there is to say, the
 * lower half is where they begin among the members. 0: a free slot.
 */
#define SLOT_ROW_SHIFT 32
#define SLOT_UPPER_SHIFT 52
#define SLOT_KIND_SHIFT 61
#define SLOT_MEMBERS 5u /* in the place of the kind */

_Static_assert(rules_rows_max <= 1u << (SLOT_UPPER_SHIFT - SLOT_ROW_SHIFT), "a row's number has its place in a slot");
_Static_assert(rules_uppers_max <= 1u << (SLOT_KIND_SHIFT - SLOT_UPPER_SHIFT), "and so have the upper halves");

static inline uint32_t rules_slot_row(uint64_t slot)
{
    return (uint32_t)(slot >> SLOT_ROW_SHIFT) % rules_rows_max;
}

static inline unsigned rules_slot_kind(uint64_t slot)
{
    return (unsigned)(slot >> SLOT_KIND_SHIFT);
}

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
    uint32_t shape_count;
    struct hash_seed seed;
    struct rules_shape *shapes;
    struct rules_member *members;
    struct rules_condition *checks;
    uint64_t uppers[rules_uppers_max]; /* of values, with nothing in the lower half */
    uint32_t upper_count;
    uint64_t *slots; /* those of all shapes */
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

/* Rows as they were added come to these: rules.c. -1 with a phrase. */
int rules_build_dims(struct rules *rules, struct error *error);
/* After all else: the tables of places. */
int rules_build_places(struct rules *rules, struct error *error);
/* Of a subject; rules_dims_max when there is none. */
unsigned rules_find_dim(const struct rules *rules, unsigned subject);

static inline bool rules_can_be_indexed(const struct rules_condition *condition)
{
    return !condition->negated && (condition->operator == RULES_EQUAL || condition->operator == RULES_PREFIX);
}

/* It holds for either of two subjects. */
static inline bool rules_has_two(const struct rules_condition *condition)
{
    return condition->operator == RULES_EQUAL && condition->other_subject != SUBJECT_NONE;
}

static inline bool rules_is_address(const struct rules_dim *dim)
{
    return dim->flow_bytes == sizeof(struct address);
}

/* The word of a shape's table to begin to look for a key at; the key has two words where slots have three. */
static inline size_t rules_slot_of(const struct rules_shape *shape, uint64_t low, uint64_t high, struct hash_seed seed)
{
    uint64_t hash = hash_fold(low ^ seed.a, seed.b);

    if (shape->stride == 3)
        hash = hash_fold(hash ^ high, seed.b);
    return ((hash >> 32) * shape->slot_count >> 32) * shape->stride;
}

/* What the slot of the key says, 0 when there is none; a free slot has the key 0, and says 0, too. */
static inline uint64_t rules_find_slot(const struct rules_shape *shape, uint64_t low, uint64_t high,
                                       struct hash_seed seed)
{
    const uint64_t *slot, *end = shape->slots + (size_t)shape->slot_count * shape->stride;

    if (shape->stride == 1)
        return shape->slots[low];
    slot = shape->slots + rules_slot_of(shape, low, high, seed);
    while (slot[1] != low || (shape->stride == 3 && slot[2] != high)) {
        if (slot[0] == 0)
            return 0;
        slot += shape->stride;
        if (unlikely(slot == end))
            slot = shape->slots;
    }
    return slot[0];
}

#endif
