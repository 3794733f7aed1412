/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of one walk through a frame, private to the packet decoder. packet.c makes it; link.c (with
 * link_capture.c, mpls.c and ieee80211.c) peels what is below IP, ip.c reads IP and ports, tunnel.c takes a tunnel's
 * header off, unwrap.c does so for those who account what is inside. None of them calls back: each leaves the cursor
 * at what comes next and says what that is.
 */
#ifndef DECODE_PACKET_WALK_H
#define DECODE_PACKET_WALK_H

#include "base/cursor.h"
#include "decode/packet/packet.h"

/* What the next byte begins. The ends come first; those after them are taken off by link.c one by one. */
enum walk_layer {
    WALK_OTHER, /* not IP, and nothing more to take off */
    WALK_CUT,   /* the capture ended inside a header */
    WALK_IPV4,
    WALK_IPV6,
    WALK_ETHERNET,
    WALK_TAG,
    WALK_LLC,
    WALK_MPLS,
    WALK_PPPOE,
    WALK_PPP,
    WALK_IEEE80211,
    WALK_BACKBONE,
    WALK_FABRICPATH,
    WALK_VNTAG,
    WALK_MACSEC,
    WALK_TRILL,
    WALK_NSH,
    WALK_TYPE, /* an EtherType was read into `etype`: what it names comes next */
    WALK_RAW,
    WALK_SLL,
    WALK_SLL2,
    WALK_NULL,
    WALK_RADIOTAP,
    WALK_PRISM,
    WALK_AVS,
    WALK_PPI,
    WALK_NFLOG,
    WALK_LAYERS
};

struct walk {
    struct cursor rest; /* not yet read; ends where the capture or the IP packet ends, whichever is first */
    const struct field_set *wants;
    struct flow *flow;
    struct packet_info *info;
    uint16_t etype;     /* of the last header that had one */
    bool etype_seen;
    bool inner;         /* inside a tunnel: tunnel_* fields instead of the plain ones, nothing into info */
    bool labels_seen;   /* an MPLS stack was read; later ones give no fields */
    bool wifi_padded;   /* the 802.11 header is followed by octets that align its body */
    uint8_t frames;     /* Ethernet or 802.11 headers whose addresses are stations', so far; stays at 2 */
    uint8_t tags;       /* VLAN tags in the current Ethernet header */

    /* Left by ip.c; `rest` then begins with the header of `proto`. */
    bool transport; /* proto and rest hold: the chain of headers was whole and this is no later fragment */
    uint8_t proto;
    uint16_t src_port, dst_port; /* 0 when there are none */
};

static inline uint16_t walk_be16(const uint8_t *p)
{
    return host_be16(load_u16(p));
}

static inline uint32_t walk_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t walk_be32(const uint8_t *p)
{
    return host_be32(load_u32(p));
}

/*
 * The usual packet at `frame`: sets its fields, ip_bytes and l2_bytes. False, and nothing is set, when it is another.
 */
bool packet_usual(const struct cursor *frame, struct flow *flow, struct packet_info *info);

/*
 * Takes off everything below IP, sets MACs, tags, labels and etype, and returns one of WALK_OTHER, WALK_CUT,
 * WALK_IPV4, WALK_IPV6; in the last two cases `rest` begins with the IP header.
 */
enum walk_layer link_peel(struct walk *walk, enum packet_link link);

/* An MPLS label stack, from its first entry; returns the layer that its payload looks like. */
enum walk_layer mpls_peel(struct walk *walk);

/* An 802.11 header, from its frame control. */
enum walk_layer ieee80211_peel(struct walk *walk);

/* What only captures have, from its first octet. */
enum walk_layer raw_peel(struct walk *walk);
enum walk_layer sll_peel(struct walk *walk);
enum walk_layer sll2_peel(struct walk *walk);
enum walk_layer null_peel(struct walk *walk);
enum walk_layer radiotap_peel(struct walk *walk);
enum walk_layer prism_peel(struct walk *walk);
enum walk_layer avs_peel(struct walk *walk);
enum walk_layer ppi_peel(struct walk *walk);
enum walk_layer nflog_peel(struct walk *walk);

/* An IPv4 (or IPv6) header with all that follows it up to ports and flags. */
enum packet_verdict ip_decode(struct walk *walk, enum walk_layer version);

/*
 * After ip_decode left `transport` set: takes off a tunnel's header, sets vxlan or nvgre, leaves `rest` at the inner
 * packet and says in `link` what it is. False when this is no tunnel that we know, or not enough of it was captured.
 */
bool tunnel_peel(struct walk *walk, enum packet_link *link);

/*
 * The tunnels that tunnel_0 can name: tunnel_kind_name(0) and so on, NULL behind the last one. The port is the usual
 * one of those that are always over UDP, and 0 of the others.
 */
const char *tunnel_kind_name(unsigned kind);
uint16_t tunnel_kind_port(unsigned kind);
bool tunnel_kind_over_udp(unsigned kind); /* whether it can be */

/* As tunnel_peel, of one kind only, and over UDP to this port. Port 0: by protocol number, not over UDP. */
bool tunnel_peel_kind(struct walk *walk, unsigned kind, uint16_t port, enum packet_link *link);

#endif
