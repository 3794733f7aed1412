/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of exporters: finding, filling up, outliving its collector; and the sequences of datagrams. */
#include "decode/exporter.h"

#include <stdlib.h>

#include "lib/tap.h"

static struct address numbered(uint32_t i)
{
    uint8_t octets[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
    struct address address;

    address_set_ipv4(&address, octets);
    return address;
}

static void table(struct ledger *ledger)
{
    struct exporter_table *exporters = exporter_table_new(ledger, 0);
    struct origin origin = {.source = numbered(1), .source_port = 99, .arrival_ns = 5};
    struct address agent = numbered(7);
    unsigned wrong = 0;

    struct exporter *first = exporter_find(exporters, &agent, 0, 5, &origin);
    ok(first != NULL && first->row->used, "a new exporter takes a row");
    is_u64(first->row->source_port, 99, "its port");
    is_u64((uint64_t)first->row->first_ns, 5, "its first time");
    is_u64(first->row->version, 5, "its version");
    origin.arrival_ns = 6;
    ok(exporter_find(exporters, &agent, 0, 5, &origin) == first, "it is found again");
    is_u64((uint64_t)first->row->last_ns, 6, "its last time");
    is_u64((uint64_t)first->row->first_ns, 5, "the first one stays");
    struct exporter *other = exporter_find(exporters, &agent, 1, 5, &origin);
    ok(other != NULL && other != first, "another domain is another exporter");
    ok(exporter_find(exporters, &agent, 0, 5, &origin) == first, "after another one");
    first->state = malloc(16);
    first->row->datagrams = 3;

    for (uint32_t i = 0; i < ledger_exporters_max - 2; i++) {
        agent = numbered(1000 + i);
        wrong += exporter_find(exporters, &agent, 0, 5, &origin) == NULL;
    }
    is_u64(wrong, 0, "the table holds %d exporters", ledger_exporters_max);
    agent = numbered(60000);
    ok(exporter_find(exporters, &agent, 0, 5, &origin) == NULL, "one more finds no place");
    ok(exporter_find(exporters, &agent, 0, 5, &origin) == NULL, "and again");
    for (uint32_t i = 0; i < ledger_exporters_max - 2; i++) {
        agent = numbered(1000 + i);
        struct exporter *exporter = exporter_find(exporters, &agent, 0, 5, &origin);
        wrong += exporter == NULL || memcmp(exporter->row->agent, agent.bytes, 16) != 0;
    }
    is_u64(wrong, 0, "those in a full table are all found");
    exporter_table_free(exporters);

    exporters = exporter_table_new(ledger, 0);
    agent = numbered(7);
    first = exporter_find(exporters, &agent, 0, 5, &origin);
    ok(first != NULL && first->row->datagrams == 3, "a new collector finds the rows of the one before");
    ok(!first->started, "and begins to follow anew");
    exporter_table_free(exporters);
    exporter_table_free(NULL);
}

static void two_lanes(struct ledger *ledger)
{
    struct exporter_table *one = exporter_table_new(ledger, 0), *two = exporter_table_new(ledger, 1);
    struct origin origin = {.source = numbered(1), .arrival_ns = 5};
    struct address a = numbered(1), b = numbered(2);

    struct exporter *of_one = exporter_find(one, &a, 0, 5, &origin);
    struct exporter *of_two = exporter_find(two, &b, 0, 5, &origin);
    ok(of_one->row != of_two->row, "two lanes take two rows");
    ok(exporter_find(two, &a, 0, 5, &origin)->row != of_one->row, "an agent of both has a row in each");
    ok(exporter_find(one, &a, 0, 9, &origin)->row != of_one->row, "and one for each version that it speaks");
    exporter_table_free(one);
    exporter_table_free(two);
}

static void sequences(struct ledger *ledger)
{
    static const struct {
        uint32_t sequence, uptime_ms;
        uint64_t lost, reordered, restarts;
        const char *name;
    } steps[] = {
        {0xfffffffe, 50000, 0, 0, 0, "the first"},
        {0xffffffff, 51000, 0, 0, 0, "in order"},
        {0, 52000, 0, 0, 0, "over 2^32"},
        {4, 53000, 3, 0, 0, "a gap of three"},
        {2, 52500, 2, 1, 0, "one of them late"},
        {2, 52500, 2, 2, 0, "the same twice"},
        {4, 53000, 2, 3, 0, "the last one twice"},
        {0xfffffff0, 40000, 2, 3, 1, "uptime back: a restart"},
        {0xfffffff1, 41000, 2, 3, 1, "in order"},
        {104, 42000, 120, 3, 1, "a gap wider than the window"},
        {103, 41999, 119, 4, 1, "and a late one of it"},
        {20, 43000, 119, 4, 2, "far back: a restart"},
        {19, 43000, 119, 5, 2, "before the restart: nobody's loss"},
        {21, 4294967000u, 119, 5, 2, "uptime forward"},
        {22, 700, 119, 5, 2, "uptime wraps, no restart"},
        {23, 1700, 119, 5, 2, "in order"},
    };
    uint64_t counters[INPUT_COUNTERS] = {0};
    struct exporter_table *exporters = exporter_table_new(ledger, 0);
    struct origin origin = {.source = numbered(1), .arrival_ns = 5};
    struct address agent = numbered(1);
    struct exporter *exporter = exporter_find(exporters, &agent, 9, 5, &origin);

    for (size_t i = 0; i < array_length(steps); i++) {
        exporter_sequence(exporter, counters, steps[i].sequence, steps[i].uptime_ms);
        is_u64(exporter->row->lost, steps[i].lost, "%s: lost", steps[i].name);
        is_u64(exporter->row->reordered, steps[i].reordered, "%s: reordered", steps[i].name);
        is_u64(exporter->row->restarts, steps[i].restarts, "%s: restarts", steps[i].name);
        is_u64(counters[INPUT_datagrams_lost], exporter->row->lost, "%s: the lane's counter too", steps[i].name);
    }
    is_u64(counters[INPUT_datagrams_reordered], exporter->row->reordered, "reordered of the lane");
    is_u64(counters[INPUT_exporter_restarts], exporter->row->restarts, "restarts of the lane");
    exporter_table_free(exporters);
}

int main(void)
{
    struct error error;
    struct ledger *ledger = ledger_create(&error);

    plan_none();
    table(ledger);
    ledger_free(ledger);
    ledger = ledger_create(&error);
    two_lanes(ledger);
    sequences(ledger);
    ledger_free(ledger);
    return done_testing();
}
