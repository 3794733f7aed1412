/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every piece asks for room first; one that finds none makes the whole item fail. An object or array that finds none
 * is counted in depth_lost, so that its items and its close fall away too without the caller having to know.
 */
#include "decode/netflow/document.h"

#include <stdio.h>

#include "base/text.h"
#include "base/time.h"

#define closing_bytes 96 /* a bracket for each depth, the last member, the NUL */

void document_begin(struct document *json, char *out, size_t size)
{
    *json = (struct document){.start = out, .at = out, .end = out + size - closing_bytes};
}

static bool room(struct document *json, size_t bytes)
{
    /* Closing brackets stand in the room kept aside, so the end may lie before. */
    if (json->depth_lost > 0 || json->at > json->end || (size_t)(json->end - json->at) < bytes)
        json->overflow = true;
    return !json->overflow;
}

void document_raw(struct document *json, const char *text, size_t length)
{
    if (room(json, length))
        json->at = text_bytes(json->at, text, length);
}

/* Length of the UTF-8 sequence at `text`, 0 when it is none (RFC 3629 section 4: no overlong forms, no surrogates). */
static size_t utf8_length(const uint8_t *text, size_t left)
{
    static const struct {
        uint8_t first, last, second_least, second_most, length;
    } rows[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

    for (unsigned i = 0; i < array_length(rows); i++) {
        if (text[0] < rows[i].first || text[0] > rows[i].last)
            continue;
        if (rows[i].length > left)
            return 0;
        if (rows[i].length > 1 && (text[1] < rows[i].second_least || text[1] > rows[i].second_most))
            return 0;
        for (unsigned k = 2; k < rows[i].length; k++)
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        return rows[i].length;
    }
    return 0;
}

static void escape(struct document *json, uint8_t c)
{
    char text[6] = {'\\', 'u', '0', '0', 0, 0};

    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        document_raw(json, text, 2);
    } else {
        text_hex_byte(text + 4, c);
        document_raw(json, text, 6);
    }
}

void document_string(struct document *json, const char *text, size_t length)
{
    size_t bytes;

    document_raw(json, "\"", 1);
    for (size_t i = 0; i < length && text[i] != 0 && !json->overflow; i += bytes) {
        uint8_t c = (uint8_t)text[i];

        bytes = utf8_length((const uint8_t *)text + i, length - i);
        if (bytes == 0) {
            document_raw(json, "\\ufffd", 6);
            bytes = 1;
        } else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            escape(json, c);
        } else {
            document_raw(json, text + i, bytes);
        }
    }
    document_raw(json, "\"", 1);
}

void document_number(struct document *json, uint64_t value)
{
    if (room(json, text_u64_max))
        json->at = text_u64(json->at, value);
}

void document_signed(struct document *json, int64_t value)
{
    if (value < 0)
        document_raw(json, "-", 1);
    document_number(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void document_real(struct document *json, double value, unsigned digits)
{
    char text[40];
    int length = snprintf(text, sizeof(text), "%.*g", (int)digits, value);

    document_raw(json, text, (size_t)length);
}

void document_hex(struct document *json, const uint8_t *bytes, size_t size)
{
    document_raw(json, "\"", 1);
    if (room(json, 2 * size))
        for (size_t i = 0; i < size; i++)
            json->at = text_hex_byte(json->at, bytes[i]);
    document_raw(json, "\"", 1);
}

void document_address(struct document *json, const struct address *address)
{
    char text[address_text_max];

    document_string(json, text, address_format(address, text));
}

void document_time(struct document *json, int64_t ns, unsigned digits)
{
    char text[time_text_max], fraction[9];
    uint64_t rest = (uint64_t)((ns % time_second_ns + time_second_ns) % time_second_ns);
    size_t length = time_format(ns, TIME_STYLE_RFC3339, true, false, text);

    text_u64_padded(fraction, rest, 9);
    document_raw(json, "\"", 1);
    document_raw(json, text, length - strlen("+00:00"));
    document_raw(json, ".", digits > 0);
    document_raw(json, fraction, digits);
    document_raw(json, "Z\"", 2);
}

void document_item(struct document *json, const char *name, size_t name_length)
{
    json->mark = json->at;
    json->overflow = json->depth_lost > 0;
    if (json->depth > 0 && json->some[json->depth - 1])
        document_raw(json, ",", 1);
    if (name != NULL) {
        document_string(json, name, name_length);
        document_raw(json, ":", 1);
    }
}

bool document_done(struct document *json)
{
    if (json->overflow) {
        json->at = json->mark;
        json->overflow = false;
        json->truncated = true;
        return false;
    }
    if (json->depth > 0)
        json->some[json->depth - 1] = true;
    return true;
}

void document_open(struct document *json, const char *name, char bracket)
{
    document_item(json, name, name == NULL ? 0 : strlen(name));
    document_raw(json, &bracket, 1);
    if (json->depth == document_depth_max)
        json->overflow = true;
    if (!document_done(json)) {
        json->depth_lost++;
        return;
    }
    json->closer[json->depth] = bracket == '{' ? '}' : ']';
    json->some[json->depth++] = false;
}

void document_close(struct document *json)
{
    if (json->depth_lost > 0)
        json->depth_lost--;
    else if (json->depth > 0)
        *json->at++ = json->closer[--json->depth];
}

size_t document_end(struct document *json)
{
    json->depth_lost = 0;
    while (json->depth > 0)
        document_close(json);
    *json->at = 0;
    return (size_t)(json->at - json->start);
}

/* ---- whole members ---- */

static void begin(struct document *json, const char *name)
{
    document_item(json, name, name == NULL ? 0 : strlen(name));
}

void document_member_number(struct document *json, const char *name, uint64_t value)
{
    begin(json, name);
    document_number(json, value);
    document_done(json);
}

void document_member_signed(struct document *json, const char *name, int64_t value)
{
    begin(json, name);
    document_signed(json, value);
    document_done(json);
}

void document_member_real(struct document *json, const char *name, double value)
{
    begin(json, name);
    document_real(json, value, 17);
    document_done(json);
}

void document_member_text(struct document *json, const char *name, const char *text)
{
    begin(json, name);
    document_string(json, text, strlen(text));
    document_done(json);
}

static void boolean(struct document *json, bool value)
{
    const char *text = value ? "true" : "false";

    document_raw(json, text, strlen(text));
}

void document_member_boolean(struct document *json, const char *name, bool value)
{
    begin(json, name);
    boolean(json, value);
    document_done(json);
}

void document_member_address(struct document *json, const char *name, const struct address *address)
{
    begin(json, name);
    document_address(json, address);
    document_done(json);
}

void document_member_time(struct document *json, const char *name, int64_t ns, unsigned digits)
{
    begin(json, name);
    document_time(json, ns, digits);
    document_done(json);
}

void document_member_reserved(struct document *json, const char *name, bool value)
{
    json->end += closing_bytes / 2;
    document_member_boolean(json, name, value);
    json->end -= closing_bytes / 2;
}
