/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From flow samples to records: which record of a sample gives which field, what wins over what, in whatever order they
 * come; headers end to end through the packet decoder.
 */
#include "decode/sflow/sflow.h"

#include "lib/tap.h"
#include "unit/decode/test_sflow_writer.h"

static const struct test_sample plain = {1, 3, 1000, 0, 3, 4, 1};

static const struct flow *last(const struct test_bench *bench)
{
    return &bench->flows[bench->count - 1];
}

static void is_span(struct span span, const char *want, const char *name)
{
    char text[flow_string_max + 1];

    snprintf(text, sizeof(text), "%.*s", (int)span.length, span.data);
    is_text(text, want, "%s", name);
}

static void is_address(struct address address, const char *want, const char *name)
{
    char text[address_text_max];

    text[address_format(&address, text)] = '\0';
    is_text(text, want, "%s", name);
}

/* One datagram of one flow sample with the records written by `records`. */
static void feed_sample(struct test_bench *bench, struct test_sample sample, void (*records)(struct writer *w))
{
    struct writer w = {.size = 0};

    put_datagram(&w, 7, 1, 1000, 1);
    size_t handle = begin_flow_sample(&w, sample);
    records(&w);
    end_structure(&w, handle);
    bench_feed(bench, &w);
}

static void write_full(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_tcp_frame(&frame, 100, 400);
    put_header_record(w, 1, 422, 4, &frame);
    put_switch_record(w, 200, 3, 300);
    put_router_record(w);
    put_gateway_record(w);
}

static void write_full_backwards(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_gateway_record(w);
    put_router_record(w);
    put_switch_record(w, 200, 3, 300);
    put_tcp_frame(&frame, 100, 400);
    put_header_record(w, 1, 422, 4, &frame);
}

static void full_sample(void (*records)(struct writer *w), const char *name)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct test_sample sample = plain;

    sample.records = 4;
    feed_sample(bench, sample, records);
    is_u64(bench->count, 1, "%s: one record", name);
    const struct flow *flow = last(bench);
    is_address(flow->src_host, "10.1.2.3", "src_host");
    is_address(flow->dst_host, "198.51.100.7", "dst_host");
    is_u64(flow->src_port, 1234, "src_port");
    is_u64(flow->dst_port, 443, "dst_port");
    is_u64(flow->proto, 6, "proto");
    is_u64(flow->tcpflags, 0x18, "tcpflags");
    is_u64(flow->tos, 0xb8, "tos");
    is_u64(flow->src_mac, UINT64_C(0x0200000000aa), "src_mac");
    is_u64(flow->dst_mac, UINT64_C(0x020000000001), "dst_mac");
    is_u64(flow->vlan, 200, "vlan: the switch record wins over the tag");
    is_u64(flow->in_vlan, 200, "in_vlan");
    is_u64(flow->out_vlan, 300, "out_vlan");
    is_u64(flow->cos, 3, "cos goes with the VLAN");
    is_u64(flow->src_mask, 24, "src_mask");
    is_u64(flow->dst_mask, 16, "dst_mask");
    is_u64(flow->src_as, 64501, "src_as");
    is_u64(flow->peer_src_as, 64502, "peer_src_as");
    is_u64(flow->dst_as, 64510, "dst_as: last AS of the last segment");
    is_u64(flow->peer_dst_as, 3356, "peer_dst_as: first AS of the first segment");
    is_u64(flow->local_pref, 150, "local_pref");
    is_address(flow->peer_dst_ip, "192.0.2.1", "peer_dst_ip is the BGP next hop");
    is_span(flow->as_path, "3356_174_64510", "as_path");
    is_span(flow->std_comm, "64500:100_65000:200", "std_comm");
    is_u64(flow->in_iface, 3, "in_iface");
    is_u64(flow->out_iface, 4, "out_iface");
    is_u64((uint64_t)flow->sampling_direction, 'i', "sampling_direction");
    is_u64(flow->sampling_rate, 1000, "sampling_rate");
    is_u64(flow->bytes, 422, "bytes: frame length");
    is_u64(flow->packets, 1, "packets");
    is_u64(flow->flows, 1, "flows");
    is_u64(flow->export_proto_version, 5, "export_proto_version");
    is_u64(flow->export_proto_seqno, 1, "export_proto_seqno");
    is_u64(flow->export_proto_sysid, 7, "export_proto_sysid is the sub-agent");
    is_address(flow->peer_src_ip, "192.168.1.32", "peer_src_ip is the agent");
    is_address(flow->transport_src_ip, "127.0.0.9", "transport_src_ip is the socket's");
    is_u64((uint64_t)flow->timestamp_arrival, (uint64_t)bench->origin.arrival_ns, "timestamp_arrival");
    ok(!flow_has(flow, FIELD_TIMESTAMP_START), "no timestamp_start without record 1043");
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);
}

static void write_tag_only(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_switch_record(w, 0, 0, 0xffffffff);
    put_tcp_frame(&frame, 100, 400);
    put_header_record(w, 1, 422, 4, &frame);
}

static void vlans_and_lengths(void)
{
    static const struct {
        enum sflow_byte_count mode;
        unsigned bytes;
    } modes[] = {{SFLOW_BYTES_FRAME, 422}, {SFLOW_BYTES_FRAME_WITHOUT_FCS, 418}, {SFLOW_BYTES_IP, 400}};
    struct test_sample sample = plain;

    sample.records = 2;
    for (size_t i = 0; i < array_length(modes); i++) {
        struct sflow_options options = {.byte_count = modes[i].mode};
        struct test_bench *bench = bench_new(options, false);
        feed_sample(bench, sample, write_tag_only);
        is_u64(last(bench)->bytes, modes[i].bytes, "bytes in mode %d", (int)modes[i].mode);
        is_u64(last(bench)->vlan, 100, "vlan 0 of the switch record is unknown: the tag");
        is_u64(last(bench)->cos, 5, "cos of the tag");
        is_u64(last(bench)->in_vlan, 100, "in_vlan of the tag");
        ok(!flow_has(last(bench), FIELD_OUT_VLAN), "out_vlan: all ones is unknown");
        bench_free(bench);
    }
}

/* Notes of the project's vectors: frame length below the IP length (sampled before segmentation). */
static void write_segmented(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_switch_record(w, 0, 0, 0);
    put_tcp_frame(&frame, 0, 797);
    put_header_record(w, 1, 146, 4, &frame);
}

static void write_udp_352(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_hex(&frame, "500000040001" "500000060000" "0800" "45000160" "00004000" "4011" "0000" "0a1e010c" "c0a801fa");
    put_hex(&frame, "0cd50808" "014c0000" "00000000");
    put_header_record(w, 1, 370, 4, &frame);
}

static void write_icmp(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_hex(&frame, "500000040001" "500000060000" "0800" "45000038" "00004000" "4001" "0000" "c0a801fa" "0a1e010c");
    put_hex(&frame, "0303" "0000" "00000000" "45000160" "00004000" "4011" "0000" "0a1e010c" "c0a801fa" "0cd50808014c0000");
    put_header_record(w, 1, 74, 4, &frame);
}

static void write_bpdu(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_hex(&frame, "0180c2000000" "500000060000" "0027" "424203" "0000020000");
    put_header_record(w, 1, 64, 4, &frame);
}

static void seeds(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct test_sample sample = plain;

    feed_sample(bench, plain, write_udp_352);
    is_u64(last(bench)->bytes, 370, "seed a: 370 bytes");
    is_u64(last(bench)->src_port, 3285, "seed a: source port");
    is_u64(last(bench)->dst_port, 2056, "seed a: destination port");
    is_u64(last(bench)->src_mac, UINT64_C(0x500000060000), "seed a: source MAC");
    feed_sample(bench, plain, write_icmp);
    is_u64(last(bench)->bytes, 74, "seed b: 74 bytes");
    is_u64(last(bench)->proto, 1, "seed b: ICMP");
    ok(!flow_has(last(bench), FIELD_SRC_PORT), "seed b: no ports");
    feed_sample(bench, plain, write_bpdu);
    is_u64(bench->count, 2, "seed c: a BPDU gives no record");
    is_u64(bench_counter(bench, INPUT_samples_not_ip), 1, "seed c: counted as not IP");
    sample.records = 2;
    feed_sample(bench, sample, write_segmented);
    is_u64(last(bench)->bytes, 146, "seed d: frame length");
    bench_free(bench);

    options.unknown_etype = true;
    bench = bench_new(options, false);
    feed_sample(bench, plain, write_bpdu);
    is_u64(bench->count, 1, "unknown_etype: the BPDU gives a record");
    is_u64(last(bench)->bytes, 64, "unknown_etype: its bytes");
    is_u64(last(bench)->dst_mac, UINT64_C(0x0180c2000000), "unknown_etype: its MAC");
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);

    options = (struct sflow_options){.byte_count = SFLOW_BYTES_IP};
    bench = bench_new(options, false);
    feed_sample(bench, sample, write_segmented);
    is_u64(last(bench)->bytes, 797, "seed d: the IP header's length in mode ip");
    bench_free(bench);
}

static void write_ipv4_record(struct writer *w)
{
    static const uint32_t words[] = {60, 6, 0x0a000001, 0x0a000002, 1000, 80, 0x12, 0x20};
    size_t handle = begin_structure(w, 0, 2);

    put_u32(w, 78);
    put_mac(w, 0x020000000005);
    put_mac(w, 0x020000000006);
    put_u32(w, 0x0800);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 3);
    for (size_t i = 0; i < array_length(words); i++)
        put_u32(w, words[i]);
    end_structure(w, handle);
}

static void write_ipv6_record(struct writer *w)
{
    size_t handle = begin_structure(w, 0, 4);

    put_u32(w, 90);
    put_u32(w, 6);
    put_hex(w, "20010db8000000000000000000000001" "20010db8000000000000000000000002");
    put_u32(w, 1000);
    put_u32(w, 443);
    put_u32(w, 0x02);
    put_u32(w, 0x28);
    end_structure(w, handle);
}

static void write_ipv4_short(struct writer *w)
{
    static const uint32_t words[] = {60, 17, 0x0a000001, 0x0a000002, 1000};
    size_t handle = begin_structure(w, 0, 3);

    for (size_t i = 0; i < array_length(words); i++)
        put_u32(w, words[i]);
    end_structure(w, handle);
}

static void write_ethernet_only(struct writer *w)
{
    size_t handle = begin_structure(w, 0, 2);

    put_u32(w, 64);
    put_mac(w, 0x020000000005);
    put_mac(w, 0x020000000006);
    put_u32(w, 0x0806);
    end_structure(w, handle);
}

static void sampled_ip_P14(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct test_sample sample = plain;

    sample.records = 2;
    feed_sample(bench, sample, write_ipv4_record);
    const struct flow *flow = last(bench);
    is_u64(flow->tcpflags, 0x12, "P14: TCP flags of sampled_ipv4");
    is_address(flow->src_host, "10.0.0.1", "sampled_ipv4 source");
    is_u64(flow->dst_port, 80, "sampled_ipv4 port");
    is_u64(flow->tos, 0x20, "sampled_ipv4 tos");
    is_u64(flow->bytes, 60, "length of sampled_ipv4 before sampled_ethernet");
    is_u64(flow->src_mac, UINT64_C(0x020000000005), "MAC of the Ethernet record");
    feed_sample(bench, plain, write_ipv6_record);
    is_u64(last(bench)->tcpflags, 0x02, "P14: TCP flags of sampled_ipv6");
    is_address(last(bench)->dst_host, "2001:db8::2", "sampled_ipv6 destination");
    is_u64(last(bench)->etype, 0x86dd, "etype of sampled_ipv6");
    feed_sample(bench, plain, write_ipv4_short);
    is_u64(bench_counter(bench, INPUT_structures_malformed), 1, "a short record is counted");
    is_u64(last(bench)->src_port, 1000, "and what it has is kept");
    feed_sample(bench, plain, write_ethernet_only);
    is_u64(bench_counter(bench, INPUT_samples_not_ip), 1, "an Ethernet record alone is not IP");
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);
}

static void write_others(struct writer *w)
{
    size_t handle = begin_structure(w, 0, 1006);
    struct writer frame = {.size = 0};

    put_ipv4(w, 1);
    put_u32(w, 3);
    put_u32(w, 16u << 12 | 0xff);
    put_u32(w, 1048575u << 12 | 0xff);
    put_u32(w, 17u << 12 | 0x1ff);
    put_u32(w, 0);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1007);
    put_ipv4(w, 0xcb007101);
    put_ipv4(w, 0xcb007102);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1020);
    put_u32(w, 61000);
    put_u32(w, 8443);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1009);
    put_text(w, "pw-one");
    put_u32(w, 4711);
    put_u32(w, 0);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1024);
    put_u32(w, 100);
    put_u32(w, 17);
    put_u32(w, 0x0a090909);
    put_u32(w, 0x0a080808);
    put_u32(w, 50000);
    put_u32(w, 4789);
    put_u32(w, 0);
    put_u32(w, 0x10);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1030);
    put_u32(w, 5001);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1043);
    put_u64(w, UINT64_C(1700000000123456789));
    end_structure(w, handle);
    handle = begin_structure(w, 43874, 2);
    put_u64(w, 11);
    put_u64(w, UINT64_C(0x1122334455667788));
    end_structure(w, handle);
    handle = begin_structure(w, 43874, 3);
    put_u32(w, 5);
    put_u32(w, 126);
    end_structure(w, handle);
    put_tcp_frame(&frame, 0, 400);
    put_header_record(w, 1, 418, 4, &frame);
    handle = begin_structure(w, 0, 1035);
    put_u32(w, 1);
    put_u32(w, 0x81000000u | 77);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 1004); /* known, nothing of it is kept */
    put_u32(w, 0);
    end_structure(w, handle);
    handle = begin_structure(w, 9, 33); /* unknown */
    put_u32(w, 0);
    end_structure(w, handle);
}

static void other_records(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct test_sample sample = plain;

    sample.records = 13;
    feed_sample(bench, sample, write_others);
    const struct flow *flow = last(bench);
    is_u64(flow->mpls_label_top, 16, "mpls_label_top");
    is_u64(flow->mpls_label_bottom, 17, "mpls_label_bottom");
    is_span(flow->mpls_label_stack, "16_1048575_17", "mpls_label_stack");
    is_address(flow->post_nat_src_host, "203.0.113.1", "post_nat_src_host");
    is_address(flow->post_nat_dst_host, "203.0.113.2", "post_nat_dst_host");
    is_u64(flow->post_nat_src_port, 61000, "post_nat_src_port");
    is_u64(flow->post_nat_dst_port, 8443, "post_nat_dst_port");
    is_u64(flow->mpls_pw_id, 4711, "mpls_pw_id");
    is_address(flow->tunnel_src_host, "10.9.9.9", "tunnel_src_host");
    is_u64(flow->tunnel_dst_port, 4789, "tunnel_dst_port");
    is_u64(flow->tunnel_tos, 0x10, "tunnel_tos");
    is_u64(flow->vxlan, 5001, "vxlan of the VNI record");
    is_u64((uint64_t)flow->timestamp_start, UINT64_C(1700000000123456789), "timestamp_start of record 1043");
    is_u64(flow->tag, 11, "tag");
    is_u64(flow->tag2, UINT64_C(0x1122334455667788), "tag2");
    is_span(flow->class_name, "5.126", "class");
    is_u64(flow->out_vlan, 77, "out_vlan of the stack of record 1035");
    is_u64(bench_counter(bench, INPUT_structures_unknown), 1, "one unknown structure");
    is_u64(bench_counter(bench, INPUT_structures_malformed), 0, "none malformed");
    ok(!flow_has(flow, FIELD_SRC_MASK), "a field without its record is absent");
    bench_free(bench);
}

static void write_header_only(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_tcp_frame(&frame, 0, 400);
    put_header_record(w, 1, 418, 4, &frame);
}

static void interfaces(void)
{
    static const struct {
        uint32_t source, input, output;
        char direction;
        uint32_t in, out;
        const char *name;
    } cases[] = {
        {3, 3, 4, 'i', 3, 4, "ingress"},
        {4, 3, 4, 'e', 3, 4, "egress"},
        {5, 3, 4, 'u', 3, 4, "another source"},
        {2u << 24 | 3, 3, 4, 'u', 3, 4, "a source that is no ifIndex"},
        {3, 3, 0x40000000u | 258, 'i', 3, 0, "discarded"},
        {3, 3, 0x80000000u | 5, 'i', 3, 0, "five destinations"},
        {3, 0x3fffffff, 3, 'e', 0x3fffffff, 3, "from the agent itself"},
    };
    struct sflow_options options = {0}, raw = {.raw_interfaces = true};
    struct test_bench *bench = bench_new(options, false), *raw_bench = bench_new(raw, false);

    for (size_t i = 0; i < array_length(cases); i++) {
        struct test_sample sample = plain;
        sample.source = cases[i].source;
        sample.input = cases[i].input;
        sample.output = cases[i].output;
        feed_sample(bench, sample, write_header_only);
        is_u64((uint64_t)last(bench)->sampling_direction, (uint64_t)cases[i].direction, "direction: %s", cases[i].name);
        is_u64(last(bench)->in_iface, cases[i].in, "in_iface: %s", cases[i].name);
        is_u64(last(bench)->out_iface, cases[i].out, "out_iface: %s", cases[i].name);
        if (cases[i].output >> 30 == 1)
            is_span(last(bench)->drop_reason, "acl", "drop_reason of an output word");
        feed_sample(raw_bench, sample, write_header_only);
        is_u64(raw_bench->flows[i].out_iface, cases[i].output, "raw out_iface: %s", cases[i].name);
    }
    bench_free(bench);
    bench_free(raw_bench);
}

static void expanded_P22(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct writer w = {.size = 0};
    static const uint32_t words[] = {9, 0, 0x12345678, 512, 1, 0, 0, 0x12345678, 2, 6};

    put_datagram(&w, 0, 1, 1000, 3);
    size_t handle = begin_structure(&w, 0, 3);
    for (size_t i = 0; i < array_length(words); i++)
        put_u32(&w, words[i]);
    put_u32(&w, 1);
    write_header_only(&w);
    end_structure(&w, handle);
    handle = begin_structure(&w, 4300, 1002); /* a vendor's sample is passed over */
    put_text(&w, "rt");
    put_u32(&w, 0);
    end_structure(&w, handle);
    handle = begin_flow_sample(&w, plain);
    struct writer frame = {.size = 0};
    put_tcp_frame(&frame, 0, 9000);
    frame.size = 1600;
    put_header_record(&w, 1, 9018, 4, &frame);
    end_structure(&w, handle);
    bench_feed(bench, &w);
    is_u64(bench->count, 2, "P22: expanded sample and header of 1600 octets");
    is_u64(bench->flows[0].sampling_rate, 512, "P22: rate of the expanded sample");
    is_u64(bench->flows[0].in_iface, 0x12345678, "P22: wide ifIndex");
    is_u64(bench->flows[0].out_iface, 0, "P22: several outputs");
    is_u64((uint64_t)bench->flows[0].sampling_direction, 'i', "P22: direction");
    is_u64(bench->flows[1].bytes, 9018, "P22: long header");
    is_u64(bench->flows[1].sampling_rate, 1000, "P15: each sample has its own rate");
    is_u64(bench_counter(bench, INPUT_samples_unknown), 1, "the vendor's sample is counted");
    is_u64(bench_counter(bench, INPUT_datagrams_decoded), 1, "the datagram is decoded");
    bench_free(bench);
}

static void put_discard(struct writer *w, uint32_t reason)
{
    static const uint32_t words[] = {1, 0, 3, 0, 3, 0};
    size_t handle = begin_structure(w, 0, 5);

    for (size_t i = 0; i < array_length(words); i++)
        put_u32(w, words[i]);
    put_u32(w, reason);
    put_u32(w, 1);
    write_header_only(w);
    end_structure(w, handle);
}

static void discards_P17(void)
{
    static const struct {
        uint32_t reason;
        const char *text;
    } cases[] = {{1, "host_unreachable"}, {256, "unknown"}, {332, "dev_hdr"}, {366, "tc_egress"}, {372, "bgp_flowspec"},
                 {33, "33"}, {373, "373"}, {0xffffffff, "4294967295"}};

    for (unsigned asked = 0; asked < 2; asked++) {
        struct sflow_options options = {.discards = asked};
        struct test_bench *bench = bench_new(options, false);
        for (size_t i = 0; i < array_length(cases); i++) {
            struct writer w = {.size = 0};
            put_datagram(&w, 0, (uint32_t)i, 1000, 2);
            put_discard(&w, cases[i].reason);
            size_t handle = begin_flow_sample(&w, plain);
            write_header_only(&w);
            end_structure(&w, handle);
            size_t before = bench->count;
            bench_feed(bench, &w);
            is_u64(bench->count - before, 1 + asked, "P17: a discard sample does not end the datagram");
            ok(!flow_has(last(bench), FIELD_DROP_REASON), "a flow sample has no drop_reason");
        }
        for (size_t i = 0; i < array_length(cases) && asked; i++) {
            const struct flow *flow = &bench->flows[i * 2];
            ok(flow_has(flow, FIELD_DROP_REASON), "P17: drop_reason is there");
            is_u64(flow->sampling_rate, 1, "every discarded packet is told");
        }
        is_u64(bench_counter(bench, INPUT_samples_discard), array_length(cases), "discards counted");
        ok(bench_balances(bench, asked), "the books balance");
        bench_free(bench);
    }

    struct sflow_options options = {.discards = true};
    struct test_bench *bench = bench_new(options, false);
    for (size_t i = 0; i < array_length(cases); i++) {
        struct writer w = {.size = 0};
        put_datagram(&w, 0, (uint32_t)i, 1000, 1);
        put_discard(&w, cases[i].reason);
        bench_feed(bench, &w);
        is_span(last(bench)->drop_reason, cases[i].text, "P19: drop_reason");
    }
    bench_free(bench);
}

static void put_brocade(struct writer *w, bool inside)
{
    size_t handle = begin_structure(w, 1991, 1);

    put_u32(w, 1);
    put_u32(w, 42);
    if (!inside)
        end_structure(w, handle);
    size_t sample = begin_flow_sample(w, plain);
    write_header_only(w);
    end_structure(w, sample);
    if (inside)
        end_structure(w, handle);
}

static void brocade(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct writer w = {.size = 0};

    put_datagram(&w, 0, 1, 1000, 2);
    put_brocade(&w, true);
    put_brocade(&w, false);
    bench_feed(bench, &w);
    is_u64(bench->count, 2, "ACL wrapper with the sample inside and after it");
    is_u64(bench_counter(bench, INPUT_samples_seen), 2, "a wrapped sample is one sample");
    is_u64(bench_counter(bench, INPUT_datagrams_decoded), 1, "the datagram is decoded");
    bench_free(bench);
}

/* P9 to P12: what the reference daemon reads wrongly in IPv6 extension headers. */
static void headers_P9_to_P12(void)
{
    static const struct {
        const char *name, *chain;
        unsigned next;
        bool ports;
    } cases[] = {
        {"P9: hop-by-hop", "1100010400000000", 0, true},
        {"P10: hop-by-hop and destination options", "3c00010400000000" "1100010400000000", 0, true},
        {"P11: authentication header", "1104000000000001000000020000000000000000" "00000000", 51, true},
        {"P12: later fragment", "110000b900000001", 44, false},
    };
    struct sflow_options options = {0};

    for (size_t i = 0; i < array_length(cases); i++) {
        struct test_bench *bench = bench_new(options, false);
        struct writer w = {.size = 0}, frame = {.size = 0};
        size_t chain = strlen(cases[i].chain) / 2;
        put_ethernet(&frame, 0x86dd);
        put_u32(&frame, 0x60000000);
        put_u16(&frame, (unsigned)(chain + 16));
        put_u8(&frame, cases[i].next);
        put_u8(&frame, 64);
        put_hex(&frame, "20010db8000000000000000000000001" "20010db8000000000000000000000002");
        put_hex(&frame, cases[i].chain);
        put_hex(&frame, "045708ae" "00100000" "3039303930393039");
        put_datagram(&w, 0, 1, 1000, 1);
        size_t handle = begin_flow_sample(&w, plain);
        put_header_record(&w, 1, 200, 4, &frame);
        end_structure(&w, handle);
        bench_feed(bench, &w);
        ok(bench->count == 1, "%s: a record", cases[i].name);
        const struct flow *flow = last(bench);
        is_u64(flow->proto, 17, "%s: UDP", cases[i].name);
        is_u64(flow_has(flow, FIELD_SRC_PORT) ? flow->src_port : 0, cases[i].ports ? 1111 : 0, "%s: source port",
               cases[i].name);
        is_u64(flow_has(flow, FIELD_DST_PORT) ? flow->dst_port : 0, cases[i].ports ? 2222 : 0, "%s: destination port",
               cases[i].name);
        bench_free(bench);
    }
}

static void write_vxlan(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_ethernet(&frame, 0x0800);
    put_hex(&frame, "450001c4" "00000000" "4011" "0000" "0a640001" "0a640002");
    put_hex(&frame, "c3501f40" "01b00000" "0800000000138800"); /* UDP port 8000, VNI 5000 */
    put_tcp_frame(&frame, 33, 390);
    put_header_record(w, 1, 470, 4, &frame);
    put_gateway_record(w);
}

static void vxlan_replaced(void)
{
    struct sflow_options options = {.vxlan_replace_port = 8000};
    struct test_bench *bench = bench_new(options, false);
    struct test_sample sample = plain;

    sample.records = 2;
    feed_sample(bench, sample, write_vxlan);
    is_address(last(bench)->src_host, "10.1.2.3", "tunnel_0: the inner packet is accounted");
    is_u64(last(bench)->dst_port, 443, "tunnel_0: inner port");
    is_u64(last(bench)->vlan, 33, "tunnel_0: inner VLAN");
    is_u64(last(bench)->vxlan, 5000, "tunnel_0: network identifier");
    is_u64(last(bench)->bytes, 470 - 50, "tunnel_0: length less what precedes the inner frame");
    is_u64(last(bench)->dst_as, 64510, "tunnel_0: other records stay");
    feed_sample(bench, plain, write_header_only);
    is_u64(last(bench)->dst_port, 443, "tunnel_0: other packets as they are");
    bench_free(bench);

    options.vxlan_replace_port = 0;
    bench = bench_new(options, false);
    feed_sample(bench, sample, write_vxlan);
    is_address(last(bench)->src_host, "10.100.0.1", "without tunnel_0 the envelope");
    bench_free(bench);
}

static void write_no_packet(struct writer *w)
{
    put_router_record(w);
}

static void write_long_path(struct writer *w)
{
    struct writer frame = {.size = 0};
    size_t handle = begin_structure(w, 0, 1003);

    put_u32(w, 0);
    for (unsigned i = 0; i < 3; i++)
        put_u32(w, 64500 + i);
    put_u32(w, 1);
    put_u32(w, 2);
    put_u32(w, 300);
    for (uint32_t i = 0; i < 300; i++)
        put_u32(w, 4200000000u + i);
    put_u32(w, 0);
    put_u32(w, 100);
    end_structure(w, handle);
    put_tcp_frame(&frame, 0, 400);
    put_header_record(w, 1, 418, 4, &frame);
}

static void write_empty_path(struct writer *w)
{
    size_t handle = begin_structure(w, 0, 1003);

    put_ipv4(w, 0xc0000201);
    for (unsigned i = 0; i < 3; i++)
        put_u32(w, 64500 + i);
    put_u32(w, 0);
    put_u32(w, 0);
    put_u32(w, 100);
    end_structure(w, handle);
    write_header_only(w);
}

static void paths_and_gaps(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct test_sample sample = plain;

    feed_sample(bench, plain, write_no_packet);
    is_u64(bench_counter(bench, INPUT_samples_without_packet), 1, "a sample without packet is counted");
    sample.records = 2;
    feed_sample(bench, sample, write_long_path);
    is_u64(bench_counter(bench, INPUT_texts_cut), 1, "a long path is cut and counted");
    is_u64(last(bench)->as_path.length, 93 * 11 - 1, "cut after a whole AS");
    is_u64(last(bench)->dst_as, 4200000299u, "dst_as of a path that was cut");
    feed_sample(bench, sample, write_empty_path);
    is_u64(last(bench)->dst_as, 64500, "empty path: the agent's own AS");
    ok(!flow_has(last(bench), FIELD_PEER_DST_AS), "empty path: no neighbour");
    is_span(last(bench)->as_path, "", "empty path: empty text");
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);
}

int main(void)
{
    plan_none();
    full_sample(write_full, "records in the usual order");
    full_sample(write_full_backwards, "records backwards");
    vlans_and_lengths();
    seeds();
    sampled_ip_P14();
    other_records();
    interfaces();
    expanded_P22();
    discards_P17();
    brocade();
    headers_P9_to_P12();
    vxlan_replaced();
    paths_and_gaps();
    return done_testing();
}
