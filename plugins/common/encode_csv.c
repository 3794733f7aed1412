/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CSV: a header line of titles and rows of values, joined by the separator. A value is quoted when it holds the
 * separator, a quote or a line break (RFC 4180), and only then. With the usual separators that can only be a string;
 * with one that numbers, addresses or times are made of, every value is looked at.
 */
#include "plugins/common/encode_private.h"

#include "base/text.h"

#include <stdlib.h>

static bool is_in_values(char separator)
{
    return (separator >= '0' && separator <= '9') || (separator >= 'a' && separator <= 'z') ||
           (separator >= 'A' && separator <= 'Z') || (separator != '\0' && strchr(".:-+_ ?^$", separator));
}

int encode_csv_compile(struct encoder *encoder, struct error *error)
{
    if (encoder->separator == '"' || encoder->separator == '\n' || encoder->separator == '\r')
        return error_set(error, "a quote or a line break cannot separate the values of CSV");
    encoder->quote_values = is_in_values(encoder->separator);
    encoder->tail = malloc(1);
    if (!encoder->tail)
        return error_set(error, "out of memory");
    encoder->tail[0] = '\n';
    encoder->tail_length = 1;
    for (unsigned i = 0; i < encoder->column_count; i++) {
        struct encode_column *column = &encoder->columns[i];

        column->literal[0] = encoder->separator;
        column->literal_length = i > 0;
        encoder->header_max += 2 * strlen(column->name) + 3;
    }
    encoder->header_max += 1;
    return 0;
}

size_t encode_csv_header(const struct encoder *encoder, char *out)
{
    char *at = out;

    for (unsigned i = 0; i < encoder->column_count; i++) {
        const struct encode_column *column = &encoder->columns[i];

        at = text_bytes(at, column->literal, column->literal_length);
        at = encode_csv_string(at, column->name, strlen(column->name), encoder->separator);
    }
    *at++ = '\n';
    return (size_t)(at - out);
}

/* The row when any value may hold the separator. */
size_t encode_csv_row_quoted(const struct encoder *encoder, const uint8_t *body, const struct intern *intern, char *out)
{
    char *at = out;

    for (unsigned i = 0; i < encoder->column_count; i++) {
        const struct encode_column *column = &encoder->columns[i];
        char value[256]; /* of all but strings, which quote themselves */

        at = text_bytes(at, column->literal, column->literal_length);
        if (column->writer == ENCODE_STRING_CSV) {
            at = encode_value(encoder, column, body, intern, at);
        } else {
            size_t length = (size_t)(encode_value(encoder, column, body, intern, value) - value);
            at = encode_csv_string(at, value, length, encoder->separator);
        }
    }
    *at++ = '\n';
    return (size_t)(at - out);
}
