/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settling a sample: from what its records left in the scratch to one flow record. Rules, independent of the records'
 * order:
 *
 *   packet   the sampled header when it holds IP, else sampled IPv4 or IPv6, else a header or Ethernet record that is
 *            not IP (a record only with unknown_etype), else there is no packet
 *   bytes    header: frame_length as sent, or less what was stripped, or the length that the IP header tells, even when
 *            that is more than the frame (agents that sample before segmentation); IPv4 and IPv6 records: their
 *            length, which is IP already; Ethernet: its length
 *   vlan     source VLAN of the extended switch record, else the tag of the header, else the outermost stripped tag.
 *            0 and all ones are unknown. in_vlan is the same, with the stack of 1034 before the stripped tags; out_vlan
 *            comes only from the switch record or the stack of 1035
 *   labels   of the extended MPLS record, else of the header, which may be cut
 *   tunnel_* of the header, and what it does not tell of records 1021 to 1026, the ingress side first; VNI alike
 */
#include "decode/sflow/private.h"

#include <stdio.h>

#define ethernet_header_bytes 14

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_DCCP = 33, PROTOCOL_SCTP = 132, PROTOCOL_UDPLITE = 136 };

/* Header protocols of sampled_header that the packet decoder reads, and how many octets to pass first. */
static const struct link_row {
    uint8_t known, skip;
    enum packet_link link;
} link_table[] = {
    [1] = {1, 0, PACKET_LINK_ETHERNET},   [4] = {1, 13, PACKET_LINK_LLC}, /* FDDI: control, two addresses */
    [7] = {1, 0, PACKET_LINK_PPP},        [11] = {1, 0, PACKET_LINK_IPV4},
    [12] = {1, 0, PACKET_LINK_IPV6},      [13] = {1, 0, PACKET_LINK_MPLS},
    [14] = {1, 0, PACKET_LINK_PPP},       [15] = {1, 0, PACKET_LINK_IEEE80211},
    [17] = {1, 0, PACKET_LINK_ETHERNET}, /* A-MSDU subframe: addresses, length, LLC, as IEEE 802.3 */
};

enum packet_kind { PACKET_KIND_NONE, PACKET_KIND_NOT_IP, PACKET_KIND_IP };

static uint64_t load_mac(const uint8_t *p)
{
    return (uint64_t)host_be16(load_u16(p)) << 32 | load_be32(p + 2);
}

static bool has_ports(uint32_t protocol)
{
    return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP ||
           protocol == PROTOCOL_DCCP || protocol == PROTOCOL_UDPLITE;
}

static uint32_t less(uint32_t from, uint32_t amount)
{
    return from > amount ? from - amount : 0;
}

static bool is_vlan(uint32_t vlan)
{
    return vlan != 0 && vlan <= 4095;
}

static uint16_t stack_vlan(const struct sflow_words *stack, uint32_t depth)
{
    return depth < stack->count ? load_be32(stack->at + (size_t)depth * 4) & 0xfff : 0;
}

/*
 * The packet inside VXLAN on the port of tunnel_0 takes the envelope's place. `before` are the fields that did not
 * come from the envelope; its network identifier stays.
 */
static enum packet_verdict replace_packet(struct sflow *sflow, const struct field_set *before,
                                          enum packet_verdict verdict, struct packet_info *info)
{
    struct sflow_sample *sample = &sflow->sample;
    struct flow *flow = &sflow->flow;

    if (verdict != PACKET_IP || info->inner == NULL || !flow_has(flow, FIELD_PROTO) || flow->proto != PROTOCOL_UDP ||
        !flow_has(flow, FIELD_DST_PORT) || flow->dst_port != sflow->options.vxlan_replace_port)
        return verdict;
    struct cursor inner = cursor_over(info->inner, info->inner_bytes);
    bool has_vni = flow_has(flow, FIELD_VXLAN);
    uint32_t vni = has_vni ? flow->vxlan : 0;

    flow->have = *before;
    sample->frame_bytes = less(sample->frame_bytes, (uint32_t)(info->inner - sample->header));
    verdict = packet_decode(inner, info->inner_link, &sflow->packet_wants, flow, info);
    if (has_vni)
        flow_set_vxlan(flow, vni);
    return verdict;
}

static uint64_t header_length(const struct sflow *sflow, enum packet_kind kind, const struct packet_info *info)
{
    const struct sflow_sample *sample = &sflow->sample;

    switch (sflow->options.byte_count) {
    case SFLOW_BYTES_FRAME:
        return sample->frame_bytes;
    case SFLOW_BYTES_FRAME_WITHOUT_FCS:
        return less(sample->frame_bytes, sample->stripped_bytes);
    case SFLOW_BYTES_IP:
        break;
    }
    if (kind == PACKET_KIND_IP && info->ip_bytes != 0)
        return info->ip_bytes;
    uint32_t l2_bytes = kind == PACKET_KIND_IP ? info->l2_bytes : ethernet_header_bytes;
    return less(less(sample->frame_bytes, sample->stripped_bytes), l2_bytes);
}

static enum packet_kind settle_header(struct sflow *sflow, uint64_t *length)
{
    struct sflow_sample *sample = &sflow->sample;
    struct packet_info info = {.want_inner = sflow->options.vxlan_replace_port != 0,
                               .vxlan_port = sflow->options.vxlan_replace_port,
                               .innermost = sflow->options.innermost_tunnel};
    enum packet_verdict verdict = PACKET_NOT_IP;
    const struct link_row *row = NULL;

    if (sample->header_protocol < array_length(link_table) && link_table[sample->header_protocol].known)
        row = &link_table[sample->header_protocol];
    if (likely(row != NULL && sample->header_bytes >= row->skip)) {
        struct field_set before = sflow->flow.have;
        struct cursor frame = cursor_over(sample->header + row->skip, sample->header_bytes - row->skip);
        verdict = packet_decode(frame, row->link, &sflow->packet_wants, &sflow->flow, &info);
        info.l2_bytes += row->skip;
        if (unlikely(sflow->options.vxlan_replace_port != 0))
            verdict = replace_packet(sflow, &before, verdict, &info);
    }
    if (unlikely(verdict == PACKET_MALFORMED))
        sflow_count(sflow, INPUT_structures_malformed);
    enum packet_kind kind = verdict == PACKET_IP ? PACKET_KIND_IP : PACKET_KIND_NOT_IP;
    *length = header_length(sflow, kind, &info);
    return kind;
}

/* What follows the addresses of sampled_ipv4 and sampled_ipv6: ports, TCP flags, type of service or traffic class. */
static void set_transport(struct flow *flow, uint32_t protocol, const uint8_t *p)
{
    flow_set_proto(flow, (uint8_t)protocol);
    if (has_ports(protocol)) {
        flow_set_src_port(flow, (uint16_t)load_be32(p));
        flow_set_dst_port(flow, (uint16_t)load_be32(p + 4));
    }
    if (protocol == PROTOCOL_TCP)
        flow_set_tcpflags(flow, load_be32(p + 8) & 0xff);
    flow_set_tos(flow, (uint8_t)load_be32(p + 12));
}

static uint64_t settle_ip(struct flow *flow, const uint8_t *p, bool ipv6)
{
    struct address source, destination;

    if (ipv6) {
        address_set_ipv6(&source, p + 8);
        address_set_ipv6(&destination, p + 24);
        set_transport(flow, load_be32(p + 4), p + 40);
    } else {
        address_set_ipv4(&source, p + 8);
        address_set_ipv4(&destination, p + 12);
        set_transport(flow, load_be32(p + 4), p + 16);
    }
    flow_set_src_host(flow, source);
    flow_set_dst_host(flow, destination);
    if (!flow_has(flow, FIELD_ETYPE))
        flow_set_etype(flow, ipv6 ? 0x86dd : 0x0800);
    return load_be32(p);
}

/* The Ethernet record beside another one adds what that did not tell. */
static uint64_t settle_ethernet(struct flow *flow, const uint8_t *p)
{
    if (!flow_has(flow, FIELD_SRC_MAC))
        flow_set_src_mac(flow, load_mac(p + 4));
    if (!flow_has(flow, FIELD_DST_MAC))
        flow_set_dst_mac(flow, load_mac(p + 12));
    if (!flow_has(flow, FIELD_ETYPE))
        flow_set_etype(flow, (uint16_t)load_be32(p + 20));
    return load_be32(p);
}

static enum packet_kind settle_packet(struct sflow *sflow, uint64_t *length)
{
    const struct sflow_sample *sample = &sflow->sample;
    enum packet_kind kind = PACKET_KIND_NONE;

    if (likely(sample->have & PART_HEADER)) {
        kind = settle_header(sflow, length);
        if (likely(kind == PACKET_KIND_IP && (sample->have & PART_ETHERNET) == 0))
            return kind;
    }
    if (kind != PACKET_KIND_IP && sample->have & (PART_IPV4 | PART_IPV6)) {
        bool ipv6 = (sample->have & PART_IPV4) == 0;
        uint64_t ip_length = settle_ip(&sflow->flow, ipv6 ? sample->ipv6 : sample->ipv4, ipv6);
        if (kind == PACKET_KIND_NONE)
            *length = ip_length;
        kind = PACKET_KIND_IP;
    }
    if (sample->have & PART_ETHERNET) {
        uint64_t frame_length = settle_ethernet(&sflow->flow, sample->ethernet);
        if (kind == PACKET_KIND_NONE) {
            kind = PACKET_KIND_NOT_IP;
            *length = frame_length;
        }
    }
    return kind;
}

static void settle_vlans(struct sflow *sflow)
{
    const struct sflow_sample *sample = &sflow->sample;
    struct flow *flow = &sflow->flow;
    uint16_t vlan = flow_has(flow, FIELD_VLAN) ? flow->vlan : 0, in = 0, out = 0;

    if (sample->have & PART_SWITCH) {
        if (is_vlan(sample->source_vlan)) {
            vlan = in = (uint16_t)sample->source_vlan;
            if (sample->source_priority <= 7)
                flow_set_cos(flow, (uint8_t)sample->source_priority);
        }
        if (is_vlan(sample->destination_vlan))
            out = (uint16_t)sample->destination_vlan;
    }
    if (in == 0)
        in = vlan;
    if (unlikely(sample->have & (PART_VLAN_TUNNEL | PART_VLAN_IN | PART_VLAN_OUT))) {
        struct sflow_words none = {NULL, 0};
        const struct sflow_words *tunnel = sample->have & PART_VLAN_TUNNEL ? &sample->vlan_tunnel : &none;
        const struct sflow_words *received = sample->have & PART_VLAN_IN ? &sample->vlan_in : tunnel;
        if (in == 0)
            in = stack_vlan(received, 0);
        if (vlan == 0)
            vlan = stack_vlan(tunnel, 0);
        if (out == 0 && sample->have & PART_VLAN_OUT)
            out = stack_vlan(&sample->vlan_out, 0);
        if (!flow_has(flow, FIELD_IN_CVLAN) && stack_vlan(received, 1) != 0)
            flow_set_in_cvlan(flow, stack_vlan(received, 1));
    }
    if (vlan != 0)
        flow_set_vlan(flow, vlan);
    if (in != 0)
        flow_set_in_vlan(flow, in);
    if (out != 0)
        flow_set_out_vlan(flow, out);
}

static void settle_tunnel_ip(struct flow *flow, const uint8_t *p, bool ipv6)
{
    struct address source, destination;
    const uint8_t *transport = p + (ipv6 ? 40 : 16);
    uint32_t protocol = load_be32(p + 4);

    if (flow_has(flow, FIELD_TUNNEL_SRC_HOST) || flow_has(flow, FIELD_TUNNEL_DST_HOST))
        return;
    if (ipv6) {
        address_set_ipv6(&source, p + 8);
        address_set_ipv6(&destination, p + 24);
    } else {
        address_set_ipv4(&source, p + 8);
        address_set_ipv4(&destination, p + 12);
    }
    flow_set_tunnel_src_host(flow, source);
    flow_set_tunnel_dst_host(flow, destination);
    flow_set_tunnel_proto(flow, (uint8_t)protocol);
    flow_set_tunnel_tos(flow, (uint8_t)load_be32(transport + 12));
    if (has_ports(protocol)) {
        flow_set_tunnel_src_port(flow, (uint16_t)load_be32(transport));
        flow_set_tunnel_dst_port(flow, (uint16_t)load_be32(transport + 4));
    }
    if (protocol == PROTOCOL_TCP)
        flow_set_tunnel_tcpflags(flow, load_be32(transport + 8) & 0xff);
}

static void settle_tunnels(struct sflow *sflow)
{
    static const uint8_t order[] = {1, 3, 5, 0, 2, 4}; /* places in `tunnel`: ingress, then egress */
    const struct sflow_sample *sample = &sflow->sample;
    struct flow *flow = &sflow->flow;

    for (unsigned i = 0; i < array_length(order); i++) {
        unsigned place = order[i];
        if ((sample->have & (uint32_t)PART_TUNNEL << place) == 0)
            continue;
        const uint8_t *p = sample->tunnel[place];
        if (place >= 2) {
            settle_tunnel_ip(flow, p, place >= 4);
        } else if (!flow_has(flow, FIELD_TUNNEL_SRC_MAC) && !flow_has(flow, FIELD_TUNNEL_DST_MAC)) {
            flow_set_tunnel_src_mac(flow, load_mac(p + 4));
            flow_set_tunnel_dst_mac(flow, load_mac(p + 12));
        }
    }
    if (!flow_has(flow, FIELD_VXLAN)) {
        if (sample->have & PART_VNI_INGRESS)
            flow_set_vxlan(flow, sample->vni_ingress);
        else if (sample->have & PART_VNI_EGRESS)
            flow_set_vxlan(flow, sample->vni_egress);
    }
}

/* A reason without a word is written as its number. */
static void settle_drop_reason(struct sflow *sflow, uint32_t reason)
{
    const char *word = sflow_drop_reason(reason);

    if (!field_set_has(&sflow->output.wants, FIELD_DROP_REASON))
        return;
    if (word == NULL) {
        snprintf(sflow->reason_number, sizeof(sflow->reason_number), "%u", reason);
        word = sflow->reason_number;
    }
    flow_set_drop_reason(&sflow->flow, (struct span){word, (uint32_t)strlen(word)});
}

static char direction(const struct sflow_sample *sample)
{
    if (sample->source_class != 0) /* not an ifIndex, so equal numbers mean nothing */
        return 'u';
    if (sample->input_format == 0 && sample->input == sample->source_index)
        return 'i';
    if (sample->output_format == 0 && sample->output == sample->source_index)
        return 'e';
    return 'u';
}

static void settle_common(struct sflow *sflow)
{
    const struct sflow_sample *sample = &sflow->sample;
    struct flow *flow = &sflow->flow;

    flow_set_timestamp_arrival(flow, sflow->origin->arrival_ns);
    flow_set_peer_src_ip(flow, sflow->agent);
    flow_set_transport_src_ip(flow, sflow->origin->source);
    flow_set_export_proto_seqno(flow, sflow->datagram_sequence);
    flow_set_export_proto_version(flow, (uint16_t)sflow->version);
    flow_set_export_proto_sysid(flow, sflow->sub_agent);
    flow_set_sampling_rate(flow, sample->sampling_rate != 0 ? sample->sampling_rate : 1);
    flow_set_sampling_direction(flow, direction(sample));
    if (sflow->options.raw_interfaces) {
        flow_set_in_iface(flow, sample->input_word);
        flow_set_out_iface(flow, sample->output_word);
    } else {
        flow_set_in_iface(flow, sample->input_format == 0 ? sample->input : 0);
        flow_set_out_iface(flow, sample->output_format == 0 ? sample->output : 0);
    }
    flow->discard = sample->discard;
    if (unlikely(sample->discard))
        settle_drop_reason(sflow, sample->reason);
    else if (unlikely(sample->output_format == 1))
        settle_drop_reason(sflow, sample->output);
    if (sample->have & PART_ROUTER_NEXT_HOP) {
        flow_set_ip_next_hop(flow, sample->router_next_hop);
        if (sflow->options.use_ip_next_hop && !flow_has(flow, FIELD_PEER_DST_IP))
            flow_set_peer_dst_ip(flow, sample->router_next_hop);
    }
    flow_set_flows(flow, 1);
    flow_set_packets(flow, 1);
}

void sflow_settle(struct sflow *sflow)
{
    struct sflow_sample *sample = &sflow->sample;
    struct ledger_exporter *row = sflow->exporter->row;
    uint64_t length = 0;

    enum packet_kind kind = settle_packet(sflow, &length);
    if (unlikely(kind == PACKET_KIND_NONE)) {
        sflow_count(sflow, INPUT_samples_without_packet);
        return;
    }
    if (unlikely(kind == PACKET_KIND_NOT_IP && !sflow->options.unknown_etype)) {
        sflow_count(sflow, INPUT_samples_not_ip);
        return;
    }
    settle_vlans(sflow);
    if (unlikely(sample->have & PART_RARE)) {
        if (sample->have & PART_MPLS)
            sflow_set_labels(sflow, &sample->mpls);
        settle_tunnels(sflow);
    }
    settle_common(sflow);
    flow_set_bytes(&sflow->flow, length);
    row->sampling_rate = sample->sampling_rate;
    counter_add(&row->records, 1);
    counter_add(&row->packets, 1);
    sflow_count(sflow, INPUT_records_decoded);
    sflow->output.record(sflow->output.context, &sflow->flow);
}
