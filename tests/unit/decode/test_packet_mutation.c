/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A million frames that nobody meant to send: the golden vectors with octets changed, cut and spliced, from a fixed
 * seed. Under the sanitizers this finds reads out of bounds; without them it still checks what must hold of a result.
 */
#include "test_packet_capture_cases.h"
#include "test_packet_cases.h"

#include <stdlib.h>

#include "tests/lib/tap.h"

#define rounds 1000000

/* xorshift64 of G. Marsaglia; the seed makes every run the same. */
static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 20) % below);
}

/* One of all vectors. */
static const struct vector *draw_vector(void)
{
    const uint32_t number = draw(array_length(vectors) + array_length(capture_vectors));

    return number < array_length(vectors) ? &vectors[number] : &capture_vectors[number - array_length(vectors)];
}

static void mutate(struct octets *frame)
{
    for (unsigned count = draw(6); count > 0 && frame->size > 0; count--) {
        const uint32_t at = draw((uint32_t)frame->size);

        switch (draw(4)) {
        case 0:
            frame->bytes[at] ^= (uint8_t)(1 << draw(8));
            break;
        case 1:
            frame->bytes[at] = (uint8_t)draw(256);
            break;
        case 2: /* the edges of lengths */
            frame->bytes[at] = draw(2) ? 0xff : 0;
            break;
        default: { /* the end of another vector from here on */
            struct octets other = {.size = 0};
            uint32_t from;

            draw_vector()->build(&other);
            from = draw((uint32_t)other.size);
            frame->size = at;
            while (from < other.size)
                put8(frame, other.bytes[from++]);
            break;
        }
        }
    }
    if (draw(4) == 0)
        frame->size = draw((uint32_t)frame->size + 1);
}

/* The usual packet is read in one go (usual.c); who asks for tunnels gets the general way. Both must say the same. */
static bool both_ways_agree(const uint8_t *bytes, size_t size, enum packet_link link, const struct field_set *plain)
{
    static const struct field_set nothing;
    struct packet_info fast = {.want_inner = false}, general = {.want_inner = true};
    struct flow one, two;
    char first[2048], second[2048];
    enum packet_verdict verdict;

    flow_clear(&one);
    flow_clear(&two);
    verdict = packet_decode(cursor_over(bytes, size), link, &nothing, &one, &fast);
    if (verdict != packet_decode(cursor_over(bytes, size), link, &nothing, &two, &general))
        return false;
    dump_flow(&one, plain, first, sizeof(first));
    dump_flow(&two, plain, second, sizeof(second));
    return strcmp(first, second) == 0 && fast.ip_bytes == general.ip_bytes && fast.l2_bytes == general.l2_bytes &&
           fast.fragment == general.fragment && fast.fragment_first == general.fragment_first &&
           fast.fragment_id == general.fragment_id && fast.icmp == general.icmp && fast.ip == general.ip &&
           fast.ip_captured == general.ip_captured && fast.transport == general.transport &&
           fast.transport_captured == general.transport_captured;
}

/* Everything but what only a tunnel can give. */
static struct field_set plain_fields(void)
{
    struct field_set set = all_fields();

    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (field_table[id].section == FIELD_SECTION_TUNNEL)
            field_set_remove(&set, (enum field_id)id);
    return set;
}

int main(void)
{
    static const struct field_set nothing;
    const struct field_set everything = all_fields();
    const struct field_set plain = plain_fields();
    uint64_t verdicts[3] = {0}, inner = 0, bad = 0, differ = 0;

    plan_none();
    for (unsigned round = 0; round < rounds; round++) {
        struct octets frame = {.size = 0};
        const struct vector *vector = draw_vector();
        struct packet_info info = {.want_inner = draw(2) != 0, .innermost = draw(2) != 0};
        enum packet_link link = draw(16) ? vector->link : (enum packet_link)draw(PACKET_LINK_UNKNOWN + 1);
        enum packet_verdict verdict;
        struct flow flow;
        uint8_t *copy;

        vector->build(&frame);
        mutate(&frame);
        copy = malloc(frame.size + (frame.size == 0));
        memcpy(copy, frame.bytes, frame.size);
        flow_clear(&flow);
        verdict = packet_decode(cursor_over(copy, frame.size), link, draw(2) ? &everything : &nothing, &flow, &info);
        verdicts[verdict]++;
        bad += (verdict == PACKET_IP) != (flow_has(&flow, FIELD_SRC_HOST) && flow_has(&flow, FIELD_DST_HOST));
        bad += flow_has(&flow, FIELD_SRC_PORT) != flow_has(&flow, FIELD_DST_PORT);
        bad += info.fragment && flow_has(&flow, FIELD_SRC_PORT);
        bad += info.fragment && (info.fragment_first || info.transport != NULL);
        bad += (verdict == PACKET_IP) != (info.ip != NULL);
        bad += info.ip != NULL && (info.ip < copy || info.ip + info.ip_captured > copy + frame.size);
        bad += info.transport != NULL && (info.transport < info.ip || info.transport_captured == 0 ||
                                          info.transport + info.transport_captured > info.ip + info.ip_captured);
        bad += flow_has(&flow, FIELD_MPLS_LABEL_STACK) && flow.mpls_label_stack.length > 255;
        if (info.inner != NULL) {
            inner++;
            bad += info.inner < copy || info.inner + info.inner_bytes > copy + frame.size || info.inner_bytes == 0;
        }
        if (round % 8 == 0)
            differ += !both_ways_agree(copy, frame.size, link, &plain);
        free(copy);
    }
    ok(differ == 0, "%u of them: the usual way and the general one agree", rounds / 8);
    ok(bad == 0, "%u mutated frames: what must hold holds", rounds);
    ok(verdicts[PACKET_IP] > rounds / 4 && verdicts[PACKET_NOT_IP] > rounds / 100 && verdicts[PACKET_MALFORMED] > 100,
       "all verdicts come: ip %" PRIu64 ", other %" PRIu64 ", malformed %" PRIu64, verdicts[PACKET_IP],
       verdicts[PACKET_NOT_IP], verdicts[PACKET_MALFORMED]);
    ok(inner > rounds / 100, "tunnels are opened: %" PRIu64, inner);
    return done_testing();
}
