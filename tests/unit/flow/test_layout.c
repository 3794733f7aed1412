/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts cannot be checked by eye, so random ones are: for random aggregates and random flows every slot of the projected
 * record must hold what a straight look into the flow gives, and nothing may overlap or leave a hole.
 */
#include <stdlib.h>

#include "flow/layout.h"
#include "lib/tap.h"

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static char text[flow_string_max + 100];

static void random_flow(struct flow *flow)
{
    uint8_t *bytes = (uint8_t *)flow;

    for (size_t i = 0; i < sizeof(*flow); i++)
        bytes[i] = (uint8_t)next_random();
    flow_clear(flow);
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        if (field_table[id].type == FIELD_TYPE_STRING) {
            struct span *span = (struct span *)(bytes + field_table[id].flow_offset);
            span->data = text + next_random() % 16;
            span->length = (uint32_t)(next_random() % (next_random() % 8 == 0 ? flow_string_max + 50 : 20));
        }
        if (next_random() % 4 != 0)
            field_set_add(&flow->have, id);
    }
}

static void random_aggregate(struct aggregate *aggregate)
{
    unsigned density = 2 + (unsigned)(next_random() % 20), strings = 0, values = 0;

    memset(aggregate, 0, sizeof(*aggregate));
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        bool key = field_table[id].role == FIELD_ROLE_KEY;

        if (field_table[id].keyword[0] == '\0' || next_random() % density != 0)
            continue;
        if (field_table[id].type == FIELD_TYPE_STRING && ++strings > layout_strings_max)
            continue;
        if (!key && ++values > layout_values_max - 4)
            continue;
        field_set_add(&aggregate->fields, id);
    }
}

/* Bytes of the body that some slot covers, once each. */
static bool slots_are_dense(const struct layout *layout)
{
    uint8_t covered[layout_key_max + 8 * layout_values_max] = {0};
    unsigned used = 0;

    for (unsigned i = 0; i < layout->slot_count; i++) {
        const struct layout_slot *slot = &layout->slots[i];

        if (slot->offset % slot->bytes != 0 || slot->offset + slot->bytes > layout->body_bytes)
            return false;
        for (unsigned b = 0; b < slot->bytes; b++)
            if (covered[slot->offset + b]++)
                return false;
        used += slot->bytes;
    }
    return layout->body_bytes - used < 8; /* only the padding of the key */
}

static bool string_matches(const struct flow *flow, enum field_id id, const uint8_t **tail)
{
    const struct span *span = (const struct span *)((const uint8_t *)flow + field_table[id].flow_offset);
    size_t want = flow_has(flow, id) ? min_u64(span->length, flow_string_max) : 0;
    uint16_t length = load_u16(*tail);
    bool same = length == want && (want == 0 || memcmp(*tail + 2, span->data, want) == 0);

    *tail += 2 + length;
    return same;
}

static bool record_matches(const struct layout *layout, const struct flow *flow, enum field_id base, const uint8_t *out,
                           size_t size)
{
    const uint8_t *tail = out + layout->body_bytes;
    static const uint8_t zero[16];

    for (unsigned i = 0; i < layout->slot_count; i++) {
        const struct layout_slot *slot = &layout->slots[i];
        enum field_id id = slot->field;

        if (slot->role == FIELD_ROLE_BIN || id == FIELD_TIMESTAMP_MIN || id == FIELD_TIMESTAMP_MAX)
            id = base;
        if (slot->type == FIELD_TYPE_STRING) {
            if (memcmp(out + slot->offset, zero, 4) != 0)
                return false;
            continue;
        }
        if (memcmp(out + slot->offset,
                   flow_has(flow, id) ? (const uint8_t *)flow + field_table[id].flow_offset : zero, slot->bytes) != 0)
            return false;
    }
    for (unsigned i = 0; i < layout->string_count; i++)
        for (unsigned s = 0; s < layout->slot_count; s++)
            if (layout->slots[s].offset == layout->string_offsets[i] && layout->slots[s].offset < layout->key_bytes &&
                !string_matches(flow, layout->slots[s].field, &tail))
                return false;
    return (size_t)(tail - out) <= size && size % 8 == 0 && size <= layout_record_max(layout);
}

static void check_random(void)
{
    unsigned wrong_shape = 0, wrong_record = 0, needs_missing = 0;

    for (unsigned round = 0; round < 2000; round++) {
        struct layout_options options = {next_random() % 2, next_random() % 2, FIELD_TIMESTAMP_ARRIVAL};
        struct aggregate aggregate;
        struct layout layout;
        struct flow flow;
        struct error error;
        static _Alignas(8) uint8_t out[64 * 1024];

        random_aggregate(&aggregate);
        if (layout_compile(&layout, &aggregate, &options, &error) < 0) {
            wrong_shape++;
            continue;
        }
        wrong_shape += !slots_are_dense(&layout) || layout.key_bytes % 8 != 0 ||
                       layout.body_bytes != layout.key_bytes + 8 * layout.value_count;
        for (unsigned id = 0; id < FIELD_COUNT; id++)
            needs_missing += field_set_has(&aggregate.fields, id) && !field_set_has(&layout.needs, id);
        for (unsigned i = 0; i < 20; i++) {
            random_flow(&flow);
            memset(out, 0xee, layout_record_max(&layout));
            wrong_record += !record_matches(&layout, &flow, options.base_time, out, layout_project(&layout, &flow, 0, out));
        }
    }
    is_u64(wrong_shape, 0, "2000 random layouts have no hole and no overlap");
    is_u64(needs_missing, 0, "each asks the collector for all its fields");
    is_u64(wrong_record, 0, "40000 random records hold what their flows hold");
}

static void check_known(void)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct aggregate aggregate;
    struct layout layout, other;
    struct error error;
    char described[4096];

    aggregate_parse(&aggregate, "src_host,dst_host,src_port,dst_port,proto", &error);
    layout_compile(&layout, &aggregate, &options, &error);
    is_u64(layout.key_bytes, 40, "the key of a 5-tuple is 40 bytes");
    is_u64(layout.body_bytes, 56, "its record is 56");
    is_u64(layout.slots[layout.slot_count - 2].field, FIELD_PACKETS, "packets are the first value");
    is_u64(layout.slots[layout.slot_count - 1].field, FIELD_BYTES, "bytes are the second");
    ok(layout_describe(&layout, described, sizeof(described)) > 0 && strstr(described, "port_dst") != NULL,
       "a layout can be shown");
    aggregate_parse(&aggregate, "src_host,dst_host,src_port,dst_port,tos", &error);
    layout_compile(&other, &aggregate, &options, &error);
    ok(other.fingerprint != layout.fingerprint, "another field of the same width is another fingerprint");
    aggregate_parse(&aggregate, "none", &error);
    layout_compile(&other, &aggregate, &options, &error);
    is_u64(other.key_bytes, 0, "none has no key");
}

static void check_sum(void)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct aggregate aggregate;
    struct layout layout;
    struct flow flow;
    struct error error;
    _Alignas(8) uint8_t first[64], second[64];

    flow_clear(&flow);
    flow_set_packets(&flow, 3);
    flow_set_bytes(&flow, 300);
    flow_set_src_port(&flow, 1111);
    flow_set_dst_port(&flow, 2222);
    aggregate_parse(&aggregate, "sum_port", &error);
    layout_compile(&layout, &aggregate, &options, &error);
    layout_project(&layout, &flow, 0, first);
    layout_project(&layout, &flow, 1, second);
    is_u64(load_u16(first), 1111, "the first record of a sum is the source's");
    is_u64(load_u16(second), 2222, "the second is the destination's");
    is_u64(layout_value(&layout, second, 1), 300, "both have the counters");
}

int main(void)
{
    plan_none();
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    check_known();
    check_sum();
    check_random();
    return done_testing();
}
