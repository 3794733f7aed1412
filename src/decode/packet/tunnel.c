/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tunnels over IP: tables say by protocol number or UDP port, or by the name in tunnel_0, which function takes the
 * tunnel's header off and what it carries. A header that is not as its RFC says is no tunnel: the outer packet then
 * stands alone.
 */
#include "base/base.h"

#include "decode/packet/walk.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

#define udp_bytes 8
#define stt_port 7471

/* EtherTypes as the tunnels that carry "any protocol" use them. */
static const struct carried_row {
    uint16_t type;
    uint8_t link;
} carried[] = {
    {0x0800, PACKET_LINK_IPV4}, {0x86dd, PACKET_LINK_IPV6}, {0x6558, PACKET_LINK_ETHERNET},
    {0x8847, PACKET_LINK_MPLS}, {0x8848, PACKET_LINK_MPLS}, {0x880b, PACKET_LINK_PPP},
};

static enum packet_link carried_link(uint16_t type)
{
    for (unsigned i = 0; i < array_length(carried); i++)
        if (carried[i].type == type)
            return (enum packet_link)carried[i].link;
    return PACKET_LINK_UNKNOWN;
}

/* IPv4 or IPv6 by its version nibble. */
static enum packet_link version_link(const struct walk *walk)
{
    if (cursor_left(&walk->rest) == 0)
        return PACKET_LINK_UNKNOWN;
    switch (walk->rest.at[0] >> 4) {
    case 4:
        return PACKET_LINK_IPV4;
    case 6:
        return PACKET_LINK_IPV6;
    default:
        return PACKET_LINK_UNKNOWN;
    }
}

/* RFC 2003; 94 is the older number of the same thing. */
static enum packet_link ipv4_peel(struct walk *walk)
{
    (void)walk;
    return PACKET_LINK_IPV4;
}

/* RFC 4213, RFC 2473. */
static enum packet_link ipv6_peel(struct walk *walk)
{
    (void)walk;
    return PACKET_LINK_IPV6;
}

/* MPLS in IP (RFC 4023) and in UDP (RFC 7510). */
static enum packet_link mpls_in_ip_peel(struct walk *walk)
{
    (void)walk;
    return PACKET_LINK_MPLS;
}

/* The Ethernet next header of SRv6, RFC 8986 section 9. */
static enum packet_link ethernet_in_ip_peel(struct walk *walk)
{
    (void)walk;
    return PACKET_LINK_ETHERNET;
}

/* RFC 3378: version 3, twelve reserved bits. */
static enum packet_link etherip_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 2);

    return header != NULL && header[0] >> 4 == 3 ? PACKET_LINK_ETHERNET : PACKET_LINK_UNKNOWN;
}

enum { /* first 16 bits of GRE: RFC 2784, RFC 2890, RFC 2637 section 4.1 */
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGE = 0x0080,
    GRE_VERSION = 0x0007
};

enum { GRE_TYPE_ETHERNET = 0x6558, GRE_TYPE_ERSPAN = 0x88be, GRE_TYPE_ERSPAN_III = 0x22eb };

/*
 * Type I (no sequence number in GRE) has no header, II eight octets, III twelve and, if its last bit says so, eight.
 */
static enum packet_link erspan_peel(struct walk *walk, uint16_t type, bool sequence)
{
    const uint8_t *header;

    if (type == GRE_TYPE_ERSPAN) {
        if (sequence)
            cursor_skip(&walk->rest, 8);
        return walk->rest.failed ? PACKET_LINK_UNKNOWN : PACKET_LINK_ETHERNET;
    }
    header = cursor_take(&walk->rest, 12);
    if (header == NULL)
        return PACKET_LINK_UNKNOWN;
    if (header[11] & 1)
        cursor_skip(&walk->rest, 8);
    if (walk->rest.failed)
        return PACKET_LINK_UNKNOWN;
    /* The frame type, five bits: 0 Ethernet, 2 IP. */
    return ((walk_be16(header + 10) >> 10) & 31) == 2 ? version_link(walk) : PACKET_LINK_ETHERNET;
}

static enum packet_link gre_peel(struct walk *walk)
{
    const unsigned flags = cursor_be16(&walk->rest);
    const uint16_t type = cursor_be16(&walk->rest);
    uint32_t key = 0;

    /* Source routes are deprecated by RFC 2784 and have no fixed length; version 1 is PPTP's and carries only PPP. */
    if ((flags & GRE_ROUTING) || (flags & GRE_VERSION) > 1 || ((flags & GRE_VERSION) == 1 && type != 0x880b))
        return PACKET_LINK_UNKNOWN;
    if (flags & GRE_CHECKSUM)
        cursor_skip(&walk->rest, 4);
    if (flags & GRE_KEY)
        key = cursor_be32(&walk->rest);
    if (flags & GRE_SEQUENCE)
        cursor_skip(&walk->rest, 4);
    if ((flags & GRE_VERSION) == 1 && (flags & GRE_ACKNOWLEDGE))
        cursor_skip(&walk->rest, 4);
    if (walk->rest.failed)
        return PACKET_LINK_UNKNOWN;
    /* RFC 7637 section 3.2: a key, neither checksum nor sequence; the upper 24 bits are the virtual subnet. */
    if (type == GRE_TYPE_ETHERNET && (flags & (GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE)) == GRE_KEY)
        flow_set_nvgre(walk->flow, key >> 8);
    if (type == GRE_TYPE_ERSPAN || type == GRE_TYPE_ERSPAN_III)
        return erspan_peel(walk, type, flags & GRE_SEQUENCE);
    return carried_link(type);
}

/* RFC 7348 section 5; without the I flag the identifier is not valid. */
static enum packet_link vxlan_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 8);

    if (header == NULL || !(header[0] & 0x08))
        return PACKET_LINK_UNKNOWN;
    flow_set_vxlan(walk->flow, walk_be24(header + 4));
    return PACKET_LINK_ETHERNET;
}

/*
 * draft-ietf-nvo3-vxlan-gpe section 3: P says that the fourth octet names the payload, O that only the ends read it.
 */
static enum packet_link vxlan_gpe_peel(struct walk *walk)
{
    static const uint8_t next[] = {PACKET_LINK_UNKNOWN,  PACKET_LINK_IPV4,    PACKET_LINK_IPV6,
                                   PACKET_LINK_ETHERNET, PACKET_LINK_UNKNOWN, PACKET_LINK_MPLS};
    const uint8_t *header = cursor_take(&walk->rest, 8);

    if (header == NULL || !(header[0] & 0x08))
        return PACKET_LINK_UNKNOWN;
    flow_set_vxlan(walk->flow, walk_be24(header + 4));
    if (header[0] & 0x01)
        return PACKET_LINK_UNKNOWN;
    if (!(header[0] & 0x04))
        return PACKET_LINK_ETHERNET;
    return header[3] < array_length(next) ? (enum packet_link)next[header[3]] : PACKET_LINK_UNKNOWN;
}

/* RFC 8926 section 3.4; options in units of four; O marks control messages. */
static enum packet_link geneve_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 8);

    if (header == NULL || header[0] >> 6 != 0)
        return PACKET_LINK_UNKNOWN;
    flow_set_vxlan(walk->flow, walk_be24(header + 4));
    cursor_skip(&walk->rest, (header[0] & 63u) * 4);
    if (walk->rest.failed || (header[1] & 0x80))
        return PACKET_LINK_UNKNOWN;
    return carried_link(walk_be16(header + 2));
}

#define gtp_user_packet 255

/* 3GPP TS 29.281 section 5: four optional octets if any of three flags is set, then a chain of extension headers. */
static enum packet_link gtp_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 8);
    const uint8_t *optional;
    uint8_t next;

    if (header == NULL || header[0] >> 4 != 3 || header[1] != gtp_user_packet)
        return PACKET_LINK_UNKNOWN;
    if ((header[0] & 0x07) == 0)
        return version_link(walk);
    optional = cursor_take(&walk->rest, 4);
    if (optional == NULL)
        return PACKET_LINK_UNKNOWN;
    next = header[0] & 0x04 ? optional[3] : 0;
    while (next != 0) { /* units of four, the last octet names the next */
        const uint8_t units = cursor_u8(&walk->rest);
        const uint8_t *body = units > 0 ? cursor_take(&walk->rest, units * 4u - 1) : NULL;

        if (body == NULL)
            return PACKET_LINK_UNKNOWN;
        next = body[units * 4 - 2];
    }
    return version_link(walk);
}

/* 3GPP TS 09.60 section 6: version 0, twenty octets. */
static enum packet_link gtp_version0_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 20);

    if (header == NULL || header[0] >> 4 != 1 || header[1] != gtp_user_packet)
        return PACKET_LINK_UNKNOWN;
    return version_link(walk);
}

enum { /* RFC 2661 section 3.1 */
    L2TP_CONTROL = 0x8000,
    L2TP_LENGTH = 0x4000,
    L2TP_SEQUENCE = 0x0800,
    L2TP_OFFSET = 0x0200
};

static enum packet_link l2tp_peel(struct walk *walk)
{
    const unsigned flags = cursor_be16(&walk->rest);

    if ((flags & L2TP_CONTROL) || (flags & 15) != 2)
        return PACKET_LINK_UNKNOWN;
    cursor_skip(&walk->rest, flags & L2TP_LENGTH ? 6 : 4);
    if (flags & L2TP_SEQUENCE)
        cursor_skip(&walk->rest, 4);
    if (flags & L2TP_OFFSET)
        cursor_skip(&walk->rest, cursor_be16(&walk->rest));
    return walk->rest.failed ? PACKET_LINK_UNKNOWN : PACKET_LINK_PPP;
}

/*
 * draft-davie-stt section 3: looks like TCP, and is none. The sequence number is the length of the whole frame and,
 * below, where in it this packet's part begins; only the first part has the header of 18 octets and what is inside.
 */
static enum packet_link stt_peel(struct walk *walk)
{
    const uint8_t *tcp = cursor_take(&walk->rest, 20);
    const uint8_t *header;

    if (tcp == NULL || tcp[12] >> 4 < 5 || walk_be16(tcp + 6) != 0)
        return PACKET_LINK_UNKNOWN;
    cursor_skip(&walk->rest, (tcp[12] >> 4) * 4u - 20);
    header = cursor_take(&walk->rest, 18);
    return header != NULL && header[0] == 0 ? PACKET_LINK_ETHERNET : PACKET_LINK_UNKNOWN;
}

/* Both versions, when a port is all that is said. */
static enum packet_link gtp_any_peel(struct walk *walk)
{
    return cursor_left(&walk->rest) > 0 && walk->rest.at[0] >> 5 == 0 ? gtp_version0_peel(walk) : gtp_peel(walk);
}

typedef enum packet_link peel_fn(struct walk *walk);

struct tunnel_row {
    uint16_t number; /* of the protocol, or the UDP destination port */
    peel_fn *peel;
};

static const struct tunnel_row by_protocol[] = {
    {4, ipv4_peel},
    {41, ipv6_peel},
    {47, gre_peel},
    {94, ipv4_peel},
    {97, etherip_peel},
    {137, mpls_in_ip_peel},
    {143, ethernet_in_ip_peel},
};

static const struct tunnel_row by_port[] = {
    {4789, vxlan_peel},
    {8472, vxlan_peel}, /* Linux before the number was assigned */
    {4790, vxlan_gpe_peel},
    {6081, geneve_peel},
    {2152, gtp_peel},
    {3386, gtp_version0_peel},
    {6635, mpls_in_ip_peel},
    {1701, l2tp_peel},
    {4754, gre_peel}, /* RFC 8086 */
};

static peel_fn *find(const struct tunnel_row *rows, unsigned count, uint16_t number)
{
    for (unsigned i = 0; i < count; i++)
        if (rows[i].number == number)
            return rows[i].peel;
    return NULL;
}

static bool take_off(struct walk *walk, peel_fn *peel, enum packet_link *link)
{
    *link = peel != NULL ? peel(walk) : PACKET_LINK_UNKNOWN;
    return *link != PACKET_LINK_UNKNOWN;
}

bool tunnel_peel(struct walk *walk, enum packet_link *link)
{
    if (walk->proto == PROTO_TCP)
        return take_off(walk, walk->dst_port == stt_port ? stt_peel : NULL, link);
    if (walk->proto != PROTO_UDP)
        return take_off(walk, find(by_protocol, array_length(by_protocol), walk->proto), link);
    cursor_skip(&walk->rest, udp_bytes);
    if (walk->dst_port != 0 && walk->dst_port == walk->info->vxlan_port)
        return take_off(walk, vxlan_peel, link);
    return take_off(walk, find(by_port, array_length(by_port), walk->dst_port), link);
}

/* What tunnel_0 can name. One over UDP has its usual port; one that has protocols too goes by them for port 0. */
static const struct kind_row {
    const char *name;
    uint16_t port;
    uint8_t protocols[3]; /* 0: no more */
    peel_fn *peel;        /* over UDP; NULL: never over UDP */
} kinds[] = {
    {"gtp", 2152, {0}, gtp_any_peel},
    {"vxlan", 4789, {0}, vxlan_peel},
    {"vxlan-gpe", 4790, {0}, vxlan_gpe_peel},
    {"geneve", 6081, {0}, geneve_peel},
    {"l2tp", 1701, {0}, l2tp_peel},
    {"gre", 0, {47}, gre_peel},
    {"ipip", 0, {4, 41, 94}, NULL},
    {"mpls", 0, {137}, mpls_in_ip_peel},
    {"etherip", 0, {97}, NULL},
    {"srv6", 0, {4, 41, 143}, NULL},
    {"stt", 0, {PROTO_TCP}, NULL},
};

const char *tunnel_kind_name(unsigned kind)
{
    return kind < array_length(kinds) ? kinds[kind].name : NULL;
}

uint16_t tunnel_kind_port(unsigned kind)
{
    return kinds[kind].port;
}

bool tunnel_kind_over_udp(unsigned kind)
{
    return kinds[kind].peel != NULL;
}

bool tunnel_peel_kind(struct walk *walk, unsigned kind, uint16_t port, enum packet_link *link)
{
    const struct kind_row *row = &kinds[kind];

    if (port != 0) {
        if (walk->proto != PROTO_UDP || walk->dst_port != port)
            return false;
        cursor_skip(&walk->rest, udp_bytes);
        return take_off(walk, row->peel, link);
    }
    for (unsigned i = 0; i < array_length(row->protocols) && row->protocols[i] != 0; i++)
        if (row->protocols[i] == walk->proto)
            return tunnel_peel(walk, link);
    return false;
}
