/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of one batch, all or none of them: a new file is written under a temporary name and renamed at commit, an
 * existing one is appended to and cut back to its length at abort. What a daemon wrote since its start is never
 * truncated: the next purge into the same name appends; what an earlier run left is replaced (unless append). A
 * process that is killed while it appends leaves some rows of its batch there, and perhaps half a row, which the next
 * one to append cuts off.
 *
 * Streams (stdout, FIFOs) cannot be taken back. What went out of a batch is remembered, and the next try goes on from
 * there; meanwhile no other batch writes to a stream. A FIFO whose reader went away gets the whole batch again.
 *
 * One batch at a time in the process: begin takes a lock, commit and abort give it back.
 */
#ifndef PLUGINS_PRINT_DELIVERY_H
#define PLUGINS_PRINT_DELIVERY_H

#include "base/file.h"

#include <pthread.h>

/* What the writers of one instance share. */
struct delivery_shared {
    pthread_mutex_t mutex;
    struct file_owner owner;
    bool append;
    int64_t started_ns;    /* wall clock: files modified later are of this run */
    const char *lock_file; /* held while stdout is written; NULL: none */
    bool stdout_used;      /* the header is there */
    const void *stream_owner; /* the delivery that has left half a batch on a stream */
    uint64_t written[4096];   /* hashes of names written lately, each at its place */
};

void delivery_shared_init(struct delivery_shared *shared, const struct file_owner *owner, bool append,
                          int64_t started_ns, const char *lock_file);
void delivery_shared_free(struct delivery_shared *shared);

struct delivery;

/* Of a path; NULL, which is stdout, is as good as an empty one. */
uint64_t delivery_hash(const char *path);

/* room_max: the most that one delivery_room asks for. NULL when out of memory. */
struct delivery *delivery_new(struct delivery_shared *shared, size_t room_max);
void delivery_free(struct delivery *delivery);

/* `sequence` tells a new batch from another try. Waits a second for the lock. 0 or -1. */
int delivery_begin(struct delivery *delivery, uint64_t sequence, struct error *error);

/*
 * Opens a file of the batch, or stdout (NULL); one at a time. *fresh: it is empty so far, a header belongs into it. A
 * path that was closed before in this batch goes on at its end.
 */
int delivery_open(struct delivery *delivery, const char *path, bool *fresh, struct error *error);

/* Where the next up to `size` bytes go (at most room_max), and how many they became. NULL: could not be written. */
char *delivery_room(struct delivery *delivery, size_t size, struct error *error);
void delivery_put(struct delivery *delivery, size_t size);
int delivery_close(struct delivery *delivery, struct error *error);

/* Gives the new files their names: the batch is delivered. After -1 delivery_abort must follow. */
int delivery_rename(struct delivery *delivery, struct error *error);
/* The end of a batch that went well: gives the lock back. */
void delivery_commit(struct delivery *delivery);
/* Also right after a begin that failed. */
void delivery_abort(struct delivery *delivery);

#endif
