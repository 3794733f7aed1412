/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building an index. The rows are sorted so that a prefix comes after all that hold it, and that all rows below one
 * place stand together. So one pass over the rows of a node paints its 64 places, the longer over the shorter, and
 * finds for each place where the rows that go deeper begin; these are the rows of the node below.
 */
#include "net/prefixes_index.h"

#include <stdlib.h>
#include <sys/mman.h>

#define root_bits_min 6u
#define root_bits_usual 18u
#define root_bits_many 24u
#define many (UINT32_C(1) << 17) /* prefixes: for them 64 MB of address space are worth it */

struct builder {
    struct prefixes_index *index;
    const struct prefix *rows;
    const uint32_t *parents;
    bool by_value;
    uint32_t node_room, leaf_room;
};

/* What is below one place of a node. */
struct below {
    uint32_t begin, end;
};

static prefix_key row_key(const struct builder *builder, uint32_t row)
{
    prefix_key key;

    (void)prefix_key_of_net(&builder->rows[row].net, &key);
    return key;
}

/* The leaf of a row; of none, UINT32_MAX, it is 0. */
static uint32_t leaf_of(const struct builder *builder, uint32_t row)
{
    return builder->by_value && row != UINT32_MAX ? builder->rows[row].value + 1 : row + 1;
}

/* The place of a row in a node of `bits` whose key begins at `depth`. */
static uint32_t place_of(const struct builder *builder, uint32_t row, unsigned depth, unsigned bits)
{
    return (uint32_t)((row_key(builder, row) << depth) >> (128 - bits));
}

/* The end of the rows that have the same place as row `begin`. */
static uint32_t run_end(const struct builder *builder, struct below rows, unsigned depth, unsigned bits)
{
    uint32_t place = place_of(builder, rows.begin, depth, bits), row = rows.begin + 1;

    while (row < rows.end && place_of(builder, row, depth, bits) == place)
        row++;
    return row;
}

/*
 * Paints the places of a node, which have what they inherit, with the rows that end in it. A place that rows go
 * deeper from becomes slot_node | the first of them, or, when they are few, the leaf that says so.
 */
static void paint(const struct builder *builder, uint32_t *slots, unsigned bits, unsigned depth, struct below rows)
{
    for (uint32_t row = rows.begin; row < rows.end; row++) {
        uint32_t place = place_of(builder, row, depth, bits);
        unsigned length = builder->rows[row].length;

        if (length <= depth + bits) {
            uint32_t places = UINT32_C(1) << (depth + bits - length);

            for (uint32_t i = 0; i < places; i++)
                slots[place + i] = leaf_of(builder, row);
        } else {
            struct below deeper = {row, rows.end};

            deeper.end = run_end(builder, deeper, depth, bits);
            slots[place] = deeper.end - row <= slot_few ? slot_try_rows(row, deeper.end) : slot_node | row;
            row = deeper.end - 1;
        }
    }
}

/* The new array, or NULL; *room is what it holds. */
static void *grow(void *array, uint32_t *room, uint32_t need, size_t size)
{
    uint64_t wanted = max_u64(need, *room + (uint64_t)*room / 2 + 64);
    void *grown;

    if (need <= *room)
        return array;
    if (wanted > slot_try) /* numbers of leaves and nodes have to fit below the marks */
        return NULL;
    grown = realloc(array, wanted * size);
    if (grown != NULL)
        *room = (uint32_t)wanted;
    return grown;
}

static bool add_nodes(struct builder *builder, uint32_t count)
{
    struct prefixes_index *index = builder->index;
    void *grown = grow(index->nodes, &builder->node_room, index->node_count + count, sizeof(*index->nodes));

    if (grown == NULL)
        return false;
    index->nodes = grown;
    index->node_count += count;
    return true;
}

static bool add_leaf(struct builder *builder, uint32_t slot)
{
    struct prefixes_index *index = builder->index;
    void *grown = grow(index->leaves, &builder->leaf_room, index->leaf_count + 1, sizeof(*index->leaves));

    if (grown == NULL)
        return false;
    index->leaves = grown;
    index->leaves[index->leaf_count++] = slot;
    return true;
}

/* Nodes nest at most (128 - 6) / 6 deep, and so does this. */
static bool build_node(struct builder *builder, uint32_t number, unsigned depth, struct below rows)
{
    struct prefixes_node node = {.first_leaf = builder->index->leaf_count};
    uint32_t slots[1u << stride_bits], last = 0, child;

    /* What holds the first row holds all places: it ends at this depth or above. */
    for (unsigned place = 0; place < array_length(slots); place++)
        slots[place] = leaf_of(builder, builder->parents[rows.begin]);
    paint(builder, slots, stride_bits, depth, rows);
    for (unsigned place = 0; place < array_length(slots); place++) {
        if (slots[place] & slot_node) {
            node.children |= UINT64_C(1) << place;
        } else if (node.leaves == 0 || slots[place] != last) {
            node.leaves |= UINT64_C(1) << place;
            last = slots[place];
            if (!add_leaf(builder, last))
                return false;
        }
    }
    node.first_child = child = builder->index->node_count;
    if (!add_nodes(builder, prefixes_bits(node.children)))
        return false;
    builder->index->nodes[number] = node;
    for (unsigned place = 0; place < array_length(slots); place++) {
        struct below deeper = {slots[place] & ~slot_node, rows.end};

        if (!(slots[place] & slot_node))
            continue;
        deeper.end = run_end(builder, deeper, depth, stride_bits);
        if (!build_node(builder, child++, depth + stride_bits, deeper))
            return false;
    }
    return true;
}

static size_t root_bytes(const struct prefixes_index *index)
{
    return sizeof(*index->root) << index->root_bits;
}

/*
 * All zero. Mapped, so that pages which nothing is written to take no memory; in huge pages where the system gives
 * them, since each look-up goes to another place.
 */
static uint32_t *map_root(const struct prefixes_index *index)
{
    void *root = mmap(NULL, root_bytes(index), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (root == MAP_FAILED)
        return NULL;
    (void)madvise(root, root_bytes(index), MADV_HUGEPAGE);
    return root;
}

static bool build_root(struct builder *builder, struct below rows)
{
    struct prefixes_index *index = builder->index;
    const unsigned bits = index->root_bits;

    index->root = map_root(index);
    if (index->root == NULL)
        return false;
    paint(builder, index->root, bits, 0, rows);
    for (uint32_t row = rows.begin; row < rows.end; row++) {
        uint32_t *slot = &index->root[place_of(builder, row, 0, bits)];
        struct below deeper = {row, rows.end};

        if (builder->rows[row].length <= bits)
            continue;
        deeper.end = run_end(builder, deeper, 0, bits);
        row = deeper.end - 1;
        if (!(*slot & slot_node))
            continue;
        *slot = slot_node | index->node_count;
        if (!add_nodes(builder, 1) || !build_node(builder, index->node_count - 1, bits, deeper))
            return false;
    }
    return true;
}

/* What was grown too much goes back; that this could fail matters nothing. */
static void trim(struct prefixes_index *index)
{
    void *less = realloc(index->nodes, max_u64(index->node_count, 1) * sizeof(*index->nodes));

    if (less != NULL)
        index->nodes = less;
    less = realloc(index->leaves, max_u64(index->leaf_count, 1) * sizeof(*index->leaves));
    if (less != NULL)
        index->leaves = less;
}

struct prefixes_index *prefixes_index_build(const struct prefix *rows, const uint32_t *parents, uint32_t begin,
                                            uint32_t end, bool by_value, struct error *error)
{
    struct builder builder = {
        .index = calloc(1, sizeof(*builder.index)),
        .rows = rows,
        .parents = parents,
        .by_value = by_value,
    };
    unsigned bits = root_bits_min;

    while (bits < root_bits_usual && UINT32_C(1) << bits < end - begin)
        bits++;
    if (end - begin >= many)
        bits = root_bits_many;
    if (builder.index != NULL)
        builder.index->root_bits = bits;
    if (builder.index == NULL || !build_root(&builder, (struct below){begin, end})) {
        prefixes_index_free(builder.index);
        error_set(error, "out of memory for %lu prefixes", (unsigned long)(end - begin));
        return NULL;
    }
    trim(builder.index);
    return builder.index;
}

void prefixes_index_free(struct prefixes_index *index)
{
    if (index == NULL)
        return;
    if (index->root != NULL)
        munmap(index->root, root_bytes(index));
    free(index->nodes);
    free(index->leaves);
    free(index);
}

size_t prefixes_index_bytes(const struct prefixes_index *index)
{
    if (index == NULL)
        return 0;
    return sizeof(*index) + root_bytes(index) + index->node_count * sizeof(*index->nodes) +
           index->leaf_count * sizeof(*index->leaves);
}
