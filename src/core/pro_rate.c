/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/pro_rate.h"

void pro_rate_init(struct pro_rate *pro_rate, const struct time_bins *history, int64_t started_ns)
{
    *pro_rate = (struct pro_rate){.bins = *history};
    time_bins_start(&pro_rate->bins, started_ns / time_second_ns);
}

/* The end of the bin that holds `ns`, in nanoseconds. */
static int64_t bin_end_ns(struct pro_rate *pro_rate, int64_t ns)
{
    int64_t seconds = ns / time_second_ns - (ns % time_second_ns < 0);

    if (seconds < pro_rate->bin_start || seconds >= pro_rate->bin_end)
        pro_rate->bin_start = time_bin(&pro_rate->bins, seconds, &pro_rate->bin_end);
    return pro_rate->bin_end * time_second_ns;
}

bool pro_rate_begin(struct pro_rate *pro_rate, const struct flow *flow, struct pro_rate_walk *walk)
{
    if (!field_set_has(&flow->have, FIELD_TIMESTAMP_START) || !field_set_has(&flow->have, FIELD_TIMESTAMP_END) ||
        flow->timestamp_start == 0 || flow->timestamp_end <= flow->timestamp_start ||
        (flow->packets == 0 && flow->bytes == 0))
        return false;
    *walk = (struct pro_rate_walk){.pro_rate = pro_rate,
                                   .packets = flow->packets,
                                   .bytes = flow->bytes,
                                   .flows = flow->flows,
                                   .packets_left = flow->packets,
                                   .bytes_left = flow->bytes,
                                   .flows_left = flow->flows,
                                   .start_ns = flow->timestamp_start,
                                   .end_ns = flow->timestamp_end,
                                   .at_ns = flow->timestamp_start};
    return flow->timestamp_end > bin_end_ns(pro_rate, flow->timestamp_start);
}

static uint64_t take(uint64_t whole, uint64_t *left, uint64_t share, uint64_t total)
{
    uint64_t part = share == 0 ? *left : (uint64_t)((unsigned __int128)whole * share / total);

    *left -= part;
    return part;
}

bool pro_rate_next(struct pro_rate_walk *walk, struct flow *flow, int64_t *base_ns)
{
    uint64_t total = (uint64_t)(walk->end_ns - walk->start_ns);

    while (walk->at_ns < walk->end_ns) {
        int64_t end_ns = bin_end_ns(walk->pro_rate, walk->at_ns);
        bool last = end_ns >= walk->end_ns || ++walk->pieces == pro_rate_pieces_max;
        uint64_t share = last ? 0 : (uint64_t)(end_ns - walk->at_ns);

        *base_ns = walk->at_ns;
        walk->at_ns = last ? walk->end_ns : end_ns;
        flow->packets = take(walk->packets, &walk->packets_left, share, total);
        flow->bytes = take(walk->bytes, &walk->bytes_left, share, total);
        flow->flows = take(walk->flows, &walk->flows_left, share, total);
        if (last || flow->packets != 0 || flow->bytes != 0)
            return true;
        walk->flows_left += flow->flows;
    }
    flow->packets = walk->packets;
    flow->bytes = walk->bytes;
    flow->flows = walk->flows;
    return false;
}
