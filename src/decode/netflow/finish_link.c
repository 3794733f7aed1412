/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small steps around interfaces, VLANs and headers: one field each, of two or three elements.
 */
#include "decode/netflow/finish.h"

enum { DIRECTION_INGRESS = 0, DIRECTION_EGRESS = 1 }; /* element 61 */

/* Logical interfaces (10, 14) that are 0 where the template has physical ones (252, 253) too. */
void finish_interfaces(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;

    (void)netflow;
    if (record_has(record, PART_IN_PHYSICAL) && (!flow_has(flow, FIELD_IN_IFACE) || flow->in_iface == 0))
        flow_set_in_iface(flow, (uint32_t)min_u64(record->parts.IN_PHYSICAL, UINT32_MAX));
    if (record_has(record, PART_OUT_PHYSICAL) && (!flow_has(flow, FIELD_OUT_IFACE) || flow->out_iface == 0))
        flow_set_out_iface(flow, (uint32_t)min_u64(record->parts.OUT_PHYSICAL, UINT32_MAX));
}

void finish_direction(struct netflow *netflow, struct record *record)
{
    char letter = 'u';

    (void)netflow;
    if (record->parts.DIRECTION == DIRECTION_INGRESS)
        letter = 'i';
    else if (record->parts.DIRECTION == DIRECTION_EGRESS)
        letter = 'e';
    flow_set_sampling_direction(&record->flow, letter);
}

/* What was metered where it left has the VLAN with which it left. */
void finish_vlan(struct netflow *netflow, struct record *record)
{
    if (record_has(record, PART_DIRECTION) && record->parts.DIRECTION == DIRECTION_EGRESS &&
        record_has(record, PART_POST_VLAN) && finish_wants(netflow, FIELD_VLAN))
        flow_set_vlan(&record->flow, (uint16_t)min_u64(record->parts.POST_VLAN, UINT16_MAX));
}

/* Element 195 has the upper six bits of what 5 has. */
void finish_dscp(struct netflow *netflow, struct record *record)
{
    (void)netflow;
    if (!flow_has(&record->flow, FIELD_TOS))
        flow_set_tos(&record->flow, (uint8_t)((record->parts.DSCP & 63) << 2));
}

/*
 * Juniper's commonPropertiesId (enterprise 2636, element 137): six bits of type, ten of value; type 2 is the exception
 * for which a packet was not forwarded, 0 for none. Given as 89 has it, RFC 7270 section 4.12: forwarded or dropped,
 * without a reason.
 */
void finish_forwarding(struct netflow *netflow, struct record *record)
{
    enum { TYPE_EXCEPTION = 2, FORWARDED = 64, DROPPED = 128 };
    uint64_t properties = record->parts.COMMON_PROPERTIES;

    (void)netflow;
    if (!flow_has(&record->flow, FIELD_FWD_STATUS) && (properties >> 10 & 63) == TYPE_EXCEPTION)
        flow_set_fwd_status(&record->flow, (properties & 1023) == 0 ? FORWARDED : DROPPED);
}

/* The mean delay of those who tell only the sum over the packets. */
void finish_delay(struct netflow *netflow, struct record *record)
{
    struct flow *flow = &record->flow;

    (void)netflow;
    if (!flow_has(flow, FIELD_PATH_DELAY_AVG_USEC) && flow->packets != 0)
        flow_set_path_delay_avg_usec(flow, record->parts.DELAY_SUM / flow->packets);
}
