/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the encoder share: a layout from a set of fields, a body to put values into, a row as a C
 * string.
 */
#ifndef TESTS_UNIT_PLUGINS_ENCODE_ROWS_H
#define TESTS_UNIT_PLUGINS_ENCODE_ROWS_H

#include "plugins/common/encode.h"

#include <stdio.h>
#include <stdlib.h>

struct rows {
    struct layout layout;
    uint8_t body[layout_key_max + 8 * layout_values_max] __attribute__((aligned(8)));
    struct intern *intern;
};

static inline void rows_give_up(const char *what)
{
    printf("Bail out! %s\n", what);
    exit(1);
}

static inline void rows_open_set(struct rows *rows, const struct field_set *fields)
{
    struct aggregate aggregate = {.fields = *fields};
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct error error;

    memset(rows, 0, sizeof(*rows));
    options.history = field_set_has(fields, FIELD_STAMP_INSERTED);
    if (layout_compile(&rows->layout, &aggregate, &options, &error) < 0)
        rows_give_up(error.text);
    rows->intern = intern_new();
    if (!rows->intern)
        rows_give_up("out of memory");
}

static inline void rows_open(struct rows *rows, const char *list)
{
    struct aggregate aggregate = {.sum = false};
    struct error error;

    if (aggregate_parse(&aggregate, list, &error) < 0)
        rows_give_up(error.text);
    rows_open_set(rows, &aggregate.fields);
}

static inline void rows_close(struct rows *rows)
{
    intern_free(rows->intern);
}

static inline void rows_put_bytes(struct rows *rows, enum field_id id, const void *value, size_t size)
{
    const struct layout_slot *slot = layout_find(&rows->layout, id);

    if (!slot || slot->bytes != size)
        rows_give_up("a value does not fit its slot");
    memcpy(rows->body + slot->offset, value, size);
}

/* Any integer, in the slot's size. */
static inline void rows_put(struct rows *rows, enum field_id id, uint64_t value)
{
    const struct layout_slot *slot = layout_find(&rows->layout, id);
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;

    if (!slot)
        rows_give_up("no such slot");
    else if (slot->bytes == 1)
        rows_put_bytes(rows, id, &u8, 1);
    else if (slot->bytes == 2)
        rows_put_bytes(rows, id, &u16, 2);
    else if (slot->bytes == 4)
        rows_put_bytes(rows, id, &u32, 4);
    else
        rows_put_bytes(rows, id, &value, 8);
}

static inline void rows_put_address(struct rows *rows, enum field_id id, const char *text)
{
    struct address address;

    if (!address_parse(text, &address))
        rows_give_up("not an address");
    rows_put_bytes(rows, id, address.bytes, 16);
}

static inline void rows_put_string(struct rows *rows, enum field_id id, const char *bytes, size_t length)
{
    rows_put(rows, id, intern_put(rows->intern, bytes, (uint32_t)length));
}

static inline struct encoder *rows_encoder(const struct rows *rows, const struct encode_options *options)
{
    struct error error;
    struct encoder *encoder = encoder_new(&rows->layout, options, &error);

    if (!encoder)
        rows_give_up(error.text);
    return encoder;
}

/*
 * The row with these options, from malloc, with a NUL behind it. The bytes behind encoder_row_max must stay as
 * they were.
 */
static inline char *rows_text(const struct rows *rows, const struct encode_options *options, size_t *length)
{
    struct encoder *encoder = rows_encoder(rows, options);
    size_t most = encoder_row_max(encoder), used;
    char *out = malloc(most + 1);

    if (!out)
        rows_give_up("out of memory");
    used = encoder_row(encoder, rows->body, rows->intern, out);
    if (used > most)
        rows_give_up("a row is longer than encoder_row_max");
    out[used] = '\0';
    if (length)
        *length = used;
    encoder_free(encoder);
    return out;
}

static inline char *rows_header(const struct rows *rows, const struct encode_options *options)
{
    struct encoder *encoder = rows_encoder(rows, options);
    size_t most = encoder_header_max(encoder), used;
    char *out = malloc(most + 1);

    if (!out)
        rows_give_up("out of memory");
    used = encoder_header(encoder, out);
    if (used > most)
        rows_give_up("a header is longer than encoder_header_max");
    out[used] = '\0';
    encoder_free(encoder);
    return out;
}

#endif
