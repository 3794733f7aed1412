/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 and IPv6 down to the ports. Written once for the plain fields and the tunnel_* ones: the readers are compiled
 * twice with `inner` constant. A header is bounds-checked as a whole; what lies behind the packet's own length
 * (Ethernet padding) is never read.
 */
#include "base/base.h"

#include "decode/packet/walk.h"

#define always_inline inline __attribute__((always_inline))

/* Sets the plain field, or its twin inside a tunnel. */
#define put(member, value) (inner ? flow_set_tunnel_##member(flow, value) : flow_set_##member(flow, value))

enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_AUTHENTICATION = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NONE = 59,
    PROTO_DESTINATION = 60,
    PROTO_SCTP = 132,
    PROTO_MOBILITY = 135,
    PROTO_UDPLITE = 136,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140
};

#define extension_limit 8      /* IPv6 extension headers that are walked; real chains have one to three */
#define jumbo_option 0xc2      /* RFC 2675 section 2 */
#define jumbo_minimum 65536    /* a smaller length must not be written as a jumbo one, same place */
#define tcp_flags_end 14       /* octets of a TCP header up to and with its flags */

/* Ports and flags, or the ICMP type. `rest` stays at the start of the header. */
static always_inline void decode_transport(struct walk *walk, const bool inner)
{
    struct flow *flow = walk->flow;
    const uint8_t *header = walk->rest.at;
    const size_t left = cursor_left(&walk->rest);

    walk->transport = true;
    if (!inner && left > 0) {
        walk->info->transport = header;
        walk->info->transport_captured = (uint32_t)left;
    }
    switch (walk->proto) {
    case PROTO_TCP:
    case PROTO_UDP:
    case PROTO_UDPLITE:
    case PROTO_SCTP:
        if (unlikely(left < 4))
            return;
        walk->src_port = walk_be16(header);
        walk->dst_port = walk_be16(header + 2);
        put(src_port, walk->src_port);
        put(dst_port, walk->dst_port);
        if (walk->proto == PROTO_TCP && left >= tcp_flags_end)
            put(tcpflags, walk_be16(header + 12) & 0x1ff);
        return;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        if (inner || left < 2)
            return;
        walk->info->icmp = true;
        walk->info->icmp_type = header[0];
        walk->info->icmp_code = header[1];
        return;
    default:
        return;
    }
}

/* Makes the walk end with the IP packet, `size` octets from here, when the capture goes on behind it. */
static inline void end_with_packet(struct walk *walk, size_t size)
{
    if (size < cursor_left(&walk->rest))
        walk->rest.end = walk->rest.at + size;
}

/* Tells where the outer packet is; again when the walk's end has moved. */
static always_inline void note_packet(struct walk *walk, const uint8_t *header, const bool inner)
{
    if (inner)
        return;
    walk->info->ip = header;
    walk->info->ip_captured = (uint32_t)(walk->rest.end - header);
}

static always_inline void note_fragment(struct walk *walk, bool later, uint32_t id, const bool inner)
{
    if (inner)
        return;
    walk->info->fragment = later;
    walk->info->fragment_first = !later;
    walk->info->fragment_id = id;
}

static always_inline enum packet_verdict decode_ipv4(struct walk *walk, const bool inner)
{
    struct flow *flow = walk->flow;
    const uint8_t *header = cursor_take(&walk->rest, 20);
    struct address source, destination;
    unsigned header_bytes, total_bytes, fragment;

    if (unlikely(header == NULL))
        return PACKET_NOT_IP;
    header_bytes = (header[0] & 15u) * 4;
    total_bytes = walk_be16(header + 2);
    fragment = walk_be16(header + 6) & 0x3fff; /* offset and the flag that more follow */
    if (unlikely(header[0] >> 4 != 4 || header_bytes < 20 || (total_bytes != 0 && total_bytes < header_bytes)))
        return PACKET_MALFORMED;

    address_set_ipv4(&source, header + 12);
    address_set_ipv4(&destination, header + 16);
    walk->proto = header[9];
    put(src_host, source);
    put(dst_host, destination);
    put(tos, header[1]);
    put(proto, walk->proto);
    if (!inner)
        walk->info->ip_bytes = total_bytes;

    if (likely(total_bytes != 0))
        end_with_packet(walk, total_bytes - 20);
    note_packet(walk, header, inner);
    if (unlikely(fragment != 0)) {
        note_fragment(walk, (fragment & 0x1fff) != 0, walk_be16(header + 4), inner);
        if ((fragment & 0x1fff) != 0)
            return PACKET_IP;
    }
    if (unlikely(header_bytes != 20)) {
        cursor_skip(&walk->rest, header_bytes - 20);
        if (walk->rest.failed)
            return PACKET_IP;
    }
    decode_transport(walk, inner);
    return PACKET_IP;
}

/* The length in a jumbo payload option among the options of a hop-by-hop header, or 0. RFC 2675 section 2. */
static uint32_t jumbo_bytes(struct cursor options)
{
    while (cursor_left(&options) > 0) {
        const uint8_t type = cursor_u8(&options);
        struct cursor value;

        if (type == 0) /* Pad1 has no length octet, RFC 8200 section 4.2 */
            continue;
        value = cursor_sub(&options, cursor_u8(&options));
        if (type == jumbo_option) {
            const uint32_t bytes = cursor_be32(&value);
            return bytes >= jumbo_minimum ? bytes : 0;
        }
    }
    return 0;
}

/* Octets of the extension header at `header`, 0 when `proto` is none that can be walked over. RFC 8200 section 4. */
static inline unsigned extension_bytes(uint8_t proto, const uint8_t *header)
{
    switch (proto) {
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_DESTINATION:
    case PROTO_MOBILITY:
    case PROTO_HIP:
    case PROTO_SHIM6:
        return (header[1] + 1u) * 8;
    case PROTO_AUTHENTICATION: /* counted in units of four, RFC 4302 section 2.2 */
        return (header[1] + 2u) * 4;
    case PROTO_FRAGMENT: /* the second octet is reserved */
        return 8;
    default:
        return 0;
    }
}

/*
 * Walks the extension headers from `next`. Returns false when the chain was cut, so that the transport protocol is
 * unknown; else walk->proto is the last next header, and `later` tells of a fragment that is not the first.
 * `open_length` says that the payload length was 0, the only case where a jumbo option counts.
 */
static bool walk_extensions(struct walk *walk, uint8_t next, bool open_length, bool *later)
{
    static const uint8_t none[8];

    for (unsigned count = 0; count < extension_limit && extension_bytes(next, none) != 0; count++) {
        const uint8_t *header = walk->rest.at;
        struct cursor body;
        unsigned size;

        if (cursor_left(&walk->rest) < 8)
            return false;
        size = extension_bytes(next, header);
        body = cursor_sub(&walk->rest, size);
        if (body.failed)
            return false;
        if (next == PROTO_HOP_BY_HOP && count == 0 && open_length) {
            uint32_t bytes;

            cursor_skip(&body, 2);
            bytes = jumbo_bytes(body);
            if (bytes != 0 && !walk->inner)
                walk->info->ip_bytes = bytes <= UINT32_MAX - 40 ? bytes + 40 : UINT32_MAX;
        }
        if (next == PROTO_FRAGMENT && (walk_be16(header + 2) & 0xfff9) != 0) { /* else whole: RFC 6946 */
            *later = (walk_be16(header + 2) & 0xfff8) != 0;
            note_fragment(walk, *later, walk_be32(header + 4), walk->inner);
        }
        next = header[0];
        if (*later)
            break;
    }
    walk->proto = next;
    return true;
}

static always_inline enum packet_verdict decode_ipv6(struct walk *walk, const bool inner)
{
    struct flow *flow = walk->flow;
    const uint8_t *header = cursor_take(&walk->rest, 40);
    struct address source, destination;
    unsigned payload_bytes;
    uint32_t first;
    bool later = false;

    if (unlikely(header == NULL))
        return PACKET_NOT_IP;
    first = walk_be32(header);
    payload_bytes = walk_be16(header + 4);
    if (unlikely(first >> 28 != 6))
        return PACKET_MALFORMED;

    address_set_ipv6(&source, header + 8);
    address_set_ipv6(&destination, header + 24);
    put(src_host, source);
    put(dst_host, destination);
    put(tos, (uint8_t)(first >> 20));
    put(flow_label, first & 0xfffff);
    if (!inner && (payload_bytes != 0 || header[6] == PROTO_NONE))
        walk->info->ip_bytes = 40 + payload_bytes;
    note_packet(walk, header, inner);
    if (!walk_extensions(walk, header[6], payload_bytes == 0, &later))
        return PACKET_IP;
    /* Headers that pass the payload length were captured all the same: then the length is what is wrong. */
    if (likely(payload_bytes >= (size_t)(walk->rest.at - header) - 40 && payload_bytes != 0))
        end_with_packet(walk, payload_bytes - ((size_t)(walk->rest.at - header) - 40));
    note_packet(walk, header, inner);
    put(proto, walk->proto);
    if (likely(!later))
        decode_transport(walk, inner);
    return PACKET_IP;
}

enum packet_verdict ip_decode(struct walk *walk, enum walk_layer version)
{
    walk->transport = false;
    walk->src_port = 0;
    walk->dst_port = 0;
    if (unlikely(walk->inner))
        return version == WALK_IPV4 ? decode_ipv4(walk, true) : decode_ipv6(walk, true);
    return version == WALK_IPV4 ? decode_ipv4(walk, false) : decode_ipv6(walk, false);
}
