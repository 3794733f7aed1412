/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labels and segments: the MPLS stack of elements 70 to 79, the network identifiers of overlays, segment lists of SRv6.
 * Texts stand in struct finish until the next record.
 */
#include "decode/netflow/finish.h"

#define element_labels 70 /* and the nine after it */
#define segment_octets 16

static uint32_t append_number(char *text, uint32_t length, uint32_t number)
{
    char digits[10];
    unsigned count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        text[length++] = digits[--count];
    return length;
}

/* Some send an entry with its time to live, in four octets; the length of the first one says it for all. */
static bool has_time_to_live(const struct definition *definition)
{
    for (unsigned i = definition->scope_count; i < definition->field_count; i++) {
        const struct template_field *field = &definition->fields[i];

        if (field->id >= element_labels && field->id < element_labels + finish_labels_max && field->enterprise == 0)
            return field->length == 4;
    }
    return false;
}

/*
 * An entry has 20 bits of label, 3 of traffic class and 1 that is set on the last one (RFC 3032 section 2.1). Elements
 * behind the last entry are zero.
 */
void finish_labels(struct netflow *netflow, struct record *record)
{
#define LABEL(n) {PART_MPLS_##n, offsetof(struct parts, MPLS_##n)}
    static const struct {
        enum part_id part;
        size_t offset;
    } places[finish_labels_max] = {LABEL(1), LABEL(2), LABEL(3), LABEL(4), LABEL(5),
                                   LABEL(6), LABEL(7), LABEL(8), LABEL(9), LABEL(10)};
#undef LABEL
    struct finish *finish = netflow->finish;
    unsigned shift = has_time_to_live(record->definition) ? 8 : 0;
    uint32_t length = 0, label = 0;
    bool any = false;

    for (unsigned i = 0; i < array_length(places); i++) {
        uint64_t entry;

        if (!record_has(record, places[i].part))
            continue;
        entry = load_u64((const uint8_t *)&record->parts + places[i].offset) >> shift;
        if (entry == 0)
            break;
        label = (uint32_t)(entry >> 4) & 0xfffff;
        if (!any)
            flow_set_mpls_label_top(&record->flow, label);
        else
            finish->labels[length++] = '_';
        any = true;
        length = append_number(finish->labels, length, label);
        if (entry & 1)
            break;
    }
    if (!any)
        return;
    flow_set_mpls_label_bottom(&record->flow, label);
    flow_set_mpls_label_stack(&record->flow, (struct span){finish->labels, length});
}

/* layer2SegmentId: the first octet says of what, the last three are the identifier (registry, element 351). */
void finish_segment(struct netflow *netflow, struct record *record)
{
    enum { SEGMENT_VXLAN = 1, SEGMENT_NVGRE = 2 };
    uint32_t id = (uint32_t)record->parts.SEGMENT & 0xffffff;

    (void)netflow;
    if (record->parts.SEGMENT >> 56 == SEGMENT_VXLAN)
        flow_set_vxlan(&record->flow, id);
    else if (record->parts.SEGMENT >> 56 == SEGMENT_NVGRE)
        flow_set_nvgre(&record->flow, id);
}

/* Open vSwitch: tunnelKey of a tunnel whose type is VXLAN. */
void finish_tunnel_key(struct netflow *netflow, struct record *record)
{
    enum { TUNNEL_VXLAN = 1 };

    (void)netflow;
    if (record_has(record, PART_TUNNEL_KEY) && record_has(record, PART_TUNNEL_TYPE) &&
        record->parts.TUNNEL_TYPE == TUNNEL_VXLAN && !flow_has(&record->flow, FIELD_VXLAN))
        flow_set_vxlan(&record->flow, (uint32_t)record->parts.TUNNEL_KEY & 0xffffff);
}

/* The values of a basicList (RFC 6313 section 4.5.1) of addresses; none when its elements are something else. */
static struct cursor list_values(struct span list)
{
    struct cursor cursor = cursor_over(list.data, list.length);

    cursor_skip(&cursor, 1); /* semantic */
    if (cursor_be16(&cursor) & 0x8000)
        cursor_skip(&cursor, 4); /* enterprise */
    if (cursor_be16(&cursor) != segment_octets)
        cursor.at = cursor.end;
    return cursor;
}

/* Elements 497, the segments one after the other, and 496, a list of them (RFC 9487 section 3). */
void finish_segment_list(struct netflow *netflow, struct record *record)
{
    struct finish *finish = netflow->finish;
    const struct span *plain = &record->parts.SEGMENT_LIST;
    struct cursor cursor;
    uint32_t length = 0;
    const uint8_t *octets;

    if (record_has(record, PART_SEGMENT_LIST))
        cursor = cursor_over(plain->data, plain->length);
    else
        cursor = list_values(record->parts.SEGMENT_BASIC_LIST);
    for (unsigned i = 0; i < finish_segments_max && (octets = cursor_take(&cursor, segment_octets)) != NULL; i++) {
        struct address segment;

        address_set_ipv6(&segment, octets);
        if (i > 0)
            finish->segments[length++] = '_';
        length += (uint32_t)address_format(&segment, finish->segments + length);
    }
    if (length > 0)
        flow_set_srv6_seg_ipv6_list(&record->flow, (struct span){finish->segments, length});
}
