/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process that the supervisor keeps: a collector or a plugin. Forking it, the socket pair to it, what it
 * reports, when it may be started again. What runs in it is a function; which role it has, the supervisor knows.
 */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include <sys/types.h>

#include "base/base.h"
#include "base/error.h"

enum child_state {
    CHILD_IDLE,     /* not started */
    CHILD_STARTING, /* forked, has not reported */
    CHILD_RUNNING,
    CHILD_WAITING,  /* died, to be started again at restart_ns */
    CHILD_GIVEN_UP, /* died too often */
    CHILD_ENDED     /* done in good order */
};

struct child {
    enum child_state state;
    pid_t pid;
    int control_fd; /* the supervisor's end; -1 when there is none */
    int status;     /* of waitpid, once it has ended */
    int64_t restart_ns, window_ns; /* monotonic */
    unsigned crashes;              /* in the window */
    char phrase[512];              /* what it reported as wrong, or empty */
    unsigned index;                /* among its owner's */
    void *owner;                   /* the supervisor */
};

typedef int child_fn(void *context, int control_fd);

/*
 * Forks; the child closes the control ends of `others` (so that each sees its supervisor go) and exits with what `fn`
 * returns. Signals that the supervisor blocks are unblocked in it. Returns 0 or -1.
 */
int child_start(struct child *child, child_fn *fn, void *context, struct child *const others[], unsigned count,
                struct error *error);

/*
 * One byte of enum plugin_command. A child that is gone is no error here: its end is reported otherwise. Returns
 * whether the order is on its way.
 */
bool child_order(const struct child *child, char order);

/* Reads one report into *what and child->phrase. False when there is none (or the child is gone). */
bool child_report(struct child *child, char *what);

/*
 * After a death that was not asked for: sets WAITING with a back-off of 0.1, 1, 2, 4 ... 30 seconds, or GIVEN_UP
 * after ten deaths within ten minutes.
 */
void child_died(struct child *child, int64_t now_ns);

#endif
