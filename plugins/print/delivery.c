/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing the files of a batch; see delivery.h for what holds. */
#include "plugins/print/delivery.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define buffer_bytes (256 * 1024)
#define held_max 64 /* files kept open, and so locked, until the end of the batch */
#define streams_max 64
#define lock_wait_ms 1000

struct target {
    char *path;
    char *temporary; /* NULL: appended to, or a stream */
    uint64_t hash;
    uint64_t before; /* length before this batch */
    int fd;          /* -1: closed */
    bool stream, renamed;
    bool opened; /* it may hold something of this batch, and `before` is known */
};

struct stream {
    uint64_t hash;
    uint64_t position; /* of this try */
    uint64_t out;      /* of this batch, by all tries */
};

struct delivery {
    struct delivery_shared *shared;
    uint64_t sequence;
    bool locked;
    struct target *targets;
    size_t count, capacity;
    unsigned held;
    struct target *current; /* NULL: nothing is open */
    struct stream *stream;  /* of current */
    int lock_fd;
    struct stream streams[streams_max];
    unsigned stream_count;
    size_t used, room;
    char *buffer;
};

uint64_t delivery_hash(const char *path)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

    for (; path && *path; path++)
        hash = (hash ^ (uint8_t)*path) * 0x100000001b3u;
    return hash;
}

void delivery_shared_init(struct delivery_shared *shared, const struct file_owner *owner, bool append,
                          int64_t started_ns, const char *lock_file)
{
    *shared = (struct delivery_shared){
        .owner = *owner, .append = append, .started_ns = started_ns, .lock_file = lock_file};
    pthread_mutex_init(&shared->mutex, NULL);
}

void delivery_shared_free(struct delivery_shared *shared)
{
    pthread_mutex_destroy(&shared->mutex);
}

struct delivery *delivery_new(struct delivery_shared *shared, size_t room_max)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));

    if (!delivery)
        return NULL;
    delivery->shared = shared;
    delivery->lock_fd = -1;
    delivery->room = buffer_bytes + room_max;
    delivery->buffer = malloc(delivery->room);
    if (!delivery->buffer) {
        free(delivery);
        return NULL;
    }
    return delivery;
}

/* Forgets the targets of the batch; whatever is still open is closed. */
static void forget(struct delivery *delivery)
{
    for (size_t i = 0; i < delivery->count; i++) {
        struct target *target = &delivery->targets[i];
        if (target->fd >= 0 && target->fd != STDOUT_FILENO)
            close(target->fd);
        free(target->path);
        free(target->temporary);
    }
    if (delivery->lock_fd >= 0)
        close(delivery->lock_fd);
    delivery->lock_fd = -1;
    delivery->count = 0;
    delivery->held = 0;
    delivery->used = 0;
    delivery->current = NULL;
    delivery->stream = NULL;
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    forget(delivery);
    free(delivery->targets);
    free(delivery->buffer);
    free(delivery);
}

int delivery_begin(struct delivery *delivery, uint64_t sequence, struct error *error)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    if (pthread_mutex_clocklock(&delivery->shared->mutex, CLOCK_MONOTONIC, &until) != 0)
        return error_set(error, "an earlier purge is still being written");
    delivery->locked = true;
    forget(delivery);
    if (sequence != delivery->sequence) {
        delivery->sequence = sequence;
        delivery->stream_count = 0;
    }
    for (unsigned i = 0; i < delivery->stream_count; i++)
        delivery->streams[i].position = 0;
    return 0;
}

static struct target *add_target(struct delivery *delivery, const char *path, struct error *error)
{
    if (delivery->count == delivery->capacity) {
        size_t capacity = delivery->capacity ? delivery->capacity * 2 : 4;
        struct target *targets = realloc(delivery->targets, capacity * sizeof(*targets));
        if (!targets) {
            error_set(error, "out of memory");
            return NULL;
        }
        delivery->targets = targets;
        delivery->capacity = capacity;
    }
    struct target *target = &delivery->targets[delivery->count];
    *target = (struct target){.hash = delivery_hash(path), .fd = -1};
    target->path = strdup(path ? path : "");
    if (!target->path) {
        error_set(error, "out of memory");
        return NULL;
    }
    delivery->count++;
    return target;
}

static int open_stream(struct delivery *delivery, struct target *target, bool is_stdout, struct error *error)
{
    struct delivery_shared *shared = delivery->shared;
    unsigned i = 0;

    if (shared->stream_owner && shared->stream_owner != delivery)
        return error_set(error, "an earlier purge has to be written to its end first");
    while (i < delivery->stream_count && delivery->streams[i].hash != target->hash)
        i++;
    if (i == streams_max)
        return error_set(error, "more than %d FIFOs in one purge", streams_max);
    if (i == delivery->stream_count)
        delivery->streams[delivery->stream_count++] = (struct stream){.hash = target->hash};
    target->stream = true;
    if (!is_stdout) {
        target->fd = file_stream_open(target->path, error);
    } else {
        if (shared->lock_file) {
            delivery->lock_fd = open(shared->lock_file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                                     shared->owner.file_mode);
            if (delivery->lock_fd < 0 || file_lock(delivery->lock_fd, lock_wait_ms) != 0)
                return error_errno(error, errno, "cannot lock '%s'", shared->lock_file);
        }
        target->fd = STDOUT_FILENO;
    }
    if (target->fd < 0)
        return -1;
    delivery->stream = &delivery->streams[i];
    return 0;
}

/* Where the last whole line of a file of `size` bytes ends; negative when it cannot be read. */
static off_t whole_lines_end(const char *path, off_t size)
{
    char part[4096];
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    off_t end = fd < 0 ? -1 : size;

    while (end > 0) {
        size_t length = min_u64((uint64_t)end, sizeof(part));
        if (pread(fd, part, length, end - (off_t)length) != (ssize_t)length) {
            end = -1;
            break;
        }
        const char *newline = memrchr(part, '\n', length);
        end -= (off_t)length;
        if (newline) {
            end += newline + 1 - part;
            break;
        }
    }
    if (fd >= 0)
        close(fd);
    return end;
}

/*
 * To the end of a file. One of ours that was killed while it wrote has left half a line in a file of this run: that is
 * cut off. Other files are not ours to cut.
 */
static int open_to_append(struct target *target, bool of_this_run, const struct file_owner *owner, struct error *error)
{
    target->fd = file_append_open(target->path, owner, error);
    if (target->fd < 0)
        return -1;
    off_t size = lseek(target->fd, 0, SEEK_END);
    off_t end = of_this_run && size > 0 ? whole_lines_end(target->path, size) : size;
    if (end < 0 || (end < size && ftruncate(target->fd, end) != 0))
        return error_errno(error, errno, "cannot find the end of '%s'", target->path);
    target->before = (uint64_t)end;
    target->opened = true;
    return 0;
}

/* A file of this run, or any in append mode, is appended to; else it is replaced, or new. */
static int open_file(struct delivery *delivery, struct target *target, const struct file_facts *facts,
                     struct error *error)
{
    struct delivery_shared *shared = delivery->shared;
    char temporary[file_path_max];
    bool of_this_run = facts->modified_ns >= shared->started_ns ||
                       shared->written[target->hash % array_length(shared->written)] == target->hash;

    if (facts->kind == FILE_KIND_REGULAR && (shared->append || of_this_run))
        return open_to_append(target, of_this_run, &shared->owner, error);
    if (file_make_parents(target->path, &shared->owner, error) != 0)
        return -1;
    target->fd = file_temporary_open(target->path, &shared->owner, temporary, error);
    if (target->fd < 0)
        return -1;
    target->temporary = strdup(temporary);
    if (!target->temporary) {
        unlink(temporary);
        return error_set(error, "out of memory");
    }
    target->opened = true;
    return 0;
}

/* A target that was closed to keep the number of open files small, or a stream. */
static int open_again(struct delivery *delivery, struct target *target, struct error *error)
{
    if (target->fd >= 0)
        return 0;
    if (target->stream)
        return open_stream(delivery, target, false, error);
    const char *path = target->temporary ? target->temporary : target->path;
    target->fd = file_append_open(path, &delivery->shared->owner, error);
    return target->fd < 0 ? -1 : 0;
}

int delivery_open(struct delivery *delivery, const char *path, bool *fresh, struct error *error)
{
    uint64_t hash = delivery_hash(path);
    struct file_facts facts;

    *fresh = false;
    delivery->stream = NULL;
    for (size_t i = delivery->count; path && i > 0; i--) {
        struct target *target = &delivery->targets[i - 1];
        if (target->hash != hash || strcmp(target->path, path) != 0)
            continue;
        if (open_again(delivery, target, error) != 0)
            return -1;
        delivery->current = target;
        return 0;
    }
    struct target *target = add_target(delivery, path, error);
    if (!target)
        return -1;
    int result;
    if (!path) {
        result = open_stream(delivery, target, true, error);
        *fresh = !delivery->shared->stdout_used;
    } else if (file_look(path, &facts, error) != 0) {
        result = -1;
    } else if (facts.kind == FILE_KIND_OTHER) {
        result = error_set(error, "'%s' is a symbolic link, a directory or the like, not a file", path);
    } else if (facts.kind == FILE_KIND_STREAM) {
        result = open_stream(delivery, target, false, error);
        *fresh = true;
    } else {
        result = open_file(delivery, target, &facts, error);
        *fresh = target->before == 0;
    }
    if (result == 0)
        delivery->current = target;
    return result;
}

/* What an earlier try has written already is left out. */
static int write_stream(struct delivery *delivery, const char *data, size_t size)
{
    struct stream *stream = delivery->stream;
    uint64_t done = stream->out > stream->position ? min_u64(stream->out - stream->position, size) : 0;

    stream->position += size;
    if (file_write_all(delivery->current->fd, data + done, size - done, &stream->out) == 0)
        return 0;
    if (errno == EPIPE && *delivery->current->path)
        stream->out = 0; /* the reader is gone with what it had; the next one gets it all */
    return -1;
}

static int write_buffer(struct delivery *delivery, struct error *error)
{
    struct target *target = delivery->current;
    size_t size = delivery->used;

    delivery->used = 0;
    int result = target->stream ? write_stream(delivery, delivery->buffer, size)
                                : file_write_all(target->fd, delivery->buffer, size, NULL);
    if (result != 0)
        return error_errno(error, errno, "cannot write '%s'", *target->path ? target->path : "standard output");
    return 0;
}

char *delivery_room(struct delivery *delivery, size_t size, struct error *error)
{
    if (delivery->room - delivery->used < size && write_buffer(delivery, error) != 0)
        return NULL;
    return delivery->buffer + delivery->used;
}

void delivery_put(struct delivery *delivery, size_t size)
{
    delivery->used += size;
}

int delivery_close(struct delivery *delivery, struct error *error)
{
    struct target *target = delivery->current;

    if (!target)
        return 0;
    if (write_buffer(delivery, error) != 0)
        return -1;
    delivery->current = NULL;
    delivery->stream = NULL;
    if (target->fd == STDOUT_FILENO && !*target->path) {
        target->fd = -1;
        if (delivery->lock_fd >= 0)
            close(delivery->lock_fd);
        delivery->lock_fd = -1;
        return 0;
    }
    /* Some file systems tell of a full disk or quota only at close. A copy is closed, so that the lock stays. */
    int copy = target->stream ? -1 : fcntl(target->fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0 && close(copy) != 0 && errno != EINTR)
        return error_errno(error, errno, "cannot write '%s'", target->path);
    if (!target->stream && delivery->held < held_max) {
        delivery->held++;
        return 0;
    }
    close(target->fd);
    target->fd = -1;
    return 0;
}

static void unlock(struct delivery *delivery)
{
    delivery->locked = false;
    pthread_mutex_unlock(&delivery->shared->mutex);
}

int delivery_rename(struct delivery *delivery, struct error *error)
{
    struct delivery_shared *shared = delivery->shared;

    if (delivery_close(delivery, error) != 0)
        return -1;
    for (size_t i = 0; i < delivery->count; i++) {
        struct target *target = &delivery->targets[i];
        if (target->temporary && file_temporary_commit(target->temporary, target->path, error) != 0)
            return -1;
        target->renamed = target->temporary != NULL;
        if (!target->stream)
            shared->written[target->hash % array_length(shared->written)] = target->hash;
        else if (!*target->path)
            shared->stdout_used = true;
    }
    return 0;
}

void delivery_commit(struct delivery *delivery)
{
    if (delivery->shared->stream_owner == delivery)
        delivery->shared->stream_owner = NULL;
    delivery->stream_count = 0;
    forget(delivery);
    unlock(delivery);
}

void delivery_abort(struct delivery *delivery)
{
    struct delivery_shared *shared = delivery->shared;

    if (!delivery->locked)
        return;
    for (size_t i = 0; i < delivery->count; i++) {
        struct target *target = &delivery->targets[i];
        if (!target->opened)
            continue;
        if (target->temporary && !target->renamed)
            unlink(target->temporary);
        else
            file_cut(target->path, target->before, NULL);
    }
    if (shared->stream_owner == delivery)
        shared->stream_owner = NULL;
    for (unsigned i = 0; i < delivery->stream_count; i++) {
        if (delivery->streams[i].out > 0)
            shared->stream_owner = delivery;
    }
    forget(delivery);
    unlock(delivery);
}
