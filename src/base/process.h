/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon's dealings with the system as a process: its title, going to the background, the pid file, niceness. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/base.h"
#include "base/error.h"

/* Keeps the room of argv and environment for titles. First thing in main; environ is moved away. */
void process_title_init(int argc, char **argv);
/* What `ps` shows: "sfacctd: print[csv]". */
void process_title(const char *format, ...) printf_like(1, 2);

/*
 * Goes to the background in two steps, so that the starter learns how it went: process_detach forks, the parent waits
 * in it and exits with the status that the child hands to process_detached (0: it runs). Returns 0 in the child, or
 * -1.
 */
int process_detach(struct error *error);
void process_detached(int status);
/* Standard input, output and error become /dev/null. */
void process_leave_terminal(void);

/*
 * The pid file, held with a lock for life: a second daemon with the same file is refused, a stale file is not. Parent
 * directories are made. Returns a descriptor to keep open, or -1.
 */
int process_pidfile(const char *path, struct error *error);
void process_pidfile_remove(const char *path, int fd);

/* One report to the supervisor on a child's control socket: what (enum plugin_command) and a phrase, perhaps empty. */
void process_report(int control_fd, char what, const char *phrase);

#endif
