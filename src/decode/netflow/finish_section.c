/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that carry the beginning of a sampled packet: elements 315 and 104 (a frame), 313 (from the IP header on),
 * 316 (from the MPLS stack on); RFC 7133, RFC 5477. The packet is decoded apart and gives the fields that the record
 * does not have. Where no element counts, the record is one packet of as many bytes as its IP header says; what is not
 * IP counts nothing.
 */
#include "decode/netflow/finish.h"
#include "decode/packet/packet.h"

enum { FRAME_IEEE80211 = 2 }; /* dataLinkFrameType, element 408 (RFC 7133 section 3.3.4): bits */

static enum packet_link ip_link(struct span section)
{
    unsigned version = section.length > 0 ? (uint8_t)section.data[0] >> 4 : 0;

    if (version == 4)
        return PACKET_LINK_IPV4;
    return version == 6 ? PACKET_LINK_IPV6 : PACKET_LINK_UNKNOWN;
}

static enum packet_verdict decode(struct netflow *netflow, struct span section, enum packet_link link,
                                  struct packet_info *info)
{
    *info = (struct packet_info){0};
    flow_clear(&netflow->finish->packet);
    if (section.length == 0 || link == PACKET_LINK_UNKNOWN)
        return PACKET_NOT_IP;
    return packet_decode(cursor_over(section.data, section.length), link, &netflow->finish->wants,
                         &netflow->finish->packet, info);
}

/* A "frame" without an Ethernet header is sent by some for interfaces that have none. */
static enum packet_verdict decode_frame(struct netflow *netflow, const struct record *record, struct packet_info *info)
{
    struct span section = record->parts.LINK_SECTION;
    bool wireless = record_has(record, PART_SECTION_TYPE) && record->parts.SECTION_TYPE == FRAME_IEEE80211;
    enum packet_verdict verdict =
        decode(netflow, section, wireless ? PACKET_LINK_IEEE80211 : PACKET_LINK_ETHERNET, info);

    if (verdict == PACKET_IP || ip_link(section) == PACKET_LINK_UNKNOWN)
        return verdict;
    struct field_set seen = netflow->finish->packet.have;
    enum packet_verdict second = decode(netflow, section, ip_link(section), info);
    if (second == PACKET_IP && info->ip_bytes >= section.length)
        return second;
    netflow->finish->packet.have = seen;
    return decode(netflow, section, wireless ? PACKET_LINK_IEEE80211 : PACKET_LINK_ETHERNET, info);
}

/* Fields of the packet that the record lacks. */
static void fill(struct flow *flow, const struct flow *packet)
{
    for (unsigned word = 0; word < FIELD_WORDS; word++) {
        uint64_t missing = packet->have.words[word] & ~flow->have.words[word];

        flow->have.words[word] |= missing;
        for (; missing != 0; missing &= missing - 1) {
            const struct field *field = &field_table[word * 64 + (unsigned)__builtin_ctzll(missing)];

            memcpy((uint8_t *)flow + field->flow_offset, (const uint8_t *)packet + field->flow_offset,
                   field->flow_bytes);
        }
    }
}

static uint64_t ip_bytes(const struct record *record, const struct packet_info *info, size_t captured)
{
    uint64_t frame = record_has(record, PART_SECTION_SIZE) ? record->parts.SECTION_SIZE : captured;

    if (info->ip_bytes != 0)
        return info->ip_bytes;
    return frame > info->l2_bytes ? frame - info->l2_bytes : 0;
}

void finish_section(struct netflow *netflow, struct record *record)
{
    const struct field_set *have = &record->definition->have;
    struct packet_info info;
    struct span section;
    enum packet_verdict verdict;

    if (record_has(record, PART_LINK_SECTION)) {
        section = record->parts.LINK_SECTION;
        verdict = decode_frame(netflow, record, &info);
    } else if (record_has(record, PART_IP_SECTION)) {
        section = record->parts.IP_SECTION;
        verdict = decode(netflow, section, ip_link(section), &info);
    } else if (record_has(record, PART_MPLS_SECTION)) {
        section = record->parts.MPLS_SECTION;
        verdict = decode(netflow, section, PACKET_LINK_MPLS, &info);
    } else {
        return;
    }
    fill(&record->flow, &netflow->finish->packet);
    if (verdict != PACKET_IP)
        return;
    if (!field_set_has(have, FIELD_PACKETS))
        flow_set_packets(&record->flow, 1);
    if (!field_set_has(have, FIELD_BYTES))
        flow_set_bytes(&record->flow, ip_bytes(record, &info, section.length) *
                                          (field_set_has(have, FIELD_PACKETS) ? record->flow.packets : 1));
}

/* A record without any counter that tells the length of an IP packet (224) reports this packet (RFC 5476). */
void finish_packet_length(struct netflow *netflow, struct record *record)
{
    const struct definition *definition = record->definition;

    (void)netflow;
    if (record->flow.packets != 0 || !definition->event || field_set_has(&definition->have, FIELD_PACKETS))
        return;
    flow_set_packets(&record->flow, record->parts.PACKET_LENGTH != 0);
    flow_set_bytes(&record->flow, record->parts.PACKET_LENGTH);
}
