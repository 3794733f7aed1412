/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet that nearly all packets are: Ethernet, at most one VLAN tag, IPv4 without options or IPv6 without
 * extension headers, TCP or UDP, no fragment, all headers captured. Recognised by a handful of comparisons and read in
 * one go; everything else, and everybody who asks for tunnels, goes the general way. Both ways give the same fields,
 * which a test holds them to.
 */
#include "decode/packet/walk.h"

#define bit_in(id, word) (FIELD_##id / 64 == (word) ? UINT64_C(1) << (FIELD_##id % 64) : 0)
#define always_inline inline __attribute__((always_inline))

#define ethernet_bytes 14
#define tag_bytes 4
#define ipv4_bytes 20
#define ipv6_bytes 40
#define tcp_flags_end 14 /* octets of a TCP header up to and with its flags */

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_TAG = 0x8100, PROTO_TCP = 6, PROTO_UDP = 17 };

/* One OR for all fields that are always there, instead of one for each. */
static always_inline void mark_usual(struct flow *flow, const bool six)
{
    for (unsigned word = 0; word < FIELD_WORDS; word++)
        flow->have.words[word] |= bit_in(SRC_MAC, word) | bit_in(DST_MAC, word) | bit_in(ETYPE, word) |
                                  bit_in(SRC_HOST, word) | bit_in(DST_HOST, word) | bit_in(TOS, word) |
                                  bit_in(PROTO, word) | bit_in(SRC_PORT, word) | bit_in(DST_PORT, word) |
                                  (six ? bit_in(FLOW_LABEL, word) : 0);
}

/* `proto` is TCP or UDP, `transport` within both the capture and the packet; `end` is that of the capture. */
static always_inline void take_rest(const uint8_t *ethernet, const uint8_t *end, struct flow *flow,
                                    struct packet_info *info, const uint8_t *ip, const uint8_t *transport,
                                    uint32_t total_bytes, uint8_t proto)
{
    const uint32_t captured = (uint32_t)min_u64(total_bytes, (size_t)(end - ip));

    flow->dst_mac = host_be64(load_u64(ethernet)) >> 16;
    flow->src_mac = host_be64(load_u64(ethernet + 6)) >> 16;
    flow->proto = proto;
    flow->src_port = walk_be16(transport);
    flow->dst_port = walk_be16(transport + 2);
    if (proto == PROTO_TCP)
        flow_set_tcpflags(flow, walk_be16(transport + 12) & 0x1ff);
    info->ip_bytes = total_bytes;
    info->l2_bytes = (uint32_t)(ip - ethernet);
    info->ip = ip;
    info->ip_captured = captured;
    info->transport = transport;
    info->transport_captured = captured - (uint32_t)(transport - ip);
}

static always_inline bool usual_ipv4(const uint8_t *ethernet, const uint8_t *end, const uint8_t *ip,
                                     struct flow *flow, struct packet_info *info)
{
    const unsigned total_bytes = walk_be16(ip + 2);

    if (ip[0] != 0x45 || (ip[9] != PROTO_TCP && ip[9] != PROTO_UDP) || (walk_be16(ip + 6) & 0x3fff) != 0 ||
        total_bytes < ipv4_bytes + tcp_flags_end)
        return false;
    mark_usual(flow, false);
    flow->etype = TYPE_IPV4;
    address_set_ipv4(&flow->src_host, ip + 12);
    address_set_ipv4(&flow->dst_host, ip + 16);
    flow->tos = ip[1];
    take_rest(ethernet, end, flow, info, ip, ip + ipv4_bytes, total_bytes, ip[9]);
    return true;
}

/* Not inlined: what it needs of the processor is not to be paid by IPv4. */
static __attribute__((noinline)) bool usual_ipv6(const uint8_t *ethernet, const uint8_t *end, const uint8_t *ip,
                                                 struct flow *flow, struct packet_info *info)
{
    const uint32_t first = walk_be32(ip);
    const unsigned payload_bytes = walk_be16(ip + 4);

    if (first >> 28 != 6 || (ip[6] != PROTO_TCP && ip[6] != PROTO_UDP) || payload_bytes < tcp_flags_end ||
        (size_t)(end - ip) < ipv6_bytes + tcp_flags_end)
        return false;
    mark_usual(flow, true);
    flow->etype = TYPE_IPV6;
    address_set_ipv6(&flow->src_host, ip + 8);
    address_set_ipv6(&flow->dst_host, ip + 24);
    flow->tos = (uint8_t)(first >> 20);
    flow->flow_label = first & 0xfffff;
    take_rest(ethernet, end, flow, info, ip, ip + ipv6_bytes, ipv6_bytes + payload_bytes, ip[6]);
    return true;
}

/* What a tag says is the same the general way, so that it may stay when the rest turns out unusual. */
static inline void set_tag(struct flow *flow, unsigned tag)
{
    flow_set_cos(flow, (uint8_t)(tag >> 13));
    if ((tag & 0xfff) != 0)
        flow_set_vlan(flow, (uint16_t)(tag & 0xfff));
}

bool packet_usual(const struct cursor *frame, struct flow *flow, struct packet_info *info)
{
    const uint8_t *ethernet = frame->at, *ip = ethernet + ethernet_bytes;
    unsigned type;

    if (unlikely(cursor_left(frame) < ethernet_bytes + tag_bytes + ipv4_bytes + tcp_flags_end))
        return false;
    type = load_u16(ethernet + 12);
    if (type == host_be16(TYPE_TAG)) {
        set_tag(flow, walk_be16(ip));
        type = load_u16(ip + 2);
        ip += tag_bytes;
    }
    if (type == host_be16(TYPE_IPV4))
        return usual_ipv4(ethernet, frame->end, ip, flow, info);
    return type == host_be16(TYPE_IPV6) && usual_ipv6(ethernet, frame->end, ip, flow, info);
}
