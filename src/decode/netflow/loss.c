/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is missing, by the exporters' sequence numbers. Each version counts something else:
 *
 *   5, 6, 7, 8   flows: the number of the first one of the datagram
 *   9            datagrams (RFC 3954 section 5.1)
 *   10           data records before this message, options records included (RFC 7011 section 3.1)
 *
 * Two habits are found out, since every gap then has the same telling size: a v9 exporter that counts records, and an
 * IPFIX exporter that counts the data records of the message itself, and no options records (softflowd). From then on
 * it is followed in its own way, and what had been called lost is taken back.
 *
 * All modulo 2^32. A gap is lost until a late datagram closes it. Far behind, far ahead, or an uptime that went back: a
 * restart.
 */
#include "decode/netflow/private.h"

#define late_records_max 100000u /* so far behind a record sequence is late; farther is a restart */
#define gap_max (UINT32_C(1) << 26) /* so far ahead numbers are missing; farther is a restart too, or nonsense */
#define uptime_disorder_ms 10000u
#define uptime_wrap_ms 3600000u /* from the last hour before 2^32 ms to the first one is no restart */
#define suspicion_limit 3 /* telling gaps in a row */

static void add(uint64_t *of_row, uint64_t *of_lane, uint64_t n)
{
    counter_add(of_row, n);
    counter_add(of_lane, n);
}

static void restart(struct netflow *netflow, struct domain *domain)
{
    add(&domain->exporter->row->restarts, &netflow->counters[INPUT_exporter_restarts], 1);
}

static void start(struct netflow *netflow, struct domain *domain, uint32_t records)
{
    domain->loss.started = true;
    domain->loss.sequence = netflow->message.sequence;
    domain->loss.last_records = records;
    domain->loss.suspicion = 0;
    sequence_start(&domain->loss.datagrams, netflow->message.sequence);
}

/* Uptime is 32 bits of milliseconds: from near its end to near its beginning it has wrapped. */
static bool has_restarted(const struct netflow *netflow, const struct domain *domain)
{
    uint32_t before_ms = domain->loss.uptime_ms, now_ms = netflow->message.uptime_ms;

    if (netflow->message.version == 10 || now_ms >= before_ms || before_ms - now_ms <= uptime_disorder_ms)
        return false;
    return before_ms <= UINT32_MAX - uptime_wrap_ms || now_ms >= uptime_wrap_ms;
}

/* The other way to count would have no gap here: three times in a row, and it is how this exporter counts. */
static bool changes_its_mind(struct netflow *netflow, struct domain *domain, bool telling, uint64_t *lost_row,
                             enum input_counter lost_lane)
{
    struct ledger_exporter *row = domain->exporter->row;

    if (!telling) {
        domain->loss.suspicion = 0;
        domain->loss.doubtful_lost = domain->loss.doubtful_late = 0;
        return false;
    }
    if (++domain->loss.suspicion < suspicion_limit)
        return false;
    domain->loss.odd_count = true;
    add(lost_row, &netflow->counters[lost_lane], -min_u64(domain->loss.doubtful_lost, *lost_row));
    add(&row->reordered, &netflow->counters[INPUT_datagrams_reordered],
        -min_u64(domain->loss.doubtful_late, row->reordered));
    counter_set(&row->gaps, row->gaps - min_u64(row->gaps, suspicion_limit));
    return true;
}

/* Sequences of records. Returns false for a late message, which does not lead on. */
static bool follow_records(struct netflow *netflow, struct domain *domain, uint32_t records, uint32_t data_records)
{
    struct ledger_exporter *row = domain->exporter->row;
    uint32_t sequence = netflow->message.sequence;
    bool own = domain->loss.odd_count && domain->version == 10;
    uint32_t expected = domain->loss.sequence + (own ? data_records : domain->loss.last_records);
    uint32_t ahead = sequence - expected;
    bool telling = domain->version == 10 && !domain->loss.odd_count && sequence == domain->loss.sequence + data_records;

    if (ahead == 0) {
        if (records != domain->loss.last_records)
            domain->loss.suspicion = 0;
        return true;
    }
    if (telling && changes_its_mind(netflow, domain, true, &row->records_lost, INPUT_records_lost))
        return true;
    if (ahead <= gap_max) {
        add(&row->records_lost, &netflow->counters[INPUT_records_lost], ahead);
        counter_add(&row->gaps, 1);
        domain->loss.doubtful_lost += telling ? ahead : 0;
        return true;
    }
    if (-ahead > late_records_max) {
        restart(netflow, domain);
        return true;
    }
    add(&row->reordered, &netflow->counters[INPUT_datagrams_reordered], 1);
    if (telling) { /* not late, by the other way to count */
        domain->loss.doubtful_late++;
        return true;
    }
    add(&row->records_lost, &netflow->counters[INPUT_records_lost], -min_u64(records, row->records_lost));
    return false;
}

static bool follow_datagrams(struct netflow *netflow, struct domain *domain)
{
    struct ledger_exporter *row = domain->exporter->row;
    uint32_t missing = 0;
    bool telling;

    switch (sequence_follow(&domain->loss.datagrams, netflow->message.sequence, &missing)) {
    case SEQUENCE_GAP:
        if (missing > gap_max) {
            restart(netflow, domain);
            return true;
        }
        telling = missing + 1 == domain->loss.last_records;
        add(&row->lost, &netflow->counters[INPUT_datagrams_lost], missing);
        counter_add(&row->gaps, 1);
        domain->loss.doubtful_lost += telling ? missing : 0;
        changes_its_mind(netflow, domain, telling, &row->lost, INPUT_datagrams_lost);
        return true;
    case SEQUENCE_LATE:
        add(&row->lost, &netflow->counters[INPUT_datagrams_lost], (uint64_t)-1);
        add(&row->reordered, &netflow->counters[INPUT_datagrams_reordered], 1);
        return false;
    case SEQUENCE_REPEATED:
        add(&row->reordered, &netflow->counters[INPUT_datagrams_reordered], 1);
        return false;
    case SEQUENCE_RESTARTED:
        restart(netflow, domain);
        return true;
    default:
        if (domain->loss.last_records > 1)
            domain->loss.suspicion = 0;
        return true;
    }
}

void loss_message(struct netflow *netflow, struct domain *domain, uint64_t records, uint64_t options)
{
    bool leads = true, unsure = domain->loss.resync;

    if (netflow->message.version == 1)
        return;
    domain->loss.resync = netflow->unknown_set;
    if (!domain->loss.started) {
        start(netflow, domain, (uint32_t)records);
    } else if (has_restarted(netflow, domain)) {
        restart(netflow, domain);
        start(netflow, domain, (uint32_t)records);
    } else if (domain->version == 9 && !domain->loss.odd_count) {
        leads = follow_datagrams(netflow, domain);
    } else if (!unsure && !(domain->loss.resync && domain->loss.odd_count)) {
        leads = follow_records(netflow, domain, (uint32_t)records, (uint32_t)(records - options));
    }
    if (!leads)
        return;
    domain->loss.uptime_ms = netflow->message.uptime_ms;
    domain->loss.sequence = netflow->message.sequence;
    domain->loss.last_records = (uint32_t)records;
}
