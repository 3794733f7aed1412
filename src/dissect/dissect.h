/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: what a conversation said, in one JSON line each (DNS, HTTP, TLS and what modules bring), and the
 * names in it as primitives (tls_sni, dns_name). This is the side of the packet decoder; dissector.h is that of a
 * dissector. Everything is bounded: the bytes of a stream that wait, the streams, the open transactions, the length
 * of a line.
 */
#ifndef DISSECT_DISSECT_H
#define DISSECT_DISSECT_H

#include "base/error.h"
#include "flow/flow.h"

struct dissection_options {
    const char *output_file;  /* JSON lines; NULL: none, only the primitives */
    const char *dissectors;   /* names, joined by commas; NULL: all that are built in */
    const char *modules;      /* paths of modules, joined by commas; or NULL */
    const char *ports;        /* "http=80,8080 dns=53": others than the dissectors' own; or NULL */
    uint64_t stream_bytes;    /* that may wait in one direction of a stream */
    uint64_t memory_bytes;    /* of all streams and open transactions */
    unsigned umask_bits;      /* of the output file */
    bool timestamps_utc;
    bool want_tls_sni, want_dns_name;
};

struct dissect_packet {
    const uint8_t *payload; /* of TCP or UDP, as far as it was captured */
    uint32_t captured;
    uint32_t length;        /* of the payload as it was */
    uint32_t sequence;      /* TCP: of its first byte */
    uint16_t tcp_flags;
    bool backwards;         /* against the direction of the conversation's first packet */
    int64_t when_ns;
};

struct dissection_counts {
    uint64_t lines;        /* written */
    uint64_t lines_lost;   /* the disk refused them */
    uint64_t transactions; /* told or given up */
    uint64_t given_up;     /* of these, because memory was used up */
    uint64_t gaps;         /* holes in streams: packets lost before us, or cut by the capture */
    uint64_t memory_bytes; /* now */
};

struct dissection;

struct dissection *dissection_new(const struct dissection_options *options, struct error *error);
void dissection_free(struct dissection *dissection);

/*
 * A packet of the conversation whose *state this is (NULL at first; *backwards* as in track.h). Sets tls_sni and
 * dns_name of `flow` where they are wanted and known; the texts live until the next call.
 */
void dissection_packet(struct dissection *dissection, void **state, const struct dissect_packet *packet,
                       struct flow *flow);
/* The conversation has ended: what is open is told as it is. NULL is allowed. */
void dissection_release(struct dissection *dissection, void *state);
/* By the time of the packets: requests without an answer are told after their time. */
void dissection_tick(struct dissection *dissection, int64_t now_ns);
/* After each batch of packets: the lines go to the file. */
void dissection_flush(struct dissection *dissection);
/* The file was rotated. */
void dissection_reopen(struct dissection *dissection);
/* Whether any dissector or primitive looks at this packet at all: a port of its own, or a conversation known so far. */
bool dissection_looks(const struct dissection *dissection, const void *state, const struct flow *flow);
struct dissection_counts dissection_counts(const struct dissection *dissection);

#endif
