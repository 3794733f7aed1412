/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest-prefix match and networks files at the size of the internet: 1.1 million IPv4 and 250 thousand IPv6 prefixes,
 * made up with the lengths that a full BGP table has, nested and side by side, in random order.
 *
 * usage: bench_prefixes [IPv4 prefixes [IPv6 prefixes]]
 * Lines `name value unit`. Look-ups are of random addresses, nine of ten inside of a random prefix; all at once, and,
 * for the latency, each of an address that hangs on the result of the one before.
 */
#include "map/networks.h"
#include "net/prefixes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define address_count (1u << 20)
#define rounds 8
#define ipv6_blocks 50000u
#define origins 80000u

static uint64_t state = 88172645463325252u;

static uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static long peak_kbytes(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* -- the table -- */

struct share {
    uint8_t length;
    uint8_t percent;
};

/* Rounded from public statistics of the global tables. */
static const struct share ipv4_shares[] = {{24, 60}, {23, 11}, {22, 12}, {21, 5}, {20, 5}, {19, 3}, {18, 1}, {17, 1},
                                           {16, 2}};
static const struct share ipv6_shares[] = {{48, 46}, {44, 10}, {40, 9}, {36, 6}, {32, 14}, {29, 3}, {47, 3}, {46, 4},
                                           {45, 2}, {42, 2}, {56, 1}};

static uint8_t random_length(const struct share *shares, unsigned count)
{
    unsigned percent = (unsigned)(random_u64() % 100), i = 0;

    while (i + 1 < count && percent >= shares[i].percent)
        percent -= shares[i++].percent;
    return shares[i].length;
}

/* IPv6 is given out in blocks of /29 to /32, of which some are cut up far more than others. */
static void random_block(uint8_t octets[16])
{
    static const uint8_t heads[6][2] = {{0x20, 0x01}, {0x24, 0x00}, {0x26, 0x00}, {0x28, 0x00}, {0x2a, 0x00},
                                        {0x2c, 0x0f}};
    uint64_t kept = state, block = random_u64() % ipv6_blocks * (random_u64() % ipv6_blocks) / ipv6_blocks;

    state = block * UINT64_C(0x9e3779b97f4a7c15) + 1;
    block = random_u64();
    state = kept;
    (void)random_u64();
    octets[0] = heads[block % 6][0];
    octets[1] = (uint8_t)(heads[block % 6][1] | (block >> 8 & 0x0f));
    octets[2] = (uint8_t)(block >> 16);
    octets[3] = (uint8_t)(block >> 24 & 0xf8);
}

/* Few origins have most of the prefixes. */
static uint32_t random_origin(void)
{
    uint64_t a = random_u64() % origins, b = random_u64() % origins, c = random_u64() % origins;

    return (uint32_t)(a * b / origins * c / origins);
}

static void random_prefix(struct prefix *prefix, bool ipv4)
{
    uint64_t words[2] = {random_u64(), random_u64()};
    uint8_t octets[16];

    memcpy(octets, words, 16);
    if (ipv4) {
        octets[0] = (uint8_t)(1 + octets[0] % 223);
        address_set_ipv4(&prefix->net, octets);
        prefix->length = random_length(ipv4_shares, array_length(ipv4_shares));
    } else {
        random_block(octets);
        address_set_ipv6(&prefix->net, octets);
        prefix->length = random_length(ipv6_shares, array_length(ipv6_shares));
    }
    prefix->value = random_origin();
    (void)prefix_settle(prefix);
}

/* Until there are as many different ones as asked for; those too many are few. */
static struct prefix *make_table(uint32_t ipv4, uint32_t ipv6)
{
    struct prefix *table = malloc(((size_t)ipv4 + ipv6) * sizeof(*table));

    if (table == NULL)
        abort();
    for (uint32_t i = 0; i < ipv4 + ipv6; i++)
        random_prefix(&table[i], i < ipv4);
    for (uint32_t i = ipv4 + ipv6; i > 1; i--) {
        uint32_t other = (uint32_t)(random_u64() % i);
        struct prefix swap = table[i - 1];

        table[i - 1] = table[other];
        table[other] = swap;
    }
    return table;
}

static void make_addresses(struct address *addresses, const struct prefix *table, uint32_t count, int family)
{
    for (uint32_t i = 0; i < address_count; i++) {
        struct prefix any;
        uint64_t words[2] = {random_u64(), random_u64()};
        const struct prefix *inside = &table[random_u64() % count];

        while (family != 0 && address_is_ipv4(&inside->net) != (family == 4))
            inside = &table[random_u64() % count];
        random_prefix(&any, address_is_ipv4(&inside->net));
        addresses[i] = random_u64() % 10 == 0 ? any.net : inside->net;
        for (unsigned bit = random_u64() % 10 == 0 ? 0 : inside->length; bit < prefix_bits(&inside->net); bit++) {
            unsigned at = 128u - prefix_bits(&inside->net) + bit;

            addresses[i].bytes[at / 8] ^= (uint8_t)((words[at / 64] >> at % 64 & 1) << (7 - at % 8));
        }
    }
}

/* -- look-ups -- */

static void measure(const char *name, const struct prefixes *prefixes, const struct networks *networks,
                    const struct address *addresses)
{
    double best[3] = {1e9, 1e9, 1e9};
    uint64_t check = 0, found = 0;

    for (unsigned round = 0; round < rounds; round++) {
        double start = seconds();
        uint32_t last = 0;

        for (uint32_t i = 0; i < address_count; i++) {
            uint32_t number = prefixes_find(prefixes, &addresses[i]);

            check += number;
            found += number != prefixes_none;
        }
        if (seconds() - start < best[0])
            best[0] = seconds() - start;
        start = seconds();
        for (uint32_t i = 0; i < address_count; i++)
            last = prefixes_find(prefixes, &addresses[i ^ (last & 7)]);
        check += last;
        if (seconds() - start < best[1])
            best[1] = seconds() - start;
        start = seconds();
        for (uint32_t i = 0; i < address_count; i++) {
            const struct network *network = networks_find(networks, &addresses[i]);

            check += network == NULL ? 0 : network->origin_as;
        }
        if (seconds() - start < best[2])
            best[2] = seconds() - start;
    }
    printf("%s_lookups %.1f M/s\n", name, address_count / best[0] / 1e6);
    printf("%s_lookup_latency %.1f ns\n", name, best[1] / address_count * 1e9);
    printf("%s_networks_lookups %.1f M/s\n", name, address_count / best[2] / 1e6);
    printf("%s_found %.1f %%\n", name, (double)found * 100 / rounds / address_count);
    fprintf(stderr, "# check %llu\n", (unsigned long long)check);
}

/* -- the file -- */

static void write_file(const char *path, const struct prefix *table, uint32_t count)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        abort();
    for (uint32_t i = 0; i < count; i++) {
        char text[address_text_max];
        int length = (int)address_format(&table[i].net, text);

        fprintf(file, "192.0.2.%u,%u_%u,%.*s/%u\n", table[i].value % 200, 64512 + table[i].value % 100, table[i].value,
                length, text, table[i].length);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    uint32_t ipv4 = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1100000;
    uint32_t ipv6 = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 250000;
    char path[] = "/tmp/flowledger-bench-XXXXXX";
    struct prefix *table = make_table(ipv4, ipv6);
    struct address *addresses = malloc(address_count * sizeof(*addresses));
    struct networks *networks;
    struct prefixes *prefixes;
    struct error error = {""};
    int fd = mkstemp(path);
    long before;
    double start;

    if (addresses == NULL || fd < 0 || ipv4 + ipv6 == 0)
        return 1;
    write_file(path, table, ipv4 + ipv6);
    before = peak_kbytes();
    start = seconds();
    networks = networks_load(path, &error);
    if (networks == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("networks_load %.3f s\n", seconds() - start);
    printf("networks_prefixes %u\n", networks_count(networks));
    printf("networks_memory %.1f MB\n", (double)networks_bytes(networks) / 1e6);
    printf("networks_load_peak %.1f MB\n", (double)(peak_kbytes() - before) * 1024 / 1e6);
    start = seconds();
    prefixes = prefixes_build(table, ipv4 + ipv6, &error);
    printf("prefixes_build %.3f s\n", seconds() - start);
    printf("prefixes_memory %.1f MB\n", (double)prefixes_bytes(prefixes) / 1e6);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"all", "ipv4", "ipv6"};
        static const int families[] = {0, 4, 6};

        if ((i == 1 && ipv4 == 0) || (i == 2 && ipv6 == 0))
            continue;
        make_addresses(addresses, table, ipv4 + ipv6, families[i]);
        measure(names[i], prefixes, networks, addresses);
    }
    prefixes_free(prefixes);
    networks_free(networks);
    free(addresses);
    free(table);
    return remove(path) == 0 ? 0 : 1;
}
