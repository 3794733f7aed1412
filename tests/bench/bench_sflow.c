/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a flow sample takes: one datagram of five samples, each with an Ethernet, VLAN and TCP header, switch,
 * router and gateway records, decoded over and over. Prints nanoseconds per sample, with the fields of a usual
 * aggregate and with all.
 */
#include "decode/sflow/sflow.h"

#include <time.h>

#include "base/time.h"
#include "unit/decode/test_sflow_writer.h"

#define samples 5

static void count_flow(void *context, struct flow *flow)
{
    *(uint64_t *)context += flow->bytes;
}

/* Time of this process only: what else runs on the machine does not count. */
static int64_t processor_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * time_second_ns + now.tv_nsec;
}

static void write_datagram(struct writer *w)
{
    put_datagram(w, 0, 1, 1000, samples);
    for (uint32_t i = 0; i < samples; i++) {
        struct writer frame = {.size = 0};
        size_t handle = begin_flow_sample(
            w, (struct test_sample){i, 3 + i, 1000, 0, 3 + i, 4, 4});
        put_tcp_frame(&frame, 100 + i, 400);
        while (frame.size < 128)
            put_u8(&frame, 0);
        put_header_record(w, 1, 422, 4, &frame);
        put_switch_record(w, 200, 3, 300);
        put_router_record(w);
        put_gateway_record(w);
        end_structure(w, handle);
    }
}

static void run(const char *name, const struct field_set *wants, uint64_t rounds)
{
    struct error error;
    struct sflow_options options = {0};
    struct origin origin = {.source = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}}, .arrival_ns = 1};
    uint64_t bytes = 0;
    struct ledger *ledger = ledger_create(&error);
    struct decode_output output = {.record = count_flow, .context = &bytes, .ledger = ledger,
                                   .counters = ledger->lanes[0].input, .wants = *wants};
    struct sflow *sflow = sflow_new(&options, &output, &error);
    struct writer w = {.size = 0};

    write_datagram(&w);
    int64_t start = processor_ns();
    for (uint64_t i = 0; i < rounds; i++) {
        patch_u32(&w, 16, (uint32_t)i); /* the datagram's sequence */
        sflow_datagram(sflow, w.bytes, w.size, &origin);
    }
    int64_t took = processor_ns() - start;
    printf("%-28s %6.1f ns per sample, %llu records\n", name, (double)took / (double)(rounds * samples),
           (unsigned long long)ledger->lanes[0].input[INPUT_records_decoded]);
    sflow_free(sflow);
    ledger_free(ledger);
}

int main(int count, char **arguments)
{
    static const enum field_id usual[] = {FIELD_SRC_HOST, FIELD_DST_HOST, FIELD_SRC_PORT, FIELD_DST_PORT, FIELD_PROTO,
                                          FIELD_SRC_AS,   FIELD_DST_AS,   FIELD_IN_IFACE, FIELD_OUT_IFACE};
    uint64_t rounds = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    struct field_set wants = {{0}};

    for (size_t i = 0; i < array_length(usual); i++)
        field_set_add(&wants, usual[i]);
    run("usual fields", &wants, rounds);
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        field_set_add(&wants, (enum field_id)id);
    run("all fields, with the texts", &wants, rounds);
    return 0;
}
