/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow/image.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_VLAN = 0x8100, /* IEEE 802.1Q */
    TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847, /* RFC 5332 */
    TYPE_OUTER_VLAN = 0x88a8 /* IEEE 802.1ad */
};

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_DCCP = 33,
    PROTOCOL_ICMPV6 = 58,
    PROTOCOL_SCTP = 132,
    PROTOCOL_UDPLITE = 136
};

#define ethernet_bytes 14
#define tag_bytes 4
#define label_bytes 4
#define ipv4_bytes 20
#define ipv6_bytes 40
#define tcp_bytes 20 /* the longest of the transports here */

_Static_assert(ethernet_bytes + 2 * tag_bytes + 2 * label_bytes + ipv6_bytes + tcp_bytes <= flow_image_max,
               "the longest image has room");

static const uint8_t fields_used[] = {
    FIELD_SRC_MAC,        FIELD_DST_MAC,        FIELD_ETYPE,   FIELD_VLAN,     FIELD_COS,
    FIELD_IN_CVLAN,       FIELD_MPLS_LABEL_TOP, FIELD_MPLS_LABEL_BOTTOM,       FIELD_SRC_HOST,
    FIELD_DST_HOST,       FIELD_PROTO,          FIELD_TOS,     FIELD_FLOW_LABEL, FIELD_SRC_PORT,
    FIELD_DST_PORT,       FIELD_TCPFLAGS,       FIELD_PACKETS, FIELD_BYTES,
};

/* The value of a member, or 0 where the record does not have it. */
#define value_of(flow, id, member) (flow_has(flow, FIELD_##id) ? (flow)->member : 0)

static uint8_t *put_be16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put_be32(uint8_t *at, uint32_t value)
{
    return put_be16(put_be16(at, value >> 16), value);
}

static uint8_t *put_mac(uint8_t *at, uint64_t mac)
{
    return put_be32(put_be16(at, (uint32_t)(mac >> 32)), (uint32_t)mac);
}

static bool is_known(const struct flow *flow, enum field_id id, const struct address *address)
{
    return flow_has(flow, id) && !address_is_absent(address);
}

/* The EtherType behind tags and labels. */
static uint32_t type_of(const struct flow *flow)
{
    const struct address *address = NULL;
    uint32_t etype = value_of(flow, ETYPE, etype);

    if (is_known(flow, FIELD_SRC_HOST, &flow->src_host))
        address = &flow->src_host;
    else if (is_known(flow, FIELD_DST_HOST, &flow->dst_host))
        address = &flow->dst_host;
    if (address != NULL)
        return address_is_ipv4(address) ? TYPE_IPV4 : TYPE_IPV6;
    return etype == 0 || etype == TYPE_VLAN || etype == TYPE_OUTER_VLAN || etype == TYPE_MPLS ? TYPE_IPV4 : etype;
}

static uint8_t *put_tags(uint8_t *at, const struct flow *flow, unsigned tags)
{
    uint32_t outer = value_of(flow, VLAN, vlan) & 0xfffu, inner = value_of(flow, IN_CVLAN, in_cvlan) & 0xfffu;
    uint32_t priority = (value_of(flow, COS, cos) & 7u) << 13;

    if (tags == 0 || (outer == 0 && inner == 0))
        return at;
    at = put_be16(put_be16(at, inner != 0 ? TYPE_OUTER_VLAN : TYPE_VLAN), priority | outer);
    return inner == 0 || tags == 1 ? at : put_be16(put_be16(at, TYPE_VLAN), inner);
}

static uint8_t *put_label(uint8_t *at, uint32_t label, bool bottom)
{
    return put_be32(at, (label & 0xfffff) << 12 | (uint32_t)bottom << 8); /* RFC 3032 section 2.1 */
}

/* Of a stack the records have its two ends; they are one and the same label where they are equal. */
static uint8_t *put_labels(uint8_t *at, const struct flow *flow)
{
    bool top = flow_has(flow, FIELD_MPLS_LABEL_TOP), bottom = flow_has(flow, FIELD_MPLS_LABEL_BOTTOM);

    if (top && bottom && flow->mpls_label_top != flow->mpls_label_bottom)
        return put_label(put_label(at, flow->mpls_label_top, false), flow->mpls_label_bottom, true);
    return put_label(at, top ? flow->mpls_label_top : flow->mpls_label_bottom, true);
}

static uint8_t *put_link(uint8_t *at, const struct flow *flow, uint32_t type, unsigned tags)
{
    at = put_mac(at, value_of(flow, DST_MAC, dst_mac));
    at = put_mac(at, value_of(flow, SRC_MAC, src_mac));
    at = put_tags(at, flow, tags);
    if (!flow_has(flow, FIELD_MPLS_LABEL_TOP) && !flow_has(flow, FIELD_MPLS_LABEL_BOTTOM))
        return put_be16(at, type);
    return put_labels(put_be16(at, TYPE_MPLS), flow);
}

/* An address of the other family than the record's is none. */
static void put_ipv4_address(uint8_t *at, const struct flow *flow, enum field_id id, const struct address *address)
{
    if (flow_has(flow, id) && address_is_ipv4(address))
        memcpy(at, address->bytes + 12, 4);
    else
        memset(at, 0, 4);
}

static void put_ipv6_address(uint8_t *at, const struct flow *flow, enum field_id id, const struct address *address)
{
    struct address marked;

    memset(at, 0, 16);
    if (!is_known(flow, id, address) || address_is_ipv4(address))
        return;
    memcpy(at, address->bytes, 16);
    if (at[0] != 0xff)
        return;
    at[0] = 0; /* :: and ::ffff:0:0/96 have this mark in struct address */
    address_set_ipv6(&marked, at);
    if (!address_equal(&marked, address))
        at[0] = 0xff;
}

static uint8_t *put_ipv4(uint8_t *at, const struct flow *flow)
{
    memset(at, 0, ipv4_bytes); /* RFC 791 section 3.1 */
    at[0] = 0x45;
    at[1] = value_of(flow, TOS, tos);
    at[9] = value_of(flow, PROTO, proto);
    put_ipv4_address(at + 12, flow, FIELD_SRC_HOST, &flow->src_host);
    put_ipv4_address(at + 16, flow, FIELD_DST_HOST, &flow->dst_host);
    return at + ipv4_bytes;
}

static uint8_t *put_ipv6(uint8_t *at, const struct flow *flow)
{
    uint32_t traffic_class = value_of(flow, TOS, tos), flow_label = value_of(flow, FLOW_LABEL, flow_label);

    put_be32(at, UINT32_C(6) << 28 | traffic_class << 20 | (flow_label & 0xfffff)); /* RFC 8200 section 3 */
    put_be16(at + 4, 0);
    at[6] = value_of(flow, PROTO, proto);
    at[7] = 0;
    put_ipv6_address(at + 8, flow, FIELD_SRC_HOST, &flow->src_host);
    put_ipv6_address(at + 24, flow, FIELD_DST_HOST, &flow->dst_host);
    return at + ipv6_bytes;
}

static uint8_t *put_transport(uint8_t *at, const struct flow *flow)
{
    uint32_t source = value_of(flow, SRC_PORT, src_port), destination = value_of(flow, DST_PORT, dst_port);
    unsigned bytes;

    switch (value_of(flow, PROTO, proto)) {
    case PROTOCOL_TCP:
        bytes = tcp_bytes;
        break;
    case PROTOCOL_SCTP:
    case PROTOCOL_DCCP:
        bytes = 12; /* RFC 9260 section 3.1, RFC 4340 section 5.1 */
        break;
    case PROTOCOL_UDP:
    case PROTOCOL_UDPLITE:
        bytes = 8;
        break;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        memset(at, 0, 8);
        put_be16(at, destination); /* type and code */
        return at + 8;
    default:
        return at;
    }
    memset(at, 0, bytes);
    put_be16(put_be16(at, source), destination);
    if (bytes == tcp_bytes) /* its length in words, and the flags: RFC 9293 section 3.1 */
        put_be16(at + 12, 0x5000 | (uint32_t)(value_of(flow, TCPFLAGS, tcpflags) & 0x1ff));
    return at + bytes;
}

/* Bytes of the packet from IP on: the mean of the record's, but no less than there are headers. */
static uint32_t ip_length(const struct flow *flow, uint32_t least)
{
    uint64_t bytes = value_of(flow, BYTES, bytes), packets = value_of(flow, PACKETS, packets);

    return (uint32_t)max_u64(least, min_u64(packets > 0 ? bytes / packets : 0, UINT16_MAX));
}

void flow_image_make(struct flow_image *image, const struct flow *flow, unsigned tags)
{
    uint32_t type, length = 0;
    uint8_t *ip, *transport, *end;

    if (image->made && image->tags == tags)
        return;
    type = type_of(flow);
    end = ip = transport = put_link(image->bytes, flow, type, tags);
    if (type == TYPE_IPV4 || type == TYPE_IPV6) {
        transport = type == TYPE_IPV4 ? put_ipv4(ip, flow) : put_ipv6(ip, flow);
        end = put_transport(transport, flow);
        length = ip_length(flow, (uint32_t)(end - ip));
        if (type == TYPE_IPV4)
            put_be16(ip + 2, length);
        else
            put_be16(ip + 4, length - ipv6_bytes);
        if (value_of(flow, PROTO, proto) == PROTOCOL_UDP)
            put_be16(transport + 4, length - (uint32_t)(transport - ip));
    }
    image->size = (uint32_t)(end - image->bytes);
    image->length = (uint32_t)(ip - image->bytes) + length;
    image->tags = tags;
    image->made = true;
}

void flow_image_fields(struct field_set *fields)
{
    for (unsigned i = 0; i < array_length(fields_used); i++)
        field_set_add(fields, (enum field_id)fields_used[i]);
}
