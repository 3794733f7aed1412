/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetFlow versions 1, 5, 6, 7 and 8: formats that are known in advance. Each is a definition like one that a template
 * makes, with the elements of NetFlow v9 for its fields, and runs on the same engine. Sizes and layouts: Cisco's
 * NetFlow Services Solutions Guide, compared with what Wireshark dissects.
 */
#include "base/time.h"
#include "decode/netflow/private.h"

#define padding 210 /* paddingOctets */

enum { BYTES = 1, PACKETS, FLOWS, PROTO, TOS, FLAGS, SRC_PORT, SRC, SRC_MASK, INPUT, DST_PORT, DST, DST_MASK, OUTPUT,
       NEXT_HOP, SRC_AS, DST_AS, LAST = 21, FIRST = 22, SRC_PREFIX = 44, DST_PREFIX = 45 };

#define fixed_fields_max 24

/* Element and octets of each field. */
#define head_of_aggregate {FLOWS, 4}, {PACKETS, 4}, {BYTES, 4}, {FIRST, 4}, {LAST, 4}
#define head_of_flow \
    {SRC, 4}, {DST, 4}, {NEXT_HOP, 4}, {INPUT, 2}, {OUTPUT, 2}, {PACKETS, 4}, {BYTES, 4}, {FIRST, 4}, {LAST, 4}, \
        {SRC_PORT, 2}, {DST_PORT, 2}

static const struct fixed_row {
    uint8_t version, scheme; /* scheme: of version 8; of version 1: its longer form */
    uint8_t fields[fixed_fields_max][2];
} fixed_table[] = {
    {1, 0, {head_of_flow, {padding, 2}, {PROTO, 1}, {TOS, 1}, {FLAGS, 1}, {padding, 7}}},
    {1, 1, {head_of_flow, {padding, 2}, {PROTO, 1}, {TOS, 1}, {FLAGS, 1}, {padding, 11}}},
    {5, 0, {head_of_flow, {padding, 1}, {FLAGS, 1}, {PROTO, 1}, {TOS, 1}, {SRC_AS, 2}, {DST_AS, 2}, {SRC_MASK, 1},
            {DST_MASK, 1}, {padding, 2}}},
    {6, 0, {head_of_flow, {padding, 1}, {FLAGS, 1}, {PROTO, 1}, {TOS, 1}, {SRC_AS, 2}, {DST_AS, 2}, {SRC_MASK, 1},
            {DST_MASK, 1}, {padding, 2}, {padding, 4}}},
    {7, 0, {head_of_flow, {padding, 1}, {FLAGS, 1}, {PROTO, 1}, {TOS, 1}, {SRC_AS, 2}, {DST_AS, 2}, {SRC_MASK, 1},
            {DST_MASK, 1}, {padding, 2}, {padding, 4}}},
    {8, 1, {head_of_aggregate, {SRC_AS, 2}, {DST_AS, 2}, {INPUT, 2}, {OUTPUT, 2}}},
    {8, 2, {head_of_aggregate, {PROTO, 1}, {padding, 3}, {SRC_PORT, 2}, {DST_PORT, 2}}},
    {8, 3, {head_of_aggregate, {SRC_PREFIX, 4}, {SRC_MASK, 1}, {padding, 1}, {SRC_AS, 2}, {INPUT, 2}, {padding, 2}}},
    {8, 4, {head_of_aggregate, {DST_PREFIX, 4}, {DST_MASK, 1}, {padding, 1}, {DST_AS, 2}, {OUTPUT, 2}, {padding, 2}}},
    {8, 5, {head_of_aggregate, {SRC_PREFIX, 4}, {DST_PREFIX, 4}, {DST_MASK, 1}, {SRC_MASK, 1}, {padding, 2},
            {SRC_AS, 2}, {DST_AS, 2}, {INPUT, 2}, {OUTPUT, 2}}},
    {8, 6, {{DST, 4}, {PACKETS, 4}, {BYTES, 4}, {FIRST, 4}, {LAST, 4}, {OUTPUT, 2}, {TOS, 1}, {padding, 9}}},
    {8, 7, {{DST, 4}, {SRC, 4}, {PACKETS, 4}, {BYTES, 4}, {FIRST, 4}, {LAST, 4}, {OUTPUT, 2}, {INPUT, 2}, {TOS, 1},
            {padding, 11}}},
    {8, 8, {{DST, 4}, {SRC, 4}, {DST_PORT, 2}, {SRC_PORT, 2}, {PACKETS, 4}, {BYTES, 4}, {FIRST, 4}, {LAST, 4},
            {OUTPUT, 2}, {INPUT, 2}, {TOS, 1}, {PROTO, 1}, {padding, 10}}},
    {8, 9, {head_of_aggregate, {SRC_AS, 2}, {DST_AS, 2}, {INPUT, 2}, {OUTPUT, 2}, {TOS, 1}, {padding, 3}}},
    {8, 10, {head_of_aggregate, {PROTO, 1}, {TOS, 1}, {padding, 2}, {SRC_PORT, 2}, {DST_PORT, 2}, {INPUT, 2},
             {OUTPUT, 2}}},
    {8, 11, {head_of_aggregate, {SRC_PREFIX, 4}, {SRC_MASK, 1}, {TOS, 1}, {SRC_AS, 2}, {INPUT, 2}, {padding, 2}}},
    {8, 12, {head_of_aggregate, {DST_PREFIX, 4}, {DST_MASK, 1}, {TOS, 1}, {DST_AS, 2}, {OUTPUT, 2}, {padding, 2}}},
    {8, 13, {head_of_aggregate, {SRC_PREFIX, 4}, {DST_PREFIX, 4}, {DST_MASK, 1}, {SRC_MASK, 1}, {TOS, 1}, {padding, 1},
             {SRC_AS, 2}, {DST_AS, 2}, {INPUT, 2}, {OUTPUT, 2}}},
    {8, 14, {head_of_aggregate, {SRC_PREFIX, 4}, {DST_PREFIX, 4}, {DST_MASK, 1}, {SRC_MASK, 1}, {TOS, 1}, {PROTO, 1},
             {SRC_PORT, 2}, {DST_PORT, 2}, {INPUT, 2}, {OUTPUT, 2}}},
};

_Static_assert(array_length(fixed_table) <= fixed_definitions_max, "room for all fixed formats");

int fixed_open(struct netflow *netflow, struct error *error)
{
    for (unsigned i = 0; i < array_length(fixed_table); i++) {
        struct template_field fields[fixed_fields_max];
        unsigned count = 0;

        for (; count < fixed_fields_max && fixed_table[i].fields[count][1] != 0; count++)
            fields[count] = (struct template_field){.id = fixed_table[i].fields[count][0],
                                                    .length = fixed_table[i].fields[count][1]};
        netflow->fixed[i] = definition_intern(netflow, fixed_table[i].version, TEMPLATE_DATA, 0, count, fields);
        if (netflow->fixed[i] == NULL)
            return error_set(error, "out of memory for the NetFlow decoder");
    }
    return 0;
}

void fixed_close(struct netflow *netflow)
{
    for (unsigned i = 0; i < array_length(fixed_table); i++)
        definition_release(netflow, netflow->fixed[i]);
}

static struct definition *find(const struct netflow *netflow, unsigned version, unsigned scheme)
{
    for (unsigned i = 0; i < array_length(fixed_table); i++)
        if (fixed_table[i].version == version && fixed_table[i].scheme == scheme)
            return netflow->fixed[i];
    return NULL;
}

/* What follows the common start of the header, per version. Returns the definition, or NULL: no such scheme. */
static struct definition *read_header(struct netflow *netflow, struct cursor *cursor, unsigned version, unsigned count)
{
    struct message *message = &netflow->message;
    unsigned engine_type, engine_id, scheme = 0;

    if (version == 1)
        return find(netflow, 1, cursor_left(cursor) == (size_t)count * 52 && count > 0);
    message->sequence = cursor_be32(cursor);
    if (version == 7) {
        cursor_skip(cursor, 4);
        return find(netflow, 7, 0);
    }
    engine_type = cursor_u8(cursor);
    engine_id = cursor_u8(cursor);
    message->domain_id = engine_type << 8 | engine_id;
    message->engine_type = (uint16_t)(flow_engine_told | engine_type);
    if (version == 8) {
        scheme = cursor_u8(cursor);
        cursor_skip(cursor, 5);
        message->domain_id |= scheme << 16; /* each scheme has a sequence of its own */
    } else {
        uint32_t interval = cursor_be16(cursor) & 0x3fff; /* two bits of mode before it */
        message->sampling_rate = interval > 1 ? interval : 0;
    }
    return find(netflow, version, scheme);
}

enum input_counter fixed_datagram(struct netflow *netflow, struct cursor cursor, unsigned version)
{
    struct message *message = &netflow->message;
    size_t size = cursor_left(&cursor) + 2;
    unsigned count = cursor_be16(&cursor);
    uint32_t seconds, nanoseconds;
    struct definition *definition;
    struct domain *domain;
    bool odd = false, whole;
    uint64_t records;

    message->uptime_ms = cursor_be32(&cursor);
    seconds = cursor_be32(&cursor);
    nanoseconds = cursor_be32(&cursor);
    definition = read_header(netflow, &cursor, version, count);
    if (cursor.failed)
        return INPUT_datagrams_malformed;
    if (definition == NULL)
        return INPUT_datagrams_bad_version;
    if (netflow->options.time_secs)
        message->uptime_ms *= 1000;
    message->export_ns = message_time(message, seconds, nanoseconds);
    domain = domain_find(netflow, &message->origin->source, message->domain_id, version, message->origin);
    if (domain == NULL)
        return INPUT_datagrams_no_exporter;
    message->domain_id &= 0xff; /* what export_proto_sysid shows: the engine's id */
    domain_begin_message(netflow, domain, size);
    netflow_count(netflow, INPUT_sets_seen);
    whole = (size_t)count * definition->record_min <= cursor_left(&cursor);
    if (whole && (size_t)count * definition->record_min < cursor_left(&cursor))
        counter_add(&netflow->counters[INPUT_octets_odd],
                    cursor_left(&cursor) - (size_t)count * definition->record_min);
    if (whole)
        cursor.end = cursor.at + (size_t)count * definition->record_min;
    /* A count that lies: none of it is trusted. */
    records = whole ? run_data_set(netflow, definition, NULL, cursor, &odd) : 0;
    counter_add(&netflow->counters[INPUT_data_records_seen], records);
    netflow_count(netflow, whole ? INPUT_sets_data : INPUT_sets_malformed);
    loss_message(netflow, domain, records, 0);
    if (whole)
        return INPUT_datagrams_decoded;
    counter_add(&domain->exporter->row->malformed, 1);
    return INPUT_datagrams_malformed;
}
