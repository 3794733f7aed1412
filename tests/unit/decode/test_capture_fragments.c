/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments on their way through a capture: in every order each one is accounted once, under the ports of the first,
 * with its own bytes, time and texts; without a first one they are accounted or dropped, as it was asked for; those
 * that wait are on the books as such.
 */
#include "test_capture_world.h"

/* The part `n` of four of IPv4 datagram `id`, 1111 to 2222: 0 is the first; their sizes are all different. */
static void put_part(struct octets *f, unsigned id, unsigned n, unsigned proto)
{
    static const unsigned payload[] = {32, 24, 16, 10};
    static const unsigned offset[] = {0, 4, 7, 9}; /* in units of 8 */
    const size_t start = f->size;

    put_ipv4(f, proto, payload[n], offset[n] | (n < 3 ? 0x2000 : 0), false);
    f->bytes[start + 4] = (uint8_t)(id >> 8);
    f->bytes[start + 5] = (uint8_t)id;
    if (n == 0)
        put_udp(f, 1111, 2222);
    while (f->size < start + 20 + payload[n])
        put8(f, 0x39);
}

static void put_frame(struct octets *f, unsigned id, unsigned n)
{
    f->size = 0;
    put_ethernet(f, 0x0800);
    put_part(f, id, n, 17);
}

static void give(struct world *world, unsigned id, unsigned n)
{
    struct octets octets;

    put_frame(&octets, id, n);
    world_put(world, &octets, (struct frame){.link = LINK_ETHERNET});
}

static const char *const part_text[] = {
    " src_port=1111 dst_port=2222 bytes=52", " src_port=1111 dst_port=2222 bytes=44",
    " src_port=1111 dst_port=2222 bytes=36", " src_port=1111 dst_port=2222 bytes=30"};
static const char *const orphan_text[] = {"", " bytes=44", " bytes=36", " bytes=30"};

/* -- in every order -- */

/* What must come out: before the first one nothing, with it itself and those before it, then each as it comes. */
static unsigned expect(const unsigned order[4], unsigned want[4])
{
    unsigned count = 0, first = 0;

    while (order[first] != 0)
        first++;
    want[count++] = 0;
    for (unsigned i = 0; i < 4; i++)
        if (i != first)
            want[count++] = order[i];
    return first;
}

static void test_order(const unsigned order[4])
{
    unsigned want[4], first = expect(order, want), wrong = 0;
    struct world world;

    world_init(&world);
    world.options.drop_orphans = true; /* which they are not */
    world_open(&world, "src_port,dst_port");
    for (unsigned i = 0; i < 4; i++) {
        give(&world, 7, order[i]);
        wrong += counted(&world, INPUT_frames_waiting) != (i < first ? i + 1 : 0);
        wrong += world.count != (i < first ? 0 : i + 1);
    }
    for (unsigned i = 0; i < 4; i++)
        wrong += strcmp(world.records[i], part_text[want[i]]) != 0;
    ok(wrong == 0, "parts %u %u %u %u: all under the ports of the first", order[0], order[1], order[2], order[3]);
    is_u64(counted(&world, INPUT_fragments_orphans), 0, "none is an orphan");
    world_close(&world, "in this order");
}

static void test_orders(void)
{
    for (unsigned code = 0; code < 256; code++) {
        unsigned order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};

        if ((1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3]) == 15)
            test_order(order);
    }
}

/* Two datagrams by turns, and what is none between them. */
static void test_by_turns(void)
{
    struct octets whole = {.size = 0};
    struct world world;

    put_ethernet(&whole, 0x0800);
    put_ipv4(&whole, 17, 16, 0x4000, false);
    put_udp(&whole, 5, 6);
    world_init(&world);
    world_open(&world, "src_port,dst_port");
    give(&world, 1, 3);
    give(&world, 2, 2);
    world_put(&world, &whole, (struct frame){.link = LINK_ETHERNET});
    give(&world, 1, 1);
    is_u64(counted(&world, INPUT_frames_waiting), 3, "three of two datagrams wait");
    give(&world, 2, 0);
    is_u64(counted(&world, INPUT_frames_waiting), 2, "the first one of one frees its own");
    give(&world, 1, 0);
    is_text(world.records[0], " src_port=5 dst_port=6 bytes=36", "a whole packet does not wait");
    is_text(world.records[1], part_text[0], "the first of the second");
    is_text(world.records[2], part_text[2], "what waited for it");
    is_text(world.records[3], part_text[0], "the first of the first");
    is_text(world.records[4], part_text[3], "what waited for it");
    is_text(world.records[5], part_text[1], "in the order of arrival");
    is_u64(world.count, 6, "and no more");
    world_close(&world, "two datagrams");
}

/* -- without a first one -- */

static void test_orphans(bool drop, bool by_clock)
{
    const char *name = drop ? "orphans: drop" : "orphans: count";
    struct world world;

    world_init(&world);
    world.options.drop_orphans = drop;
    world_open(&world, "src_port,dst_port");
    give(&world, 7, 2);
    give(&world, 7, 1);
    give(&world, 8, 0);
    is_u64(world.count, 1, "%s: two wait, a first one of another datagram does not", name);
    world.now_ns += 14 * second;
    world_tick(&world);
    is_u64(counted(&world, INPUT_frames_waiting), 2, "14 seconds are not too long");
    if (by_clock) {
        world.now_ns += 2 * second;
        world_tick(&world);
    } else {
        capture_end(world.capture);
    }
    is_u64(counted(&world, INPUT_frames_waiting), 0, "%s: then none waits", name);
    is_u64(counted(&world, INPUT_fragments_orphans), drop ? 0 : 2, "accounted");
    is_u64(counted(&world, INPUT_frames_orphans_dropped), drop ? 2 : 0, "or dropped");
    is_u64(world.count, drop ? 1 : 3, "the records are as many");
    if (!drop) {
        is_text(world.records[1], orphan_text[2], "without ports");
        is_text(world.records[2], orphan_text[1], "in the order of arrival");
    }
    if (by_clock) { /* a datagram's ports are forgotten as well */
        give(&world, 8, 1);
        is_u64(counted(&world, INPUT_frames_waiting), 1, "after that time an identification may be another's");
    }
    world_close(&world, name);
    is_u64(counted(&world, INPUT_frames_received),
           world.count + counted(&world, INPUT_frames_orphans_dropped), "what came in is a record or was dropped");
}

/* A first one that was cut before its ports cannot tell them. */
static void test_cut_first(void)
{
    struct octets octets;
    struct world world;

    world_init(&world);
    world_open(&world, "src_port,dst_port");
    give(&world, 7, 1);
    put_frame(&octets, 7, 0);
    octets.size = 14 + 20 + 3;
    world_put(&world, &octets, (struct frame){.link = LINK_ETHERNET, .length = 66});
    is_text(world.records[0], " bytes=52", "a first one that was cut is accounted without ports");
    is_u64(counted(&world, INPUT_frames_waiting), 1, "and frees nobody");
    world_close(&world, "a cut first one");
    is_text(world.records[1], orphan_text[1], "until the end");
}

/* -- who follows -- */

static void put_icmp(struct octets *f, unsigned n)
{
    f->size = 0;
    put_ethernet(f, 0x0800);
    put_part(f, 7, n, 1);
}

static void test_followed(void)
{
    static const struct {
        const char *aggregate;
        bool all;
        unsigned waiting; /* after a later fragment of UDP */
    } rows[] = {
        {"src_port", false, 1}, {"dst_port", false, 1}, {"flows", false, 1}, {"src_host,proto", false, 0},
        {"src_host,proto", true, 1},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct octets icmp;
        struct world world;

        world_init(&world);
        world.options.all_fragments = rows[i].all;
        world_open(&world, rows[i].aggregate);
        give(&world, 7, 1);
        is_u64(counted(&world, INPUT_frames_waiting), rows[i].waiting, "%s%s: %u wait", rows[i].aggregate,
               rows[i].all ? " and all fragments" : "", rows[i].waiting);
        put_icmp(&icmp, 1);
        world_put(&world, &icmp, (struct frame){.link = LINK_ETHERNET});
        is_u64(counted(&world, INPUT_frames_waiting), rows[i].waiting, "what has no ports never waits");
        world_close(&world, rows[i].aggregate);
    }
}

/* -- what each one keeps of its own -- */

static void give_labelled(struct world *world, unsigned n, unsigned label)
{
    struct octets octets = {.size = 0};

    put_ethernet(&octets, 0x8847);
    put32(&octets, label << 12 | 0x140);
    put_part(&octets, 7, n, 17);
    world_put(world, &octets, (struct frame){.link = LINK_ETHERNET, .in_iface = 10 + n, .direction = FRAME_IN});
}

/* The text of the label stack is the thread's own: those that are let go write theirs over it. */
static void test_texts(void)
{
    static const char *const want[] = {
        " mpls_label_stack=100 in_iface=10 bytes=52", " mpls_label_stack=102 in_iface=12 bytes=36",
        " mpls_label_stack=101 in_iface=11 bytes=44", " mpls_label_stack=103 in_iface=13 bytes=30"};
    struct world world;

    world_init(&world);
    world.options.all_fragments = true;
    world_open(&world, "mpls_label_stack,in_iface");
    give_labelled(&world, 2, 102);
    give_labelled(&world, 1, 101);
    give_labelled(&world, 0, 100);
    give_labelled(&world, 3, 103);
    for (unsigned i = 0; i < 4; i++)
        is_text(world.records[i], want[i], "record %u has its own labels and interface", i);
    world_close(&world, "labels");
}

static void test_ipv6(void)
{
    struct octets later = {.size = 0}, first = {.size = 0}, other = {.size = 0};
    struct world world;

    put_ethernet(&later, 0x86dd);
    put_ipv6(&later, 44, 8 + 16, false);
    put_hex(&later, "1100 0010 00010007");
    put_udp(&later, 12345, 12345);
    other = later;
    other.bytes[14 + 40 + 4] = 9; /* another identification: 16 bits more than IPv4 has */
    put_ethernet(&first, 0x86dd);
    put_ipv6(&first, 44, 8 + 16, false);
    put_hex(&first, "1100 0001 00010007");
    put_udp(&first, 1111, 2222);
    world_init(&world);
    world_open(&world, "src_port,dst_port");
    world_put(&world, &later, (struct frame){.link = LINK_ETHERNET});
    world_put(&world, &other, (struct frame){.link = LINK_ETHERNET});
    world_put(&world, &first, (struct frame){.link = LINK_ETHERNET});
    is_u64(world.count, 2, "IPv6: the first one frees its own and no other");
    is_text(world.records[1], " src_port=1111 dst_port=2222 bytes=64", "under its ports");
    world_close(&world, "IPv6");
}

/* Waiting frames are decoded once more: with the tunnel taken off, and counted once. */
static void give_tunnelled(struct world *world, unsigned n, bool tunnel)
{
    struct octets octets = {.size = 0};

    put_ethernet(&octets, 0x0800);
    if (tunnel)
        put_ipv4(&octets, 4, 20 + 24, 0, true);
    put_part(&octets, tunnel ? 1 : 2, n, 17);
    world_put(world, &octets, (struct frame){.link = LINK_ETHERNET, .length = 200});
}

static void test_tunnels(void)
{
    struct error error = {""};
    struct world world;

    world_init(&world);
    ok(packet_unwrap_parse(&world.options.unwrap, "ipip", &error) == 0, "tunnel_0: ipip");
    world_open(&world, "src_host,src_port");
    give_tunnelled(&world, 1, true);
    give_tunnelled(&world, 1, false);
    is_u64(counted(&world, INPUT_tunnels_kept), 1, "one has no tunnel");
    give_tunnelled(&world, 0, false);
    give_tunnelled(&world, 0, true);
    is_text(world.records[0], " src_host=10.0.0.1 src_port=1111 bytes=52", "the first one without a tunnel");
    is_text(world.records[1], " src_host=10.0.0.1 src_port=1111 bytes=44", "what waited for it");
    is_text(world.records[2], " src_host=10.0.0.1 src_port=1111 bytes=52", "the first one in the tunnel");
    is_text(world.records[3], " src_host=10.0.0.1 src_port=1111 bytes=44", "what waited for that");
    is_u64(counted(&world, INPUT_tunnels_kept), 2, "none is counted twice");
    world_close(&world, "fragments in tunnels");
}

/* Fragments are packets of their conversation: only the first packet begins the flow. */
static void test_flows(void)
{
    struct world world;

    world_init(&world);
    world_open(&world, "src_port,flows");
    give(&world, 7, 1);
    give(&world, 7, 0);
    give(&world, 7, 2);
    is_text(world.records[0], " src_port=1111 flows=1 bytes=52", "the first one begins the flow");
    is_text(world.records[1], " src_port=1111 flows=0 bytes=44", "what waited is of it");
    is_text(world.records[2], " src_port=1111 flows=0 bytes=36", "and so are the others");
    world_close(&world, "flows of fragments");
}

/* Networks, lists and tags change a record where it lies; its fragments are still those of the packet. */
static void test_changed(void)
{
    struct world world;

    world_init(&world);
    world.spoil = true;
    world_open(&world, "src_port,dst_port");
    give(&world, 7, 1);
    give(&world, 7, 0);
    give(&world, 7, 2);
    give(&world, 7, 3);
    is_u64(world.count, 4, "who takes a record may change it: all four find together");
    is_text(world.records[0], part_text[0], "the first one");
    is_text(world.records[1], part_text[1], "what waited has the packet's ports");
    is_text(world.records[2], part_text[2], "what came later has them, too");
    is_text(world.records[3], part_text[3], "each time");
    world_close(&world, "changed records");
}

/* -- room -- */

static void test_room(bool drop)
{
    struct octets large = {.size = 0};
    struct world world;
    uint64_t gone;

    world_init(&world);
    world.options.fragment_bytes = 16384;
    world.options.drop_orphans = drop;
    world_open(&world, "src_port");
    for (unsigned id = 0; id < 500; id++)
        give(&world, id, 1);
    capture_flush(world.capture);
    gone = 500 - counted(&world, INPUT_frames_waiting);
    ok(gone > 400, "there is room for few");
    is_u64(counted(&world, drop ? INPUT_frames_orphans_dropped : INPUT_fragments_orphans), gone, "all others are gone");
    is_u64(counted(&world, INPUT_fragments_no_room), gone, "because there was no room");
    is_u64(world.count, drop ? 0 : gone, "with a record each, unless it is dropped");
    put_frame(&large, 600, 2);
    while (large.size < frame_max)
        put8(&large, 0);
    for (unsigned i = 0; i < 20; i++)
        world_put(&world, &large, (struct frame){.link = LINK_ETHERNET});
    world_close(&world, "little room");
    is_u64(counted(&world, drop ? INPUT_frames_orphans_dropped : INPUT_fragments_orphans), 520, "in the end all are");
}

int main(void)
{
    plan_none();
    test_orders();
    test_by_turns();
    for (unsigned i = 0; i < 4; i++)
        test_orphans(i & 1, i & 2);
    test_cut_first();
    test_followed();
    test_texts();
    test_ipv6();
    test_tunnels();
    test_flows();
    test_changed();
    test_room(false);
    test_room(true);
    return done_testing();
}
