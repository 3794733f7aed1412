/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What maps ask of a record and no output shows: the set it came in, whether it is of option data, whether it counts
 * both directions; beside that next hops and VRF numbers, which maps ask for, too.
 */
#include "test_netflow_message.h"

static struct message_writer w;

static struct bench *begin(struct netflow_options options, unsigned version)
{
    struct error error = {""};
    struct bench *bench = bench_new(options, &error);

    message_begin(&w, version, 1, 1);
    return bench;
}

static void is_traits(const struct bench *bench, unsigned index, struct flow_traits want, const char *name)
{
    const struct flow *flow = &bench->flows[index];

    if (!ok(index < bench->flow_count, "%s: there is such a record", name))
        return;
    is_u64(flow->traits.set_id, want.set_id, "%s: its set", name);
    is_u64(flow->traits.options, want.options, "%s: option data or not", name);
    is_u64(flow->traits.two_way, want.two_way, "%s: both directions or one", name);
    ok(flow->frame == NULL && flow->traits.sample_type == 0, "%s: no packet, no sample", name);
}

static void put_counters(uint32_t packets, uint32_t bytes)
{
    put32(&w, packets);
    put32(&w, bytes);
}

static void check_sets(unsigned version)
{
    struct netflow_options options = {.account_options = true, .hold_bytes_max = 65536};
    struct bench *bench = begin(options, version);

    set_begin(&w, 301); /* waits for its template */
    put_counters(7, 700);
    put_template(&w, 300, FIELDS(2, 4, 1, 4));
    put_template(&w, 301, FIELDS(2, 4, 1, 4));
    put_options_template(&w, 302, 1, FIELDS(144, 4, 41, 4));
    set_begin(&w, 300);
    put_counters(1, 100);
    put_counters(2, 200);
    set_begin(&w, 302);
    put_counters(1, 5);
    set_begin(&w, 300);
    put_counters(3, 300);
    bench_send(bench, &w);
    is_u64(bench->flow_count, 5, "version %u: the records of four sets", version);
    is_traits(bench, 0, (struct flow_traits){.set_id = 301}, "the set that waited");
    is_traits(bench, 1, (struct flow_traits){.set_id = 300}, "a set");
    is_traits(bench, 2, (struct flow_traits){.set_id = 300}, "its second record");
    is_traits(bench, 3, (struct flow_traits){.set_id = 302, .options = true}, "option data");
    is_traits(bench, 4, (struct flow_traits){.set_id = 300}, "data again");
    bench_free(bench);
}

static void check_fixed(void)
{
    struct error error = {""};
    struct bench *bench = bench_new((struct netflow_options){0}, &error);

    w.size = 0;
    put16(&w, 5); /* Cisco's table of version 5: a header of 24 octets, records of 48 */
    put16(&w, 1);
    put32(&w, 1000);
    put64(&w, 0);
    put64(&w, 0);
    put32(&w, 0x0a000001);
    put32(&w, 0x0a000002);
    put32(&w, 0xc0000209);
    put32(&w, 0);
    put_counters(1, 100);
    for (unsigned i = 0; i < 6; i++)
        put32(&w, 0);
    netflow_datagram(bench->netflow, w.bytes, w.size, &bench->origin);
    is_traits(bench, 0, (struct flow_traits){.set_id = 0}, "version 5");
    ok(flow_has(&bench->flows[0], FIELD_IP_NEXT_HOP) && bench->flows[0].ip_next_hop.bytes[15] == 9,
       "it tells the next hop");
    bench_free(bench);
}

static void check_reverse_elements(void)
{
    struct bench *bench = begin((struct netflow_options){0}, 10);

    put_template(&w, 300, 7, (const uint32_t[]){2, 4, 1, 4, 0x8002, 4, 29305, 0x8001, 4, 29305, 234, 4, 235, 4, 15, 4});
    set_begin(&w, 300);
    put_counters(1, 100);
    put_counters(2, 200);
    put32(&w, 7);
    put32(&w, 8);
    put32(&w, 0xc0000209);
    bench_send(bench, &w);
    is_u64(bench->flow_count, 2, "a record of RFC 5103 gives two");
    is_traits(bench, 0, (struct flow_traits){.set_id = 300, .two_way = true}, "forward");
    is_traits(bench, 1, (struct flow_traits){.set_id = 300, .two_way = true}, "and reverse");
    ok(bench->flows[0].ingress_vrf_id == 7 && bench->flows[0].egress_vrf_id == 8 &&
           flow_has(&bench->flows[0], FIELD_IP_NEXT_HOP), "VRFs and next hop forward");
    ok(bench->flows[1].ingress_vrf_id == 8 && bench->flows[1].egress_vrf_id == 7 &&
           !flow_has(&bench->flows[1], FIELD_IP_NEXT_HOP), "and on the way back");
    bench_free(bench);
}

/* Initiator and responder of firewalls; also where their counters are not taken. */
static void check_responder(bool taken)
{
    struct bench *bench = begin((struct netflow_options){.asa_bi_flow = taken}, 9);

    put_template(&w, 300, FIELDS(231, 4, 232, 4));
    put_template(&w, 301, FIELDS(231, 4, 4, 1));
    set_begin(&w, 301);
    put32(&w, 100);
    put8(&w, 17);
    set_begin(&w, 300);
    put32(&w, 100);
    put32(&w, 200);
    bench_send(bench, &w);
    is_u64(bench->flow_count, taken ? 3 : 2, "initiator and responder, counters %staken", taken ? "" : "not ");
    is_traits(bench, 0, (struct flow_traits){.set_id = 301}, "an initiator alone");
    is_traits(bench, 1, (struct flow_traits){.set_id = 300, .two_way = true}, "both");
    bench_free(bench);
}

int main(void)
{
    plan_none();
    check_sets(9);
    check_sets(10);
    check_fixed();
    check_reverse_elements();
    check_responder(true);
    check_responder(false);
    return done_testing();
}
