/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet decoder: from the first byte of a frame to the ports, for captures, sFlow header samples and IPFIX frame
 * sections. It reads only captured bytes; a header cut by the capture length is no error, what was read before it
 * stays. Plain fields are the outer packet, tunnel_* the first inner one (GRE, IPIP, VXLAN, GENEVE ...) or, when asked
 * for, the innermost.
 */
#ifndef DECODE_PACKET_PACKET_H
#define DECODE_PACKET_PACKET_H

#include "base/cursor.h"
#include "base/error.h"
#include "flow/flow.h"

enum packet_link { /* what the bytes begin with */
    PACKET_LINK_ETHERNET,
    PACKET_LINK_PPP,
    PACKET_LINK_IPV4,
    PACKET_LINK_IPV6,
    PACKET_LINK_MPLS,
    PACKET_LINK_IEEE80211,
    PACKET_LINK_LLC,
    /* What only captures have; see link_capture.c. */
    PACKET_LINK_SLL,       /* Linux "any", 16 octets */
    PACKET_LINK_SLL2,      /* the same with interface number, 20 octets */
    PACKET_LINK_NULL,      /* address family of the capturing host, 4 octets, either order */
    PACKET_LINK_RAW,       /* IPv4 or IPv6 by its first nibble */
    PACKET_LINK_C_HDLC,    /* Cisco's or PPP, told apart by the first octets */
    PACKET_LINK_PPPOE,     /* a session packet without its Ethernet header */
    PACKET_LINK_RADIOTAP,
    PACKET_LINK_PRISM,
    PACKET_LINK_AVS,
    PACKET_LINK_PPI,
    PACKET_LINK_NFLOG,
    PACKET_LINK_UNKNOWN
};

/* What a number of libpcap's registry (LINKTYPE_) begins with; PACKET_LINK_UNKNOWN: not supported. */
enum packet_link packet_link_of(uint16_t linktype);

enum packet_verdict {
    PACKET_IP,        /* src_host and dst_host are set; proto too, unless an IPv6 header chain was cut by the capture */
    PACKET_NOT_IP,    /* a frame of something else; etype is set when there is one */
    PACKET_MALFORMED  /* a header contradicts itself */
};

struct packet_info { /* what does not go into the flow */
    /* Set by the caller, kept by packet_decode, which resets all the other members. */
    bool want_inner;     /* fill in inner* even if `wants` has no field of a tunnel */
    uint16_t vxlan_port; /* one more UDP port that carries VXLAN, 0: none */
    bool innermost;      /* tunnel_* tell of the innermost packet, not of the first inner one */

    uint32_t ip_bytes;   /* length by the IP header of the outer packet. 0: not IP, or the header leaves it open
                            (segmentation offload): then it is the length of the frame less l2_bytes */
    uint32_t l2_bytes;   /* bytes before the outer IP header */
    uint8_t icmp_type, icmp_code;
    bool icmp;
    bool fragment;       /* a later fragment: no ports */
    bool fragment_first; /* the first one of several */
    uint32_t fragment_id; /* of both */
    const uint8_t *ip;        /* the outer IP header, or NULL */
    uint32_t ip_captured;     /* bytes from there to the end of the packet or of the capture */
    const uint8_t *transport; /* what follows the outer IP header and its extensions; NULL: a later fragment, or cut */
    uint32_t transport_captured;
    uint32_t interface;       /* number in a link header that has one (SLL2, NFLOG), 0: none */
    uint32_t out_interface;   /* NFLOG of a forwarded packet: where it goes out; 0: none, or `interface` is it */
    uint8_t direction;        /* enum frame_direction, by a link header that tells (SLL, SLL2, NFLOG) */
    const uint8_t *inner; /* frame or packet inside the first tunnel, or NULL: none, not asked for, or not captured */
    uint32_t inner_bytes; /* captured bytes of it */
    enum packet_link inner_link;
};

/*
 * Decodes `frame` into `flow` (setters only; have bits of other fields stay). `wants` may be used to skip work:
 * tunnels are opened only for a field of theirs or want_inner, mpls_label_stack is written only when wanted. Bounds
 * are the cursor's end. src_mac, dst_mac, vlan, cos and in_cvlan come from the outermost Ethernet header, etype names
 * what is inside the innermost one. The text of mpls_label_stack lives until the next packet_decode of the same
 * thread. RFC 791, 8200, 4302, 3032, 2784, 2890, 7348, 8926, 2516, IEEE 802.1Q.
 */
enum packet_verdict packet_decode(struct cursor frame, enum packet_link link, const struct field_set *wants,
                                  struct flow *flow, struct packet_info *info);

/*
 * tunnel_0: tunnels that are taken off before anything is decoded, so that the packet inside stands for itself. Up to
 * four layers, each of a kind and, where it has one, a UDP port: "gtp, 2152; ipip, 0".
 */
#define packet_unwrap_max 4

struct packet_unwrap {
    unsigned count;
    struct packet_unwrap_layer {
        uint8_t kind;
        uint16_t port;
    } layers[packet_unwrap_max];
};

/* Returns 0, or -1 with a phrase that says which part is wrong and what is expected. */
int packet_unwrap_parse(struct packet_unwrap *unwrap, const char *text, struct error *error);

/*
 * When `frame` has all these layers, one in the other, moves it and *link to what they carry and returns true; else
 * leaves both as they are. Reads only captured bytes.
 */
bool packet_unwrap(const struct packet_unwrap *unwrap, struct cursor *frame, enum packet_link *link);

#endif
