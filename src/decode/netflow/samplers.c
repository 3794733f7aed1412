/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of samplers of a domain, and the arithmetic of rates (RFC 5475 section 5, RFC 5477 section 8.2). An
 * announced rate is kept for as long as it is announced: the true one, from reports of packets observed and selected,
 * changes with every report and would tear rows apart that have the rate in their key, so it serves only those methods
 * that have no rate to announce (filters and hashes).
 */
#include "decode/netflow/samplers.h"

#include <stdlib.h>

#define room_first 8

const char *const sampler_scope_names[SAMPLER_SCOPES] = {
    [SAMPLER_OF_ID] = "sampler",     [SAMPLER_OF_SELECTOR] = "selector",   [SAMPLER_OF_SEQUENCE] = "sequence",
    [SAMPLER_OF_TEMPLATE] = "template", [SAMPLER_OF_INTERFACE] = "interface", [SAMPLER_OF_LINE_CARD] = "line card",
    [SAMPLER_OF_DOMAIN] = "domain",
};

/* The selector algorithms that have a rate (RFC 5477 section 8.2.1), and the numbers that tell it. */
enum { ALGORITHM_COUNT = 1, ALGORITHM_TIME = 2, ALGORITHM_SIZE = 3, ALGORITHM_PROBABILITY = 4 };

static bool has(const struct sampling_told *told, enum sampling_number number)
{
    return told->have >> number & 1;
}

static double bounded(double rate)
{
    return rate < sampling_rate_max ? rate : sampling_rate_max;
}

static double ratio(uint64_t all, uint64_t taken)
{
    return taken == 0 || all < taken ? 0 : (double)all / (double)taken;
}

/* (taken + skipped) / taken, where both are told: the first alone says nothing of how many are skipped. */
static double systematic(const struct sampling_told *told, enum sampling_number interval, enum sampling_number space)
{
    double taken = has(told, interval) ? (double)told->number[interval] : 1;

    return !has(told, space) || taken < 1 ? 0 : (taken + (double)told->number[space]) / taken;
}

static double by_algorithm(const struct sampling_told *told, uint64_t algorithm)
{
    switch (algorithm) {
    case ALGORITHM_COUNT:
        return systematic(told, SAMPLING_PACKET_INTERVAL, SAMPLING_PACKET_SPACE);
    case ALGORITHM_TIME:
        return systematic(told, SAMPLING_TIME_INTERVAL, SAMPLING_TIME_SPACE);
    case ALGORITHM_SIZE:
        return has(told, SAMPLING_SIZE) && has(told, SAMPLING_POPULATION)
                   ? ratio(told->number[SAMPLING_POPULATION], told->number[SAMPLING_SIZE])
                   : 0;
    case ALGORITHM_PROBABILITY:
        return told->probability > 0 && told->probability <= 1 ? 1 / told->probability : 0;
    default:
        return 0;
    }
}

double sampling_rate_told(const struct sampling_told *told)
{
    static const enum sampling_number intervals[] = {SAMPLING_RANDOM_INTERVAL, SAMPLING_INTERVAL};
    double rate = has(told, SAMPLING_ALGORITHM) ? by_algorithm(told, told->number[SAMPLING_ALGORITHM]) : 0;

    /* 0 in an interval that is there means "not sampled" to those who send it. */
    for (unsigned i = 0; rate == 0 && i < array_length(intervals); i++)
        if (has(told, intervals[i]))
            rate = told->number[intervals[i]] > 1 ? (double)told->number[intervals[i]] : 1;
    for (uint64_t algorithm = ALGORITHM_COUNT; rate == 0 && algorithm <= ALGORITHM_PROBABILITY; algorithm++)
        rate = by_algorithm(told, algorithm);
    return bounded(rate);
}

/* ---- the table ---- */

static unsigned place_of(const struct sampler_table *table, enum sampler_scope scope, uint64_t id)
{
    uint64_t hash = (id ^ (uint64_t)scope << 60) * UINT64_C(0x9e3779b97f4a7c15);
    unsigned mask = table->room - 1, place = (unsigned)(hash >> 32) & mask;

    while (table->rows[place].taken && (table->rows[place].id != id || table->rows[place].scope != scope))
        place = (place + 1) & mask;
    return place;
}

struct sampler *sampler_find(struct sampler_table *table, enum sampler_scope scope, uint64_t id)
{
    const struct sampler *hit;

    if (table->scope_count[scope] == 0)
        return NULL;
    hit = &table->rows[table->hit];
    if (!hit->taken || hit->id != id || hit->scope != scope) {
        unsigned place = place_of(table, scope, id);

        if (!table->rows[place].taken)
            return NULL;
        table->hit = place;
    }
    return &table->rows[table->hit];
}

static bool grow(struct sampler_table *table, struct name_memory *memory)
{
    struct sampler_table bigger = *table;
    size_t more;

    bigger.room = table->room == 0 ? room_first : 2 * table->room;
    more = (bigger.room - table->room) * sizeof(*table->rows);
    if (*memory->used + more > memory->max)
        return false;
    bigger.rows = calloc(bigger.room, sizeof(*bigger.rows));
    if (bigger.rows == NULL)
        return false;
    for (unsigned i = 0; i < table->room; i++) {
        const struct sampler *row = &table->rows[i];

        if (!row->taken)
            continue;
        unsigned place = place_of(&bigger, row->scope, row->id);
        bigger.rows[place] = *row;
        if (table->last[row->scope] == i)
            bigger.last[row->scope] = place;
    }
    bigger.hit = 0;
    *memory->used += more;
    free(table->rows);
    *table = bigger;
    return true;
}

struct sampler *sampler_make(struct sampler_table *table, struct name_memory *memory, enum sampler_scope scope,
                             uint64_t id)
{
    struct sampler *row = sampler_find(table, scope, id);

    if (row == NULL) {
        if (table->count >= sampler_limit || (4 * (table->count + 1) > 3 * table->room && !grow(table, memory))) {
            table->refused++;
            return NULL;
        }
        row = &table->rows[place_of(table, scope, id)];
        *row = (struct sampler){.id = id, .scope = (uint8_t)scope, .taken = true};
        table->count++;
        table->scope_count[scope]++;
    }
    table->last[scope] = (unsigned)(row - table->rows);
    return row;
}

struct sampler *sampler_last(struct sampler_table *table, enum sampler_scope scope)
{
    return table->scope_count[scope] == 0 ? NULL : &table->rows[table->last[scope]];
}

double sampler_rate(struct sampler_table *table, const struct sampler *sampler)
{
    double rate = 1;

    if (sampler == NULL)
        return 0;
    if (sampler->scope != SAMPLER_OF_SEQUENCE || sampler->chain_count == 0)
        return sampler->rate;
    for (unsigned i = 0; i < sampler->chain_count; i++) {
        const struct sampler *selector = sampler_find(table, SAMPLER_OF_SELECTOR, sampler->chain[i]);

        rate *= selector == NULL ? 0 : selector->rate;
    }
    return rate > 0 ? bounded(rate) : sampler->rate; /* filters and hashes have no rate, but there may be a report */
}

void sampler_report(struct sampler *sampler, uint64_t observed, uint64_t selected)
{
    double rate = observed > sampler->observed && selected > sampler->selected
                      ? ratio(observed - sampler->observed, selected - sampler->selected)
                      : ratio(observed, selected); /* the first report, or the counters began anew */

    if (!sampler->announced && rate > 0)
        sampler->rate = bounded(rate);
    sampler->observed = observed;
    sampler->selected = selected;
}

void samplers_free(struct sampler_table *table, struct name_memory *memory)
{
    *memory->used -= table->room * sizeof(*table->rows);
    free(table->rows);
    *table = (struct sampler_table){0};
}
