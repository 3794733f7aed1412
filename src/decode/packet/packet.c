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

static void open_tunnel(struct walk *walk)
{
    enum packet_link link;
    enum walk_layer layer;

    if (!tunnel_peel(walk, &link) || cursor_left(&walk->rest) == 0)
        return;
    walk->info->inner = walk->rest.at;
    walk->info->inner_bytes = (uint32_t)cursor_left(&walk->rest);
    walk->info->inner_link = link;

    walk->inner = true;
    walk->etype_seen = false;
    walk->frames = 0;
    layer = link_peel(walk, link);
    if (layer == WALK_IPV4 || layer == WALK_IPV6)
        ip_decode(walk, layer);
}

enum packet_verdict packet_decode(struct cursor frame, enum packet_link link, const struct field_set *wants,
                                  struct flow *flow, struct packet_info *info)
{
    const bool tunnels = tunnel_wanted(wants) || info->want_inner;
    struct walk walk;
    enum walk_layer layer;
    enum packet_verdict verdict;

    *info = (struct packet_info){
        .want_inner = info->want_inner, .vxlan_port = info->vxlan_port, .inner_link = PACKET_LINK_UNKNOWN};
    if (likely(link == PACKET_LINK_ETHERNET && !tunnels) && likely(packet_usual(&frame, flow, info)))
        return PACKET_IP;
    walk = (struct walk){.rest = frame, .wants = wants, .flow = flow, .info = info};
    layer = link_peel(&walk, link);
    if (layer != WALK_IPV4 && layer != WALK_IPV6)
        return PACKET_NOT_IP;
    info->l2_bytes = (uint32_t)(walk.rest.at - frame.at);
    verdict = ip_decode(&walk, layer);
    if (walk.transport && tunnels)
        open_tunnel(&walk);
    return verdict;
}
