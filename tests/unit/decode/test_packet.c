/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet decoder against golden vectors: every field that must be there and no other; then each vector cut at every
 * length, where nothing may appear that the whole frame does not say.
 */
#include "test_packet_cases.h"

#include <stdlib.h>

#include "tests/lib/tap.h"

static const char *const verdict_name[] = {"ip", "other", "malformed"};
static const char *const link_name[] = {"ethernet", "ppp", "ipv4", "ipv6", "mpls", "802.11", "llc", "unknown"};

/* Decodes a copy of exactly `size` octets, so that the sanitizer sees each octet read behind it. */
static enum packet_verdict decode(const struct vector *vector, const struct frame *frame, size_t size,
                                  const struct field_set *wants, struct flow *flow, char *info_text, size_t room)
{
    struct packet_info info = {.vxlan_port = 7777};
    uint8_t *copy = malloc(size + (size == 0));
    enum packet_verdict verdict;
    int used;

    memcpy(copy, frame->bytes, size);
    flow_clear(flow);
    verdict = packet_decode(cursor_over(copy, size), vector->link, wants, flow, &info);
    used = snprintf(info_text, room, "%u %u", info.ip_bytes, info.l2_bytes);
    if (info.fragment)
        used += snprintf(info_text + used, room - (size_t)used, " fragment");
    if (info.icmp)
        used += snprintf(info_text + used, room - (size_t)used, " icmp %u/%u", info.icmp_type, info.icmp_code);
    if (info.inner != NULL) {
        snprintf(info_text + used, room - (size_t)used, " inner %u %s", info.inner_bytes, link_name[info.inner_link]);
        if (info.inner + info.inner_bytes > copy + size)
            ok(false, "%s: the inner packet lies in the frame", vector->name);
    }
    free(copy);
    return verdict;
}

static void test_whole(const struct vector *vector, const struct frame *frame)
{
    const struct field_set wants = all_fields();
    struct flow flow;
    char got[2048], fields[2000], info[128];
    enum packet_verdict verdict = decode(vector, frame, frame->size, &wants, &flow, info, sizeof(info));

    dump_flow(&flow, NULL, fields, sizeof(fields));
    snprintf(got, sizeof(got), "%s%s", verdict_name[verdict], fields);
    is_text(got, vector->want, "%s", vector->name);
    if (vector->info[0] != '\0')
        is_text(info, vector->info, "%s: lengths and the like", vector->name);
}

static void test_cut(const struct vector *vector, const struct frame *frame)
{
    const struct field_set wants = all_fields();
    struct flow whole, cut;
    char of_whole[2000], of_cut[2000], info[128];
    enum packet_verdict verdict_whole = decode(vector, frame, frame->size, &wants, &whole, info, sizeof(info));
    unsigned bad = 0;

    for (size_t size = 0; size < frame->size; size++) {
        enum packet_verdict verdict = decode(vector, frame, size, &wants, &cut, info, sizeof(info));
        bool held = verdict == PACKET_NOT_IP || verdict == verdict_whole;

        held = held && (verdict == PACKET_IP) == (flow_has(&cut, FIELD_SRC_HOST) && flow_has(&cut, FIELD_DST_HOST));
        for (unsigned word = 0; word < FIELD_WORDS; word++)
            held = held && (cut.have.words[word] & ~whole.have.words[word]) == 0;
        dump_flow(&whole, &cut.have, of_whole, sizeof(of_whole));
        dump_flow(&cut, NULL, of_cut, sizeof(of_cut));
        /* The text of the label stack is one per thread, so the decode of the cut frame has replaced it. */
        if (!held || strcmp(of_whole, of_cut) != 0) {
            if (bad++ == 0)
                printf("# cut at %zu: %s%s, whole %s%s\n", size, verdict_name[verdict], of_cut,
                       verdict_name[verdict_whole], of_whole);
        }
    }
    ok(bad == 0, "%s: cut at every length says nothing new", vector->name);
}

/* Nobody asks: tunnels stay closed and no text is made; somebody asks for inner*: it is there. */
static void test_wants(void)
{
    static const struct field_set nothing;
    const struct vector labels = {.name = "labels", .link = PACKET_LINK_ETHERNET};
    struct packet_info info = {0};
    struct frame frame = {.size = 0};
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
    struct frame frame = {.size = 0};
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
        struct frame frame = {.size = 0};

        vectors[i].build(&frame);
        test_whole(&vectors[i], &frame);
        test_cut(&vectors[i], &frame);
    }
    test_wants();
    test_keeps();
    return done_testing();
}
