/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampling: which steps run, and what they make of a flow. */
#include "enrich/enrich.h"

#include <string.h>

#include "lib/tap.h"
#include "map/sampling.h"

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
    struct enrich_options none = {.renormalize = false}, scale = {.renormalize = true};
    struct enrich_options both = {.renormalize = true, .ext_sampling_rate = 1000};
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
    both.renormalize = false;
    wants = (struct field_set){{0}};
    enrich_init(&enrich, &both, &wants);
    is_u64(enrich.count, 0, "a rate that nobody wants is not set");
}

static struct flow flow_of(const char *exporter, uint32_t in, uint32_t rate)
{
    struct flow flow = flow_with_rate(rate, 1, 100);
    struct address address;

    address_parse(exporter, &address);
    flow_set_peer_src_ip(&flow, address);
    flow_set_in_iface(&flow, in);
    flow_set_out_iface(&flow, 2);
    return flow;
}

static struct map map_of(const char *text)
{
    struct error error;

    return (struct map){MAP_SAMPLING, "t.map", sampling_map_parse("t.map", text, strlen(text), &error)};
}

static void check_map_steps(struct map *map)
{
    static const enum field_id needs[] = {FIELD_PEER_SRC_IP, FIELD_IN_IFACE, FIELD_OUT_IFACE};
    struct enrich_options options = {.sampling_map = map};
    struct field_set wants = {{0}};
    struct enrich enrich;
    struct flow flow;

    enrich_init(&enrich, &options, &wants);
    ok(enrich.count == 0 && field_set_is_empty(&wants), "a map is not asked where no rate is wanted");
    field_set_add(&wants, FIELD_SAMPLING_RATE);
    enrich_init(&enrich, &options, &wants);
    is_u64(enrich.count, 1, "it is for the field sampling_rate");
    for (unsigned i = 0; i < array_length(needs); i++)
        ok(field_set_has(&wants, needs[i]), "the map needs %s", field_table[needs[i]].keyword);
    flow = flow_of("192.0.2.1", 7, 512);
    enrich_flow(&enrich, &flow);
    ok(flow.sampling_rate == 4096 && flow.packets == 1, "the map's rate, and nothing multiplied");
    wants = (struct field_set){{0}};
    options.renormalize = true;
    enrich_init(&enrich, &options, &wants);
    ok(enrich.count == 2 && field_set_has(&wants, FIELD_PEER_SRC_IP), "and for renormalising");
    wants = (struct field_set){{0}};
    options = (struct enrich_options){.drop_unknown_rate = true, .sampling_map = map};
    enrich_init(&enrich, &options, &wants);
    flow = flow_of("192.0.2.1", 7, 0);
    ok(field_set_has(&wants, FIELD_PEER_SRC_IP) && enrich_tells_rate(&enrich, &flow), "and for what must have a rate");
}

static void check_map(void)
{
    static const struct {
        const char *exporter;
        uint32_t in, told, ext, packets;
        const char *name;
    } cases[] = {
        {"192.0.2.1", 7, 512, 0, 4096, "the map is above the exporter"},
        {"192.0.2.1", 7, 0, 0, 4096, "and holds where the exporter tells nothing"},
        {"192.0.2.1", 7, 512, 1000, 4096, "and is above ext_sampling_rate"},
        {"192.0.2.1", 8, 512, 0, 512, "where no row fits the exporter's rate holds"},
        {"192.0.2.1", 8, 512, 1000, 1000, "or ext_sampling_rate"},
        {"192.0.2.2", 8, 512, 0, 1, "a rate of 1 leaves the counters as they are"},
    };
    struct map map = map_of("id=4096 ip=192.0.2.1 in=7\nid=1 ip=192.0.2.2\n");
    struct map next = map_of("id=8 ip=192.0.2.1\n");
    struct field_set wants = {{0}};
    struct enrich enrich;
    struct flow flow;

    check_map_steps(&map);
    for (unsigned i = 0; i < array_length(cases); i++) {
        struct enrich_options options = {
            .renormalize = true, .ext_sampling_rate = cases[i].ext, .sampling_map = &map};

        enrich_init(&enrich, &options, &wants);
        flow = flow_of(cases[i].exporter, cases[i].in, cases[i].told);
        is_u64(enrich_tells_rate(&enrich, &flow), cases[i].ext != 0 || cases[i].packets != cases[i].told,
               "is it the operator who told the rate: %s", cases[i].name);
        enrich_flow(&enrich, &flow);
        is_u64(flow.packets, cases[i].packets, "%s", cases[i].name);
        is_u64(flow.bytes, 100 * cases[i].packets, "bytes too");
        is_u64(flow.sampling_rate, 1, "and the rate reads 1");
    }
    sampling_map_free(map.current);
    map.current = next.current;
    flow = flow_of("192.0.2.1", 8, 512);
    enrich_flow(&enrich, &flow);
    is_u64(flow.packets, 8, "a map that was read again holds from the next record on");
    sampling_map_free(map.current);
}

int main(void)
{
    plan_none();
    check_sampling();
    check_map();
    return done_testing();
}
