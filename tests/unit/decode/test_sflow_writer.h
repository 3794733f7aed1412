/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small writer of XDR (RFC 4506) and of sFlow datagrams for the tests, independent of the decoder: lengths are
 * patched when a structure ends. And a bench: a decoder with a ledger, whose records are kept.
 */
#ifndef TESTS_UNIT_DECODE_TEST_SFLOW_WRITER_H
#define TESTS_UNIT_DECODE_TEST_SFLOW_WRITER_H

#include <stdio.h>
#include <stdlib.h>

#include "decode/sflow/sflow.h"

struct writer {
    uint8_t bytes[16384];
    size_t size;
};

static inline void put_u8(struct writer *w, unsigned v)
{
    w->bytes[w->size++] = (uint8_t)v;
}

static inline void put_u16(struct writer *w, unsigned v)
{
    put_u8(w, v >> 8);
    put_u8(w, v);
}

static inline void put_u32(struct writer *w, uint32_t v)
{
    put_u16(w, v >> 16);
    put_u16(w, v & 0xffff);
}

static inline void put_u64(struct writer *w, uint64_t v)
{
    put_u32(w, (uint32_t)(v >> 32));
    put_u32(w, (uint32_t)v);
}

static inline void put_bytes(struct writer *w, const void *bytes, size_t size)
{
    memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

/* Octets written as hexadecimal digits. */
static inline void put_hex(struct writer *w, const char *hex)
{
    for (; *hex != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        put_u8(w, (unsigned)strtoul(pair, NULL, 16));
    }
}

static inline void put_opaque(struct writer *w, const void *bytes, size_t size)
{
    put_u32(w, (uint32_t)size);
    put_bytes(w, bytes, size);
    while (size++ % 4 != 0)
        put_u8(w, 0);
}

static inline void put_text(struct writer *w, const char *text)
{
    put_opaque(w, text, strlen(text));
}

static inline void put_ipv4(struct writer *w, uint32_t host) /* an address with its type */
{
    put_u32(w, 1);
    put_u32(w, host);
}

static inline void put_mac(struct writer *w, uint64_t mac)
{
    put_u64(w, mac << 16);
}

static inline void patch_u32(struct writer *w, size_t at, uint32_t v)
{
    size_t size = w->size;

    w->size = at;
    put_u32(w, v);
    w->size = size;
}

/* A structure with a format and a length: begin returns a handle for end, which writes the length. */
static inline size_t begin_structure(struct writer *w, uint32_t enterprise, uint32_t format)
{
    put_u32(w, enterprise << 12 | format);
    put_u32(w, 0);
    return w->size;
}

static inline void end_structure(struct writer *w, size_t handle)
{
    patch_u32(w, handle - 4, (uint32_t)(w->size - handle));
}

#define test_agent 0xc0a80120u /* 192.168.1.32 */

static inline void put_datagram(struct writer *w, uint32_t sub_agent, uint32_t sequence, uint32_t uptime_ms,
                                uint32_t samples)
{
    put_u32(w, 5);
    put_ipv4(w, test_agent);
    put_u32(w, sub_agent);
    put_u32(w, sequence);
    put_u32(w, uptime_ms);
    put_u32(w, samples);
}

struct test_sample {
    uint32_t sequence, source, rate, drops, input, output, records;
};

static inline size_t begin_flow_sample(struct writer *w, struct test_sample sample)
{
    size_t handle = begin_structure(w, 0, 1);

    put_u32(w, sample.sequence);
    put_u32(w, sample.source);
    put_u32(w, sample.rate);
    put_u32(w, 4096); /* pool */
    put_u32(w, sample.drops);
    put_u32(w, sample.input);
    put_u32(w, sample.output);
    put_u32(w, sample.records);
    return handle;
}

static inline void put_header_record(struct writer *w, uint32_t protocol, uint32_t frame_bytes, uint32_t stripped,
                                     const struct writer *frame)
{
    size_t handle = begin_structure(w, 0, 1);

    put_u32(w, protocol);
    put_u32(w, frame_bytes);
    put_u32(w, stripped);
    put_opaque(w, frame->bytes, frame->size);
    end_structure(w, handle);
}

static inline void put_switch_record(struct writer *w, uint32_t source, uint32_t priority, uint32_t destination)
{
    size_t handle = begin_structure(w, 0, 1001);

    put_u32(w, source);
    put_u32(w, priority);
    put_u32(w, destination);
    put_u32(w, 0);
    end_structure(w, handle);
}

static inline void put_router_record(struct writer *w)
{
    size_t handle = begin_structure(w, 0, 1002);

    put_ipv4(w, 0x0a0000fe);
    put_u32(w, 24);
    put_u32(w, 16);
    end_structure(w, handle);
}

static inline void put_gateway_record(struct writer *w)
{
    static const uint32_t words[] = {64500, 64501, 64502, /* own, source, neighbour */
                                     2, 2, 2, 3356, 174,  /* two segments: a sequence of two, */
                                     1, 1, 64510,         /* a set of one */
                                     2, 64500u << 16 | 100, 65000u << 16 | 200, 150};
    size_t handle = begin_structure(w, 0, 1003);

    put_ipv4(w, 0xc0000201);
    for (size_t i = 0; i < array_length(words); i++)
        put_u32(w, words[i]);
    end_structure(w, handle);
}

/* An Ethernet frame with IPv4 and TCP 10.1.2.3:1234 -> 198.51.100.7:443; `vlan` 0 writes no tag. */
static inline void put_tcp_frame(struct writer *w, unsigned vlan, unsigned ip_bytes)
{
    put_hex(w, "0200000000010200000000aa");
    if (vlan != 0) {
        put_u16(w, 0x8100);
        put_u16(w, 5u << 13 | vlan);
    }
    put_hex(w, "0800" "45b8");
    put_u16(w, ip_bytes);
    put_hex(w, "a1d840004006" "0000" "0a010203" "c6336407");
    put_hex(w, "04d201bb" "00000001" "00000002" "5018" "ffff" "0000" "0000");
}

static inline void put_ethernet(struct writer *w, unsigned etype)
{
    put_hex(w, "0200000000010200000000aa");
    put_u16(w, etype);
}

struct test_bench {
    struct ledger *ledger;
    struct sflow *sflow;
    uint64_t *counters;
    struct origin origin;
    struct flow flows[64]; /* texts are those of the last one */
    size_t count;
    char lines[128][4096];
    size_t line_count;
    bool refuse_lines;
};

static inline void keep_flow(void *context, struct flow *flow)
{
    struct test_bench *bench = context;

    if (bench->count < array_length(bench->flows))
        bench->flows[bench->count] = *flow;
    bench->count++;
}

static inline bool keep_line(void *context, const struct address *agent, const char *text, size_t length)
{
    struct test_bench *bench = context;

    (void)agent;
    if (bench->refuse_lines)
        return false;
    if (bench->line_count < array_length(bench->lines))
        snprintf(bench->lines[bench->line_count], sizeof(bench->lines[0]), "%.*s", (int)length, text);
    bench->line_count++;
    return true;
}

static inline struct test_bench *bench_new(struct sflow_options options, bool lines)
{
    static const uint8_t source[4] = {127, 0, 0, 9};
    struct error error;
    struct test_bench *bench = calloc(1, sizeof(*bench));

    bench->ledger = ledger_create(&error);
    bench->counters = bench->ledger->lanes[0].input;
    address_set_ipv4(&bench->origin.source, source);
    bench->origin.source_port = 50000;
    bench->origin.arrival_ns = INT64_C(1700000000) * 1000000000;
    struct decode_output output = {.record = keep_flow, .context = bench, .ledger = bench->ledger,
                                   .counters = bench->counters};
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        field_set_add(&output.wants, (enum field_id)id);
    if (lines) {
        options.counter_line = keep_line;
        options.counter_context = bench;
    }
    bench->sflow = sflow_new(&options, &output, &error);
    return bench;
}

static inline void bench_free(struct test_bench *bench)
{
    sflow_free(bench->sflow);
    ledger_free(bench->ledger);
    free(bench);
}

/* Decodes from a copy of the exact size, so that the sanitizer sees a read past the end. */
static inline void bench_feed_bytes(struct test_bench *bench, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    memcpy(copy, bytes, size);
    bench->counters[INPUT_datagrams_received]++;
    sflow_datagram(bench->sflow, copy, size, &bench->origin);
    free(copy);
}

static inline void bench_feed(struct test_bench *bench, const struct writer *w)
{
    bench_feed_bytes(bench, w->bytes, w->size);
}

static inline uint64_t bench_counter(const struct test_bench *bench, enum input_counter id)
{
    return bench->counters[id];
}

/* The conservation groups that the decoder keeps. */
static inline bool bench_balances(const struct test_bench *bench, bool discards)
{
    const uint64_t *c = bench->counters;

    return c[INPUT_datagrams_received] == c[INPUT_datagrams_decoded] + c[INPUT_datagrams_bad_version] +
                                              c[INPUT_datagrams_malformed] + c[INPUT_datagrams_no_exporter] &&
           c[INPUT_samples_seen] == c[INPUT_samples_flow] + c[INPUT_samples_discard] + c[INPUT_samples_counter] +
                                        c[INPUT_samples_unknown] + c[INPUT_samples_malformed] &&
           c[INPUT_samples_flow] + (discards ? c[INPUT_samples_discard] : 0) ==
               c[INPUT_records_decoded] + c[INPUT_samples_without_packet] + c[INPUT_samples_not_ip] &&
           c[INPUT_counter_records_seen] == c[INPUT_counter_records_written] + c[INPUT_counter_records_not_asked] +
                                                c[INPUT_counter_records_failed];
}

#endif
