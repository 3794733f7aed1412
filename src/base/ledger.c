/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared page of counters and the table of conservation groups; see ledger.h. */
#include "base/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#define COUNTER_INPUT(name, unit, help) {name, unit, help},
#define COUNTER_EMIT(name, unit, help)
#define COUNTER_PLUGIN(name, unit, help)
#define COUNTER_WATCH(name, unit, help)
#define COUNTER(scope, id, unit, help) COUNTER_##scope(#id, unit, help)
const struct counter_row input_counter_table[INPUT_COUNTERS] = {
#include "base/counters.def"
};
#undef COUNTER_INPUT
#undef COUNTER_EMIT
#define COUNTER_INPUT(name, unit, help)
#define COUNTER_EMIT(name, unit, help) {name, unit, help},
const struct counter_row emit_counter_table[EMIT_COUNTERS] = {
#include "base/counters.def"
};
#undef COUNTER_EMIT
#undef COUNTER_PLUGIN
#define COUNTER_EMIT(name, unit, help)
#define COUNTER_PLUGIN(name, unit, help) {name, unit, help},
const struct counter_row plugin_counter_table[PLUGIN_COUNTERS] = {
#include "base/counters.def"
};
#undef COUNTER_PLUGIN
#undef COUNTER_WATCH
#define COUNTER_PLUGIN(name, unit, help)
#define COUNTER_WATCH(name, unit, help) {name, unit, help},
const struct counter_row watch_counter_table[WATCH_COUNTERS] = {
#include "base/counters.def"
};

struct ledger *ledger_create(struct error *error)
{
    struct ledger *ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (ledger == MAP_FAILED) {
        error_errno(error, errno, "cannot map the ledger");
        return NULL;
    }
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger != NULL)
        munmap(ledger, sizeof(*ledger));
}

uint64_t ledger_input(const struct ledger *ledger, enum input_counter id)
{
    uint64_t sum = 0;

    for (unsigned lane = 0; lane < ledger->lane_count; lane++)
        sum += counter_get(&ledger->lanes[lane].input[id]);
    return sum;
}

uint64_t ledger_emit(const struct ledger *ledger, unsigned plugin, enum emit_counter id)
{
    uint64_t sum = 0;

    for (unsigned lane = 0; lane < ledger->lane_count; lane++)
        sum += counter_get(&ledger->plugins[plugin].emit[lane][id]);
    return sum;
}

#define structure_claimed UINT32_MAX /* a lane is filling the place in; should it die there, the place stays unused */
#define structure_tries 16

/*
 * True when this is the place of that structure, or has become it. Two lanes that meet a new one in the same moment may
 * give it two places: both are shown, and the sum is right.
 */
static bool structure_is(struct ledger_structure *row, uint32_t kind, uint32_t enterprise, uint32_t format)
{
    uint32_t seen = __atomic_load_n(&row->kind, __ATOMIC_ACQUIRE);

    if (seen == 0 && __atomic_compare_exchange_n(&row->kind, &seen, structure_claimed, false, __ATOMIC_ACQUIRE,
                                                 __ATOMIC_ACQUIRE)) {
        row->enterprise = enterprise;
        row->format = format;
        __atomic_store_n(&row->kind, kind, __ATOMIC_RELEASE);
        return true;
    }
    return seen == kind && row->enterprise == enterprise && row->format == format;
}

void ledger_count_structure(struct ledger *ledger, enum ledger_structure_kind kind, uint32_t enterprise,
                            uint32_t format)
{
    unsigned start = (enterprise * 31 + format * 7 + (unsigned)kind) % ledger_structures_max;
    struct ledger_structure *row = NULL;

    for (unsigned tries = 0; tries < structure_tries; tries++) {
        row = &ledger->structures[(start + tries) % ledger_structures_max];
        if (structure_is(row, (uint32_t)kind, enterprise, format))
            break;
    }
    /* When none was found, a flood of made-up formats shares the last place. */
    __atomic_fetch_add(&row->count, 1, __ATOMIC_RELAXED);
}

/*
 * The conservation groups. A term is a counter of one scope; sums on the left equal sums on the right. While records
 * are in a ring the group "ring" differs by them; it is even when the daemon has drained. The groups of the collectors
 * hold in each lane too; `lost` is the counter that takes what a dead lane had in hand.
 */
enum term_scope { TERM_INPUT, TERM_EMIT, TERM_PLUGIN, TERM_WATCH };

struct term {
    enum term_scope scope;
    int id;
};

#define terms_max 12
#define lane_all UINT_MAX

struct group {
    const char *name;
    bool per_plugin;
    struct term left[4];
    struct term right[terms_max];
    unsigned left_count, right_count;
    enum input_counter lost; /* where a dead lane's difference goes, of the groups that are not per plugin */
};

#define IN(id) {TERM_INPUT, INPUT_##id}
#define EM(id) {TERM_EMIT, EMIT_##id}
#define PL(id) {TERM_PLUGIN, PLUGIN_##id}
#define WA(id) {TERM_WATCH, WATCH_##id}

static const struct group groups[] = {
    {.name = "datagrams",
     .left = {IN(datagrams_received)},
     .left_count = 1,
     .right = {IN(datagrams_decoded), IN(datagrams_denied), IN(datagrams_bad_version), IN(datagrams_malformed),
               IN(datagrams_no_exporter), IN(datagrams_lost_crash)},
     .right_count = 6,
     .lost = INPUT_datagrams_lost_crash},
    {.name = "samples",
     .left = {IN(samples_seen)},
     .left_count = 1,
     .right = {IN(samples_flow), IN(samples_discard), IN(samples_counter), IN(samples_unknown), IN(samples_malformed),
               IN(samples_lost_crash)},
     .right_count = 6,
     .lost = INPUT_samples_lost_crash},
    {.name = "counter_records",
     .left = {IN(counter_records_seen)},
     .left_count = 1,
     .right = {IN(counter_records_written), IN(counter_records_not_asked), IN(counter_records_failed),
               IN(counter_records_lost_crash)},
     .right_count = 4,
     .lost = INPUT_counter_records_lost_crash},
    {.name = "sets",
     .left = {IN(sets_seen)},
     .left_count = 1,
     .right = {IN(sets_template), IN(sets_data), IN(sets_waiting), IN(sets_unknown), IN(sets_malformed),
               IN(sets_reserved), IN(sets_lost_crash)},
     .right_count = 7,
     .lost = INPUT_sets_lost_crash},
    {.name = "data_records",
     .left = {IN(data_records_seen), IN(data_records_reversed)},
     .left_count = 2,
     .right = {IN(data_records_accounted), IN(data_records_options), IN(data_records_no_rate),
               IN(data_records_lost_crash)},
     .right_count = 4,
     .lost = INPUT_data_records_lost_crash},
    {.name = "frames",
     .left = {IN(frames_received)},
     .left_count = 1,
     .right = {IN(frames_accounted), IN(frames_not_ip), IN(frames_malformed), IN(frames_link_unknown),
               IN(frames_waiting), IN(frames_orphans_dropped), IN(frames_lost_crash)},
     .right_count = 7,
     .lost = INPUT_frames_lost_crash},
    {.name = "emit",
     .per_plugin = true,
     .left = {IN(records_decoded), EM(records_doubled), EM(records_split)},
     .left_count = 3,
     .right = {EM(records_emitted), EM(records_filtered), EM(records_sampled_out), EM(records_dropped_ring_full),
               WA(records_lost_collector)},
     .right_count = 5},
    {.name = "ring",
     .per_plugin = true,
     .left = {EM(records_emitted)},
     .left_count = 1,
     .right = {PL(records_read), WA(records_lost_ring)},
     .right_count = 2},
    {.name = "table",
     .per_plugin = true,
     .left = {PL(records_read)},
     .left_count = 1,
     .right = {PL(records_in_table), PL(records_in_writers), PL(records_committed), PL(records_failed),
               PL(records_preprocessed), PL(records_cleared), WA(records_lost_crash)},
     .right_count = 7},
    {.name = "rows",
     .per_plugin = true,
     .left = {PL(rows_purged)},
     .left_count = 1,
     .right = {PL(rows_in_writers), PL(rows_committed), PL(rows_failed), PL(rows_preprocessed), WA(rows_lost_crash)},
     .right_count = 5},
};

/* Of one lane, or of all. What belongs to no lane is the same in each. */
static uint64_t term_value(const struct ledger *ledger, unsigned lane, unsigned plugin, const struct term *term)
{
    const struct ledger_plugin *block = &ledger->plugins[plugin];

    switch (term->scope) {
    case TERM_INPUT:
        return lane == lane_all ? ledger_input(ledger, (enum input_counter)term->id)
                                : counter_get(&ledger->lanes[lane].input[term->id]);
    case TERM_EMIT:
        return lane == lane_all ? ledger_emit(ledger, plugin, (enum emit_counter)term->id)
                                : counter_get(&block->emit[lane][term->id]);
    case TERM_PLUGIN:
        return counter_get(&block->plugin[term->id]);
    case TERM_WATCH:
        return lane != lane_all && term->id == WATCH_records_lost_collector ? counter_get(&block->lost_collector[lane])
                                                                            : counter_get(&block->watch[term->id]);
    }
    return 0;
}

static const char *term_name(const struct term *term)
{
    switch (term->scope) {
    case TERM_INPUT:
        return input_counter_table[term->id].name;
    case TERM_EMIT:
        return emit_counter_table[term->id].name;
    case TERM_PLUGIN:
        return plugin_counter_table[term->id].name;
    case TERM_WATCH:
        return watch_counter_table[term->id].name;
    }
    return "";
}

static uint64_t sum_of(const struct ledger *ledger, unsigned lane, unsigned plugin, const struct term *terms,
                       unsigned count)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += term_value(ledger, lane, plugin, &terms[i]);
    return sum;
}

static uint64_t group_difference(const struct ledger *ledger, unsigned lane, unsigned plugin, const struct group *group)
{
    return sum_of(ledger, lane, plugin, group->left, group->left_count) -
           sum_of(ledger, lane, plugin, group->right, group->right_count);
}

/*
 * Which counter takes what a dead process had in hand: the group's difference becomes its reason of loss. The owner
 * of the counters is gone, so the supervisor may write them.
 */
static uint64_t difference(const struct ledger *ledger, unsigned lane, unsigned plugin, const char *name)
{
    for (unsigned g = 0; g < array_length(groups); g++)
        if (strcmp(groups[g].name, name) == 0)
            return group_difference(ledger, lane, plugin, &groups[g]);
    return 0;
}

void ledger_settle_collector(struct ledger *ledger, unsigned lane)
{
    static const enum input_counter held[] = {INPUT_sets_waiting, INPUT_frames_waiting, INPUT_flows_tracked};
    uint64_t *input = ledger->lanes[lane].input;

    for (unsigned i = 0; i < array_length(held); i++)
        counter_set(&input[held[i]], 0);
    for (unsigned i = 0; i < ledger_exporters_max; i++) {
        struct ledger_exporter *row = &ledger->exporters[i];

        if (row->used != 0 && row->lane == lane)
            row->templates = row->held = 0; /* they were in its memory */
    }
    for (unsigned g = 0; g < array_length(groups); g++)
        if (!groups[g].per_plugin)
            counter_add(&input[groups[g].lost], group_difference(ledger, lane, 0, &groups[g]));
    /* with the process its connections are gone */
    counter_add(&input[INPUT_sessions_broken], counter_get(&input[INPUT_sessions_opened]) -
                                                   counter_get(&input[INPUT_sessions_closed]) -
                                                   counter_get(&input[INPUT_sessions_broken]));
    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        struct ledger_plugin *block = &ledger->plugins[p];
        uint64_t lost = difference(ledger, lane, p, "emit");

        counter_add(&block->lost_collector[lane], lost);
        counter_add(&block->watch[WATCH_records_lost_collector], lost);
    }
}

void ledger_settle_ring(struct ledger *ledger, unsigned plugin)
{
    counter_add(&ledger->plugins[plugin].watch[WATCH_records_lost_ring], difference(ledger, lane_all, plugin, "ring"));
}

void ledger_settle_plugin(struct ledger *ledger, unsigned plugin)
{
    static const enum plugin_counter held[] = {PLUGIN_records_in_table, PLUGIN_records_in_writers,
                                               PLUGIN_rows_in_table, PLUGIN_rows_in_writers, PLUGIN_table_bytes};
    struct ledger_plugin *block = &ledger->plugins[plugin];

    for (unsigned i = 0; i < array_length(held); i++)
        counter_set(&block->plugin[held[i]], 0);
    counter_add(&block->watch[WATCH_records_lost_crash], difference(ledger, lane_all, plugin, "table"));
    counter_add(&block->watch[WATCH_rows_lost_crash], difference(ledger, lane_all, plugin, "rows"));
}

void ledger_each_balance(const struct ledger *ledger, void (*fn)(void *context, const struct ledger_balance *balance),
                         void *context)
{
    for (unsigned g = 0; g < array_length(groups); g++) {
        unsigned count = groups[g].per_plugin ? ledger->plugin_count : 1;

        for (unsigned p = 0; p < count; p++) {
            struct ledger_balance balance = {
                .group = groups[g].name,
                .plugin = groups[g].per_plugin ? &ledger->plugins[p] : NULL,
                .left = sum_of(ledger, lane_all, p, groups[g].left, groups[g].left_count),
                .right = sum_of(ledger, lane_all, p, groups[g].right, groups[g].right_count),
            };
            fn(context, &balance);
        }
    }
}

struct text_out {
    char *at, *end;
    unsigned count;
};

static void put(struct text_out *out, const char *format, ...) printf_like(2, 3);
static void put(struct text_out *out, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(out->at, (size_t)(out->end - out->at), format, args);
    va_end(args);
    if (n > 0)
        out->at += min_u64((uint64_t)n, (uint64_t)(out->end - out->at - 1));
}

static void describe_terms(struct text_out *out, const struct ledger *ledger, unsigned plugin, const struct term *terms,
                           unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        put(out, "%s%s %" PRIu64, i ? " + " : " ", term_name(&terms[i]),
            term_value(ledger, lane_all, plugin, &terms[i]));
}

static void describe_group(struct text_out *out, const struct ledger *ledger, const struct group *group,
                           unsigned plugin)
{
    uint64_t left = sum_of(ledger, lane_all, plugin, group->left, group->left_count);
    uint64_t right = sum_of(ledger, lane_all, plugin, group->right, group->right_count);

    if (left == right)
        return;
    out->count++;
    put(out, "%s", group->name);
    if (group->per_plugin)
        put(out, "[%s]", ledger->plugins[plugin].name);
    put(out, ":");
    describe_terms(out, ledger, plugin, group->left, group->left_count);
    put(out, " but");
    describe_terms(out, ledger, plugin, group->right, group->right_count);
    put(out, " (difference %" PRId64 ")\n", (int64_t)(left - right));
}

unsigned ledger_imbalance(const struct ledger *ledger, char *text, size_t size)
{
    struct text_out out = {text, text + size, 0};

    text[0] = '\0';
    for (unsigned g = 0; g < array_length(groups); g++)
        for (unsigned p = 0; p < (groups[g].per_plugin ? ledger->plugin_count : 1); p++)
            describe_group(&out, ledger, &groups[g], p);
    return out.count;
}

uint64_t ledger_lost(const struct ledger *ledger)
{
    uint64_t lost = 0;

    for (unsigned p = 0; p < ledger->plugin_count; p++) {
        const struct ledger_plugin *plugin = &ledger->plugins[p];

        lost += ledger_emit(ledger, p, EMIT_records_dropped_ring_full) +
                counter_get(&plugin->plugin[PLUGIN_records_failed]) +
                counter_get(&plugin->watch[WATCH_records_lost_crash]) +
                counter_get(&plugin->watch[WATCH_records_lost_collector]) +
                counter_get(&plugin->watch[WATCH_records_lost_ring]);
    }
    return lost;
}
