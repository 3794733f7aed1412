/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a flow began and ended. Exporters tell it in a dozen forms (RFC 7011 section 6.1.7 to 6.1.10, the registry's
 * elements 21, 22, 150 to 162, 322 to 325); of those in a record the finest is taken:
 *
 *   absolute     nanoseconds, microseconds, milliseconds, seconds
 *   relative     microseconds before the export; milliseconds of uptime, modulo 2^32
 *   by the rest  the other end and a duration; the time of observation, which is both; the other end; the export
 *
 * Every time has to be within a year before and a day after the export, else it is taken for nonsense, the arrival
 * stands for it and the record is counted. The export is the measure, not the arrival, so that old traffic can be
 * replayed.
 */
#include "base/time.h"
#include "decode/netflow/finish.h"

#define microsecond_ns INT64_C(1000)
#define millisecond_ns INT64_C(1000000)
#define past_ns (366 * 86400 * time_second_ns)
#define future_ns (86400 * time_second_ns)
#define ntp_to_unix_seconds INT64_C(2208988800) /* from 1900 to 1970, RFC 5905 section 6 */
#define ntp_era_seconds (INT64_C(1) << 32)

/* Both ends of the flow in one of the forms. */
struct pair {
    enum part_id part[2];
    size_t offset[2];
};

#define PAIR(start, end) \
    {{PART_##start, PART_##end}, {offsetof(struct parts, start), offsetof(struct parts, end)}}

enum { START, END };

/* A number of units as nanoseconds; what does not fit is so far off that it is refused anyway. */
static int64_t scaled(uint64_t value, int64_t unit_ns)
{
    return value > (uint64_t)(INT64_MAX / unit_ns) ? INT64_MAX : (int64_t)value * unit_ns;
}

static uint64_t distance(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

/*
 * Elements 154 to 157 are NTP timestamps: seconds since 1900, modulo 2^32, and a binary fraction. Some exporters send
 * a plain count of micro- or nanoseconds since 1970 instead: that reading is taken when it is nearer to the export.
 * Others put microseconds into the fraction: `decimal` says that this one does.
 */
static int64_t ntp_time(uint64_t value, int64_t unit_ns, bool decimal, int64_t near_ns)
{
    int64_t seconds = (int64_t)(value >> 32) - ntp_to_unix_seconds;
    int64_t fraction_ns = (int64_t)(((value & UINT32_MAX) * (uint64_t)time_second_ns) >> 32);
    int64_t readings[3], best;

    if (decimal)
        fraction_ns = (int64_t)(value & UINT32_MAX) * microsecond_ns;
    readings[0] = seconds * time_second_ns + fraction_ns;
    readings[1] = (seconds + ntp_era_seconds) * time_second_ns + fraction_ns;
    readings[2] = scaled(value, unit_ns);
    best = readings[0];
    for (unsigned i = 1; i < array_length(readings); i++)
        if (distance(readings[i], near_ns) < distance(best, near_ns))
            best = readings[i];
    return best;
}

/* Real fractions of two timestamps are both below a million 2^-32 s once in 18 million records. */
static bool is_decimal(const struct record *record)
{
    uint64_t start = record->parts.START_US & UINT32_MAX, end = record->parts.END_US & UINT32_MAX;

    return record_has(record, PART_START_US) && record_has(record, PART_END_US) && (start | end) != 0 &&
           start < 1000000 && end < 1000000;
}

/*
 * Milliseconds of uptime. The difference to the uptime at the export is signed, since a flow may be told of a little
 * after the header was made, and modulo 2^32, so that neither a wrap nor a flow older than the boot leads astray. IPFIX
 * headers have no uptime: there the time of the boot must be known.
 */
static bool uptime(const struct netflow *netflow, const struct record *record, uint64_t value, int64_t *ns)
{
    const struct message *message = &netflow->message;
    uint32_t now_ms = message->uptime_ms, then_ms = (uint32_t)value;

    if (message->version == 10) {
        int64_t init_ns = netflow->domain->init_ns;

        if (record_has(record, PART_INIT_MS) && record->parts.INIT_MS != 0)
            init_ns = scaled(record->parts.INIT_MS, millisecond_ns);
        if (init_ns <= 0 || init_ns > message->export_ns + future_ns)
            return false;
        int64_t up_ms = (message->export_ns - init_ns) / millisecond_ns;
        *ns = init_ns + (up_ms - (int32_t)((uint32_t)up_ms - then_ms)) * millisecond_ns;
        return true;
    }
    if (netflow->options.time_secs && message->version < 9)
        then_ms *= 1000; /* the header's is in milliseconds already */
    *ns = message->export_ns - (int32_t)(now_ms - then_ms) * millisecond_ns;
    return true;
}

static uint64_t part_at(const struct record *record, size_t offset)
{
    return load_u64((const uint8_t *)&record->parts + offset);
}

/* One end by what tells it directly. Zero means "not told" in all forms but uptime and deltas. */
static bool told_time(const struct netflow *netflow, const struct record *record, unsigned end, int64_t *ns)
{
    static const struct pair ntp_ns = PAIR(START_NS, END_NS), ntp_us = PAIR(START_US, END_US),
                             delta = PAIR(START_DELTA_US, END_DELTA_US), up = PAIR(FIRST_UPTIME, LAST_UPTIME);
    static const struct {
        struct pair pair;
        int64_t unit_ns;
    } counts[] = {{PAIR(START_MS, END_MS), millisecond_ns}, {PAIR(START_S, END_S), time_second_ns}};
    int64_t export_ns = netflow->message.export_ns;
    uint64_t value;

    if (record_has(record, ntp_ns.part[end]) && (value = part_at(record, ntp_ns.offset[end])) != 0) {
        *ns = ntp_time(value, 1, false, export_ns);
        return true;
    }
    if (record_has(record, ntp_us.part[end]) && (value = part_at(record, ntp_us.offset[end])) != 0) {
        *ns = ntp_time(value, microsecond_ns, is_decimal(record), export_ns);
        return true;
    }
    for (unsigned i = 0; i < array_length(counts); i++) {
        if (!record_has(record, counts[i].pair.part[end]) || (value = part_at(record, counts[i].pair.offset[end])) == 0)
            continue;
        *ns = scaled(value, counts[i].unit_ns);
        return true;
    }
    if (record_has(record, delta.part[end])) {
        *ns = export_ns - scaled(min_u64(part_at(record, delta.offset[end]), UINT32_MAX), microsecond_ns);
        return true;
    }
    return record_has(record, up.part[end]) && uptime(netflow, record, part_at(record, up.offset[end]), ns);
}

static bool observed_time(const struct netflow *netflow, const struct record *record, int64_t *ns)
{
    const struct parts *parts = &record->parts;
    int64_t export_ns = netflow->message.export_ns;

    if (record_has(record, PART_OBSERVED_NS) && parts->OBSERVED_NS != 0)
        *ns = ntp_time(parts->OBSERVED_NS, 1, false, export_ns);
    else if (record_has(record, PART_OBSERVED_US) && parts->OBSERVED_US != 0)
        *ns = ntp_time(parts->OBSERVED_US, microsecond_ns, false, export_ns);
    else if (record_has(record, PART_OBSERVED_MS) && parts->OBSERVED_MS != 0)
        *ns = scaled(parts->OBSERVED_MS, millisecond_ns);
    else if (record_has(record, PART_OBSERVED_S) && parts->OBSERVED_S != 0)
        *ns = scaled(parts->OBSERVED_S, time_second_ns);
    else
        return false;
    return true;
}

/* Nanoseconds, 0 when the record has no duration; a year at most, so that sums stay in range. */
static int64_t duration(const struct record *record)
{
    uint64_t ns = 0;

    if (record_has(record, PART_DURATION_US))
        ns = (uint64_t)scaled(record->parts.DURATION_US, microsecond_ns);
    else if (record_has(record, PART_DURATION_MS))
        ns = (uint64_t)scaled(record->parts.DURATION_MS, millisecond_ns);
    return (int64_t)min_u64(ns, past_ns);
}

static bool is_plausible(int64_t ns, int64_t export_ns)
{
    return ns >= export_ns - past_ns && ns <= export_ns + future_ns;
}

void finish_times(struct netflow *netflow, struct record *record)
{
    int64_t start_ns = 0, end_ns = 0, observed_ns = 0, export_ns = netflow->message.export_ns;
    bool has_start = told_time(netflow, record, START, &start_ns), has_end = told_time(netflow, record, END, &end_ns);
    bool wrong = false;

    if (!(has_start && has_end)) {
        if (!has_start && !has_end) {
            bool has_observed = observed_time(netflow, record, &observed_ns);

            end_ns = has_observed ? observed_ns : export_ns;
            start_ns = end_ns;
        } else if (has_start) {
            end_ns = is_plausible(start_ns, export_ns) ? start_ns + duration(record) : start_ns;
        } else {
            start_ns = is_plausible(end_ns, export_ns) ? end_ns - duration(record) : end_ns;
        }
    }
    if (unlikely(!is_plausible(start_ns, export_ns))) {
        start_ns = netflow->message.origin->arrival_ns;
        wrong = true;
    }
    if (unlikely(!is_plausible(end_ns, export_ns))) {
        end_ns = netflow->message.origin->arrival_ns;
        wrong = true;
    }
    if (unlikely(wrong))
        netflow_count(netflow, INPUT_times_replaced);
    flow_set_timestamp_start(&record->flow, start_ns);
    flow_set_timestamp_end(&record->flow, end_ns);
}
