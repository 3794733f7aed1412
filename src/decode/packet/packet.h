/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet decoder: from the first byte of a frame to the ports, for sFlow header samples now and for captures and
 * IPFIX frame sections later. It reads only captured bytes; a header cut by the capture length is no error, what was
 * read before it stays. Plain fields are the outer packet, tunnel_* the first inner one (GRE, IPIP, VXLAN, GENEVE
 * ...).
 */
#ifndef DECODE_PACKET_PACKET_H
#define DECODE_PACKET_PACKET_H

#include "base/cursor.h"
#include "flow/flow.h"

enum packet_link { /* what the bytes begin with */
    PACKET_LINK_ETHERNET,
    PACKET_LINK_PPP,
    PACKET_LINK_IPV4,
    PACKET_LINK_IPV6,
    PACKET_LINK_MPLS,
    PACKET_LINK_IEEE80211,
    PACKET_LINK_LLC,
    PACKET_LINK_UNKNOWN
};

enum packet_verdict {
    PACKET_IP,        /* src_host and dst_host are set; proto too, unless an IPv6 header chain was cut by the capture */
    PACKET_NOT_IP,    /* a frame of something else; etype is set when there is one */
    PACKET_MALFORMED  /* a header contradicts itself */
};

struct packet_info { /* what does not go into the flow */
    /* Set by the caller, kept by packet_decode, which resets all the other members. */
    bool want_inner;     /* fill in inner* even if `wants` has no field of a tunnel */
    uint16_t vxlan_port; /* one more UDP port that carries VXLAN, 0: none */

    uint32_t ip_bytes;   /* length by the IP header of the outer packet. 0: not IP, or the header leaves it open
                            (segmentation offload): then it is the length of the frame less l2_bytes */
    uint32_t l2_bytes;   /* bytes before the outer IP header */
    uint8_t icmp_type, icmp_code;
    bool icmp;
    bool fragment;       /* a later fragment: no ports */
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

#endif
