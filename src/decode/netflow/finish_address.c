/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that a template has in several places: both families of one host, where the unused one is all zero; next
 * hops by order of preference; translated addresses; the exporter's own, which some tell in every record.
 */
#include "decode/netflow/finish.h"

/* Absent, 0.0.0.0 or ::. */
static bool is_zero(const struct address *address)
{
    static const struct address unspecified = {{0xff}}; /* "::", as net/address.h keeps it */

    return address_is_absent(address) || address_equal(address, &unspecified) ||
           (address_is_ipv4(address) && load_u32(address->bytes + 12) == 0);
}

static struct address used(const struct address *ipv4, const struct address *ipv6)
{
    return is_zero(ipv4) && !is_zero(ipv6) ? *ipv6 : *ipv4;
}

void finish_addresses(struct netflow *netflow, struct record *record)
{
    const struct parts *parts = &record->parts;

    (void)netflow;
    if (record_has(record, PART_SRC_IPV4) && record_has(record, PART_SRC_IPV6))
        flow_set_src_host(&record->flow, used(&parts->SRC_IPV4, &parts->SRC_IPV6));
    if (record_has(record, PART_DST_IPV4) && record_has(record, PART_DST_IPV6))
        flow_set_dst_host(&record->flow, used(&parts->DST_IPV4, &parts->DST_IPV6));
}

/* With masks of both families in a template the field holds that of IPv4. */
void finish_masks(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;

    (void)netflow;
    if (record_has(record, PART_SRC_MASK_IPV6) && flow_has(flow, FIELD_SRC_HOST) && !address_is_ipv4(&flow->src_host))
        flow_set_src_mask(flow, (uint8_t)min_u64(record->parts.SRC_MASK_IPV6, UINT8_MAX));
    if (record_has(record, PART_DST_MASK_IPV6) && flow_has(flow, FIELD_DST_HOST) && !address_is_ipv4(&flow->dst_host))
        flow_set_dst_mask(flow, (uint8_t)min_u64(record->parts.DST_MASK_IPV6, UINT8_MAX));
}

void finish_translated(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;

    (void)netflow;
    if (record_has(record, PART_POST_NAT_SRC_IPV6) && flow_has(flow, FIELD_POST_NAT_SRC_HOST))
        flow_set_post_nat_src_host(flow, used(&flow->post_nat_src_host, &record->parts.POST_NAT_SRC_IPV6));
    if (record_has(record, PART_POST_NAT_DST_IPV6) && flow_has(flow, FIELD_POST_NAT_DST_HOST))
        flow_set_post_nat_dst_host(flow, used(&flow->post_nat_dst_host, &record->parts.POST_NAT_DST_IPV6));
}

/* The first in this order that is not zero; when all are, the first that is there: that is how "connected" is told. */
void finish_next_hop(struct netflow *netflow, struct record *record)
{
#define NEXT_HOP(part) {PART_##part, offsetof(struct parts, part)}
    static const struct {
        enum part_id part;
        size_t offset;
    } order[] = {NEXT_HOP(BGP_NEXT_HOP_IPV4),  NEXT_HOP(BGP_NEXT_HOP_IPV6), NEXT_HOP(MPLS_NEXT_HOP_IPV4),
                 NEXT_HOP(MPLS_NEXT_HOP_IPV6), NEXT_HOP(IP_NEXT_HOP_IPV4),  NEXT_HOP(IP_NEXT_HOP_IPV6)};
#undef NEXT_HOP
    unsigned count = netflow->options.use_ip_next_hop ? array_length(order) : array_length(order) - 2;
    struct address found;
    bool any = false;

    for (unsigned i = 0; i < count; i++) {
        struct address address;

        if (!record_has(record, order[i].part))
            continue;
        memcpy(&address, (const uint8_t *)&record->parts + order[i].offset, sizeof(address));
        if (!any || !is_zero(&address))
            found = address;
        any = true;
        if (!is_zero(&found))
            break;
    }
    if (any)
        flow_set_peer_dst_ip(&record->flow, found);
}

/* With next hops of both families in a template the field holds that of IPv4. */
void finish_ip_next_hop(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;

    (void)netflow;
    if (record_has(record, PART_IP_NEXT_HOP_IPV6) && flow_has(flow, FIELD_IP_NEXT_HOP))
        flow_set_ip_next_hop(flow, used(&flow->ip_next_hop, &record->parts.IP_NEXT_HOP_IPV6));
}

/* Elements 130, 131, 403 and 404 in the record itself: a mediator tells from whom it had the flow. */
void finish_exporter(struct netflow *netflow, struct record *record)
{
    const struct parts *parts = &record->parts;
    struct address exporter = *finish_exporter_address(netflow);

    if (!netflow->options.ignore_exporter_address) {
        if (record_has(record, PART_EXPORTER_IPV4) && !is_zero(&parts->EXPORTER_IPV4))
            exporter = parts->EXPORTER_IPV4;
        else if (record_has(record, PART_EXPORTER_IPV6) && !is_zero(&parts->EXPORTER_IPV6))
            exporter = parts->EXPORTER_IPV6;
    }
    flow_set_peer_src_ip(&record->flow, exporter);
}
