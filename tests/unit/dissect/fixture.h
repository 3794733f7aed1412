/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conversations for the tests of dissectors: packets as the packet decoder would give them, with a flow table of a
 * few entries, and the lines that come out. The client is 192.0.2.1, the server 198.51.100.2; each packet is a
 * millisecond later than the one before.
 */
#ifndef TESTS_UNIT_DISSECT_FIXTURE_H
#define TESTS_UNIT_DISSECT_FIXTURE_H

#include "dissect/dissect.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/tap.h"

#define fixture_start_ns INT64_C(1700000000000000000) /* 2023-11-14 22:13:20 UTC */
#define fixture_step_ns INT64_C(1000000)
#define fixture_output_max (1024 * 1024)

enum { FIXTURE_FIN = 1, FIXTURE_SYN = 2, FIXTURE_RST = 4, FIXTURE_ACK = 16 };

struct fixture {
    struct dissection *dissection;
    char path[64];
    int64_t now_ns;
    char sni[256], dns[256]; /* of the last packet */
    char output[fixture_output_max];
};

/* A conversation and its place in the flow table. */
struct fixture_talk {
    void *state;
    uint8_t proto;
    uint16_t client_port, server_port;
    bool server_first; /* the flow table has seen the server's packet first */
    uint32_t sequence[2];
};

static inline struct dissection_options fixture_options(struct fixture *fixture)
{
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/dissect-test-%ld.json", (long)getpid());
    unlink(fixture->path);
    fixture->now_ns = fixture_start_ns;
    return (struct dissection_options){.output_file = fixture->path,
                                       .stream_bytes = 16384,
                                       .memory_bytes = 1 << 24,
                                       .umask_bits = 077,
                                       .timestamps_utc = true,
                                       .want_tls_sni = true,
                                       .want_dns_name = true};
}

static inline bool fixture_open_with(struct fixture *fixture, const struct dissection_options *options)
{
    struct error error = {""};

    fixture->dissection = dissection_new(options, &error);
    return ok(fixture->dissection != NULL, "the dissection starts %s", error.text);
}

static inline bool fixture_open(struct fixture *fixture)
{
    struct dissection_options options = fixture_options(fixture);

    return fixture_open_with(fixture, &options);
}

static inline struct flow fixture_flow(const struct fixture_talk *talk, unsigned side)
{
    static const uint8_t hosts[2][4] = {{192, 0, 2, 1}, {198, 51, 100, 2}};
    struct flow flow = {.discard = false};
    struct address from, to;

    address_set_ipv4(&from, hosts[side]);
    address_set_ipv4(&to, hosts[1 - side]);
    flow_set_src_host(&flow, from);
    flow_set_dst_host(&flow, to);
    flow_set_src_port(&flow, side == 0 ? talk->client_port : talk->server_port);
    flow_set_dst_port(&flow, side == 0 ? talk->server_port : talk->client_port);
    flow_set_proto(&flow, talk->proto);
    return flow;
}

static inline void fixture_keep(char out[256], bool has, struct span span)
{
    size_t length = has ? min_u64(span.length, 255) : 0;

    memcpy(out, has ? span.data : "", length);
    out[length] = '\0';
}

/* A packet with `size` bytes of which `captured` were captured, copied so that a sanitizer sees its end. */
static inline void fixture_packet(struct fixture *fixture, struct fixture_talk *talk, unsigned side,
                                  const void *bytes, size_t size, size_t captured, uint32_t sequence, uint16_t flags)
{
    struct flow flow = fixture_flow(talk, side);
    uint8_t *copy = malloc(captured + (captured == 0));
    struct dissect_packet packet = {.payload = copy,
                                    .captured = (uint32_t)captured,
                                    .length = (uint32_t)size,
                                    .sequence = sequence,
                                    .tcp_flags = flags,
                                    .backwards = (side == 1) != talk->server_first,
                                    .when_ns = fixture->now_ns};

    if (captured > 0)
        memcpy(copy, bytes, captured);
    flow_set_tcpflags(&flow, flags);
    fixture->now_ns += fixture_step_ns;
    if (dissection_looks(fixture->dissection, talk->state, &flow))
        dissection_packet(fixture->dissection, &talk->state, &packet, &flow);
    free(copy);
    fixture_keep(fixture->sni, flow_has(&flow, FIELD_TLS_SNI), flow.tls_sni);
    fixture_keep(fixture->dns, flow_has(&flow, FIELD_DNS_NAME), flow.dns_name);
}

static inline void fixture_datagram(struct fixture *fixture, struct fixture_talk *talk, unsigned side,
                                    const void *bytes, size_t size)
{
    fixture_packet(fixture, talk, side, bytes, size, size, 0, 0);
}

static inline struct fixture_talk fixture_connect(struct fixture *fixture, uint16_t port)
{
    struct fixture_talk talk = {.proto = 6, .client_port = 40000, .server_port = port, .sequence = {0xfffffff0u, 77}};

    fixture_packet(fixture, &talk, 0, "", 0, 0, talk.sequence[0]++, FIXTURE_SYN);
    fixture_packet(fixture, &talk, 1, "", 0, 0, talk.sequence[1]++, FIXTURE_SYN | FIXTURE_ACK);
    return talk;
}

static inline void fixture_send_cut(struct fixture *fixture, struct fixture_talk *talk, unsigned side,
                                    const void *bytes, size_t size, size_t captured)
{
    fixture_packet(fixture, talk, side, bytes, size, captured, talk->sequence[side], FIXTURE_ACK);
    talk->sequence[side] += (uint32_t)size;
}

static inline void fixture_send(struct fixture *fixture, struct fixture_talk *talk, unsigned side, const void *bytes,
                                size_t size)
{
    fixture_send_cut(fixture, talk, side, bytes, size, size);
}

static inline void fixture_say(struct fixture *fixture, struct fixture_talk *talk, unsigned side, const char *text)
{
    fixture_send(fixture, talk, side, text, strlen(text));
}

/* A packet that was not captured at all. */
static inline void fixture_lose(struct fixture_talk *talk, unsigned side, size_t size)
{
    talk->sequence[side] += (uint32_t)size;
}

static inline void fixture_close(struct fixture *fixture, struct fixture_talk *talk, unsigned side)
{
    fixture_packet(fixture, talk, side, "", 0, 0, talk->sequence[side]++, FIXTURE_FIN | FIXTURE_ACK);
}

/* What has been written so far, and the file is empty again. */
static inline const char *fixture_lines(struct fixture *fixture)
{
    FILE *file;
    size_t size = 0;

    dissection_flush(fixture->dissection);
    file = fopen(fixture->path, "re");
    if (file != NULL) {
        size = fread(fixture->output, 1, sizeof(fixture->output) - 1, file);
        fclose(file);
        if (truncate(fixture->path, 0) != 0)
            abort();
    }
    fixture->output[size] = '\0';
    return fixture->output;
}

/* What stands behind `"name": ` in the first line that has it, up to the next comma or bracket; or "(none)". */
static inline const char *fixture_member(const char *lines, const char *name)
{
    static char value[8][512];
    static unsigned next;
    char pattern[128], *out = value[next++ % 8];
    const char *at;
    size_t length = 0;
    bool quoted;

    snprintf(pattern, sizeof(pattern), "\"%s\": ", name);
    at = strstr(lines, pattern);
    if (at == NULL)
        return "(none)";
    at += strlen(pattern);
    quoted = *at == '"';
    at += quoted;
    while (at[length] != '\0' && length < 500 &&
           (quoted ? at[length] != '"' || at[length - 1] == '\\' : !strchr(",}]\n", at[length])))
        length++;
    memcpy(out, at, length);
    out[length] = '\0';
    return out;
}

static inline unsigned fixture_count(const char *lines)
{
    unsigned count = 0;

    for (; *lines != '\0'; lines++)
        count += *lines == '\n';
    return count;
}

/* Nothing is left behind: called last. */
static inline void fixture_close_all(struct fixture *fixture)
{
    dissection_free(fixture->dissection);
    unlink(fixture->path);
}

#define is_member(lines, name, want) is_text(fixture_member(lines, name), want, "%s is %s", name, want)

#endif
