/* SPDX-License-Identifier: BSD-2-Clause */
/* What maps ask of a record and no output shows: its kind of sample. And the router's next hop beside that of BGP. */
#include "decode/sflow/sflow.h"

#include "lib/tap.h"
#include "unit/decode/test_sflow_writer.h"

static const struct test_sample plain = {1, 3, 1000, 0, 3, 4, 1};

static void put_header(struct writer *w)
{
    struct writer frame = {.size = 0};

    put_tcp_frame(&frame, 0, 400);
    put_header_record(w, 1, 418, 4, &frame);
}

static void put_plain_sample(struct writer *w)
{
    size_t handle = begin_flow_sample(w, plain);

    put_header(w);
    end_structure(w, handle);
}

/* The expanded form, format 3, or discarded packets, format 5: their fixed part is 0 but for the count of records. */
static void put_other_sample(struct writer *w, uint32_t format, unsigned words)
{
    size_t handle = begin_structure(w, 0, format);

    for (unsigned i = 0; i < words; i++)
        put_u32(w, i + 1 == words);
    put_header(w);
    end_structure(w, handle);
}

static void check_kinds(void)
{
    static const uint32_t want[] = {1, 3, 5, 1, 1};
    struct sflow_options options = {.discards = true};
    struct test_bench *bench = bench_new(options, false);
    struct writer w = {.size = 0};

    put_datagram(&w, 7, 1, 1000, 5);
    put_plain_sample(&w);
    put_other_sample(&w, 3, 11);
    put_other_sample(&w, 5, 8);
    put_plain_sample(&w);
    put_u32(&w, 1991u << 12 | 1); /* Brocade's wrapper, and the sample behind it */
    put_u32(&w, 8);
    put_u64(&w, 0);
    put_plain_sample(&w);
    bench_feed(bench, &w);
    is_u64(bench->count, array_length(want), "samples of three kinds");
    for (unsigned i = 0; i < array_length(want); i++) {
        const struct flow *flow = &bench->flows[i];

        is_u64(flow->traits.sample_type, want[i], "record %u is of this kind of sample", i + 1);
        ok(flow->frame == NULL && flow->traits.set_id == 0 && !flow->traits.options && !flow->traits.two_way,
           "and of nothing else");
    }
    bench_free(bench);
}

static void check_next_hop(bool gateway, const char *peer)
{
    struct sflow_options options = {.use_ip_next_hop = true};
    struct test_bench *bench = bench_new(options, false);
    struct writer w = {.size = 0};
    struct test_sample sample = plain;
    char text[address_text_max];
    const struct flow *flow = &bench->flows[0];
    size_t handle;

    sample.records = gateway ? 3 : 2;
    put_datagram(&w, 7, 1, 1000, 1);
    handle = begin_flow_sample(&w, sample);
    put_header(&w);
    put_router_record(&w);
    if (gateway)
        put_gateway_record(&w);
    end_structure(&w, handle);
    bench_feed(bench, &w);
    ok(flow_has(flow, FIELD_IP_NEXT_HOP) && flow_has(flow, FIELD_PEER_DST_IP), "both next hops are there");
    text[address_format(&flow->ip_next_hop, text)] = '\0';
    is_text(text, "10.0.0.254", "the router's");
    text[address_format(&flow->peer_dst_ip, text)] = '\0';
    is_text(text, peer, "that of BGP, or the router's in its place");
    bench_free(bench);
}

static void check_no_next_hop(void)
{
    struct test_bench *bench = bench_new((struct sflow_options){.use_ip_next_hop = true}, false);
    struct writer w = {.size = 0};

    put_datagram(&w, 7, 1, 1000, 1);
    put_plain_sample(&w);
    bench_feed(bench, &w);
    ok(bench->count == 1 && !flow_has(&bench->flows[0], FIELD_IP_NEXT_HOP), "no router record, no next hop");
    bench_free(bench);
}

int main(void)
{
    plan_none();
    check_kinds();
    check_next_hop(true, "192.0.2.1");
    check_next_hop(false, "10.0.0.254");
    check_no_next_hop();
    return done_testing();
}
