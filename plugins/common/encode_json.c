/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON rows: one object on a line, spaced as pmacct's. Everything between two values is known beforehand, the quotes
 * around strings included, and becomes the literal of the second one.
 */
#include "plugins/common/encode_private.h"

#include "base/text.h"

#include <stdlib.h>

/* `"name": "value"` with what stands around it; the value may be anything. */
static char *put_member(char *out, const char *before, const char *name, const char *value)
{
    out = text_literal(out, before);
    *out++ = '"';
    out = text_literal(out, name);
    out = text_bytes(out, "\": \"", 4);
    out = encode_json_string(out, value, strlen(value));
    *out++ = '"';
    return out;
}

static bool is_number(enum encode_writer writer)
{
    return writer <= ENCODE_I64 || writer == ENCODE_REAL || writer == ENCODE_BOOLEAN;
}

static bool is_structure(enum encode_writer writer)
{
    return writer == ENCODE_STRING_LIST || writer == ENCODE_STRING_MAP || writer == ENCODE_FLAG_NAMES;
}

/* Numbers that stand between quotes all the same: texts in JSON for as long as there have been consumers of it. */
static bool is_number_in_quotes(const struct encoder *encoder, enum field_id id)
{
    bool client = encoder->options.dialect == ENCODE_CLIENT;

    switch (field_table[id].type) {
    case FIELD_TYPE_FLAGS:
        return client || encoder->options.tcp_flags_string;
    case FIELD_TYPE_FLAGS_TEXT:
    case FIELD_TYPE_U64_TEXT:
        return true;
    case FIELD_TYPE_NUMBER_TEXT:
        return !client;
    default:
        return false;
    }
}

int encode_json_compile(struct encoder *encoder, struct error *error)
{
    const char *event_type = encoder->options.dialect == ENCODE_PLUGIN ? encoder->options.event_type : NULL;
    const char *writer_id = encoder->options.writer_id;
    bool quoted = false, first = event_type == NULL;
    char *at;

    encoder->head = malloc(64 + 6 * (event_type ? strlen(event_type) : 0));
    encoder->tail = malloc(64 + 6 * (writer_id ? strlen(writer_id) : 0));
    if (!encoder->head || !encoder->tail)
        return error_set(error, "out of memory");
    at = text_literal(encoder->head, "{");
    if (event_type)
        at = put_member(at, "", "event_type", event_type);
    encoder->head_length = (size_t)(at - encoder->head);
    for (unsigned i = 0; i < encoder->column_count; i++) {
        struct encode_column *column = &encoder->columns[i];

        column->quoted = is_number(column->writer) ? is_number_in_quotes(encoder, column->field)
                                                   : !is_structure(column->writer);
        if (strlen(column->name) + 12 > sizeof(column->literal))
            return error_set(error, "the name '%s' is too long", column->name);
        at = text_literal(column->literal, quoted ? "\"" : "");
        at = text_literal(at, first ? "\"" : ", \"");
        at = text_literal(at, column->name);
        at = text_literal(at, column->quoted ? "\": \"" : "\": ");
        column->literal_length = (uint8_t)(at - column->literal);
        quoted = column->quoted;
        first = false;
    }
    at = text_literal(encoder->tail, quoted ? "\"" : "");
    if (writer_id)
        at = put_member(at, first ? "" : ", ", "writer_id", writer_id);
    at = text_literal(at, "}\n");
    encoder->tail_length = (size_t)(at - encoder->tail);
    return 0;
}
