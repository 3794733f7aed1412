/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture of one's own for the tests of decode/capture/capture.c: frames go in octet by octet, each record that comes
 * out is kept as text, and after each frame the books are looked at.
 */
#ifndef TESTS_CAPTURE_WORLD_H
#define TESTS_CAPTURE_WORLD_H

#include <stdlib.h>

#include "decode/capture/capture.h"
#include "test_packet_vectors.h"
#include "tests/lib/tap.h"

#define second INT64_C(1000000000)
#define start_ns (INT64_C(1700000000) * second)
#define records_max 64  /* that are kept as text */
#define record_max 256  /* bytes of such a text */

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_SLL = 113, LINK_NFLOG = 239, LINK_SLL2 = 276 };

struct world {
    struct capture_options options;
    struct decode_output output;
    struct capture *capture;
    uint64_t counters[INPUT_COUNTERS];
    struct field_set show; /* fields that a record's text tells */
    char records[records_max][record_max];
    unsigned count; /* records in all */
    unsigned bad;   /* times that the books did not balance, and frames that a record had lost */
    bool spoil;     /* whoever takes a record changes it, as maps and filters do */
    int64_t now_ns; /* of the next frame */
    struct layout layout;
};

static inline void on_record(void *context, struct flow *flow)
{
    struct world *world = context;

    if (world->count < records_max)
        dump_flow(flow, &world->show, world->records[world->count], record_max);
    world->count++;
    /* The record is a packet, and whoever filters may look at all of it. */
    world->bad += flow->frame == NULL || flow->frame->when_ns != flow->timestamp_arrival ||
                  !flow_has(flow, FIELD_TIMESTAMP_ARRIVAL) || !flow_has(flow, FIELD_PACKETS) ||
                  !flow_has(flow, FIELD_BYTES) || flow->packets != 1;
    if (world->spoil) {
        memset(&flow->src_host, 0xee, sizeof(flow->src_host));
        flow->dst_host = flow->src_host;
        flow->src_port = flow->dst_port = 9999;
        flow->proto = 255;
        memset(&flow->have, 0, sizeof(flow->have));
    }
}

static inline void make_layout(struct layout *layout, const char *aggregate)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct aggregate parsed;
    struct error error;

    memset(&parsed, 0, sizeof(parsed));
    if (aggregate_parse(&parsed, aggregate, &error) < 0 || layout_compile(layout, &parsed, &options, &error) < 0) {
        ok(false, "the test's own aggregate: %s", error.text);
        exit(done_testing());
    }
}

/* Options as the daemons' defaults have them; the caller may change them before world_open. */
static inline void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->options = (struct capture_options){.fragment_bytes = 1 << 20,
                                              .flow_bytes = 1 << 20,
                                              .flow_lifetime_ns = 60 * second,
                                              .flow_tcp_lifetime_ns = 60 * second,
                                              .link_interfaces = true};
    world->now_ns = start_ns;
}

/* Records tell what `aggregate` has, and their bytes. */
static inline void world_open(struct world *world, const char *aggregate)
{
    struct error error = {""};

    make_layout(&world->layout, aggregate);
    world->output.record = on_record;
    world->output.context = world;
    world->output.counters = world->counters;
    world->output.wants = world->layout.needs;
    world->show = world->layout.fields;
    field_set_remove(&world->show, FIELD_PACKETS);
    field_set_add(&world->show, FIELD_BYTES);
    world->capture = capture_new(&world->options, &world->output, &error);
    if (world->capture == NULL) {
        ok(false, "a capture: %s", error.text);
        exit(done_testing());
    }
}

static inline uint64_t counted(const struct world *world, enum input_counter id)
{
    return counter_get(&world->counters[id]);
}

/* Every frame is somewhere, once. */
static inline bool balanced(const struct world *world)
{
    return counted(world, INPUT_frames_received) ==
               counted(world, INPUT_frames_accounted) + counted(world, INPUT_frames_not_ip) +
                   counted(world, INPUT_frames_malformed) + counted(world, INPUT_frames_link_unknown) +
                   counted(world, INPUT_frames_waiting) + counted(world, INPUT_frames_orphans_dropped) &&
           counted(world, INPUT_records_decoded) == counted(world, INPUT_frames_accounted);
}

/* One frame, a nanosecond after the one before; its bytes are a copy that ends where they end. */
static inline void world_put(struct world *world, const struct octets *octets, struct frame frame)
{
    uint8_t *copy = malloc(octets->size + (octets->size == 0));

    memcpy(copy, octets->bytes, octets->size);
    frame.bytes = copy;
    if (frame.captured == 0)
        frame.captured = (uint32_t)octets->size;
    if (frame.length == 0)
        frame.length = frame.captured;
    frame.when_ns = world->now_ns++;
    capture_frame(world->capture, &frame);
    free(copy);
    world->bad += !balanced(world) || counted(world, INPUT_records_decoded) != world->count;
}

static inline void world_tick(struct world *world)
{
    capture_tick(world->capture, world->now_ns);
    capture_flush(world->capture);
    world->bad += !balanced(world);
}

/* The end of the input, and of the capture: nothing waits any more, and all is somewhere. */
static inline void world_close(struct world *world, const char *name)
{
    capture_end(world->capture);
    ok(balanced(world) && world->bad == 0 && counted(world, INPUT_records_decoded) == world->count &&
           counted(world, INPUT_frames_waiting) == 0 && counted(world, INPUT_flows_tracked) == 0,
       "%s: the books balance after each frame, and nothing is left in the end", name);
    capture_free(world->capture);
}

/* Each counter but bytes and records has the value that `want` gives, pairs of counter and value; the others are 0. */
static inline void is_counted(const struct world *world, const char *name, const uint64_t (*want)[2], unsigned pairs)
{
    unsigned wrong = 0;

    for (unsigned id = 0; id < INPUT_COUNTERS; id++) {
        uint64_t value = 0;

        if (id == INPUT_frames_bytes || id == INPUT_records_decoded)
            continue;
        for (unsigned i = 0; i < pairs; i++)
            if (want[i][0] == id)
                value = want[i][1];
        if (counted(world, (enum input_counter)id) != value && wrong++ < 4)
            printf("# %s: %s is %llu, expected %llu\n", name, input_counter_table[id].name,
                   (unsigned long long)counted(world, (enum input_counter)id), (unsigned long long)value);
    }
    ok(wrong == 0, "%s: each counter is right", name);
}

#endif
