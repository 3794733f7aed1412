/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of finishing steps, in the order in which they run. compile.c chooses, once per template, the rows whose
 * parts it has and whose fields somebody wants; a plain record of addresses, ports and counters meets none of them.
 * What is the same for all records of a set is written once per set, by finish_message.
 *
 * Events, records without a counter of traffic (definition->event), need no step: their counters are constants, 0.
 */
#include "decode/netflow/finish.h"

#include <stdlib.h>

#define PARTS(...) .part_count = array_length(((enum part_id[]){__VA_ARGS__})), .parts = {__VA_ARGS__}
#define GIVES(...) .give_count = array_length(((enum field_id[]){__VA_ARGS__})), .gives = {__VA_ARGS__}
#define NEEDS(...) .need_count = array_length(((enum field_id[]){__VA_ARGS__})), .needs = {__VA_ARGS__}

const struct finish_row finish_table[] = {
    {"addresses", finish_addresses, PARTS(PART_SRC_IPV4, PART_SRC_IPV6, PART_DST_IPV4, PART_DST_IPV6),
     GIVES(FIELD_SRC_HOST, FIELD_DST_HOST, FIELD_SRC_MASK, FIELD_DST_MASK, FIELD_SRC_NET, FIELD_DST_NET)},
    {"section", finish_section,
     PARTS(PART_LINK_SECTION, PART_IP_SECTION, PART_MPLS_SECTION, PART_SECTION_TYPE, PART_SECTION_SIZE)},
    {"packet length", finish_packet_length, PARTS(PART_PACKET_LENGTH)},
    {"masks", finish_masks, PARTS(PART_SRC_MASK_IPV6, PART_DST_MASK_IPV6), GIVES(FIELD_SRC_MASK, FIELD_DST_MASK),
     NEEDS(FIELD_SRC_HOST, FIELD_DST_HOST)},
    {"translated addresses", finish_translated, PARTS(PART_POST_NAT_SRC_IPV6, PART_POST_NAT_DST_IPV6),
     GIVES(FIELD_POST_NAT_SRC_HOST, FIELD_POST_NAT_DST_HOST)},
    {"interfaces", finish_interfaces, PARTS(PART_IN_PHYSICAL, PART_OUT_PHYSICAL),
     GIVES(FIELD_IN_IFACE, FIELD_OUT_IFACE, FIELD_IN_IFACE_NAME, FIELD_OUT_IFACE_NAME, FIELD_SAMPLING_RATE),
     NEEDS(FIELD_IN_IFACE, FIELD_OUT_IFACE)},
    {"next hop", finish_next_hop,
     PARTS(PART_BGP_NEXT_HOP_IPV4, PART_BGP_NEXT_HOP_IPV6, PART_MPLS_NEXT_HOP_IPV4, PART_MPLS_NEXT_HOP_IPV6,
           PART_IP_NEXT_HOP_IPV4, PART_IP_NEXT_HOP_IPV6),
     GIVES(FIELD_PEER_DST_IP)},
    {"ip next hop", finish_ip_next_hop, PARTS(PART_IP_NEXT_HOP_IPV6), GIVES(FIELD_IP_NEXT_HOP)},
    {"exporter", finish_exporter, PARTS(PART_EXPORTER_IPV4, PART_EXPORTER_IPV6), GIVES(FIELD_PEER_SRC_IP)},
    {"direction", finish_direction, PARTS(PART_DIRECTION), GIVES(FIELD_SAMPLING_DIRECTION)},
    {"vlan", finish_vlan, PARTS(PART_DIRECTION, PART_POST_VLAN), GIVES(FIELD_VLAN)},
    {"dscp", finish_dscp, PARTS(PART_DSCP), GIVES(FIELD_TOS)},
    {"labels", finish_labels,
     PARTS(PART_MPLS_1, PART_MPLS_2, PART_MPLS_3, PART_MPLS_4, PART_MPLS_5, PART_MPLS_6, PART_MPLS_7, PART_MPLS_8,
           PART_MPLS_9, PART_MPLS_10),
     GIVES(FIELD_MPLS_LABEL_TOP, FIELD_MPLS_LABEL_BOTTOM, FIELD_MPLS_LABEL_STACK)},
    {"segment", finish_segment, PARTS(PART_SEGMENT), GIVES(FIELD_VXLAN, FIELD_NVGRE)},
    {"tunnel key", finish_tunnel_key, PARTS(PART_TUNNEL_TYPE, PART_TUNNEL_KEY), GIVES(FIELD_VXLAN)},
    {"segment list", finish_segment_list, PARTS(PART_SEGMENT_LIST, PART_SEGMENT_BASIC_LIST),
     GIVES(FIELD_SRV6_SEG_IPV6_LIST)},
    {"forwarding status", finish_forwarding, PARTS(PART_COMMON_PROPERTIES), GIVES(FIELD_FWD_STATUS)},
    {"delay", finish_delay, PARTS(PART_DELAY_SUM), GIVES(FIELD_PATH_DELAY_AVG_USEC)},
    {"times", finish_times,
     PARTS(PART_FIRST_UPTIME, PART_LAST_UPTIME, PART_START_S, PART_END_S, PART_START_MS, PART_END_MS, PART_START_US,
           PART_END_US, PART_START_NS, PART_END_NS, PART_START_DELTA_US, PART_END_DELTA_US, PART_INIT_MS,
           PART_DURATION_MS, PART_DURATION_US, PART_OBSERVED_S, PART_OBSERVED_MS, PART_OBSERVED_US, PART_OBSERVED_NS),
     GIVES(FIELD_TIMESTAMP_START, FIELD_TIMESTAMP_END)},
    {"interface names", finish_interface_names, PARTS(PART_INTERFACE_NAME, PART_FIRST_INTERFACE_NAME),
     GIVES(FIELD_IN_IFACE_NAME, FIELD_OUT_IFACE_NAME)},
    {"interface names by number", finish_interface_names_by_number, GIVES(FIELD_IN_IFACE_NAME, FIELD_OUT_IFACE_NAME),
     NEEDS(FIELD_IN_IFACE, FIELD_OUT_IFACE)},
    {"vrf", finish_vrf, PARTS(PART_INGRESS_VRF, PART_EGRESS_VRF, PART_VRF_NAME, PART_ROUTE_DISTINGUISHER),
     GIVES(FIELD_VRF_NAME, FIELD_INGRESS_VRF_NAME, FIELD_EGRESS_VRF_NAME, FIELD_MPLS_VPN_RD,
           FIELD_MPLS_VPN_RD_ORIGIN)},
    {"application", finish_application, PARTS(PART_APPLICATION, PART_APPLICATION_NAME), GIVES(FIELD_CLASS)},
    {"rate", finish_rate,
     PARTS(PART_SAMPLER, PART_SELECTOR, PART_SELECTION_SEQUENCE, PART_SAMPLING_INTERVAL, PART_SAMPLER_INTERVAL,
           PART_PACKET_INTERVAL, PART_PACKET_SPACE, PART_SAMPLE_SIZE, PART_SAMPLE_POPULATION),
     GIVES(FIELD_SAMPLING_RATE), NEEDS(FIELD_IN_IFACE, FIELD_OUT_IFACE)},
    {"rate without parts", finish_rate_without_parts, GIVES(FIELD_SAMPLING_RATE),
     NEEDS(FIELD_IN_IFACE, FIELD_OUT_IFACE)},
    {"two ways", finish_two_ways,
     PARTS(PART_REVERSE_BYTES, PART_REVERSE_PACKETS, PART_REVERSE_TCPFLAGS, PART_REVERSE_TOS, PART_REVERSE_START_MS,
           PART_REVERSE_END_MS, PART_INITIATOR_BYTES, PART_RESPONDER_BYTES, PART_INITIATOR_PACKETS,
           PART_RESPONDER_PACKETS),
     .last = true},
};

const unsigned finish_count = array_length(finish_table);

_Static_assert(array_length(finish_table) <= 32, "a bit for each step");

/* Fields that are the same in all records of a set, unless an element or a step says otherwise. */
static const uint8_t constants[] = {
    FIELD_PACKETS,         FIELD_BYTES,
    FIELD_FLOWS,           FIELD_SAMPLING_DIRECTION,
    FIELD_PEER_SRC_IP,     FIELD_TRANSPORT_SRC_IP,
    FIELD_TIMESTAMP_START, FIELD_TIMESTAMP_END,
    FIELD_TIMESTAMP_EXPORT, FIELD_TIMESTAMP_ARRIVAL,
    FIELD_EXPORT_PROTO_SEQNO, FIELD_EXPORT_PROTO_VERSION, FIELD_EXPORT_PROTO_SYSID,
};

int finish_open(struct netflow *netflow, struct error *error)
{
    struct finish *finish = calloc(1, sizeof(*finish));

    if (finish == NULL)
        return error_set(error, "out of memory for the NetFlow decoder");
    if (netflow->options.drop_unknown_rate) /* the step that finds it out runs only when the rate is wanted */
        field_set_add(&netflow->output.wants, FIELD_SAMPLING_RATE);
    finish->wants = netflow->output.wants;
    field_set_add(&finish->wants, FIELD_PACKETS);
    field_set_add(&finish->wants, FIELD_BYTES);
    for (unsigned i = 0; i < array_length(constants); i++)
        if (field_set_has(&finish->wants, constants[i]))
            field_set_add(&finish->constant, constants[i]);
    netflow->finish = finish;
    return 0;
}

void finish_close(struct netflow *netflow)
{
    free(netflow->finish);
    netflow->finish = NULL;
}

void finish_message(struct netflow *netflow)
{
    const struct message *message = &netflow->message;
    struct flow *flow = &netflow->record.flow;

    flow->packets = 0;
    flow->bytes = 0;
    flow->flows = 1;
    flow->sampling_direction = 'u';
    flow->peer_src_ip = *finish_exporter_address(netflow);
    flow->transport_src_ip = message->origin->source;
    flow->timestamp_start = message->export_ns;
    flow->timestamp_end = message->export_ns;
    flow->timestamp_export = message->export_ns;
    flow->timestamp_arrival = message->origin->arrival_ns;
    flow->export_proto_seqno = message->sequence;
    flow->export_proto_version = message->version;
    flow->export_proto_sysid = message->domain_id;
}
