/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/agent_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

#define variable "$peer_src_ip"
#define files_max 256 /* open at a time; another agent takes the place of the one in its way */
#define buffer_bytes (64 * 1024)

struct log_file {
    struct address agent;
    int fd; /* -1: not open */
    size_t used;
    char *buffer;
};

struct agent_log {
    const char *path;
    bool per_agent;
    struct file_owner owner;
    uint64_t lost;
    struct log_limit limit;
    struct log_file files[files_max];
};

/* The path with the agent's address in place of the variable; dots and colons become _ as pmacct writes them. */
static bool path_for(const struct agent_log *log, const struct address *agent, char *out, size_t size)
{
    const char *at = strstr(log->path, variable);
    char text[address_text_max + 1];
    size_t length;

    if (at == NULL)
        return snprintf(out, size, "%s", log->path) < (int)size;
    length = address_format(agent, text);
    text[length] = '\0';
    for (char *c = text; *c != '\0'; c++)
        if (*c == '.' || *c == ':')
            *c = '_';
    return snprintf(out, size, "%.*s%s%s", (int)(at - log->path), log->path, text, at + strlen(variable)) < (int)size;
}

static bool open_file(struct agent_log *log, struct log_file *file)
{
    char path[file_path_max];
    struct error error;

    if (!path_for(log, &file->agent, path, sizeof(path))) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (file_make_parents(path, &log->owner, &error) < 0)
        return false;
    if (file->buffer == NULL && (file->buffer = malloc(buffer_bytes)) == NULL)
        return false;
    file->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, log->owner.file_mode);
    return file->fd >= 0;
}

/* A line is whole in the file or not there at all: what a short write left of one is cut off again. */
static void write_out(struct agent_log *log, struct log_file *file)
{
    ssize_t n = 0;
    size_t done = 0;

    while (done < file->used) {
        n = write(file->fd, file->buffer + done, file->used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done < file->used) {
        struct stat status;
        size_t whole = done;

        while (whole > 0 && file->buffer[whole - 1] != '\n')
            whole--;
        if (whole < done && fstat(file->fd, &status) == 0 &&
            ftruncate(file->fd, status.st_size - (off_t)(done - whole)) < 0)
            whole = done;
        for (size_t i = whole; i < file->used; i++)
            log->lost += file->buffer[i] == '\n';
    }
    file->used = 0;
}

struct agent_log *agent_log_new(const char *path, unsigned umask_bits, struct error *error)
{
    struct agent_log *log = calloc(1, sizeof(*log));

    if (log == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    log->path = path;
    log->per_agent = strstr(path, variable) != NULL;
    if (file_owner_set(&log->owner, umask_bits, NULL, NULL, error) < 0) {
        free(log);
        return NULL;
    }
    for (unsigned i = 0; i < files_max; i++)
        log->files[i].fd = -1;
    if (!log->per_agent && !open_file(log, &log->files[0])) {
        error_errno(error, errno, "cannot open the counter file '%s'", path);
        agent_log_free(log);
        return NULL;
    }
    return log;
}

void agent_log_free(struct agent_log *log)
{
    if (log == NULL)
        return;
    agent_log_reopen(log);
    for (unsigned i = 0; i < files_max; i++)
        free(log->files[i].buffer);
    free(log);
}

static struct log_file *file_for(struct agent_log *log, const struct address *agent)
{
    uint64_t mix = (load_u64(agent->bytes) ^ load_u64(agent->bytes + 8)) * UINT64_C(0x9e3779b97f4a7c15);
    struct log_file *file = &log->files[log->per_agent ? (mix >> 48) % files_max : 0];

    if (file->fd >= 0 && log->per_agent && !address_equal(&file->agent, agent)) {
        write_out(log, file);
        close(file->fd);
        file->fd = -1;
    }
    if (file->fd < 0) {
        file->agent = *agent;
        if (!open_file(log, file)) {
            if (log_allowed(&log->limit, 1))
                log_error("cannot open the counter file '%s': %s", log->path, strerror(errno));
            return NULL;
        }
    }
    return file;
}

bool agent_log_line(struct agent_log *log, const struct address *agent, const char *text, size_t length)
{
    struct log_file *file = file_for(log, agent);

    if (file == NULL || length + 1 > buffer_bytes)
        return false;
    if (file->used + length + 1 > buffer_bytes)
        write_out(log, file);
    memcpy(file->buffer + file->used, text, length);
    file->buffer[file->used + length] = '\n';
    file->used += length + 1;
    return true;
}

static void write_all(struct agent_log *log)
{
    for (unsigned i = 0; i < (log->per_agent ? files_max : 1); i++)
        if (log->files[i].used > 0)
            write_out(log, &log->files[i]);
}

uint64_t agent_log_flush(struct agent_log *log)
{
    uint64_t lost;

    write_all(log);
    lost = log->lost;
    log->lost = 0;
    return lost;
}

void agent_log_reopen(struct agent_log *log)
{
    write_all(log); /* what is lost by it, the next flush tells */
    for (unsigned i = 0; i < files_max; i++) {
        if (log->files[i].fd >= 0)
            close(log->files[i].fd);
        log->files[i].fd = -1;
    }
}
