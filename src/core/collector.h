/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector process, of which there is one per lane: datagrams from its socket or a savefile, on lane 0 also messages
 * of sessions -> allow list -> decoder -> enrich -> emit. It is told to stop on its control socket; then it takes what
 * the kernel still holds, closes its rings with END and exits 0.
 */
#ifndef CORE_COLLECTOR_H
#define CORE_COLLECTOR_H

#include "core/board.h"
#include "core/daemon.h"
#include "core/emit.h"

struct collector_start {
    const struct daemon *daemon;
    const struct settings *settings; /* the core's */
    struct ledger *ledger;
    const struct emit_target *targets;
    unsigned target_count;
    unsigned lane;
    struct board *board; /* or NULL: the decoder describes nothing */
    int socket_fd;  /* bound by the supervisor, so that a new collector finds its queue; -1 with a savefile */
    int control_fd; /* speaks enum plugin_command of plugins/plugin.h */
    bool progress;  /* a person is watching: show how far a savefile has been read */
};

#define collector_exit_broken 3 /* an end in good order, but the savefile could not be read to its end */

/* Returns the exit status of the process: 0 or collector_exit_broken only after an end in good order. */
int collector_run(const struct collector_start *start);

#endif
