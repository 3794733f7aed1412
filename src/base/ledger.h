/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: one shared page on which every process of a daemon keeps its counters. Mapped before the fork; each
 * block has one writer and any number of readers, no locks: a counter is a 64-bit word that is stored whole. A block
 * outlives its writer, so what a dead plugin had counted is still there. What every lane counts stands once per lane;
 * readers add it up.
 *
 * The promise "the books balance" is a table in ledger.c: conservation groups, each a sum on the left that must equal
 * a sum on the right when the daemon is at rest. ledger_imbalance() evaluates it; `pmacct status`, the log and the
 * tests read the same table.
 */
#ifndef BASE_LEDGER_H
#define BASE_LEDGER_H

#include "base/base.h"
#include "base/error.h"

enum input_counter {
#define COUNTER_INPUT(id) INPUT_##id,
#define COUNTER_EMIT(id)
#define COUNTER_PLUGIN(id)
#define COUNTER_WATCH(id)
#define COUNTER(scope, id, unit, help) COUNTER_##scope(id)
#include "base/counters.def"
    INPUT_COUNTERS
};
#undef COUNTER_INPUT
#undef COUNTER_EMIT
enum emit_counter {
#define COUNTER_INPUT(id)
#define COUNTER_EMIT(id) EMIT_##id,
#include "base/counters.def"
    EMIT_COUNTERS
};
#undef COUNTER_EMIT
#undef COUNTER_PLUGIN
enum plugin_counter {
#define COUNTER_EMIT(id)
#define COUNTER_PLUGIN(id) PLUGIN_##id,
#include "base/counters.def"
    PLUGIN_COUNTERS
};
#undef COUNTER_PLUGIN
#undef COUNTER_WATCH
enum watch_counter {
#define COUNTER_PLUGIN(id)
#define COUNTER_WATCH(id) WATCH_##id,
#include "base/counters.def"
    WATCH_COUNTERS
};
#undef COUNTER_INPUT
#undef COUNTER_EMIT
#undef COUNTER_PLUGIN
#undef COUNTER_WATCH
#undef COUNTER

#define ledger_plugins_max 32
#define ledger_lanes_max 16
#define ledger_exporters_max 16384 /* a power of two: the table is a hash by address */
#define ledger_structures_max 256
#define ledger_name_max 64
#define ledger_emit_room ((EMIT_COUNTERS + 7) / 8 * 8) /* whole cache lines: lanes do not meet on one */

enum ledger_plugin_state {
    LEDGER_PLUGIN_UNUSED,
    LEDGER_PLUGIN_STARTING,
    LEDGER_PLUGIN_RUNNING,
    LEDGER_PLUGIN_DEAD,  /* waiting to be started again */
    LEDGER_PLUGIN_GIVEN_UP, /* died too often */
    LEDGER_PLUGIN_ENDED  /* drained and gone in good order */
};

struct ledger_plugin {
    char name[ledger_name_max];
    char type[16];
    uint32_t pid;
    uint32_t state; /* enum ledger_plugin_state */
    _Alignas(cache_line) uint64_t emit[ledger_lanes_max][ledger_emit_room]; /* by each lane; see ledger_emit */
    _Alignas(cache_line) uint64_t plugin[PLUGIN_COUNTERS];                  /* by the plugin */
    _Alignas(cache_line) uint64_t watch[WATCH_COUNTERS];                    /* by the supervisor */
    uint64_t lost_collector[ledger_lanes_max]; /* by the supervisor: each lane's part of records_lost_collector */
};

/* What is known of one exporter: an agent and sub-agent, or later an observation domain. Written by its lane. */
struct ledger_exporter {
    /* What each datagram touches stands in two cache lines: with many exporters they are not in the cache. */
    _Alignas(cache_line) uint8_t agent[16]; /* struct address: of the payload (sFlow) or else the socket's */
    uint8_t source[16];     /* struct address: where its last datagram came from */
    uint32_t domain;        /* sFlow sub-agent, observation domain */
    uint32_t version;       /* of the export protocol */
    uint16_t source_port;
    uint16_t used;          /* 0: this place of the table is free */
    uint32_t sampling_rate; /* the last one seen */
    int64_t last_ns;
    int64_t lane;           /* that reads it */
    uint64_t datagrams, bytes, records, packets;
    int64_t clock_skew_ns;  /* export time minus arrival, of the last datagram */
    int64_t first_ns;
    uint64_t lost;          /* datagrams missing, in how many gaps: see below */
    uint64_t records_lost;  /* flows or data records missing by the sequence numbers (NetFlow v5, IPFIX) */
    uint64_t gaps, reordered, restarts, malformed;
    uint64_t samples_lost, agent_dropped;
    uint64_t templates;         /* known now */
    uint64_t templates_unknown; /* data sets that came without a template */
    uint64_t held;              /* of those: sets that wait for it now */
    uint64_t options_records;
    uint64_t unknown_elements;
};

enum ledger_structure_kind {
    LEDGER_STRUCTURE_SAMPLE = 1,
    LEDGER_STRUCTURE_FLOW,
    LEDGER_STRUCTURE_COUNTER
};

struct ledger_structure { /* an unknown one: how often it was skipped. All lanes add to it, atomically */
    uint32_t kind;        /* enum ledger_structure_kind, 0: free; stored last by who takes the place */
    uint32_t enterprise, format, pad;
    uint64_t count;
};

struct ledger_lane { /* one collector process */
    uint32_t pid, restarts; /* by the supervisor */
    _Alignas(cache_line) uint64_t input[INPUT_COUNTERS];
};

struct ledger {
    char daemon[32];
    char source[32];        /* of frames: a device, "map", "nflog", "file"; "" in daemons that take datagrams */
    uint32_t source_number; /* of that device */
    char name[ledger_name_max]; /* core_proc_name */
    uint32_t supervisor_pid;
    uint32_t lane_count, plugin_count;
    uint32_t collector_restarts; /* of all lanes together */
    uint32_t stopping;
    int64_t started_ns;
    struct ledger_lane lanes[ledger_lanes_max];
    struct ledger_plugin plugins[ledger_plugins_max];
    struct ledger_structure structures[ledger_structures_max];
    struct ledger_exporter exporters[ledger_exporters_max];
};

/* Maps a zeroed ledger, shared with children forked later; pages are touched as they are used. NULL on failure. */
struct ledger *ledger_create(struct error *error);
void ledger_free(struct ledger *ledger);

/* One counter, by its owner only. A relaxed store: readers see the old or the new value, never half of one. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void counter_set(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, n, __ATOMIC_RELAXED);
}

static inline uint64_t counter_get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Name, unit and help of the counters of a scope, in the order of its enum. */
struct counter_row {
    const char *name, *unit, *help;
};
extern const struct counter_row input_counter_table[INPUT_COUNTERS];
extern const struct counter_row emit_counter_table[EMIT_COUNTERS];
extern const struct counter_row plugin_counter_table[PLUGIN_COUNTERS];
extern const struct counter_row watch_counter_table[WATCH_COUNTERS];

/* An input counter summed over the lanes; a plugin's EMIT counter summed over the lanes. */
uint64_t ledger_input(const struct ledger *ledger, enum input_counter id);
uint64_t ledger_emit(const struct ledger *ledger, unsigned plugin, enum emit_counter id);

/*
 * Counts an unknown structure in a collector: finds or takes its place; a full table counts in the last place looked
 * at. Lanes may call it at the same time.
 */
void ledger_count_structure(struct ledger *ledger, enum ledger_structure_kind kind, uint32_t enterprise,
                            uint32_t format);

/* One conservation group, for one plugin where it is per plugin (else plugin is NULL). */
struct ledger_balance {
    const char *group;
    const struct ledger_plugin *plugin;
    uint64_t left, right;
};
void ledger_each_balance(const struct ledger *ledger, void (*fn)(void *context, const struct ledger_balance *balance),
                         void *context);

/*
 * Evaluates the conservation groups. Returns how many do not balance and fills `text` with one line for each
 * ("datagrams: received 10 = decoded 9 + ... (missing 1)"). Meaningful when input has stopped and rings are empty.
 */
unsigned ledger_imbalance(const struct ledger *ledger, char *text, size_t size);

/*
 * After a process died: what it had in hand is booked as lost with it, so that the groups balance again. By the
 * supervisor only, once the process has been reaped. (A plugin's successor goes on with the unread records of its
 * ring.)
 */
void ledger_settle_collector(struct ledger *ledger, unsigned lane);
void ledger_settle_plugin(struct ledger *ledger, unsigned plugin);
/* At the very end, for a plugin that will not come back: what its ring still holds. */
void ledger_settle_ring(struct ledger *ledger, unsigned plugin);

/* Everything lost so far for whatever reason, in records; what the exit status tells. */
uint64_t ledger_lost(const struct ledger *ledger);

/*
 * The whole ledger as one JSON object (RFC 8259), NUL-terminated in memory from malloc, which the caller frees; NULL
 * when out of memory. Same names as counters.def. `now_ns` is wall clock time.
 */
char *ledger_json(const struct ledger *ledger, int64_t now_ns);

/* The same for a person: calls `line` for each line of text, without a newline. */
void ledger_report(const struct ledger *ledger, int64_t now_ns, void (*line)(void *context, const char *text),
                   void *context);

#endif
