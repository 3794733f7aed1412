/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pro-rating: the counters of a flow that lasted longer than its time bin, spread over all the bins that it touched, in
 * proportion to the time that it spent in each. What does not divide is the last one's, so the sum is exact.
 */
#ifndef CORE_PRO_RATE_H
#define CORE_PRO_RATE_H

#include "base/time.h"
#include "flow/flow.h"

#define pro_rate_pieces_max 1024 /* of one flow; the last of them takes all that is left */

struct pro_rate {
    struct time_bins bins;
    int64_t bin_start, bin_end; /* the last bin found, seconds: the next record's is mostly the same */
};

/* A walk over the pieces of one flow. */
struct pro_rate_walk {
    struct pro_rate *pro_rate;
    uint64_t packets, bytes, flows;                /* of the whole flow */
    uint64_t packets_left, bytes_left, flows_left; /* for the pieces to come */
    int64_t start_ns, end_ns, at_ns;
    unsigned pieces;
};

/* `started_ns` is the anchor of the bins, the same that the plugin has. */
void pro_rate_init(struct pro_rate *pro_rate, const struct time_bins *history, int64_t started_ns);

/* False when there is nothing to spread: the flow lies in one bin, or has no times or counters. */
bool pro_rate_begin(struct pro_rate *pro_rate, const struct flow *flow, struct pro_rate_walk *walk);

/*
 * The next piece: its counters are in `flow`, and *base_ns is a time within its bin. False after the last one; `flow`
 * is then as it was before. Pieces without packets and bytes are passed over.
 */
bool pro_rate_next(struct pro_rate_walk *walk, struct flow *flow, int64_t *base_ns);

#endif
