/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formats that generate_netflow makes, as tables of elements, and how a template and a record of them are encoded.
 * Identifiers: IANA's registry of IPFIX information elements; below 128 they are NetFlow version 9's too.
 */
#ifndef TESTS_BENCH_NETFLOW_FORMATS_H
#define TESTS_BENCH_NETFLOW_FORMATS_H

#include "traffic.h"

enum {
    variable = 0xffff,     /* an element's length in a template (RFC 7011, section 7) */
    documentation = 32473, /* private enterprise number for examples (RFC 5612) */
    uptime_start_ms = 86400000
};

/* Where an element's octets come from. */
enum source {
    SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, PROTOCOL, PACKETS, BYTES, FIRST_UPTIME, LAST_UPTIME,
    FIRST_MS, LAST_MS, NUMBER, ONE, MASK, MAC, LABEL, NEXT_HOP, TEXT, LONG_TEXT
};

/* An element of a template: for addresses the identifier of the IPv4 one, and of the IPv6 one beside it. */
struct element {
    uint16_t id, id_ipv6, size;
    uint32_t enterprise;
    enum source source;
};

struct format {
    const char *name;
    unsigned version;
    uint32_t ipv6_percent; /* unless the option tells another */
    const struct element *elements;
    unsigned count;
};

#define five_tuple                                                                                                     \
    {8, 27, 4, 0, SOURCE}, {12, 28, 4, 0, DESTINATION}, {7, 7, 2, 0, SOURCE_PORT}, {11, 11, 2, 0, DESTINATION_PORT},   \
        {4, 4, 1, 0, PROTOCOL}
#define router_rest                                                                                                    \
    {5, 5, 1, 0, NUMBER}, {6, 6, 1, 0, NUMBER}, {10, 10, 4, 0, NUMBER}, {14, 14, 4, 0, NUMBER},                        \
        {16, 16, 4, 0, NUMBER}, {17, 17, 4, 0, NUMBER}, {9, 29, 1, 0, MASK}, {13, 30, 1, 0, MASK},                 \
        {15, 62, 4, 0, NEXT_HOP}, {18, 63, 4, 0, NEXT_HOP}, {58, 58, 2, 0, NUMBER}, {59, 59, 2, 0, NUMBER},            \
        {61, 61, 1, 0, ONE}, {70, 70, 3, 0, LABEL}, {71, 71, 3, 0, LABEL}, {72, 72, 3, 0, LABEL},                   \
        {56, 56, 6, 0, MAC}, {80, 80, 6, 0, MAC}

static const struct element v9_elements[] = {five_tuple, {2, 2, 4, 0, PACKETS}, {1, 1, 4, 0, BYTES},
                                             {22, 22, 4, 0, FIRST_UPTIME}, {21, 21, 4, 0, LAST_UPTIME}};
static const struct element ipfix_elements[] = {five_tuple, {2, 2, 4, 0, PACKETS}, {1, 1, 4, 0, BYTES},
                                                {152, 152, 8, 0, FIRST_MS}, {153, 153, 8, 0, LAST_MS}};
static const struct element v9_router_elements[] = {
    five_tuple, {1, 1, 8, 0, BYTES}, {2, 2, 8, 0, PACKETS}, {22, 22, 4, 0, FIRST_UPTIME}, {21, 21, 4, 0, LAST_UPTIME},
    router_rest, {89, 89, 1, 0, ONE}};
static const struct element ipfix_router_elements[] = {
    five_tuple, {1, 1, 8, 0, BYTES}, {2, 2, 8, 0, PACKETS}, {152, 152, 8, 0, FIRST_MS}, {153, 153, 8, 0, LAST_MS},
    router_rest, {136, 136, 1, 0, ONE}};
static const struct element variable_elements[] = {
    {82, 82, variable, 0, TEXT}, five_tuple, {96, 96, variable, 0, LONG_TEXT}, {2, 2, 4, 0, PACKETS},
    {1, 1, variable, documentation, TEXT}, {1, 1, 8, 0, BYTES}, {2, 2, 4, documentation, NUMBER},
    {371, 371, variable, 0, TEXT}, {152, 152, 8, 0, FIRST_MS}, {153, 153, 8, 0, LAST_MS}};

#define with(elements) elements, sizeof(elements) / sizeof((elements)[0])

static const struct format formats[] = {{"v5", 5, 0, NULL, 0},
                                        {"v9", 9, 0, with(v9_elements)},
                                        {"v9-router", 9, 30, with(v9_router_elements)},
                                        {"ipfix", 10, 0, with(ipfix_elements)},
                                        {"ipfix-router", 10, 30, with(ipfix_router_elements)},
                                        {"ipfix-variable", 10, 0, with(variable_elements)},
                                        {NULL, 0, 0, NULL, 0}};

struct record {
    struct key key;
    uint32_t packets, bytes, milliseconds; /* the last one: the flow's duration */
    uint64_t noise, now_ms, start_ms;      /* since the start of all, since 1970 */
};

static inline bool is_address(const struct element *element)
{
    return element->source == SOURCE || element->source == DESTINATION || element->source == NEXT_HOP;
}

static inline uint8_t *put_number(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    return at + size;
}

/* A text such as an interface's name; `longer`: one of eight has the three-octet form of a length. */
static inline uint8_t *put_text(uint8_t *at, const struct record *record, bool longer)
{
    static const char letters[] = "TenGigabitEthernet0/0/0/1.example-customer-uplink-of-the-east-side";
    const unsigned size = 4 + (unsigned)(record->noise >> 16 & (longer ? 31 : 15));

    if (longer && (record->noise & 7) == 0) {
        *at++ = 255;
        at = put16(at, size);
    } else {
        *at++ = (uint8_t)size;
    }
    return put_octets(at, letters + (record->noise & 15), size);
}

static inline uint8_t *put_element(uint8_t *at, const struct element *element, const struct record *record)
{
    const struct key *key = &record->key;
    const uint64_t first_ms = record->now_ms - record->milliseconds;
    const unsigned address = key->ipv6 ? 16 : 4;

    switch (element->source) {
    case SOURCE: return put_octets(at, key->source, address);
    case DESTINATION: return put_octets(at, key->destination, address);
    case NEXT_HOP: return put_octets(at, key->destination, address);
    case SOURCE_PORT: return put16(at, key->source_port);
    case DESTINATION_PORT: return put16(at, key->destination_port);
    case PROTOCOL: return put_number(at, key->protocol, 1);
    case PACKETS: return put_number(at, record->packets, element->size);
    case BYTES: return put_number(at, record->bytes, element->size);
    case FIRST_UPTIME: return put32(at, (uint32_t)(uptime_start_ms + first_ms));
    case LAST_UPTIME: return put32(at, (uint32_t)(uptime_start_ms + record->now_ms));
    case FIRST_MS: return put64(at, record->start_ms + first_ms);
    case LAST_MS: return put64(at, record->start_ms + record->now_ms);
    case LABEL: return put_number(at, (record->noise & 0xfffff) << 4 | (element->id == 72), 3);
    case MAC: return put_number(at, UINT64_C(0x020000000000) | (record->noise & 0xffffff), 6);
    case NUMBER: return put_number(at, record->noise >> (element->id & 15) & 0x7f, element->size);
    case ONE: return put_number(at, 1, element->size);
    case MASK: return put_number(at, 16 + (record->noise & 7), element->size);
    case TEXT: return put_text(at, record, false);
    case LONG_TEXT: return put_text(at, record, true);
    }
    return at;
}

static inline uint8_t *put_record(uint8_t *at, const struct format *format, const struct record *record, unsigned turn)
{
    const unsigned count = format->count;

    for (unsigned i = 0; i < count; i++)
        at = put_element(at, &format->elements[(i + turn) % count], record);
    return at;
}

static inline uint32_t template_id(uint32_t template_number, bool ipv6)
{
    return 256 + 2 * template_number + ipv6;
}

static inline uint8_t *put_template(uint8_t *at, const struct format *format, uint32_t template_number, bool ipv6)
{
    const unsigned count = format->count;

    at = put16(put16(at, template_id(template_number, ipv6)), count);
    for (unsigned i = 0; i < count; i++) {
        const struct element *element = &format->elements[(i + template_number) % count];

        at = put16(at, (ipv6 && element->enterprise == 0 ? element->id_ipv6 : element->id) |
                           (element->enterprise != 0 ? 0x8000u : 0));
        at = put16(at, ipv6 && is_address(element) ? 16 : element->size);
        if (element->enterprise != 0)
            at = put32(at, element->enterprise);
    }
    return at;
}

/* The most octets that a record can have. */
static inline size_t record_longest(const struct format *format, bool ipv6)
{
    size_t sum = 0;

    for (unsigned i = 0; i < format->count; i++) {
        const struct element *element = &format->elements[i];

        sum += element->source == TEXT        ? 1 + 4 + 15
               : element->source == LONG_TEXT ? 3 + 4 + 31
               : ipv6 && is_address(element)  ? 16
                                              : element->size;
    }
    return sum;
}

#endif
