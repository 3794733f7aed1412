/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow records: one row for each structure of sflow.org's lists and of pmacct (enterprise 43874), with the function
 * that reads it. A row without a function is known and says nothing that a field holds. What does not depend on other
 * records goes straight into the flow; lengths, packets, VLANs, labels and tunnels wait in the sample's scratch for
 * settle.c, so that the order of records makes no difference.
 */
#include "decode/sflow/private.h"

#include <stdio.h>

typedef bool read_record(struct sflow *sflow, struct cursor *cursor);

/*
 * A structure of `whole` octets; when there are fewer, but `least`, what is there with zeros after it, in `padded`.
 * NULL: too short to say anything.
 */
static const uint8_t *take_padded(struct cursor *cursor, size_t whole, size_t least, uint8_t *padded)
{
    size_t left = cursor_left(cursor);

    if (likely(left >= whole))
        return cursor_take(cursor, whole);
    if (left < least) {
        cursor_skip(cursor, SIZE_MAX);
        return NULL;
    }
    memset(padded, 0, whole);
    memcpy(padded, cursor_take(cursor, left), left);
    cursor->failed = true;
    return padded;
}

bool sflow_read_header(struct sflow *sflow, struct cursor *cursor, bool with_stripped)
{
    struct sflow_sample *sample = &sflow->sample;
    size_t fixed = with_stripped ? 16 : 12;
    const uint8_t *p = cursor_take(cursor, fixed);

    if (unlikely(p == NULL))
        return false;
    size_t size = load_be32(p + fixed - 4);
    size_t there = min_u64(size, cursor_left(cursor));
    const uint8_t *header = cursor_take(cursor, there);
    cursor_skip(cursor, min_u64(align_up(there, 4) - there, cursor_left(cursor)));
    if (likely((sample->have & PART_HEADER) == 0)) {
        sample->have |= PART_HEADER;
        sample->header_protocol = load_be32(p);
        sample->frame_bytes = load_be32(p + 4);
        sample->stripped_bytes = with_stripped ? load_be32(p + 8) : 0;
        sample->header = header;
        sample->header_bytes = (uint32_t)there;
    }
    return there == size;
}

static bool read_header(struct sflow *sflow, struct cursor *cursor)
{
    return sflow_read_header(sflow, cursor, true);
}

static bool read_ethernet(struct sflow *sflow, struct cursor *cursor)
{
    const uint8_t *p = cursor_take(cursor, sflow_ethernet_bytes);

    if (p == NULL)
        return false;
    sflow->sample.ethernet = p;
    sflow->sample.have |= PART_ETHERNET;
    return true;
}

bool sflow_read_ipv4(struct sflow *sflow, struct cursor *cursor)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = take_padded(cursor, sflow_ipv4_bytes, sflow_ipv4_least, sample->padded_ipv4);

    if (p != NULL) {
        sample->ipv4 = p;
        sample->have |= PART_IPV4;
    }
    return !cursor->failed;
}

bool sflow_read_ipv6(struct sflow *sflow, struct cursor *cursor)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = take_padded(cursor, sflow_ipv6_bytes, sflow_ipv6_least, sample->padded_ipv6);

    if (p != NULL) {
        sample->ipv6 = p;
        sample->have |= PART_IPV6;
    }
    return !cursor->failed;
}

bool sflow_read_switch(struct sflow *sflow, struct cursor *cursor)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = cursor_take(cursor, 12); /* the fourth word, the priority to send with, has no field */

    if (unlikely(p == NULL))
        return false;
    sample->source_vlan = load_be32(p);
    sample->source_priority = load_be32(p + 4);
    sample->destination_vlan = load_be32(p + 8);
    sample->have |= PART_SWITCH;
    cursor_skip(cursor, 4);
    return !cursor->failed;
}

/*
 * The router's next hop is ip_next_hop. peer_dst_ip is that of BGP, of the gateway record; the router's own one may
 * stand in for it (use_ip_next_hop).
 */
bool sflow_read_router(struct sflow *sflow, struct cursor *cursor)
{
    if (sflow_read_address(cursor, &sflow->sample.router_next_hop))
        sflow->sample.have |= PART_ROUTER_NEXT_HOP;
    uint32_t source = cursor_be32(cursor);
    if (unlikely(cursor->failed))
        return false;
    if (source <= 128)
        flow_set_src_mask(&sflow->flow, (uint8_t)source);
    uint32_t destination = cursor_be32(cursor);
    if (unlikely(cursor->failed))
        return false;
    if (destination <= 128)
        flow_set_dst_mask(&sflow->flow, (uint8_t)destination);
    return true;
}

static bool read_gateway(struct sflow *sflow, struct cursor *cursor)
{
    return sflow_read_gateway(sflow, cursor, 5);
}

/* The labels that the packet came with; those it left with when it came with none. */
static bool read_mpls(struct sflow *sflow, struct cursor *cursor)
{
    struct address next_hop;
    struct sflow_words in, out;

    (void)sflow_read_address(cursor, &next_hop);
    if (!sflow_read_words(cursor, &in))
        return false;
    if (in.count > 0) {
        sflow->sample.mpls = in;
        sflow->sample.have |= PART_MPLS;
    }
    if (!sflow_read_words(cursor, &out))
        return false;
    if (in.count == 0 && out.count > 0) {
        sflow->sample.mpls = out;
        sflow->sample.have |= PART_MPLS;
    }
    return true;
}

static bool read_nat(struct sflow *sflow, struct cursor *cursor)
{
    struct address address;

    if (sflow_read_address(cursor, &address))
        flow_set_post_nat_src_host(&sflow->flow, address);
    if (sflow_read_address(cursor, &address))
        flow_set_post_nat_dst_host(&sflow->flow, address);
    return !cursor->failed;
}

static bool read_nat_port(struct sflow *sflow, struct cursor *cursor)
{
    uint32_t source = cursor_be32(cursor);

    if (cursor->failed)
        return false;
    flow_set_post_nat_src_port(&sflow->flow, (uint16_t)source);
    uint32_t destination = cursor_be32(cursor);
    if (cursor->failed)
        return false;
    flow_set_post_nat_dst_port(&sflow->flow, (uint16_t)destination);
    return true;
}

static bool read_pseudowire(struct sflow *sflow, struct cursor *cursor)
{
    sflow_skip_opaque(cursor);
    uint32_t id = cursor_be32(cursor);
    if (cursor->failed)
        return false;
    flow_set_mpls_pw_id(&sflow->flow, id);
    cursor_skip(cursor, 4);
    return !cursor->failed;
}

static bool read_vlan_stack(struct sflow *sflow, struct cursor *cursor, struct sflow_words *words, uint32_t part)
{
    struct sflow_words stack;

    if (!sflow_read_words(cursor, &stack))
        return false;
    if (stack.count > 0) {
        *words = stack;
        sflow->sample.have |= part;
    }
    return true;
}

static bool read_vlan_tunnel(struct sflow *sflow, struct cursor *cursor)
{
    return read_vlan_stack(sflow, cursor, &sflow->sample.vlan_tunnel, PART_VLAN_TUNNEL);
}

static bool read_vlan_in(struct sflow *sflow, struct cursor *cursor)
{
    return read_vlan_stack(sflow, cursor, &sflow->sample.vlan_in, PART_VLAN_IN);
}

static bool read_vlan_out(struct sflow *sflow, struct cursor *cursor)
{
    return read_vlan_stack(sflow, cursor, &sflow->sample.vlan_out, PART_VLAN_OUT);
}

static bool read_tunnel(struct sflow *sflow, struct cursor *cursor, unsigned place, size_t whole, size_t least)
{
    struct sflow_sample *sample = &sflow->sample;
    const uint8_t *p = take_padded(cursor, whole, least, sample->padded_tunnel[place]);

    if (p != NULL) {
        sample->tunnel[place] = p;
        sample->have |= (uint32_t)PART_TUNNEL << place;
    }
    return !cursor->failed;
}

static bool read_tunnel_ethernet_egress(struct sflow *sflow, struct cursor *cursor)
{
    return read_tunnel(sflow, cursor, 0, sflow_ethernet_bytes, sflow_ethernet_bytes);
}

static bool read_tunnel_ethernet_ingress(struct sflow *sflow, struct cursor *cursor)
{
    return read_tunnel(sflow, cursor, 1, sflow_ethernet_bytes, sflow_ethernet_bytes);
}

static bool read_tunnel_ipv4_egress(struct sflow *sflow, struct cursor *cursor)
{
    return read_tunnel(sflow, cursor, 2, sflow_ipv4_bytes, sflow_ipv4_least);
}

static bool read_tunnel_ipv4_ingress(struct sflow *sflow, struct cursor *cursor)
{
    return read_tunnel(sflow, cursor, 3, sflow_ipv4_bytes, sflow_ipv4_least);
}

static bool read_tunnel_ipv6_egress(struct sflow *sflow, struct cursor *cursor)
{
    return read_tunnel(sflow, cursor, 4, sflow_ipv6_bytes, sflow_ipv6_least);
}

static bool read_tunnel_ipv6_ingress(struct sflow *sflow, struct cursor *cursor)
{
    return read_tunnel(sflow, cursor, 5, sflow_ipv6_bytes, sflow_ipv6_least);
}

static bool read_vni_egress(struct sflow *sflow, struct cursor *cursor)
{
    sflow->sample.vni_egress = cursor_be32(cursor);
    sflow->sample.have |= cursor->failed ? 0 : PART_VNI_EGRESS;
    return !cursor->failed;
}

static bool read_vni_ingress(struct sflow *sflow, struct cursor *cursor)
{
    sflow->sample.vni_ingress = cursor_be32(cursor);
    sflow->sample.have |= cursor->failed ? 0 : PART_VNI_INGRESS;
    return !cursor->failed;
}

/* Nanoseconds since 1970 UTC at which the agent saw the packet. */
static bool read_timestamp(struct sflow *sflow, struct cursor *cursor)
{
    uint64_t ns = cursor_be64(cursor);

    if (!cursor->failed && ns <= INT64_MAX)
        flow_set_timestamp_start(&sflow->flow, (int64_t)ns);
    return !cursor->failed;
}

static bool read_tags(struct sflow *sflow, struct cursor *cursor)
{
    uint64_t tag = cursor_be64(cursor);

    if (cursor->failed)
        return false;
    flow_set_tag(&sflow->flow, tag);
    uint64_t tag2 = cursor_be64(cursor);
    if (cursor->failed)
        return false;
    flow_set_tag2(&sflow->flow, tag2);
    return true;
}

/* nDPI's numbers of the master and the application protocol, as "master.application". */
static bool read_class(struct sflow *sflow, struct cursor *cursor)
{
    uint32_t master = cursor_be32(cursor), application = cursor_be32(cursor);

    if (cursor->failed)
        return false;
    if (sflow->wants_class) {
        int length = snprintf(sflow->class_name, sizeof(sflow->class_name), "%u.%u", master, application);
        flow_set_class_name(&sflow->flow, (struct span){sflow->class_name, (uint32_t)length});
    }
    return true;
}

#define pmacct_enterprise 43874

#define gives_max 8

static const struct flow_record {
    uint32_t enterprise, format;
    read_record *read; /* NULL: known, and no field takes anything of it */
    uint32_t gives_count; /* 0: always read; else only when one of these is wanted */
    enum field_id gives[gives_max];
} flow_record_table[] = {
    {0, 1, read_header, 0, {0}},
    {0, 1001, sflow_read_switch, 4, {FIELD_VLAN, FIELD_IN_VLAN, FIELD_OUT_VLAN, FIELD_COS}},
    {0, 1002, sflow_read_router, 4, {FIELD_SRC_MASK, FIELD_DST_MASK, FIELD_PEER_DST_IP, FIELD_IP_NEXT_HOP}},
    {0, 1003, read_gateway, 8, {FIELD_SRC_AS, FIELD_DST_AS, FIELD_PEER_SRC_AS, FIELD_PEER_DST_AS, FIELD_PEER_DST_IP,
                                FIELD_AS_PATH, FIELD_STD_COMM, FIELD_LOCAL_PREF}},
    {0, 2, read_ethernet, 0, {0}},
    {0, 3, sflow_read_ipv4, 0, {0}},
    {0, 4, sflow_read_ipv6, 0, {0}},
    {0, 1004, NULL, 0, {0}}, /* extended_user */
    {0, 1005, NULL, 0, {0}}, /* extended_url */
    {0, 1006, read_mpls, 0, {0}},
    {0, 1007, read_nat, 0, {0}},
    {0, 1008, NULL, 0, {0}}, /* extended_mpls_tunnel */
    {0, 1009, read_pseudowire, 0, {0}},
    {0, 1010, NULL, 0, {0}}, /* extended_mpls_FTN */
    {0, 1011, NULL, 0, {0}}, /* extended_mpls_LDP_FEC */
    {0, 1012, read_vlan_tunnel, 0, {0}},
    {0, 1013, NULL, 0, {0}}, /* extended_80211_payload */
    {0, 1014, NULL, 0, {0}}, /* extended_80211_rx */
    {0, 1015, NULL, 0, {0}}, /* extended_80211_tx */
    {0, 1016, NULL, 0, {0}}, /* extended_80211_aggregation */
    {0, 1017, NULL, 0, {0}}, /* extended_openflow_v1 */
    {0, 1018, NULL, 0, {0}}, /* extended_fc */
    {0, 1019, NULL, 0, {0}}, /* extended_queue_length */
    {0, 1020, read_nat_port, 0, {0}},
    {0, 1021, read_tunnel_ethernet_egress, 0, {0}},
    {0, 1022, read_tunnel_ethernet_ingress, 0, {0}},
    {0, 1023, read_tunnel_ipv4_egress, 0, {0}},
    {0, 1024, read_tunnel_ipv4_ingress, 0, {0}},
    {0, 1025, read_tunnel_ipv6_egress, 0, {0}},
    {0, 1026, read_tunnel_ipv6_ingress, 0, {0}},
    {0, 1027, NULL, 0, {0}}, /* extended_decapsulate_egress */
    {0, 1028, NULL, 0, {0}}, /* extended_decapsulate_ingress */
    {0, 1029, read_vni_egress, 0, {0}},
    {0, 1030, read_vni_ingress, 0, {0}},
    {0, 1031, NULL, 0, {0}}, /* extended_ib_lrh */
    {0, 1032, NULL, 0, {0}}, /* extended_ib_grh */
    {0, 1033, NULL, 0, {0}}, /* extended_ib_bth */
    {0, 1034, read_vlan_in, 0, {0}},
    {0, 1035, read_vlan_out, 0, {0}},
    {0, 1036, NULL, 0, {0}}, /* extended_egress_queue */
    {0, 1037, NULL, 0, {0}}, /* extended_acl */
    {0, 1038, NULL, 0, {0}}, /* extended_function */
    {0, 1039, NULL, 0, {0}}, /* extended_transit */
    {0, 1040, NULL, 0, {0}}, /* extended_queue */
    {0, 1041, NULL, 0, {0}}, /* extended_hw_trap */
    {0, 1042, NULL, 0, {0}}, /* extended_linux_drop_reason */
    {0, 1043, read_timestamp, 0, {0}},
    {0, 2000, NULL, 0, {0}}, /* transaction */
    {0, 2001, NULL, 0, {0}}, /* extended_nfs_storage_transaction */
    {0, 2002, NULL, 0, {0}}, /* extended_scsi_storage_transaction */
    {0, 2003, NULL, 0, {0}}, /* extended_http_transaction */
    {0, 2100, NULL, 0, {0}}, /* extended_socket_ipv4 */
    {0, 2101, NULL, 0, {0}}, /* extended_socket_ipv6 */
    {0, 2102, NULL, 0, {0}}, /* extended_proxy_socket_ipv4 */
    {0, 2103, NULL, 0, {0}}, /* extended_proxy_socket_ipv6 */
    {0, 2200, NULL, 0, {0}}, /* memcache_operation */
    {0, 2201, NULL, 0, {0}}, /* http_request, deprecated */
    {0, 2202, NULL, 0, {0}}, /* app_operation */
    {0, 2203, NULL, 0, {0}}, /* app_parent_context */
    {0, 2204, NULL, 0, {0}}, /* app_initiator */
    {0, 2205, NULL, 0, {0}}, /* app_target */
    {0, 2206, NULL, 0, {0}}, /* http_request */
    {0, 2207, NULL, 0, {0}}, /* extended_proxy_request */
    {0, 2208, NULL, 0, {0}}, /* extended_nav_timing */
    {0, 2209, NULL, 0, {0}}, /* extended_tcp_info */
    {0, 2210, NULL, 0, {0}}, /* extended_entities */
    {4413, 1, NULL, 0, {0}}, /* extended_bst_egress_queue */
    {pmacct_enterprise, 1, NULL, 0, {0}}, /* class as text, of old releases */
    {pmacct_enterprise, 2, read_tags, 0, {0}},
    {pmacct_enterprise, 3, read_class, 0, {0}},
};

/* Nobody asks for what the record gives: it is passed over by its length and not looked into. */
static bool is_wanted(const struct sflow *sflow, const struct flow_record *record)
{
    bool wanted = record->read != NULL && record->gives_count == 0;

    for (unsigned i = 0; i < record->gives_count; i++)
        wanted |= field_set_has(&sflow->output.wants, record->gives[i]);
    return wanted;
}

void sflow_index_flow_records(struct sflow *sflow)
{
    _Static_assert(array_length(flow_record_table) + 1 < sflow_record_unwanted, "rows + 1 fit into an octet");
    for (unsigned row = 0; row < array_length(flow_record_table); row++) {
        const struct flow_record *record = &flow_record_table[row];
        unsigned place = record->enterprise == 0 ? sflow_record_place(record->format) : UINT32_MAX;
        if (place < array_length(sflow->flow_record_index))
            sflow->flow_record_index[place] = is_wanted(sflow, record) ? (uint8_t)(row + 1) : sflow_record_unwanted;
    }
}

static const struct flow_record *find_record(const struct sflow *sflow, uint32_t data_format)
{
    unsigned place = sflow_record_place(data_format);

    if (likely(place < array_length(sflow->flow_record_index))) {
        unsigned row = sflow->flow_record_index[place];
        return row != 0 ? &flow_record_table[row - 1] : NULL;
    }
    for (unsigned row = 0; row < array_length(flow_record_table); row++) {
        const struct flow_record *record = &flow_record_table[row];
        if (data_format == (record->enterprise << 12 | record->format))
            return record;
    }
    return NULL;
}

/*
 * The octets, not a cursor: a struct passed by value is stored in halves and loaded whole, which stalls each record.
 */
void sflow_flow_record(struct sflow *sflow, uint32_t data_format, const uint8_t *bytes, size_t size)
{
    struct cursor record = cursor_over(bytes, size);
    const struct flow_record *known = find_record(sflow, data_format);

    if (unlikely(known == NULL)) {
        sflow_count(sflow, INPUT_structures_unknown);
        ledger_count_structure(sflow->output.ledger, LEDGER_STRUCTURE_FLOW, data_format >> 12, data_format & 0xfff);
    } else if (known->read != NULL && unlikely(!known->read(sflow, &record))) {
        sflow_count(sflow, INPUT_structures_malformed);
    }
}
