/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet decoder against golden vectors: every field that must be there and no other; then each vector cut at every
 * length, where nothing may appear that the whole frame does not say.
 */
#include "test_packet_cases.h"

#include "test_packet_run.h"

/* Nobody asks: tunnels stay closed and no text is made; somebody asks for inner*: it is there. */
static void test_wants(void)
{
    static const struct field_set nothing;
    const struct vector labels = {.name = "labels", .link = PACKET_LINK_ETHERNET};
    struct packet_info info = {0};
    struct octets frame = {.size = 0};
    struct field_set one = {0};
    struct flow flow;
    char text[128];

    vxlan(&frame);
    flow_clear(&flow);
    packet_decode(cursor_over(frame.bytes, frame.size), PACKET_LINK_ETHERNET, &nothing, &flow, &info);
    ok(info.inner == NULL && !flow_has(&flow, FIELD_VXLAN) && !flow_has(&flow, FIELD_TUNNEL_PROTO),
       "a tunnel that nobody asks for stays closed");
    info.want_inner = true;
    packet_decode(cursor_over(frame.bytes, frame.size), PACKET_LINK_ETHERNET, &nothing, &flow, &info);
    ok(info.inner == frame.bytes + 50 && info.inner_link == PACKET_LINK_ETHERNET && info.want_inner,
       "want_inner opens it and stays set");
    for (unsigned id = FIELD_VXLAN; id <= FIELD_TUNNEL_FLOW_LABEL; id++) {
        memset(&one, 0, sizeof(one));
        field_set_add(&one, (enum field_id)id);
        info.want_inner = false;
        packet_decode(cursor_over(frame.bytes, frame.size), PACKET_LINK_ETHERNET, &one, &flow, &info);
        ok(info.inner != NULL, "tunnel field %u opens it", id - FIELD_VXLAN);
    }
    frame.size = 0;
    mpls_three(&frame);
    decode(&labels, &frame, frame.size, &nothing, &flow, text, sizeof(text));
    ok(flow_has(&flow, FIELD_MPLS_LABEL_TOP) && !flow_has(&flow, FIELD_MPLS_LABEL_STACK),
       "the text of a label stack is made only when wanted");
}

/* Fields of earlier sources in the same flow stay. */
static void test_keeps(void)
{
    struct packet_info info = {0};
    struct octets frame = {.size = 0};
    const struct field_set wants = all_fields();
    struct flow flow;

    ethernet_udp(&frame);
    flow_clear(&flow);
    flow_set_in_iface(&flow, 7);
    packet_decode(cursor_over(frame.bytes, frame.size), PACKET_LINK_ETHERNET, &wants, &flow, &info);
    ok(flow_has(&flow, FIELD_IN_IFACE) && flow.in_iface == 7, "fields of others stay");
}

int main(void)
{
    plan_none();
    for (unsigned i = 0; i < array_length(vectors); i++) {
        struct octets frame = {.size = 0};

        vectors[i].build(&frame);
        test_whole(&vectors[i], &frame);
        test_cut(&vectors[i], &frame);
    }
    test_wants();
    test_keeps();
    return done_testing();
}
