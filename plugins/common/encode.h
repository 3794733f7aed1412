/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows as text: JSON, CSV and formatted columns, for every field by its type. An encoder is compiled from a layout and
 * options to a list of columns (literal prefix, offset, type); writing a row walks the list and appends to a buffer.
 * The names, their order and the spacing are pmacct's.
 */
#ifndef PLUGINS_COMMON_ENCODE_H
#define PLUGINS_COMMON_ENCODE_H

#include "base/time.h"
#include "flow/layout.h"
#include "plugins/common/intern.h"

enum encode_format {
    ENCODE_FORMATTED,
    ENCODE_CSV,
    ENCODE_JSON,
    ENCODE_EVENT_FORMATTED, /* without packets, flows, bytes */
    ENCODE_EVENT_CSV
};

enum encode_dialect {
    ENCODE_PLUGIN, /* print, brokers: event_type first in JSON, names and orders of fields.def */
    ENCODE_CLIENT  /* the client: no event_type, its own column order, a few other JSON names, tcp_flags a string */
};

struct encode_options {
    enum encode_format format;
    enum encode_dialect dialect;
    char separator; /* CSV; 0 is ',' */
    bool protocols_as_numbers;
    bool tcp_flags_array;  /* tcpflags_encode_as_array */
    bool tcp_flags_string; /* JSON string instead of a number */
    bool as_path_array, communities_array, mpls_stack_array, label_map, fwd_status_text;
    enum time_style time_style;
    bool utc;
    bool seconds_only; /* timestamps_secs */
    bool history;      /* stamp_inserted and stamp_updated */
    int64_t purge_seconds; /* for stamp_updated; encoder_set_purge changes it */
    const char *event_type; /* "purge" */
    const char *writer_id;  /* NULL: no such member */
    bool all_columns;       /* client -a: columns of fields that are not in the layout too */
};

struct encoder;

struct encoder *encoder_new(const struct layout *layout, const struct encode_options *options, struct error *error);
void encoder_free(struct encoder *encoder);
void encoder_set_purge(struct encoder *encoder, int64_t seconds);

/* Bytes that the longest possible row takes with its newline, strings of flow_string_max included. */
size_t encoder_row_max(const struct encoder *encoder);

/* The header line with its newline, for CSV and formatted; nothing for JSON. Returns the length; `out` has room. */
size_t encoder_header(const struct encoder *encoder, char *out);
size_t encoder_header_max(const struct encoder *encoder);

/* One row with its newline. `out` has room for encoder_row_max. Returns the length. */
size_t encoder_row(const struct encoder *encoder, const uint8_t *body, const struct intern *intern, char *out);

#endif
