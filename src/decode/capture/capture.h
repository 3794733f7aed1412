/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From captured frames to flow records, for pmacctd and uacctd: each packet is a record. Internal sampling, packet
 * decoder, tunnels that are taken off (tunnel_0), fragments (fragments.h), flows (track.h), and, where they are asked
 * for, classes (classify/) and transactions (dissect/).
 */
#ifndef DECODE_CAPTURE_CAPTURE_H
#define DECODE_CAPTURE_CAPTURE_H

#include "classify/classify.h"
#include "decode/decode.h"
#include "decode/packet/packet.h"
#include "dissect/dissect.h"
#include "net/frame.h"

struct capture_options {
    bool unknown_etype;               /* account frames that are not IP, too */
    bool all_fragments;               /* follow fragments though nobody asks for a port */
    bool drop_orphans;                /* fragments without a first one are dropped, not accounted without ports */
    uint64_t fragment_bytes;          /* memory for fragments */
    uint64_t flow_bytes;              /* memory for the table of flows */
    int64_t flow_lifetime_ns;         /* idle time that ends a flow that is not TCP */
    int64_t flow_tcp_lifetime_ns;
    struct packet_unwrap unwrap;      /* tunnel_0 */
    bool innermost;                   /* tunnel_* tell of the innermost packet, not of the first inner one */
    bool link_interfaces;             /* in_iface and out_iface by what the link header tells */
    const struct classifier_ops *classifier_ops;
    struct classifier *classifier;    /* or NULL; the caller frees it after the capture */
    struct dissection *dissection;    /* or NULL; the same */
};

struct capture;

/* NULL with a phrase on failure. */
struct capture *capture_new(const struct capture_options *options, const struct decode_output *output,
                            struct error *error);
void capture_free(struct capture *capture);

/* Decodes one frame; records go to output->record before it returns, or later when a fragment waits. */
void capture_frame(struct capture *capture, const struct frame *frame);

/* After each batch of frames: what was gathered in it goes to its counters and files. */
void capture_flush(struct capture *capture);

/* About once a second, by the time of the frames: what waited long enough goes on. */
void capture_tick(struct capture *capture, int64_t now_ns);

/* Input has ended: what waits goes on now. */
void capture_end(struct capture *capture);

#endif
