/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NFLOG: netfilter rules with `log group N` (nft) or `-j NFLOG --nflog-group N` (iptables) hand copies of packets to
 * the one process that listens to that group, over netlink. What the kernel could not put into the socket's buffer is
 * known exactly, from the group's sequence numbers; the buffer grows when that happens.
 */
#ifndef NET_NFLOG_H
#define NET_NFLOG_H

#include "base/error.h"
#include "net/frame.h"

#define nflog_buffer_bytes_max (UINT64_C(64) << 20)
#define nflog_batch 32 /* datagrams taken with one call; each has one packet or, with a threshold, several */

struct nflog_options {
    uint16_t group;
    uint32_t copy_bytes;   /* of each packet, at most; 0 or above 65531: that many */
    uint32_t threshold;    /* packets that the kernel collects before it sends them; 0 and 1: each at once */
    uint64_t buffer_bytes; /* receive buffer of the socket at first; 0 leaves the system's */
};

struct nflog_counts {
    uint64_t frames;    /* handed over */
    uint64_t lost;      /* packets that the kernel logged to this group and that did not come */
    uint64_t malformed; /* messages that are none */
    uint64_t overflows; /* times that the buffer ran over, each seen in one batch */
    uint64_t buffer_bytes; /* as the kernel gave it; grows */
};

struct nflog_group;

/*
 * Listens to the group from now on. The phrase of an error tells what is wrong: no right to do so, somebody else has
 * the group. `frame` is called from within nflog_group_receive and nflog_group_unbind; the frame is borrowed for the
 * call. NULL on failure.
 */
struct nflog_group *nflog_group_open(const struct nflog_options *options,
                                     void (*frame)(void *context, const struct frame *frame), void *context,
                                     struct error *error);
void nflog_group_close(struct nflog_group *group); /* NULL is fine */

/* The descriptor to wait on; non-blocking. */
int nflog_group_fd(const struct nflog_group *group);

/* Takes one batch of what is there now. Returns how many datagrams it had, 0 when none; -1: the socket is broken. */
int nflog_group_receive(struct nflog_group *group);

/*
 * No packet is logged to the group any more; those that the kernel had collected are sent at once, and can be received
 * yet. Returns 0 or -1.
 */
int nflog_group_unbind(struct nflog_group *group, struct error *error);

/*
 * What was lost after the last packet that came, which no sequence number tells: for the last call, when nothing is
 * left to receive. Exact with a threshold of 0 or 1; else *exact gets false when the datagrams lost stand for up to
 * `threshold` packets each, and that many are told.
 */
uint64_t nflog_group_final_lost(struct nflog_group *group, bool *exact);

struct nflog_counts nflog_group_counts(const struct nflog_group *group);

#endif
