/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted columns, for people: header and rows on one grid of widths from fields.def, values to the left. A value
 * that is wider than its column pushes the rest of its row, with one blank between. The counter at the end is not
 * padded.
 */
#include "plugins/common/encode_private.h"

#include "base/text.h"

#include <stdlib.h>

int encode_formatted_compile(struct encoder *encoder, struct error *error)
{
    encoder->tail = malloc(1);
    if (!encoder->tail)
        return error_set(error, "out of memory");
    encoder->tail[0] = '\n';
    encoder->tail_length = 1;
    for (unsigned i = 0; i < encoder->column_count; i++) {
        struct encode_column *column = &encoder->columns[i];
        bool last = i + 1 == encoder->column_count && field_table[column->field].type == FIELD_TYPE_COUNTER;

        column->width = last ? 0 : field_table[column->field].width;
        encoder->header_max += strlen(column->name) + column->width + 1;
    }
    encoder->header_max += 1;
    return 0;
}

/* Blanks up to the next column, one at least. `shown` is how many places the text takes on the screen. */
static char *pad(char *out, size_t shown, size_t width)
{
    size_t blanks = shown < width ? width - shown : 1;

    if (width == 0)
        return out;
    memset(out, ' ', blanks);
    return out + blanks;
}

size_t encode_formatted_header(const struct encoder *encoder, char *out)
{
    char *at = out;

    for (unsigned i = 0; i < encoder->column_count; i++) {
        const struct encode_column *column = &encoder->columns[i];
        size_t length = strlen(column->name);

        at = pad(text_bytes(at, column->name, length), length, column->width);
    }
    *at++ = '\n';
    return (size_t)(at - out);
}

static size_t characters(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((uint8_t)text[i] & 0xc0) != 0x80;
    return count;
}

size_t encode_formatted_row(const struct encoder *encoder, const uint8_t *body, const struct intern *intern, char *out)
{
    char *at = out;

    for (unsigned i = 0; i < encoder->column_count; i++) {
        const struct encode_column *column = &encoder->columns[i];
        char *end = encode_value(encoder, column, body, intern, at);
        size_t shown = (size_t)(end - at);

        if (column->writer == ENCODE_STRING_FORMATTED)
            shown = characters(at, shown);
        at = pad(end, shown, column->width);
    }
    *at++ = '\n';
    return (size_t)(at - out);
}
