/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that may be compressed, read as what it is inside: gzip, zstd or neither, told apart by how it begins. It is
 * unpacked piece by piece while it is read, never on disk, and need not be seekable: a pipe will do.
 */
#ifndef NET_COMPRESSED_H
#define NET_COMPRESSED_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

struct compressed;

/* Opens a file, or standard input for "-". The phrase says what is wrong. */
struct compressed *compressed_open(const char *path, struct error *error);
void compressed_close(struct compressed *file); /* NULL is fine; a stream of it must be closed before */

/*
 * Called before each read that may have to wait, as one of a pipe: it may do what should not wait, and poll `fd`. False
 * ends the content here. A file on a disk does not wait.
 */
typedef bool compressed_wait_fn(void *context, int fd);
void compressed_on_wait(struct compressed *file, compressed_wait_fn *fn, void *context);

/*
 * Copies up to `size` bytes of the content's beginning without taking them; at most 16. Returns how many there are,
 * -1 with a phrase when the content cannot be unpacked. Only before anything is taken.
 */
int compressed_peek(struct compressed *file, uint8_t *out, size_t size, struct error *error);

/*
 * Takes up to `size` bytes of the content: as many as there are without waiting for more, 0 at its end, -1 when it is
 * broken (see compressed_trouble).
 */
ssize_t compressed_read(struct compressed *file, uint8_t *out, size_t size);

/* The content as a stream, once; the caller closes it. NULL when out of memory. */
FILE *compressed_stream(struct compressed *file);

/* What broke while it was read: "the gzip data is broken: ..."; "" when nothing did. */
const char *compressed_trouble(const struct compressed *file);

/* Bytes of the file itself: read so far, and in all (0: not known, as of a pipe). For progress. */
uint64_t compressed_taken(const struct compressed *file);
uint64_t compressed_total(const struct compressed *file);

#endif
