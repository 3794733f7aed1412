/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows spread over time bins: shares by time, exact sums, bounds. */
#include "core/pro_rate.h"

#include "lib/tap.h"

#define base INT64_C(1795168800) /* 2026-11-20 10:00:00 UTC */
#define seconds(n) ((base + (n)) * time_second_ns)

static struct pro_rate five_minutes(void)
{
    struct time_bins history = {.count = 5, .unit = TIME_UNIT_MINUTE, .round_minutes = true, .utc = true};
    struct pro_rate pro_rate;

    pro_rate_init(&pro_rate, &history, seconds(1234));
    return pro_rate;
}

static struct flow a_flow(int64_t start_ns, int64_t end_ns, uint64_t packets, uint64_t bytes)
{
    struct flow flow;

    memset(&flow, 0, sizeof(flow));
    flow_set_timestamp_start(&flow, start_ns);
    flow_set_timestamp_end(&flow, end_ns);
    flow.packets = packets;
    flow.bytes = bytes;
    flow.flows = 1;
    return flow;
}

/* 1000 bytes in 1000 seconds from the start of a bin: 300, 300, 300 and 100, as pmacct's documentation has it. */
static void in_proportion(void)
{
    static const uint64_t bytes[] = {300, 300, 300, 100};
    struct pro_rate pro_rate = five_minutes();
    struct flow flow = a_flow(seconds(0), seconds(1000), 7, 1000);
    struct pro_rate_walk walk;
    uint64_t packets = 0, flows = 0;
    unsigned count = 0;
    int64_t base_ns;

    ok(pro_rate_begin(&pro_rate, &flow, &walk), "a flow of 1000 s touches four bins of 300 s");
    for (; pro_rate_next(&walk, &flow, &base_ns); count++) {
        if (count < array_length(bytes))
            is_u64(flow.bytes, bytes[count], "bytes of piece %u", count);
        ok(base_ns == seconds(300 * (int64_t)count), "it begins with its bin");
        packets += flow.packets;
        flows += flow.flows;
    }
    is_u64(count, 4, "four pieces");
    is_u64(packets, 7, "packets add up");
    is_u64(flows, 1, "and the flow is one");
    ok(flow.packets == 7 && flow.bytes == 1000 && flow.flows == 1, "the flow is as before");
}

static void nothing_to_spread(void)
{
    struct pro_rate pro_rate = five_minutes();
    struct pro_rate_walk walk;
    struct flow flow = a_flow(seconds(10), seconds(300), 1, 100);

    ok(!pro_rate_begin(&pro_rate, &flow, &walk), "a flow that ends with its bin");
    flow = a_flow(seconds(10), seconds(300) + 1, 1, 100);
    ok(pro_rate_begin(&pro_rate, &flow, &walk), "but not a nanosecond later");
    flow = a_flow(seconds(1000), seconds(10), 1, 100);
    ok(!pro_rate_begin(&pro_rate, &flow, &walk), "one that ends before it begins");
    flow = a_flow(seconds(0), seconds(1000), 0, 0);
    ok(!pro_rate_begin(&pro_rate, &flow, &walk), "an event");
    flow = a_flow(seconds(0), seconds(1000), 1, 100);
    flow.have = (struct field_set){{0}};
    ok(!pro_rate_begin(&pro_rate, &flow, &walk), "one without times");
}

/* One packet over three bins is not cut: it is the last one's, and the others get no piece. */
static void small(void)
{
    struct pro_rate pro_rate = five_minutes();
    struct flow flow = a_flow(seconds(290), seconds(601), 1, 2);
    struct pro_rate_walk walk;
    int64_t base_ns;

    ok(pro_rate_begin(&pro_rate, &flow, &walk), "311 s in three bins");
    ok(pro_rate_next(&walk, &flow, &base_ns) && base_ns == seconds(300) && flow.packets == 0 && flow.bytes == 1 &&
           flow.flows == 0, "the first piece has nothing and is passed over");
    ok(pro_rate_next(&walk, &flow, &base_ns) && base_ns == seconds(600) && flow.packets == 1 && flow.bytes == 1 &&
           flow.flows == 1, "the last has what is left");
    ok(!pro_rate_next(&walk, &flow, &base_ns), "and that was all");
}

static void bounds(void)
{
    struct time_bins history = {.count = 1, .unit = TIME_UNIT_SECOND, .utc = true};
    struct flow flow = a_flow(seconds(-366 * 86400), seconds(86400), UINT64_MAX, UINT64_MAX - 1);
    struct pro_rate pro_rate;
    struct pro_rate_walk walk;
    uint64_t packets = 0, bytes = 0;
    unsigned count = 0;
    int64_t base_ns;

    pro_rate_init(&pro_rate, &history, seconds(0));
    ok(pro_rate_begin(&pro_rate, &flow, &walk), "a year in bins of a second");
    while (pro_rate_next(&walk, &flow, &base_ns)) {
        count++;
        packets += flow.packets;
        bytes += flow.bytes;
    }
    is_u64(count, pro_rate_pieces_max, "the pieces are bounded");
    ok(packets == UINT64_MAX && bytes == UINT64_MAX - 1, "and their sum is exact");
}

int main(void)
{
    plan_none();
    in_proportion();
    nothing_to_spread();
    small();
    bounds();
    return done_testing();
}
