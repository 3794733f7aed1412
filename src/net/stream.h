/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams of IPFIX messages: a connection or a file (RFC 7011 section 10.4, RFC 5655) is nothing but messages, one
 * right after the other, each with its length in its header. Here is where one ends, and what is said of bytes that
 * are none; and the TCP listener.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/error.h"
#include "net/socket.h"

#define stream_message_max 65535 /* the length is 16 bits */

/*
 * The length in bytes of the IPFIX message that the bytes begin with, whether it is all there or not; 0 when too few
 * bytes are there to tell; -1 with a phrase ("begins with ...") when no message begins so. It tells as early as it can:
 * after one byte that does not fit.
 */
int stream_message(const uint8_t *bytes, size_t size, struct error *error);

/* The first bytes of what is not what it should be, for a phrase: "'GET / HT'" or "00 09 00 1e". */
#define stream_opening_max 48
const char *stream_opening(const uint8_t *bytes, size_t size, char out[stream_opening_max]);

/*
 * Listens for TCP connections, as socket_listen does for datagrams; multicast groups and the buffer do not matter.
 * Returns the descriptor (non-blocking) or -1.
 */
int stream_listen(const struct socket_options *options, struct error *error);

/*
 * Takes a connection: its descriptor (non-blocking); -1 when none waits now, or it was gone again; -2 when the process
 * has no descriptor or memory for one, with a phrase.
 */
int stream_accept(int listener, struct address *peer, uint16_t *port, struct error *error);

#endif
