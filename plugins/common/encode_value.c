/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One value as text, by its writer. Knows nothing of columns, rows or fields. What is written here needs no escaping
 * in any format, but for strings, which go through encode_text.c, and CSV's odd separators, which encode_csv.c looks
 * after.
 */
#include "plugins/common/encode_private.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>

#define real_max 24   /* -999999999999.999999, or -1.797693e+308 */
#define status_max 40 /* the longest name of a forwarding status */
#define flag_names_max (2 + names_tcp_flags * 7)

static const char *const rd_origins[] = {"unknown", "flow", "bgp", "bmp", "map"};

size_t encode_value_max(const struct encode_column *column)
{
    static const uint16_t most[] = {
        [ENCODE_U8] = 3,
        [ENCODE_U16] = 5,
        [ENCODE_U32] = 10,
        [ENCODE_U64] = text_u64_max,
        [ENCODE_I64] = 1 + text_u64_max,
        [ENCODE_ADDRESS] = address_text_max,
        [ENCODE_MAC] = 17,
        [ENCODE_HEXADECIMAL] = 4,
        [ENCODE_HEXADECIMAL_64] = text_hex_max,
        [ENCODE_BOOLEAN] = 5,
        [ENCODE_PROTOCOL] = 15,
        [ENCODE_FLAG_NAMES] = flag_names_max,
        [ENCODE_STATUS] = status_max,
        [ENCODE_LETTER] = 1,
        [ENCODE_RD] = 5 + 1 + 15 + 1 + 10,
        [ENCODE_RD_ORIGIN] = 7,
        [ENCODE_REAL] = real_max,
        [ENCODE_TIME] = time_text_max,
        [ENCODE_SECONDS] = time_text_max,
        [ENCODE_PURGE_TIME] = time_text_max,
        [ENCODE_CONSTANT] = encode_absent_max,
        [ENCODE_STRING_JSON] = 6 * flow_string_max,
        [ENCODE_STRING_LIST] = encode_structure_max(flow_string_max),
        [ENCODE_STRING_MAP] = encode_structure_max(flow_string_max),
        [ENCODE_STRING_CSV] = 2 * flow_string_max + 2,
        [ENCODE_STRING_FORMATTED] = flow_string_max,
    };
    size_t value = most[column->writer];

    return value > column->absent_length ? value : column->absent_length;
}

static char *put_absent(const struct encode_column *column, char *out)
{
    return text_bytes(out, column->absent, column->absent_length);
}

/* Fifteen bytes are written always. */
static char *put_text(char *out, const struct encode_text *text)
{
    memcpy(out, text->text, sizeof(text->text));
    return out + text->length;
}

static char *put_mac(char *out, uint64_t mac)
{
    for (int shift = 40; shift >= 0; shift -= 8) {
        out = text_hex_byte(out, (uint8_t)(mac >> shift));
        *out++ = ':';
    }
    return out - 1;
}

static char *put_signed(char *out, int64_t value)
{
    if (value >= 0)
        return text_u64(out, (uint64_t)value);
    *out++ = '-';
    return text_u64(out, 0 - (uint64_t)value);
}

/* Names of the flags that are set, highest bit first. */
static char *put_flag_names(char *out, uint64_t flags)
{
    char *const start = out;

    *out++ = '[';
    for (unsigned bit = names_tcp_flags; bit-- > 0;) {
        if (!(flags >> bit & 1))
            continue;
        if (out > start + 1)
            out = text_bytes(out, ", ", 2);
        *out++ = '"';
        out = text_literal(out, names_tcp_flag(bit));
        *out++ = '"';
    }
    *out++ = ']';
    return out;
}

/* Two bits of status and six of a reason (RFC 7270 section 4.12); a reason without a name stays a number. */
static char *put_status(char *out, uint64_t status)
{
    static const char *const states[] = {"UNKNOWN ", "FORWARDED ", "DROPPED ", "CONSUMED "};
    static const char *const reasons[4][16] = {
        {"Unclassified"},
        {"Unknown", "Fragmented", "Not Fragmented"},
        {"Unknown", "ACL deny", "ACL drop", "Unroutable", "Adjacency", "Fragmentation and DF set",
         "Bad header checksum", "Bad total length", "Bad header length", "Bad TTL", "Policer", "WRED", "RPF", "For us",
         "Bad output interface", "Hardware"},
        {"Unknown", "Terminate Punt Adjacency", "Terminate Incomplete Adjacency", "For us"},
    };
    unsigned state, reason;

    if (status > 255)
        return text_u64(out, status);
    state = (unsigned)status >> 6;
    reason = (unsigned)status & 63;
    out = text_literal(out, states[state]);
    if (reason < 16 && reasons[state][reason])
        return text_literal(out, reasons[state][reason]);
    return text_u64(out, reason);
}

/*
 * Type, administrator and number; the type says which of the two has four octets and of what kind (RFC 4364
 * section 4.2).
 */
static char *put_rd(char *out, uint64_t rd)
{
    unsigned type = (unsigned)(rd >> 48);
    uint32_t high = (uint32_t)(rd >> 16), low = (uint32_t)rd;

    out = text_u64(out, type);
    *out++ = ':';
    if (type == 1) {
        uint8_t octets[4] = {(uint8_t)(high >> 24), (uint8_t)(high >> 16), (uint8_t)(high >> 8), (uint8_t)high};
        struct address address;

        address_set_ipv4(&address, octets);
        out += address_format(&address, out);
    } else {
        out = text_u64(out, type == 2 ? high : high >> 16);
    }
    *out++ = ':';
    return text_u64(out, type == 1 || type == 2 ? low & 0xffff : low);
}

/* Six places, as geographic coordinates need; JSON has neither infinity nor "not a number", they become zero. */
static char *put_real(char *out, double value)
{
    uint64_t whole, millionths;

    if (!isfinite(value))
        value = 0;
    if (fabs(value) >= 1e12)
        return out + snprintf(out, real_max, "%.6e", value);
    whole = (uint64_t)fabs(value);
    millionths = (uint64_t)((fabs(value) - (double)whole) * 1e6 + 0.5);
    if (millionths == 1000000) {
        whole++;
        millionths = 0;
    }
    if (value < 0 && (whole | millionths) > 0)
        *out++ = '-';
    out = text_u64(out, whole);
    *out++ = '.';
    return text_u64_padded(out, millionths, 6);
}

char *encode_time(const struct encoder *encoder, int64_t ns, bool fraction, char *out)
{
    const struct encode_options *options = &encoder->options;
    size_t length = time_format(ns, options->time_style, options->utc, fraction, out);

    /* The client says Z where the plugins say +00:00. */
    if (options->dialect == ENCODE_CLIENT && options->time_style == TIME_STYLE_RFC3339 && options->utc) {
        length -= strlen("+00:00");
        out[length++] = 'Z';
    }
    return out + length;
}

const char *encode_string(const struct encode_column *column, const uint8_t *body, const struct intern *intern,
                          uint32_t *length)
{
    uint32_t id = load_u32(body + column->offset);
    const char *bytes = "";

    *length = 0;
    if (id != 0)
        bytes = intern_get(intern, id, length);
    if (*length > flow_string_max)
        *length = flow_string_max;
    return bytes;
}

static char *put_string(const struct encoder *encoder, const struct encode_column *column, const uint8_t *body,
                        const struct intern *intern, char *out)
{
    uint32_t length;
    const char *bytes = encode_string(column, body, intern, &length);

    if (length == 0) {
        bytes = column->absent;
        length = column->absent_length;
    }
    switch (column->writer) {
    case ENCODE_STRING_LIST:
        return encode_json_list(out, bytes, length, column);
    case ENCODE_STRING_MAP:
        return encode_json_map(out, bytes, length);
    case ENCODE_STRING_JSON:
        return encode_json_string(out, bytes, length);
    case ENCODE_STRING_CSV:
        return encode_csv_string(out, bytes, length, encoder->separator);
    default:
        return encode_formatted_string(out, bytes, length);
    }
}

static char *put_letter(const struct encode_column *column, char letter, char *out)
{
    bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                 (letter >= '0' && letter <= '9');

    if (letter == '\0')
        return put_absent(column, out);
    *out = plain ? letter : '?';
    return out + 1;
}

/* The writers that are not in everybody's rows. */
static char *put_rare(const struct encoder *encoder, const struct encode_column *column, const uint8_t *value,
                      char *out)
{
    switch (column->writer) {
    case ENCODE_MAC:
        return put_mac(out, load_u64(value));
    case ENCODE_HEXADECIMAL:
        return text_hex(out, load_u16(value));
    case ENCODE_HEXADECIMAL_64:
        return text_hex(out, load_u64(value));
    case ENCODE_I64:
        return put_signed(out, (int64_t)load_u64(value));
    case ENCODE_BOOLEAN: /* RFC 7011 section 6.1.5: 1 is true */
        return text_literal(out, load_u64(value) == 1 ? "true" : "false");
    case ENCODE_FLAG_NAMES:
        return put_flag_names(out, load_u64(value));
    case ENCODE_STATUS:
        return put_status(out, load_u32(value));
    case ENCODE_LETTER:
        return put_letter(column, (char)*value, out);
    case ENCODE_RD:
        return put_rd(out, load_u64(value));
    case ENCODE_RD_ORIGIN:
        return text_literal(out, rd_origins[*value < array_length(rd_origins) ? *value : 0]);
    case ENCODE_REAL: {
        double real;
        memcpy(&real, value, sizeof(real));
        return put_real(out, real);
    }
    case ENCODE_TIME:
        return encode_time(encoder, (int64_t)load_u64(value), !encoder->options.seconds_only, out);
    case ENCODE_SECONDS: {
        int64_t seconds = (int64_t)load_u64(value), limit = INT64_MAX / time_second_ns;
        seconds = seconds > limit ? limit : seconds < -limit ? -limit : seconds;
        return encode_time(encoder, seconds * time_second_ns, false, out);
    }
    case ENCODE_PURGE_TIME:
        return text_bytes(out, encoder->purge, encoder->purge_length);
    default:
        return put_absent(column, out);
    }
}

char *encode_value(const struct encoder *encoder, const struct encode_column *column, const uint8_t *body,
                   const struct intern *intern, char *out)
{
    const uint8_t *value = body + column->offset;
    size_t length;

    switch (column->writer) {
    case ENCODE_U8:
        return text_u64(out, *value);
    case ENCODE_U16:
        return text_u64(out, load_u16(value));
    case ENCODE_U32:
        return text_u64(out, load_u32(value));
    case ENCODE_U64:
        return text_u64(out, load_u64(value));
    case ENCODE_ADDRESS:
        length = address_format((const struct address *)value, out);
        return likely(length > 0) ? out + length : put_absent(column, out);
    case ENCODE_PROTOCOL:
        return put_text(out, &encoder->protocols[*value]);
    case ENCODE_STRING_JSON:
    case ENCODE_STRING_LIST:
    case ENCODE_STRING_MAP:
    case ENCODE_STRING_CSV:
    case ENCODE_STRING_FORMATTED:
        return put_string(encoder, column, body, intern, out);
    default:
        return put_rare(encoder, column, value, out);
    }
}
