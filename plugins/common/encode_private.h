/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the encoder share. An encoder is a list of columns in the order of the output; a column is the
 * literal text before its value (separator, name, quotes: also the closing quote of the value before) and a writer,
 * which was chosen when the encoder was compiled and knows the type and the format. So a row is: copy the literal,
 * call the writer, next; nothing is decided twice. Lengths are bounded per column when it is compiled, and nothing is
 * checked per row.
 */
#ifndef PLUGINS_COMMON_ENCODE_PRIVATE_H
#define PLUGINS_COMMON_ENCODE_PRIVATE_H

#include "net/names.h"
#include "plugins/common/encode.h"

#define encode_literal_max 80 /* the longest name is that of a custom primitive, of field_name_max bytes */
#define encode_literal_step 32 /* bytes of a literal that are copied without asking for its length */
#define encode_absent_max time_text_max
#define encode_slack 64 /* bytes that copies of fixed size may touch behind the text */

/* How a value becomes text. */
enum encode_writer {
    ENCODE_U8,
    ENCODE_U16,
    ENCODE_U32,
    ENCODE_U64,
    ENCODE_I64,
    ENCODE_ADDRESS,
    ENCODE_MAC,
    ENCODE_HEXADECIMAL, /* uint16_t */
    ENCODE_HEXADECIMAL_64,
    ENCODE_BOOLEAN, /* true or false */
    ENCODE_PROTOCOL,
    ENCODE_FLAG_NAMES, /* JSON array */
    ENCODE_STATUS,     /* forwarding status as words */
    ENCODE_LETTER,
    ENCODE_RD,
    ENCODE_RD_ORIGIN,
    ENCODE_REAL,
    ENCODE_TIME,
    ENCODE_SECONDS,
    ENCODE_PURGE_TIME,
    ENCODE_CONSTANT, /* a field that the layout does not have */
    ENCODE_STRING_JSON,
    ENCODE_STRING_LIST, /* JSON array of its parts */
    ENCODE_STRING_MAP,  /* JSON object of k%v,k%v */
    ENCODE_STRING_CSV,
    ENCODE_STRING_FORMATTED
};

struct encode_column {
    char literal[encode_literal_max];
    uint8_t literal_length;
    uint8_t writer;   /* enum encode_writer */
    bool quoted;      /* JSON: the value stands between quotes */
    bool numbered;    /* parts of a list are written as NUMBER-PART */
    bool comma_parts; /* a comma separates parts of a list, too */
    uint8_t absent_length;
    uint16_t field;  /* enum field_id */
    uint16_t offset; /* of the value in the body */
    uint16_t width;  /* formatted: bytes to the next column; 0 for the last one, which is not padded */
    const char *name; /* as the header or the member name says */
    char absent[encode_absent_max]; /* text of an absent address, string or letter; of a constant the whole value */
};

/* A short text with its length, copied whole. */
struct encode_text {
    char text[15];
    uint8_t length;
};

struct encoder {
    struct encode_options options;
    struct encoder *events; /* JSON: for rows of events, which count nothing; NULL: all rows are alike */
    uint16_t key_bytes;
    bool without_counters;
    char separator;
    bool quote_values; /* CSV: the separator may be part of a number, an address or a time */
    unsigned column_count;
    char *head, *tail; /* text before the first column and after the last one, the newline included; from malloc */
    size_t head_length, tail_length;
    size_t row_max, header_max;
    char purge[time_text_max];
    size_t purge_length;
    struct encode_text protocols[256];
    struct encode_column columns[FIELD_COUNT];
};

/* encode_value.c: the text of one value; `out` has room for encode_value_max. Returns where the text ends. */
char *encode_value(const struct encoder *encoder, const struct encode_column *column, const uint8_t *body,
                   const struct intern *intern, char *out);
size_t encode_value_max(const struct encode_column *column);
/* A time in the encoder's style. */
char *encode_time(const struct encoder *encoder, int64_t ns, bool fraction, char *out);
/* The bytes of a STRING slot, at most flow_string_max. */
const char *encode_string(const struct encode_column *column, const uint8_t *body, const struct intern *intern,
                          uint32_t *length);

/* encode_text.c: strings from outside, made safe for each format. */
/* Bytes of the well-formed UTF-8 character at `at`, of which `left` are there; 0 when there is none (RFC 3629). */
unsigned encode_utf8(const uint8_t *at, size_t left);
/* At most 6 bytes for each of `bytes`, without quotes around. */
char *encode_json_string(char *out, const char *bytes, size_t length);
/* At most twice the bytes and two more. Quoted only when it holds the separator, a quote, CR or LF (RFC 4180). */
char *encode_csv_string(char *out, const char *bytes, size_t length, char separator);
/* No more bytes than `bytes`; control characters and malformed UTF-8 become '?'. */
char *encode_formatted_string(char *out, const char *bytes, size_t length);
/* JSON arrays and objects from joined strings; at most encode_structure_max(length). */
char *encode_json_list(char *out, const char *bytes, size_t length, const struct encode_column *column);
char *encode_json_map(char *out, const char *bytes, size_t length);
#define encode_structure_max(length) (8 * (length) + 16)

/* One file for each format: literals, head and tail of a row; header line; the walk where it differs. */
int encode_json_compile(struct encoder *encoder, struct error *error);
int encode_csv_compile(struct encoder *encoder, struct error *error);
size_t encode_csv_header(const struct encoder *encoder, char *out);
size_t encode_csv_row_quoted(const struct encoder *encoder, const uint8_t *body, const struct intern *intern,
                             char *out);
int encode_formatted_compile(struct encoder *encoder, struct error *error);
size_t encode_formatted_header(const struct encoder *encoder, char *out);
size_t encode_formatted_row(const struct encoder *encoder, const uint8_t *body, const struct intern *intern, char *out);

static inline bool encode_is_json(const struct encoder *encoder)
{
    return encoder->options.format == ENCODE_JSON;
}

static inline bool encode_is_csv(const struct encoder *encoder)
{
    return encoder->options.format == ENCODE_CSV || encoder->options.format == ENCODE_EVENT_CSV;
}

static inline bool encode_is_event(const struct encoder *encoder)
{
    return encoder->options.format == ENCODE_EVENT_CSV || encoder->options.format == ENCODE_EVENT_FORMATTED;
}

#endif
