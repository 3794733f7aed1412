/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From rows to the index. A row becomes an *entry*: its shape, its key of two words, and the conditions that are left
 * to look at. A row one of whose conditions has two subjects becomes two entries. Entries are sorted, those with the
 * same key become one slot of the table of their shape.
 */
#include "map/large.h"
#include "map/rules_index.h"

struct entry {
    uint64_t key[2];
    uint32_t row, check;
    uint16_t check_count, shape;
};

/* While it is compiled. */
struct build {
    struct rules *rules;
    struct entry *entries;
    uint32_t entry_count;
    uint32_t check_room;
    uint32_t row; /* that is worked on, for phrases */
    uint32_t deepest[rules_dims_max][64]; /* prefixes inside of one another, by dim and bit of shapes */
};

/* -- shapes -- */

/* The next place for so many bits; none goes over the end of a word. */
static struct rules_place take_place(unsigned dim, unsigned bits, unsigned *word, unsigned *shift)
{
    struct rules_place place;

    if (*shift + bits > 64) {
        (*word)++;
        *shift = 0;
    }
    place = (struct rules_place){(uint8_t)dim, (uint8_t)*word, (uint8_t)*shift};
    *shift += bits;
    return place;
}

static void lay_out(const struct rules *rules, struct rules_shape *shape)
{
    unsigned word = 0, shift = 0;

    for (uint64_t left = shape->dims; left != 0; left &= left - 1) {
        unsigned dim = (unsigned)__builtin_ctzll(left);
        struct rules_place place = take_place(dim, rules->dims[dim].bits, &word, &shift);

        if (rules_is_address(&rules->dims[dim]))
            shape->prefix[shape->prefix_count++] = place;
        else
            shape->exact[shape->exact_count++] = place;
    }
    shape->words = (uint8_t)(word + 1);
    shape->bits = (uint8_t)shift;
    shape->hashed = shape->words > 2;
}

/* Rows come in order, so shapes stand in the order of their first rows. */
static int find_shape(struct build *build, uint64_t dims, unsigned *number, struct error *error)
{
    struct rules *rules = build->rules;
    struct rules_shape *shape;

    for (unsigned i = rules->shape_count; i-- > 0;) {
        shape = &rules->shapes[i];
        if (shape->dims != dims)
            continue;
        shape->last = build->row;
        *number = i;
        return 0;
    }
    if (rules->shape_count == rules_shapes_max)
        return error_set(error, "more than %u different combinations of keys in a map", rules_shapes_max);
    *number = rules->shape_count++;
    shape = &rules->shapes[*number];
    *shape = (struct rules_shape){.dims = dims, .first = build->row, .last = build->row, .outer_first = rules_none};
    lay_out(rules, shape);
    return 0;
}

/* -- entries -- */

static int push_check(struct build *build, const struct rules_condition *condition, struct entry *entry,
                      struct error *error)
{
    struct rules *rules = build->rules;
    struct rules_condition *grown = rules_grow(rules->checks, rules->check_total, &build->check_room, sizeof(*grown));

    if (grown == NULL)
        return error_set(error, "out of memory for the conditions of a map");
    rules->checks = grown;
    rules->checks[rules->check_total++] = *condition;
    entry->check_count++;
    return 0;
}

static void put_value(const struct build *build, struct rules_shape *shape, unsigned dim,
                      const struct rules_condition *condition, uint64_t words[rules_words_max])
{
    const struct rules *rules = build->rules;
    const struct rules_place *place = shape->exact;
    uint64_t value = condition->number;

    if (rules_is_address(&rules->dims[dim])) {
        place = shape->prefix;
        value = prefixes_exact(rules->dims[dim].prefixes, &condition->prefix.net, condition->prefix.length);
        rules->dims[dim].nodes[value].shapes |= UINT64_C(1) << (shape - rules->shapes) % 64;
        if (rules->dims[dim].nodes[value].outer && shape->outer_first == rules_none)
            shape->outer_first = build->row;
    }
    while (place->dim != dim)
        place++;
    words[place->word] |= value << place->shift;
}

/*
 * An entry of the row. `chosen` has, for each condition, the dim that stands for it in the key, or rules_dims_max for
 * one that is to be looked at. Filters are looked at last, they cost most.
 */
static int add_entry(struct build *build, const unsigned *chosen, uint64_t dims, struct error *error)
{
    struct rules *rules = build->rules;
    const struct rules_row *row = &rules->rows[build->row];
    const struct rules_condition *conditions = &rules->conditions[row->first];
    struct entry *entry = &build->entries[build->entry_count];
    uint64_t words[rules_words_max] = {0};
    struct rules_shape *shape;
    unsigned number = 0;

    if (find_shape(build, dims, &number, error) < 0)
        return -1;
    shape = &rules->shapes[number];
    *entry = (struct entry){.row = build->row, .check = rules->check_total, .shape = (uint16_t)number};
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < row->count; i++) {
            bool looked_at = chosen[i] == rules_dims_max || shape->hashed;

            if (pass == 0 && chosen[i] != rules_dims_max)
                put_value(build, shape, chosen[i], &conditions[i], words);
            if (looked_at && (conditions[i].operator == RULES_FILTER) == (pass == 1) &&
                push_check(build, &conditions[i], entry, error) < 0)
                return -1;
        }
    if (shape->hashed) {
        entry->key[0] = hash_words(words, shape->words, rules->seed);
    } else {
        entry->key[0] = words[0];
        entry->key[1] = words[1];
    }
    build->entry_count++;
    return 0;
}

/* A number that a subject cannot have has no place in a key. */
static bool fits_key(const struct rules *rules, unsigned dim, const struct rules_condition *condition)
{
    return dim < rules_dims_max && (rules_is_address(&rules->dims[dim]) || rules->dims[dim].bits == 64 ||
                                    condition->number >> rules->dims[dim].bits == 0);
}

/*
 * The dim by which a condition of a row comes into its key, or rules_dims_max: it is looked at. Of two conditions for
 * one subject the first comes in, and of those with two subjects, each of which doubles the row's entries.
 */
static unsigned choose(const struct rules *rules, const struct rules_condition *condition, uint64_t dims, bool doubled)
{
    unsigned dim = rules_can_be_indexed(condition) ? rules_find_dim(rules, condition->subject) : rules_dims_max;
    unsigned prefixes = 0;

    if (!fits_key(rules, dim, condition) || (dims >> dim & 1) != 0)
        return rules_dims_max;
    if (rules_has_two(condition) &&
        (doubled || !fits_key(rules, rules_find_dim(rules, condition->other_subject), condition)))
        return rules_dims_max;
    for (uint64_t left = dims; left != 0; left &= left - 1)
        prefixes += rules_is_address(&rules->dims[__builtin_ctzll(left)]);
    return rules_is_address(&rules->dims[dim]) && prefixes == rules_prefixes_max ? rules_dims_max : dim;
}

/* The entries of a row: one, or two where a condition has two subjects. */
static int add_row(struct build *build, struct error *error)
{
    const struct rules *rules = build->rules;
    const struct rules_row *row = &rules->rows[build->row];
    unsigned chosen[rules_conditions_max], double_at = rules_conditions_max;
    uint64_t dims = 0;

    for (unsigned i = 0; i < row->count; i++) {
        const struct rules_condition *condition = &rules->conditions[row->first + i];

        if (condition->operator == RULES_NEVER)
            return 0;
        chosen[i] = choose(rules, condition, dims, double_at < rules_conditions_max);
        if (chosen[i] == rules_dims_max)
            continue;
        dims |= UINT64_C(1) << chosen[i];
        if (rules_has_two(condition))
            double_at = i;
    }
    if (add_entry(build, chosen, dims, error) < 0)
        return -1;
    if (double_at < rules_conditions_max) {
        unsigned other = rules_find_dim(rules, rules->conditions[row->first + double_at].other_subject);

        dims &= ~(UINT64_C(1) << chosen[double_at]);
        chosen[double_at] = (dims >> other & 1) != 0 ? rules_dims_max : other;
        dims |= UINT64_C(1) << other;
        return add_entry(build, chosen, dims, error);
    }
    return 0;
}

/* -- bounds -- */

/* How many prefixes around one another have the bit: parents come before those inside of them. */
static int count_deepest(struct build *build, unsigned number, unsigned bit, struct error *error)
{
    const struct rules_dim *dim = &build->rules->dims[number];
    uint32_t count = prefixes_count(dim->prefixes), deepest = 0;
    uint8_t *depth = malloc(count + 1);

    if (depth == NULL)
        return error_set(error, "out of memory for the prefixes of a map");
    for (uint32_t i = 0; i < count; i++) {
        depth[i] = dim->nodes[i].parent == rules_none ? 0 : depth[dim->nodes[i].parent];
        depth[i] = (uint8_t)(depth[i] + (dim->nodes[i].shapes >> bit & 1));
        if (depth[i] > deepest)
            deepest = depth[i];
    }
    free(depth);
    build->deepest[number][bit] = deepest;
    return 0;
}

/* Where all prefixes of a dim are in keys of a shape, none need be asked whether it is. */
static void find_whole_shapes(struct rules *rules)
{
    for (unsigned i = 0; i < rules->dim_count; i++) {
        struct rules_dim *dim = &rules->dims[i];

        dim->whole_shapes = rules_is_address(dim) ? UINT64_MAX : 0;
        for (uint32_t j = 0; rules_is_address(dim) && j < prefixes_count(dim->prefixes); j++)
            dim->whole_shapes &= dim->nodes[j].shapes;
    }
}

/* A record looks up each combination of the prefixes around its addresses. */
static int check_chains(struct build *build, struct error *error)
{
    for (unsigned i = 0; i < build->rules->shape_count; i++) {
        const struct rules_shape *shape = &build->rules->shapes[i];
        uint64_t product = 1;

        for (unsigned j = 0; j < shape->prefix_count && shape->prefix_count > 1; j++) {
            unsigned dim = shape->prefix[j].dim;

            if (build->deepest[dim][i % 64] == 0 && count_deepest(build, dim, i % 64, error) < 0)
                return -1;
            product *= build->deepest[dim][i % 64];
            if (product > rules_chains_max) {
                build->row = shape->first;
                return error_set(error, "the prefixes of rows like this one are too deep inside of one another: more "
                                 "than %u combinations for one record", rules_chains_max);
            }
        }
    }
    return 0;
}

/* -- the table -- */

static int compare_entries(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;

    if (a->shape != b->shape)
        return a->shape < b->shape ? -1 : 1;
    if (a->key[0] != b->key[0])
        return a->key[0] < b->key[0] ? -1 : 1;
    if (a->key[1] != b->key[1])
        return a->key[1] < b->key[1] ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static bool same_key(const struct entry *a, const struct entry *b)
{
    return a->shape == b->shape && a->key[0] == b->key[0] && a->key[1] == b->key[1];
}

static void place_slot(const struct rules *rules, const struct entry *entry, uint64_t says)
{
    const struct rules_shape *shape = &rules->shapes[entry->shape];
    uint64_t *slot;

    if (shape->stride == 1) {
        shape->slots[entry->key[0]] = says;
        return;
    }
    slot = shape->slots + rules_slot_of(shape, entry->key[0], entry->key[1], rules->seed);
    while (slot[0] != 0) {
        slot += shape->stride;
        if (slot == shape->slots + (size_t)shape->slot_count * shape->stride)
            slot = shape->slots;
    }
    slot[0] = says;
    slot[1] = entry->key[0];
    if (shape->stride == 3)
        slot[2] = entry->key[1];
}

/* The place of a value's upper half among the different ones; rules_uppers_max when there is none for it any more. */
static uint32_t find_upper(struct rules *rules, uint64_t value)
{
    uint64_t upper = value & ~(uint64_t)UINT32_MAX;
    uint32_t place = 0;

    while (place < rules->upper_count && rules->uppers[place] != upper)
        place++;
    if (place == rules->upper_count && place < rules_uppers_max)
        rules->uppers[rules->upper_count++] = upper;
    return place;
}

static uint64_t say(uint32_t lower, uint32_t row, uint32_t upper, unsigned kind)
{
    return lower | (uint64_t)row << SLOT_ROW_SHIFT | (uint64_t)upper << SLOT_UPPER_SHIFT |
           (uint64_t)kind << SLOT_KIND_SHIFT;
}

/* The slot of `count` entries of one key; where there is more to say than it has room for, as members. */
static int place_entries(struct build *build, const struct entry *entries, uint32_t count, uint32_t *members,
                         struct error *error)
{
    struct rules *rules = build->rules;
    const struct rules_row *row = &rules->rows[entries->row];
    uint32_t upper = find_upper(rules, row->value), walked = 0;

    if (count == 1 && entries->check_count == 0 && upper < rules_uppers_max) {
        place_slot(rules, entries, say((uint32_t)row->value, entries->row, upper, row->kind % 4u + 1));
        return 0;
    }
    place_slot(rules, entries, say(*members, entries->row, 0, SLOT_MEMBERS));
    rules->members[(*members)++] = (struct rules_member){.row = count};
    for (uint32_t i = 0; i < count; i++) {
        row = &rules->rows[entries[i].row];
        rules->members[(*members)++] = (struct rules_member){row->value, entries[i].row, entries[i].check,
                                                             entries[i].check_count, row->kind};
        walked += entries[i].check_count > 0;
        build->row = entries[i].row;
        if (walked > rules_walk_max)
            return error_set(error, "more than %u rows that differ only in a minus, communities or a filter",
                             rules_walk_max);
    }
    return 0;
}

/*
 * How many slots a shape's table has, and of what size. Where the keys that there can be are not many more than those
 * that there are, as with the numbers of prefixes, the key is the slot's number. Else two slots of five stay free.
 */
static void size_table(struct rules_shape *shape, uint32_t entry_count)
{
    if (shape->words == 1 && shape->bits <= 24 && UINT64_C(1) << shape->bits <= UINT64_C(4) * entry_count + 64) {
        shape->stride = 1;
        shape->slot_count = UINT32_C(1) << shape->bits;
    } else {
        shape->stride = shape->words == 2 ? 3 : 2;
        shape->slot_count = entry_count + entry_count / 3 * 2 + 4;
    }
}

/* All tables in one piece of memory, each at a cache line. The entries are sorted. */
static int allocate_tables(struct build *build, struct error *error)
{
    struct rules *rules = build->rules;
    size_t words = 0;

    for (uint32_t i = 0, end; i < build->entry_count; i = end) {
        struct rules_shape *shape = &rules->shapes[build->entries[i].shape];

        for (end = i + 1; end < build->entry_count && build->entries[end].shape == build->entries[i].shape; end++)
            ;
        size_table(shape, end - i);
        words += align_up((size_t)shape->slot_count * shape->stride, cache_line / sizeof(uint64_t));
    }
    rules->slots = large_alloc(words * sizeof(uint64_t));
    rules->members = malloc((build->entry_count * 2 + 1) * sizeof(*rules->members));
    if (rules->slots == NULL || rules->members == NULL)
        return error_set(error, "out of memory for the index of a map");
    memset(rules->slots, 0, words * sizeof(uint64_t));
    words = 0;
    for (uint32_t i = 0; i < rules->shape_count; i++) {
        struct rules_shape *shape = &rules->shapes[i];

        shape->slots = rules->slots + words;
        words += align_up((size_t)shape->slot_count * shape->stride, cache_line / sizeof(uint64_t));
    }
    return 0;
}

static int build_table(struct build *build, struct error *error)
{
    struct rules *rules = build->rules;
    uint32_t count = build->entry_count, members = 0;

    qsort(build->entries, count, sizeof(*build->entries), compare_entries);
    if (allocate_tables(build, error) < 0)
        return -1;
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && same_key(&build->entries[i], &build->entries[end]); end++)
            ;
        if (place_entries(build, &build->entries[i], end - i, &members, error) < 0)
            return -1;
    }
    if (members < count) {
        struct rules_member *fitting = realloc(rules->members, (members + 1) * sizeof(*fitting));

        if (fitting != NULL)
            rules->members = fitting;
    }
    return 0;
}

/* Only the conditions that own something stay, and no rows. */
static void drop_source(struct rules *rules)
{
    struct rules_condition *fitting;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < rules->condition_count; i++)
        if (rules->conditions[i].text != NULL || rules->conditions[i].filter != NULL)
            rules->conditions[kept++] = rules->conditions[i];
    fitting = realloc(rules->conditions, (kept + 1) * sizeof(*fitting));
    if (fitting != NULL)
        rules->conditions = fitting;
    rules->condition_count = rules->condition_room = kept;
    free(rules->rows);
    rules->rows = NULL;
}

static int build_index(struct build *build, struct error *error)
{
    struct rules *rules = build->rules;

    rules->seed = hash_seed_new();
    rules->shapes = calloc(rules_shapes_max, sizeof(*rules->shapes));
    build->entries = malloc((rules->row_count * 2 + 1) * sizeof(*build->entries));
    if (rules->shapes == NULL || build->entries == NULL)
        return error_set(error, "out of memory for the index of a map");
    if (rules_build_dims(rules, error) < 0)
        return -1;
    for (build->row = 0; build->row < rules->row_count; build->row++)
        if (add_row(build, error) < 0)
            return -1;
    build->row = rules_none;
    find_whole_shapes(rules);
    if (check_chains(build, error) < 0)
        return -1;
    if (build_table(build, error) < 0)
        return -1;
    build->row = rules_none;
    return rules_build_places(rules, error);
}

int rules_compile(struct rules *rules, uint32_t *row, struct error *error)
{
    struct build *build = calloc(1, sizeof(*build));
    int result;

    *row = rules_none;
    if (build == NULL)
        return error_set(error, "out of memory for the index of a map");
    build->rules = rules;
    build->row = rules_none;
    result = build_index(build, error);
    *row = build->row;
    free(build->entries);
    free(build);
    drop_source(rules);
    return result;
}
