/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a set of rules as they are added; its dims, which the keys of these rows are made of; and tables of
 * places, the short way to what prefixes alone say. All between is in rules_compile.c.
 */
#include "map/large.h"
#include "map/rules_index.h"

struct rules *rules_new(void)
{
    struct rules *rules = calloc(1, sizeof(*rules));

    if (rules == NULL)
        return NULL;
    rules->condition_room = 64;
    rules->conditions = malloc(rules->condition_room * sizeof(*rules->conditions));
    if (rules->conditions != NULL)
        return rules;
    free(rules);
    return NULL;
}

static void free_conditions(struct rules_condition *conditions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)conditions[i].text);
        flow_filter_free(conditions[i].filter);
    }
}

static void free_places(struct rules_places *places)
{
    if (places == NULL)
        return;
    free(places[0].slots);
    free(places[1].slots);
    free(places);
}

void rules_free(struct rules *rules)
{
    if (rules == NULL)
        return;
    for (unsigned i = 0; i < rules->dim_count; i++) {
        prefixes_free(rules->dims[i].prefixes);
        free(rules->dims[i].nodes);
        free(rules->dims[i].memory);
    }
    free_conditions(rules->conditions, rules->condition_count);
    free(rules->conditions);
    free(rules->rows);
    free(rules->slots);
    free(rules->members);
    free(rules->checks);
    for (uint32_t i = 0; i < rules->shape_count; i++)
        free_places(rules->shapes[i].places);
    free(rules->shapes);
    free(rules);
}

uint32_t rules_count(const struct rules *rules)
{
    return rules->row_count;
}

/* `condition` with a text of its own; its filter is taken over. */
static int add_condition(struct rules *rules, const struct rules_condition *condition)
{
    struct rules_condition *grown = rules_grow(rules->conditions, rules->condition_count, &rules->condition_room,
                                               sizeof(*grown));
    struct rules_condition *copy;

    if (grown == NULL)
        return -1;
    rules->conditions = grown;
    copy = &rules->conditions[rules->condition_count];
    *copy = *condition;
    copy->text = condition->text == NULL ? NULL : strdup(condition->text);
    if (condition->text != NULL && copy->text == NULL)
        return -1;
    rules->condition_count++;
    return 0;
}

int rules_add(struct rules *rules, uint64_t value, uint8_t kind, const struct rules_condition *conditions,
              unsigned count, struct error *error)
{
    struct rules_row *rows = rules_grow(rules->rows, rules->row_count, &rules->row_room, sizeof(*rows));
    unsigned added = 0, filters = 0;

    for (unsigned i = 0; i < count; i++)
        filters += conditions[i].filter != NULL;
    if (rows != NULL)
        rules->rows = rows;
    if (rules->row_count == rules_rows_max)
        error_set(error, "more than %u rows", rules_rows_max);
    else if (count > rules_conditions_max)
        error_set(error, "more than %u conditions in a row", rules_conditions_max);
    else if (rules->filter_count + filters > rules_filters_max)
        error_set(error, "more than %u filters in a map", rules_filters_max);
    else {
        if (rows != NULL)
            rules->rows[rules->row_count] = (struct rules_row){value, rules->condition_count, (uint8_t)count, kind};
        while (rows != NULL && added < count && add_condition(rules, &conditions[added]) == 0)
            added++;
        if (rows != NULL && added == count) {
            rules->filter_count += filters;
            rules->row_count++;
            return 0;
        }
        error_set(error, "out of memory for the rows of a map");
    }
    for (unsigned i = added; i < count; i++)
        flow_filter_free(conditions[i].filter);
    return -1;
}

void rules_set(struct rules *rules, uint32_t row, uint64_t value, uint8_t kind)
{
    rules->rows[row].value = value;
    rules->rows[row].kind = kind;
}

/* -- dims -- */

/* rules_dims_max when there is no room for one more; then its conditions are looked at instead. */
unsigned rules_find_dim(const struct rules *rules, unsigned subject)
{
    for (unsigned i = 0; i < rules->dim_count; i++)
        if (rules->dims[i].subject == subject)
            return i;
    return rules_dims_max;
}

static void add_dim(struct rules *rules, const struct rules_condition *condition, unsigned subject)
{
    struct rules_dim *dim = &rules->dims[rules->dim_count];

    if (rules_find_dim(rules, subject) < rules_dims_max || rules->dim_count == rules_dims_max)
        return;
    *dim = (struct rules_dim){.subject = (uint16_t)subject, .absent = condition->absent,
                              .bits = condition->operator == RULES_PREFIX ? rules_node_bits
                                                                          : (uint8_t)subject_bits(subject)};
    dim->most = dim->bits == 64 ? UINT64_MAX : (UINT64_C(1) << dim->bits) - 1;
    if (subject < FIELD_COUNT) {
        dim->flow_offset = field_table[subject].flow_offset;
        dim->flow_bytes = (uint8_t)field_table[subject].flow_bytes;
        dim->have_word = (uint8_t)(subject / 64);
        dim->have_bit = UINT64_C(1) << subject % 64;
    }
    rules->dim_count++;
}

static void add_dims(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->condition_count; i++) {
        const struct rules_condition *condition = &rules->conditions[i];

        if (!rules_can_be_indexed(condition))
            continue;
        add_dim(rules, condition, condition->subject);
        if (rules_has_two(condition))
            add_dim(rules, condition, condition->other_subject);
    }
}

/* The prefixes of all rows of one dim, as nodes with their parents. */
static int build_nodes(struct rules *rules, struct rules_dim *dim, struct prefix *gathered, struct error *error)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rules->condition_count; i++)
        if (rules_can_be_indexed(&rules->conditions[i]) && rules->conditions[i].operator == RULES_PREFIX &&
            rules->conditions[i].subject == dim->subject)
            gathered[count++] = rules->conditions[i].prefix;
    if (count >= 1u << rules_node_bits)
        return error_set(error, "more than %u prefixes of one key", (1u << rules_node_bits) - 1);
    dim->prefixes = prefixes_build(gathered, count, error);
    if (dim->prefixes == NULL)
        return -1;
    count = prefixes_count(dim->prefixes);
    dim->nodes = large_alloc((count + 1) * sizeof(*dim->nodes));
    if (dim->subject != FIELD_SRC_HOST && dim->subject != FIELD_DST_HOST)
        dim->memory = calloc(rules_remembered, sizeof(*dim->memory));
    for (dim->bits = 1; UINT32_C(1) << dim->bits < count;)
        dim->bits++;
    if (dim->nodes == NULL)
        return error_set(error, "out of memory for the prefixes of a map");
    for (uint32_t i = 0; i < count; i++)
        dim->nodes[i] = (struct rules_node){.parent = prefixes_parent(dim->prefixes, i)};
    for (uint32_t i = 0; i < count; i++)
        if (dim->nodes[i].parent != rules_none)
            dim->nodes[dim->nodes[i].parent].outer = true;
    return 0;
}

int rules_build_dims(struct rules *rules, struct error *error)
{
    struct prefix *gathered = malloc((rules->condition_count + 1) * sizeof(*gathered));
    int result = 0;

    add_dims(rules);
    if (gathered == NULL)
        return error_set(error, "out of memory for the prefixes of a map");
    for (unsigned i = 0; i < rules->dim_count && result == 0; i++)
        if (rules_is_address(&rules->dims[i]))
            result = build_nodes(rules, &rules->dims[i], gathered, error);
    free(gathered);
    return result;
}

/* -- places -- */

/* Prefixes of one family, from `begin` to `end`. False: they stand too far apart. */
static bool measure_places(struct rules_places *places, const struct prefixes *prefixes, uint32_t begin, uint32_t end)
{
    unsigned shortest = 127, longest = 0;
    prefix_key first, last;

    (void)prefix_key_of_net(&prefixes_row(prefixes, begin)->net, &first);
    (void)prefix_key_of_net(&prefixes_row(prefixes, end - 1)->net, &last);
    for (uint32_t i = begin; i < end; i++) {
        shortest = (unsigned)min_u64(shortest, prefixes_row(prefixes, i)->length);
        longest = (unsigned)max_u64(longest, prefixes_row(prefixes, i)->length);
    }
    places->skipped = first;
    while (places->skip_bits < shortest && (first ^ last) << places->skip_bits >> 127 == 0)
        places->skip_bits++;
    longest -= places->skip_bits;
    places->bits = (uint8_t)max_u64(longest, 1);
    return longest <= rules_place_bits && UINT64_C(1) << longest <= UINT64_C(8) * (end - begin) + 1024;
}

/* Of the slots of a prefix and of what is around it that with the first row; members have to be looked at. */
static uint64_t first_slot(uint64_t own, uint64_t around)
{
    if (own == 0 || around == 0)
        return own | around;
    if (rules_slot_kind(own) == SLOT_MEMBERS || rules_slot_kind(around) == SLOT_MEMBERS)
        return rules_slot_kind(own) == SLOT_MEMBERS ? own : around;
    return rules_slot_row(own) < rules_slot_row(around) ? own : around;
}

/* Prefixes come after those around them, so that the longer are painted over the shorter. */
static void paint_places(const struct rules_places *places, const struct prefixes *prefixes, uint32_t number,
                         uint64_t slot)
{
    const struct prefix *prefix = prefixes_row(prefixes, number);
    unsigned inside = (unsigned)places->skip_bits + places->bits - prefix->length;
    uint64_t at;
    prefix_key key;

    (void)prefix_key_of_net(&prefix->net, &key);
    at = (uint64_t)(key << places->skip_bits >> 64) >> (64 - places->bits);
    for (uint64_t i = 0; i < UINT64_C(1) << inside; i++)
        places->slots[at + i] = slot;
}

/* `slots` is room for one of each prefix. */
static int build_shape_places(const struct rules *rules, struct rules_shape *shape, uint64_t *slots,
                              struct error *error)
{
    const struct prefixes *prefixes = rules->dims[shape->prefix->dim].prefixes;
    uint32_t count = prefixes_count(prefixes), border = 0, bounds[3];

    while (border < count && address_is_ipv4(&prefixes_row(prefixes, border)->net))
        border++;
    memcpy(bounds, (uint32_t[]){0, border, count}, sizeof(bounds));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = prefixes_parent(prefixes, i);

        slots[i] = first_slot(rules_find_slot(shape, i, 0, rules->seed), parent == prefixes_none ? 0 : slots[parent]);
    }
    for (unsigned family = 0; family < 2; family++) {
        struct rules_places *places = &shape->places[family];

        places->empty = bounds[family] == bounds[family + 1];
        if (places->empty || !measure_places(places, prefixes, bounds[family], bounds[family + 1]))
            continue;
        places->slots = large_alloc(sizeof(*slots) << places->bits);
        if (places->slots == NULL)
            return error_set(error, "out of memory for the places of a map");
        memset(places->slots, 0, sizeof(*slots) << places->bits);
        for (uint32_t i = bounds[family]; i < bounds[family + 1]; i++)
            paint_places(places, prefixes, i, slots[i]);
    }
    return 0;
}

int rules_build_places(struct rules *rules, struct error *error)
{
    for (uint32_t i = 0; i < rules->shape_count; i++) {
        struct rules_shape *shape = &rules->shapes[i];
        uint64_t *slots;
        int result;

        if (shape->prefix_count != 1 || shape->exact_count != 0)
            continue;
        slots = malloc((prefixes_count(rules->dims[shape->prefix->dim].prefixes) + 1) * sizeof(*slots));
        shape->places = calloc(2, sizeof(*shape->places));
        result = slots == NULL || shape->places == NULL ? error_set(error, "out of memory for the places of a map")
                                                        : build_shape_places(rules, shape, slots, error);
        free(slots);
        if (result < 0)
            return -1;
    }
    return 0;
}
