/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target of the packet decoder. First octet: link; second: what is wanted (bit 0 everything or nothing, bit 1
 * want_inner, bit 2 VXLAN on port 7777, bit 3 innermost, the upper four which tunnels are taken off first); the rest is
 * the frame. The inner packet is decoded again, as a replacement of the outer one would do it. Besides the sanitizers'
 * checks, what a caller relies on must hold.
 */
#include "decode/packet/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(const uint8_t *at, size_t size, const uint8_t *outer, size_t outer_size)
{
    if (at != NULL && (at < outer || size > outer_size || (size_t)(at - outer) > outer_size - size))
        abort();
}

static void check(const uint8_t *frame, size_t size, enum packet_verdict verdict, const struct flow *flow,
                  const struct packet_info *info)
{
    if ((verdict == PACKET_IP) != (flow_has(flow, FIELD_SRC_HOST) && flow_has(flow, FIELD_DST_HOST)))
        abort();
    if ((verdict == PACKET_IP) != (info->ip != NULL) || (info->fragment && info->fragment_first))
        abort();
    if (info->fragment && (flow_has(flow, FIELD_SRC_PORT) || info->transport != NULL))
        abort();
    check_within(info->ip, info->ip_captured, frame, size);
    check_within(info->transport, info->transport_captured, info->ip, info->ip_captured);
    if (flow_has(flow, FIELD_MPLS_LABEL_STACK)) {
        volatile char last = 0;
        for (uint32_t i = 0; i < flow->mpls_label_stack.length; i++)
            last = flow->mpls_label_stack.data[i];
        (void)last;
    }
}

static void decode(const uint8_t *frame, size_t size, enum packet_link link, unsigned pattern, unsigned depth)
{
    struct packet_info info = {
        .want_inner = pattern & 2, .vxlan_port = pattern & 4 ? 7777 : 0, .innermost = pattern & 8};
    struct field_set wants;
    struct flow flow;

    memset(&wants, pattern & 1 ? 0xff : 0, sizeof(wants));
    flow_clear(&flow);
    check(frame, size, packet_decode(cursor_over(frame, size), link, &wants, &flow, &info), &flow, &info);
    if (info.inner == NULL)
        return;
    if (info.inner <= frame || info.inner_bytes == 0)
        abort();
    check_within(info.inner, info.inner_bytes, frame, size);
    if (depth < 8)
        decode(info.inner, info.inner_bytes, info.inner_link, pattern, depth + 1);
}

static void unwrap(const uint8_t *data, size_t size, enum packet_link link, unsigned pattern)
{
    static const char *const texts[16] = {
        "gtp", "vxlan", "geneve", "gre", "ipip", "l2tp", "mpls", "mpls, 6635", "etherip", "srv6", "stt", "vxlan-gpe",
        "gre, 4754", "gre; vxlan", "ipip; gtp", "ipip; ipip; ipip; ipip"};
    struct cursor frame = cursor_over(data, size);
    struct packet_unwrap layers;

    if (packet_unwrap_parse(&layers, texts[pattern >> 4], NULL) < 0)
        abort();
    if (!packet_unwrap(&layers, &frame, &link)) {
        if (frame.at != data || frame.end != data + size || frame.failed)
            abort();
        return;
    }
    if (frame.at <= data || cursor_left(&frame) == 0)
        abort();
    check_within(frame.at, cursor_left(&frame), data, size);
    decode(frame.at, cursor_left(&frame), link, pattern, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2) {
        enum packet_link link = (enum packet_link)(data[0] % (PACKET_LINK_UNKNOWN + 1));

        decode(data + 2, size - 2, link, data[1], 0);
        unwrap(data + 2, size - 2, link, data[1]);
    }
    return 0;
}
