/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet that nearly all packets are: Ethernet, at most one VLAN tag, IPv4 without options, TCP or UDP, all
 * headers captured. Recognised by a handful of comparisons and read in one go; everything else, and everybody who
 * asks for tunnels, goes the general way. Both ways give the same fields, which a test holds them to.
 */
#include "decode/packet/walk.h"

#define bit_in(id, word) (FIELD_##id / 64 == (word) ? UINT64_C(1) << (FIELD_##id % 64) : 0)

#define ethernet_bytes 14
#define tag_bytes 4
#define ipv4_bytes 20
#define tcp_flags_end 14 /* octets of a TCP header up to and with its flags */

enum { TYPE_IPV4 = 0x0800, TYPE_TAG = 0x8100, PROTO_TCP = 6, PROTO_UDP = 17 };

/* One OR for all fields that are always there, instead of one for each. */
static inline void mark_usual(struct flow *flow)
{
    for (unsigned word = 0; word < FIELD_WORDS; word++)
        flow->have.words[word] |= bit_in(SRC_MAC, word) | bit_in(DST_MAC, word) | bit_in(ETYPE, word) |
                                  bit_in(SRC_HOST, word) | bit_in(DST_HOST, word) | bit_in(TOS, word) |
                                  bit_in(PROTO, word) | bit_in(SRC_PORT, word) | bit_in(DST_PORT, word);
}

static inline void set_tag(struct flow *flow, unsigned tag)
{
    flow_set_cos(flow, (uint8_t)(tag >> 13));
    if ((tag & 0xfff) != 0)
        flow_set_vlan(flow, (uint16_t)(tag & 0xfff));
}

bool packet_usual(const struct cursor *frame, struct flow *flow, struct packet_info *info)
{
    const uint8_t *ethernet = frame->at, *ip = ethernet + ethernet_bytes, *transport;
    unsigned type, tag = 0, total_bytes;
    bool tagged;

    if (unlikely(cursor_left(frame) < ethernet_bytes + tag_bytes + ipv4_bytes + tcp_flags_end))
        return false;
    type = walk_be16(ethernet + 12);
    tagged = type == TYPE_TAG;
    if (tagged) {
        tag = walk_be16(ip);
        type = walk_be16(ip + 2);
        ip += tag_bytes;
    }
    total_bytes = walk_be16(ip + 2);
    if (type != TYPE_IPV4 || ip[0] != 0x45 || (ip[9] != PROTO_TCP && ip[9] != PROTO_UDP) ||
        (walk_be16(ip + 6) & 0x1fff) != 0 || total_bytes < ipv4_bytes + tcp_flags_end)
        return false;

    transport = ip + ipv4_bytes;
    mark_usual(flow);
    flow->dst_mac = host_be64(load_u64(ethernet)) >> 16;
    flow->src_mac = host_be64(load_u64(ethernet + 6)) >> 16;
    flow->etype = TYPE_IPV4;
    address_set_ipv4(&flow->src_host, ip + 12);
    address_set_ipv4(&flow->dst_host, ip + 16);
    flow->tos = ip[1];
    flow->proto = ip[9];
    flow->src_port = walk_be16(transport);
    flow->dst_port = walk_be16(transport + 2);
    if (ip[9] == PROTO_TCP)
        flow_set_tcpflags(flow, walk_be16(transport + 12) & 0x1ff);
    if (tagged)
        set_tag(flow, tag);
    info->ip_bytes = total_bytes;
    info->l2_bytes = (uint32_t)(ip - ethernet);
    return true;
}
