/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a vector of the packet decoder: whole, and cut at every length. */
#ifndef TESTS_PACKET_RUN_H
#define TESTS_PACKET_RUN_H

#include <stdlib.h>

#include "net/frame.h"
#include "test_packet_vectors.h"
#include "tests/lib/tap.h"

static const char *const verdict_name[] = {"ip", "other", "malformed"};
static const char *const link_name[] = {"ethernet", "ppp", "ipv4", "ipv6", "mpls", "802.11", "llc"};
static const char *const direction_name[] = {"", " in", " out"};

static inline bool within(const uint8_t *at, size_t size, const uint8_t *outer, size_t outer_size)
{
    return at >= outer && size <= outer_size && (size_t)(at - outer) <= outer_size - size;
}

/* Decodes a copy of exactly `size` octets, so that the sanitizer sees each octet read behind it. */
static inline enum packet_verdict decode(const struct vector *vector, const struct octets *frame, size_t size,
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
    if (info.fragment || info.fragment_first)
        used += snprintf(info_text + used, room - (size_t)used, " %s %u", info.fragment ? "fragment" : "first",
                         info.fragment_id);
    if (info.icmp)
        used += snprintf(info_text + used, room - (size_t)used, " icmp %u/%u", info.icmp_type, info.icmp_code);
    if (info.interface != 0 || info.out_interface != 0 || info.direction != FRAME_UNKNOWN)
        used += snprintf(info_text + used, room - (size_t)used, " from %u to %u%s", info.interface,
                         info.out_interface, direction_name[info.direction]);
    if (info.ip != NULL && !within(info.ip, info.ip_captured, copy, size))
        ok(false, "%s: the packet lies in the frame", vector->name);
    if (info.transport != NULL && !within(info.transport, info.transport_captured, info.ip, info.ip_captured))
        ok(false, "%s: the transport header lies in the packet", vector->name);
    if (info.inner != NULL) {
        snprintf(info_text + used, room - (size_t)used, " inner %u %s", info.inner_bytes, link_name[info.inner_link]);
        if (info.inner + info.inner_bytes > copy + size)
            ok(false, "%s: the inner packet lies in the frame", vector->name);
    }
    free(copy);
    return verdict;
}

static inline void test_whole(const struct vector *vector, const struct octets *frame)
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

static inline void test_cut(const struct vector *vector, const struct octets *frame)
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

#endif
