/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which dissectors are on, and which ports are theirs: what the configuration says of names, modules and ports,
 * checked, and as bitmaps for the question that every packet asks.
 */
#ifndef DISSECT_DISSECTORS_H
#define DISSECT_DISSECTORS_H

#include "dissect/conversation.h"
#include "dissect/dissect.h"

struct dissectors {
    unsigned count;
    const struct dissector_ops *list[conversation_dissectors_max];
    uint64_t tcp_bits[1024], udp_bits[1024];  /* ports of any */
    uint8_t tcp_owner[65536], udp_owner[65536]; /* number + 1 of the dissector, 0: none */
};

/* Modules stay loaded. Returns 0, or -1 with a phrase. */
int dissectors_load(struct dissectors *dissectors, const struct dissection_options *options, struct error *error);

static inline bool dissectors_have(const uint64_t bits[1024], uint16_t port)
{
    return bits[port / 64] >> (port % 64) & 1;
}

#endif
