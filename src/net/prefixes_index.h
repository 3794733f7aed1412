/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of one family's prefixes: a table by the first bits of an address, and below it nodes of six bits each,
 * whose children and leaves are packed and found by counting bits (Asai and Ohara, "Poptrie", SIGCOMM 2015). Where
 * only a few prefixes are left below a place, there is no node but a leaf that says "try these": they stand side by
 * side in the rows, so comparing them is cheaper than going further down, and no prefix costs a chain of nodes.
 *
 * A slot is the number of a node (slot_node), or the label of a prefix plus one, 0 for none. With slot_try it is the
 * end of a few rows, and how many they are: the last one that holds the address is the longest; when none does, it is
 * the parent of the first. Keys are the bits of an address from the left, IPv4 in the upper 32.
 *
 * Of many prefixes the first table has 2^24 places: for IPv4 that is nearly always the only memory that a look-up
 * waits for, and of IPv6 so little is in use that most of its pages are never touched.
 */
#ifndef NET_PREFIXES_INDEX_H
#define NET_PREFIXES_INDEX_H

#include "net/prefix.h"

struct prefixes_node {
    uint64_t children; /* a bit for each of the 64 places that has a node below it */
    uint64_t leaves;   /* of the others, a bit where the leaf is not that of the place before */
    uint32_t first_child, first_leaf;
};

struct prefixes_index {
    unsigned root_bits;
    uint32_t *root; /* slots */
    struct prefixes_node *nodes;
    uint32_t *leaves; /* slots */
    uint32_t node_count, leaf_count;
};

#define slot_node (UINT32_C(1) << 31)
#define slot_try (UINT32_C(1) << 30)
#define slot_label_max (slot_try - 1)
#define slot_few 4u /* rows to try, at most */
#define slot_row_bits 26
#define slot_try_rows(begin, end) (slot_try | ((end) - (begin) - 1) << slot_row_bits | ((end) - 1))
#define stride_bits 6

/*
 * `rows` from `begin` to `end` are of one family, settled, sorted by key and then by length, and each is there once;
 * parents[i] is the number of the row that holds row i. The label of a row is its value with `by_value`, else its
 * number; it is below slot_label_max. NULL with a phrase when memory is short.
 */
struct prefixes_index *prefixes_index_build(const struct prefix *rows, const uint32_t *parents, uint32_t begin,
                                            uint32_t end, bool by_value, struct error *error);
void prefixes_index_free(struct prefixes_index *index);
size_t prefixes_index_bytes(const struct prefixes_index *index);

/* Bits that are set. The compilers' own would be a call where the processor is not known to have an instruction. */
static inline unsigned prefixes_bits(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* The slot by the first 32 bits of a key. */
static inline uint32_t prefixes_index_root(const struct prefixes_index *index, uint32_t bits)
{
    return index->root[bits >> (32 - index->root_bits)];
}

/* From the root's slot to the leaf that a key falls on. */
static inline uint32_t prefixes_index_below(const struct prefixes_index *index, uint32_t slot, prefix_key key)
{
    uint64_t low = (uint64_t)key << index->root_bits;
    uint64_t high = (uint64_t)(key >> 64) << index->root_bits | (uint64_t)key >> (64 - index->root_bits);

    while (slot & slot_node) {
        const struct prefixes_node *node = &index->nodes[slot & ~slot_node];
        unsigned place = (unsigned)(high >> (64 - stride_bits));

        if (node->children >> place & 1)
            slot = slot_node | (node->first_child + prefixes_bits(node->children & ((UINT64_C(1) << place) - 1)));
        else
            slot = index->leaves[node->first_leaf + prefixes_bits(node->leaves & ((UINT64_C(2) << place) - 1)) - 1];
        high = high << stride_bits | low >> (64 - stride_bits);
        low <<= stride_bits;
    }
    return slot;
}

#endif
