/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many rows a CPU-second makes text of: 100000 different 5-tuple rows in each format, IPv4 and IPv6. Prints one
 * line for each: format, family, rows per CPU-second, bytes per row. Targets: 8 M of CSV and 4 M of JSON, IPv4.
 */
#include "base/base.h"

#include "plugins/common/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define bench_rows 100000u
#define bench_seconds 1.0

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct address random_address(bool ipv6)
{
    static const uint8_t prefix[4] = {0x20, 0x01, 0x0d, 0xb8};
    uint8_t octets[16];
    struct address address;

    for (unsigned i = 0; i < 16; i++)
        octets[i] = (uint8_t)random_u64();
    memcpy(octets, prefix, 4);
    if (ipv6)
        address_set_ipv6(&address, octets);
    else
        address_set_ipv4(&address, octets + 4);
    return address;
}

static uint8_t *make_rows(const struct layout *layout, bool ipv6)
{
    static const uint8_t protocols[] = {6, 6, 6, 17, 17, 1};
    uint8_t *rows = aligned_alloc(64, align_up((size_t)bench_rows * layout->body_bytes, (size_t)64));
    struct flow flow;

    for (unsigned i = 0; rows && i < bench_rows; i++) {
        flow_clear(&flow);
        flow_set_src_host(&flow, random_address(ipv6));
        flow_set_dst_host(&flow, random_address(ipv6));
        flow_set_src_port(&flow, (uint16_t)random_u64());
        flow_set_dst_port(&flow, (uint16_t)(random_u64() & 1023));
        flow_set_proto(&flow, protocols[random_u64() % array_length(protocols)]);
        flow_set_packets(&flow, random_u64() % 10000);
        flow_set_bytes(&flow, random_u64() % 10000000);
        layout_project(layout, &flow, 0, rows + (size_t)i * layout->body_bytes);
    }
    return rows;
}

static void run(const struct layout *layout, const uint8_t *rows, enum encode_format format, const char *name,
                const char *family)
{
    struct encode_options options = {.format = format, .event_type = "purge"};
    struct error error;
    struct encoder *encoder = encoder_new(layout, &options, &error);
    size_t room = 1u << 18, used = 0;
    char *out = malloc(room);
    uint64_t done = 0, bytes = 0;
    double start = cpu_seconds(), spent;

    if (!encoder || !out)
        exit(1);
    do {
        for (unsigned i = 0; i < bench_rows; i++) {
            size_t length;

            if (room - used < encoder_row_max(encoder))
                used = 0;
            length = encoder_row(encoder, rows + (size_t)i * layout->body_bytes, NULL, out + used);
            used += length;
            bytes += length;
        }
        done += bench_rows;
        spent = cpu_seconds() - start;
    } while (spent < bench_seconds);
    printf("%-10s %s %8.2f M rows/cpu-s %6.1f bytes/row\n", name, family, (double)done / spent / 1e6,
           (double)bytes / (double)done);
    free(out);
    encoder_free(encoder);
}

int main(void)
{
    static struct layout layout;
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct aggregate aggregate = {.sum = false};
    struct error error;

    if (aggregate_parse(&aggregate, "src_host, dst_host, src_port, dst_port, proto", &error) < 0 ||
        layout_compile(&layout, &aggregate, &options, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        const char *family = ipv6 ? "ipv6" : "ipv4";
        uint8_t *rows = make_rows(&layout, ipv6);

        if (!rows)
            return 1;
        run(&layout, rows, ENCODE_CSV, "csv", family);
        run(&layout, rows, ENCODE_JSON, "json", family);
        run(&layout, rows, ENCODE_FORMATTED, "formatted", family);
        free(rows);
    }
    return 0;
}
