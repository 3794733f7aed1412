/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all decoders share: where a datagram came from, and where the records go. A decoder reads bytes through a
 * cursor, fills one struct flow in place and hands it over; it never logs, never allocates per record, never exits.
 * What it could not read it counts on the ledger.
 */
#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

#include "base/ledger.h"
#include "flow/flow.h"

struct origin {
    struct address source; /* of the datagram, from the socket */
    uint16_t source_port;
    int64_t arrival_ns; /* wall clock, or the capture's time in a replay */
};

/* Takes a record; the flow may be changed by the callee and is reused after it returns. */
typedef void decode_record_fn(void *context, struct flow *flow);

struct decode_output {
    decode_record_fn *record;
    void *context;
    struct ledger *ledger;   /* exporters and unknown structures */
    uint64_t *counters;      /* INPUT block of this lane, see counter_add */
    struct field_set wants;  /* fields that some plugin asks for: decoders may skip the others */
};

#endif
