/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/emit.h"

#include <stdlib.h>
#include <unistd.h>

struct target {
    struct ring_writer writer;
    const struct layout *layout;
    const struct settings *settings;
    struct ledger_plugin *block;
    uint64_t *counters; /* its EMIT part */
    size_t record_max;
    unsigned passes;
    bool takes_discards; /* packets that a switch has dropped are no traffic, unless the plugin asks why */
    bool tags;
    uint64_t emitted, packets, bytes, doubled, filtered, dropped, dropped_packets, dropped_bytes;
};

struct emitter {
    unsigned count;
    bool wait;
    pid_t parent; /* the supervisor */
    struct target targets[];
};

#define wait_slice_ms 1000

struct emitter *emitter_new(const struct emit_target *targets, unsigned count, bool wait, struct error *error)
{
    struct emitter *emitter = calloc(1, sizeof(*emitter) + count * sizeof(emitter->targets[0]));

    if (emitter == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    emitter->count = count;
    emitter->wait = wait;
    emitter->parent = getppid();
    for (unsigned i = 0; i < count; i++) {
        struct target *target = &emitter->targets[i];

        target->layout = targets[i].layout;
        target->settings = targets[i].settings;
        target->block = targets[i].block;
        target->counters = targets[i].block->emit;
        target->record_max = layout_record_max(target->layout);
        target->passes = target->layout->sum ? 2 : 1;
        target->takes_discards = field_set_has(&target->layout->fields, FIELD_DROP_REASON);
        target->tags = target->settings->post_tag != 0 || target->settings->post_tag2 != 0;
        if (ring_attach_writer(&target->writer, targets[i].ring, target->layout->fingerprint, error) < 0) {
            free(emitter);
            return NULL;
        }
    }
    return emitter;
}

void emitter_free(struct emitter *emitter)
{
    free(emitter);
}

struct field_set emitter_needs(const struct emitter *emitter)
{
    struct field_set needs = {{0}};

    for (unsigned i = 0; i < emitter->count; i++)
        field_set_merge(&needs, &emitter->targets[i].layout->needs);
    return needs;
}

static void count_drop(struct target *target, const struct flow *flow)
{
    target->dropped++;
    target->dropped_packets += flow->packets;
    target->dropped_bytes += flow->bytes;
}

/* A full ring: for a file the writer waits as long as there is a reader, or one to come and somebody to start it. */
static uint8_t *wait_for_room(struct emitter *emitter, struct target *target)
{
    uint8_t *body;

    if (!emitter->wait)
        return NULL;
    emit_publish(emitter);
    do {
        ring_wait_room(&target->writer, target->record_max, wait_slice_ms);
        body = ring_reserve(&target->writer, target->record_max);
    } while (body == NULL && getppid() == emitter->parent &&
             __atomic_load_n(&target->block->state, __ATOMIC_RELAXED) != LEDGER_PLUGIN_GIVEN_UP);
    return body;
}

static void emit_pass(struct emitter *emitter, struct target *target, const struct flow *flow, unsigned pass)
{
    uint8_t *body = ring_reserve(&target->writer, target->record_max);

    if (unlikely(body == NULL)) {
        body = wait_for_room(emitter, target);
        if (body == NULL) {
            count_drop(target, flow);
            return;
        }
    }
    ring_commit(&target->writer, RING_FLOW, layout_project(target->layout, flow, pass, body));
    target->emitted++;
    target->packets += flow->packets;
    target->bytes += flow->bytes;
}

/* post_tag and post_tag2 are for one plugin only: the next one sees the flow as it was. */
static void emit_tagged(struct emitter *emitter, struct target *target, struct flow *flow, unsigned pass)
{
    struct field_set have = flow->have;
    uint64_t tag = flow->tag, tag2 = flow->tag2;

    if (target->settings->post_tag != 0)
        flow_set_tag(flow, target->settings->post_tag);
    if (target->settings->post_tag2 != 0)
        flow_set_tag2(flow, target->settings->post_tag2);
    emit_pass(emitter, target, flow, pass);
    flow->have = have;
    flow->tag = tag;
    flow->tag2 = tag2;
}

void emit_flow(struct emitter *emitter, struct flow *flow)
{
    for (unsigned i = 0; i < emitter->count; i++) {
        struct target *target = &emitter->targets[i];

        if (unlikely(flow->discard && !target->takes_discards)) {
            target->filtered++;
            continue;
        }
        if (unlikely(target->passes == 2))
            target->doubled++;
        for (unsigned pass = 0; pass < target->passes; pass++) {
            if (unlikely(target->tags))
                emit_tagged(emitter, target, flow, pass);
            else
                emit_pass(emitter, target, flow, pass);
        }
    }
}

void emit_publish(struct emitter *emitter)
{
    for (unsigned i = 0; i < emitter->count; i++) {
        struct target *target = &emitter->targets[i];

        /* Doubled first: a collector that dies between two of these then has emitted too little, never too much. */
        counter_add(&target->counters[EMIT_records_doubled], target->doubled);
        counter_add(&target->counters[EMIT_records_emitted], target->emitted);
        counter_add(&target->counters[EMIT_packets_emitted], target->packets);
        counter_add(&target->counters[EMIT_bytes_emitted], target->bytes);
        counter_add(&target->counters[EMIT_records_filtered], target->filtered);
        counter_add(&target->counters[EMIT_records_dropped_ring_full], target->dropped);
        counter_add(&target->counters[EMIT_packets_dropped_ring_full], target->dropped_packets);
        counter_add(&target->counters[EMIT_bytes_dropped_ring_full], target->dropped_bytes);
        target->emitted = target->packets = target->bytes = target->doubled = target->filtered = 0;
        target->dropped = target->dropped_packets = target->dropped_bytes = 0;
        ring_publish(&target->writer);
    }
}

void emit_end(struct emitter *emitter, int timeout_ms)
{
    emit_publish(emitter);
    for (unsigned i = 0; i < emitter->count; i++) {
        struct ring_writer *writer = &emitter->targets[i].writer;

        if (ring_reserve(writer, 8) == NULL &&
            (!ring_wait_room(writer, 8, timeout_ms) || ring_reserve(writer, 8) == NULL))
            continue; /* the supervisor's order to stop ends that plugin */
        ring_commit(writer, RING_END, 8);
        ring_publish(writer);
    }
}
