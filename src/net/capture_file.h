/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file as a source of datagrams. A capture (see frame_file.h): link, IP and UDP headers are taken off,
 * fragments are put together, and what is not a whole UDP datagram is counted and passed over. Or an IPFIX file
 * (RFC 5655), messages one after the other: each is a datagram from 127.0.0.1, port 0, at its export time. Either may
 * be compressed with gzip or zstd. What it is shows by how it begins; its name says nothing.
 */
#ifndef NET_CAPTURE_FILE_H
#define NET_CAPTURE_FILE_H

#include "base/error.h"
#include "net/compressed.h"
#include "net/socket.h"

struct capture_file;

struct capture_counts {
    uint64_t frames;     /* of an IPFIX file: messages */
    uint64_t not_udp;
    uint64_t fragments;  /* that did not make a datagram, so far */
    uint64_t cut;        /* captured shorter than it was */
    uint64_t bytes_read; /* of the file, compressed as it is, for progress */
    uint64_t bytes_total; /* 0: not known */
};

/* Opens the file, or standard input for "-"; the phrase says what is wrong with it. */
struct capture_file *capture_file_open(const char *path, struct error *error);
void capture_file_close(struct capture_file *file);

/* Of a pipe: before capture_file_next waits for more of it, `fn` is called; see net/compressed.h. */
void capture_file_on_wait(struct capture_file *file, compressed_wait_fn *fn, void *context);

/* The next datagram: 1; 0 at the end; -1 with a phrase when the file is broken there. Valid until the next call. */
int capture_file_next(struct capture_file *file, struct socket_datagram *datagram, int64_t *captured_ns,
                      struct error *error);

/* What was met so far. */
struct capture_counts capture_file_counts(const struct capture_file *file);

#endif
