/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What captures put before a packet and no wire carries: pseudo-headers of capturing systems, and the radio headers
 * before 802.11. Most are in the byte order of whoever captured, which the bytes themselves must tell. The formats
 * are those of libpcap's registry of link types (tcpdump.org/linktypes.html); radiotap is that of radiotap.org.
 */
#include "base/base.h"

#include "decode/packet/walk.h"
#include "net/frame.h"

#define type_minimum 1536

static const struct linktype_row {
    uint16_t linktype;
    uint8_t link;
} linktypes[] = {
    {0, PACKET_LINK_NULL},
    {1, PACKET_LINK_ETHERNET},
    {9, PACKET_LINK_C_HDLC},     /* PPP: Cisco's framing is found under its number too */
    {12, PACKET_LINK_RAW},       /* 12, 14: the BSD systems' own numbers */
    {14, PACKET_LINK_RAW},
    {50, PACKET_LINK_C_HDLC},    /* PPP with HDLC framing */
    {51, PACKET_LINK_PPPOE},
    {101, PACKET_LINK_RAW},
    {104, PACKET_LINK_C_HDLC},
    {105, PACKET_LINK_IEEE80211},
    {108, PACKET_LINK_NULL},     /* of OpenBSD, always big-endian */
    {113, PACKET_LINK_SLL},
    {119, PACKET_LINK_PRISM},
    {127, PACKET_LINK_RADIOTAP},
    {163, PACKET_LINK_AVS},
    {192, PACKET_LINK_PPI},
    {219, PACKET_LINK_MPLS},
    {228, PACKET_LINK_RAW},      /* IPv4 and IPv6: the version says the same */
    {229, PACKET_LINK_RAW},
    {239, PACKET_LINK_NFLOG},
    {276, PACKET_LINK_SLL2},
};

enum packet_link packet_link_of(uint16_t linktype)
{
    for (unsigned i = 0; i < array_length(linktypes); i++)
        if (linktypes[i].linktype == linktype)
            return (enum packet_link)linktypes[i].link;
    return PACKET_LINK_UNKNOWN;
}

static inline uint16_t little_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t little_u32(const uint8_t *p)
{
    return (uint32_t)little_u16(p + 2) << 16 | little_u16(p);
}

enum walk_layer raw_peel(struct walk *walk)
{
    if (cursor_left(&walk->rest) == 0)
        return WALK_CUT;
    switch (walk->rest.at[0] >> 4) {
    case 4:
        return WALK_IPV4;
    case 6:
        return WALK_IPV6;
    default:
        return WALK_OTHER;
    }
}

/* The capturing system's number of the address family, in its own byte order: the small one of the two readings. */
enum walk_layer null_peel(struct walk *walk)
{
    const uint8_t *family = cursor_take(&walk->rest, 4);
    uint32_t number;

    if (family == NULL)
        return WALK_CUT;
    number = walk_be32(family);
    if (number > 0xffff)
        number = little_u32(family);
    switch (number) {
    case 2:
        return WALK_IPV4;
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* Darwin */
        return WALK_IPV6;
    default:
        return WALK_OTHER;
    }
}

enum { HARDWARE_ETHERNET = 1, HARDWARE_FRELAY = 770, HARDWARE_RADIOTAP = 803, HARDWARE_NETLINK = 824 };
enum { PACKET_TYPE_OUTGOING = 4, COOKED_LLC = 4 };

/* The common part of both Linux headers. `address` is the sender's on that link: 8 octets, of which `size` count. */
static enum walk_layer cooked(struct walk *walk, unsigned packet_type, unsigned hardware, unsigned size,
                              const uint8_t *address, uint16_t protocol)
{
    walk->info->direction = packet_type == PACKET_TYPE_OUTGOING ? FRAME_OUT : FRAME_IN;
    if (hardware == HARDWARE_ETHERNET && size == 6)
        flow_set_src_mac(walk->flow, (uint64_t)walk_be16(address) << 32 | walk_be32(address + 2));
    if (hardware == HARDWARE_RADIOTAP) /* for these the protocol says something else, or nothing */
        return WALK_RADIOTAP;
    if (hardware == HARDWARE_FRELAY || hardware == HARDWARE_NETLINK)
        return WALK_OTHER;
    if (protocol == COOKED_LLC)
        return WALK_LLC;
    if (protocol < type_minimum)
        return WALK_OTHER;
    walk->etype = protocol;
    return WALK_TYPE;
}

enum walk_layer sll_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 16);

    if (header == NULL)
        return WALK_CUT;
    return cooked(walk, walk_be16(header), walk_be16(header + 2), walk_be16(header + 4), header + 6,
                  walk_be16(header + 14));
}

enum walk_layer sll2_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, 20);

    if (header == NULL)
        return WALK_CUT;
    walk->info->interface = walk_be32(header + 4);
    return cooked(walk, header[10], walk_be16(header + 8), header[11], header + 12, walk_be16(header));
}

#define radiotap_more 0x80000000u /* another word of flags follows */
#define radiotap_time 1u          /* eight octets, aligned */
#define radiotap_flags 2u         /* one octet */
#define radiotap_padded 0x20      /* in it: the 802.11 header is padded to four octets */

enum walk_layer radiotap_peel(struct walk *walk)
{
    const uint8_t *fixed = cursor_take(&walk->rest, 8);
    const uint8_t *word;
    struct cursor fields;
    uint32_t present;

    if (fixed == NULL)
        return WALK_CUT;
    if (fixed[0] != 0 || little_u16(fixed + 2) < 8)
        return WALK_OTHER;
    fields = cursor_sub(&walk->rest, little_u16(fixed + 2) - 8u);
    if (fields.failed)
        return WALK_CUT;
    word = fixed + 4;
    present = little_u32(word);
    while (word != NULL && (little_u32(word) & radiotap_more))
        word = cursor_take(&fields, 4);
    if (present & radiotap_time) /* aligned from the header's start */
        cursor_skip(&fields, (-(size_t)(fields.at - fixed) & 7) + 8);
    walk->wifi_padded = (present & radiotap_flags) && (cursor_u8(&fields) & radiotap_padded);
    return WALK_IEEE80211;
}

/* Two words: version (with the number of the standard) and length of the header, big-endian. */
enum walk_layer avs_peel(struct walk *walk)
{
    const uint8_t *fixed = cursor_take(&walk->rest, 8);

    if (fixed == NULL)
        return WALK_CUT;
    if (walk_be32(fixed + 4) < 8)
        return WALK_OTHER;
    cursor_skip(&walk->rest, walk_be32(fixed + 4) - 8);
    return walk->rest.failed ? WALK_CUT : WALK_IEEE80211;
}

#define prism_bytes 144
#define avs_version 0x80211000u

/* Always the same 144 octets, whatever length it gives; some drivers send the other header under this number. */
enum walk_layer prism_peel(struct walk *walk)
{
    if (cursor_left(&walk->rest) >= 4 && (walk_be32(walk->rest.at) & 0xfffff000) == avs_version)
        return WALK_AVS;
    return cursor_take(&walk->rest, prism_bytes) != NULL ? WALK_IEEE80211 : WALK_CUT;
}

/* Per-packet information: flags and length, then fields of the radio, then what the link type in it says. */
enum walk_layer ppi_peel(struct walk *walk)
{
    const uint8_t *fixed = cursor_take(&walk->rest, 8);

    if (fixed == NULL)
        return WALK_CUT;
    if (fixed[0] != 0 || little_u16(fixed + 2) < 8)
        return WALK_OTHER;
    cursor_skip(&walk->rest, little_u16(fixed + 2) - 8u);
    if (walk->rest.failed)
        return WALK_CUT;
    switch (little_u32(fixed + 4)) {
    case 1:
        return WALK_ETHERNET;
    case 9:
        return WALK_PPP;
    case 101:
        return WALK_RAW;
    case 105:
        return WALK_IEEE80211;
    default:
        return WALK_OTHER;
    }
}

enum { /* attributes of the kernel's packet log (linux/netfilter/nfnetlink_log.h) */
    LOG_PACKET = 1,
    LOG_IN = 4,
    LOG_OUT = 5,
    LOG_SENDER = 8,
    LOG_PAYLOAD = 9,
    LOG_HARDWARE_TYPE = 15,
    LOG_HARDWARE_HEADER = 16
};

#define log_type_mask 0x7fff /* the upper bit says that the value is in network order, as it is anyway */

struct log {
    uint32_t in, out;
    uint16_t protocol, hardware;
    struct cursor header, sender, payload;
};

/* Attributes are padded to four octets; their two numbers are in the order of the capturing system. */
static bool read_log(struct cursor rest, bool big, struct log *log)
{
    while (cursor_left(&rest) >= 4) {
        const uint8_t *head = cursor_take(&rest, 4);
        unsigned size = big ? walk_be16(head) : little_u16(head);
        unsigned type = (big ? walk_be16(head + 2) : little_u16(head + 2)) & log_type_mask;
        struct cursor value;

        if (size < 4)
            return false;
        if (type == LOG_PAYLOAD) { /* the last one, and maybe cut */
            log->payload = cursor_sub(&rest, min_u64(size - 4, cursor_left(&rest)));
            return true;
        }
        value = cursor_sub(&rest, size - 4);
        if (value.failed)
            return false;
        cursor_skip(&rest, min_u64(-size & 3, cursor_left(&rest)));
        if (type == LOG_PACKET)
            log->protocol = cursor_be16(&value);
        else if (type == LOG_IN)
            log->in = cursor_be32(&value);
        else if (type == LOG_OUT)
            log->out = cursor_be32(&value);
        else if (type == LOG_SENDER)
            log->sender = value;
        else if (type == LOG_HARDWARE_TYPE)
            log->hardware = cursor_be16(&value);
        else if (type == LOG_HARDWARE_HEADER)
            log->header = value;
    }
    return false;
}

static void set_log_addresses(struct walk *walk, const struct log *log)
{
    const uint8_t *header = log->header.at, *sender = log->sender.at;

    if (log->hardware == HARDWARE_ETHERNET && cursor_left(&log->header) >= 14) {
        flow_set_dst_mac(walk->flow, (uint64_t)walk_be16(header) << 32 | walk_be32(header + 2));
        flow_set_src_mac(walk->flow, (uint64_t)walk_be16(header + 6) << 32 | walk_be32(header + 8));
    } else if (cursor_left(&log->sender) >= 10 && walk_be16(sender) == 6) { /* length, padding, address */
        flow_set_src_mac(walk->flow, (uint64_t)walk_be16(sender + 4) << 32 | walk_be32(sender + 6));
    }
}

enum walk_layer nflog_peel(struct walk *walk)
{
    const uint8_t *fixed = cursor_take(&walk->rest, 4);
    struct log log = {.in = 0};

    if (fixed == NULL)
        return WALK_CUT;
    if (fixed[1] != 0)
        return WALK_OTHER;
    if (!read_log(walk->rest, false, &log)) {
        log = (struct log){.in = 0};
        if (!read_log(walk->rest, true, &log))
            return WALK_CUT;
    }
    set_log_addresses(walk, &log);
    walk->info->interface = log.in != 0 ? log.in : log.out;
    walk->info->out_interface = log.in != 0 ? log.out : 0;
    if ((log.in != 0) != (log.out != 0))
        walk->info->direction = log.in != 0 ? FRAME_IN : FRAME_OUT;
    walk->rest = log.payload;
    if (log.protocol < type_minimum)
        return WALK_RAW;
    walk->etype = log.protocol;
    return WALK_TYPE;
}
