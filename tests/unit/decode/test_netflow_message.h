/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the NetFlow decoder: messages put together by hand, octet by octet, and a decoder that keeps what it
 * hands on. Written from the RFCs, independent of the decoder's own tables.
 */
#ifndef TESTS_UNIT_DECODE_NETFLOW_MESSAGE_H
#define TESTS_UNIT_DECODE_NETFLOW_MESSAGE_H

#include <stdio.h>
#include <stdlib.h>

#include "decode/netflow/private.h"
#include "lib/tap.h"

#define test_arrival_ns INT64_C(1795217431123000000) /* 2026-11-20 */

struct message_writer {
    uint8_t bytes[65536];
    size_t size, set; /* where the open set begins; 0: none */
    unsigned version;
};

static inline void put8(struct message_writer *w, unsigned value)
{
    w->bytes[w->size++] = (uint8_t)value;
}

static inline void put16(struct message_writer *w, unsigned value)
{
    put8(w, value >> 8 & 255);
    put8(w, value & 255);
}

static inline void put32(struct message_writer *w, uint32_t value)
{
    put16(w, value >> 16);
    put16(w, value & 0xffff);
}

static inline void put64(struct message_writer *w, uint64_t value)
{
    put32(w, (uint32_t)(value >> 32));
    put32(w, (uint32_t)value);
}

static inline void put_bytes(struct message_writer *w, const void *bytes, size_t size)
{
    memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

/* A text of fixed length, filled up with NUL. */
static inline void put_text(struct message_writer *w, const char *text, size_t size)
{
    memset(w->bytes + w->size, 0, size);
    memcpy(w->bytes + w->size, text, strlen(text) < size ? strlen(text) : size);
    w->size += size;
}

static inline void message_begin(struct message_writer *w, unsigned version, uint32_t sequence, uint32_t domain)
{
    w->size = w->set = 0;
    w->version = version;
    put16(w, version);
    put16(w, 0);
    if (version == 9)
        put32(w, 100000); /* uptime, ms */
    put32(w, (uint32_t)(test_arrival_ns / INT64_C(1000000000)));
    put32(w, sequence);
    put32(w, domain);
}

static inline void set_end(struct message_writer *w)
{
    if (w->set == 0)
        return;
    w->bytes[w->set + 2] = (uint8_t)((w->size - w->set) >> 8);
    w->bytes[w->set + 3] = (uint8_t)(w->size - w->set);
    w->set = 0;
}

static inline void set_begin(struct message_writer *w, unsigned id)
{
    set_end(w);
    w->set = w->size;
    put16(w, id);
    put16(w, 0);
}

static inline void message_end(struct message_writer *w)
{
    set_end(w);
    if (w->version == 10) {
        w->bytes[2] = (uint8_t)(w->size >> 8);
        w->bytes[3] = (uint8_t)w->size;
    } else {
        w->bytes[3] = 1;
    }
}

/* Pairs of element and length; an enterprise's element (IPFIX) is element | 0x8000, length, and the enterprise. */
static inline void put_fields(struct message_writer *w, const uint32_t *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bool enterprise = w->version == 10 && *fields & 0x8000;

        put16(w, *fields++);
        put16(w, *fields++);
        if (enterprise)
            put32(w, *fields++);
    }
}

static inline void put_template(struct message_writer *w, unsigned id, unsigned count, const uint32_t *fields)
{
    set_begin(w, w->version == 9 ? 0 : 2);
    put16(w, id);
    put16(w, count);
    put_fields(w, fields, count);
}

static inline void put_options_template(struct message_writer *w, unsigned id, unsigned scope, unsigned count,
                                        const uint32_t *fields)
{
    set_begin(w, w->version == 9 ? 1 : 3);
    put16(w, id);
    put16(w, w->version == 9 ? 4 * scope : count);
    put16(w, w->version == 9 ? 4 * (count - scope) : scope);
    put_fields(w, fields, count);
}

/* ---- a decoder ---- */

#define flows_kept 256
#define texts_kept 64

struct bench {
    struct netflow *netflow;
    struct ledger *ledger;
    uint64_t counters[INPUT_COUNTERS];
    struct origin origin;
    struct flow flows[flows_kept]; /* without what spans point to */
    unsigned flow_count;
    char *texts[texts_kept];
    unsigned text_count;
};

static inline void bench_flow(void *context, struct flow *flow)
{
    struct bench *bench = context;

    if (bench->flow_count < flows_kept)
        bench->flows[bench->flow_count] = *flow;
    bench->flow_count++;
}

static inline void bench_text(void *context, const char *text, size_t length)
{
    struct bench *bench = context;

    if (bench->text_count < texts_kept)
        bench->texts[bench->text_count++] = strndup(text, length);
}

static inline void bench_forget(struct bench *bench)
{
    for (unsigned i = 0; i < bench->text_count; i++)
        free(bench->texts[i]);
    bench->text_count = bench->flow_count = 0;
}

static inline struct bench *bench_new(struct netflow_options options, struct error *error)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct decode_output output = {.record = bench_flow, .context = bench, .counters = bench->counters};
    static const uint8_t source[4] = {198, 18, 0, 113};

    bench->ledger = output.ledger = ledger_create(error);
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (i < FIELD_CUSTOM_0 || i > FIELD_CUSTOM_31)
            field_set_add(&output.wants, i);
    options.text_context = bench;
    bench->netflow = netflow_new(&options, &output, error);
    address_set_ipv4(&bench->origin.source, source);
    bench->origin.source_port = 4000;
    bench->origin.arrival_ns = test_arrival_ns;
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    bench_forget(bench);
    netflow_free(bench->netflow);
    ledger_free(bench->ledger);
    free(bench);
}

static inline void bench_send(struct bench *bench, struct message_writer *w)
{
    message_end(w);
    netflow_datagram(bench->netflow, w->bytes, w->size, &bench->origin);
}

#define FIELDS(...) (sizeof((uint32_t[]){__VA_ARGS__}) / 8), (const uint32_t[]){__VA_ARGS__}

#endif
