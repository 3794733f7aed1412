/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The finishing steps of NetFlow and IPFIX records, each on a record made by hand: addresses, interfaces, labels,
 * names, sampling rates, and the tables that lead to the steps.
 */
#include "test_netflow_finish_world.h"

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static void tables(void)
{
    static const char *const part_names[] = {
#define PART(id, kind) #id,
#include "decode/netflow/parts.def"
#undef PART
    };
    static const uint8_t mapped[] = {
#define MAP_FIELD(field, enterprise, id, rank, which)
#define MAP_PART(part, enterprise, id, rank, which) PART_##part,
#include "decode/netflow/mapping.def"
#undef MAP_FIELD
#undef MAP_PART
    };
    bool used[PART_COUNT] = {false}, given[PART_COUNT] = {false};

    ok(finish_count <= 32, "a bit for each step");
    for (unsigned i = 0; i < finish_count; i++) {
        ok(finish_table[i].part_count <= finish_parts_max && finish_table[i].give_count <= finish_gives_max &&
               finish_table[i].need_count <= finish_gives_max,
           "%s: counts are in bounds", finish_table[i].name);
        ok(!finish_table[i].last || i == finish_count - 1, "%s: only the last step hands on", finish_table[i].name);
        for (unsigned p = 0; p < finish_table[i].part_count; p++)
            used[finish_table[i].parts[p]] = true;
    }
    for (unsigned i = 0; i < array_length(mapped); i++)
        given[mapped[i]] = true;
    for (unsigned p = 0; p < PART_COUNT; p++)
        ok(used[p] && given[p], "part %s: some element gives it, some step takes it", part_names[p]);
}

static void mapping(void)
{
    static const struct {
        unsigned target, enterprise, id, rank;
        const char *which;
    } rows[] = {
#define MAP_FIELD(field, enterprise, id, rank, which) {FIELD_##field, enterprise, id, rank, #which},
#define MAP_PART(part, enterprise, id, rank, which) {FIELD_COUNT + PART_##part, enterprise, id, rank, #which},
#include "decode/netflow/mapping.def"
#undef MAP_FIELD
#undef MAP_PART
    };
    unsigned twice = 0, equal = 0, words = 0;

    for (unsigned i = 0; i < array_length(rows); i++) {
        words += strcmp(rows[i].which, "LAST") != 0 && strcmp(rows[i].which, "FIRST") != 0 &&
                 strcmp(rows[i].which, "TWICE_FIRST") != 0;
        for (unsigned k = i + 1; k < array_length(rows); k++) {
            twice += rows[i].target == rows[k].target && rows[i].enterprise == rows[k].enterprise &&
                     rows[i].id == rows[k].id;
            equal += rows[i].target == rows[k].target && rows[i].rank == rows[k].rank;
        }
    }
    is_u64(twice, 0, "no element gives a target twice");
    is_u64(equal, 0, "no two elements of a target have one rank");
    is_u64(words, 0, "each row says which copy it takes");
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static void addresses(void)
{
    struct record *record = fresh(9);

    put(SRC_IPV4, address("0.0.0.0"));
    put(SRC_IPV6, address("2001:db8::1"));
    put(DST_IPV4, address("10.0.0.2"));
    put(DST_IPV6, address("2001:db8::2"));
    memset(record->parts.DST_IPV6.bytes, 0, 16);
    record->parts.DST_IPV6.bytes[0] = 0xff; /* :: */
    run("addresses");
    is_address(&record->flow.src_host, "2001:db8::1", "the family that is not zero: IPv6");
    is_address(&record->flow.dst_host, "10.0.0.2", "the family that is not zero: IPv4");
    flow_set_src_mask(&record->flow, 0);
    flow_set_dst_mask(&record->flow, 24);
    put(SRC_MASK_IPV6, 300);
    put(DST_MASK_IPV6, 0);
    run("masks");
    is_u64(record->flow.src_mask, 255, "IPv6 address, its mask, at most what fits");
    is_u64(record->flow.dst_mask, 24, "IPv4 address, its mask");

    record = fresh(10);
    put(SRC_IPV4, address("0.0.0.0"));
    run("addresses");
    ok(!flow_has(&record->flow, FIELD_SRC_HOST), "one family alone is none of this step's");

    record = fresh(10);
    flow_set_post_nat_src_host(&record->flow, address("0.0.0.0"));
    flow_set_post_nat_dst_host(&record->flow, address("192.0.2.77"));
    put(POST_NAT_SRC_IPV6, address("2001:db8::5"));
    put(POST_NAT_DST_IPV6, address("2001:db8::6"));
    run("translated addresses");
    is_address(&record->flow.post_nat_src_host, "2001:db8::5", "translated: the one that is not zero");
    is_address(&record->flow.post_nat_dst_host, "192.0.2.77", "translated: IPv4 before IPv6");
}

static void next_hops(void)
{
    struct record *record = fresh(9);

    put(IP_NEXT_HOP_IPV4, address("10.0.0.1"));
    run("next hop");
    ok(!flow_has(&record->flow, FIELD_PEER_DST_IP), "the IP next hop is not asked for");
    world.netflow.options.use_ip_next_hop = true;
    run("next hop");
    is_address(&record->flow.peer_dst_ip, "10.0.0.1", "the IP next hop with use_ip_next_hop");
    put(BGP_NEXT_HOP_IPV4, address("0.0.0.0"));
    put(MPLS_NEXT_HOP_IPV4, address("10.0.0.3"));
    run("next hop");
    is_address(&record->flow.peer_dst_ip, "10.0.0.3", "MPLS before IP, none before zero");
    put(BGP_NEXT_HOP_IPV6, address("2001:db8::9"));
    run("next hop");
    is_address(&record->flow.peer_dst_ip, "2001:db8::9", "BGP before MPLS");
    record = fresh(9);
    put(BGP_NEXT_HOP_IPV4, address("0.0.0.0"));
    run("next hop");
    is_address(&record->flow.peer_dst_ip, "0.0.0.0", "all are zero: so is the field");
}

static void exporters(void)
{
    struct record *record;

    clear_world(10);
    field_wanted(PEER_SRC_IP);
    record = open_world();
    ok(flow_has(&record->flow, FIELD_PEER_SRC_IP), "the exporter is a constant of the set");
    is_address(&record->flow.peer_src_ip, "192.0.2.1", "the socket's address");
    world.domain.told = address("198.51.100.1");
    finish_message(&world.netflow);
    is_address(&record->flow.peer_src_ip, "198.51.100.1", "what options data told");
    put(EXPORTER_IPV4, address("198.51.100.2"));
    run("exporter");
    is_address(&record->flow.peer_src_ip, "198.51.100.2", "what the record tells");
    put(EXPORTER_IPV4, address("0.0.0.0"));
    run("exporter");
    is_address(&record->flow.peer_src_ip, "198.51.100.1", "zero is nothing told, and the record before is forgotten");
    put(EXPORTER_IPV6, address("2001:db8::77"));
    run("exporter");
    is_address(&record->flow.peer_src_ip, "2001:db8::77", "IPv6");
    world.netflow.options.ignore_exporter_address = true;
    run("exporter");
    is_address(&record->flow.peer_src_ip, "192.0.2.1", "ignore_exporter_address");
}

/* ---- link -------------------------------------------------------------------------------------------------------- */

static void links(void)
{
    static const struct {
        uint64_t direction;
        char letter;
        unsigned vlan;
    } directions[] = {{0, 'i', 10}, {1, 'e', 20}, {2, 'u', 10}, {255, 'u', 10}};
    struct record *record;

    for (unsigned i = 0; i < array_length(directions); i++) {
        clear_world(9);
        field_wanted(VLAN);
        record = open_world();
        put(DIRECTION, directions[i].direction);
        put(POST_VLAN, 20);
        flow_set_vlan(&record->flow, 10);
        run("direction");
        run("vlan");
        is_u64((uint64_t)record->flow.sampling_direction, (uint64_t)directions[i].letter, "direction %u", i);
        is_u64(record->flow.vlan, directions[i].vlan, "VLAN of direction %u", i);
    }
    record = fresh(9);
    flow_set_in_iface(&record->flow, 0);
    flow_set_out_iface(&record->flow, 5);
    put(IN_PHYSICAL, UINT64_C(1) << 40);
    put(OUT_PHYSICAL, 9);
    run("interfaces");
    is_u64(record->flow.in_iface, UINT32_MAX, "logical 0: the physical one, at most what fits");
    is_u64(record->flow.out_iface, 5, "logical before physical");
    put(DSCP, 46);
    run("dscp");
    is_u64(record->flow.tos, 184, "DSCP becomes ToS");
    put(DSCP, 1);
    run("dscp");
    is_u64(record->flow.tos, 184, "but not where there is ToS");
    put(COMMON_PROPERTIES, 2 << 10);
    run("forwarding status");
    is_u64(record->flow.fwd_status, 64, "Juniper: no exception");
    record = fresh(10);
    put(COMMON_PROPERTIES, 2 << 10 | 5);
    run("forwarding status");
    is_u64(record->flow.fwd_status, 128, "Juniper: an exception");
    record = fresh(10);
    put(COMMON_PROPERTIES, 1 << 10 | 5);
    run("forwarding status");
    ok(!flow_has(&record->flow, FIELD_FWD_STATUS), "Juniper: another property");
    put(DELAY_SUM, 100);
    run("delay");
    ok(!flow_has(&record->flow, FIELD_PATH_DELAY_AVG_USEC), "no packets, no mean");
    record->flow.packets = 8;
    run("delay");
    is_u64(record->flow.path_delay_avg_usec, 12, "the mean of a sum");
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static void labels(void)
{
    static const uint8_t plain[33] = {0x20, 1,          0x0d,        0xb8,        [15] = 1, [16] = 0x20,
                                      [17] = 1, [18] = 0x0d, [19] = 0xb8, [31] = 2};
    static const uint8_t list[] = {4, 1, 0xee, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3};
    static const uint8_t other[] = {4, 0x81, 0xee, 0, 4, 0, 0, 0, 0, 4, 1, 2, 3, 4};
    struct record *record = fresh(9);

    put(MPLS_1, 69 << 4);
    put(MPLS_2, 24305 << 4 | 1);
    put(MPLS_3, 17 << 4);
    run("labels");
    is_span(record->flow.mpls_label_stack, "69_24305", "the stack ends with the bottom's bit");
    is_u64(record->flow.mpls_label_top, 69, "top");
    is_u64(record->flow.mpls_label_bottom, 24305, "bottom");
    record = fresh(9);
    put(MPLS_1, 1048575 << 4 | 14);
    put(MPLS_2, 20 << 4);
    put(MPLS_3, 0);
    put(MPLS_4, 5 << 4);
    run("labels");
    is_span(record->flow.mpls_label_stack, "1048575_20", "or before a zero");
    record = fresh(9);
    world.definition->field_count = 1;
    world.definition->fields[0] = (struct template_field){0, 70, 4};
    put(MPLS_1, 20 << 12 | 0x100 | 255);
    run("labels");
    is_span(record->flow.mpls_label_stack, "20", "entries with their time to live");
    record = fresh(9);
    put(MPLS_1, 0);
    run("labels");
    ok(!flow_has(&record->flow, FIELD_MPLS_LABEL_TOP), "no labels");
    record = fresh(9);
    put(MPLS_1, 16000 << 4);
    put(MPLS_2, 1048575 << 4);
    put(MPLS_3, 1048575 << 4);
    put(MPLS_4, 1048575 << 4);
    put(MPLS_5, 1048575 << 4);
    put(MPLS_6, 1048575 << 4);
    put(MPLS_7, 1048575 << 4);
    put(MPLS_8, 1048575 << 4);
    put(MPLS_9, 1048575 << 4);
    put(MPLS_10, UINT64_MAX);
    run("labels");
    is_u64(record->flow.mpls_label_stack.length, 5 + 9 * 8, "ten labels");

    record = fresh(10);
    put(SEGMENT, UINT64_C(1) << 56 | 5001);
    run("segment");
    is_u64(record->flow.vxlan, 5001, "VXLAN");
    put(SEGMENT, UINT64_C(2) << 56 | 0xfffffff);
    run("segment");
    is_u64(record->flow.nvgre, 0xffffff, "NVGRE, 24 bits");
    record = fresh(10);
    put(TUNNEL_TYPE, 2);
    put(TUNNEL_KEY, 9);
    run("tunnel key");
    ok(!flow_has(&record->flow, FIELD_VXLAN), "the key of another tunnel");
    put(TUNNEL_TYPE, 1);
    run("tunnel key");
    is_u64(record->flow.vxlan, 9, "the key of VXLAN");

    put(SEGMENT_LIST, ((struct span){(const char *)plain, sizeof(plain)}));
    run("segment list");
    is_span(record->flow.srv6_seg_ipv6_list, "2001:db8::1_2001:db8::2", "segments one after the other");
    record = fresh(10);
    put(SEGMENT_BASIC_LIST, ((struct span){(const char *)other, sizeof(other)}));
    run("segment list");
    ok(!flow_has(&record->flow, FIELD_SRV6_SEG_IPV6_LIST), "a list of something else");
    put(SEGMENT_BASIC_LIST, ((struct span){(const char *)list, sizeof(list)}));
    run("segment list");
    is_span(record->flow.srv6_seg_ipv6_list, "2001:db8::3", "a basicList");
    record = fresh(10);
    for (uint32_t cut = 0; cut < sizeof(list); cut++) {
        put(SEGMENT_BASIC_LIST, ((struct span){(const char *)list, cut}));
        run("segment list");
    }
    ok(!flow_has(&record->flow, FIELD_SRV6_SEG_IPV6_LIST), "a cut list gives nothing");
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void interface_names(void)
{
    struct record *record;

    clear_world(9);
    field_wanted(IN_IFACE_NAME);
    field_wanted(OUT_IFACE_NAME);
    record = open_world();
    flow_set_in_iface(&record->flow, 7);
    flow_set_out_iface(&record->flow, 7);
    put(INTERFACE_NAME, ((struct span){"eth0\0\0\0\0", 8}));
    run("interface names");
    run("interface names by number");
    is_span(record->flow.in_iface_name, "eth0", "one name is the input's, without what fills it up");
    is_span(record->flow.out_iface_name, "Gi0/7", "the output's by its number");
    record->flow.have = (struct field_set){{0}};
    put(FIRST_INTERFACE_NAME, text_span("eth1  "));
    run("interface names");
    run("interface names by number");
    is_span(record->flow.in_iface_name, "eth1", "two names: the first is the input's");
    is_span(record->flow.out_iface_name, "eth0", "the second the output's");
}

static void vrfs(void)
{
    struct record *record;

    clear_world(9);
    field_wanted(MPLS_VPN_RD);
    record = open_world();
    put(EGRESS_VRF, 2);
    run("vrf");
    is_span(record->flow.vrf_name, "blue", "the egress VRF alone");
    ok(!flow_has(&record->flow, FIELD_INGRESS_VRF_NAME), "no ingress VRF");
    is_u64(record->flow.mpls_vpn_rd, 0x100640003, "its distinguisher");
    put(INGRESS_VRF, 1);
    run("vrf");
    is_span(record->flow.vrf_name, "red", "ingress before egress");
    is_span(record->flow.egress_vrf_name, "blue", "the egress name stays");
    is_u64(record->flow.mpls_vpn_rd, 0x100640002, "and the distinguisher");
    is_u64(record->flow.mpls_vpn_rd_origin, 1, "told by the flow");
    put(INGRESS_VRF, 99);
    put(VRF_NAME, text_span("green"));
    put(ROUTE_DISTINGUISHER, 42);
    run("vrf");
    is_span(record->flow.ingress_vrf_name, "green", "the record's own name");
    is_u64(record->flow.mpls_vpn_rd, 42, "the record's own distinguisher");
}

static void applications(void)
{
    struct record *record = fresh(9);

    put(APPLICATION, ((struct span){"\3\0\0\x51", 4}));
    run("application");
    ok(!flow_has(&record->flow, FIELD_CLASS), "not known");
    put(APPLICATION, ((struct span){"\3\0\0\x50", 4}));
    run("application");
    is_span(record->flow.class_name, "http", "by its id");
    put(APPLICATION_NAME, text_span("dns"));
    run("application");
    is_span(record->flow.class_name, "dns", "by its name");
}

/* ---- sampling ---------------------------------------------------------------------------------------------------- */

static void rates(void)
{
    static const struct {
        double rate;
        uint32_t want;
    } cases[] = {{0, 0},      {1, 1},           {1000, 1000},       {10.5, 11},
                 {0.25, 1},   {1e12, UINT32_MAX}, {3.0000001, 3}, {-5, 0},
                 {__builtin_nan(""), 0}};
    struct record *record;

    for (unsigned i = 0; i < array_length(cases); i++) {
        record = fresh(9);
        world.rate = cases[i].rate;
        run("rate without parts");
        is_u64(record->flow.sampling_rate, cases[i].want, "a rate of %g", cases[i].rate);
        ok(!finish_dropped(&world.netflow), "is accounted");
    }
    record = fresh(9);
    world.rate = 10;
    run("rate");
    world.rate = 20;
    run("rate without parts");
    is_u64(record->flow.sampling_rate, 10, "one of the two steps sets it");
    clear_world(9);
    world.netflow.options.drop_unknown_rate = true;
    record = open_world();
    ok(field_set_has(&world.netflow.output.wants, FIELD_SAMPLING_RATE), "to drop what has no rate, ask for the rate");
    world.rate = 0;
    run("rate");
    is_u64(world.counters[INPUT_data_records_no_rate], 1, "counted");
    run("two ways");
    is_u64(world.emitted_count, 0, "and not handed on");
    ok(!finish_dropped(&world.netflow), "the mark is off for the next record");
    run("two ways");
    is_u64(world.emitted_count, 1, "which is handed on");
}

/* ---- constants --------------------------------------------------------------------------------------------------- */

static void constants(void)
{
    struct record *record;

    clear_world(9);
    field_wanted(TRANSPORT_SRC_IP);
    field_wanted(EXPORT_PROTO_SEQNO);
    field_wanted(EXPORT_PROTO_SYSID);
    field_wanted(FLOWS);
    world.netflow.message.sequence = 55;
    world.netflow.message.domain_id = 66;
    record = open_world();
    is_u64(record->flow.export_proto_seqno, 55, "sequence");
    is_u64(record->flow.export_proto_sysid, 66, "domain");
    is_u64(record->flow.flows, 1, "one flow");
    is_address(&record->flow.transport_src_ip, "192.0.2.9", "where the datagram came from");
    ok(flow_has(&record->flow, FIELD_BYTES) && flow_has(&record->flow, FIELD_PACKETS), "counters are always there");
    ok(!flow_has(&record->flow, FIELD_EXPORT_PROTO_VERSION), "what is not wanted is not");
    record->flow.flows = 9;
    record->flow.bytes = 9;
    finish_message(&world.netflow);
    is_u64(record->flow.flows, 1, "anew for each set");
    is_u64(record->flow.bytes, 0, "bytes too");
}

int main(void)
{
    plan_none();
    tables();
    mapping();
    addresses();
    next_hops();
    exporters();
    links();
    labels();
    interface_names();
    vrfs();
    applications();
    rates();
    constants();
    return end_of_world();
}
