/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows on standard output. Unsorted ones are written as they come, so that a table of millions takes no memory here;
 * sorted ones are collected first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/output.h"
#include "client/rows.h"
#include "client/show.h"
#include "plugins/common/encode.h"

struct sort_entry {
    uint64_t value;
    uint64_t row; /* number in order of arrival, which breaks ties */
};

struct show {
    const struct client_options *options;
    struct rows rows;
    struct output output;
    struct encoder *encoder; /* made when the layout is known */
    size_t row_max;
    uint64_t printed;
    uint8_t *kept; /* rows that wait for being sorted */
    uint64_t kept_count, kept_room;
};

static int make_encoder(struct show *show, struct error *error)
{
    const struct client_options *options = show->options;
    struct encode_options encode = {
        .format = (enum encode_format)options->format,
        .dialect = ENCODE_CLIENT,
        .separator = options->separator,
        .protocols_as_numbers = options->protocols_as_numbers,
        .tcp_flags_string = true,
        .time_style = options->epoch ? TIME_STYLE_EPOCH : TIME_STYLE_RFC3339,
        .utc = options->utc,
        .history = show->rows.layout.bin_offset >= 0,
        .purge_seconds = time_wall_ns() / time_second_ns,
        .all_columns = options->all_columns,
    };
    size_t header_max;

    if (show->rows.unknown > 0)
        fprintf(stderr, "WARN: %u fields of this table are not known to this client and not shown\n",
                show->rows.unknown);
    show->encoder = encoder_new(&show->rows.layout, &encode, error);
    if (show->encoder == NULL)
        return error_wrap(error, "ERROR");
    header_max = encoder_header_max(show->encoder);
    show->row_max = encoder_row_max(show->encoder);
    if (output_open(&show->output, STDOUT_FILENO, max_u64(max_u64(show->row_max, header_max), 4096)) < 0)
        return error_set(error, "ERROR: out of memory");
    output_take(&show->output, encoder_header(show->encoder, output_room(&show->output, header_max)));
    return 0;
}

static void print_row(struct show *show, const uint8_t *row)
{
    struct output *output = &show->output;

    output_take(output, encoder_row(show->encoder, row, show->rows.intern, output_room(output, show->row_max)));
    show->printed++;
}

static int keep_rows(struct show *show, const uint8_t *first, uint64_t count, struct error *error)
{
    size_t row_bytes = show->rows.layout.body_bytes;

    if (show->kept_count + count > show->kept_room) {
        uint64_t room = max_u64(show->kept_room * 2, show->kept_count + count);
        uint8_t *more = realloc(show->kept, room * row_bytes);

        if (more == NULL)
            return error_set(error, "ERROR: no memory to sort so many rows");
        show->kept = more;
        show->kept_room = room;
    }
    memcpy(show->kept + show->kept_count * row_bytes, first, count * row_bytes);
    show->kept_count += count;
    return 0;
}

static int largest_first(const void *a, const void *b)
{
    const struct sort_entry *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return x->row > y->row ? 1 : -(x->row < y->row);
}

static int print_sorted(struct show *show, struct error *error)
{
    static const enum field_id sort_fields[] = {
        [CLIENT_BYTES] = FIELD_BYTES, [CLIENT_PACKETS] = FIELD_PACKETS, [CLIENT_FLOWS] = FIELD_FLOWS};
    const struct layout_slot *slot = layout_find(&show->rows.layout, sort_fields[show->options->sort_by]);
    size_t row_bytes = show->rows.layout.body_bytes;
    uint64_t count = show->kept_count;
    struct sort_entry *entries = malloc(max_u64(count, 1) * sizeof(*entries));

    if (entries == NULL)
        return error_set(error, "ERROR: no memory to sort so many rows");
    for (uint64_t i = 0; i < count; i++)
        entries[i] = (struct sort_entry){slot != NULL ? load_u64(show->kept + i * row_bytes + slot->offset) : 0, i};
    qsort(entries, count, sizeof(*entries), largest_first);
    if (show->options->sort_count > 0)
        count = min_u64(count, show->options->sort_count);
    for (uint64_t i = 0; i < count; i++)
        print_row(show, show->kept + entries[i].row * row_bytes);
    free(entries);
    return 0;
}

static int receive(struct show *show, struct connection *connection, struct error *error)
{
    const uint8_t *first;
    uint64_t count;
    int more;

    while ((more = rows_next(&show->rows, connection, &first, &count, error)) > 0) {
        if (show->encoder == NULL && make_encoder(show, error) < 0)
            return -1;
        if (show->options->sorted) {
            if (keep_rows(show, first, count, error) < 0)
                return -1;
            continue;
        }
        for (; count > 0 && !show->output.failed; count--, first += show->rows.layout.body_bytes)
            print_row(show, first);
        if (show->output.failed)
            return error_set(error, "ERROR: cannot write the answer");
    }
    if (more < 0 || (show->encoder == NULL && make_encoder(show, error) < 0))
        return -1;
    return show->options->sorted ? print_sorted(show, error) : 0;
}

static int ask(const struct client_options *options, struct connection *connection, struct error *error)
{
    size_t body_bytes = 0;
    uint8_t *body = NULL;
    int result;

    if (options->action == CLIENT_MATCH) {
        body = show_request(options, &body_bytes, error);
        if (body == NULL)
            return -1;
    }
    result = connection_open(connection, options->path, error);
    if (result == 0)
        result = connection_ask(connection, options->action == CLIENT_MATCH ? QUERY_MATCH : QUERY_TABLE,
                                show_flags(options), body, body_bytes, error);
    free(body);
    return result;
}

int show_rows(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct show show = {.options = options};
    struct error error = {""};
    bool opened;

    if (rows_open(&show.rows, &error) < 0)
        return show_failure(error.text);
    if (ask(options, &connection, &error) == 0)
        receive(&show, &connection, &error);
    connection_close(&connection);
    opened = show.output.buffer != NULL;
    if (opened && error.text[0] == '\0' &&
        (options->format == ENCODE_FORMATTED || options->format == ENCODE_EVENT_FORMATTED))
        output_printf(&show.output, "\nFor a total of: %" PRIu64 " entries\n", show.printed);
    if (opened && output_close(&show.output) < 0 && error.text[0] == '\0')
        error_set(&error, "ERROR: cannot write the answer");
    if (show.rows.merged > 0)
        fprintf(stderr, "WARN: %" PRIu64 " records merged into 'others': table_memory_limit reached\n",
                show.rows.merged);
    encoder_free(show.encoder);
    rows_close(&show.rows);
    free(show.kept);
    return error.text[0] != '\0' ? show_failure(error.text) : 0;
}
