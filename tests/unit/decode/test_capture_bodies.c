/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where nothing stands between a capture and the rings, records go there as bodies, many at once. The same frames go
 * through one capture that gives records and one that gives bodies of two plugins: both give the same, in the same
 * order, and no later than capture_flush.
 */
#include "test_capture_world.h"

#include "test_packet_cases.h"

#define gathered_max 32 /* of capture.c: so many go on together without a flush */
#define bodies_room (1 << 20)

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

/* What one plugin gets. */
struct sink {
    struct layout layout;
    uint8_t *bytes;
    size_t size;
    unsigned count, calls;
};

struct sinks {
    struct sink of[2];
    unsigned wrong; /* calls with too many, with none, or for nobody */
};

static void append(struct sink *sink, const uint8_t *bodies, unsigned count)
{
    size_t size = (size_t)count * sink->layout.body_bytes;

    if (sink->size + size > bodies_room)
        return;
    memcpy(sink->bytes + sink->size, bodies, size);
    sink->size += size;
    sink->count += count;
    sink->calls++;
}

static void on_bodies(void *context, unsigned target, const uint8_t *bodies, unsigned count)
{
    struct sinks *sinks = context;

    sinks->wrong += target >= 2 || count == 0 || count > gathered_max || ((uintptr_t)bodies & 7) != 0;
    if (target < 2)
        append(&sinks->of[target], bodies, count);
}

static void on_flow(void *context, struct flow *flow)
{
    struct sinks *sinks = context;
    static _Alignas(8) uint8_t body[8 * layout_body_words];

    for (unsigned i = 0; i < 2; i++) {
        layout_project(&sinks->of[i].layout, flow, 0, body);
        append(&sinks->of[i], body, 1);
    }
}

static void on_no_record(void *context, struct flow *flow)
{
    struct sinks *sinks = context;

    (void)flow;
    sinks->wrong++;
}

static const char *const aggregates[2] = {
    "src_host,dst_host,src_port,dst_port,proto,vlan,tcpflags",
    "src_host,tos,etype,in_iface,flows",
};

static void sinks_init(struct sinks *sinks)
{
    memset(sinks, 0, sizeof(*sinks));
    for (unsigned i = 0; i < 2; i++) {
        make_layout(&sinks->of[i].layout, aggregates[i]);
        sinks->of[i].bytes = malloc(bodies_room);
    }
}

static void sinks_free(struct sinks *sinks)
{
    for (unsigned i = 0; i < 2; i++)
        free(sinks->of[i].bytes);
}

/* A world that gives bodies, or records. */
static void open_way(struct world *world, struct sinks *sinks, bool bodies)
{
    struct error error = {""};

    sinks_init(sinks);
    world_init(world);
    world->options.unknown_etype = true;
    world->options.fragment_bytes = 32768;
    world->output = (struct decode_output){.record = bodies ? on_no_record : on_flow,
                                           .bodies = on_bodies,
                                           .context = sinks,
                                           .counters = world->counters,
                                           .target_count = bodies ? 2 : 0,
                                           .targets = {&sinks->of[0].layout, &sinks->of[1].layout}};
    for (unsigned i = 0; i < 2; i++)
        field_set_merge(&world->output.wants, &sinks->of[i].layout.needs);
    world->capture = capture_new(&world->options, &world->output, &error);
    if (world->capture == NULL) {
        ok(false, "a capture: %s", error.text);
        exit(done_testing());
    }
}

static void close_way(struct world *world, struct sinks *sinks)
{
    capture_free(world->capture);
    sinks_free(sinks);
}

/* A frame of some kind; fragments of few datagrams among them. */
static void make_frame(struct octets *f)
{
    static void (*const builds[])(struct octets *f) = {
        ethernet_udp, ethernet_tcp, ethernet_padded, ethernet_arp, vlan, vlan_two, vlan_ipv6, mpls_one, pppoe};
    unsigned kind = random_below(array_length(builds) + 4);

    f->size = 0;
    if (kind < array_length(builds)) {
        builds[kind](f);
        return;
    }
    put_ethernet(f, 0x0800);
    put_ipv4(f, 17, 16, kind == array_length(builds) ? 0x2000 : 0x2000 + kind, false);
    f->bytes[19] = (uint8_t)(random_below(200) + (kind == array_length(builds) ? 30 : 0));
    put_udp(f, 7, 9);
}

static bool give_same(struct world *worlds[2], struct sinks *sinks[2])
{
    struct octets octets;
    struct frame frame = {.link = LINK_ETHERNET, .in_iface = random_below(4)};

    make_frame(&octets);
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t *counters = worlds[i]->counters;
        uint8_t copy[frame_max];

        memcpy(copy, octets.bytes, octets.size);
        frame.bytes = copy;
        frame.captured = frame.length = (uint32_t)octets.size;
        frame.when_ns = worlds[i]->now_ns;
        capture_frame(worlds[i]->capture, &frame);
        memset(copy, 0xee, sizeof(copy)); /* whoever captured takes the next one into it */
        if (counters[INPUT_records_decoded] - sinks[i]->of[0].count >= gathered_max)
            return false;
    }
    return memcmp(worlds[0]->counters, worlds[1]->counters, sizeof(worlds[0]->counters)) == 0;
}

/* After a flush, both plugins of both ways have the same. */
static bool same(struct world *worlds[2], struct sinks *sinks[2])
{
    bool good = true;

    for (unsigned i = 0; i < 2; i++) {
        capture_flush(worlds[i]->capture);
        good = good && balanced(worlds[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct sink *a = &sinks[0]->of[i], *b = &sinks[1]->of[i];

        good = good && a->count == b->count && a->count == counted(worlds[0], INPUT_records_decoded) &&
               a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
    }
    return good;
}

static void forget(struct sinks *sinks[2])
{
    for (unsigned i = 0; i < 2; i++)
        for (unsigned target = 0; target < 2; target++)
            sinks[i]->of[target].size = 0;
}

/* Batches of all sizes; now and then the clock goes on, so that what waits is let go between two of them. */
static void test_same(void)
{
    struct world records, bodies, *worlds[2] = {&records, &bodies};
    struct sinks of_records, of_bodies, *sinks[2] = {&of_records, &of_bodies};
    unsigned wrong = 0, batches = 2000;

    open_way(&records, &of_records, false);
    open_way(&bodies, &of_bodies, true);
    for (unsigned batch = 0; batch < batches; batch++) {
        unsigned frames = random_below(100), ticks = random_below(3) == 0 ? 2 : 0;

        for (unsigned i = 0; i < frames; i++) {
            wrong += !give_same(worlds, sinks);
            records.now_ns = bodies.now_ns += 1000;
        }
        if (random_below(10) == 0)
            records.now_ns = bodies.now_ns += (int64_t)random_below(30) * second;
        for (unsigned i = 0; i < ticks; i++)
            capture_tick(worlds[i]->capture, worlds[i]->now_ns);
        if (batch == batches - 1)
            for (unsigned i = 0; i < 2; i++)
                capture_end(worlds[i]->capture);
        wrong += !same(worlds, sinks);
        forget(sinks);
    }
    is_u64(wrong, 0, "%llu records of %llu frames are the same either way, in the same order",
           (unsigned long long)counted(&records, INPUT_records_decoded),
           (unsigned long long)counted(&records, INPUT_frames_received));
    ok(counted(&bodies, INPUT_fragments_orphans) > 100 && counted(&bodies, INPUT_frames_not_ip) == 0 &&
           counted(&bodies, INPUT_fragments_no_room) > 0,
       "with orphans and little room among them");
    is_u64(of_records.wrong + of_bodies.wrong, 0, "each way is used alone");
    ok(of_bodies.of[0].calls == of_bodies.of[1].calls && of_bodies.of[0].calls * 2 < of_bodies.of[0].count,
       "%u bodies in %u calls for each plugin", of_bodies.of[0].count, of_bodies.of[0].calls);
    close_way(&records, &of_records);
    close_way(&bodies, &of_bodies);
}

/* When the bodies go on: every 32 of them, at a flush, at the end; and an empty flush calls nobody. */
static void test_when(void)
{
    struct octets octets = {.size = 0};
    struct frame frame = {.link = LINK_ETHERNET, .when_ns = start_ns};
    struct world world;
    struct sinks sinks;
    const struct sink *sink = &sinks.of[1];

    ethernet_udp(&octets);
    frame.bytes = octets.bytes;
    frame.captured = frame.length = (uint32_t)octets.size;
    open_way(&world, &sinks, true);
    capture_flush(world.capture);
    is_u64(sink->calls, 0, "a flush of nothing calls nobody");
    for (unsigned i = 0; i < gathered_max - 1; i++)
        capture_frame(world.capture, &frame);
    is_u64(sink->calls, 0, "31 are gathered");
    capture_frame(world.capture, &frame);
    ok(sink->calls == 1 && sink->count == 32, "the 32nd sends all of them on");
    capture_frame(world.capture, &frame);
    is_u64(sink->count, 32, "the next one waits");
    capture_flush(world.capture);
    is_u64(sink->count, 33, "for the flush");
    capture_flush(world.capture);
    is_u64(sink->calls, 2, "which sends it once");
    capture_frame(world.capture, &frame);
    capture_end(world.capture);
    is_u64(sink->count, 34, "the end is a flush, too");
    is_u64(sinks.of[0].count, 34, "for both plugins");
    is_u64(sinks.wrong, 0, "and nothing came as a record");
    close_way(&world, &sinks);
}

int main(void)
{
    plan_none();
    test_same();
    test_when();
    return done_testing();
}
