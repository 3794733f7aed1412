/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP fragments: only the first one of a datagram carries ports, and the others are to be accounted under the same
 * ports, whatever order they come in. A datagram is known by addresses, protocol and identification (RFC 791 section
 * 3.2, RFC 8200 section 4.5). A fragment that comes before its first one waits, as the frame that it was; what waited
 * too long, or has to make room, goes on without ports. Memory is fixed, and its hash has a secret.
 */
#ifndef DECODE_CAPTURE_FRAGMENTS_H
#define DECODE_CAPTURE_FRAGMENTS_H

#include "flow/flow.h"
#include "net/frame.h"

struct fragment_key {
    struct address source, destination;
    uint32_t id; /* 16 bits in IPv4 */
    uint8_t proto;
    uint8_t version; /* 4 or 6 */
};

struct fragment_ports {
    uint16_t source, destination;
    bool known; /* false: an orphan */
};

/*
 * A frame that waited goes on. `frame` is valid during the call only. Called from within the functions below; it must
 * not call them.
 */
typedef void fragment_release_fn(void *context, const struct frame *frame, const struct fragment_ports *ports);

struct fragments;

struct fragment_counts {
    uint64_t waiting;  /* frames now */
    uint64_t orphans;  /* frames that went on without ports */
    uint64_t no_room;  /* of these, because others needed the room, or because the frame itself was too large for it */
};

/*
 * `bytes` of memory, 16384 at least, for the table and the frames in it: all that there will be. What is never used is
 * never touched. NULL with a phrase.
 */
struct fragments *fragments_new(uint64_t bytes, fragment_release_fn *release, void *context, struct error *error);
void fragments_free(struct fragments *fragments); /* what still waits is forgotten: call fragments_end before */

/*
 * The first fragment: remembers its ports for fragment_wait_ns, and releases what waited for them, in the order of
 * arrival. When all the room is taken, the oldest gives way: frames of other datagrams may go on as orphans.
 */
void fragments_first(struct fragments *fragments, const struct fragment_key *key, uint16_t source_port,
                     uint16_t destination_port, int64_t now_ns);

/*
 * A later fragment. True: its datagram's ports are in *ports, go on with it now; nothing was released. False: the frame
 * was copied and waits, for which others may have been released, or it is larger than a quarter of the room (or than
 * 256 KiB) and was itself released as an orphan.
 */
bool fragments_later(struct fragments *fragments, const struct fragment_key *key, const struct frame *frame,
                     struct fragment_ports *ports);

/* Releases what has waited longer than fragment_wait_ns, by arrival; `now_ns` is the time of the frames. */
void fragments_tick(struct fragments *fragments, int64_t now_ns);
/* Releases all, in the order of arrival. */
void fragments_end(struct fragments *fragments);
struct fragment_counts fragments_counts(const struct fragments *fragments);

/* Hosts give up after 15 to 60 s: RFC 791 section 3.2, RFC 8200 section 4.5. */
#define fragment_wait_ns (INT64_C(15) * 1000000000)

#endif
