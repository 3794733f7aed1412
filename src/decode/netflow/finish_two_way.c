/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of both directions of a flow become two records, forward and reverse, which has the ends swapped:
 *
 *   RFC 5103  reverse elements, enterprise 29305. options.biflow: SPLIT, or SINGLE adds both up, or IGNORE
 *   NSEL      initiator and responder of Cisco's firewalls, elements 231, 232, 298, 299, with options.asa_bi_flow and
 *             where no other element counts. By their definition they count from report to report
 *
 * The forward record is always handed on, also with zero counters, since it may be an event; the reverse one when it
 * has counted something. What the exporter does not tell of the reverse direction is taken to be the same where it is
 * of the flow (protocol, ToS, VLAN, times), and unknown where it is of one direction: TCP flags, next hop.
 */
#include "base/time.h"
#include "decode/netflow/finish.h"

#define millisecond_ns INT64_C(1000000)

static const struct {
    uint8_t source, destination;
} mirror[] = {
    {FIELD_SRC_HOST, FIELD_DST_HOST},
    {FIELD_SRC_PORT, FIELD_DST_PORT},
    {FIELD_SRC_MASK, FIELD_DST_MASK},
    {FIELD_SRC_NET, FIELD_DST_NET},
    {FIELD_SRC_AS, FIELD_DST_AS},
    {FIELD_PEER_SRC_AS, FIELD_PEER_DST_AS},
    {FIELD_SRC_MAC, FIELD_DST_MAC},
    {FIELD_IN_IFACE, FIELD_OUT_IFACE},
    {FIELD_IN_IFACE_NAME, FIELD_OUT_IFACE_NAME},
    {FIELD_IN_VLAN, FIELD_OUT_VLAN},
    {FIELD_IN_CVLAN, FIELD_OUT_CVLAN},
    {FIELD_INGRESS_VRF_NAME, FIELD_EGRESS_VRF_NAME},
    {FIELD_INGRESS_VRF_ID, FIELD_EGRESS_VRF_ID},
    {FIELD_POST_NAT_SRC_HOST, FIELD_POST_NAT_DST_HOST},
    {FIELD_POST_NAT_SRC_PORT, FIELD_POST_NAT_DST_PORT},
    {FIELD_TUNNEL_SRC_HOST, FIELD_TUNNEL_DST_HOST},
    {FIELD_TUNNEL_SRC_PORT, FIELD_TUNNEL_DST_PORT},
    {FIELD_TUNNEL_SRC_MAC, FIELD_TUNNEL_DST_MAC},
};

bool finish_is_two_way(const struct definition *definition, bool responder)
{
    for (unsigned i = definition->scope_count; i < definition->field_count; i++) {
        const struct template_field *field = &definition->fields[i];

        if (field->enterprise == enterprise_reverse)
            return true;
        if (responder && field->enterprise == 0 && (field->id == 232 || field->id == 299))
            return true;
    }
    return false;
}

void finish_mirror(const struct netflow *netflow, const struct definition *definition, struct field_set *wants)
{
    if (!finish_is_two_way(definition, netflow->options.asa_bi_flow))
        return;
    for (unsigned i = 0; i < array_length(mirror); i++) {
        if (field_set_has(wants, mirror[i].source))
            field_set_add(wants, mirror[i].destination);
        else if (field_set_has(wants, mirror[i].destination))
            field_set_add(wants, mirror[i].source);
    }
}

static void swap_fields(struct flow *flow, enum field_id a, enum field_id b)
{
    uint8_t *at_a = (uint8_t *)flow + field_table[a].flow_offset, *at_b = (uint8_t *)flow + field_table[b].flow_offset;
    uint16_t bytes = field_table[a].flow_bytes;
    bool has_a = flow_has(flow, a), has_b = flow_has(flow, b);
    uint8_t kept[sizeof(struct span) > sizeof(struct address) ? sizeof(struct span) : sizeof(struct address)];

    if (!has_a && !has_b)
        return;
    memcpy(kept, at_a, bytes);
    memcpy(at_a, at_b, bytes);
    memcpy(at_b, kept, bytes);
    field_set_remove(&flow->have, a);
    field_set_remove(&flow->have, b);
    if (has_b)
        field_set_add(&flow->have, a);
    if (has_a)
        field_set_add(&flow->have, b);
}

/* What the reverse direction has counted; false when nothing is told of it or it is to be passed over. */
static bool reverse_counters(const struct netflow *netflow, const struct record *record, uint64_t *bytes,
                             uint64_t *packets)
{
    const struct parts *parts = &record->parts;

    *bytes = 0;
    *packets = 0;
    if (netflow->options.biflow != NETFLOW_BIFLOW_IGNORE) {
        if (record_has(record, PART_REVERSE_BYTES))
            *bytes = parts->REVERSE_BYTES;
        if (record_has(record, PART_REVERSE_PACKETS))
            *packets = parts->REVERSE_PACKETS;
    }
    if (netflow->options.asa_bi_flow) {
        const struct field_set *have = &record->definition->have;

        if (record_has(record, PART_RESPONDER_BYTES) && !field_set_has(have, FIELD_BYTES))
            *bytes = parts->RESPONDER_BYTES;
        if (record_has(record, PART_RESPONDER_PACKETS) && !field_set_has(have, FIELD_PACKETS))
            *packets = parts->RESPONDER_PACKETS;
    }
    return *bytes != 0 || *packets != 0;
}

static void set_initiator(const struct netflow *netflow, struct record *record)
{
    const struct field_set *have = &record->definition->have;

    if (!netflow->options.asa_bi_flow)
        return;
    if (record_has(record, PART_INITIATOR_BYTES) && !field_set_has(have, FIELD_BYTES))
        flow_set_bytes(&record->flow, record->parts.INITIATOR_BYTES);
    if (record_has(record, PART_INITIATOR_PACKETS) && !field_set_has(have, FIELD_PACKETS))
        flow_set_packets(&record->flow, record->parts.INITIATOR_PACKETS);
}

/* A reverse time that does not lie near the forward one's is not believed. */
static int64_t reverse_time(const struct record *record, enum part_id part, uint64_t milliseconds, int64_t forward_ns)
{
    const int64_t day_ns = 86400 * time_second_ns;
    int64_t ns;

    if (!record_has(record, part) || milliseconds == 0 || milliseconds > (uint64_t)(INT64_MAX / millisecond_ns))
        return forward_ns;
    ns = (int64_t)milliseconds * millisecond_ns;
    return ns < forward_ns - day_ns || ns > forward_ns + day_ns ? forward_ns : ns;
}

/* Makes the reverse record of the forward one. */
static void turn(struct record *record)
{
    const struct parts *parts = &record->parts;
    struct flow *flow = &record->flow;

    for (unsigned i = 0; i < array_length(mirror); i++)
        swap_fields(flow, mirror[i].source, mirror[i].destination);
    field_set_remove(&flow->have, FIELD_PEER_DST_IP);
    field_set_remove(&flow->have, FIELD_IP_NEXT_HOP);
    field_set_remove(&flow->have, FIELD_TCPFLAGS);
    if (record_has(record, PART_REVERSE_TCPFLAGS))
        flow_set_tcpflags(flow, parts->REVERSE_TCPFLAGS & 0xff);
    if (record_has(record, PART_REVERSE_TOS))
        flow_set_tos(flow, (uint8_t)parts->REVERSE_TOS);
    if (flow_has(flow, FIELD_TIMESTAMP_START))
        flow->timestamp_start =
            reverse_time(record, PART_REVERSE_START_MS, parts->REVERSE_START_MS, flow->timestamp_start);
    if (flow_has(flow, FIELD_TIMESTAMP_END))
        flow->timestamp_end = reverse_time(record, PART_REVERSE_END_MS, parts->REVERSE_END_MS, flow->timestamp_end);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t result;

    return __builtin_add_overflow(a, b, &result) ? UINT64_MAX : result;
}

static void emit_single(struct netflow *netflow, struct record *record, uint64_t bytes, uint64_t packets)
{
    flow_set_bytes(&record->flow, sum(record->flow.bytes, bytes));
    flow_set_packets(&record->flow, sum(record->flow.packets, packets));
    if (record_has(record, PART_REVERSE_TCPFLAGS) && flow_has(&record->flow, FIELD_TCPFLAGS))
        record->flow.tcpflags |= record->parts.REVERSE_TCPFLAGS & 0xff;
    run_emit(netflow);
}

void finish_two_ways(struct netflow *netflow, struct record *record)
{
    struct finish *finish = netflow->finish;
    uint64_t bytes, packets;
    bool reverse;

    if (finish_dropped(netflow))
        return;
    reverse = reverse_counters(netflow, record, &bytes, &packets);
    set_initiator(netflow, record);
    if (!reverse) {
        run_emit(netflow);
        return;
    }
    if (netflow->options.biflow == NETFLOW_BIFLOW_SINGLE) {
        emit_single(netflow, record, bytes, packets);
        return;
    }
    finish->forward = record->flow; /* whoever takes a record may change it */
    run_emit(netflow);
    record->flow = finish->forward;
    turn(record);
    flow_set_bytes(&record->flow, bytes);
    flow_set_packets(&record->flow, packets);
    netflow_count(netflow, INPUT_data_records_reversed);
    run_emit(netflow);
    record->flow = finish->forward; /* what holds for the whole set must be as it was */
}
