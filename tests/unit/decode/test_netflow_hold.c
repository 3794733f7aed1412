/* SPDX-License-Identifier: BSD-2-Clause */
/* Data sets that come before their template: order, their own message, limits, time, and that the books balance. */
#include "test_netflow_message.h"

static struct message_writer w;

#define second_ns INT64_C(1000000000)

static void send_data(struct bench *bench, unsigned version, uint32_t sequence, unsigned id, unsigned records)
{
    message_begin(&w, version, sequence, 1);
    set_begin(&w, id);
    for (unsigned i = 0; i < records; i++) {
        put32(&w, 0x0a000000 + sequence);
        put32(&w, 100 + i);
        put32(&w, 1 + i);
    }
    bench_send(bench, &w);
}

static void send_template(struct bench *bench, unsigned version, uint32_t sequence, unsigned id)
{
    message_begin(&w, version, sequence, 1);
    put_template(&w, id, FIELDS(8, 4, 1, 4, 2, 4));
    bench_send(bench, &w);
}

static void books(const struct bench *bench, const char *name)
{
    const uint64_t *c = bench->counters;

    is_u64(c[INPUT_sets_seen],
           c[INPUT_sets_template] + c[INPUT_sets_data] + c[INPUT_sets_waiting] + c[INPUT_sets_unknown] +
               c[INPUT_sets_malformed] + c[INPUT_sets_reserved],
           "%s: the sum of sets", name);
}

static void order(unsigned version)
{
    struct error error;
    struct bench *bench = bench_new((struct netflow_options){.hold_bytes_max = 1 << 20}, &error);

    send_data(bench, version, 1, 256, 2);
    bench->origin.arrival_ns += second_ns;
    send_data(bench, version, 3, 256, 1);
    send_data(bench, version, 4, 257, 1);
    is_u64(bench->flow_count, 0, "v%u: nothing without a template", version);
    is_u64(bench->counters[INPUT_sets_waiting], 3, "v%u: three sets wait", version);
    bench->origin.arrival_ns += second_ns;
    send_template(bench, version, 5, 256);
    is_u64(bench->flow_count, 3, "v%u: the records of the template", version);
    is_u64(bench->counters[INPUT_sets_waiting], 1, "v%u: the other set waits on", version);
    for (unsigned i = 0; i < 3 && i < bench->flow_count; i++) {
        const struct flow *flow = &bench->flows[i];

        is_u64(flow->bytes, i == 2 ? 100 : 100 + i, "v%u: bytes of %u", version, i);
        is_u64(flow->src_host.bytes[15], i == 2 ? 3 : 1, "v%u: in order of arrival, %u", version, i);
        is_u64(flow->export_proto_seqno, i == 2 ? 3 : 1, "v%u: its own sequence number, %u", version, i);
        is_u64((uint64_t)flow->timestamp_arrival, (uint64_t)(test_arrival_ns + (i == 2) * second_ns),
               "v%u: its own arrival, %u", version, i);
    }
    books(bench, "some wait");
    send_template(bench, version, 6, 257);
    is_u64(bench->flow_count, 4, "v%u: and the other", version);
    is_u64(bench->netflow->held_bytes, 0, "v%u: no memory is held", version);
    is_u64(bench->counters[INPUT_sets_waiting], 0, "v%u: none waits", version);
    send_data(bench, version, 7, 257, 1);
    is_u64(bench->flow_count, 5, "v%u: from now on at once", version);
    books(bench, "none waits");
    bench_free(bench);
}

static void limits(void)
{
    struct error error;
    struct bench *bench = bench_new((struct netflow_options){.hold_bytes_max = 1 << 20}, &error);

    for (unsigned i = 0; i < 100; i++)
        send_data(bench, 10, i, 256, 1);
    is_u64(bench->counters[INPUT_sets_waiting], 64, "64 sets of a domain wait");
    is_u64(bench->counters[INPUT_sets_unknown], 36, "the others are counted");
    send_template(bench, 10, 100, 256);
    is_u64(bench->flow_count, 64, "those that waited are decoded");
    books(bench, "count");
    bench_free(bench);

    bench = bench_new((struct netflow_options){.hold_bytes_max = 1 << 20}, &error);
    for (unsigned i = 0; i < 10; i++)
        send_data(bench, 10, i, 256, 5000);
    is_u64(bench->counters[INPUT_sets_waiting], 4, "256 KiB of a domain wait");
    ok(bench->netflow->held_bytes <= 256 << 10, "and no more memory");
    bench_free(bench);

    bench = bench_new((struct netflow_options){.hold_bytes_max = 1000}, &error);
    for (unsigned i = 0; i < 10; i++)
        send_data(bench, 10, i, 256, 10);
    ok(bench->counters[INPUT_sets_waiting] > 0 && bench->netflow->held_bytes <= 1000, "the lane's limit holds");
    books(bench, "limit of the lane");
    netflow_end(bench->netflow);
    is_u64(bench->counters[INPUT_sets_waiting], 0, "at the end none waits");
    is_u64(bench->counters[INPUT_sets_unknown], 10, "all are counted");
    is_u64(bench->netflow->held_bytes, 0, "all memory is given back");
    bench_free(bench);
}

static void time_passes(void)
{
    struct error error;
    struct bench *bench = bench_new((struct netflow_options){.hold_bytes_max = 1 << 20, .hold_ns = 10 * second_ns},
                                    &error);
    int64_t start_ns = bench->origin.arrival_ns;

    send_data(bench, 9, 1, 256, 1);
    bench->origin.arrival_ns += 5 * second_ns;
    send_data(bench, 9, 2, 256, 1);
    netflow_tick(bench->netflow, start_ns + 9 * second_ns);
    is_u64(bench->counters[INPUT_sets_waiting], 2, "both wait in time");
    netflow_tick(bench->netflow, start_ns + 10 * second_ns);
    is_u64(bench->counters[INPUT_sets_waiting], 1, "the older one waited too long");
    is_u64(bench->counters[INPUT_sets_unknown], 1, "and is counted");
    netflow_tick(bench->netflow, start_ns - 1000 * second_ns);
    is_u64(bench->counters[INPUT_sets_waiting], 1, "a clock that goes back discards nothing");
    send_data(bench, 9, 3, 256, 1);
    send_template(bench, 9, 4, 256);
    is_u64(bench->flow_count, 2, "the list is whole after that");
    is_u64(bench->netflow->domains->exporter->row->held, 0, "the exporter's gauge");
    books(bench, "time");
    bench_free(bench);
}

static void options_wait_too(void)
{
    struct error error;
    struct bench *bench = bench_new((struct netflow_options){.hold_bytes_max = 1 << 20}, &error);
    struct span name;

    message_begin(&w, 10, 0, 1);
    set_begin(&w, 300);
    put32(&w, 7);
    put_text(&w, "eth7", 8);
    bench_send(bench, &w);
    message_begin(&w, 10, 1, 1);
    put_options_template(&w, 300, 1, FIELDS(10, 4, 82, 8));
    bench_send(bench, &w);
    name = options_interface_name(bench->netflow->domains, 7);
    ok(name.length == 4 && memcmp(name.data, "eth7", 4) == 0, "options data that waited is learnt");
    bench_free(bench);
}

int main(void)
{
    order(9);
    order(10);
    limits();
    time_passes();
    options_wait_too();
    return done_testing();
}
