/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all decoders share: where a datagram came from, and where the records go. A decoder reads bytes through a
 * cursor, fills one struct flow in place and hands it over; it never logs, never allocates per record, never exits.
 * What it could not read it counts on the ledger.
 */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include "base/ledger.h"
#include "flow/layout.h"

struct origin {
    struct address source; /* of the datagram, from the socket */
    uint16_t source_port;
    int64_t arrival_ns; /* wall clock, or the capture's time in a replay */
    uint32_t session;   /* 0: a datagram; else the number of the stream (TCP, TLS, DTLS) that it came by */
};

/* Takes a record; the flow may be changed by the callee and is reused after it returns. */
typedef void decode_record_fn(void *context, struct flow *flow);

/*
 * Takes records that are a plugin's already: `count` bodies of its layout, one after another. Only where nothing
 * stands between the decoder and the rings (no enriching step, no tag, no text in a key): then a decoder may write
 * bodies at once.
 */
typedef void decode_bodies_fn(void *context, unsigned target, const uint8_t *bodies, unsigned count);

/* Whether the configuration tells the sampling rate of a record whose exporter has not told it yet. */
typedef bool decode_knows_rate_fn(void *context, const struct flow *flow);

#define decode_targets_max ledger_plugins_max

struct decode_output {
    decode_record_fn *record;
    decode_knows_rate_fn *knows_rate; /* or NULL */
    void *context;
    struct ledger *ledger;   /* exporters and unknown structures */
    uint64_t *counters;      /* INPUT block of this lane, see counter_add */
    unsigned lane;           /* number of this lane, from 0: for the exporters' rows on the ledger */
    /* For bodies: every plugin's layout, target_count of them; 0: records go through `record` only. */
    const struct layout *targets[decode_targets_max];
    unsigned target_count;
    decode_bodies_fn *bodies;
    struct field_set wants;  /* fields that some plugin asks for: decoders may skip the others */
};

#endif
