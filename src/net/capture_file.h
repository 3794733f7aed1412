/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file (pcap or pcapng, through libpcap) read as a source of UDP datagrams: link, IP and UDP headers are
 * taken off. What is not a whole UDP datagram is counted and passed over.
 */
#ifndef NET_CAPTURE_FILE_H
#define NET_CAPTURE_FILE_H

#include "base/error.h"
#include "net/socket.h"

struct capture_file;

struct capture_counts {
    uint64_t frames, not_udp, fragments, cut; /* cut: captured shorter than it was */
    uint64_t bytes_read, bytes_total;         /* of the file, for progress */
};

/* Opens the file; the phrase says what is wrong with it. */
struct capture_file *capture_file_open(const char *path, struct error *error);
void capture_file_close(struct capture_file *file);

/* The next datagram: 1; 0 at the end; -1 when the file is broken there. Valid until the next call. */
int capture_file_next(struct capture_file *file, struct socket_datagram *datagram, int64_t *captured_ns,
                      struct error *error);

/* What was met so far. */
struct capture_counts capture_file_counts(const struct capture_file *file);

#endif
