/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that others find: written to a temporary name in the same directory and renamed, so that nobody ever sees
 * half of one; or appended to under a lock. Parents are made, mode and owner set before the file shows up, every
 * write is checked, and the last part of a path is never followed when it is a symbolic link that somebody else may
 * have planted.
 *
 * Functions return 0 (or a descriptor) or -1 with a phrase. errno holds the cause after a failure where one is known.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/base.h"
#include "base/error.h"

#include <sys/types.h>

/* Who owns what we write and who may read it. uid and gid: (uid_t)-1 and (gid_t)-1 leave them as they come. */
struct file_owner {
    mode_t file_mode;
    mode_t directory_mode;
    uid_t uid;
    gid_t gid;
};

/* From the octal umask and names or numbers (NULL: as they come) of the configuration. An unknown name is an error. */
int file_owner_set(struct file_owner *owner, unsigned umask_bits, const char *user, const char *group,
                   struct error *error);

/* Makes the directories above the last part of `path` that are missing. */
int file_make_parents(const char *path, const struct file_owner *owner, struct error *error);

/*
 * Writes all bytes, over short writes and interruptions. Adds to *written (may be NULL) what went out, also when it
 * fails; returns 0, or -1 with errno set.
 */
int file_write_all(int fd, const void *data, size_t size, uint64_t *written);

/* What is at a path, without following a symbolic link at its end. */
enum file_kind {
    FILE_KIND_MISSING,
    FILE_KIND_REGULAR,
    FILE_KIND_STREAM, /* FIFO or character device: written as it is, cannot be taken back */
    FILE_KIND_OTHER   /* directory, symbolic link, socket, block device: not for us */
};

struct file_facts {
    enum file_kind kind;
    uint64_t size;
    int64_t modified_ns; /* wall clock */
};

int file_look(const char *path, struct file_facts *facts, struct error *error);

#define file_path_max 4096 /* of a path with its NUL, PATH_MAX of Linux */

/*
 * Opens the temporary file that belongs to `path`, empty and locked (flock), and writes its name to `temporary`. A
 * left-over of a process that died is taken over; one that is in use by another is an error.
 */
int file_temporary_open(const char *path, const struct file_owner *owner, char temporary[file_path_max],
                        struct error *error);
/* Gives the temporary file its name; whatever was there is replaced in one step. */
int file_temporary_commit(const char *temporary, const char *path, struct error *error);

/*
 * Opens a file to write at its end, made when missing, and locks it (waits up to a second for the lock). Fails when
 * its last part is a symbolic link or anything but a regular file.
 */
int file_append_open(const char *path, const struct file_owner *owner, struct error *error);

/* Opens a FIFO or a character device for writing; a FIFO that nobody reads is an error and does not block. */
int file_stream_open(const char *path, struct error *error);

/* Exclusive flock, tried for up to `wait_ms`. */
int file_lock(int fd, int wait_ms);

/* Cuts a file back to `size` bytes, to undo what a failed write left. */
int file_cut(const char *path, uint64_t size, struct error *error);

/* The absolute path, without symbolic links, of a file that exists. */
int file_absolute(const char *path, char absolute[file_path_max], struct error *error);

/*
 * Points the symbolic link `link` to `target`, in one step. A file or directory that is no link is left alone: an
 * error.
 */
int file_symlink(const char *target, const char *link, struct error *error);

/* A whole small file, replaced in one step. */
int file_replace(const char *path, const void *data, size_t size, const struct file_owner *owner, struct error *error);

#endif
