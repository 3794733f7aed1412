/* SPDX-License-Identifier: BSD-2-Clause */
/* When a flow began and ended, in all forms in which exporters tell it, with their lies. */
#include "test_netflow_finish_world.h"

/* ---- times ------------------------------------------------------------------------------------------------------- */

static void are_times(int64_t start_ns, int64_t end_ns, uint64_t replaced, const char *name)
{
    const struct flow *flow = &world.netflow.record.flow;

    run("times");
    ok(flow_has(flow, FIELD_TIMESTAMP_START) && flow_has(flow, FIELD_TIMESTAMP_END), "%s: both are set", name);
    is_u64((uint64_t)flow->timestamp_start, (uint64_t)start_ns, "%s: start", name);
    is_u64((uint64_t)flow->timestamp_end, (uint64_t)end_ns, "%s: end", name);
    is_u64(world.counters[INPUT_times_replaced], replaced, "%s: replaced", name);
}

static uint64_t ntp(int64_t seconds, uint32_t fraction)
{
    return (uint64_t)(seconds + 2208988800) << 32 | fraction;
}

static void absolute_times(void)
{
    const int64_t s = seconds_2026, start = export_time - 60 * time_second_ns, end = export_time - time_second_ns;

    fresh(10);
    put(START_S, (uint64_t)s - 60);
    put(END_S, (uint64_t)s - 1);
    are_times(start, end, 0, "seconds");
    put(START_MS, (uint64_t)(s - 60) * 1000 + 7);
    put(END_MS, (uint64_t)(s - 1) * 1000 + 9);
    are_times(start + 7 * ms, end + 9 * ms, 0, "milliseconds before seconds");
    put(START_US, ntp(s - 60, 0x80000000));
    put(END_US, ntp(s - 1, 0x40000000));
    are_times(start + 500 * ms, end + 250 * ms, 0, "NTP, microseconds");
    put(START_NS, ntp(s - 60, 0x20000000));
    put(END_NS, ntp(s - 1, 0));
    are_times(start + 125 * ms, end, 0, "NTP, nanoseconds");

    fresh(10);
    put(START_US, (uint64_t)(s - 60) * 1000000 + 5);
    put(END_US, (uint64_t)(s - 1) * 1000000 + 6);
    are_times(start + 5000, end + 6000, 0, "a liar: microseconds since 1970");
    put(START_US, ntp(s - 60, 500000));
    put(END_US, ntp(s - 1, 250000));
    are_times(start + 500 * ms, end + 250 * ms, 0, "a liar: microseconds as fraction");
    put(START_NS, (uint64_t)(s - 60) * 1000000000 + 5);
    put(END_NS, (uint64_t)(s - 1) * 1000000000 + 6);
    are_times(start + 5, end + 6, 0, "a liar: nanoseconds since 1970");

    fresh(10);
    world.netflow.message.export_ns = (INT64_C(2085978496) + 100) * time_second_ns; /* 2036-02-07: NTP begins anew */
    put(START_NS, UINT64_C(40) << 32);
    put(END_NS, UINT64_C(50) << 32);
    are_times((INT64_C(2085978496) + 40) * time_second_ns, (INT64_C(2085978496) + 50) * time_second_ns, 0,
              "the next era of NTP");
}

static void relative_times(void)
{
    fresh(10);
    put(START_DELTA_US, 5000000);
    put(END_DELTA_US, 0);
    are_times(export_time - 5 * time_second_ns, export_time, 0, "microseconds before the export");

    fresh(9);
    put(FIRST_UPTIME, 99000);
    put(LAST_UPTIME, 99999);
    are_times(export_time - 1000 * ms, export_time - ms, 0, "uptime");
    world.netflow.message.uptime_ms = 500; /* after 2^32 ms */
    put(FIRST_UPTIME, UINT32_MAX - 499);
    put(LAST_UPTIME, 400);
    are_times(export_time - 1000 * ms, export_time - 100 * ms, 0, "uptime has wrapped");
    put(FIRST_UPTIME, 500 + 3000);
    put(LAST_UPTIME, 500 + 4000);
    are_times(export_time + 3000 * ms, export_time + 4000 * ms, 0, "a flow after the header's time");

    fresh(5);
    world.netflow.options.time_secs = true;
    put(FIRST_UPTIME, 90);
    put(LAST_UPTIME, 99);
    are_times(export_time - 10 * time_second_ns, export_time - time_second_ns, 0, "nfacctd_time_secs");

    fresh(10);
    world.netflow.message.uptime_ms = 0;
    put(FIRST_UPTIME, 99000);
    put(LAST_UPTIME, 99999);
    are_times(export_time, export_time, 0, "IPFIX: uptime without the boot's time");
    put(INIT_MS, (uint64_t)(export_time / ms - 100000));
    are_times(export_time - 1000 * ms, export_time - ms, 0, "IPFIX: with that of the record");
    world.netflow.record.parts.INIT_MS = 0;
    world.domain.init_ns = export_time - (INT64_C(4294967296) + 100000) * ms;
    are_times(export_time - 1000 * ms, export_time - ms, 0, "IPFIX: with that of options data, 49 days ago");
    world.domain.init_ns = INT64_MAX - 5;
    are_times(export_time, export_time, 0, "IPFIX: a boot in a far future");
}

static void partial_times(void)
{
    const uint64_t now_ms = (uint64_t)(export_time / ms);

    fresh(10);
    put(OBSERVED_S, (uint64_t)seconds_2026 - 9);
    are_times(export_time - 9 * time_second_ns, export_time - 9 * time_second_ns, 0, "observed, seconds");
    put(OBSERVED_MS, now_ms - 8000);
    are_times(export_time - 8000 * ms, export_time - 8000 * ms, 0, "observed, milliseconds");
    put(OBSERVED_US, ntp(seconds_2026 - 7, 0));
    are_times(export_time - 7000 * ms, export_time - 7000 * ms, 0, "observed, microseconds");
    put(OBSERVED_NS, ntp(seconds_2026 - 6, 0));
    are_times(export_time - 6000 * ms, export_time - 6000 * ms, 0, "observed, nanoseconds");

    fresh(10);
    put(START_MS, now_ms - 5000);
    are_times(export_time - 5000 * ms, export_time - 5000 * ms, 0, "a start alone");
    put(DURATION_MS, 2000);
    are_times(export_time - 5000 * ms, export_time - 3000 * ms, 0, "a start and milliseconds");
    put(DURATION_US, 4000);
    are_times(export_time - 5000 * ms, export_time - 4996 * ms, 0, "a start and microseconds");
    put(START_MS, UINT64_MAX);
    are_times(world.origin.arrival_ns, world.origin.arrival_ns, 1, "a start beyond all times, and a duration");
    fresh(10);
    put(END_MS, now_ms - 1000);
    put(DURATION_MS, 2000);
    are_times(export_time - 3000 * ms, export_time - 1000 * ms, 0, "an end and a duration");
    put(DURATION_MS, UINT64_MAX);
    run("times");
    ok(world.netflow.record.flow.timestamp_end == export_time - 1000 * ms, "an endless duration leaves the end");

    fresh(10);
    put(START_MS, 0);
    put(END_MS, 0);
    are_times(export_time, export_time, 0, "zero is not told: the export");
}

static void implausible_times(void)
{
    const int64_t day_ns = 86400 * time_second_ns;

    fresh(10);
    put(START_MS, (uint64_t)((export_time - 400 * day_ns) / ms));
    put(END_MS, (uint64_t)(export_time / ms));
    are_times(world.origin.arrival_ns, export_time, 1, "older than a year");
    put(START_MS, (uint64_t)(export_time / ms));
    put(END_MS, (uint64_t)((export_time + 2 * day_ns) / ms));
    are_times(export_time, world.origin.arrival_ns, 2, "more than a day ahead");
    put(START_NS, UINT64_MAX);
    put(END_NS, 1);
    are_times(world.origin.arrival_ns, world.origin.arrival_ns, 3, "both, one record");
    fresh(10);
    world.netflow.message.export_ns = INT64_C(1677577621) * time_second_ns; /* a replay of 2023 */
    put(START_S, 1677577561);
    put(END_S, 1677577572);
    are_times(INT64_C(1677577561) * time_second_ns, INT64_C(1677577572) * time_second_ns, 0, "old traffic, replayed");
}

int main(void)
{
    plan_none();
    absolute_times();
    relative_times();
    partial_times();
    implausible_times();
    return end_of_world();
}
