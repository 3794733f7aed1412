/* SPDX-License-Identifier: BSD-2-Clause */
/* One line, one write: a line is put together in a buffer and handed to each target whole. See log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const char *const level_name[] = {"ERROR", "WARN", "NOTICE", "INFO", "DEBUG", "OK"};
static const int level_syslog[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG, LOG_INFO};

static const struct {
    const char *name;
    int code;
} facilities[] = {
    {"auth", LOG_AUTH},     {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"kern", LOG_KERN},     {"user", LOG_USER},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

static struct {
    int file;
    char path[4096];
    bool use_stderr, use_syslog, stderr_timestamp, debug, starting;
    char ident[64];
    char name[64], type[32];
} log_state = {.file = -1, .use_stderr = true, .name = "default", .type = "core"};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

int log_open(const struct log_targets *targets, struct error *error)
{
    int file = -1, facility = -1;

    if (targets->syslog != NULL) {
        for (unsigned i = 0; i < array_length(facilities); i++)
            if (strcasecmp(facilities[i].name, targets->syslog) == 0)
                facility = facilities[i].code;
        if (facility < 0)
            return error_set(error, "unknown syslog facility '%s'", targets->syslog);
    }
    if (targets->file != NULL) {
        if (strlen(targets->file) >= sizeof(log_state.path))
            return error_set(error, "the path of the log file is too long");
        file = open_file(targets->file);
        if (file < 0)
            return error_errno(error, errno, "cannot open the log file '%s'", targets->file);
        memcpy(log_state.path, targets->file, strlen(targets->file) + 1);
    }
    if (log_state.file >= 0)
        close(log_state.file);
    log_state.file = file;
    log_state.use_syslog = facility >= 0;
    if (facility >= 0) {
        snprintf(log_state.ident, sizeof(log_state.ident), "%s",
                 targets->syslog_ident ? targets->syslog_ident : program_invocation_short_name);
        openlog(log_state.ident, LOG_PID, facility);
    }
    log_state.use_stderr = file < 0 && facility < 0;
    log_state.starting = true;
    log_state.stderr_timestamp = targets->stderr_timestamp;
    log_state.debug = targets->debug;
    return 0;
}

void log_started(void)
{
    log_state.starting = false;
}

void log_reopen(void)
{
    int file;

    if (log_state.file < 0)
        return;
    file = open_file(log_state.path);
    if (file < 0) {
        log_error("cannot open the log file '%s' again: %s; going on with the old one", log_state.path,
                  strerror(errno));
        return;
    }
    close(log_state.file);
    log_state.file = file;
}

void log_identity(const char *name, const char *type)
{
    snprintf(log_state.name, sizeof(log_state.name), "%s", name);
    snprintf(log_state.type, sizeof(log_state.type), "%s", type);
}

bool log_wants_debug(void)
{
    return log_state.debug;
}

static size_t put_timestamp(char *out, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;
    size_t length;

    localtime_r(&now, &tm);
    length = strftime(out, size, "%Y-%m-%dT%H:%M:%S%z ", &tm);
    if (length > 3 && length + 1 < size) { /* +0100 becomes +01:00 */
        memmove(out + length - 2, out + length - 3, 4);
        out[length - 3] = ':';
        length++;
    }
    return length;
}

/* A log that cannot be written has nowhere to say so. */
static void write_whole(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        length -= (size_t)n;
    }
}

void log_write(enum log_level level, const char *format, ...)
{
    char line[4096];
    size_t stamp = put_timestamp(line, sizeof(line)), head, length;
    va_list args;
    int n;

    if (level == LOG_LEVEL_DEBUG && !log_state.debug)
        return;
    n = snprintf(line + stamp, sizeof(line) - stamp, "%s ( %s/%s ): ", level_name[level], log_state.name,
                 log_state.type);
    head = stamp + (size_t)n;
    va_start(args, format);
    n = vsnprintf(line + head, sizeof(line) - head - 1, format, args);
    va_end(args);
    length = head + min_u64(n > 0 ? (uint64_t)n : 0, sizeof(line) - head - 2);
    line[length] = '\n';
    if (log_state.file >= 0)
        write_whole(log_state.file, line, length + 1);
    if (log_state.use_stderr || (log_state.starting && level == LOG_LEVEL_ERROR)) {
        size_t skip = log_state.stderr_timestamp ? 0 : stamp;
        write_whole(STDERR_FILENO, line + skip, length + 1 - skip);
    }
    if (log_state.use_syslog) {
        line[length] = '\0';
        syslog(level_syslog[level], "%s", line + stamp);
    }
}

bool log_allowed(struct log_limit *limit, uint32_t per_second)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec != limit->second) {
        uint64_t suppressed = limit->suppressed;

        limit->second = now.tv_sec;
        limit->used = 0;
        limit->suppressed = 0;
        if (suppressed > 0)
            log_warn("%llu lines like the next one were left out", (unsigned long long)suppressed);
    }
    if (limit->used >= per_second) {
        limit->suppressed++;
        return false;
    }
    limit->used++;
    return true;
}

char *log_safe(const char *bytes, size_t length, char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool plain = c >= 0x20 && c < 0x7f && c != '\\';

        if (at + (plain ? 1 : 4) >= size)
            break;
        if (plain) {
            out[at++] = (char)c;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = digits[c >> 4];
            out[at++] = digits[c & 15];
        }
    }
    out[at] = '\0';
    return out;
}
