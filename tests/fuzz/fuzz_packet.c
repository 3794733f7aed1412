/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target of the packet decoder. First octet: link; second: what is wanted (bit 0 everything or nothing, bit 1
 * want_inner, bit 2 VXLAN on port 7777); the rest is the frame. The inner packet is decoded again, as a replacement of
 * the outer one would do it. Besides the sanitizers' checks, what a caller relies on must hold.
 */
#include "decode/packet/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const uint8_t *frame, size_t size, enum packet_link link, unsigned pattern, unsigned depth)
{
    struct packet_info info = {.want_inner = pattern & 2, .vxlan_port = pattern & 4 ? 7777 : 0};
    struct field_set wants;
    struct flow flow;
    enum packet_verdict verdict;

    memset(&wants, pattern & 1 ? 0xff : 0, sizeof(wants));
    flow_clear(&flow);
    verdict = packet_decode(cursor_over(frame, size), link, &wants, &flow, &info);
    if ((verdict == PACKET_IP) != (flow_has(&flow, FIELD_SRC_HOST) && flow_has(&flow, FIELD_DST_HOST)))
        abort();
    if (info.fragment && flow_has(&flow, FIELD_SRC_PORT))
        abort();
    if (flow_has(&flow, FIELD_MPLS_LABEL_STACK)) {
        volatile char last = 0;
        for (uint32_t i = 0; i < flow.mpls_label_stack.length; i++)
            last = flow.mpls_label_stack.data[i];
        (void)last;
    }
    if (info.inner == NULL)
        return;
    if (info.inner <= frame || info.inner_bytes == 0 || info.inner + info.inner_bytes > frame + size)
        abort();
    if (depth < 8)
        decode(info.inner, info.inner_bytes, info.inner_link, pattern, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2)
        decode(data + 2, size - 2, (enum packet_link)(data[0] % (PACKET_LINK_UNKNOWN + 1)), data[1], 0);
    return 0;
}
