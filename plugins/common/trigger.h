/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that the key `trigger_exec` names, run after a purge: by its absolute path and without arguments or
 * shell, with no descriptor of ours but stderr, and with an environment that tells about the purge. It gets a minute
 * and is killed then. One struct per writer thread, which is the only one that uses it.
 */
#ifndef PLUGINS_COMMON_TRIGGER_H
#define PLUGINS_COMMON_TRIGGER_H

#include "base/error.h"

#include <sys/types.h>

#define trigger_running_max 8 /* programs of one writer that run at the same time, when it does not wait for them */

struct trigger {
    const char *path; /* NULL: none; owned by the caller */
    bool async;
    unsigned limit_seconds;
    struct trigger_child {
        pid_t pid;
        int64_t started_ns; /* monotonic */
    } children[trigger_running_max];
    unsigned count;
};

/* What the program is told; a number below zero is left out, a text of NULL too. */
struct trigger_facts {
    int64_t refresh_seconds;
    int64_t bin_start;   /* seconds; left out without history */
    int64_t bin_seconds; /* length of the bin */
    uint64_t rows_total;
    uint64_t rows_delivered;
    int64_t elapsed_seconds;
    const char *output_file;
};

/* Checks the path. Returns 0 or -1. */
int trigger_init(struct trigger *trigger, const char *path, bool async, struct error *error);

/*
 * Runs it, waits unless async. -1 with a phrase when it could not be run, was killed for its time, or ended with
 * anything but status 0 (this also for an earlier async one).
 */
int trigger_run(struct trigger *trigger, const struct trigger_facts *facts, struct error *error);

#endif
