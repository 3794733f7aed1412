/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the supervisor works out once from the configuration: for each plugin its layout, its ring, its place on the
 * ledger.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/daemon.h"
#include "core/emit.h"

struct plan {
    unsigned count;
    uint16_t port;
    struct layout layouts[ledger_plugins_max];
    struct ring *rings[ledger_plugins_max];
    struct emit_target targets[ledger_plugins_max];
};

/* Layouts only: what --show-layout needs. Returns 0 or -1. */
int plan_layouts(struct plan *plan, const struct config *config, struct error *error);

/* Everything, and the names on the ledger. Returns 0 or -1; plan_free is safe after both. */
int plan_make(struct plan *plan, const struct daemon *daemon, const struct config *config, struct ledger *ledger,
              struct error *error);
void plan_free(struct plan *plan);

#endif
