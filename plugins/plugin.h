/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only header that the daemons and the plugins share: what a plugin is, and the order in which its functions are
 * called. plugins/README.md walks through `print` as the example.
 *
 * A plugin is a shared object NAME.so with one symbol, `plugin_descriptor`. The supervisor forks; the child opens the
 * object and calls descriptor->run(start), which for everything in this tree is runner_run() of plugins/common. It
 * returns when the plugin has drained and closed, and its result is the exit status of the process.
 *
 * Life of a plugin process (all on the main thread unless said):
 *
 *   open      once; may fail with a phrase -> the start of the daemon fails (or, after a crash, a later try)
 *   -- the child reports ready --
 *   records   the runner reads rings, folds and adds to the table (SINK), or calls record() (STREAM)
 *   tick      each second, when the plugin has one
 *   close     always after a successful open; must not fail
 *
 * A SINK with sink_ops gets its rows on a writer thread; one batch at a time per writer:
 *
 *   connect -> begin -> row ... row -> commit     rows count as delivered when commit returns 0, not before
 *                  \-> any failure -> abort -> disconnect -> (a pause, and all of it again, `tries` times)
 *
 * connect and disconnect may be NULL. A connection is kept from batch to batch as long as nothing fails.
 */
#ifndef PLUGINS_PLUGIN_H
#define PLUGINS_PLUGIN_H

#include "base/ledger.h"
#include "base/loop.h"
#include "config/settings.h"
#include "flow/layout.h"
#include "ring/ring.h"

#define plugin_abi 1u

struct table; /* plugins/common/table.h */
struct batch; /* plugins/common/flush.h */

/* What the supervisor hands to a plugin process. Owned by the supervisor's image; lives as long as the process. */
struct plugin_start {
    const struct settings *settings; /* of this instance, resolved */
    const struct layout *layout;
    struct ring *const *rings; /* one per lane */
    unsigned ring_count;
    struct ledger *ledger;
    struct ledger_plugin *block; /* this instance's counters */
    int control_fd;              /* end of a socket pair to the supervisor; see enum plugin_command */
    int64_t started_ns;          /* wall clock of the daemon's start: anchor of time bins */
    bool replay;                 /* input is a file */
};

/* One byte each on the control socket. Supervisor -> plugin: */
enum plugin_command {
    PLUGIN_COMMAND_START = 'G',  /* to the collector: all are ready, take input */
    PLUGIN_COMMAND_STOP = 'S',   /* read the rings to their END, deliver, exit */
    PLUGIN_COMMAND_RELOAD = 'R', /* read maps again */
    PLUGIN_COMMAND_REOPEN = 'L', /* open log files again */
    PLUGIN_COMMAND_LEDGER = 'U', /* nothing to do for most */
    PLUGIN_COMMAND_PURGE = 'P',  /* deliver now */
    PLUGIN_COMMAND_DESCRIBE = 'D', /* to the collector: show a new text on the board (core/board.h) */
    /* plugin -> supervisor: */
    PLUGIN_REPORT_READY = 'r',
    PLUGIN_REPORT_FAILED = 'f', /* followed by one phrase, up to the end of the datagram */
    PLUGIN_REPORT_ASKED_TO_STOP = 's' /* it got SIGTERM or SIGINT itself */
};

struct plugin_descriptor {
    const char *name;
    unsigned abi;
    int (*run)(const struct plugin_start *start);
};

extern const struct plugin_descriptor plugin_descriptor;

/* One running instance, as the functions below see it. */
struct plugin {
    const struct plugin_start *start;
    const struct settings *settings;
    const struct layout *layout;
    struct loop *loop;
    uint64_t *counters;  /* PLUGIN block, written by the main thread only */
    struct table *table; /* SINK: the open table; owned by the runner, moved at a purge */
    void *state;         /* the plugin's own */
};

struct sink_ops {
    int (*connect)(void *writer, struct error *error);
    int (*begin)(void *writer, const struct batch *batch, struct error *error);
    int (*row)(void *writer, const uint8_t *body, struct error *error); /* body as in layout.h, strings interned */
    /* Optional, used instead of row() when there: `count` bodies one after another, each of layout body_bytes. */
    int (*rows)(void *writer, const uint8_t *first, uint64_t count, struct error *error);
    int (*commit)(void *writer, struct error *error);
    void (*abort)(void *writer);
    void (*disconnect)(void *writer);
    void *(*writer_new)(struct plugin *plugin, struct error *error); /* main thread, before ready */
    void (*writer_free)(void *writer);
    /* Optional: where the batch of the last commit went, for the environment of a trigger; NULL: nowhere to name. */
    const char *(*target)(void *writer);
    unsigned tries; /* of a batch before its rows count as failed; 0: until the daemon stops */
};

enum plugin_kind { PLUGIN_SINK, PLUGIN_STREAM };

struct plugin_ops {
    const char *name;
    enum plugin_kind kind;
    const struct sink_ops *sink; /* NULL: the table is never purged (memory) */
    int (*open)(struct plugin *plugin, struct error *error);
    void (*record)(struct plugin *plugin, const struct ring_header *record); /* STREAM only */
    void (*tick)(struct plugin *plugin, int64_t now_ns);
    void (*close)(struct plugin *plugin);
};

#endif
