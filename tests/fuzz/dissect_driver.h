/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets of the dissectors share: a string of octets becomes the packets of one conversation. Each
 * packet is two octets and its payload: side, what to do, length. The lines must be JSON, the memory within its
 * limit.
 */
#ifndef TESTS_FUZZ_DISSECT_DRIVER_H
#define TESTS_FUZZ_DISSECT_DRIVER_H

#include "dissect/dissect.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define driver_memory 200000

enum driver_action { /* bits 1 and 2 of the first octet */
    DRIVER_DATA,
    DRIVER_CUT,     /* half of it was captured */
    DRIVER_AHEAD,   /* before its turn: what is missing comes later, or never */
    DRIVER_CONTROL  /* no payload: SYN, FIN, RST, time, rotation, by the second octet */
};

struct driver {
    struct dissection *dissection;
    void *state;
    uint8_t proto;
    uint16_t port;
    uint32_t sequence[2];
    int64_t now_ns;
};

static inline void driver_packet(struct driver *driver, unsigned side, const uint8_t *bytes, uint32_t captured,
                                 uint32_t length, uint32_t sequence, uint16_t flags)
{
    static const uint8_t hosts[2][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
    struct dissect_packet packet = {bytes, captured, length, sequence, flags, side == 1, driver->now_ns};
    struct flow flow = {.discard = false};
    struct address from, to;

    address_set_ipv4(&from, hosts[side]);
    address_set_ipv4(&to, hosts[1 - side]);
    flow_set_src_host(&flow, from);
    flow_set_dst_host(&flow, to);
    flow_set_proto(&flow, driver->proto);
    flow_set_src_port(&flow, side == 0 ? 40000 : driver->port);
    flow_set_dst_port(&flow, side == 0 ? driver->port : 40000);
    flow_set_tcpflags(&flow, flags);
    driver->now_ns += 1000000;
    if (dissection_looks(driver->dissection, driver->state, &flow))
        dissection_packet(driver->dissection, &driver->state, &packet, &flow);
    if (flow_has(&flow, FIELD_TLS_SNI) && (flow.tls_sni.length == 0 || flow.tls_sni.length > 255))
        abort();
    if (flow_has(&flow, FIELD_DNS_NAME) && (flow.dns_name.length == 0 || flow.dns_name.length > 255))
        abort();
    if (dissection_counts(driver->dissection).memory_bytes > driver_memory)
        abort();
}

static inline void driver_control(struct driver *driver, unsigned side, uint8_t what)
{
    switch (what & 7) {
    case 0:
        driver_packet(driver, side, NULL, 0, 0, driver->sequence[side]++, side == 0 ? 2 : 18);
        break;
    case 1:
        driver_packet(driver, side, NULL, 0, 0, driver->sequence[side], 17);
        break;
    case 2:
        driver_packet(driver, side, NULL, 0, 0, driver->sequence[side], 4);
        break;
    case 3:
        driver->now_ns += INT64_C(1000000000) * (what >> 3);
        dissection_tick(driver->dissection, driver->now_ns);
        break;
    case 4:
        dissection_release(driver->dissection, driver->state);
        driver->state = NULL;
        break;
    case 5:
        driver->sequence[side] += (uint32_t)what << 4;
        break;
    default:
        dissection_flush(driver->dissection);
        break;
    }
}

static inline void driver_play(struct driver *driver, const uint8_t *data, size_t size)
{
    while (size >= 2) {
        unsigned side = data[0] & 1;
        enum driver_action action = (enum driver_action)(data[0] >> 1 & 3);
        uint32_t length = (uint32_t)min_u64((uint32_t)(data[0] >> 3 & 7) << 8 | data[1], size - 2), captured = length;
        uint8_t *copy;

        if (action == DRIVER_CONTROL) {
            driver_control(driver, side, data[1]);
            data += 2;
            size -= 2;
            continue;
        }
        if (action == DRIVER_CUT)
            captured /= 2;
        copy = malloc(captured + (captured == 0)); /* so that a sanitizer sees its end */
        if (copy == NULL)
            abort();
        if (captured > 0)
            memcpy(copy, data + 2, captured);
        driver_packet(driver, side, copy, captured, length,
                      driver->sequence[side] + (action == DRIVER_AHEAD ? length : 0), 16);
        if (action != DRIVER_AHEAD)
            driver->sequence[side] += length;
        free(copy);
        data += 2 + length;
        size -= 2 + length;
    }
}

static inline void driver_check_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while (file != NULL && (length = getline(&line, &room, file)) > 0) {
        json_error_t error;
        json_t *json = json_loadb(line, (size_t)length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

        if (json == NULL || line[length - 1] != '\n' || length > 20000) {
            fprintf(stderr, "%s: %s\n", error.text, line);
            abort();
        }
        json_decref(json);
    }
    free(line);
    if (file != NULL)
        fclose(file);
}

/* The whole of one input, over TCP or UDP; with lines, or names only. */
static inline void driver_run(const char *dissector, uint8_t proto, uint16_t port, const uint8_t *data, size_t size)
{
    struct driver driver = {
        .proto = proto, .port = port, .sequence = {0xffffff00u, 5}, .now_ns = INT64_C(1700000000000000000)};
    struct dissection_options options = {.dissectors = dissector,
                                         .stream_bytes = 4096,
                                         .memory_bytes = driver_memory,
                                         .umask_bits = 077,
                                         .timestamps_utc = true,
                                         .want_tls_sni = true,
                                         .want_dns_name = true};
    struct error error = {""};
    char path[64];

    snprintf(path, sizeof(path), "/tmp/fuzz-dissect-%ld.json", (long)getpid());
    if (size == 0)
        return;
    options.output_file = data[0] & 0x80 ? NULL : path;
    driver.dissection = dissection_new(&options, &error);
    if (driver.dissection == NULL)
        abort();
    driver_play(&driver, data, size);
    dissection_free(driver.dissection);
    if (options.output_file != NULL)
        driver_check_lines(path);
    unlink(path);
}

#endif
