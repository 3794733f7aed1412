/* SPDX-License-Identifier: BSD-2-Clause */
/* One flow to several plugins: who gets it, with which tags, what is counted when a ring is full; and two lanes. */
#include "core/emit.h"

#include <stdlib.h>

#include "lib/tap.h"

#define plugin_max 4
enum { PLAIN, TAGGED, SUMMED, DISCARDS };

static struct settings settings[plugin_max], core;
static struct layout layouts[plugin_max];
static struct emit_target targets[plugin_max];
static struct ring *rings[plugin_max][2]; /* of two lanes */
static struct ledger *ledger;

static void set_up(void)
{
    static const char *const aggregates[plugin_max] = {"src_port,tag", "src_port,tag", "sum_port", "drop_reason"};
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct error error;

    ledger = ledger_create(&error);
    ledger->lane_count = 2;
    ledger->plugin_count = plugin_max;
    settings[TAGGED].post_tag = 7;
    for (unsigned i = 0; i < plugin_max; i++) {
        aggregate_parse(&settings[i].aggregate, aggregates[i], &error);
        layout_compile(&layouts[i], &settings[i].aggregate, &options, &error);
        for (unsigned lane = 0; lane < 2; lane++)
            rings[i][lane] = ring_create(65536, layouts[i].fingerprint, &error);
        targets[i] = (struct emit_target){&settings[i], &layouts[i], rings[i], &ledger->plugins[i], ledger->started_ns};
    }
}

static struct flow a_flow(void)
{
    struct flow flow = {.discard = false};

    flow_set_src_port(&flow, 1000);
    flow_set_dst_port(&flow, 2000);
    flow_set_packets(&flow, 2);
    flow_set_bytes(&flow, 300);
    return flow;
}

/* The records in a ring; the first bodies are copied out. */
static unsigned take_from(unsigned plugin, unsigned lane, uint8_t bodies[][64], unsigned room)
{
    struct ring_reader reader;
    struct ring_header *run;
    struct error error;
    unsigned count = 0;
    size_t bytes;

    ring_attach_reader(&reader, rings[plugin][lane], layouts[plugin].fingerprint, &error);
    while ((run = ring_peek(&reader, &bytes)) != NULL) {
        for (size_t at = 0; at < bytes; at += ((struct ring_header *)((uint8_t *)run + at))->bytes) {
            struct ring_header *header = (struct ring_header *)((uint8_t *)run + at);

            if (header->kind == RING_FLOW && count < room)
                memcpy(bodies[count], header + 1, min_u64(64, header->bytes - sizeof(*header)));
            count += header->kind == RING_FLOW;
        }
        ring_consume(&reader, bytes);
    }
    return count;
}

static unsigned take(unsigned plugin, uint8_t bodies[][64], unsigned room)
{
    return take_from(plugin, 0, bodies, room);
}

static uint64_t emitted(unsigned plugin, enum emit_counter id)
{
    return ledger_emit(ledger, plugin, id);
}

static void check_one(struct emitter *emitter)
{
    struct flow flow = a_flow();
    uint8_t bodies[4][64];

    emit_flow(emitter, &flow);
    emit_publish(emitter);
    is_u64(take(PLAIN, bodies, 4), 1, "a plain plugin gets one record");
    is_u64(load_u64(bodies[0] + layout_find(&layouts[PLAIN], FIELD_TAG)->offset), 0, "without the other plugin's tag");
    is_u64(take(TAGGED, bodies, 4), 1, "so does the one with a tag");
    is_u64(load_u64(bodies[0] + layout_find(&layouts[TAGGED], FIELD_TAG)->offset), 7, "and has it");
    ok(!flow_has(&flow, FIELD_TAG), "the flow itself is as it was");
    is_u64(take(SUMMED, bodies, 4), 2, "a sum gets two");
    is_u64(load_u16(bodies[0]) + load_u16(bodies[1]), 3000, "one for each end");
    is_u64(emitted(SUMMED, EMIT_records_doubled), 1, "which the ledger knows");
    is_u64(emitted(PLAIN, EMIT_packets_emitted), 2, "packets are counted");
    is_u64(emitted(PLAIN, EMIT_bytes_emitted), 300, "and bytes");
    take(DISCARDS, bodies, 4);
}

static void check_discard(struct emitter *emitter)
{
    struct flow flow = a_flow();
    uint8_t bodies[1][64];

    flow.discard = true;
    emit_flow(emitter, &flow);
    emit_publish(emitter);
    is_u64(take(PLAIN, bodies, 0), 0, "a discarded packet is no traffic");
    is_u64(emitted(PLAIN, EMIT_records_filtered), 1, "it counts as filtered");
    is_u64(take(DISCARDS, bodies, 0), 1, "who asks for drop_reason gets it");
    take(TAGGED, bodies, 0);
    take(SUMMED, bodies, 0);
}

static void check_full(struct emitter *emitter)
{
    uint64_t before = emitted(PLAIN, EMIT_records_emitted), sent = 10000, got, dropped;
    struct flow flow;
    uint8_t bodies[1][64];

    for (uint64_t i = 0; i < sent; i++) {
        flow = a_flow();
        emit_flow(emitter, &flow);
        if (i % 500 == 0)
            take(TAGGED, bodies, 0); /* one plugin keeps up */
        emit_publish(emitter);
    }
    got = emitted(PLAIN, EMIT_records_emitted) - before;
    dropped = emitted(PLAIN, EMIT_records_dropped_ring_full);
    ok(dropped > 0, "a ring that nobody reads fills");
    is_u64(got + dropped, sent, "what does not fit is counted, to the record");
    is_u64(emitted(PLAIN, EMIT_packets_dropped_ring_full), 2 * dropped, "in packets");
    is_u64(emitted(PLAIN, EMIT_bytes_dropped_ring_full), 300 * dropped, "and in bytes");
    is_u64(take(PLAIN, bodies, 0), got, "what is counted as written is in the ring");
    is_u64(emitted(TAGGED, EMIT_records_dropped_ring_full), 0, "a plugin that keeps up loses nothing");
}

/* Another collector, with the same plugins. */
static void check_lanes(void)
{
    uint64_t before = emitted(PLAIN, EMIT_records_emitted), of_first;
    struct flow flow = a_flow();
    struct error error;
    struct emit_options options = {.lane = 1, .core = &core, .daemon = DAEMON_SFACCTD};
    struct emitter *second = emitter_new(targets, plugin_max, &options, &error);
    uint8_t bodies[2][64];

    if (!ok(second != NULL, "an emitter of another lane"))
        return;
    of_first = counter_get(&ledger->plugins[PLAIN].emit[0][EMIT_records_emitted]);
    emit_flow(second, &flow);
    emit_flow(second, &flow);
    emit_publish(second);
    is_u64(take_from(PLAIN, 0, bodies, 2), 0, "it does not write the first one's ring");
    is_u64(take_from(PLAIN, 1, bodies, 2), 2, "but its own");
    is_u64(counter_get(&ledger->plugins[PLAIN].emit[1][EMIT_records_emitted]), 2, "it counts by itself");
    is_u64(counter_get(&ledger->plugins[PLAIN].emit[0][EMIT_records_emitted]), of_first, "and nowhere else");
    is_u64(emitted(PLAIN, EMIT_records_emitted), before + 2, "the sum has both");
    emitter_free(second);
}

int main(void)
{
    struct emit_options options = {.core = &core, .daemon = DAEMON_SFACCTD};
    struct emitter *emitter;
    struct field_set needs;
    struct error error;

    plan_none();
    set_up();
    emitter = emitter_new(targets, plugin_max, &options, &error);
    if (!ok(emitter != NULL, "an emitter for %d plugins", plugin_max))
        return done_testing();
    needs = emitter_needs(emitter);
    ok(field_set_has(&needs, FIELD_DST_PORT) && field_set_has(&needs, FIELD_DROP_REASON) &&
           !field_set_has(&needs, FIELD_SRC_HOST),
       "it needs what its plugins need");
    check_one(emitter);
    check_discard(emitter);
    check_full(emitter);
    check_lanes();
    emitter_free(emitter);
    for (unsigned i = 0; i < plugin_max; i++)
        for (unsigned lane = 0; lane < 2; lane++)
            ring_free(rings[i][lane]);
    ledger_free(ledger);
    return done_testing();
}
