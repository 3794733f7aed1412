/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows: who talks with whom, both directions of a conversation in one entry. It tells when a packet
 * begins a flow (for `flows`), and keeps what others know of a conversation: its class, its streams. An entry ends
 * after a time without packets in either direction; five seconds are enough once TCP has seen RST or FIN of both sides,
 * and then a SYN begins a new entry at once. When memory is used up, the one longest idle goes (to within a sixteenth
 * of its lifetime). Memory is fixed; the hash has a secret.
 */
#ifndef DECODE_CAPTURE_TRACK_H
#define DECODE_CAPTURE_TRACK_H

#include "flow/flow.h"

struct track_options {
    uint64_t bytes; /* memory of the table, 65536 at least, 144 for a flow; what is never used is never touched */
    int64_t lifetime_ns, tcp_lifetime_ns;
    bool vlan; /* the same addresses in two VLANs are two flows */
    /* An entry whose owners are not both NULL is going: what they refer to can be freed. May be NULL. */
    void (*release)(void *context, void *const owners[2]);
    void *context;
};

struct track_entry {
    void *owners[2];    /* for the callers' own: 0 the classifier's, 1 the dissection's; NULL at first */
    uint64_t packets;   /* both directions */
    int64_t first_ns, last_ns;
};

struct track_hit {
    struct track_entry *entry; /* never NULL; valid until the next call of track_packet or track_tick */
    bool begins;    /* the first packet of this direction, or its first after a lifetime without: `flows` counts it */
    bool backwards; /* it goes against the direction of the entry's first packet */
};

struct track_counts {
    uint64_t flows;   /* in the table now */
    uint64_t evicted; /* entries that went because memory was used up */
};

struct track;

struct track *track_new(const struct track_options *options, struct error *error);
void track_free(struct track *track); /* releases all entries */

/* The entry of the packet that `flow` is (hosts, ports, proto, vlan, tcpflags), made when there was none. */
struct track_hit track_packet(struct track *track, const struct flow *flow, int64_t now_ns);
/* Ends what has been idle too long; a bounded piece of work. */
void track_tick(struct track *track, int64_t now_ns);
struct track_counts track_counts(const struct track *track);

#endif
