/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams: versions, agents, lengths that do not fit, sequences of datagrams and data sources, versions 2 and 4, and
 * every way to cut or bend a good datagram. The books must balance after each.
 */
#include "decode/sflow/sflow.h"

#include "lib/tap.h"
#include "unit/decode/test_sflow_writer.h"

static void put_packet(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_tcp_frame(&frame, 0, 400);
    put_header_record(w, 1, 418, 4, &frame);
}

static void put_good_sample(struct writer *w, uint32_t sequence, uint32_t drops)
{
    size_t handle = begin_flow_sample(
        w, (struct test_sample){sequence, 3, 100, drops, 3, 0, 1});

    put_packet(w);
    end_structure(w, handle);
}

static void feed_samples(struct test_bench *bench, uint32_t datagram, uint32_t uptime_ms, uint32_t sample,
                         uint32_t drops)
{
    struct writer w = {.size = 0};

    put_datagram(&w, 0, datagram, uptime_ms, 1);
    put_good_sample(&w, sample, drops);
    bench_feed(bench, &w);
}

static void outcomes(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);
    struct writer w = {.size = 0};

    bench_feed(bench, &w);
    is_u64(bench_counter(bench, INPUT_datagrams_malformed), 1, "an empty datagram is malformed");
    put_u32(&w, 9);
    bench_feed(bench, &w);
    is_u64(bench_counter(bench, INPUT_datagrams_bad_version), 1, "version 9");
    w.size = 0;
    put_u32(&w, 5);
    put_u32(&w, 3);
    bench_feed(bench, &w);
    is_u64(bench_counter(bench, INPUT_datagrams_malformed), 2, "an agent of unknown type");

    w.size = 0;
    put_datagram(&w, 0, 1, 1, 3);
    put_good_sample(&w, 1, 0);
    size_t bad = begin_flow_sample(&w, (struct test_sample){.sequence = 2, .source = 3, .rate = 100, .records = 2});
    put_packet(&w);
    end_structure(&w, bad);
    put_good_sample(&w, 3, 0);
    bench_feed(bench, &w);
    is_u64(bench->count, 2, "P17: a sample with too many records costs only itself");
    is_u64(bench_counter(bench, INPUT_samples_malformed), 1, "and is counted");
    is_u64(bench_counter(bench, INPUT_datagrams_decoded), 1, "the datagram is decoded");
    is_u64(bench_counter(bench, INPUT_samples_lost), 0, "a malformed sample is not missing");

    w.size = 0;
    put_datagram(&w, 0, 2, 2, 2);
    put_good_sample(&w, 4, 0);
    bench_feed(bench, &w);
    is_u64(bench->count, 3, "fewer samples than told: those there count");
    is_u64(bench_counter(bench, INPUT_datagrams_malformed), 3, "and the datagram is malformed");
    w.size = 0;
    put_datagram(&w, 0, 3, 3, 1);
    put_good_sample(&w, 5, 0);
    put_u32(&w, 0);
    bench_feed(bench, &w);
    is_u64(bench->count, 4, "octets after the last sample: the samples count");
    is_u64(bench_counter(bench, INPUT_datagrams_malformed), 4, "and the datagram is malformed");
    ok(bench_balances(bench, false), "the books balance");
    bench_free(bench);
}

static void agents_P16(void)
{
    static const char *const agents[] = {
        "0000000220010db8000000000000000000000001", "0000000220010db8000000000000000000000002",
        "000000010a000001", "0000000100000000", "00000000", "0000000200000000000000000000000000000000",
    };
    static const char *const expected[] = {"2001:db8::1", "2001:db8::2", "10.0.0.1",
                                           "127.0.0.9", "127.0.0.9", "127.0.0.9"};
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);

    for (uint32_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < array_length(agents); i++) {
            struct writer w = {.size = 0};
            char text[address_text_max];
            put_u32(&w, 5);
            put_hex(&w, agents[i]);
            put_u32(&w, (uint32_t)i); /* sub-agent */
            put_u32(&w, 1000 * (uint32_t)i + round);
            put_u32(&w, 1000);
            put_u32(&w, 1);
            put_good_sample(&w, 1000 * (uint32_t)i + round, 0);
            bench_feed(bench, &w);
            const struct flow *flow = &bench->flows[bench->count - 1];
            text[address_format(&flow->peer_src_ip, text)] = '\0';
            is_text(text, expected[i], "P16: peer_src_ip of agent %zu", i);
        }
    }
    unsigned rows = 0;
    for (size_t i = 0; i < ledger_exporters_max; i++)
        rows += bench->ledger->exporters[i].used != 0;
    is_u64(rows, array_length(agents), "P16: a row for each agent and sub-agent");
    is_u64(bench_counter(bench, INPUT_datagrams_lost), 0, "P16: each has its own sequence");
    is_u64(bench_counter(bench, INPUT_samples_lost), 0, "P16: and its own sources");
    bench_free(bench);

    options.ignore_agent = true;
    bench = bench_new(options, false);
    feed_samples(bench, 1, 1, 1, 0);
    ok(address_equal(&bench->flows[0].peer_src_ip, &bench->origin.source), "ignore_agent: the socket's address");
    bench_free(bench);
}

static void sources(void)
{
    struct sflow_options options = {0};
    struct test_bench *bench = bench_new(options, false);

    feed_samples(bench, 1, 1000, 0xfffffffe, 10);
    feed_samples(bench, 2, 2000, 0xffffffff, 10);
    feed_samples(bench, 3, 3000, 0, 12);
    is_u64(bench_counter(bench, INPUT_samples_lost), 0, "a sequence goes over 2^32");
    is_u64(bench_counter(bench, INPUT_samples_agent_dropped), 2, "the agent dropped two");
    feed_samples(bench, 6, 6000, 3, 12);
    is_u64(bench_counter(bench, INPUT_samples_lost), 2, "two samples missing");
    is_u64(bench_counter(bench, INPUT_datagrams_lost), 2, "two datagrams missing");
    feed_samples(bench, 5, 5000, 2, 12);
    is_u64(bench_counter(bench, INPUT_samples_lost), 1, "one came late");
    is_u64(bench_counter(bench, INPUT_datagrams_lost), 1, "one datagram came late");
    is_u64(bench_counter(bench, INPUT_datagrams_reordered), 1, "and is counted so");
    feed_samples(bench, 1, 10, 1, 0);
    is_u64(bench_counter(bench, INPUT_datagrams_reordered), 2, "uptime back by less than it takes: still disorder");
    feed_samples(bench, 500, 2000000, 40, 13);
    feed_samples(bench, 1, 10, 1, 5);
    is_u64(bench_counter(bench, INPUT_exporter_restarts), 1, "the agent restarted");
    feed_samples(bench, 2, 1010, 2, 6);
    is_u64(bench_counter(bench, INPUT_samples_agent_dropped), 2 + 1 + 1, "drops begin anew with it");
    struct ledger_exporter *row = NULL;
    for (size_t i = 0; i < ledger_exporters_max; i++)
        if (bench->ledger->exporters[i].used)
            row = &bench->ledger->exporters[i];
    is_u64(row->lost, bench_counter(bench, INPUT_datagrams_lost), "the row says the same of datagrams");
    is_u64(row->samples_lost, bench_counter(bench, INPUT_samples_lost), "of samples");
    is_u64(row->agent_dropped, bench_counter(bench, INPUT_samples_agent_dropped), "of what the agent dropped");
    is_u64(row->records, bench->count, "of records");
    is_u64(row->datagrams, bench_counter(bench, INPUT_datagrams_received), "of datagrams that came");
    is_u64(row->restarts, 1, "of restarts");

    for (uint32_t i = 0; i < 3000; i++) { /* more sources than are followed */
        struct writer w = {.size = 0};
        put_datagram(&w, 0, 3 + i, 2000 + i, 1);
        size_t handle = begin_flow_sample(&w, (struct test_sample){i, i, 1, 0, 0, 0, 1});
        put_packet(&w);
        end_structure(&w, handle);
        bench_feed(bench, &w);
    }
    is_u64(bench->count, 9 + 3000, "all are decoded");
    bench_free(bench);
}

static void put_old_datagram(struct writer *w, uint32_t version, uint32_t samples)
{
    put_u32(w, version);
    put_ipv4(w, test_agent);
    put_u32(w, 1);
    put_u32(w, 1000);
    put_u32(w, samples);
}

static void put_old_sample(struct writer *w, uint32_t version, uint32_t unknown)
{
    static const uint32_t head[] = {1, 1, 3, 256, 4096, 0, 3, 4, 1, 1, 418};
    struct writer frame = {.size = 0};

    for (size_t i = 0; i < array_length(head); i++)
        put_u32(w, head[i]);
    put_tcp_frame(&frame, 0, 400);
    put_opaque(w, frame.bytes, frame.size);
    put_u32(w, unknown ? 6 : 5);
    put_u32(w, 4); /* user */
    put_text(w, "alice");
    put_text(w, "bob");
    put_u32(w, 5); /* URL */
    put_u32(w, 1);
    put_text(w, "http://example.net/");
    put_u32(w, 1); /* switch */
    put_u32(w, 20);
    put_u32(w, 0);
    put_u32(w, 30);
    put_u32(w, 0);
    put_u32(w, 2); /* router */
    put_ipv4(w, 1);
    put_u32(w, 24);
    put_u32(w, 16);
    put_u32(w, 3); /* gateway */
    put_u32(w, 64500);
    put_u32(w, 64501);
    put_u32(w, 64502);
    if (version == 4) {
        put_u32(w, 1);
        put_u32(w, 2);
    }
    put_u32(w, 2);
    put_u32(w, 3356);
    put_u32(w, 64510);
    if (version == 4) {
        put_u32(w, 1);
        put_u32(w, 64500u << 16 | 7);
        put_u32(w, 120);
    }
    if (unknown)
        put_u32(w, unknown);
}

static void old_versions_P13(void)
{
    for (uint32_t version = 2; version <= 4; version += 2) {
        struct sflow_options options = {0};
        struct test_bench *bench = bench_new(options, false);
        struct writer w = {.size = 0};
        put_old_datagram(&w, version, 2);
        put_old_sample(&w, version, 0);
        put_old_sample(&w, version, 0);
        bench_feed(bench, &w);
        const struct flow *flow = &bench->flows[1];
        is_u64(bench->count, 2, "version %u: two records", version);
        is_u64(flow->dst_as, 64510, "P13: version %u: dst_as is the last of the list", version);
        is_u64(flow->peer_dst_as, 3356, "version %u: peer_dst_as", version);
        is_u64(flow->src_as, 64501, "version %u: src_as", version);
        is_u64(flow->vlan, 20, "version %u: vlan", version);
        is_u64(flow->src_mask, 24, "version %u: src_mask", version);
        is_u64(flow->bytes, 418, "version %u: bytes", version);
        is_u64(flow->src_port, 1234, "version %u: src_port", version);
        is_u64(flow->sampling_rate, 256, "version %u: sampling_rate", version);
        is_u64(flow->export_proto_version, version, "version %u: export_proto_version", version);
        ok(flow->as_path.length == 10 && memcmp(flow->as_path.data, "3356_64510", 10) == 0,
           "version %u: as_path", version);
        is_u64(flow_has(flow, FIELD_LOCAL_PREF), version == 4, "version %u: local_pref", version);
        is_u64(bench_counter(bench, INPUT_datagrams_decoded), 1, "version %u: read to its end", version);

        w.size = 0;
        put_old_datagram(&w, version, 2);
        put_old_sample(&w, version, 99);
        bench_feed(bench, &w);
        is_u64(bench->count, 3, "version %u: what came before an unknown tag counts", version);
        is_u64(bench_counter(bench, INPUT_structures_unknown), 1, "version %u: the tag is counted", version);
        is_u64(bench_counter(bench, INPUT_datagrams_malformed), 1, "version %u: the rest is not readable", version);

        for (size_t cut = 0; cut < w.size; cut++) {
            bench_feed_bytes(bench, w.bytes, cut);
            if (!bench_balances(bench, false))
                ok(false, "version %u: cut at %zu", version, cut);
        }
        for (size_t at = 0; at < w.size; at++) {
            struct writer bent = w;
            bent.bytes[at] ^= 0xff;
            bench_feed(bench, &bent);
            if (!bench_balances(bench, false))
                ok(false, "version %u: bent at %zu", version, at);
        }
        ok(bench_balances(bench, false), "version %u: the books balance after cuts and bends", version);
        bench_free(bench);
    }
}

/* A datagram with everything that has a length or a count. */
static void put_rich_datagram(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_datagram(w, 0, 1, 1000, 4);
    size_t handle = begin_flow_sample(w, (struct test_sample){1, 3, 100, 0, 3, 0x40000001, 5});
    put_tcp_frame(&frame, 12, 400);
    put_header_record(w, 1, 422, 4, &frame);
    put_switch_record(w, 5, 0, 6);
    put_router_record(w);
    put_gateway_record(w);
    size_t record = begin_structure(w, 0, 1006);
    put_ipv4(w, 1);
    put_u32(w, 1);
    put_u32(w, 0x10100);
    put_u32(w, 1);
    put_u32(w, 0x10100);
    end_structure(w, record);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 2);
    put_u32(w, 1);
    put_u32(w, 3);
    put_u32(w, 2);
    record = begin_structure(w, 0, 2001);
    put_u32(w, 1);
    put_u32(w, 2);
    put_u32(w, 1);
    put_mac(w, 1);
    end_structure(w, record);
    record = begin_structure(w, 0, 1005);
    put_text(w, "eth0");
    end_structure(w, record);
    end_structure(w, handle);
    handle = begin_structure(w, 0, 5);
    for (uint32_t i = 0; i < 7; i++)
        put_u32(w, i);
    put_u32(w, 1);
    put_packet(w);
    end_structure(w, handle);
    handle = begin_structure(w, 4300, 1003);
    put_text(w, "x");
    end_structure(w, handle);
}

static void cuts_and_bends(void)
{
    static const uint8_t masks[] = {0x01, 0x04, 0x80, 0xff};
    struct sflow_options options = {.discards = true, .unknown_etype = true, .vxlan_replace_port = 443};
    struct test_bench *bench = bench_new(options, true);
    struct writer w = {.size = 0};
    unsigned wrong = 0;

    put_rich_datagram(&w);
    bench_feed(bench, &w);
    is_u64(bench_counter(bench, INPUT_datagrams_decoded), 1, "the datagram is good");
    is_u64(bench_counter(bench, INPUT_counter_records_written), 2, "with two counter records");
    is_u64(bench->count, 2, "and two packets");
    for (size_t cut = 0; cut < w.size; cut++) {
        bench_feed_bytes(bench, w.bytes, cut);
        wrong += !bench_balances(bench, true);
    }
    is_u64(wrong, 0, "the books balance after each of %zu cuts", w.size);
    is_u64(bench_counter(bench, INPUT_datagrams_malformed), w.size, "each cut is a malformed datagram");
    for (size_t at = 0; at < w.size; at++) {
        for (size_t m = 0; m < array_length(masks); m++) {
            struct writer bent = w;
            bent.bytes[at] ^= masks[m];
            bench_feed(bench, &bent);
            wrong += !bench_balances(bench, true);
        }
    }
    is_u64(wrong, 0, "the books balance after each bent octet");
    bench_free(bench);
}

int main(void)
{
    plan_none();
    outcomes();
    agents_P16();
    sources();
    old_versions_P13();
    cuts_and_bends();
    return done_testing();
}
