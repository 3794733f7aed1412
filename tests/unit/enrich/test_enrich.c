/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampling and networks: which steps run, and what they make of a flow. */
#include "enrich/enrich.h"

#include "lib/tap.h"

static struct flow flow_with_rate(uint32_t rate, uint64_t packets, uint64_t bytes)
{
    struct flow flow;

    flow_clear(&flow);
    flow_set_packets(&flow, packets);
    flow_set_bytes(&flow, bytes);
    flow_set_sampling_rate(&flow, rate);
    return flow;
}

static void check_sampling(void)
{
    struct enrich_options none = {false, 0}, scale = {true, 0}, both = {true, 1000};
    struct field_set wants = {{0}};
    struct enrich enrich;
    struct flow flow;

    enrich_init(&enrich, &none, &wants);
    is_u64(enrich.count, 0, "nothing asked, nothing run");
    enrich_init(&enrich, &scale, &wants);
    ok(field_set_has(&wants, FIELD_SAMPLING_RATE), "renormalising needs the rate from the decoder");
    flow = flow_with_rate(512, 1, 100);
    enrich_flow(&enrich, &flow);
    is_u64(flow.packets, 512, "packets times the rate");
    is_u64(flow.bytes, 51200, "bytes times the rate");
    is_u64(flow.sampling_rate, 1, "the rate then reads 1");
    enrich_flow(&enrich, &flow);
    is_u64(flow.packets, 512, "a second time changes nothing");
    flow = flow_with_rate(0, 1, 100);
    enrich_flow(&enrich, &flow);
    is_u64(flow.packets, 1, "a rate of 0 is not known and changes nothing");
    flow = flow_with_rate(UINT32_MAX, UINT64_MAX / 2, 1);
    enrich_flow(&enrich, &flow);
    is_u64(flow.packets, UINT64_MAX, "a nonsense product stays at the largest number");
    enrich_init(&enrich, &both, &wants);
    flow = flow_with_rate(512, 1, 100);
    enrich_flow(&enrich, &flow);
    is_u64(flow.packets, 1000, "ext_sampling_rate overrides what the exporter says");
}

static void check_networks(void)
{
    struct enrich_options none = {false, 0};
    struct field_set wants = {{0}};
    struct enrich enrich;
    struct address host, net;
    struct flow flow;

    field_set_add(&wants, FIELD_SRC_NET);
    enrich_init(&enrich, &none, &wants);
    is_u64(enrich.count, 1, "only the step that is asked for");
    ok(field_set_has(&wants, FIELD_SRC_HOST) && field_set_has(&wants, FIELD_SRC_MASK), "it asks for address and mask");
    flow_clear(&flow);
    address_parse("198.51.100.77", &host);
    address_parse("198.51.100.64", &net);
    flow_set_src_host(&flow, host);
    enrich_flow(&enrich, &flow);
    ok(!flow_has(&flow, FIELD_SRC_NET), "without a mask there is no network");
    flow_set_src_mask(&flow, 26);
    enrich_flow(&enrich, &flow);
    ok(flow_has(&flow, FIELD_SRC_NET) && address_equal(&flow.src_net, &net), "with one it is the masked address");
}

int main(void)
{
    plan_none();
    check_sampling();
    check_networks();
    return done_testing();
}
