/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One direction of a TCP connection, put in order (RFC 9293 section 3.4: sequence numbers are compared modulo 2^32).
 * What comes in order is handed on where it lies; what a reader leaves of it, and what comes before its turn, is
 * kept, at most limit_bytes together with what keeping it costs. What came before is dropped, overlaps go to who came
 * first.
 *
 * A hole is told as a gap when it cannot close any more: no room for more behind it, tcp_stream_hole_ns old, or the
 * end. Acknowledgements are no reason: captures often bring the two directions out of step, and a hole that is
 * acknowledged may still be filled by the next frame. What the capture has cut off a packet is a gap at once.
 */
#ifndef DISSECT_TCP_STREAM_H
#define DISSECT_TCP_STREAM_H

#include "dissect/dissector.h"
#include "dissect/pool.h"

#define tcp_stream_hole_ns (INT64_C(2) * 1000000000) /* a few retransmission times (RFC 6298: 1 s at first) */
#define tcp_stream_stop UINT64_MAX                   /* of data: the reader has had enough */

/* Who reads; `data` as in dissector.h. False of gap: it has had enough. */
struct tcp_stream_reader {
    uint64_t (*data)(void *context, unsigned side, const struct dissector_data *data);
    bool (*gap)(void *context, unsigned side, uint64_t bytes);
    void (*fin)(void *context, unsigned side, int64_t when_ns);
    void *context;
    struct pool *pool;
    uint64_t limit_bytes;
};

struct tcp_stream {
    uint32_t next;     /* sequence number of the byte that is wanted next */
    uint32_t fin_at;   /* where the FIN is */
    bool begun;        /* `next` is known */
    bool has_fin, ended;
    uint8_t side;
    uint32_t kept, kept_room;  /* bytes that the reader has left, before `next` */
    uint8_t *kept_bytes;
    int64_t kept_ns;           /* when the packet of the first of them came */
    int64_t hole_ns;           /* since when something waits */
    uint64_t skip;             /* bytes from `next` on that the reader does not want to see */
    struct tcp_segment *waiting; /* behind a hole, by sequence number */
    uint64_t waiting_bytes;      /* with what keeping them costs */
};

/* The sequence number of a SYN. */
void tcp_stream_syn(struct tcp_stream *stream, uint32_t sequence);

struct tcp_packet {
    const uint8_t *bytes;
    uint32_t captured, length; /* of the payload; captured <= length */
    uint32_t sequence;         /* of its first byte */
    bool fin;
    int64_t when_ns;
};

/* The rest return false when the reader has had enough: free the stream then. */
bool tcp_stream_packet(struct tcp_stream *stream, const struct tcp_stream_reader *reader,
                       const struct tcp_packet *packet);
/* Gives up holes older than tcp_stream_hole_ns. */
bool tcp_stream_tick(struct tcp_stream *stream, const struct tcp_stream_reader *reader, int64_t now_ns);
/* Nothing more will come: all that waits is handed on, and, when the connection was closed or broken, the end of it. */
bool tcp_stream_end(struct tcp_stream *stream, const struct tcp_stream_reader *reader, bool closed, int64_t now_ns);
/* What is kept is given back to the pool; the stream is as new. */
void tcp_stream_free(struct tcp_stream *stream, struct pool *pool);

#endif
