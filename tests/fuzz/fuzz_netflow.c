/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the NetFlow and IPFIX decoder with a sequence of datagrams, each after its length in two octets, so that templates,
 * redefinitions and data meet in one input. The first octet of the input chooses options: whether records are shown as text,
 * go the short way (direct.c), which policies hold. At the end the books must balance.
 */
#include <stdlib.h>

#include "decode/netflow/netflow.h"

static uint64_t octets_seen; /* texts are read, so that the sanitizer sees where they point */

static void take_flow(void *context, struct flow *flow)
{
    (void)context;
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        const struct span *span = (const struct span *)((const uint8_t *)flow + field_table[id].flow_offset);

        if (field_table[id].type != FIELD_TYPE_STRING || !flow_has(flow, (enum field_id)id))
            continue;
        for (uint32_t at = 0; at < span->length; at++)
            octets_seen += (uint8_t)span->data[at];
    }
}

static void take_bodies(void *context, unsigned target, const uint8_t *bodies, unsigned count)
{
    const struct layout *layout = context;

    if (target != 0)
        abort();
    for (size_t i = 0; i < (size_t)count * layout->body_bytes; i++)
        octets_seen += bodies[i];
}

static void take_text(void *context, const char *text, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)text[i] < 0x20)
            abort();
}

static void check(const uint64_t *c, uint64_t datagrams)
{
    if (datagrams != c[INPUT_datagrams_decoded] + c[INPUT_datagrams_bad_version] + c[INPUT_datagrams_malformed] +
                         c[INPUT_datagrams_no_exporter])
        abort();
    if (c[INPUT_sets_waiting] != 0 ||
        c[INPUT_sets_seen] != c[INPUT_sets_template] + c[INPUT_sets_data] + c[INPUT_sets_unknown] +
                                  c[INPUT_sets_malformed] + c[INPUT_sets_reserved])
        abort();
    if (c[INPUT_data_records_seen] + c[INPUT_data_records_reversed] !=
        c[INPUT_data_records_accounted] + c[INPUT_data_records_options] + c[INPUT_data_records_no_rate])
        abort();
    if (c[INPUT_data_records_accounted] != c[INPUT_records_decoded])
        abort();
}

static const struct layout *five_tuple(void)
{
    static struct layout layout;
    struct aggregate aggregate = {.sum = false};
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct error error;

    if (layout.body_bytes == 0 &&
        (aggregate_parse(&aggregate, "src_host,dst_host,src_port,dst_port,proto,tos,peer_src_ip", &error) < 0 ||
         layout_compile(&layout, &aggregate, &options, &error) < 0))
        abort();
    return &layout;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ledger *ledger;
    static char description[65536];
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
    struct netflow_options options = {
        .biflow = (enum netflow_biflow)(flags % 3),
        .template_bytes_max = 1 << 20,
        .exporter_templates_max = 64,
        .template_lifetime_ns = 1000,
        .hold_bytes_max = 1 << 16,
        .hold_ns = 1000,
        .account_options = flags & 4,
        .asa_bi_flow = flags & 8,
        .drop_unknown_rate = flags & 16,
        .disable_scope_check = flags & 32,
        .on_record = flags & 64 ? take_text : NULL,
        .on_template = flags & 64 ? take_text : NULL,
    };
    struct decode_output output = {.record = take_flow, .ledger = ledger, .counters = ledger->lanes[0].input};
    const struct layout *layout = five_tuple();

    if (flags & 128) {
        output.targets[0] = layout;
        output.target_count = 1;
        output.bodies = take_bodies;
        output.context = (void *)(uintptr_t)layout;
        output.wants = layout->needs;
    } else {
        memset(&output.wants, 0xff, sizeof(output.wants));
    }
    struct netflow *netflow = netflow_new(&options, &output, &error);
    if (netflow == NULL)
        abort();
    while (size >= 2) {
        size_t length = (size_t)data[0] << 8 | data[1];

        data += 2;
        size -= 2;
        if (length > size)
            length = size;
        uint8_t *copy = malloc(length + !length); /* of its own, so that a read past its end is seen */
        memcpy(copy, data, length);
        netflow_datagram(netflow, copy, length, &origin);
        free(copy);
        origin.arrival_ns += 100;
        datagrams++;
        data += length;
        size -= length;
        netflow_tick(netflow, origin.arrival_ns);
    }
    netflow_describe(netflow, origin.arrival_ns, description, sizeof(description));
    netflow_end(netflow);
    netflow_free(netflow);
    check(ledger->lanes[0].input, datagrams);
    return 0;
}
