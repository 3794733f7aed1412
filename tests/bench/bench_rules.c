/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds per record of a tagging map with 10, 1000 and 100 000 rows, for the sorts of maps that are usual: by
 * exporter and interface, by network, by port of an exchange, and in two steps with a jump. The records that are asked
 * for are spread over all rows, in no order; that is the worst case, traffic prefers few of them. "of ten" is the cost
 * beside that of ten rows. The best of several rounds is told, by the time of the processor. With a number as argument
 * only that sort of map runs, once, with ten rows or as many as a second one says: for callgrind, which counts what a
 * record executes and what it misses in a cache of the size of a core's
 * (valgrind --tool=callgrind --toggle-collect=pre_tag_map_run --cache-sim=yes --LL=1048576,16,64 bench_rules 0 100000).
 */
#include "map/pre_tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define records 65536u
#define rounds 25u

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct address ipv4(uint32_t number)
{
    uint8_t octets[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    struct address address;

    address_set_ipv4(&address, octets);
    return address;
}

/* What a record has: the same for all sorts of maps. `row` is the row that it is to fit. */
struct record {
    struct address exporter, source, destination;
    uint32_t in, out, row;
    uint64_t mac;
};

static void draw(struct record *record, uint32_t rows)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    record->row = (uint32_t)(state >> 33) % rows;
    record->exporter = ipv4(0x0a000000 + record->row % 100);
    record->in = record->row / 100 + 1;
    record->out = 7;
    record->source = ipv4(0x14000000 + record->row * 256 + (uint32_t)(state & 255));
    record->destination = ipv4(0xc0000200 + (uint32_t)(state >> 8 & 255));
    record->mac = UINT64_C(0x020000000000) + record->row;
}

static void fill(struct flow *flow, const struct record *record)
{
    flow_clear(flow);
    flow_set_peer_src_ip(flow, record->exporter);
    flow_set_in_iface(flow, record->in);
    flow_set_out_iface(flow, record->out);
    flow_set_src_host(flow, record->source);
    flow_set_dst_host(flow, record->destination);
    flow_set_src_port(flow, 80);
    flow_set_src_mac(flow, record->mac);
}

static int by_interface(char *out, size_t size, uint32_t i)
{
    return snprintf(out, size, "set_tag=%u ip=10.0.%u.%u in=%u\n", i + 1, i % 100 / 256, i % 100 % 256, i / 100 + 1);
}

static int by_network(char *out, size_t size, uint32_t i)
{
    return snprintf(out, size, "set_tag=%u src_net=%u.%u.%u.0/24\n", i + 1, 20 + (i >> 16), i >> 8 & 255, i & 255);
}

static int by_mac(char *out, size_t size, uint32_t i)
{
    return snprintf(out, size, "set_tag=%u ip=10.0.0.%u src_mac=02:00:00:%02x:%02x:%02x\n", i + 1, i % 100,
                    i >> 16 & 255, i >> 8 & 255, i & 255);
}

static int by_network_and_port(char *out, size_t size, uint32_t i)
{
    return snprintf(out, size, "set_tag=%u src_net=%u.%u.%u.0/24 src_port=80\n", i + 1, 20 + (i >> 16), i >> 8 & 255,
                    i & 255);
}

static int by_steps(char *out, size_t size, uint32_t i)
{
    return snprintf(out, size, "set_tag=%u ip=10.0.0.%u in=%u jeq=out\n", i + 1, i % 100, i / 100 + 1);
}

static const struct sort {
    const char *name;
    int (*row)(char *out, size_t size, uint32_t i);
    const char *end;
} sorts[] = {
    {"exporter and interface", by_interface, ""},
    {"source network", by_network, ""},
    {"exporter and source MAC", by_mac, ""},
    {"network and port", by_network_and_port, ""},
    {"two steps, jeq", by_steps, "set_tag2=1 ip=10.0.0.0/8 out=7 label=out\nset_tag2=2 label=out\n"},
};

static struct pre_tag_map *make_map(const struct sort *sort, uint32_t rows)
{
    size_t room = (size_t)rows * 100 + 1000, length = 0;
    char *text = malloc(room);
    struct error error = {""};
    struct pre_tag_map *map;

    for (uint32_t i = 0; i < rows; i++)
        length += (size_t)sort->row(text + length, room - length, i);
    length += (size_t)snprintf(text + length, room - length, "%s", sort->end);
    map = pre_tag_map_parse("bench", text, length, DAEMON_NFACCTD, &error);
    free(text);
    if (map == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return map;
}

/* The cost of filling the record in is measured, too, and taken away. */
static double measure(struct pre_tag_map *map, const struct record *drawn, uint64_t *wrong)
{
    static struct flow flow;
    uint64_t best = UINT64_MAX, bare = UINT64_MAX, sum = 0;

    for (unsigned round = 0; round < rounds; round++) {
        uint64_t start = now_ns(), middle;

        for (uint32_t i = 0; i < records; i++) {
            fill(&flow, &drawn[i]);
            __asm__ volatile("" : : "r"(&flow) : "memory");
        }
        middle = now_ns();
        bare = min_u64(bare, middle - start);
        for (uint32_t i = 0; i < records; i++) {
            fill(&flow, &drawn[i]);
            __asm__ volatile("" : : "r"(&flow) : "memory");
            pre_tag_map_run(map, &flow, NULL);
            sum += flow.tag - 1 - drawn[i].row;
        }
        best = min_u64(best, now_ns() - middle);
    }
    *wrong += sum;
    return (double)best / records - (double)bare / records;
}

static int run_once(unsigned sort, uint32_t rows, struct record *drawn)
{
    struct pre_tag_map *map = make_map(&sorts[sort], rows);
    static struct flow flow;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < records; i++) {
        draw(&drawn[i], rows);
        fill(&flow, &drawn[i]);
        pre_tag_map_run(map, &flow, NULL);
        sum += flow.tag;
    }
    printf("%s: %u records, sum of tags %llu\n", sorts[sort].name, records, (unsigned long long)sum);
    pre_tag_map_free(map);
    return 0;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10, 1000, 100000};
    static struct record drawn[records];
    uint64_t wrong = 0;

    if (argc > 1)
        return run_once((unsigned)strtoul(argv[1], NULL, 10) % array_length(sorts),
                        (uint32_t)max_u64(argc > 2 ? strtoul(argv[2], NULL, 10) : 10, 1), drawn);
    for (unsigned i = 0; i < array_length(sorts); i++) {
        double ten = 0;

        printf("%-26s", sorts[i].name);
        for (unsigned j = 0; j < array_length(sizes); j++) {
            uint64_t start = now_ns();
            struct pre_tag_map *map = make_map(&sorts[i], sizes[j]);
            double load_ms = (double)(now_ns() - start) / 1e6, cost;

            for (uint32_t k = 0; k < records; k++)
                draw(&drawn[k], sizes[j]);
            cost = measure(map, drawn, &wrong);
            ten = j == 0 ? cost : ten;
            printf("  %6u rows: %5.1f ns (%.2f of ten, loaded in %.1f ms)", sizes[j], cost, cost / ten, load_ms);
            pre_tag_map_free(map);
        }
        printf("\n");
    }
    if (wrong != 0)
        fprintf(stderr, "wrong tags\n");
    return wrong != 0;
}
