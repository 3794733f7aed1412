/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MPLS label stacks (RFC 3032) and the question what is under them: nothing in the stack says so, except the two
 * explicit null labels, so the first nibble is asked (RFC 4928) and a pseudowire is believed only when an Ethernet
 * header with a known type stands where it must.
 */
#include "base/base.h"

#include "decode/packet/walk.h"

enum { /* reserved labels, RFC 3032 section 2.1 and RFC 5586 section 4 */
    LABEL_IPV4_NULL = 0,
    LABEL_IPV6_NULL = 2,
    LABEL_GENERIC_CHANNEL = 13
};

#define text_labels 31    /* labels that mpls_label_stack names: 31 * 8 characters fit its column of 255 */
#define label_text_max 8  /* seven digits and the separator */
#define control_word 4    /* octets, RFC 4385 section 3 */
#define ethernet_probe 17 /* octets looked at: an Ethernet header and the LLC header of 802.3 */

/* Borrowed by the flow until the thread decodes its next packet. */
static _Thread_local char stack_text[text_labels * label_text_max];

/* Appends "_label" (or "label" at the start) and returns the new length. */
static uint32_t append_label(uint32_t length, uint32_t label)
{
    char digits[label_text_max];
    unsigned count = 0;

    do {
        digits[count++] = (char)('0' + label % 10);
        label /= 10;
    } while (label != 0);
    if (length != 0)
        stack_text[length++] = '_';
    while (count > 0)
        stack_text[length++] = digits[--count];
    return length;
}

/* True when the ethernet_probe octets at `p` can be the start of an Ethernet frame that a pseudowire carries. */
static bool looks_like_ethernet(const uint8_t *p)
{
    static const uint16_t carried[] = {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x9100, 0x8847,
                                       0x8848, 0x8863, 0x8864, 0x8809, 0x88cc, 0x8902};
    const uint16_t type = walk_be16(p + 12);

    for (unsigned i = 0; i < array_length(carried); i++)
        if (type == carried[i])
            return true;
    return type <= 1500 && p[14] == p[15] && (p[14] == 0xaa || p[14] == 0x42) && p[16] == 3;
}

/*
 * A pseudowire with or without its control word, or something that only its ends know. Ethernet's control word is zero
 * unless the ends number their frames (RFC 4448 section 4.6), which is rare and too little to believe in.
 */
static enum walk_layer pseudowire(struct walk *walk)
{
    const uint8_t *p = walk->rest.at;

    if (cursor_left(&walk->rest) < control_word + ethernet_probe)
        return WALK_CUT;
    if (load_u32(p) == 0 && looks_like_ethernet(p + control_word)) {
        cursor_skip(&walk->rest, control_word);
        return WALK_ETHERNET;
    }
    return looks_like_ethernet(p) ? WALK_ETHERNET : WALK_OTHER;
}

static enum walk_layer payload_layer(struct walk *walk, uint32_t bottom)
{
    const uint8_t *p = walk->rest.at;
    unsigned total_bytes;

    if (bottom == LABEL_GENERIC_CHANNEL)
        return WALK_OTHER;
    if (cursor_left(&walk->rest) < 4)
        return WALK_CUT;
    switch (p[0] >> 4) {
    case 4: /* also a pseudowire without control word to a station 4x:...: there the IPv4 header is nonsense */
        total_bytes = walk_be16(p + 2);
        if (bottom == LABEL_IPV4_NULL || ((p[0] & 15) >= 5 && (total_bytes == 0 || total_bytes >= (p[0] & 15u) * 4)))
            return WALK_IPV4;
        break;
    case 6:
        return WALK_IPV6;
    case 1: /* associated channel header, RFC 4385 section 5 */
        return WALK_OTHER;
    default:
        break;
    }
    if (bottom == LABEL_IPV4_NULL)
        return WALK_IPV4;
    if (bottom == LABEL_IPV6_NULL)
        return WALK_IPV6;
    return pseudowire(walk);
}

enum walk_layer mpls_peel(struct walk *walk)
{
    const bool fields = !walk->inner && !walk->labels_seen;
    const bool text = fields && field_set_has(walk->wants, FIELD_MPLS_LABEL_STACK);
    uint32_t entry, length = 0;

    walk->labels_seen = true;
    for (unsigned count = 0;; count++) {
        const uint8_t *p = cursor_take(&walk->rest, 4);

        if (p == NULL)
            return WALK_CUT;
        entry = walk_be32(p);
        if (fields && count == 0)
            flow_set_mpls_label_top(walk->flow, entry >> 12);
        if (text && count < text_labels)
            length = append_label(length, entry >> 12);
        if (entry & 0x100) /* bottom of stack */
            break;
    }
    if (fields)
        flow_set_mpls_label_bottom(walk->flow, entry >> 12);
    if (text)
        flow_set_mpls_label_stack(walk->flow, (struct span){stack_text, length});
    return payload_layer(walk, entry >> 12);
}
