/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the supervisor works out once from the configuration: how many lanes there are, their sockets; for each plugin
 * its layout, its ring from each lane, its place on the ledger.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/board.h"
#include "core/daemon.h"
#include "core/emit.h"

struct plan {
    const struct daemon *daemon;
    unsigned count;      /* of plugins */
    unsigned lane_count;
    unsigned socket_count; /* 0 with a savefile and in daemons that listen on no port, else one per lane */
    uint16_t port;
    int sockets[ledger_lanes_max]; /* kept by the supervisor: a new collector finds the kernel's queue of the old one */
    struct layout layouts[ledger_plugins_max];
    struct ring *rings[ledger_plugins_max][ledger_lanes_max];
    struct emit_target targets[ledger_plugins_max];
    struct board *boards[ledger_lanes_max]; /* what a lane tells at length; NULL when the daemon tells nothing */
};

/* Layouts only: what --show-layout needs; plan->daemon is set by the caller. Returns 0 or -1. */
int plan_layouts(struct plan *plan, const struct config *config, struct error *error);

/* Everything but the sockets, and the names on the ledger. Returns 0 or -1; plan_free is safe after both. */
int plan_make(struct plan *plan, const struct daemon *daemon, const struct config *config, struct ledger *ledger,
              struct error *error);

/* Binds the sockets, if there are any. Returns 0 or -1, with `warning` filled in when their buffers are small. */
int plan_listen(struct plan *plan, const struct settings *core, struct error *warning, struct error *error);

/* Closes the sockets of all lanes but this one; ledger_lanes_max: of all. */
void plan_close_sockets(struct plan *plan, unsigned lane);
/*
 * At the end, for a lane without a process: what its socket still holds is counted as datagrams_at_stop, what the
 * kernel has dropped in the meantime as datagrams_kernel_dropped. `counters` is the lane's INPUT block.
 */
void plan_count_rest(const struct plan *plan, unsigned lane, uint64_t *counters);

void plan_free(struct plan *plan);

#endif
