/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nflog_message.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>

#include "base/cursor.h"
#include "base/time.h"

#define link_ethernet 1
#define link_raw 101
#define macs_bytes 12                  /* destination and source */
#define header_bytes_max 64            /* Ethernet and some tags; a longer one is not believed */
#define tags_max 4
#define message_packet ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET)

/* One message, taken apart. What the kernel did not tell is empty or 0. */
struct packet {
    struct cursor payload, hardware, link;
    uint32_t in_iface, out_iface, sequence;
    uint16_t etype, hardware_type;
    uint8_t family, hook;
    uint16_t vlan_etype, vlan_tci;
    int64_t when_ns;
    bool has_payload, has_sequence;
};

/* The next attribute: its type and a cursor over its value. False at the end, or when the rest is none. */
static bool next_attribute(struct cursor *at, uint16_t *type, struct cursor *value)
{
    const uint8_t *header = cursor_left(at) >= NLA_HDRLEN ? cursor_take(at, NLA_HDRLEN) : NULL;
    uint16_t length;
    size_t padding;

    if (header == NULL)
        return false;
    length = load_u16(header);
    if (length < NLA_HDRLEN || (size_t)(length - NLA_HDRLEN) > cursor_left(at)) {
        at->failed = true;
        return false;
    }
    *type = load_u16(header + 2) & NLA_TYPE_MASK;
    *value = cursor_sub(at, length - NLA_HDRLEN);
    padding = NLA_ALIGN(length) - length;
    cursor_skip(at, min_u64(padding, cursor_left(at))); /* the last one may have none */
    return true;
}

static void read_vlan(struct cursor nest, struct packet *packet)
{
    struct cursor value;
    uint16_t type;

    while (next_attribute(&nest, &type, &value)) {
        if (type == NFULA_VLAN_PROTO)
            packet->vlan_etype = cursor_be16(&value);
        else if (type == NFULA_VLAN_TCI)
            packet->vlan_tci = cursor_be16(&value);
    }
}

static void read_attribute(uint16_t type, struct cursor value, struct packet *packet)
{
    switch (type) {
    case NFULA_PACKET_HDR:
        packet->etype = cursor_be16(&value);
        packet->hook = cursor_u8(&value);
        break;
    case NFULA_TIMESTAMP: {
        int64_t seconds = (int64_t)cursor_be64(&value);
        int64_t micros = (int64_t)cursor_be64(&value);

        if (!value.failed && seconds > 0 && seconds < INT64_MAX / time_second_ns && micros >= 0 && micros < 1000000)
            packet->when_ns = seconds * time_second_ns + micros * 1000;
        break;
    }
    case NFULA_IFINDEX_INDEV:
        packet->in_iface = cursor_be32(&value);
        break;
    case NFULA_IFINDEX_OUTDEV:
        packet->out_iface = cursor_be32(&value);
        break;
    case NFULA_SEQ:
        packet->has_sequence = cursor_left(&value) >= sizeof(uint32_t);
        packet->sequence = cursor_be32(&value);
        break;
    case NFULA_HWTYPE:
        packet->hardware_type = cursor_be16(&value);
        break;
    case NFULA_HWHEADER:
        packet->hardware = value;
        break;
    case NFULA_L2HDR:
        packet->link = value;
        break;
    case NFULA_VLAN:
        read_vlan(value, packet);
        break;
    case NFULA_PAYLOAD:
        packet->payload = value;
        packet->has_payload = true;
        break;
    default:
        break;
    }
}

static void put_be16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static bool is_ethernet(uint16_t hardware_type)
{
    return hardware_type == ARPHRD_ETHER || hardware_type == ARPHRD_LOOPBACK;
}

/* What a device is about to send (netdev, hook egress) has its link header in the packet already. */
static void take_off_header(struct packet *packet)
{
    size_t bytes = cursor_left(&packet->link);

    if (packet->family == NFPROTO_NETDEV && packet->hook == NF_NETDEV_EGRESS && bytes > 0 &&
        bytes <= cursor_left(&packet->payload) && memcmp(packet->payload.at, packet->link.at, bytes) == 0)
        cursor_skip(&packet->payload, bytes);
}

/*
 * The link header that is to stand before the packet. Of the tables inet, ip and ip6 only the addresses of the
 * hardware header are used: its EtherType may be that of a tag which has been taken off. The tables bridge and netdev
 * tell the whole header (NFULA_L2HDR), and a tag that the device has taken out of it (NFULA_VLAN). Returns its length,
 * 0 when there is none.
 */
static size_t make_header(const struct packet *packet, uint8_t header[header_bytes_max])
{
    size_t link_bytes = cursor_left(&packet->link);
    size_t tag_bytes = packet->vlan_etype != 0 ? 4 : 0;

    if (link_bytes >= ETH_HLEN && link_bytes + tag_bytes <= header_bytes_max &&
        (packet->hardware_type == 0 || is_ethernet(packet->hardware_type))) {
        memcpy(header, packet->link.at, macs_bytes);
        memcpy(header + macs_bytes + tag_bytes, packet->link.at + macs_bytes, link_bytes - macs_bytes);
        if (tag_bytes > 0) {
            put_be16(header + macs_bytes, packet->vlan_etype);
            put_be16(header + macs_bytes + 2, packet->vlan_tci);
        }
        return link_bytes + tag_bytes;
    }
    if (is_ethernet(packet->hardware_type) && cursor_left(&packet->hardware) >= ETH_HLEN)
        memcpy(header, packet->hardware.at, macs_bytes);
    else if (packet->etype == ETH_P_IP || packet->etype == ETH_P_IPV6 || packet->etype == 0)
        return 0;
    else
        memset(header, 0, macs_bytes); /* ARP and the like: only the EtherType tells what it is */
    put_be16(header + macs_bytes, packet->etype);
    return ETH_HLEN;
}

/*
 * The packet's length as it was, when only the first bytes of it came: netfilter does not tell it, but the IP header
 * does, perhaps behind tags. It says 0 above 64 KB (segments that the card cuts up): then it is what is there.
 */
static uint32_t whole_length(uint16_t etype, struct cursor payload)
{
    uint32_t captured = (uint32_t)cursor_left(&payload);
    uint32_t before, told = 0; /* before the IP header */
    uint8_t version;

    for (unsigned tags = 0; tags < tags_max && (etype == ETH_P_8021Q || etype == ETH_P_8021AD); tags++) {
        cursor_skip(&payload, 2);
        etype = cursor_be16(&payload);
    }
    before = captured - (uint32_t)cursor_left(&payload);
    version = cursor_left(&payload) > 0 ? payload.at[0] >> 4 : 0;
    if (version == 4 && (etype == ETH_P_IP || etype == 0)) {
        cursor_skip(&payload, 2);
        told = cursor_be16(&payload);
    } else if (version == 6 && (etype == ETH_P_IPV6 || etype == 0)) {
        cursor_skip(&payload, 4);
        told = cursor_be16(&payload);
        told += told > 0 ? 40 : 0;
    }
    return told + before > captured ? told + before : captured;
}

/* The range of numbers is a ring (RFC 1982): what seems to lie behind is no gap. */
static void count_gap(struct nflog_reader *reader, uint32_t sequence)
{
    uint32_t gap = sequence - reader->expected;

    if (gap <= INT32_MAX)
        reader->lost += gap;
    reader->expected = sequence + 1;
}

/* `message` is where it begins: up to the payload its bytes have been read, and may be written over. */
static void read_packet(struct nflog_reader *reader, uint8_t *message, struct cursor body, int64_t now_ns)
{
    const uint8_t *about = cursor_take(&body, NLMSG_ALIGN(sizeof(struct nfgenmsg))); /* its first byte: the family */
    struct packet packet = {.when_ns = now_ns, .family = about != NULL ? about[0] : 0};
    uint8_t header[header_bytes_max];
    struct frame frame = {0};
    struct cursor value;
    size_t header_bytes, before;
    uint16_t type;

    while (next_attribute(&body, &type, &value))
        read_attribute(type, value, &packet);
    if (body.failed || !packet.has_payload) {
        reader->malformed++;
        return;
    }
    if (packet.has_sequence)
        count_gap(reader, packet.sequence);
    take_off_header(&packet);
    before = (size_t)(packet.payload.at - message); /* more than 14 + 4 in any case */
    header_bytes = make_header(&packet, header);
    if (header_bytes > before)
        header_bytes = 0;
    memcpy(message + before - header_bytes, header, header_bytes);
    frame.bytes = packet.payload.at - header_bytes;
    frame.captured = (uint32_t)(header_bytes + cursor_left(&packet.payload));
    frame.length = (uint32_t)header_bytes + whole_length(packet.etype, packet.payload);
    frame.link = header_bytes > 0 ? link_ethernet : link_raw;
    frame.in_iface = packet.in_iface;
    frame.out_iface = packet.out_iface;
    if ((packet.in_iface != 0) != (packet.out_iface != 0))
        frame.direction = packet.in_iface != 0 ? FRAME_IN : FRAME_OUT;
    frame.when_ns = packet.when_ns;
    reader->frames++;
    reader->frame(reader->context, &frame);
}

void nflog_message_read(struct nflog_reader *reader, uint8_t *bytes, size_t size, int64_t now_ns)
{
    struct cursor all = cursor_over(bytes, size);

    while (cursor_left(&all) >= NLMSG_HDRLEN) {
        uint8_t *message = bytes + (all.at - bytes);
        uint32_t length = load_u32(message);
        struct cursor body;

        if (length < NLMSG_HDRLEN || length > cursor_left(&all)) {
            reader->malformed++;
            return;
        }
        body = cursor_sub(&all, length);
        cursor_skip(&all, min_u64(NLMSG_ALIGN(length) - length, cursor_left(&all)));
        cursor_skip(&body, NLMSG_HDRLEN);
        if (load_u16(message + 4) != message_packet)
            continue; /* the end of several (NLMSG_DONE), or the answer to an order (NLMSG_ERROR) */
        read_packet(reader, message, body, now_ns);
    }
}
