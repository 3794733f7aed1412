/* SPDX-License-Identifier: BSD-2-Clause */
/* A JSON object in a bounded buffer; see line.h. */
#include "decode/sflow/line.h"

#include <math.h>
#include <stdio.h>

struct line line_over(char *buffer, size_t size)
{
    return (struct line){buffer, buffer, buffer + size, false};
}

void line_put(struct line *line, const char *text, size_t length)
{
    if (line->failed || length > (size_t)(line->end - line->at)) {
        line->failed = true;
        return;
    }
    memcpy(line->at, text, length);
    line->at += length;
}

void line_text(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

void line_comma(struct line *line)
{
    char last = line->at > line->start ? line->at[-1] : '{';

    if (last != '{' && last != '[')
        line_text(line, ", ");
}

void line_name(struct line *line, const char *name, size_t length)
{
    line_comma(line);
    line_put(line, "\"", 1);
    line_put(line, name, length);
    line_text(line, "\": ");
}

void line_open(struct line *line, char bracket)
{
    line_put(line, &bracket, 1);
}

void line_close(struct line *line, char bracket)
{
    line_put(line, &bracket, 1);
}

void line_unsigned(struct line *line, uint64_t value)
{
    char digits[20], *at = digits + sizeof(digits);

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    line_put(line, at, (size_t)(digits + sizeof(digits) - at));
}

void line_signed(struct line *line, int64_t value)
{
    if (value < 0)
        line_put(line, "-", 1);
    line_unsigned(line, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void line_hundredths(struct line *line, int32_t value)
{
    if (value == -1) {
        line_text(line, "null");
        return;
    }
    uint32_t size = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    char fraction[3] = {'.', (char)('0' + size % 100 / 10), (char)('0' + size % 10)};

    if (value < 0)
        line_put(line, "-", 1);
    line_unsigned(line, size / 100);
    line_put(line, fraction, sizeof(fraction));
}

void line_single(struct line *line, uint32_t bits)
{
    char text[32];
    float value;

    memcpy(&value, &bits, sizeof(value));
    if (!isfinite(value)) {
        line_text(line, "null");
        return;
    }
    snprintf(text, sizeof(text), "%.7g", (double)value); /* seven digits: 0.42 reads 0.42 */
    line_text(line, text);
}

static void put_hex(struct line *line, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    char pair[2] = {digits[byte >> 4], digits[byte & 0xf]};

    line_put(line, pair, sizeof(pair));
}

void line_hex(struct line *line, const uint8_t *bytes, size_t size, const char *separator)
{
    line_put(line, "\"", 1);
    for (size_t i = 0; i < size && !line->failed; i++) {
        if (i > 0)
            line_text(line, separator);
        put_hex(line, bytes[i]);
    }
    line_put(line, "\"", 1);
}

void line_uuid(struct line *line, const uint8_t bytes[16])
{
    line_put(line, "\"", 1);
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            line_put(line, "-", 1);
        put_hex(line, bytes[i]);
    }
    line_put(line, "\"", 1);
}

/* Octets of the UTF-8 sequence that begins at `text`, or 0 when it is none (RFC 3629 section 4). */
static size_t utf8_sequence(const uint8_t *text, size_t left)
{
    uint8_t first = text[0], low = 0x80, high = 0xbf;
    size_t size;

    if (first >= 0xc2 && first <= 0xdf)
        size = 2;
    else if (first >= 0xe0 && first <= 0xef)
        size = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        size = 4;
    else
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    if (first == 0xed)
        high = 0x9f;
    if (first == 0xf0)
        low = 0x90;
    if (first == 0xf4)
        high = 0x8f;
    if (left < size || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (text[i] < 0x80 || text[i] > 0xbf)
            return 0;
    return size;
}

void line_string(struct line *line, const uint8_t *text, size_t length)
{
    line_put(line, "\"", 1);
    for (size_t i = 0; i < length && text[i] != 0 && !line->failed;) {
        uint8_t c = text[i];
        if (c >= 0x80) {
            size_t size = utf8_sequence(text + i, length - i);
            if (size == 0)
                line_text(line, "\\ufffd");
            else
                line_put(line, (const char *)text + i, size);
            i += size == 0 ? 1 : size;
            continue;
        }
        if (c == '"' || c == '\\') {
            line_put(line, "\\", 1);
            line_put(line, (const char *)&text[i], 1);
        } else if (c < 0x20) {
            line_text(line, "\\u00");
            put_hex(line, c);
        } else {
            line_put(line, (const char *)&text[i], 1);
        }
        i++;
    }
    line_put(line, "\"", 1);
}
