/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of versions 2 and 4 (RFC 3176 and its predecessor). Nothing carries a length: an unknown tag makes the rest
 * of the datagram unreadable. What was read of the sample before such a tag still counts, the samples before it too.
 */
#include "decode/sflow/private.h"

enum { OLD_FLOW = 1, OLD_COUNTERS = 2 };
enum { OLD_PACKET_HEADER = 1, OLD_PACKET_IPV4 = 2, OLD_PACKET_IPV6 = 3 };
enum { OLD_SWITCH = 1, OLD_ROUTER, OLD_GATEWAY, OLD_USER, OLD_URL };

/* What an unknown tag is called on the ledger: enterprise 0 and the tag, as later versions would number it. */
static void count_unknown(struct sflow *sflow, enum ledger_structure_kind kind, uint32_t tag)
{
    ledger_count_structure(sflow->output.ledger, kind, 0, tag);
    if (kind != LEDGER_STRUCTURE_SAMPLE)
        sflow_count(sflow, INPUT_structures_unknown);
}

/* False: the tag is not known, and nothing after it can be found. */
static bool read_packet(struct sflow *sflow, struct cursor *cursor)
{
    uint32_t type = cursor_be32(cursor);

    switch (type) {
    case OLD_PACKET_HEADER:
        (void)sflow_read_header(sflow, cursor, false);
        return true;
    case OLD_PACKET_IPV4:
        (void)sflow_read_ipv4(sflow, cursor);
        return true;
    case OLD_PACKET_IPV6:
        (void)sflow_read_ipv6(sflow, cursor);
        return true;
    default:
        if (!cursor->failed)
            count_unknown(sflow, LEDGER_STRUCTURE_FLOW, type);
        return false;
    }
}

static bool read_extension(struct sflow *sflow, struct cursor *cursor)
{
    uint32_t tag = cursor_be32(cursor);

    switch (tag) {
    case OLD_SWITCH:
        (void)sflow_read_switch(sflow, cursor);
        return true;
    case OLD_ROUTER:
        (void)sflow_read_router(sflow, cursor);
        return true;
    case OLD_GATEWAY:
        (void)sflow_read_gateway(sflow, cursor, sflow->version);
        return true;
    case OLD_USER:
        sflow_skip_opaque(cursor);
        sflow_skip_opaque(cursor);
        return true;
    case OLD_URL:
        cursor_skip(cursor, 4);
        sflow_skip_opaque(cursor);
        return true;
    default:
        if (!cursor->failed)
            count_unknown(sflow, LEDGER_STRUCTURE_FLOW, 1000 + tag);
        return false;
    }
}

/* *readable: what follows this sample can be found. Returns false when the sample is cut: it gives no record. */
static bool read_flow_sample(struct sflow *sflow, struct cursor *cursor, bool *readable)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = cursor_take(cursor, 28);

    if (p == NULL)
        return false;
    sflow_begin_sample(sflow);
    sflow->flow.traits.sample_type = OLD_FLOW;
    sample->sequence = load_be32(p);
    sample->source_class = p[4];
    sample->source_index = load_be32(p + 4) & 0xffffff;
    sample->sampling_rate = load_be32(p + 8);
    sample->drops = load_be32(p + 16);
    sflow_set_interfaces(sample, load_be32(p + 20), load_be32(p + 24));
    sflow_follow_source(sflow, sample);

    *readable = read_packet(sflow, cursor);
    if (*readable) {
        uint32_t extensions = cursor_be32(cursor);
        for (uint32_t i = 0; i < extensions && *readable && !cursor->failed; i++)
            *readable = read_extension(sflow, cursor);
    }
    if (cursor->failed)
        return false;
    sflow_settle(sflow);
    return true;
}

/* Which structures of version 5 a counters_version is made of: format and octets. */
static const struct {
    struct {
        uint32_t format, bytes;
    } part[2];
} counters_table[] = {
    [1] = {{{1, 88}}},          [2] = {{{1, 88}, {2, 52}}}, [3] = {{{1, 88}, {3, 72}}}, [4] = {{{1, 88}}},
    [5] = {{{1, 88}, {4, 80}}}, [6] = {{{1, 88}}},          [7] = {{{5, 28}}},
};

static bool read_counter_sample(struct sflow *sflow, struct cursor *cursor, bool *readable)
{
    const uint8_t *p = cursor_take(cursor, 16);

    if (p == NULL)
        return false;
    struct sflow_counter_header header = {load_be32(p), p[4], load_be32(p + 4) & 0xffffff};
    uint32_t version = load_be32(p + 12);
    if (version == 0 || version >= array_length(counters_table)) {
        *readable = false;
        count_unknown(sflow, LEDGER_STRUCTURE_COUNTER, version);
        return true;
    }
    uint32_t first = counters_table[version].part[0].bytes, second = counters_table[version].part[1].bytes;
    if (cursor_left(cursor) < first + second) {
        cursor_skip(cursor, SIZE_MAX);
        return false;
    }
    sflow_counter_record(sflow, &header, counters_table[version].part[0].format, cursor_sub(cursor, first));
    if (second != 0)
        sflow_counter_record(sflow, &header, counters_table[version].part[1].format, cursor_sub(cursor, second));
    return true;
}

bool sflow_old_samples(struct sflow *sflow, struct cursor *cursor, uint32_t count)
{
    bool readable = true;

    for (uint32_t i = 0; i < count && readable; i++) {
        if (cursor_left(cursor) < 4)
            return false;
        uint32_t type = cursor_be32(cursor);
        enum input_counter outcome = INPUT_samples_unknown;

        if (type == OLD_FLOW) {
            outcome = read_flow_sample(sflow, cursor, &readable) ? INPUT_samples_flow : INPUT_samples_malformed;
        } else if (type == OLD_COUNTERS) {
            outcome = read_counter_sample(sflow, cursor, &readable) ? INPUT_samples_counter : INPUT_samples_malformed;
        } else {
            readable = false;
            count_unknown(sflow, LEDGER_STRUCTURE_SAMPLE, type);
        }
        sflow_count(sflow, INPUT_samples_seen);
        sflow_count(sflow, outcome);
        if (outcome == INPUT_samples_malformed) {
            counter_add(&sflow->exporter->row->malformed, 1);
            return false;
        }
    }
    return readable;
}
