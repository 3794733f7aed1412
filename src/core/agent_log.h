/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON to files, one file for each agent when the path has $peer_src_ip in it, else one for all: the counter
 * log of sFlow. Lines gather in memory and are appended once per batch; a line counts as written when it is in the
 * buffer and as failed when a write lost it.
 */
#ifndef CORE_AGENT_LOG_H
#define CORE_AGENT_LOG_H

#include "base/error.h"
#include "net/address.h"

struct agent_log;

/* Tries to open the file when the path has no variable, so that a wrong one is found at the start. NULL on failure. */
struct agent_log *agent_log_new(const char *path, unsigned umask_bits, struct error *error);
void agent_log_free(struct agent_log *log);

/* Appends one line. False when it could not be kept. */
bool agent_log_line(struct agent_log *log, const struct address *agent, const char *text, size_t length);

/* Writes what has gathered. Returns how many lines were lost (a short disk). */
uint64_t agent_log_flush(struct agent_log *log);
/* Closes the files; the next lines open them again under their names. */
void agent_log_reopen(struct agent_log *log);

#endif
