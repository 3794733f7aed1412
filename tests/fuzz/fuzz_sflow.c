/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the sFlow decoder with a sequence of datagrams, each after its length in two octets. The first octet of the
 * input chooses options. At the end the books must balance.
 */
#include <stdlib.h>

#include "decode/sflow/sflow.h"

static uint64_t octets_seen; /* texts are read, so that the sanitizer sees where they point */

static void take_flow(void *context, struct flow *flow)
{
    const enum field_id texts[] = {FIELD_AS_PATH, FIELD_STD_COMM, FIELD_MPLS_LABEL_STACK, FIELD_CLASS,
                                   FIELD_DROP_REASON};
    const struct span *spans[] = {&flow->as_path, &flow->std_comm, &flow->mpls_label_stack, &flow->class_name,
                                  &flow->drop_reason};

    (void)context;
    for (unsigned i = 0; i < array_length(texts); i++) {
        if (!flow_has(flow, texts[i]))
            continue;
        if (spans[i]->length > flow_string_max)
            abort();
        for (uint32_t at = 0; at < spans[i]->length; at++)
            octets_seen += (uint8_t)spans[i]->data[at];
    }
}

static bool take_line(void *context, const struct address *agent, const char *text, size_t length)
{
    (void)context;
    (void)agent;
    if (length < 2 || text[0] != '{' || text[length - 1] != '}')
        abort();
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)text[i] < 0x20)
            abort();
    return length % 7 != 0;
}

static void check(const uint64_t *c, uint64_t datagrams, bool discards)
{
    if (datagrams != c[INPUT_datagrams_decoded] + c[INPUT_datagrams_bad_version] + c[INPUT_datagrams_malformed] +
                         c[INPUT_datagrams_no_exporter])
        abort();
    if (c[INPUT_samples_seen] != c[INPUT_samples_flow] + c[INPUT_samples_discard] + c[INPUT_samples_counter] +
                                     c[INPUT_samples_unknown] + c[INPUT_samples_malformed])
        abort();
    if (c[INPUT_samples_flow] + (discards ? c[INPUT_samples_discard] : 0) !=
        c[INPUT_records_decoded] + c[INPUT_samples_without_packet] + c[INPUT_samples_not_ip])
        abort();
    if (c[INPUT_counter_records_seen] != c[INPUT_counter_records_written] + c[INPUT_counter_records_not_asked] +
                                             c[INPUT_counter_records_failed])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ledger *ledger;
    struct error error;
    struct origin origin = {.source = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}}, .arrival_ns = 1};
    uint64_t datagrams = 0;

    if (size < 1)
        return 0;
    if (ledger == NULL)
        ledger = ledger_create(&error);
    memset(ledger->lanes[0].input, 0, sizeof(ledger->lanes[0].input));
    for (size_t i = 0; i < ledger_exporters_max; i++)
        if (ledger->exporters[i].used)
            memset(&ledger->exporters[i], 0, sizeof(ledger->exporters[i]));

    unsigned flags = *data++;
    size--;
    struct sflow_options options = {.byte_count = (enum sflow_byte_count)(flags % 3), .unknown_etype = flags & 4,
                                    .ignore_agent = flags & 8, .raw_interfaces = flags & 16, .discards = flags & 32,
                                    .vxlan_replace_port = flags & 64 ? 4789 : 0,
                                    .counter_line = flags & 128 ? take_line : NULL};
    struct decode_output output = {.record = take_flow, .ledger = ledger, .counters = ledger->lanes[0].input};
    memset(&output.wants, 0xff, sizeof(output.wants));
    struct sflow *sflow = sflow_new(&options, &output, &error);
    if (sflow == NULL)
        return 0;
    while (size >= 2) {
        size_t length = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        uint8_t *copy = malloc(length > 0 ? length : 1); /* the exact size, for the sanitizer */
        memcpy(copy, data, length);
        sflow_datagram(sflow, copy, length, &origin);
        free(copy);
        datagrams++;
        data += length;
        size -= length;
    }
    check(ledger->lanes[0].input, datagrams, options.discards);
    sflow_free(sflow);
    return 0;
}
