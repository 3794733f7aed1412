/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings that came from outside (labels, communities, interface and VRF names) on their way into a row. Whatever
 * their bytes are, JSON stays valid JSON (RFC 8259), a CSV row stays one row of its columns (RFC 4180), and a
 * terminal gets no control character.
 */
#include "plugins/common/encode_private.h"

#include "base/text.h"

unsigned encode_utf8(const uint8_t *at, size_t left)
{
    unsigned size;
    uint32_t code, least;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    size = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (left < size)
        return 0;
    code = at[0] & (0x7fu >> size);
    for (unsigned i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return size;
}

/* True when none of eight bytes is a control character, a quote, a backslash or beyond ASCII. */
static bool eight_are_plain(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t word = load_u64(bytes);
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');

    /* (x - 1) borrows into the top bit of a zero byte, (x - 0x20) into that of a byte below 0x20. */
    return (((quote - ones) | (backslash - ones) | (word - ones * 0x20) | word) & tops) == 0;
}

static char *json_escape(char *out, uint8_t byte)
{
    static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    *out++ = '\\';
    if (byte == '"' || byte == '\\') {
        *out++ = (char)byte;
        return out;
    }
    if (byte < sizeof(letters) && letters[byte]) {
        *out++ = letters[byte];
        return out;
    }
    out = text_bytes(out, "u00", 3);
    return text_hex_byte(out, byte);
}

char *encode_json_string(char *out, const char *bytes, size_t length)
{
    const uint8_t *at = (const uint8_t *)bytes, *const end = at + length;

    while (at < end) {
        unsigned size;

        if (end - at >= 8 && eight_are_plain((const char *)at)) {
            out = text_bytes(out, at, 8);
            at += 8;
            continue;
        }
        if (*at < 0x20 || *at == '"' || *at == '\\') {
            out = json_escape(out, *at++);
            continue;
        }
        size = encode_utf8(at, (size_t)(end - at));
        if (size == 0) {
            out = text_bytes(out, "\\ufffd", 6);
            at++;
            continue;
        }
        while (size-- > 0)
            *out++ = (char)*at++;
    }
    return out;
}

char *encode_csv_string(char *out, const char *bytes, size_t length, char separator)
{
    bool quote = false;

    for (size_t i = 0; i < length && !quote; i++)
        quote = bytes[i] == separator || bytes[i] == '"' || bytes[i] == '\r' || bytes[i] == '\n';
    if (!quote)
        return text_bytes(out, bytes, length);
    *out++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '"')
            *out++ = '"';
        *out++ = bytes[i];
    }
    *out++ = '"';
    return out;
}

char *encode_formatted_string(char *out, const char *bytes, size_t length)
{
    const uint8_t *at = (const uint8_t *)bytes, *const end = at + length;

    while (at < end) {
        unsigned size = encode_utf8(at, (size_t)(end - at));
        /* U+0080 to U+009F are control characters, too: terminals know them. */
        bool control = size == 0 || *at < 0x20 || *at == 0x7f || (size == 2 && *at == 0xc2 && at[1] < 0xa0);

        if (control) {
            *out++ = '?';
            at += size ? size : 1;
            continue;
        }
        while (size-- > 0)
            *out++ = (char)*at++;
    }
    return out;
}

static bool parts_here(char byte, bool comma_parts)
{
    return byte == '_' || byte == ' ' || (comma_parts && byte == ',');
}

char *encode_json_list(char *out, const char *bytes, size_t length, const struct encode_column *column)
{
    unsigned count = 0;
    size_t start = 0;

    *out++ = '[';
    for (size_t i = 0; i <= length; i++) {
        if (i < length && !parts_here(bytes[i], column->comma_parts))
            continue;
        if (i > start) {
            if (count > 0)
                out = text_bytes(out, ", ", 2);
            *out++ = '"';
            if (column->numbered) {
                out = text_u64(out, count);
                *out++ = '-';
            }
            out = encode_json_string(out, bytes + start, i - start);
            *out++ = '"';
            count++;
        }
        start = i + 1;
    }
    *out++ = ']';
    return out;
}

/* One member of a label, between two commas. */
struct member {
    const char *name, *value;
    size_t name_length, value_length;
};

/* Takes the next member that is not empty; false at the end. */
static bool next_member(const char **at, const char *end, struct member *member)
{
    while (*at < end) {
        const char *comma = memchr(*at, ',', (size_t)(end - *at));
        const char *stop = comma ? comma : end;
        const char *percent = memchr(*at, '%', (size_t)(stop - *at));

        member->name = *at;
        member->name_length = (size_t)((percent ? percent : stop) - *at);
        member->value = percent ? percent + 1 : stop;
        member->value_length = (size_t)(stop - member->value);
        *at = comma ? comma + 1 : end;
        if (stop > member->name)
            return true;
    }
    return false;
}

/*
 * Bytes of the character of a name at `at`; 0 when it becomes U+FFFD and takes one byte: malformed UTF-8, and NUL,
 * which many readers of JSON refuse in a name.
 */
static unsigned name_character(const char *at, size_t left)
{
    return *at == '\0' ? 0 : encode_utf8((const uint8_t *)at, left);
}

static char *put_name(char *out, const char *name, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned size = name_character(name + i, length - i);

        out = size > 0 ? encode_json_string(out, name + i, size) : text_bytes(out, "\\ufffd", 6);
        i += size > 0 ? size : 1;
    }
    return out;
}

/* Whether two names are one when they have been written (but for a true U+FFFD beside a malformed byte). */
static bool same_name(const struct member *a, const struct member *b)
{
    if (a->name_length != b->name_length)
        return false;
    for (size_t i = 0; i < a->name_length;) {
        unsigned size = name_character(a->name + i, a->name_length - i);

        if (size != name_character(b->name + i, b->name_length - i) ||
            (size > 0 && memcmp(a->name + i, b->name + i, size) != 0))
            return false;
        i += size > 0 ? size : 1;
    }
    return true;
}

/* A name that comes twice keeps its last value: members of an object have different names (RFC 8259 section 4). */
char *encode_json_map(char *out, const char *bytes, size_t length)
{
    const char *at = bytes, *const end = bytes + length;
    struct member member, later;
    bool first = true;

    *out++ = '{';
    while (next_member(&at, end, &member)) {
        const char *ahead = at;
        bool again = false;

        while (!again && next_member(&ahead, end, &later))
            again = same_name(&member, &later);
        if (again)
            continue;
        if (!first)
            out = text_bytes(out, ", ", 2);
        first = false;
        *out++ = '"';
        out = put_name(out, member.name, member.name_length);
        out = text_bytes(out, "\": \"", 4);
        out = encode_json_string(out, member.value, member.value_length);
        *out++ = '"';
    }
    *out++ = '}';
    return out;
}
