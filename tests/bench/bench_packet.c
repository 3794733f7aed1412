/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds per packet of the decoder, for the frames that make up most traffic. Each kind cycles through many copies
 * at odd places so that neither alignment nor one cache line flatters the number. The best of several rounds is told.
 */
#include "tests/unit/decode/test_packet_cases.h"

#include <time.h>

#define copies 1024
#define stride 160
#define passes 400
#define repeats 25

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void measure(const char *kind, void (*build)(struct frame *f), bool tunnels)
{
    static uint8_t memory[copies * stride];
    struct frame frame = {.size = 0};
    struct field_set wants = {0};
    struct packet_info info = {0};
    struct flow flow;
    uint64_t best = UINT64_MAX, sum = 0;

    build(&frame);
    field_set_add(&wants, tunnels ? FIELD_TUNNEL_SRC_HOST : FIELD_SRC_HOST);
    for (unsigned i = 0; i < copies; i++)
        memcpy(memory + i * stride, frame.bytes, frame.size);
    for (unsigned repeat = 0; repeat < repeats; repeat++) {
        const uint64_t start = now_ns();

        for (unsigned pass = 0; pass < passes; pass++)
            for (unsigned i = 0; i < copies; i++) {
                flow_clear(&flow);
                packet_decode(cursor_over(memory + i * stride, frame.size), PACKET_LINK_ETHERNET, &wants, &flow, &info);
                sum += flow.have.words[0];
            }
        best = min_u64(best, now_ns() - start);
    }
    printf("%-28s %6.1f ns per packet (check %" PRIx64 ")\n", kind, (double)best / (passes * copies), sum);
}

int main(void)
{
    measure("Ethernet IPv4 TCP", ethernet_tcp, false);
    measure("Ethernet VLAN IPv4 UDP", vlan, false);
    measure("Ethernet IPv6 TCP", ipv6_tcp, false);
    measure("Ethernet MPLS IPv4 UDP", mpls_one, false);
    measure("VXLAN, tunnel not wanted", vxlan, false);
    measure("VXLAN, tunnel wanted", vxlan, true);
    return 0;
}
