/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor: the process whose pid is the daemon's. It makes rings, ledger, sockets and control socket, forks the
 * collectors and the plugins as siblings, restarts what dies and stops all in order: collectors first, then the plugins
 * to the END of their rings. It never touches a packet. Single-threaded: only so may it fork at any time.
 *
 *   signal    does
 *   INT TERM  stop in order, deliver everything, write the ledger last
 *   HUP       open log files again
 *   USR1      write the ledger to the log
 *   USR2      read maps again
 */
#ifndef CORE_SUPERVISOR_H
#define CORE_SUPERVISOR_H

#include "core/daemon.h"

enum supervisor_exit {
    SUPERVISOR_EXIT_OK = 0,
    SUPERVISOR_EXIT_FAILED = 1, /* did not start, or nothing is left that runs */
    SUPERVISOR_EXIT_LOSS = 2    /* ended in order, but records were lost, or a savefile was broken */
};

/* Before the first thing that must be cleaned up (the pid file): signals wait from here on for supervisor_run. */
void supervisor_hold_signals(void);

/* Runs the daemon until it is stopped. Logging is open already. Returns an enum supervisor_exit. */
int supervisor_run(const struct daemon *daemon, struct config *config, bool dry_run);

#endif
