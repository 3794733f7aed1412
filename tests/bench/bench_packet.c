/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds per packet of the decoder, for the frames that make up most traffic. Each kind cycles through many copies
 * at odd places so that neither alignment nor one cache line flatters the number. The best of several rounds is told.
 * With a number as argument only that kind runs, once: for callgrind, which counts what packet_decode executes
 * (valgrind --tool=callgrind --toggle-collect=packet_decode bench_packet 0).
 */
#include "tests/unit/decode/test_packet_cases.h"

#include <stdlib.h>
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

static const struct kind {
    const char *name;
    void (*build)(struct octets *f);
    bool tunnels;
} kinds[] = {
    {"Ethernet IPv4 TCP", ethernet_tcp, false},
    {"Ethernet VLAN IPv4 UDP", vlan, false},
    {"Ethernet IPv6 TCP", ipv6_tcp, false},
    {"Ethernet VLAN IPv6 UDP", vlan_ipv6, false},
    {"Ethernet MPLS IPv4 UDP", mpls_one, false},
    {"VXLAN, tunnel not wanted", vxlan, false},
    {"VXLAN, tunnel wanted", vxlan, true},
};

static uint64_t run(const uint8_t *memory, size_t size, const struct field_set *wants, unsigned rounds)
{
    struct packet_info info = {0};
    struct flow flow;
    uint64_t sum = 0;

    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < copies; i++) {
            flow_clear(&flow);
            packet_decode(cursor_over(memory + i * stride, size), PACKET_LINK_ETHERNET, wants, &flow, &info);
            sum += flow.have.words[0];
        }
    return sum;
}

static void measure(const struct kind *kind, bool once)
{
    static uint8_t memory[copies * stride];
    struct octets frame = {.size = 0};
    struct field_set wants = {0};
    uint64_t best = UINT64_MAX, sum = 0;

    kind->build(&frame);
    field_set_add(&wants, kind->tunnels ? FIELD_TUNNEL_SRC_HOST : FIELD_SRC_HOST);
    for (unsigned i = 0; i < copies; i++)
        memcpy(memory + i * stride, frame.bytes, frame.size);
    if (once) {
        printf("%s: %u packets (check %" PRIx64 ")\n", kind->name, copies, run(memory, frame.size, &wants, 1));
        return;
    }
    for (unsigned repeat = 0; repeat < repeats; repeat++) {
        const uint64_t start = now_ns();

        sum += run(memory, frame.size, &wants, passes);
        best = min_u64(best, now_ns() - start);
    }
    printf("%-28s %6.1f ns per packet (check %" PRIx64 ")\n", kind->name, (double)best / (passes * copies), sum);
}

int main(int argc, char **argv)
{
    unsigned long chosen = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

    if (argc > 1 && chosen < array_length(kinds)) {
        measure(&kinds[chosen], true);
        return 0;
    }
    for (unsigned i = 0; i < array_length(kinds); i++)
        measure(&kinds[i], false);
    return 0;
}
