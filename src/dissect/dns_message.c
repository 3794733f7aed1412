/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/dns_message.h"

#include "base/text.h"
#include "net/address.h"

/* Text of a limited size: what does not fit is left out. */
struct sink {
    char *at, *end;
};

static void put(struct sink *sink, const char *text, size_t length)
{
    size_t room = (size_t)(sink->end - sink->at);

    length = min_u64(length, room);
    sink->at = text_bytes(sink->at, text, length);
}

static void put_number(struct sink *sink, uint64_t number)
{
    char digits[text_u64_max];

    put(sink, digits, (size_t)(text_u64(digits, number) - digits));
}

static void put_escaped(struct sink *sink, uint8_t byte, const char *special)
{
    char out[4] = {'\\', (char)byte, 0, 0};

    if (byte < 0x21 || byte > 0x7e)
        put(sink, out, (size_t)(text_u64_padded(out + 1, byte, 3) - out));
    else if (strchr(special, byte) != NULL)
        put(sink, out, 2);
    else
        put(sink, out + 1, 1);
}

#define hops_max 127 /* a name has no more labels, and who compresses writes a pointer behind one at least */

/*
 * A name (RFC 1035 sections 3.1 and 4.1.4). Each pointer must lead before the place where the labels before it began,
 * so that there is an end; a name has 255 bytes at most.
 */
static bool read_name(const struct dns_message *message, struct cursor *at, struct sink *sink)
{
    struct cursor labels = *at;
    const uint8_t *begin = at->at;
    bool jumped = false, first = true;
    unsigned total = 0, hops = 0;

    for (;;) {
        uint8_t length = cursor_u8(&labels);
        const uint8_t *label;

        if ((length & 0xc0) == 0xc0) {
            size_t target = (size_t)(length & 0x3f) << 8 | cursor_u8(&labels);

            if (labels.failed || target >= (size_t)(begin - message->bytes) || ++hops > hops_max)
                break;
            if (!jumped)
                at->at = labels.at;
            jumped = true;
            begin = message->bytes + target;
            labels = (struct cursor){begin, message->bytes + message->size, false};
            continue;
        }
        label = cursor_take(&labels, length);
        total += length + 1u;
        if (labels.failed || (length & 0xc0) != 0 || total > 255)
            break;
        if (length == 0) {
            if (first)
                put(sink, ".", 1);
            if (!jumped)
                at->at = labels.at;
            return true;
        }
        if (!first)
            put(sink, ".", 1);
        first = false;
        for (unsigned i = 0; i < length; i++)
            put_escaped(sink, label[i], ".\\");
    }
    at->failed = true;
    return false;
}

static bool read_name_text(const struct dns_message *message, struct cursor *at, struct dns_name *name)
{
    struct sink sink = {name->text, name->text + sizeof(name->text)};
    bool good = read_name(message, at, &sink);

    name->length = (uint32_t)(sink.at - name->text);
    return good;
}

/* Passes over a name without a look at where a pointer leads. */
static void skip_name(struct cursor *at)
{
    while (!at->failed) {
        uint8_t length = cursor_u8(at);

        if (length == 0)
            return;
        if ((length & 0xc0) != 0) {
            cursor_skip(at, 1);
            return;
        }
        cursor_skip(at, length);
    }
}

bool dns_message_start(struct dns_message *message, const uint8_t *bytes, size_t size)
{
    *message = (struct dns_message){.bytes = bytes, .size = size, .at = cursor_over(bytes, size)};
    message->id = cursor_be16(&message->at);
    message->flags = cursor_be16(&message->at);
    message->questions = cursor_be16(&message->at);
    message->answers = cursor_be16(&message->at);
    message->authorities = cursor_be16(&message->at);
    message->additionals = cursor_be16(&message->at);
    if (message->at.failed)
        return false;
    for (unsigned i = 0; i < message->questions; i++) {
        bool cut;

        if (i == 0)
            read_name_text(message, &message->at, &message->name);
        else
            skip_name(&message->at);
        uint16_t type = cursor_be16(&message->at), class = cursor_be16(&message->at);
        cut = message->at.failed;
        if (cut)
            return message->has_question;
        if (i > 0)
            continue;
        message->type = type;
        message->class = class;
        message->has_question = true;
    }
    return true;
}

/* --- data of records --- */

enum part { /* what data is made of */
    PART_END,
    PART_NAME,
    PART_U8,
    PART_U16,
    PART_U32,
    PART_IPV4,
    PART_IPV6,
    PART_STRINGS, /* character strings up to the end */
    PART_HEX,     /* the rest as hexadecimal digits */
    PART_TAG,     /* one character string without quotes */
    PART_VALUE    /* the rest in quotes */
};

#define parts_max 8

static const struct type {
    uint16_t number;
    const char *name;
    uint8_t parts[parts_max]; /* none: as RFC 3597 */
} types[] = {
    {1, "A", {PART_IPV4}},
    {2, "NS", {PART_NAME}},
    {5, "CNAME", {PART_NAME}},
    {6, "SOA", {PART_NAME, PART_NAME, PART_U32, PART_U32, PART_U32, PART_U32, PART_U32}},
    {10, "NULL", {0}},
    {12, "PTR", {PART_NAME}},
    {13, "HINFO", {PART_STRINGS}},
    {15, "MX", {PART_U16, PART_NAME}},
    {16, "TXT", {PART_STRINGS}},
    {17, "RP", {PART_NAME, PART_NAME}},
    {24, "SIG", {0}},
    {25, "KEY", {0}},
    {28, "AAAA", {PART_IPV6}},
    {29, "LOC", {0}},
    {33, "SRV", {PART_U16, PART_U16, PART_U16, PART_NAME}},
    {35, "NAPTR", {0}},
    {39, "DNAME", {PART_NAME}},
    {41, "OPT", {0}},
    {43, "DS", {PART_U16, PART_U8, PART_U8, PART_HEX}},
    {44, "SSHFP", {PART_U8, PART_U8, PART_HEX}},
    {46, "RRSIG", {0}},
    {47, "NSEC", {0}},
    {48, "DNSKEY", {0}},
    {50, "NSEC3", {0}},
    {51, "NSEC3PARAM", {0}},
    {52, "TLSA", {PART_U8, PART_U8, PART_U8, PART_HEX}},
    {59, "CDS", {PART_U16, PART_U8, PART_U8, PART_HEX}},
    {60, "CDNSKEY", {0}},
    {64, "SVCB", {0}},
    {65, "HTTPS", {0}},
    {99, "SPF", {PART_STRINGS}},
    {249, "TKEY", {0}},
    {250, "TSIG", {0}},
    {251, "IXFR", {0}},
    {252, "AXFR", {0}},
    {255, "ANY", {0}},
    {256, "URI", {PART_U16, PART_U16, PART_VALUE}},
    {257, "CAA", {PART_U8, PART_TAG, PART_VALUE}},
};

static const struct type *find_type(uint16_t number)
{
    for (size_t i = 0; i < array_length(types); i++)
        if (types[i].number == number)
            return &types[i];
    return NULL;
}

static void put_quoted(struct sink *sink, const uint8_t *bytes, size_t size)
{
    put(sink, "\"", 1);
    for (size_t i = 0; i < size && sink->at < sink->end; i++) {
        if (bytes[i] == ' ' || bytes[i] >= 0x80)
            put(sink, (const char *)&bytes[i], 1); /* UTF-8 is usual here */
        else
            put_escaped(sink, bytes[i], "\"\\");
    }
    put(sink, "\"", 1);
}

static void put_hex(struct sink *sink, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && sink->at < sink->end; i++) {
        char pair[2];

        text_hex_byte(pair, bytes[i]);
        put(sink, pair, 2);
    }
}

static void put_address(struct sink *sink, struct cursor *data, bool ipv6)
{
    char text[address_text_max];
    const uint8_t *octets = cursor_take(data, ipv6 ? 16 : 4);
    struct address address;

    if (octets == NULL)
        return;
    if (ipv6)
        address_set_ipv6(&address, octets);
    else
        address_set_ipv4(&address, octets);
    put(sink, text, address_format(&address, text));
}

static void put_strings(struct sink *sink, struct cursor *data)
{
    for (bool first = true; cursor_left(data) > 0; first = false) {
        uint8_t length = cursor_u8(data);
        const uint8_t *string = cursor_take(data, length);

        if (string == NULL)
            return;
        if (!first)
            put(sink, " ", 1);
        put_quoted(sink, string, length);
    }
}

static void put_part(const struct dns_message *message, enum part part, struct cursor *data, struct sink *sink)
{
    const uint8_t *bytes;
    size_t left = cursor_left(data);

    switch (part) {
    case PART_NAME:
        (void)read_name(message, data, sink);
        break;
    case PART_U8:
        put_number(sink, cursor_u8(data));
        break;
    case PART_U16:
        put_number(sink, cursor_be16(data));
        break;
    case PART_U32:
        put_number(sink, cursor_be32(data));
        break;
    case PART_IPV4:
    case PART_IPV6:
        put_address(sink, data, part == PART_IPV6);
        break;
    case PART_STRINGS:
        put_strings(sink, data);
        break;
    case PART_HEX:
        put_hex(sink, cursor_take(data, left), left);
        break;
    case PART_TAG:
        left = cursor_u8(data);
        bytes = cursor_take(data, left);
        for (size_t i = 0; bytes != NULL && i < left; i++)
            put_escaped(sink, bytes[i], "\"\\");
        break;
    case PART_VALUE:
        put_quoted(sink, cursor_take(data, left), left);
        break;
    case PART_END:
        break;
    }
}

/* As zone files have it; empty when the bytes are not what the type says. */
static void put_data(const struct dns_message *message, const struct type *type, struct cursor data, struct sink *sink)
{
    char *start = sink->at;

    if (type == NULL || type->parts[0] == PART_END) {
        size_t size = cursor_left(&data);

        put(sink, "\\# ", 3);
        put_number(sink, size);
        put(sink, size > 0 ? " " : "", size > 0);
        put_hex(sink, data.at, min_u64(size, 64));
        return;
    }
    for (unsigned i = 0; i < parts_max && type->parts[i] != PART_END && !data.failed; i++) {
        if (i > 0)
            put(sink, " ", 1);
        put_part(message, (enum part)type->parts[i], &data, sink);
    }
    if (data.failed)
        sink->at = start;
}

bool dns_message_record(struct dns_message *message, struct dns_record *record)
{
    struct sink sink = {record->data, record->data + sizeof(record->data)};
    struct cursor *at = &message->at, data;
    uint16_t size;

    read_name_text(message, at, &record->name);
    record->type = cursor_be16(at);
    record->class = cursor_be16(at);
    record->ttl = cursor_be32(at);
    size = cursor_be16(at);
    data = cursor_sub(at, size);
    if (at->failed)
        return false;
    put_data(message, find_type(record->type), data, &sink);
    record->data_length = (uint32_t)(sink.at - record->data);
    return true;
}

bool dns_message_edns(const struct dns_message *message, struct dns_edns *edns)
{
    uint32_t others = (uint32_t)message->answers + message->authorities;
    struct cursor at = message->at;

    for (uint32_t i = 0; i < others + message->additionals && !at.failed; i++) {
        skip_name(&at);
        uint16_t type = cursor_be16(&at), class = cursor_be16(&at);
        uint32_t ttl = cursor_be32(&at);
        cursor_skip(&at, cursor_be16(&at));
        if (type == dns_type_opt && i >= others && !at.failed) {
            *edns = (struct dns_edns){class, ttl >> 24 << 4, (ttl & 0x8000) != 0};
            return true;
        }
    }
    return false;
}

/* --- names of numbers --- */

const char *dns_type_name(uint16_t type)
{
    const struct type *known = find_type(type);

    return known ? known->name : NULL;
}

const char *dns_class_name(uint16_t class)
{
    switch (class) {
    case 1:
        return "IN";
    case 3:
        return "CH";
    case 4:
        return "HS";
    case 254:
        return "NONE";
    case 255:
        return "ANY";
    default:
        return NULL;
    }
}

const char *dns_rcode_name(unsigned rcode)
{
    static const char *const names[] = {
        [0] = "NOERROR",   [1] = "FORMERR", [2] = "SERVFAIL", [3] = "NXDOMAIN", [4] = "NOTIMP",    [5] = "REFUSED",
        [6] = "YXDOMAIN",  [7] = "YXRRSET", [8] = "NXRRSET",  [9] = "NOTAUTH",  [10] = "NOTZONE",  [11] = "DSOTYPENI",
        [16] = "BADVERS",  [17] = "BADKEY", [18] = "BADTIME", [19] = "BADMODE", [20] = "BADNAME",  [21] = "BADALG",
        [22] = "BADTRUNC", [23] = "BADCOOKIE"};

    return rcode < array_length(names) ? names[rcode] : NULL;
}

const char *dns_opcode_name(unsigned opcode)
{
    static const char *const names[] = {[0] = "QUERY",  [1] = "IQUERY", [2] = "STATUS",
                                        [4] = "NOTIFY", [5] = "UPDATE", [6] = "DSO"};

    return opcode < array_length(names) ? names[opcode] : NULL;
}
