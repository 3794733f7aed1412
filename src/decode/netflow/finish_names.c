/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names, of the record itself or of what options data told: interfaces, VRFs and their route distinguishers,
 * applications. The spans live as long as the record or the tables of options.c, which do not change meanwhile.
 */
#include "decode/netflow/finish.h"

enum { ORIGIN_UNKNOWN = 0, ORIGIN_FLOW = 1 }; /* of FIELD_TYPE_RD_ORIGIN */

/* Texts of fixed length are filled up with NUL or blanks; too long ones are cut. */
static struct span trimmed(struct span text)
{
    const char *nul = text.length > 0 ? memchr(text.data, 0, text.length) : NULL;

    if (nul != NULL)
        text.length = (uint32_t)(nul - text.data);
    while (text.length > 0 && text.data[text.length - 1] == ' ')
        text.length--;
    if (text.length > flow_string_max)
        text.length = flow_string_max;
    return text;
}

/* Element 82 twice is the input's and the output's name (Open vSwitch); once it is the input's. */
void finish_interface_names(struct netflow *netflow, struct record *record)
{
    bool two = record_has(record, PART_FIRST_INTERFACE_NAME);
    struct span name = trimmed(record->parts.INTERFACE_NAME);
    struct span in = two ? trimmed(record->parts.FIRST_INTERFACE_NAME) : name;

    (void)netflow;
    if (in.length > 0)
        flow_set_in_iface_name(&record->flow, in);
    if (two && name.length > 0)
        flow_set_out_iface_name(&record->flow, name);
}

/* What the record does not name, by the interfaces' numbers. */
void finish_interface_names_by_number(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;

    if (finish_wants(netflow, FIELD_IN_IFACE_NAME) && !flow_has(flow, FIELD_IN_IFACE_NAME) &&
        flow_has(flow, FIELD_IN_IFACE))
        flow_set_in_iface_name(flow, options_interface_name(netflow->domain, flow->in_iface));
    if (finish_wants(netflow, FIELD_OUT_IFACE_NAME) && !flow_has(flow, FIELD_OUT_IFACE_NAME) &&
        flow_has(flow, FIELD_OUT_IFACE))
        flow_set_out_iface_name(flow, options_interface_name(netflow->domain, flow->out_iface));
}

/* The distinguisher of the record (element 90), else that of its ingress VRF, else of its egress VRF. */
static void set_distinguisher(const struct netflow *netflow, struct record *record)
{
    const struct parts *parts = &record->parts;
    uint64_t distinguisher = 0;
    bool found = record_has(record, PART_ROUTE_DISTINGUISHER) && parts->ROUTE_DISTINGUISHER != 0;

    if (found)
        distinguisher = parts->ROUTE_DISTINGUISHER;
    if (!found && record_has(record, PART_INGRESS_VRF))
        found = options_vrf_distinguisher(netflow->domain, parts->INGRESS_VRF, &distinguisher);
    if (!found && record_has(record, PART_EGRESS_VRF))
        found = options_vrf_distinguisher(netflow->domain, parts->EGRESS_VRF, &distinguisher);
    if (!found)
        return;
    flow_set_mpls_vpn_rd(&record->flow, distinguisher);
    flow_set_mpls_vpn_rd_origin(&record->flow, ORIGIN_FLOW);
}

void finish_vrf(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;
    struct span in = {NULL, 0}, out = {NULL, 0}, any;

    if (record_has(record, PART_INGRESS_VRF))
        in = options_vrf_name(netflow->domain, record->parts.INGRESS_VRF);
    if (record_has(record, PART_EGRESS_VRF))
        out = options_vrf_name(netflow->domain, record->parts.EGRESS_VRF);
    if (in.length == 0 && record_has(record, PART_VRF_NAME))
        in = trimmed(record->parts.VRF_NAME);
    any = in.length > 0 ? in : out;
    if (in.length > 0)
        flow_set_ingress_vrf_name(flow, in);
    if (out.length > 0)
        flow_set_egress_vrf_name(flow, out);
    if (any.length > 0)
        flow_set_vrf_name(flow, any);
    if (finish_wants(netflow, FIELD_MPLS_VPN_RD) || finish_wants(netflow, FIELD_MPLS_VPN_RD_ORIGIN))
        set_distinguisher(netflow, record);
}

/* The class of traffic: the application's name, of the record or by its id. */
void finish_application(struct netflow *netflow, struct record *record)
{
    struct span name = {NULL, 0};

    if (record_has(record, PART_APPLICATION_NAME))
        name = trimmed(record->parts.APPLICATION_NAME);
    if (name.length == 0 && record_has(record, PART_APPLICATION))
        name = options_application_name(netflow->domain, (const uint8_t *)record->parts.APPLICATION.data,
                                        record->parts.APPLICATION.length);
    if (name.length > 0)
        flow_set_class_name(&record->flow, name);
}
