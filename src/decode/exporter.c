/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of exporters. Rows live on the ledger, where everybody may read them and where they outlive the collector;
 * what only the decoder needs stands in a private array beside, place for place, with a private index over both. A row
 * is never given back, so the index needs no removal, and a full table stays full: then a datagram of a stranger (its
 * agent address may be invented) costs one look into the index and nothing else.
 *
 * Lanes share the rows: a free one is taken with a compare-and-swap on `used` and belongs to that lane for ever, so
 * each has one writer. An agent that reaches two lanes (by two source addresses) has a row in each.
 */
#include "decode/exporter.h"

#include <stdlib.h>

#include "base/time.h"
#include "decode/sequence.h"

#define index_slots (2 * ledger_exporters_max)

/* Uptime may go back a little when datagrams overtake each other; more than this, milliseconds, is a restart. */
#define uptime_disorder_ms 10000u
/* An uptime that comes from the last hour before 2^32 ms and is now in the first one has wrapped (after 49.7 days). */
#define uptime_wrap_ms 3600000u

enum { ROW_FREE, ROW_READY, ROW_CLAIMED };

struct exporter_table {
    struct ledger *ledger;
    unsigned lane;
    struct exporter *last;
    uint64_t seed; /* of the private index, so that nobody can aim at one slot */
    bool full;
    uint16_t index[index_slots]; /* place + 1, 0 is free */
    struct exporter exporters[ledger_exporters_max];
};

/* What a row is found by. */
struct key {
    struct address agent;
    uint32_t domain, version;
};

static struct key key_of_row(const struct ledger_exporter *row)
{
    struct key key = {.domain = row->domain, .version = row->version};

    memcpy(key.agent.bytes, row->agent, sizeof(row->agent));
    return key;
}

static uint64_t hash(const struct key *key, uint64_t seed)
{
    uint64_t h = (load_u64(key->agent.bytes) ^ seed) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ (h >> 32) ^ load_u64(key->agent.bytes + 8)) * UINT64_C(0xd6e8feb86659fd93);
    h = (h ^ (h >> 32) ^ key->domain ^ (uint64_t)key->version << 32) * UINT64_C(0xa0761d6478bd642f);
    return h ^ (h >> 29);
}

static bool row_is(const struct exporter_table *table, const struct ledger_exporter *row, const struct key *key)
{
    return row->domain == key->domain && row->version == key->version && row->lane == table->lane &&
           memcmp(row->agent, key->agent.bytes, sizeof(row->agent)) == 0;
}

static bool row_is_ready(const struct ledger_exporter *row)
{
    return __atomic_load_n(&row->used, __ATOMIC_ACQUIRE) == ROW_READY; /* after the release in claim() */
}

static struct exporter *index_find(const struct exporter_table *table, const struct key *key)
{
    size_t slot = hash(key, table->seed) % index_slots;

    while (table->index[slot] != 0) {
        size_t place = table->index[slot] - 1u;
        if (row_is(table, &table->ledger->exporters[place], key))
            return (struct exporter *)&table->exporters[place];
        slot = (slot + 1) % index_slots;
    }
    return NULL;
}

static struct exporter *index_add(struct exporter_table *table, size_t place)
{
    struct ledger_exporter *row = &table->ledger->exporters[place];
    struct exporter *exporter = &table->exporters[place];

    if (exporter->row != NULL)
        return exporter;
    struct key key = key_of_row(row);
    size_t slot = hash(&key, table->seed) % index_slots;
    while (table->index[slot] != 0)
        slot = (slot + 1) % index_slots;
    table->index[slot] = (uint16_t)(place + 1);
    exporter->row = row;
    return exporter;
}

static void index_all_rows(struct exporter_table *table)
{
    for (size_t place = 0; place < ledger_exporters_max; place++)
        if (row_is_ready(&table->ledger->exporters[place]) && table->ledger->exporters[place].lane == table->lane)
            index_add(table, place);
}

struct exporter_table *exporter_table_new(struct ledger *ledger, unsigned lane)
{
    struct exporter_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    table->ledger = ledger;
    table->lane = lane;
    table->seed = (uint64_t)time_monotonic_ns() * UINT64_C(0x2545f4914f6cdd1d) ^ (uint64_t)(uintptr_t)table;
    index_all_rows(table); /* those of a collector that died */
    return table;
}

void exporter_table_free(struct exporter_table *table)
{
    if (table == NULL)
        return;
    for (size_t place = 0; place < ledger_exporters_max; place++)
        free(table->exporters[place].state);
    free(table);
}

/* Takes a free row, from the hashed place on, or the row that another lane or life has taken for this exporter. */
static struct exporter *claim(struct exporter_table *table, const struct key *key, int64_t now_ns)
{
    size_t start = hash(key, 0) % ledger_exporters_max;

    for (size_t step = 0; step < ledger_exporters_max; step++) {
        size_t place = (start + step) % ledger_exporters_max;
        struct ledger_exporter *row = &table->ledger->exporters[place];
        uint16_t expected = ROW_FREE;

        if (row_is_ready(row)) {
            if (row_is(table, row, key))
                return index_add(table, place);
            continue;
        }
        if (!__atomic_compare_exchange_n(&row->used, &expected, ROW_CLAIMED, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        memcpy(row->agent, key->agent.bytes, sizeof(row->agent));
        row->domain = key->domain;
        row->version = key->version;
        row->lane = table->lane;
        row->first_ns = now_ns;
        __atomic_store_n(&row->used, ROW_READY, __ATOMIC_RELEASE); /* readers see agent and domain */
        return index_add(table, place);
    }
    table->full = true;
    index_all_rows(table);
    return index_find(table, key);
}

struct exporter *exporter_find(struct exporter_table *table, const struct address *agent, uint32_t domain,
                               uint32_t version, const struct origin *origin)
{
    struct exporter *exporter = table->last;
    struct key key = {*agent, domain, version};

    if (exporter == NULL || !row_is(table, exporter->row, &key)) {
        exporter = index_find(table, &key);
        if (exporter == NULL && !table->full)
            exporter = claim(table, &key, origin->arrival_ns);
        if (exporter == NULL)
            return NULL;
        table->last = exporter;
    }

    struct ledger_exporter *row = exporter->row;
    memcpy(row->source, origin->source.bytes, sizeof(row->source));
    row->source_port = origin->source_port;
    row->last_ns = origin->arrival_ns;
    return exporter;
}

static bool uptime_went_back(uint32_t before_ms, uint32_t now_ms)
{
    if (now_ms >= before_ms || before_ms - now_ms <= uptime_disorder_ms)
        return false;
    return !(before_ms > UINT32_MAX - uptime_wrap_ms && now_ms < uptime_wrap_ms);
}

static void count(uint64_t *of_row, uint64_t *of_lane, uint64_t n)
{
    counter_add(of_row, n);
    counter_add(of_lane, n);
}

void exporter_sequence(struct exporter *exporter, uint64_t *counters, uint32_t sequence, uint32_t uptime_ms)
{
    struct ledger_exporter *row = exporter->row;
    struct sequence follow = {exporter->next_sequence, exporter->window};
    enum sequence_event event = SEQUENCE_IN_ORDER;
    uint32_t missing = 0;

    if (!exporter->started) {
        exporter->started = true;
        sequence_start(&follow, sequence);
    } else if (unlikely(uptime_went_back(exporter->uptime_ms, uptime_ms))) {
        event = SEQUENCE_RESTARTED;
        sequence_start(&follow, sequence);
    } else {
        event = sequence_follow(&follow, sequence, &missing);
    }
    exporter->next_sequence = follow.next;
    exporter->window = follow.window;

    switch (event) {
    case SEQUENCE_IN_ORDER:
        break;
    case SEQUENCE_GAP:
        count(&row->lost, &counters[INPUT_datagrams_lost], missing);
        counter_add(&row->gaps, 1);
        break;
    case SEQUENCE_LATE:
        count(&row->lost, &counters[INPUT_datagrams_lost], (uint64_t)-1);
        count(&row->reordered, &counters[INPUT_datagrams_reordered], 1);
        return;
    case SEQUENCE_REPEATED:
        count(&row->reordered, &counters[INPUT_datagrams_reordered], 1);
        return;
    case SEQUENCE_RESTARTED:
        count(&row->restarts, &counters[INPUT_exporter_restarts], 1);
        break;
    }
    exporter->uptime_ms = uptime_ms; /* of the newest one, not of a late one */
}
