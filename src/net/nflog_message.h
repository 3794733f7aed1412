/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel sends to who listens to an NFLOG group: netlink messages, each a packet and what netfilter knows of
 * it, made into frames. The packet begins with its IP header; where the kernel tells the link header too, it is put
 * before the packet, in place, so that a frame is an Ethernet one (LINKTYPE_ETHERNET) and no byte of it is copied;
 * else it is LINKTYPE_RAW. Layout: linux/netfilter/nfnetlink_log.h, fields in host order except where that says __be.
 */
#ifndef NET_NFLOG_MESSAGE_H
#define NET_NFLOG_MESSAGE_H

#include "net/frame.h"

struct nflog_reader {
    void (*frame)(void *context, const struct frame *frame); /* borrowed for the call */
    void *context;
    uint32_t expected;  /* sequence number that the group's next packet has */
    uint64_t frames;    /* handed over */
    uint64_t lost;      /* missing by the sequence numbers */
    uint64_t malformed; /* messages that end before their content does; what could be read of them counts as lost */
};

/*
 * Reads all messages of one datagram from the kernel. `bytes` are written to, in front of packets. `now_ns` stands in
 * for the time of packets that have none, as those that the host sends.
 */
void nflog_message_read(struct nflog_reader *reader, uint8_t *bytes, size_t size, int64_t now_ns);

#endif
