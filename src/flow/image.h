/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as a packet: an Ethernet frame made of its fields, for filters that look at packets. In this order:
 *
 *   addresses    src_mac, dst_mac
 *   tags         vlan with cos, and in_cvlan inside it; none for VLAN 0. As many of them as the caller wants
 *   labels       mpls_label_top, mpls_label_bottom
 *   IP           IPv4 or IPv6 by the addresses, else by etype: addresses, proto, tos, flow_label; its length is the
 *                mean of the record's packets. No IP when etype says so and there are no addresses
 *   transport    TCP with its flags, UDP; ICMP with type and code out of dst_port, where exporters put them; SCTP, DCCP
 *                and UDP-Lite with their ports
 *
 * What a record does not have is 0. Checksums are 0, too.
 */
#ifndef FLOW_IMAGE_H
#define FLOW_IMAGE_H

#include "flow/flow.h"

#define flow_image_max 96 /* addresses and type 14, two tags 8, two labels 8, IPv6 40, TCP 20 */

struct flow_image {
    bool made;       /* of the record in hand: whoever takes the next one clears this */
    unsigned tags;   /* it was made with so many VLAN tags at most */
    uint32_t size;   /* of `bytes` that are there */
    uint32_t length; /* of the packet that it stands for: with a payload */
    uint8_t bytes[flow_image_max];
};

#define flow_image_all_tags 2

/* Makes it of the record, with the first `tags` of its VLAN tags; does nothing when it has been made so already. */
void flow_image_make(struct flow_image *image, const struct flow *flow, unsigned tags);

/* Adds the fields that an image is made of: what decoders must be asked for where there are filters. */
void flow_image_fields(struct field_set *fields);

#endif
