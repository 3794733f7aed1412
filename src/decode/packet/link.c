/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything between the wire and IP: Ethernet, tags, LLC, PPP and the shims that stand between an Ethernet header and
 * its payload. One small function per header takes it off and says what comes next; one table says which EtherType
 * leads to which. Every function takes at least one octet or ends the walk, so the walk ends.
 */
#include "base/base.h"

#include "decode/packet/walk.h"

#define ethernet_bytes 14
#define length_maximum 1500 /* a type field up to here is a length, IEEE 802.3 section 3.2.6 */
#define type_minimum 1536
#define tag_limit 4         /* VLAN tags in one Ethernet header */

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd };

static const struct ethertype_row {
    uint16_t type;
    uint8_t layer;
} ethertypes[] = {
    {ETHERTYPE_IPV4, WALK_IPV4},
    {ETHERTYPE_IPV6, WALK_IPV6},
    {0x8100, WALK_TAG},        /* 802.1Q */
    {0x88a8, WALK_TAG},        /* 802.1ad */
    {0x9100, WALK_TAG},        /* QinQ before the standard, by vendor */
    {0x9200, WALK_TAG},
    {0x9300, WALK_TAG},
    {0x8847, WALK_MPLS},
    {0x8848, WALK_MPLS},       /* upstream-assigned labels, RFC 5332 */
    {0x8864, WALK_PPPOE},
    {0x880b, WALK_PPP},
    {0x88e7, WALK_BACKBONE},   /* 802.1ah */
    {0x8903, WALK_FABRICPATH},
    {0x8926, WALK_VNTAG},
    {0x88e5, WALK_MACSEC},
    {0x22f3, WALK_TRILL},
    {0x894f, WALK_NSH},
};

static enum walk_layer type_layer(uint16_t type)
{
    for (unsigned i = 0; i < array_length(ethertypes); i++)
        if (ethertypes[i].type == type)
            return (enum walk_layer)ethertypes[i].layer;
    return WALK_OTHER;
}

/* Goes by a type field, or, when it is none, by the LLC header that then follows. */
static enum walk_layer after_type(struct walk *walk, uint16_t type)
{
    if (unlikely(type < type_minimum)) {
        walk->etype_seen = false;
        if (type > length_maximum)
            return WALK_OTHER;
        if (type < cursor_left(&walk->rest)) /* the rest is padding */
            walk->rest.end = walk->rest.at + type;
        return WALK_LLC;
    }
    walk->etype = type;
    walk->etype_seen = true;
    return type_layer(type);
}

/* A header that has more to it than its type has left that in `etype`. */
static enum walk_layer type_peel(struct walk *walk)
{
    return type_layer(walk->etype);
}

static enum walk_layer ethernet_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, ethernet_bytes);
    enum walk_layer next;

    if (unlikely(header == NULL))
        return WALK_CUT;
    walk->tags = 0;
    next = after_type(walk, walk_be16(header + 12));
    if (unlikely(next == WALK_FABRICPATH)) /* these addresses are switch numbers; the real header follows */
        return next;
    if (likely(walk->frames == 0)) {
        const uint64_t destination = host_be64(load_u64(header)) >> 16;
        const uint64_t source = host_be64(load_u64(header + 6)) >> 16;

        walk->frames = 1;
        if (unlikely(walk->inner)) {
            flow_set_tunnel_dst_mac(walk->flow, destination);
            flow_set_tunnel_src_mac(walk->flow, source);
        } else {
            flow_set_dst_mac(walk->flow, destination);
            flow_set_src_mac(walk->flow, source);
        }
    } else {
        walk->frames = 2;
    }
    return next;
}

/* One tag: priority 3 bits, drop eligible 1, VLAN 12. VLAN 0 is a priority without a VLAN (IEEE 802.1Q table 9-2). */
static enum walk_layer tag_peel(struct walk *walk)
{
    const uint8_t *tag;
    unsigned vlan;

    if (walk->tags == tag_limit)
        return WALK_OTHER;
    tag = cursor_take(&walk->rest, 4);
    if (tag == NULL)
        return WALK_CUT;
    vlan = walk_be16(tag) & 0xfff;
    if (!walk->inner && walk->frames < 2) {
        if (walk->tags == 0) {
            flow_set_cos(walk->flow, tag[0] >> 5);
            if (vlan != 0)
                flow_set_vlan(walk->flow, (uint16_t)vlan);
        } else if (walk->tags == 1 && vlan != 0) {
            flow_set_in_cvlan(walk->flow, (uint16_t)vlan);
        }
    }
    walk->tags++;
    return after_type(walk, walk_be16(tag + 2));
}

/* IEEE 802.2; SNAP carries EtherTypes under the organisation codes 0 and 0000f8 (RFC 1042, IEEE 802.1H). */
static enum walk_layer llc_peel(struct walk *walk)
{
    const uint8_t *llc = cursor_take(&walk->rest, 3);
    const uint8_t *snap;
    uint32_t organisation;

    if (llc == NULL)
        return WALK_CUT;
    if (llc[0] == 0x06 && llc[1] == 0x06 && llc[2] == 3)
        return WALK_IPV4;
    if (llc[0] != 0xaa || llc[1] != 0xaa || llc[2] != 3)
        return WALK_OTHER;
    snap = cursor_take(&walk->rest, 5);
    if (snap == NULL)
        return WALK_CUT;
    organisation = walk_be24(snap);
    if ((organisation != 0 && organisation != 0x0000f8) || walk_be16(snap + 3) < type_minimum)
        return WALK_OTHER;
    return after_type(walk, walk_be16(snap + 3));
}

/* RFC 2516 section 4; only code 0 carries PPP. */
static enum walk_layer pppoe_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 6);

    if (header == NULL)
        return WALK_CUT;
    return header[0] == 0x11 && header[1] == 0 ? WALK_PPP : WALK_OTHER;
}

/*
 * RFC 1661 section 2 and 6.5, RFC 1662 section 3.1: address and control may be there, an odd first octet is a whole
 * protocol number. Captures call Cisco HDLC PPP too: its address octets are none of PPP's, and an EtherType follows.
 */
static enum walk_layer ppp_peel(struct walk *walk)
{
    const uint8_t *start = walk->rest.at;
    unsigned protocol;

    if (cursor_left(&walk->rest) < 2)
        return WALK_CUT;
    if ((start[0] == 0x0f || start[0] == 0x8f) && start[1] == 0) {
        const uint8_t *header = cursor_take(&walk->rest, 4);
        return header != NULL ? after_type(walk, walk_be16(header + 2)) : WALK_CUT;
    }
    if (start[0] == 0xff && start[1] == 0x03)
        cursor_skip(&walk->rest, 2);
    protocol = cursor_u8(&walk->rest);
    if ((protocol & 1) == 0)
        protocol = protocol << 8 | cursor_u8(&walk->rest);
    if (walk->rest.failed)
        return WALK_CUT;
    switch (protocol) {
    case 0x0021:
        return WALK_IPV4;
    case 0x0057:
        return WALK_IPV6;
    case 0x0281:
    case 0x0283:
        return WALK_MPLS;
    default:
        return WALK_OTHER;
    }
}

/* Service tag of 802.1ah, then the customer's frame. */
static enum walk_layer backbone_peel(struct walk *walk)
{
    return cursor_take(&walk->rest, 4) != NULL ? WALK_ETHERNET : WALK_CUT;
}

/* Tree and hop count, then the real frame. */
static enum walk_layer fabricpath_peel(struct walk *walk)
{
    return cursor_take(&walk->rest, 2) != NULL ? WALK_ETHERNET : WALK_CUT;
}

static enum walk_layer vntag_peel(struct walk *walk)
{
    const uint8_t *tag = cursor_take(&walk->rest, 6);

    return tag != NULL ? after_type(walk, walk_be16(tag + 4)) : WALK_CUT;
}

/* IEEE 802.1AE section 9.3: readable only when neither encrypted nor changed; the channel identifier is optional. */
static enum walk_layer macsec_peel(struct walk *walk)
{
    const uint8_t *tag = cursor_take(&walk->rest, 6);
    const uint8_t *type;

    if (tag == NULL)
        return WALK_CUT;
    if (tag[0] & 0x0c)
        return WALK_OTHER;
    if (tag[0] & 0x20)
        cursor_skip(&walk->rest, 8);
    type = cursor_take(&walk->rest, 2);
    return type != NULL ? after_type(walk, walk_be16(type)) : WALK_CUT;
}

/* RFC 6325 section 3: six octets and options in units of four. */
static enum walk_layer trill_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 6);

    if (header == NULL)
        return WALK_CUT;
    if (header[0] >> 6 != 0)
        return WALK_OTHER;
    cursor_skip(&walk->rest, ((walk_be16(header) >> 6) & 31u) * 4);
    return walk->rest.failed ? WALK_CUT : WALK_ETHERNET;
}

/* RFC 8300 section 2.2: length in units of four, of the whole header. */
static enum walk_layer nsh_peel(struct walk *walk)
{
    static const uint8_t next[] = {WALK_OTHER, WALK_IPV4, WALK_IPV6, WALK_ETHERNET, WALK_NSH, WALK_MPLS};
    const uint8_t *header = cursor_take(&walk->rest, 8);
    unsigned size;

    if (header == NULL)
        return WALK_CUT;
    size = (header[1] & 63u) * 4;
    if (header[0] >> 6 != 0 || size < 8 || header[3] >= array_length(next))
        return WALK_OTHER;
    cursor_skip(&walk->rest, size - 8);
    return walk->rest.failed ? WALK_CUT : (enum walk_layer)next[header[3]];
}

static enum walk_layer (*const peel[WALK_LAYERS])(struct walk *) = {
    [WALK_ETHERNET] = ethernet_peel,
    [WALK_TAG] = tag_peel,
    [WALK_LLC] = llc_peel,
    [WALK_MPLS] = mpls_peel,
    [WALK_PPPOE] = pppoe_peel,
    [WALK_PPP] = ppp_peel,
    [WALK_IEEE80211] = ieee80211_peel,
    [WALK_BACKBONE] = backbone_peel,
    [WALK_FABRICPATH] = fabricpath_peel,
    [WALK_VNTAG] = vntag_peel,
    [WALK_MACSEC] = macsec_peel,
    [WALK_TRILL] = trill_peel,
    [WALK_NSH] = nsh_peel,
    [WALK_TYPE] = type_peel,
    [WALK_RAW] = raw_peel,
    [WALK_SLL] = sll_peel,
    [WALK_SLL2] = sll2_peel,
    [WALK_NULL] = null_peel,
    [WALK_RADIOTAP] = radiotap_peel,
    [WALK_PRISM] = prism_peel,
    [WALK_AVS] = avs_peel,
    [WALK_PPI] = ppi_peel,
    [WALK_NFLOG] = nflog_peel,
};

static const uint8_t first_layer[] = {
    [PACKET_LINK_ETHERNET] = WALK_ETHERNET, [PACKET_LINK_PPP] = WALK_PPP,
    [PACKET_LINK_IPV4] = WALK_IPV4,         [PACKET_LINK_IPV6] = WALK_IPV6,
    [PACKET_LINK_MPLS] = WALK_MPLS,         [PACKET_LINK_IEEE80211] = WALK_IEEE80211,
    [PACKET_LINK_LLC] = WALK_LLC,           [PACKET_LINK_SLL] = WALK_SLL,
    [PACKET_LINK_SLL2] = WALK_SLL2,         [PACKET_LINK_NULL] = WALK_NULL,
    [PACKET_LINK_RAW] = WALK_RAW,           [PACKET_LINK_C_HDLC] = WALK_PPP,
    [PACKET_LINK_PPPOE] = WALK_PPPOE,       [PACKET_LINK_RADIOTAP] = WALK_RADIOTAP,
    [PACKET_LINK_PRISM] = WALK_PRISM,       [PACKET_LINK_AVS] = WALK_AVS,
    [PACKET_LINK_PPI] = WALK_PPI,           [PACKET_LINK_NFLOG] = WALK_NFLOG,
    [PACKET_LINK_UNKNOWN] = WALK_OTHER,
};

/* A shim that named no EtherType (PPP, MPLS), or a capture's link without one, led to IP; else the last one read. */
static void set_etype(struct walk *walk, enum walk_layer layer)
{
    uint16_t type = layer == WALK_IPV4 ? ETHERTYPE_IPV4 : layer == WALK_IPV6 ? ETHERTYPE_IPV6 : walk->etype;

    if (type != 0)
        flow_set_etype(walk->flow, type);
}

enum walk_layer link_peel(struct walk *walk, enum packet_link link)
{
    enum walk_layer layer =
        (unsigned)link < array_length(first_layer) ? (enum walk_layer)first_layer[link] : WALK_OTHER;

    if (likely(layer == WALK_ETHERNET))
        layer = ethernet_peel(walk);
    else
        walk->etype_seen = link >= PACKET_LINK_SLL; /* a capture tells the EtherType even if no header does */
    if (layer == WALK_TAG)
        layer = tag_peel(walk);
    while (layer > WALK_IPV6)
        layer = peel[layer](walk);
    if (walk->etype_seen && !walk->inner && layer != WALK_CUT) /* cut: nobody knows */
        set_etype(walk, layer);
    return layer;
}
