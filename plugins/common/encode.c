/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles a layout and options to the columns of encode_private.h, and walks them for each row. What differs between
 * formats is in encode_json.c, encode_csv.c and encode_formatted.c; between types, in encode_value.c. The few fields
 * that differ from others of their type (lists, names of the client, texts of absent values) are the table `peculiars`
 * below.
 */
#include "plugins/common/encode.h"

#include "base/text.h"
#include "plugins/common/encode_private.h"

#include <stdlib.h>

enum structure { NO_STRUCTURE, AS_PATH, COMMUNITIES, LABEL_STACK, SEGMENTS, LABEL };

/* What the type does not tell. A rank of 0 is that of fields.def. */
static const struct peculiar {
    enum field_id field;
    enum structure structure;
    const char *client_name;   /* of the member in JSON */
    const char *absent;        /* in every format */
    const char *client_absent; /* in the client's formatted output */
    uint16_t client_json_rank, client_csv_rank;
} peculiars[] = {
    {.field = FIELD_CLASS, .absent = "unknown"},
    {.field = FIELD_LABEL, .structure = LABEL},
    {.field = FIELD_AS_PATH, .structure = AS_PATH, .client_absent = "^$"},
    {.field = FIELD_SRC_AS_PATH, .structure = AS_PATH, .client_absent = "^$", .client_name = "src_as_path"},
    {.field = FIELD_STD_COMM, .structure = COMMUNITIES, .client_absent = "0"},
    {.field = FIELD_EXT_COMM, .structure = COMMUNITIES, .client_absent = "0"},
    {.field = FIELD_LRG_COMM, .structure = COMMUNITIES, .client_absent = "0"},
    {.field = FIELD_SRC_STD_COMM, .structure = COMMUNITIES, .client_absent = "0", .client_name = "src_comms"},
    {.field = FIELD_SRC_EXT_COMM, .structure = COMMUNITIES, .client_absent = "0", .client_name = "src_ecomms"},
    {.field = FIELD_SRC_LRG_COMM, .structure = COMMUNITIES, .client_absent = "0", .client_name = "src_lcomms"},
    {.field = FIELD_MPLS_LABEL_STACK, .structure = LABEL_STACK},
    {.field = FIELD_SRV6_SEG_IPV6_LIST, .structure = SEGMENTS},
    {.field = FIELD_IN_CVLAN, .client_name = "in_cvlan"},
    {.field = FIELD_OUT_CVLAN, .client_name = "out_cvlan"},
    {.field = FIELD_SRC_LOCAL_PREF, .client_name = "src_local_pref"},
    {.field = FIELD_SRC_MED, .client_name = "src_med"},
    /* The client puts the interfaces behind the class, which has 40, and the flows between packets and bytes. */
    {.field = FIELD_IN_IFACE, .client_csv_rank = 41},
    {.field = FIELD_OUT_IFACE, .client_csv_rank = 42},
    {.field = FIELD_FLOWS, .client_json_rank = 1065},
};

static const struct peculiar *peculiar_of(enum field_id id)
{
    static const struct peculiar none;

    for (unsigned i = 0; i < array_length(peculiars); i++)
        if (peculiars[i].field == id)
            return &peculiars[i];
    return &none;
}

/* The writer of each type; numbers go by their size, strings by the format. */
static const uint8_t type_writers[FIELD_TYPE_COUNT] = {
    [FIELD_TYPE_U8] = ENCODE_U64,
    [FIELD_TYPE_U16] = ENCODE_U64,
    [FIELD_TYPE_U32] = ENCODE_U64,
    [FIELD_TYPE_U64] = ENCODE_U64,
    [FIELD_TYPE_ADDRESS] = ENCODE_ADDRESS,
    [FIELD_TYPE_MAC] = ENCODE_MAC,
    [FIELD_TYPE_ETHERTYPE] = ENCODE_HEXADECIMAL,
    [FIELD_TYPE_PROTOCOL] = ENCODE_PROTOCOL,
    [FIELD_TYPE_FLAGS] = ENCODE_U64,
    [FIELD_TYPE_FLAGS_TEXT] = ENCODE_U64,
    [FIELD_TYPE_NUMBER_TEXT] = ENCODE_U64,
    [FIELD_TYPE_LETTER] = ENCODE_LETTER,
    [FIELD_TYPE_RD] = ENCODE_RD,
    [FIELD_TYPE_RD_ORIGIN] = ENCODE_RD_ORIGIN,
    [FIELD_TYPE_REAL] = ENCODE_REAL,
    [FIELD_TYPE_TIME] = ENCODE_TIME,
    [FIELD_TYPE_SECONDS] = ENCODE_SECONDS,
    [FIELD_TYPE_COUNTER] = ENCODE_U64,
    [FIELD_TYPE_STRING] = ENCODE_STRING_FORMATTED,
    [FIELD_TYPE_U64_TEXT] = ENCODE_U64,
    [FIELD_TYPE_I64] = ENCODE_I64,
    [FIELD_TYPE_HEXADECIMAL] = ENCODE_HEXADECIMAL_64,
    [FIELD_TYPE_BOOLEAN] = ENCODE_BOOLEAN,
    [FIELD_TYPE_CUSTOM] = ENCODE_U64,
};

static enum encode_writer number_writer(unsigned bytes)
{
    return bytes == 1 ? ENCODE_U8 : bytes == 2 ? ENCODE_U16 : bytes == 4 ? ENCODE_U32 : ENCODE_U64;
}

static enum encode_writer string_writer(const struct encoder *encoder, enum structure structure)
{
    const struct encode_options *options = &encoder->options;
    bool wanted[] = {
        [NO_STRUCTURE] = false,
        [AS_PATH] = options->as_path_array,
        [COMMUNITIES] = options->communities_array,
        [LABEL_STACK] = options->mpls_stack_array,
        [SEGMENTS] = true,
        [LABEL] = options->label_map,
    };

    if (encode_is_csv(encoder))
        return ENCODE_STRING_CSV;
    if (!encode_is_json(encoder))
        return ENCODE_STRING_FORMATTED;
    if (!wanted[structure])
        return ENCODE_STRING_JSON;
    return structure == LABEL ? ENCODE_STRING_MAP : ENCODE_STRING_LIST;
}

static enum encode_writer writer_of(const struct encoder *encoder, enum field_id id, unsigned bytes)
{
    const struct encode_options *options = &encoder->options;
    enum field_type type = field_table[id].type;
    enum encode_writer writer = type_writers[type];

    if (field_table[id].role == FIELD_ROLE_PURGE)
        return ENCODE_PURGE_TIME;
    if (type == FIELD_TYPE_STRING)
        return string_writer(encoder, peculiar_of(id)->structure);
    if (encode_is_json(encoder) && (type == FIELD_TYPE_FLAGS || type == FIELD_TYPE_FLAGS_TEXT) &&
        options->tcp_flags_array)
        return ENCODE_FLAG_NAMES;
    if (encode_is_json(encoder) && type == FIELD_TYPE_NUMBER_TEXT && options->fwd_status_text)
        return ENCODE_STATUS;
    return writer == ENCODE_U64 ? number_writer(bytes) : writer;
}

static const char *absent_of(const struct encoder *encoder, enum field_id id)
{
    const struct peculiar *peculiar = peculiar_of(id);
    bool formatted = !encode_is_json(encoder) && !encode_is_csv(encoder);
    bool client = encoder->options.dialect == ENCODE_CLIENT;

    if (peculiar->absent)
        return peculiar->absent;
    if (field_table[id].type == FIELD_TYPE_LETTER)
        return "u"; /* unknown: of a validation state and of a direction */
    if (!formatted)
        return "";
    if (client && peculiar->client_absent)
        return peculiar->client_absent;
    if (field_table[id].type == FIELD_TYPE_ADDRESS)
        return client ? "0" : "::";
    return "";
}

static const char *name_of(const struct encoder *encoder, enum field_id id)
{
    const char *client = peculiar_of(id)->client_name;

    if (!encode_is_json(encoder))
        return field_table[id].title;
    return client && encoder->options.dialect == ENCODE_CLIENT ? client : field_table[id].json;
}

static unsigned rank_of(const struct encoder *encoder, enum field_id id)
{
    const struct peculiar *peculiar = peculiar_of(id);
    bool json = encode_is_json(encoder);
    unsigned client = json ? peculiar->client_json_rank : peculiar->client_csv_rank;

    if (encoder->options.dialect == ENCODE_CLIENT && client != 0)
        return client;
    return json ? field_table[id].json_rank : field_table[id].csv_rank;
}

static bool is_wanted(const struct encoder *encoder, enum field_id id, const struct layout_slot *slot)
{
    const struct encode_options *options = &encoder->options;
    const struct field *field = &field_table[id];

    if (!encode_is_json(encoder) && !field->title)
        return false;
    if ((encode_is_event(encoder) || encoder->without_counters) && field->type == FIELD_TYPE_COUNTER)
        return false;
    if (field->role == FIELD_ROLE_PURGE)
        return options->history;
    if (field->role == FIELD_ROLE_BIN)
        return options->history && slot;
    return slot || (options->all_columns && !encode_is_json(encoder));
}

/* Puts the column at its rank among those there are. */
static void insert_column(struct encoder *encoder, const struct encode_column *column)
{
    unsigned at = encoder->column_count++;
    unsigned rank = rank_of(encoder, column->field);

    for (; at > 0 && rank_of(encoder, encoder->columns[at - 1].field) > rank; at--)
        encoder->columns[at] = encoder->columns[at - 1];
    encoder->columns[at] = *column;
}

static void add_column(struct encoder *encoder, enum field_id id, const struct layout_slot *slot)
{
    static const uint8_t zeroes[16] __attribute__((aligned(8)));
    enum structure structure = peculiar_of(id)->structure;
    struct encode_column column = {.field = (uint16_t)id, .name = name_of(encoder, id)};
    const char *absent = absent_of(encoder, id);

    column.writer = (uint8_t)writer_of(encoder, id, slot ? slot->bytes : 8);
    column.offset = slot ? slot->offset : 0;
    column.numbered = structure == LABEL_STACK || structure == SEGMENTS;
    column.comma_parts = column.numbered;
    column.absent_length = (uint8_t)(text_literal(column.absent, absent) - column.absent);
    if (!slot && column.writer != ENCODE_PURGE_TIME) {
        char text[encode_absent_max + encode_slack];
        size_t length = (size_t)(encode_value(encoder, &column, zeroes, NULL, text) - text);

        memcpy(column.absent, text, length);
        column.absent_length = (uint8_t)length;
        column.writer = ENCODE_CONSTANT;
    }
    insert_column(encoder, &column);
}

static void name_protocols(struct encoder *encoder)
{
    for (unsigned i = 0; i < 256; i++) {
        struct encode_text *text = &encoder->protocols[i];
        const char *name = encoder->options.protocols_as_numbers ? NULL : names_protocol((uint8_t)i);
        char *end = name ? text_literal(text->text, name) : text_u64(text->text, i);

        text->length = (uint8_t)(end - text->text);
    }
}

/* Sums what the parts can take at most; encoder_row never asks. */
static void bound_row(struct encoder *encoder)
{
    size_t most = encoder->head_length + encoder->tail_length + encode_slack;

    for (unsigned i = 0; i < encoder->column_count; i++) {
        const struct encode_column *column = &encoder->columns[i];
        size_t value = encode_value_max(column);

        if (encoder->quote_values && column->writer != ENCODE_STRING_CSV)
            value = 2 * value + 2;
        most += column->literal_length + value + column->width + 1;
    }
    encoder->row_max = most;
}

static int compile(struct encoder *encoder, const struct layout *layout, struct error *error)
{
    int result;

    name_protocols(encoder);
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        const struct layout_slot *slot = layout_find(layout, (enum field_id)id);

        if (is_wanted(encoder, (enum field_id)id, slot))
            add_column(encoder, (enum field_id)id, slot);
    }
    if (encode_is_json(encoder))
        result = encode_json_compile(encoder, error);
    else if (encode_is_csv(encoder))
        result = encode_csv_compile(encoder, error);
    else
        result = encode_formatted_compile(encoder, error);
    if (result < 0)
        return -1;
    bound_row(encoder);
    encoder_set_purge(encoder, encoder->options.purge_seconds);
    /* The texts were borrowed for the compilation only. */
    encoder->options.event_type = NULL;
    encoder->options.writer_id = NULL;
    return 0;
}

static struct encoder *make(const struct layout *layout, const struct encode_options *options, bool without_counters,
                            struct error *error)
{
    struct encoder *encoder = calloc(1, sizeof(*encoder));

    if (!encoder) {
        error_set(error, "out of memory");
        return NULL;
    }
    encoder->options = *options;
    encoder->separator = options->separator ? options->separator : ',';
    encoder->key_bytes = layout->key_bytes;
    encoder->without_counters = without_counters;
    if (compile(encoder, layout, error) < 0) {
        encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

/* Where events are told apart (NAT, firewalls), a row that counts nothing is one, and its JSON has no counters. */
struct encoder *encoder_new(const struct layout *layout, const struct encode_options *options, struct error *error)
{
    struct encoder *encoder = make(layout, options, false, error);
    bool tells = layout_find(layout, FIELD_NAT_EVENT) != NULL || layout_find(layout, FIELD_FW_EVENT) != NULL;

    if (encoder == NULL || !tells || !encode_is_json(encoder) || options->dialect != ENCODE_PLUGIN)
        return encoder;
    encoder->events = make(layout, options, true, error);
    if (encoder->events == NULL) {
        encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void encoder_free(struct encoder *encoder)
{
    if (!encoder)
        return;
    encoder_free(encoder->events);
    free(encoder->head);
    free(encoder->tail);
    free(encoder);
}

void encoder_set_purge(struct encoder *encoder, int64_t seconds)
{
    char *end = encode_time(encoder, seconds * time_second_ns, false, encoder->purge);

    encoder->options.purge_seconds = seconds;
    encoder->purge_length = (size_t)(end - encoder->purge);
    if (encoder->events != NULL)
        encoder_set_purge(encoder->events, seconds);
}

size_t encoder_row_max(const struct encoder *encoder)
{
    return encoder->row_max;
}

size_t encoder_header_max(const struct encoder *encoder)
{
    return encoder->header_max;
}

size_t encoder_header(const struct encoder *encoder, char *out)
{
    if (encode_is_json(encoder))
        return 0;
    return encode_is_csv(encoder) ? encode_csv_header(encoder, out) : encode_formatted_header(encoder, out);
}

size_t encoder_row(const struct encoder *encoder, const uint8_t *body, const struct intern *intern, char *out)
{
    const struct encode_column *column = encoder->columns, *const end = column + encoder->column_count;
    char *at = out;

    if (encoder->events != NULL && (load_u64(body + encoder->key_bytes) | load_u64(body + encoder->key_bytes + 8)) == 0)
        return encoder_row(encoder->events, body, intern, out);
    if (!encode_is_json(encoder)) {
        if (!encode_is_csv(encoder))
            return encode_formatted_row(encoder, body, intern, out);
        if (encoder->quote_values)
            return encode_csv_row_quoted(encoder, body, intern, out);
    }
    if (encoder->head_length > 0)
        at = text_bytes(at, encoder->head, encoder->head_length);
    for (; column < end; column++) {
        memcpy(at, column->literal, encode_literal_step);
        if (unlikely(column->literal_length > encode_literal_step))
            memcpy(at, column->literal, column->literal_length);
        at = encode_value(encoder, column, body, intern, at + column->literal_length);
    }
    at = text_bytes(at, encoder->tail, encoder->tail_length);
    return (size_t)(at - out);
}
