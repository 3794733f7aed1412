/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs in the processes that the supervisor forks: a collector or a plugin. First they let go of what is the
 * supervisor's alone, then they become what they are for.
 */
#ifndef CORE_ROLES_H
#define CORE_ROLES_H

#include "base/loop.h"
#include "base/server.h"
#include "core/plan.h"

struct role { /* of one child, as it is at the fork */
    const struct daemon *daemon;
    struct config *config;
    struct plan *plan;
    struct ledger *ledger;
    struct loop *loop;      /* the supervisor's, to be left, with the two below */
    struct server *control; /* or NULL */
    int signal_fd;
    unsigned number; /* of the lane, or of the plugin */
};

/* Both are a child_fn with a struct role as context; they return the exit status. */
int role_collector(void *context, int control_fd);
int role_plugin(void *context, int control_fd);

#endif
