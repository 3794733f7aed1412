/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From frames to records: every verdict and its counter, what a record's bytes are, interfaces and directions by link
 * and device, tunnels that are taken off, flows of both directions, classes and names. Fragments and the way by bodies
 * have tests of their own.
 */
#include "test_capture_world.h"

#include "test_packet_cases.h"

/* -- verdicts -- */

BUILD(nothing) { (void)f; }
BUILD(runt) { put_hex(f, "0200000000"); }
BUILD(cut_addresses) { put_ethernet(f, 0x0800); put_hex(f, "4500 0024 1234 0000 4011 0000 0a00"); }
BUILD(short_header) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[14] = 0x44; }
BUILD(wrong_version) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[14] = 0x65; }
BUILD(length_below_header) { put_ethernet(f, 0x0800); put_plain(f); f->bytes[17] = 19; }
BUILD(gso) { put_ethernet(f, 0x0800); put_plain(f); put16(f, 0); f->bytes[16] = f->bytes[17] = 0; }
BUILD(gso_vlan) { put_ethernet(f, 0x8100); put_hex(f, "0064 0800"); put_plain(f); f->bytes[20] = f->bytes[21] = 0; }
BUILD(gso_raw) { put_plain(f); f->bytes[2] = f->bytes[3] = 0; }
BUILD(gso_ipv6) { put_ethernet(f, 0x86dd); raw_ipv6(f); f->bytes[18] = f->bytes[19] = 0; }

enum { LINK_NONE = 147 }; /* of the numbers that are nobody's */

static const struct verdict_row {
    const char *name;
    void (*build)(struct octets *f);
    uint16_t link;
    uint32_t length; /* of the frame as it was; 0: what there is of it */
    enum input_counter counter;
    const char *record;  /* "" when there is none */
    const char *unknown; /* the same with aggregate_unknown_etype */
} verdicts[] = {
    {"IPv4", ethernet_udp, LINK_ETHERNET, 0, INPUT_frames_accounted, " etype=800" PLAIN " bytes=36", NULL},
    {"IPv4 with padding", ethernet_padded, LINK_ETHERNET, 60, INPUT_frames_accounted,
     " etype=800" HOSTS4 " proto=17 tos=184 bytes=22", NULL},
    {"IPv6", vlan_ipv6, LINK_ETHERNET, 0, INPUT_frames_accounted, " etype=86dd" PLAIN6 " bytes=56", NULL},
    {"IPv4 without Ethernet", raw_ipv4, LINK_RAW, 0, INPUT_frames_accounted, " etype=800" PLAIN " bytes=36", NULL},
    {"cut by the capture", ethernet_udp, LINK_ETHERNET, 1500, INPUT_frames_accounted,
     " etype=800" PLAIN " bytes=36", NULL},
    {"length 0 is that of the frame", gso, LINK_ETHERNET, 0, INPUT_frames_accounted, " etype=800" PLAIN " bytes=38",
     NULL},
    {"and not what was captured", gso, LINK_ETHERNET, 65000, INPUT_frames_accounted,
     " etype=800" PLAIN " bytes=64986", NULL},
    {"and without its tags", gso_vlan, LINK_ETHERNET, 1018, INPUT_frames_accounted,
     " etype=800" PLAIN " bytes=1000", NULL},
    {"and all of it where there is no link", gso_raw, LINK_RAW, 1000, INPUT_frames_accounted,
     " etype=800" PLAIN " bytes=1000", NULL},
    {"length 0 of IPv6", gso_ipv6, LINK_ETHERNET, 9014, INPUT_frames_accounted,
     " etype=86dd" PLAIN6 " bytes=9000", NULL},
    {"ARP", ethernet_arp, LINK_ETHERNET, 60, INPUT_frames_not_ip, "", " etype=806 bytes=46"},
    {"LLDP in a VLAN", vlan_lldp, LINK_ETHERNET, 0, INPUT_frames_not_ip, "", " etype=88cc bytes=7"},
    {"spanning tree", ethernet_spanning_tree, LINK_ETHERNET, 60, INPUT_frames_not_ip, "", " bytes=46"},
    {"a runt", runt, LINK_ETHERNET, 0, INPUT_frames_not_ip, "", " bytes=0"},
    {"no byte", nothing, LINK_ETHERNET, 100, INPUT_frames_not_ip, "", " bytes=86"},
    {"IPv4 cut before its addresses", cut_addresses, LINK_ETHERNET, 50, INPUT_frames_not_ip, "",
     " etype=800 bytes=36"},
    {"IPv4 with a short header", short_header, LINK_ETHERNET, 0, INPUT_frames_malformed, "", ""},
    {"another version than the type says", wrong_version, LINK_ETHERNET, 0, INPUT_frames_malformed, "", ""},
    {"a length below that of the header", length_below_header, LINK_ETHERNET, 0, INPUT_frames_malformed, "", ""},
    {"a link that nobody has", ethernet_udp, LINK_NONE, 0, INPUT_frames_link_unknown, "", ""},
};

static void test_verdict(const struct verdict_row *row, bool unknown_etype)
{
    const char *record = unknown_etype && row->unknown != NULL ? row->unknown : row->record;
    enum input_counter counter = unknown_etype && row->counter == INPUT_frames_not_ip ? INPUT_frames_accounted
                                                                                      : row->counter;
    const uint64_t want[][2] = {{INPUT_frames_received, 1}, {(uint64_t)counter, 1}};
    struct octets octets = {.size = 0};
    struct world world;

    world_init(&world);
    world.options.unknown_etype = unknown_etype;
    world_open(&world, "etype,src_host,dst_host,proto,tos,src_port,dst_port");
    row->build(&octets);
    world_put(&world, &octets, (struct frame){.link = row->link, .length = row->length});
    is_text(world.count > 0 ? world.records[0] : "", record, "%s", row->name);
    is_u64(counted(&world, INPUT_frames_bytes), row->length != 0 ? row->length : octets.size, "its bytes are counted");
    capture_flush(world.capture);
    is_counted(&world, row->name, want, array_length(want));
    world_close(&world, row->name);
}

/* A link that changes from frame to frame, and a frame whose length is less than what there is of it. */
static void test_mixed_links(void)
{
    struct octets ethernet = {.size = 0}, raw = {.size = 0};
    struct world world;

    ethernet_udp(&ethernet);
    gso_raw(&raw);
    world_init(&world);
    world_open(&world, "src_port");
    for (unsigned i = 0; i < 3; i++) {
        world_put(&world, &ethernet, (struct frame){.link = LINK_ETHERNET});
        world_put(&world, &raw, (struct frame){.link = LINK_RAW, .length = 1});
        world_put(&world, &ethernet, (struct frame){.link = LINK_NONE});
    }
    for (unsigned i = 0; i < 6; i++)
        is_text(world.records[i], " src_port=1111 bytes=36", "frame %u of two links", i);
    is_u64(world.count, 6, "six of nine are accounted");
    world_close(&world, "links by turns");
}

/* -- interfaces and directions -- */

static void put_sll(struct octets *f, unsigned type)
{
    put16(f, type);
    put_hex(f, "0001 0006 02000000000a 0000 0800");
    put_plain(f);
}

BUILD(sll_in) { put_sll(f, 0); }
BUILD(sll_out) { put_sll(f, 4); }

static void put_sll2(struct octets *f, unsigned type)
{
    put_hex(f, "0800 0000 00000007 0001");
    put8(f, type);
    put_hex(f, "06 02000000000a 0000");
    put_plain(f);
}

BUILD(sll2_in) { put_sll2(f, 0); }
BUILD(sll2_out) { put_sll2(f, 4); }

/* Attributes are in the order of the host, here little-endian; their values in network order. */
static void put_log(struct octets *f, uint32_t in, uint32_t out)
{
    put_hex(f, "02 00 0000  0800 0100 0800 0000");
    if (in != 0) {
        put_hex(f, "0800 0400");
        put32(f, in);
    }
    if (out != 0) {
        put_hex(f, "0800 0500");
        put32(f, out);
    }
    put_hex(f, "2800 0900");
    put_plain(f);
}

BUILD(log_in) { put_log(f, 3, 0); }
BUILD(log_out) { put_log(f, 0, 4); }
BUILD(log_forward) { put_log(f, 3, 4); }
BUILD(log_none) { put_log(f, 0, 0); }

static void test_origins(void)
{
    static const struct {
        const char *name;
        void (*build)(struct octets *f);
        struct frame frame;
        bool ignored; /* what the link tells of interfaces */
        const char *record;
    } rows[] = {
        {"nothing is known", ethernet_udp, {.link = LINK_ETHERNET}, false, " bytes=36"},
        {"a device", ethernet_udp, {.link = LINK_ETHERNET, .in_iface = 5}, false, " in_iface=5 bytes=36"},
        {"a device with a direction", ethernet_udp, {.link = LINK_ETHERNET, .in_iface = 5, .direction = FRAME_IN},
         false, " in_iface=5 sampling_direction=105 bytes=36"},
        {"outward", ethernet_udp, {.link = LINK_ETHERNET, .out_iface = 6, .direction = FRAME_OUT}, false,
         " out_iface=6 sampling_direction=101 bytes=36"},
        {"both ends", ethernet_udp, {.link = LINK_ETHERNET, .in_iface = 5, .out_iface = 6}, false,
         " in_iface=5 out_iface=6 bytes=36"},
        {"SLL in", sll_in, {.link = LINK_SLL}, false, " sampling_direction=105 bytes=36"},
        {"SLL out", sll_out, {.link = LINK_SLL}, false, " sampling_direction=101 bytes=36"},
        {"SLL2 in", sll2_in, {.link = LINK_SLL2}, false, " in_iface=7 sampling_direction=105 bytes=36"},
        {"SLL2 out", sll2_out, {.link = LINK_SLL2}, false, " out_iface=7 sampling_direction=101 bytes=36"},
        {"SLL2, and the device says another number", sll2_in, {.link = LINK_SLL2, .in_iface = 5}, false,
         " in_iface=5 sampling_direction=105 bytes=36"},
        {"the same outward", sll2_out, {.link = LINK_SLL2, .out_iface = 6}, false,
         " out_iface=6 sampling_direction=101 bytes=36"},
        {"SLL2, and the device says another direction", sll2_in, {.link = LINK_SLL2, .direction = FRAME_OUT}, false,
         " out_iface=7 sampling_direction=101 bytes=36"},
        {"SLL2 whose interfaces are not asked for", sll2_in, {.link = LINK_SLL2}, true,
         " sampling_direction=105 bytes=36"},
        {"NFLOG in", log_in, {.link = LINK_NFLOG}, false, " in_iface=3 sampling_direction=105 bytes=36"},
        {"NFLOG out", log_out, {.link = LINK_NFLOG}, false, " out_iface=4 sampling_direction=101 bytes=36"},
        {"NFLOG forwarded", log_forward, {.link = LINK_NFLOG}, false, " in_iface=3 out_iface=4 bytes=36"},
        {"NFLOG without interfaces", log_none, {.link = LINK_NFLOG}, false, " bytes=36"},
        {"NFLOG forwarded, interfaces not asked for", log_forward, {.link = LINK_NFLOG}, true, " bytes=36"},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct octets octets = {.size = 0};
        struct world world;

        world_init(&world);
        world.options.link_interfaces = !rows[i].ignored;
        world_open(&world, "in_iface,out_iface,sampling_direction");
        rows[i].build(&octets);
        world_put(&world, &octets, rows[i].frame);
        is_text(world.records[0], rows[i].record, "%s", rows[i].name);
        world_close(&world, rows[i].name);
        world_init(&world);
        world_open(&world, "src_port");
        field_set_add(&world.show, FIELD_IN_IFACE);
        field_set_add(&world.show, FIELD_SAMPLING_DIRECTION);
        world_put(&world, &octets, rows[i].frame);
        is_text(world.records[0], " src_port=1111 bytes=36", "nobody asks, nobody looks");
        world_close(&world, "not asked");
    }
}

/* -- tunnels -- */

BUILD(ip_in_ip) { put_ethernet(f, 0x0800); put_ipv4(f, 4, 36, 0, true); put_plain(f); }
BUILD(ip_in_ip_gso) { ip_in_ip(f); f->bytes[14 + 20 + 2] = f->bytes[14 + 20 + 3] = 0; }
BUILD(gre_arp)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 47, 4 + 14 + 28, 0, false);
    put_hex(f, "0000 6558");
    ethernet_arp(f);
    put_hex(f, "0000 0000 0000 0000 0000 0000 0000 0000 0000 0000");
}

static void test_tunnels(void)
{
    static const struct {
        const char *name, *tunnel;
        void (*build)(struct octets *f);
        uint32_t length;
        const char *record;
        unsigned kept;
    } rows[] = {
        {"IP in IP", "ipip", ip_in_ip, 0, PLAIN " bytes=36", 0},
        {"the same with padding", "ipip", ip_in_ip, 100, PLAIN " bytes=36", 0},
        {"length 0 inside is what is left of the frame", "ipip", ip_in_ip_gso, 2034, PLAIN " bytes=2000", 0},
        {"no tunnel", "ipip", ethernet_udp, 0, PLAIN " bytes=36", 1},
        {"another tunnel", "gre", ip_in_ip, 0, " src_host=192.168.7.1 dst_host=192.168.7.2 proto=4 tos=32 bytes=56", 1},
        {"ARP inside", "gre", gre_arp, 0, " bytes=28", 0},
        {"malformed all the same", "ipip", short_header, 0, "", 1},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct octets octets = {.size = 0};
        struct error error = {""};
        struct world world;

        world_init(&world);
        world.options.unknown_etype = true;
        ok(packet_unwrap_parse(&world.options.unwrap, rows[i].tunnel, &error) == 0, "tunnel_0: %s", rows[i].tunnel);
        world_open(&world, "src_host,dst_host,proto,tos,src_port,dst_port");
        rows[i].build(&octets);
        world_put(&world, &octets, (struct frame){.link = LINK_ETHERNET, .length = rows[i].length});
        is_text(world.count > 0 ? world.records[0] : "", rows[i].record, "%s", rows[i].name);
        is_u64(counted(&world, INPUT_tunnels_kept), rows[i].kept, "is counted when it stays as it is");
        world_close(&world, rows[i].name);
    }
}

/* -- conversations -- */

/* UDP of conversation `n`, there or back. */
static void put_talk(struct octets *f, unsigned n, bool back, unsigned vlan)
{
    f->size = 0;
    put_ethernet(f, 0x8100);
    put16(f, vlan);
    put16(f, 0x0800);
    put_ipv4(f, 17, 16, 0, false);
    f->bytes[33] = back ? 2 : 1;
    f->bytes[37] = back ? 1 : 2;
    put_udp(f, back ? 53 : 1024 + n, back ? 1024 + n : 53);
}

static void talk(struct world *world, unsigned n, bool back, unsigned vlan)
{
    struct octets octets;

    put_talk(&octets, n, back, vlan);
    world_put(world, &octets, (struct frame){.link = LINK_ETHERNET});
}

static void test_flows(void)
{
    static const char begins[] = " flows=1", goes_on[] = " flows=0";
    struct octets arp = {.size = 0};
    struct world world;
    unsigned i = 0;

    world_init(&world);
    world_open(&world, "flows");
    field_set_remove(&world.show, FIELD_BYTES);
    talk(&world, 1, false, 7);
    talk(&world, 1, false, 7);
    talk(&world, 1, true, 7);
    talk(&world, 1, true, 7);
    talk(&world, 1, false, 8);
    is_text(world.records[i++], begins, "the first packet begins a flow");
    is_text(world.records[i++], goes_on, "the second does not");
    is_text(world.records[i++], begins, "the first one back begins another");
    is_text(world.records[i++], goes_on, "the second one back does not");
    is_text(world.records[i++], goes_on, "nor does another VLAN, as nobody asks for VLANs");
    capture_flush(world.capture);
    is_u64(counted(&world, INPUT_flows_tracked), 1, "both directions are one entry");
    world.now_ns += 61 * second;
    talk(&world, 1, true, 7);
    is_text(world.records[i++], begins, "after its lifetime it begins anew");
    world.now_ns += 61 * second;
    world_tick(&world);
    is_u64(counted(&world, INPUT_flows_tracked), 0, "and is forgotten by the clock");
    ethernet_arp(&arp);
    world_put(&world, &arp, (struct frame){.link = LINK_ETHERNET});
    is_u64(world.count, i, "what is not IP is no flow");
    world_close(&world, "flows");
    world_init(&world);
    world_open(&world, "flows,vlan");
    talk(&world, 1, false, 7);
    talk(&world, 1, false, 8);
    is_text(world.records[1], " vlan=8 flows=1 bytes=36", "where VLANs are asked for, each has its own flows");
    world_close(&world, "flows by VLAN");
}

#define before 70 /* on the books already, of a process that died */

/* More conversations than there is room for. */
static void test_evicted(void)
{
    struct world world;
    uint64_t evicted;

    world_init(&world);
    world.options.flow_bytes = 65536;
    world.counters[INPUT_flows_evicted] = before;
    world_open(&world, "flows");
    for (unsigned n = 0; n < 1000; n++)
        talk(&world, n, false, 1);
    capture_flush(world.capture);
    ok(counted(&world, INPUT_flows_evicted) > before + 500, "a full table forgets");
    is_u64(counted(&world, INPUT_flows_tracked) + counted(&world, INPUT_flows_evicted), before + 1000,
           "what it has and what it forgot are all that came, after what a process before it forgot");
    evicted = counted(&world, INPUT_flows_evicted);
    talk(&world, 5000, false, 1);
    is_u64(world.count, 1001, "a record each");
    world_close(&world, "evicted");
    is_u64(counted(&world, INPUT_flows_evicted), evicted + 1, "the last one before the end is counted, too");
}

/* -- classes and names -- */

struct fake { /* a classifier that counts */
    unsigned packets, released, backwards, bad;
    uint64_t no_room;
};

static struct span fake_packet(struct classifier *classifier, void **state, const uint8_t *ip, size_t size,
                               bool backwards, uint8_t proto, int64_t now_ns)
{
    struct fake *fake = (struct fake *)(void *)classifier;
    static int state_of_all;

    fake->packets++;
    fake->backwards += backwards;
    fake->bad += ip[0] != 0x45 || size != 36 || proto != 17 || now_ns < start_ns || (*state == NULL) == backwards;
    *state = &state_of_all;
    return backwards ? (struct span){"back", 4} : (struct span){"there", 5};
}

static void fake_release(struct classifier *classifier, void *state)
{
    ((struct fake *)(void *)classifier)->released += state != NULL;
}

static struct classifier_counts fake_counts(const struct classifier *classifier)
{
    return (struct classifier_counts){.no_room = ((const struct fake *)(const void *)classifier)->no_room};
}

static void test_class(void)
{
    static const struct classifier_ops ops = {.abi = classifier_abi, .packet = fake_packet, .release = fake_release,
                                              .counts = fake_counts};
    struct fake fake = {.no_room = 3};
    struct world world;

    world_init(&world);
    world.counters[INPUT_class_no_room] = before;
    world.options.classifier_ops = &ops;
    world.options.classifier = (struct classifier *)(void *)&fake;
    world_open(&world, "class");
    talk(&world, 1, false, 1);
    talk(&world, 1, true, 1);
    talk(&world, 2, false, 1);
    is_text(world.records[0], " class_name=there bytes=36", "a class");
    is_text(world.records[1], " class_name=back bytes=36", "of the way back");
    ok(fake.packets == 3 && fake.backwards == 1 && fake.bad == 0, "the classifier sees the IP packet and its state");
    is_u64(fake.released, 0, "nothing is released yet");
    capture_flush(world.capture);
    is_u64(counted(&world, INPUT_class_no_room), before + 3, "what it counts is shown");
    fake.no_room = 5;
    capture_flush(world.capture);
    is_u64(counted(&world, INPUT_class_no_room), before + 5, "and what is new of it");
    world_close(&world, "classes");
    is_u64(fake.released, 2, "in the end each conversation is released once");
}

/* A query for a name (RFC 1035 section 4.1), whole or with a UDP header that promises more than there is. */
static void put_query(struct octets *f)
{
    put_ethernet(f, 0x0800);
    put_ipv4(f, 17, 8 + 29, 0, false);
    put_hex(f, "c000 0035 0025 0000  0001 0100 0001 0000 0000 0000");
    put_hex(f, "07 6578616d706c65 03 636f6d 00 0001 0001");
}

static void test_dissection(void)
{
    char path[] = "/tmp/test_capture.XXXXXX";
    int fd = mkstemp(path);
    struct dissection_options options = {.output_file = path, .stream_bytes = 65536, .memory_bytes = 1 << 20,
                                         .want_dns_name = true};
    struct octets octets = {.size = 0};
    struct error error = {""};
    struct world world;

    world_init(&world);
    world.options.dissection = dissection_new(&options, &error);
    if (!ok(fd >= 0 && world.options.dissection != NULL, "a dissection: %s", error.text))
        return;
    world_open(&world, "dns_name");
    put_query(&octets);
    world_put(&world, &octets, (struct frame){.link = LINK_ETHERNET});
    is_text(world.records[0], " dns_name=example.com bytes=57", "a name");
    for (size_t size = 14 + 20; size < octets.size; size++) {
        struct octets cut = octets;

        cut.size = size;
        cut.bytes[35] = (uint8_t)size; /* a conversation each */
        world_put(&world, &cut, (struct frame){.link = LINK_ETHERNET, .length = (uint32_t)octets.size});
    }
    is_u64(world.count, 1 + octets.size - 34, "cut anywhere it is a record");
    world_close(&world, "names");
    ok(counted(&world, INPUT_transactions_told) > 0, "the end tells the queries that nobody answered");
    is_u64(counted(&world, INPUT_transactions_failed), 0, "all are written");
    dissection_free(world.options.dissection);
    remove(path);
}

/* TCP to port 443 whose header lies about its length, and IP headers that lie about theirs. */
static void test_lies(void)
{
    struct dissection_options options = {.stream_bytes = 65536, .memory_bytes = 1 << 20, .want_tls_sni = true};
    struct octets octets = {.size = 0};
    struct error error = {""};
    struct world world;
    unsigned frames = 0;

    world_init(&world);
    world.options.dissection = dissection_new(&options, &error);
    if (!ok(world.options.dissection != NULL, "a dissection: %s", error.text))
        return;
    world_open(&world, "tls_sni");
    put_ethernet(&octets, 0x0800);
    put_ipv4(&octets, 6, 60, 0, false);
    put_tcp(&octets, 0x18);
    for (unsigned i = 0; i < 40; i++)
        put8(&octets, i == 0 ? 0x16 : 3);
    for (unsigned total = 20; total < 100; total += 3)
        for (unsigned offset = 0; offset < 16; offset++, frames++) {
            octets.bytes[17] = (uint8_t)total;
            octets.bytes[46] = (uint8_t)(offset << 4);
            octets.bytes[37] = (uint8_t)frames; /* a conversation each, or nearly so */
            octets.size = frames % 2 ? 94 : 54 + frames % 40;
            world_put(&world, &octets, (struct frame){.link = LINK_ETHERNET, .length = 94});
        }
    is_u64(counted(&world, INPUT_frames_accounted), frames, "lengths that lie are no reason not to account");
    world_close(&world, "lies");
    dissection_free(world.options.dissection);
}

int main(void)
{
    plan_none();
    for (unsigned i = 0; i < array_length(verdicts); i++) {
        test_verdict(&verdicts[i], false);
        test_verdict(&verdicts[i], true);
    }
    test_mixed_links();
    test_origins();
    test_tunnels();
    test_flows();
    test_evicted();
    test_class();
    test_dissection();
    test_lies();
    return done_testing();
}
