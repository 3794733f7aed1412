/* SPDX-License-Identifier: BSD-2-Clause */
/* Records that carry a piece of a packet, and records of two directions. */
#include "test_netflow_finish_world.h"

/* ---- sections ---------------------------------------------------------------------------------------------------- */

/* Ethernet, IPv4 10.0.0.1 to 10.0.0.2, UDP 1111 to 2222, 100 octets by its header; cut after the ports. */
static const uint8_t frame[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 100, 0, 0, 0, 0, 64, 17, 0, 0,
                                10, 0, 0, 1, 10, 0, 0, 2, 0x04, 0x57, 0x08, 0xae, 0, 80, 0, 0};

static struct span from_frame(unsigned offset)
{
    return (struct span){(const char *)frame + offset, (uint32_t)(sizeof(frame) - offset)};
}

static void is_packet(const char *name)
{
    const struct flow *flow = &world.netflow.record.flow;

    run("section");
    ok(flow_has(flow, FIELD_SRC_HOST) && flow_has(flow, FIELD_DST_PORT), "%s: addresses and ports", name);
    is_address(&flow->src_host, "10.0.0.1", name);
    is_u64(flow->dst_port, 2222, "%s: port", name);
    is_u64(flow->packets, 1, "%s: one packet", name);
    is_u64(flow->bytes, 100, "%s: of its IP length", name);
}

static void sections(void)
{
    static const uint8_t arp[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1};
    uint8_t labelled[4 + sizeof(frame) - 14] = {0x00, 0x01, 0x01, 64};
    struct record *record = fresh(10);

    put(LINK_SECTION, from_frame(0));
    is_packet("a frame");
    is_u64(record->flow.src_mac, 0x020000000001, "its address");
    fresh(10);
    put(LINK_SECTION, from_frame(14));
    is_packet("a frame that begins with IP");
    fresh(10);
    put(IP_SECTION, from_frame(14));
    is_packet("an IP section");
    memcpy(labelled + 4, frame + 14, sizeof(frame) - 14);
    record = fresh(10);
    put(MPLS_SECTION, ((struct span){(const char *)labelled, sizeof(labelled)}));
    is_packet("an MPLS section");
    is_u64(record->flow.mpls_label_top, 16, "its label");

    record = fresh(10);
    flow_set_src_port(&record->flow, 9);
    flow_set_bytes(&record->flow, 5000);
    flow_set_packets(&record->flow, 3);
    field_set_add(&world.definition->have, FIELD_BYTES);
    field_set_add(&world.definition->have, FIELD_PACKETS);
    put(LINK_SECTION, from_frame(0));
    run("section");
    is_u64(record->flow.src_port, 9, "what the record has is not touched");
    is_u64(record->flow.dst_port, 2222, "what it lacks is added");
    is_u64(record->flow.bytes, 5000, "nor are its bytes");
    is_u64(record->flow.packets, 3, "and packets");
    record = fresh(10);
    flow_set_packets(&record->flow, 3);
    field_set_add(&world.definition->have, FIELD_PACKETS);
    put(LINK_SECTION, from_frame(0));
    run("section");
    is_u64(record->flow.bytes, 300, "packets without bytes: each is as long as this one");

    record = fresh(10);
    put(LINK_SECTION, ((struct span){(const char *)arp, sizeof(arp)}));
    run("section");
    is_u64(record->flow.packets, 0, "what is not IP counts nothing");
    is_u64(record->flow.etype, 0x0806, "but tells what it is");
    record = fresh(10);
    put(SECTION_SIZE, 1500);
    run("section");
    is_u64(record->flow.packets, 0, "no section");
    put(IP_SECTION, ((struct span){"", 0}));
    run("section");
    is_u64(record->flow.packets, 0, "an empty one");
    record = fresh(10);
    world.definition->event = true;
    put(PACKET_LENGTH, 1400);
    run("packet length");
    is_u64(record->flow.packets, 1, "the length of a packet is a packet");
    is_u64(record->flow.bytes, 1400, "of so many bytes");
    record = fresh(10);
    put(PACKET_LENGTH, 1400);
    run("packet length");
    is_u64(record->flow.packets, 0, "but not where something counts");
    for (uint32_t cut = 0; cut < sizeof(frame); cut++) {
        fresh(10);
        put(LINK_SECTION, ((struct span){(const char *)frame, cut}));
        run("section");
    }
    ok(true, "cut frames");
}

/* ---- two directions ---------------------------------------------------------------------------------------------- */

static struct record *two_way(enum netflow_biflow biflow)
{
    struct record *record;

    clear_world(10);
    world.netflow.options.biflow = biflow;
    field_wanted(TIMESTAMP_START);
    record = open_world();
    flow_set_src_host(&record->flow, address("10.0.0.1"));
    flow_set_dst_host(&record->flow, address("10.0.0.2"));
    flow_set_src_port(&record->flow, 1111);
    flow_set_dst_port(&record->flow, 80);
    flow_set_in_iface(&record->flow, 3);
    flow_set_src_as(&record->flow, 65001);
    flow_set_tcpflags(&record->flow, 2);
    flow_set_proto(&record->flow, 6);
    flow_set_tos(&record->flow, 8);
    flow_set_peer_dst_ip(&record->flow, address("10.9.9.9"));
    flow_set_bytes(&record->flow, 500);
    flow_set_packets(&record->flow, 5);
    flow_set_sampling_rate(&record->flow, 1000);
    put(REVERSE_BYTES, 9000);
    put(REVERSE_PACKETS, 9);
    put(REVERSE_TCPFLAGS, 0x112);
    return record;
}

static void split(void)
{
    struct record *record = two_way(NETFLOW_BIFLOW_SPLIT);
    const struct flow *first = &world.emitted[0], *second = &world.emitted[1];

    put(REVERSE_START_MS, (uint64_t)(export_time / ms - 40));
    run("two ways");
    is_u64(world.emitted_count, 2, "two records");
    is_u64(first->bytes, 500, "forward bytes");
    is_u64(first->sampling_rate, 1000, "forward rate");
    is_address(&first->src_host, "10.0.0.1", "forward source");
    is_u64(second->bytes, 9000, "reverse bytes");
    is_u64(second->packets, 9, "reverse packets");
    is_address(&second->src_host, "10.0.0.2", "reverse source");
    is_address(&second->dst_host, "10.0.0.1", "reverse destination");
    is_u64(second->src_port, 80, "reverse ports");
    is_u64(second->dst_port, 1111, "reverse ports");
    ok(!flow_has(second, FIELD_IN_IFACE) && flow_has(second, FIELD_OUT_IFACE), "interfaces change places");
    is_u64(second->out_iface, 3, "with their numbers");
    ok(!flow_has(second, FIELD_SRC_AS) && second->dst_as == 65001, "so do the AS");
    is_u64(second->tcpflags, 0x12, "reverse flags, eight of them");
    is_u64(second->tos, 8, "the same ToS");
    is_u64(second->proto, 6, "the same protocol");
    ok(!flow_has(second, FIELD_PEER_DST_IP), "no next hop");
    is_u64(second->sampling_rate, 1000, "the rate, although the first taker changed it");
    is_u64((uint64_t)second->timestamp_start, (uint64_t)(export_time - 40 * ms), "a start of its own");
    is_u64((uint64_t)record->flow.timestamp_start, (uint64_t)export_time, "which does not stay for the next record");
    is_u64(world.counters[INPUT_data_records_reversed], 1, "counted");

    two_way(NETFLOW_BIFLOW_SPLIT);
    put(REVERSE_START_MS, 5);
    put(REVERSE_BYTES, 0);
    run("two ways");
    is_u64((uint64_t)second->timestamp_start, (uint64_t)export_time, "a start in 1970 is not believed");
    is_u64(second->packets, 9, "one counter is enough");
    two_way(NETFLOW_BIFLOW_SPLIT);
    put(REVERSE_BYTES, 0);
    put(REVERSE_PACKETS, 0);
    run("two ways");
    is_u64(world.emitted_count, 1, "nothing came back");
    record = two_way(NETFLOW_BIFLOW_SPLIT);
    flow_set_bytes(&record->flow, 0);
    flow_set_packets(&record->flow, 0);
    run("two ways");
    is_u64(world.emitted_count, 2, "nothing went forth: the record stays, beside the reverse one");
}

static void single_and_ignored(void)
{
    struct record *record = two_way(NETFLOW_BIFLOW_SINGLE);

    run("two ways");
    is_u64(world.emitted_count, 1, "single: one record");
    is_u64(world.emitted[0].bytes, 9500, "single: the sum");
    is_u64(world.emitted[0].packets, 14, "single: the sum");
    is_u64(world.emitted[0].tcpflags, 0x12, "single: all flags");
    is_u64(world.counters[INPUT_data_records_reversed], 0, "single: nothing is reversed");
    record = two_way(NETFLOW_BIFLOW_SINGLE);
    flow_set_bytes(&record->flow, UINT64_MAX - 5);
    run("two ways");
    is_u64(world.emitted[0].bytes, UINT64_MAX, "single: not over the top");
    two_way(NETFLOW_BIFLOW_IGNORE);
    run("two ways");
    is_u64(world.emitted_count, 1, "ignored: one record");
    is_u64(world.emitted[0].bytes, 500, "ignored: forward alone");
}

static void firewalls(void)
{
    for (unsigned asked = 0; asked < 2; asked++) {
        struct record *record;

        clear_world(9);
        world.netflow.options.asa_bi_flow = asked;
        record = open_world();
        flow_set_src_port(&record->flow, 1);
        flow_set_dst_port(&record->flow, 2);
        put(INITIATOR_BYTES, 10);
        put(RESPONDER_BYTES, 20);
        put(RESPONDER_PACKETS, 2);
        run("two ways");
        is_u64(world.emitted_count, 1 + asked, "asa_bi_flow %u: records", asked);
        is_u64(world.emitted[0].bytes, asked ? 10 : 0, "asa_bi_flow %u: the initiator's bytes", asked);
        is_u64(world.emitted[0].packets, 0, "asa_bi_flow %u: packets that are not told", asked);
        if (asked) {
            is_u64(world.emitted[1].bytes, 20, "the responder's bytes");
            is_u64(world.emitted[1].packets, 2, "and packets");
            is_u64(world.emitted[1].src_port, 2, "of the other direction");
        }
    }
    clear_world(9);
    world.netflow.options.asa_bi_flow = true;
    struct record *record = open_world();
    field_set_add(&world.definition->have, FIELD_BYTES);
    field_set_add(&world.definition->have, FIELD_PACKETS);
    flow_set_bytes(&record->flow, 77);
    put(INITIATOR_BYTES, 10);
    put(RESPONDER_BYTES, 20);
    run("two ways");
    is_u64(world.emitted_count, 1, "other counters come first");
    is_u64(world.emitted[0].bytes, 77, "and stay");
}

static void mirrored(void)
{
    struct field_set wants = {{0}};

    clear_world(10);
    field_set_add(&wants, FIELD_SRC_HOST);
    field_set_add(&wants, FIELD_OUT_IFACE);
    world.definition->field_count = 1;
    world.definition->fields[0] = (struct template_field){0, 232, 4};
    finish_mirror(&world.netflow, world.definition, &wants);
    ok(!field_set_has(&wants, FIELD_DST_HOST), "232 without asa_bi_flow is no direction");
    world.netflow.options.asa_bi_flow = true;
    finish_mirror(&world.netflow, world.definition, &wants);
    ok(field_set_has(&wants, FIELD_DST_HOST) && field_set_has(&wants, FIELD_IN_IFACE), "with it opposites are read");
    ok(!field_set_has(&wants, FIELD_DST_PORT), "but no others");
    wants = (struct field_set){{0}};
    field_set_add(&wants, FIELD_DST_MASK);
    world.definition->fields[0] = (struct template_field){enterprise_reverse, 1, 8};
    finish_mirror(&world.netflow, world.definition, &wants);
    ok(field_set_has(&wants, FIELD_SRC_MASK), "so they are with reverse elements");
}

int main(void)
{
    plan_none();
    sections();
    split();
    single_and_ignored();
    firewalls();
    mirrored();
    return end_of_world();
}
