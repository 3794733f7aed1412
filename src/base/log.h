/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the daemons talk: stderr, a file, syslog, or several of them. Lines look like pmacct's, since scripts read
 * them: "LEVEL ( NAME/TYPE ): text", with a timestamp before it in files. Only daemons, the client and the plugin
 * runner log; libraries fill a struct error. Text from outside goes through log_safe(): no newline, no escape.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"
#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_OK };

/* OK is pmacct's word in front of a few lines that scripts wait for. */
struct log_targets {
    const char *file;         /* path, or NULL */
    const char *syslog;       /* facility name, or NULL */
    const char *syslog_ident; /* or NULL: the program's name */
    bool stderr_timestamp;
    bool debug; /* DEBUG lines are wanted */
};

/* Opens the targets; without file and syslog lines go to stderr. On failure the old ones stay. Returns 0 or -1. */
int log_open(const struct log_targets *targets, struct error *error);
/* The daemon is up, or this is a child of it. Until then errors go to stderr too, to whoever starts it by hand. */
void log_started(void);
/* Opens the file again under its name (after rotation). */
void log_reopen(void);
/* "( name/type )" of all later lines of this process. */
void log_identity(const char *name, const char *type);
bool log_wants_debug(void);

void log_write(enum log_level level, const char *format, ...) printf_like(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                            \
    do {                                          \
        if (log_wants_debug())                    \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__); \
    } while (0)

/* At most `per_second` lines a second from one place; the next line allowed tells how many were left out. */
struct log_limit {
    int64_t second;
    uint32_t used;
    uint64_t suppressed;
};
bool log_allowed(struct log_limit *limit, uint32_t per_second);

/* `bytes` with everything that is not printable ASCII escaped as \xNN; cut to fit. Returns `out`. */
char *log_safe(const char *bytes, size_t length, char *out, size_t size);

#endif
