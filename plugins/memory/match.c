/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes and their hash tables; see match.h. The wanted values are packed as they lie in a row, slot after slot. */
#include "plugins/memory/match.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/hash.h"

#define wanted_max (query_fields_max * 16)

struct part {
    uint16_t offset;
    uint8_t bytes;
    bool time;
};

struct wanted {
    uint64_t hash;
    uint32_t query;     /* its number in the request */
    uint32_t next;      /* next one in the same place, + 1; 0 at the end */
    uint8_t *values;    /* packed, shape.words words */
};

struct shape {
    uint32_t fields; /* bit i: field i of the request must fit */
    struct part parts[query_fields_max];
    unsigned part_count, words;
    uint32_t *places; /* number of the first wanted + 1 */
    uint32_t mask;
    struct wanted *wanted;
    uint32_t wanted_count, wanted_room;
};

struct match {
    const struct layout *layout;
    const struct layout_slot *flows;
    struct hash_seed seed;
    struct shape *shapes;
    unsigned shape_count;
};

/*
 * A client can only ask for a time as it saw it printed, in microseconds; values of rows (keys are cut by fold.c) hold
 * nanoseconds. Both sides are cut.
 */
static uint64_t cut_time(uint64_t nanoseconds)
{
    return nanoseconds - nanoseconds % 1000;
}

/* A value of the wire as its slot holds it. False when no row can hold it. */
static bool pack_value(const struct query_value *value, const struct layout_slot *slot, const struct intern *intern,
                       uint8_t *out)
{
    struct cursor c = cursor_over(value->bytes, value->length);
    uint64_t number;

    if (slot->type == FIELD_TYPE_ADDRESS) {
        memcpy(out, value->bytes, 16);
        return true;
    }
    if (slot->type == FIELD_TYPE_STRING) {
        uint32_t id = intern_find(intern, (const char *)value->bytes, value->length);

        store_u32(out, id);
        return id != 0 || value->length == 0;
    }
    number = cursor_be64(&c);
    switch (slot->bytes) {
    case 1:
        *out = (uint8_t)number;
        return number <= UINT8_MAX;
    case 2: {
        uint16_t small = (uint16_t)number;
        memcpy(out, &small, 2);
        return number <= UINT16_MAX;
    }
    case 4:
        store_u32(out, (uint32_t)number);
        return number <= UINT32_MAX;
    default:
        store_u64(out, slot->type == FIELD_TYPE_TIME ? cut_time(number) : number);
        return true;
    }
}

static struct shape *find_shape(struct match *match, const struct query_match *query,
                                const struct layout_slot *const *slots, uint32_t fields, struct error *error)
{
    struct shape *shape;
    unsigned bytes = 0;

    for (unsigned i = 0; i < match->shape_count; i++)
        if (match->shapes[i].fields == fields)
            return &match->shapes[i];
    if (match->shape_count == match_shapes_max) {
        error_set(error, "more than %d different patterns of wildcards in one request", match_shapes_max);
        return NULL;
    }
    shape = &match->shapes[match->shape_count++];
    shape->fields = fields;
    for (unsigned i = 0; i < query->field_count; i++) {
        if (!((fields >> i) & 1))
            continue;
        shape->parts[shape->part_count++] =
            (struct part){slots[i]->offset, slots[i]->bytes, slots[i]->type == FIELD_TYPE_TIME};
        bytes += slots[i]->bytes;
    }
    shape->words = (bytes + 7) / 8;
    return shape;
}

static int add_query(struct match *match, const struct query_match *query, const struct layout_slot *const *slots,
                     const struct intern *intern, uint32_t number, struct error *error)
{
    const struct query_value *values = query->values + (size_t)number * query->field_count;
    uint8_t packed[wanted_max] = {0};
    struct wanted *wanted;
    struct shape *shape;
    uint32_t fields = 0;
    uint8_t *at = packed;

    for (unsigned i = 0; i < query->field_count; i++)
        if (values[i].length != query_any)
            fields |= UINT32_C(1) << i;
    shape = find_shape(match, query, slots, fields, error);
    if (shape == NULL)
        return -1;
    for (unsigned i = 0; i < query->field_count; i++) {
        if (values[i].length == query_any)
            continue;
        if (!pack_value(&values[i], slots[i], intern, at))
            return 0;
        at += slots[i]->bytes;
    }
    if (shape->wanted_count == shape->wanted_room) {
        uint32_t room = shape->wanted_room ? shape->wanted_room * 2 : 4;
        struct wanted *more = realloc(shape->wanted, room * sizeof(*more));

        if (more == NULL)
            return error_set(error, "out of memory");
        shape->wanted = more;
        shape->wanted_room = room;
    }
    wanted = &shape->wanted[shape->wanted_count];
    *wanted = (struct wanted){.hash = hash_words(packed, shape->words, match->seed), .query = number};
    wanted->values = malloc(max_u64(shape->words * 8, 1));
    if (wanted->values == NULL)
        return error_set(error, "out of memory");
    memcpy(wanted->values, packed, shape->words * 8);
    shape->wanted_count++;
    return 0;
}

static int build_places(struct shape *shape)
{
    uint32_t size = 8;

    while (size < 2 * shape->wanted_count)
        size *= 2;
    shape->mask = size - 1;
    shape->places = calloc(size, sizeof(*shape->places));
    if (shape->places == NULL)
        return -1;
    for (uint32_t i = 0; i < shape->wanted_count; i++) {
        uint32_t *place = &shape->places[shape->wanted[i].hash & shape->mask];

        shape->wanted[i].next = *place;
        *place = i + 1;
    }
    return 0;
}

struct match *match_new(const struct query_match *query, const struct layout *layout, const struct intern *intern,
                        struct error *error)
{
    const struct layout_slot *slots[query_fields_max];
    struct match *match = calloc(1, sizeof(*match));

    if (match == NULL || (match->shapes = calloc(match_shapes_max, sizeof(*match->shapes))) == NULL) {
        error_set(error, "out of memory");
        goto fail;
    }
    match->layout = layout;
    match->flows = layout_find(layout, FIELD_FLOWS);
    match->seed = hash_seed_new();
    for (unsigned i = 0; i < query->field_count; i++) {
        slots[i] = layout_find(layout, query->fields[i]);
        if (slots[i] == NULL) {
            const struct field *field = &field_table[query->fields[i]];

            error_set(error, "'%s' is not in this table's aggregate",
                      field->keyword[0] ? field->keyword : field->json);
            goto fail;
        }
    }
    for (uint32_t i = 0; i < query->query_count; i++)
        if (add_query(match, query, slots, intern, i, error) < 0)
            goto fail;
    for (unsigned i = 0; i < match->shape_count; i++)
        if (build_places(&match->shapes[i]) < 0) {
            error_set(error, "out of memory");
            goto fail;
        }
    return match;

fail:
    match_free(match);
    return NULL;
}

void match_free(struct match *match)
{
    if (match == NULL)
        return;
    for (unsigned i = 0; i < match->shape_count; i++) {
        struct shape *shape = &match->shapes[i];

        for (uint32_t w = 0; w < shape->wanted_count; w++)
            free(shape->wanted[w].values);
        free(shape->wanted);
        free(shape->places);
    }
    free(match->shapes);
    free(match);
}

static void add_row(const struct match *match, const uint8_t *row, struct match_sum *sum)
{
    sum->packets += layout_value(match->layout, row, 0);
    sum->bytes += layout_value(match->layout, row, 1);
    sum->flows += match->flows != NULL ? load_u64(row + match->flows->offset) : 0;
    sum->rows++;
}

bool match_row(const struct match *match, const uint8_t *row, struct match_sum *sums)
{
    uint8_t packed[wanted_max];
    bool any = false;

    for (unsigned i = 0; i < match->shape_count; i++) {
        const struct shape *shape = &match->shapes[i];
        uint8_t *at = packed;
        uint64_t hash;

        if (shape->words > 0)
            store_u64(packed + 8 * (shape->words - 1), 0);
        for (unsigned p = 0; p < shape->part_count; p++) {
            memcpy(at, row + shape->parts[p].offset, shape->parts[p].bytes);
            if (shape->parts[p].time)
                store_u64(at, cut_time(load_u64(at)));
            at += shape->parts[p].bytes;
        }
        hash = hash_words(packed, shape->words, match->seed);
        for (uint32_t w = shape->places[hash & shape->mask]; w != 0; w = shape->wanted[w - 1].next) {
            const struct wanted *wanted = &shape->wanted[w - 1];

            if (wanted->hash != hash || memcmp(wanted->values, packed, 8 * (size_t)shape->words) != 0)
                continue;
            any = true;
            if (sums == NULL)
                return true;
            add_row(match, row, &sums[wanted->query]);
        }
    }
    return any;
}
