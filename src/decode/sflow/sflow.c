/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sFlow decoder's frame: makes it, reads datagram headers, finds the exporter, and walks the samples of version 5
 * by their length.
 */
#include "decode/sflow/sflow.h"

#include <stdlib.h>

#include "decode/sflow/private.h"

/* Data formats of samples: enterprise << 12 | format. */
#define sample_format(enterprise, format) ((uint32_t)(enterprise) << 12 | (format))

/* Octets of flags and group that a Brocade ACL wrapper puts before the sample it wraps. */
#define wrapper_bytes 8

enum sample_kind { SAMPLE_FLOW, SAMPLE_DISCARD, SAMPLE_COUNTER, SAMPLE_UNKNOWN, SAMPLE_MALFORMED };

static const enum input_counter sample_counter[] = {
    [SAMPLE_FLOW] = INPUT_samples_flow,       [SAMPLE_DISCARD] = INPUT_samples_discard,
    [SAMPLE_COUNTER] = INPUT_samples_counter, [SAMPLE_UNKNOWN] = INPUT_samples_unknown,
    [SAMPLE_MALFORMED] = INPUT_samples_malformed,
};

static bool wants(const struct sflow *sflow, enum field_id id)
{
    return field_set_has(&sflow->output.wants, id);
}

static void set_wants(struct sflow *sflow)
{
    sflow->wants_as_path = wants(sflow, FIELD_AS_PATH);
    sflow->wants_communities = wants(sflow, FIELD_STD_COMM);
    sflow->wants_mpls_stack = wants(sflow, FIELD_MPLS_LABEL_STACK);
    sflow->wants_class = wants(sflow, FIELD_CLASS);
    sflow->packet_wants = sflow->output.wants;
    if (wants(sflow, FIELD_IN_VLAN))
        field_set_add(&sflow->packet_wants, FIELD_VLAN);
    if (sflow->options.vxlan_replace_port != 0) {
        field_set_add(&sflow->packet_wants, FIELD_PROTO);
        field_set_add(&sflow->packet_wants, FIELD_DST_PORT);
        field_set_add(&sflow->packet_wants, FIELD_VXLAN);
    }
}

struct sflow *sflow_new(const struct sflow_options *options, const struct decode_output *output, struct error *error)
{
    struct sflow *sflow = calloc(1, sizeof(*sflow));

    if (sflow == NULL)
        goto no_memory;
    sflow->options = *options;
    sflow->output = *output;
    sflow->counters = output->counters;
    sflow->exporters = exporter_table_new(output->ledger, output->lane);
    if (sflow->exporters == NULL)
        goto no_memory;
    if (options->counter_line != NULL) {
        sflow->line = malloc(sflow_line_max);
        if (sflow->line == NULL)
            goto no_memory;
    }
    set_wants(sflow);
    sflow_index_flow_records(sflow);
    return sflow;

no_memory:
    sflow_free(sflow);
    error_set(error, "out of memory for the sFlow decoder");
    return NULL;
}

void sflow_free(struct sflow *sflow)
{
    if (sflow == NULL)
        return;
    exporter_table_free(sflow->exporters);
    while (sflow->agents != NULL) {
        struct sflow_agent *next = sflow->agents->next;
        free(sflow->agents);
        sflow->agents = next;
    }
    free(sflow->line);
    free(sflow);
}

static enum sample_kind read_sample(struct sflow *sflow, struct cursor body, uint32_t format)
{
    bool good;

    sflow->flow.traits.sample_type = format;
    switch (format) {
    case sample_format(0, 1):
    case sample_format(0, 3):
        good = sflow_flow_sample(sflow, body, format == 3);
        return good ? SAMPLE_FLOW : SAMPLE_MALFORMED;
    case sample_format(0, 2):
    case sample_format(0, 4):
        good = sflow_counter_sample(sflow, body, format == 4);
        return good ? SAMPLE_COUNTER : SAMPLE_MALFORMED;
    case sample_format(0, 5):
        good = sflow_discard_sample(sflow, body);
        return good ? SAMPLE_DISCARD : SAMPLE_MALFORMED;
    default:
        ledger_count_structure(sflow->output.ledger, LEDGER_STRUCTURE_SAMPLE, format >> 12, format & 0xfff);
        return SAMPLE_UNKNOWN;
    }
}

/*
 * A sample, wrapped or not. A wrapper whose length covers no more than its own two words is followed by the format
 * word of the sample it wraps, in the datagram; with a longer one the sample is inside. Both count as one sample.
 */
static enum sample_kind take_sample(struct sflow *sflow, struct cursor *cursor)
{
    uint32_t format = cursor_be32(cursor);
    struct cursor body = cursor_sub(cursor, cursor_be32(cursor));

    if (unlikely(format == sample_format(1991, 1)) && !body.failed) {
        struct cursor *around = cursor_left(&body) > wrapper_bytes ? &body : cursor;
        if (around == &body)
            cursor_skip(&body, wrapper_bytes);
        format = cursor_be32(around);
        body = cursor_sub(around, cursor_be32(around));
    }
    return body.failed ? SAMPLE_MALFORMED : read_sample(sflow, body, format);
}

static bool read_samples(struct sflow *sflow, struct cursor *cursor, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (cursor_left(cursor) < 8)
            return false;
        enum sample_kind kind = take_sample(sflow, cursor);
        sflow_count(sflow, INPUT_samples_seen);
        sflow_count(sflow, sample_counter[kind]);
        if (unlikely(kind == SAMPLE_MALFORMED))
            counter_add(&sflow->exporter->row->malformed, 1);
    }
    return !cursor->failed;
}

/* An agent address of all zeros is an agent that does not know its own. */
static void set_agent(struct sflow *sflow, bool given, const struct address *address)
{
    static const struct address unspecified[] = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},
        {{0xff}}, /* :: as net/address.h keeps it */
    };

    if (!given || sflow->options.ignore_agent || address_equal(address, &unspecified[0]) ||
        address_equal(address, &unspecified[1]))
        sflow->agent = sflow->origin->source;
    else
        sflow->agent = *address;
}

static struct sflow_state *exporter_state(struct exporter *exporter)
{
    struct sflow_state *state = exporter->state;

    if (likely(state != NULL)) {
        if (unlikely(state->restarts_seen != exporter->row->restarts)) {
            state->restarts_seen = exporter->row->restarts;
            state->life = state->life == UINT16_MAX ? 1 : (uint16_t)(state->life + 1);
        }
        return state;
    }
    state = calloc(1, sizeof(*state));
    if (state != NULL) {
        state->life = 1;
        state->restarts_seen = exporter->row->restarts;
        exporter->state = state;
    }
    return state;
}

/* Returns the counter of what became of the datagram. */
static enum input_counter read_datagram(struct sflow *sflow, struct cursor cursor, size_t size)
{
    struct address address = {{0}};

    sflow->version = cursor_be32(&cursor);
    if (cursor.failed)
        return INPUT_datagrams_malformed;
    if (sflow->version != 5 && sflow->version != 4 && sflow->version != 2)
        return INPUT_datagrams_bad_version;

    bool given = sflow_read_address(&cursor, &address);
    sflow->sub_agent = sflow->version == 5 ? cursor_be32(&cursor) : 0;
    const uint8_t *words = cursor_take(&cursor, 12); /* sequence, uptime in ms, number of samples */
    if (words == NULL)
        return INPUT_datagrams_malformed;
    sflow->datagram_sequence = load_be32(words);
    set_agent(sflow, given, &address);

    struct exporter *exporter =
        exporter_find(sflow->exporters, &sflow->agent, sflow->sub_agent, sflow->version, sflow->origin);
    if (exporter == NULL)
        return INPUT_datagrams_no_exporter;
    sflow->exporter = exporter;
    counter_add(&exporter->row->datagrams, 1);
    counter_add(&exporter->row->bytes, size);
    exporter_sequence(exporter, sflow->counters, sflow->datagram_sequence, load_be32(words + 4));
    sflow->state = exporter_state(exporter);

    uint32_t count = load_be32(words + 8);
    bool whole = sflow->version == 5 ? read_samples(sflow, &cursor, count) : sflow_old_samples(sflow, &cursor, count);
    if (whole && cursor_left(&cursor) == 0)
        return INPUT_datagrams_decoded;
    counter_add(&exporter->row->malformed, 1);
    return INPUT_datagrams_malformed;
}

void sflow_datagram(struct sflow *sflow, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    sflow->origin = origin;
    sflow_count(sflow, read_datagram(sflow, cursor_over(bytes, size), size));
}
