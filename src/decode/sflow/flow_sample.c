/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow samples and discarded-packet samples of version 5: their fixed part, then the walk over their records by
 * length. The whole chain of lengths is checked on the way; a sample where it breaks gives no record.
 */
#include "decode/sflow/private.h"

/* Octets before the records. */
#define flow_bytes 32
#define expanded_flow_bytes 44
#define discard_bytes 32

/* The format in the two upper bits of an interface word of the not expanded form. */
#define interface_format(word) ((word) >> 30)
#define interface_value(word) ((word) & 0x3fffffff)

void sflow_set_interfaces(struct sflow_sample *sample, uint32_t input, uint32_t output)
{
    sample->input_word = input;
    sample->input_format = interface_format(input);
    sample->input = interface_value(input);
    sample->output_word = output;
    sample->output_format = interface_format(output);
    sample->output = interface_value(output);
}

void sflow_begin_sample(struct sflow *sflow)
{
    sflow->sample.have = 0;
    sflow->sample.discard = false;
    flow_clear(&sflow->flow);
}

static bool read_records(struct sflow *sflow, struct cursor *cursor, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *p = cursor_take(cursor, 8);
        if (unlikely(p == NULL))
            return false;
        size_t size = load_be32(p + 4);
        const uint8_t *record = cursor_take(cursor, size);
        if (unlikely(record == NULL))
            return false;
        uint32_t format = load_be32(p);
        unsigned place = sflow_record_place(format);
        if (place < array_length(sflow->flow_record_index) && sflow->flow_record_index[place] == sflow_record_unwanted)
            continue;
        sflow_flow_record(sflow, format, record, size);
    }
    return true;
}

bool sflow_flow_sample(struct sflow *sflow, struct cursor body, bool expanded)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = cursor_take(&body, expanded ? expanded_flow_bytes : flow_bytes);

    if (unlikely(p == NULL))
        return false;
    sflow_begin_sample(sflow);
    sample->sequence = load_be32(p);
    if (expanded) {
        sample->source_class = load_be32(p + 4);
        sample->source_index = load_be32(p + 8);
        sample->input_format = load_be32(p + 24);
        sample->input = sample->input_word = load_be32(p + 28);
        sample->output_format = load_be32(p + 32);
        sample->output = sample->output_word = load_be32(p + 36);
        p += 4; /* the rest is at the same distance from here */
    } else {
        sample->source_class = p[4];
        sample->source_index = load_be32(p + 4) & 0xffffff;
        sflow_set_interfaces(sample, load_be32(p + 20), load_be32(p + 24));
    }
    sample->sampling_rate = load_be32(p + 8);
    sample->drops = load_be32(p + 16);
    sflow_follow_source(sflow, sample);
    if (unlikely(!read_records(sflow, &body, load_be32(p + (expanded ? 36 : 28)))))
        return false;
    sflow_settle(sflow);
    return true;
}

/*
 * A packet that the agent discarded, and why. It is told of each such packet, not of one in N: the rate is 1. Its
 * sequence counts notifications, apart from the flow samples of the same source, and is not followed.
 */
bool sflow_discard_sample(struct sflow *sflow, struct cursor body)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = cursor_take(&body, discard_bytes);

    if (p == NULL)
        return false;
    sflow_begin_sample(sflow);
    sample->discard = true;
    sample->sequence = load_be32(p);
    sample->source_class = load_be32(p + 4);
    sample->source_index = load_be32(p + 8);
    sample->sampling_rate = 1;
    sample->drops = load_be32(p + 12);
    sflow_set_interfaces(sample, load_be32(p + 16), load_be32(p + 20));
    sample->reason = load_be32(p + 24);
    if (!read_records(sflow, &body, load_be32(p + 28)))
        return false;
    if (sflow->options.discards)
        sflow_settle(sflow);
    return true;
}
