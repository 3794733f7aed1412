/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data sources of an exporter (an interface, a VLAN, a bridge): each numbers its own flow samples and tells how
 * many it dropped for lack of resources. A bounded hash with a short probe; a source that finds no place is decoded
 * like any other and only its sequence is not followed.
 */
#include "decode/sflow/private.h"

#define probe_max 16

static struct sflow_source *find_source(struct sflow_state *state, uint32_t class_id, uint32_t index)
{
    uint32_t hash = (index ^ class_id << 24) * UINT32_C(0x9e3779b1);
    uint32_t slot = hash >> 22; /* the upper ten bits: sflow_sources_max */

    _Static_assert(sflow_sources_max == 1u << 10, "the hash gives ten bits");
    if (class_id > UINT16_MAX)
        return NULL;
    for (unsigned i = 0; i < probe_max; i++, slot = (slot + 1) % sflow_sources_max) {
        struct sflow_source *source = &state->sources[slot];
        if (source->life == 0) {
            source->index = index;
            source->class_id = (uint16_t)class_id;
            return source;
        }
        if (source->index == index && source->class_id == class_id)
            return source;
    }
    return NULL;
}

static void count(struct sflow *sflow, uint64_t *of_row, enum input_counter id, uint64_t n)
{
    counter_add(of_row, n);
    counter_add(&sflow->counters[id], n);
}

void sflow_follow_source(struct sflow *sflow, const struct sflow_sample *sample)
{
    struct sflow_state *state = sflow->state;
    struct ledger_exporter *row = sflow->exporter->row;
    uint32_t missing = 0;

    if (unlikely(state == NULL))
        return;
    struct sflow_source *source = find_source(state, sample->source_class, sample->source_index);
    if (source == NULL)
        return;
    if (unlikely(source->life != state->life)) { /* new, or the exporter began anew */
        source->life = state->life;
        source->drops = sample->drops;
        sequence_start(&source->sequence, sample->sequence);
        return;
    }

    switch (sequence_follow(&source->sequence, sample->sequence, &missing)) {
    case SEQUENCE_IN_ORDER:
        break;
    case SEQUENCE_GAP:
        count(sflow, &row->samples_lost, INPUT_samples_lost, missing);
        break;
    case SEQUENCE_LATE:
        count(sflow, &row->samples_lost, INPUT_samples_lost, (uint64_t)-1);
        return; /* its `drops` are older than what is known */
    case SEQUENCE_REPEATED:
        return;
    case SEQUENCE_RESTARTED:
        source->drops = sample->drops;
        return;
    }
    uint32_t dropped = sample->drops - source->drops; /* modulo 2^32 */
    if (unlikely(dropped != 0)) {
        source->drops = sample->drops;
        if (dropped <= INT32_MAX) /* else it went back: the agent's counter began anew */
            count(sflow, &row->agent_dropped, INPUT_samples_agent_dropped, dropped);
    }
}
