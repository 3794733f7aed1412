/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of things: the usual packet in one go; else below IP, IP, and, for those who ask, the same once more for
 * what a tunnel carries. This file knows no protocol.
 */
#include "decode/packet/packet.h"

#include "decode/packet/walk.h"

/* The word-th word of the set that has only this field, as a constant. */
#define bit_in(id, word) (FIELD_##id / 64 == (word) ? UINT64_C(1) << (FIELD_##id % 64) : 0)

/* True when a field that only a tunnel can give is asked for. */
static inline bool tunnel_wanted(const struct field_set *wants)
{
    uint64_t hit = 0;

    for (unsigned word = 0; word < FIELD_WORDS; word++)
        hit |= wants->words[word] &
               (bit_in(VXLAN, word) | bit_in(NVGRE, word) | bit_in(TUNNEL_SRC_MAC, word) |
                bit_in(TUNNEL_DST_MAC, word) | bit_in(TUNNEL_SRC_HOST, word) | bit_in(TUNNEL_DST_HOST, word) |
                bit_in(TUNNEL_PROTO, word) | bit_in(TUNNEL_TOS, word) | bit_in(TUNNEL_SRC_PORT, word) |
                bit_in(TUNNEL_DST_PORT, word) | bit_in(TUNNEL_TCPFLAGS, word) | bit_in(TUNNEL_FLOW_LABEL, word));
    return hit != 0;
}

#define tunnel_limit 8 /* one in the other; real ones are at most three */

/* All that an inner packet can have set but the identifiers of its tunnel. */
static void forget_inner(struct flow *flow)
{
    for (unsigned word = 0; word < FIELD_WORDS; word++)
        flow->have.words[word] &=
            ~(bit_in(TUNNEL_SRC_MAC, word) | bit_in(TUNNEL_DST_MAC, word) | bit_in(TUNNEL_SRC_HOST, word) |
              bit_in(TUNNEL_DST_HOST, word) | bit_in(TUNNEL_PROTO, word) | bit_in(TUNNEL_TOS, word) |
              bit_in(TUNNEL_SRC_PORT, word) | bit_in(TUNNEL_DST_PORT, word) | bit_in(TUNNEL_TCPFLAGS, word) |
              bit_in(TUNNEL_FLOW_LABEL, word));
}

/* Opens the next tunnel; true when another one may be in it. */
static bool open_tunnel(struct walk *walk)
{
    const bool first = !walk->inner;
    enum packet_link link;
    enum walk_layer layer;

    if (!tunnel_peel(walk, &link) || cursor_left(&walk->rest) == 0)
        return false;
    if (first) {
        walk->info->inner = walk->rest.at;
        walk->info->inner_bytes = (uint32_t)cursor_left(&walk->rest);
        walk->info->inner_link = link;
    } else {
        forget_inner(walk->flow);
    }
    walk->inner = true;
    walk->etype_seen = false;
    walk->frames = 0;
    layer = link_peel(walk, link);
    walk->transport = false;
    if (layer == WALK_IPV4 || layer == WALK_IPV6)
        ip_decode(walk, layer);
    return walk->transport;
}

static void open_tunnels(struct walk *walk)
{
    for (unsigned count = 0; open_tunnel(walk) && walk->info->innermost && count < tunnel_limit; count++)
        ;
}

/* All but what the caller set, which stands first. */
static inline void reset(struct packet_info *info)
{
    const size_t kept = offsetof(struct packet_info, ip_bytes);

    memset((uint8_t *)info + kept, 0, sizeof(*info) - kept);
    info->inner_link = PACKET_LINK_UNKNOWN;
}

/* Not inlined, so that the usual packet does not pay for what this needs of stack and registers. */
static __attribute__((noinline)) enum packet_verdict decode_any(struct cursor frame, enum packet_link link,
                                                                const struct field_set *wants, struct flow *flow,
                                                                struct packet_info *info, bool tunnels)
{
    struct walk walk = {.rest = frame, .wants = wants, .flow = flow, .info = info};
    enum walk_layer layer = link_peel(&walk, link);
    enum packet_verdict verdict;

    if (layer != WALK_IPV4 && layer != WALK_IPV6)
        return PACKET_NOT_IP;
    info->l2_bytes = (uint32_t)(walk.rest.at - frame.at);
    verdict = ip_decode(&walk, layer);
    if (walk.transport && tunnels)
        open_tunnels(&walk);
    return verdict;
}

enum packet_verdict packet_decode(struct cursor frame, enum packet_link link, const struct field_set *wants,
                                  struct flow *flow, struct packet_info *info)
{
    const bool tunnels = tunnel_wanted(wants) || info->want_inner;

    reset(info);
    if (likely(link == PACKET_LINK_ETHERNET && !tunnels) && likely(packet_usual(&frame, flow, info)))
        return PACKET_IP;
    return decode_any(frame, link, wants, flow, info, tunnels);
}
