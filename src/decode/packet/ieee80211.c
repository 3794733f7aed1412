/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of an 802.11 data frame (IEEE 802.11 section 9.3.2): its length and the roles of its addresses hang on
 * flags. Management and control frames, protected ones and later fragments hold nothing for us.
 */
#include "base/base.h"

#include "decode/packet/walk.h"

enum { /* first octet of frame control */
    FRAME_TYPE_MASK = 0x0c,
    FRAME_TYPE_DATA = 0x08,
    FRAME_NO_DATA = 0x40,
    FRAME_QOS = 0x80
};

enum { /* second octet */
    FRAME_TO_DS = 0x01,
    FRAME_FROM_DS = 0x02,
    FRAME_PROTECTED = 0x40,
    FRAME_ORDER = 0x80
};

#define header_bytes 24
#define aggregate_flag 0x80 /* first octet of QoS control: the body is a list of subframes (A-MSDU) */
#define subframe_bytes 14   /* destination, source, length */

static inline uint64_t mac_at(const uint8_t *p)
{
    return (uint64_t)walk_be16(p) << 32 | walk_be32(p + 2);
}

static void set_addresses(struct walk *walk, const uint8_t *destination, const uint8_t *source)
{
    if (walk->inner)
        return;
    flow_set_dst_mac(walk->flow, mac_at(destination));
    flow_set_src_mac(walk->flow, mac_at(source));
}

enum walk_layer ieee80211_peel(struct walk *walk)
{
    const uint8_t *header = cursor_take(&walk->rest, header_bytes);
    const uint8_t *fourth = NULL, *quality = NULL;
    bool aggregate;

    if (header == NULL)
        return WALK_CUT;
    walk->frames = 1;
    if ((header[0] & FRAME_TYPE_MASK) != FRAME_TYPE_DATA)
        return WALK_OTHER;
    if ((header[1] & (FRAME_TO_DS | FRAME_FROM_DS)) == (FRAME_TO_DS | FRAME_FROM_DS))
        fourth = cursor_take(&walk->rest, 6);
    if (header[0] & FRAME_QOS) {
        quality = cursor_take(&walk->rest, 2);
        if (header[1] & FRAME_ORDER) /* HT control */
            cursor_skip(&walk->rest, 4);
    }
    if (walk->wifi_padded)
        cursor_skip(&walk->rest, -(size_t)(walk->rest.at - header) & 3);
    if (walk->rest.failed)
        return WALK_CUT;
    aggregate = quality != NULL && (quality[0] & aggregate_flag) && !(header[1] & FRAME_PROTECTED);
    if (!aggregate) /* the subframes have the addresses */
        set_addresses(walk, header[1] & FRAME_TO_DS ? header + 16 : header + 4,
                      fourth != NULL ? fourth : header[1] & FRAME_FROM_DS ? header + 16 : header + 10);
    if ((header[0] & FRAME_NO_DATA) || (header[1] & FRAME_PROTECTED) || (header[22] & 15) != 0)
        return WALK_OTHER;
    if (aggregate) {
        const uint8_t *subframe = cursor_take(&walk->rest, subframe_bytes);

        if (subframe == NULL)
            return WALK_CUT;
        set_addresses(walk, subframe, subframe + 6);
    }
    return WALK_LLC;
}
