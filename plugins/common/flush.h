/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Purges: the open table is moved, whole, to a writer thread, and an empty one goes on at once; a slow back-end never
 * stops the reading of the ring. All writers busy: the purge waits for the next turn, nothing is lost. Every row ends
 * as committed, preprocessed or failed on the ledger, and pmacct's two log lines are written for each purge.
 */
#ifndef PLUGINS_COMMON_FLUSH_H
#define PLUGINS_COMMON_FLUSH_H

#include "plugins/common/table.h"
#include "plugins/plugin.h"

/* A moved table on its way out: what begin() gets. Owned by flush; the same one, with the same facts, at every try. */
struct batch {
    struct table *table;
    const struct layout *layout;
    int64_t purge_seconds; /* wall clock of the purge */
    int64_t bin_start, bin_end; /* newest time bin in it, seconds; 0 without history */
    uint64_t rows;              /* in it, "others" included, before preprocess leaves some out */
    uint64_t sequence;          /* of the purge in this process, from 1 */
};

struct flush;

/*
 * The first writer (sink->writer_new), so that what is wrong shows before "ready"; the others, up to max_writers,
 * come when all are busy, and threads with their first batch. Reads preprocess, trigger and history of the settings.
 * NULL on failure.
 */
struct flush *flush_new(struct plugin *plugin, const struct sink_ops *sink, struct error *error);

/*
 * Takes plugin->table if it holds rows and a writer is free, and puts an empty one in its place. Returns true when
 * moved (or nothing was there), false when deferred.
 */
bool flush_purge(struct flush *flush, int64_t now_wall_ns);

/* Takes in what writers have finished: counters, free tables, log lines. Called from the runner's loop. */
void flush_collect(struct flush *flush);

/* Readable when flush_collect has something to do. Owned by flush. */
int flush_fd(const struct flush *flush);

/*
 * Delivers all: purges the open table, waits for the writers until the deadline (and a quarter of a second for the
 * last answers). False when rows were left, which are counted as failed. Nothing may be purged after it.
 */
bool flush_finish(struct flush *flush, int64_t deadline_monotonic_ns);
/* Ends the writer threads. One that hangs in its back-end after flush_finish is left behind with its memory. */
void flush_free(struct flush *flush);

#endif
