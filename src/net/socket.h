/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP listeners: bound, sized, in their multicast groups, read many datagrams a call; alone on a port or as a group
 * that shares it by the senders' addresses. What the kernel dropped for want of buffer is told with the datagrams that
 * follow (SO_RXQ_OVFL) and, at the end, by the socket itself (SO_MEMINFO).
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "base/error.h"
#include "net/address.h"

#define socket_batch 64
#define socket_datagram_max 65536

struct socket_options {
    const char *address;    /* NULL: all, IPv6 and IPv4 on one socket where the host has IPv6 */
    uint16_t port;
    const char *interface;  /* device or VRF, or NULL */
    const char *groups;     /* multicast groups, comma separated, or NULL */
    bool ipv6_only;
    uint64_t buffer_bytes;  /* receive buffer asked for; 0 leaves the system's */
};

/*
 * Opens a listener. A port that is taken is an error that says so: no port is ever shared in silence. *buffer_got
 * tells the receive buffer that the kernel gave, in bytes. Returns the descriptor (non-blocking) or -1.
 */
int socket_listen(const struct socket_options *options, uint64_t *buffer_got, struct error *error);

/*
 * Opens `count` listeners on one port for as many readers (SO_REUSEPORT): every datagram goes to one of them, which
 * its source address decides, so that an exporter always meets the same reader. Where no such choice can be made -
 * datagrams to a multicast group - the first one gets all. One listener is what socket_listen makes. A port that
 * somebody else has, of this program too, is refused as above. *buffer_got is each socket's. Returns 0, or -1 with none
 * left open.
 */
int socket_listen_group(const struct socket_options *options, int sockets[], unsigned count, uint64_t *buffer_got,
                        struct error *error);

struct socket_datagram {
    const uint8_t *bytes;
    size_t size;
    struct address source;
    uint16_t source_port;
    bool cut; /* longer than socket_datagram_max */
};

struct socket_receiver;

/*
 * Buffers for batches from one socket; NULL when out of memory. The kernel's count of drops runs as long as the
 * socket: `drops_counted` are those that a predecessor on the same socket has told already.
 */
struct socket_receiver *socket_receiver_new(int fd, uint64_t drops_counted);
void socket_receiver_free(struct socket_receiver *receiver);

/*
 * Takes up to socket_batch datagrams that are there now. Returns how many; 0 when none. They are valid until the next
 * call. *dropped gets how many the kernel has dropped since the last call, as far as it has told.
 */
unsigned socket_receive(struct socket_receiver *receiver, const struct socket_datagram **datagrams, uint64_t *dropped);

/* The rest of the drops, for the last call before the socket is closed. */
uint64_t socket_final_drops(struct socket_receiver *receiver);

#endif
