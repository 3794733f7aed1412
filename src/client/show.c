/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and what is printed of their answers, but for the rows themselves (show_rows.c). */
#include "client/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cursor.h"
#include "client/data.h"
#include "client/output.h"
#include "client/rows.h"

int show_failure(const char *phrase)
{
    fprintf(stderr, "%s\n", phrase);
    return 1;
}

uint32_t show_flags(const struct client_options *options)
{
    return (options->reset ? query_reset : 0) | (options->clear ? query_clear : 0) | (options->lock ? query_lock : 0);
}

static int ask(struct connection *connection, const char *path, uint16_t command, uint32_t flags, struct error *error)
{
    if (connection_open(connection, path, error) < 0)
        return -1;
    return connection_ask(connection, command, flags, NULL, 0, error);
}

/* What the rows of this daemon consist of; fields of its own are known from here on. */
static void learn_fields(const char *path)
{
    struct connection connection = {.fd = -1};
    struct error error;
    struct layout layout;
    struct answer_frame frame;
    unsigned unknown;

    if (ask(&connection, path, QUERY_COLUMNS, 0, &error) == 0)
        while (connection_next(&connection, &frame, &error) > 0)
            if (frame.type == QUERY_LAYOUT)
                query_layout_read(&layout, frame.body, frame.body_bytes, &unknown, &error);
    connection_close(&connection);
}

uint8_t *show_request(const struct client_options *options, size_t *bytes, struct error *error)
{
    if (!data_fields_known(options->fields))
        learn_fields(options->path);
    return data_request(options->fields, options->data, options->utc, bytes, error);
}

struct sums {
    const struct client_options *options;
    struct output *output;
    uint64_t total[4]; /* packets, bytes, flows, rows */
};

static void print_sums(const struct sums *sums, const uint64_t values[4])
{
    static const uint8_t place[] = {[CLIENT_BYTES] = 1, [CLIENT_PACKETS] = 0, [CLIENT_FLOWS] = 2};

    if (sums->options->counter == CLIENT_ALL)
        output_printf(sums->output, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", values[0], values[1],
                      values[2], values[3]);
    else
        output_printf(sums->output, "%" PRIu64 "\n", values[place[sums->options->counter]]);
}

static void take_counts(struct sums *sums, const struct answer_frame *frame)
{
    struct cursor c = cursor_over(frame->body, frame->body_bytes);

    while (cursor_left(&c) >= query_counts_bytes) {
        uint64_t values[4];

        for (unsigned i = 0; i < 4; i++) {
            values[i] = cursor_be64(&c);
            sums->total[i] += values[i];
        }
        if (!sums->options->sum)
            print_sums(sums, values);
    }
}

int show_counters(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct error error = {""};
    struct output output;
    struct sums sums = {.options = options, .output = &output};
    struct answer_frame frame;
    size_t body_bytes;
    uint8_t *body = show_request(options, &body_bytes, &error);
    int more;

    if (body == NULL)
        return show_failure(error.text);
    if (output_open(&output, STDOUT_FILENO, 4096) < 0) {
        free(body);
        return show_failure("ERROR: out of memory");
    }
    more = connection_open(&connection, options->path, &error);
    if (more == 0)
        more = connection_ask(&connection, QUERY_COUNTERS, show_flags(options), body, body_bytes, &error);
    free(body);
    while (more == 0 && (more = connection_next(&connection, &frame, &error)) > 0) {
        more = 0;
        if (frame.type == QUERY_COUNTS)
            take_counts(&sums, &frame);
    }
    if (connection.fd >= 0 && error.text[0] == '\0' && options->sum)
        print_sums(&sums, sums.total);
    connection_close(&connection);
    if (output_close(&output) < 0 && error.text[0] == '\0')
        error_set(&error, "ERROR: cannot write the answer");
    return error.text[0] != '\0' ? show_failure(error.text) : 0;
}

int show_buckets(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct error error = {""};
    struct output output;
    struct answer_frame frame;
    int more;

    if (output_open(&output, STDOUT_FILENO, 4096) < 0)
        return show_failure("ERROR: out of memory");
    more = ask(&connection, options->path, QUERY_STATUS, 0, &error);
    while (more == 0 && (more = connection_next(&connection, &frame, &error)) > 0) {
        more = 0;
        if (frame.type == FRAME_TEXT)
            output_text(&output, (const char *)frame.body, frame.body_bytes);
    }
    connection_close(&connection);
    if (output_close(&output) < 0 && error.text[0] == '\0')
        error_set(&error, "ERROR: cannot write the answer");
    return error.text[0] != '\0' ? show_failure(error.text) : 0;
}

int show_age(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct error error = {""};
    struct answer_frame frame;
    bool said = false;
    int more = ask(&connection, options->path, QUERY_AGE, 0, &error);

    while (more == 0 && (more = connection_next(&connection, &frame, &error)) > 0) {
        struct cursor c = cursor_over(frame.body, frame.body_bytes);
        uint64_t seconds = cursor_be64(&c), cleared = cursor_be64(&c);

        more = 0;
        if (frame.type != QUERY_AGE_ANSWER || said)
            continue;
        said = true;
        if (cleared)
            printf("%" PRIu64 "\n", seconds);
        else
            printf("never\n");
    }
    connection_close(&connection);
    return error.text[0] != '\0' ? show_failure(error.text) : 0;
}

int show_clear(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct error error = {""};
    struct answer_frame frame;
    int more = ask(&connection, options->path, QUERY_CLEAR, 0, &error);

    while (more == 0 && (more = connection_next(&connection, &frame, &error)) > 0)
        more = 0;
    connection_close(&connection);
    if (error.text[0] != '\0')
        return show_failure(error.text);
    printf("OK: Clearing stats.\n");
    return 0;
}

/* Classes are texts of the table here; the ids are those of this answer. */
int show_classes(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct error error = {""};
    struct rows rows;
    const uint8_t *row;
    uint64_t count, shown = 0;
    bool *seen = NULL;
    int more;

    if (rows_open(&rows, &error) < 0)
        return show_failure(error.text);
    more = ask(&connection, options->path, QUERY_TABLE, 0, &error);
    if (more == 0)
        printf("CLASS_ID\tCLASS_NAME\n");
    while (more == 0 && (more = rows_next(&rows, &connection, &row, &count, &error)) > 0) {
        const struct layout_slot *slot = layout_find(&rows.layout, FIELD_CLASS);

        more = 0;
        if (slot == NULL)
            continue;
        if (seen == NULL && (seen = calloc((size_t)intern_count(rows.intern) + 1, sizeof(*seen))) == NULL) {
            error_set(&error, "ERROR: out of memory");
            break;
        }
        for (; count > 0; count--, row += rows.layout.body_bytes) {
            uint32_t id = load_u32(row + slot->offset), length;
            const char *text = intern_get(rows.intern, id, &length);

            if (id == 0 || id > intern_count(rows.intern) || seen[id])
                continue;
            seen[id] = true;
            shown++;
            printf("%" PRIu32 "\t\t%.*s\n", id, (int)length, text);
        }
    }
    free(seen);
    connection_close(&connection);
    rows_close(&rows);
    if (error.text[0] != '\0')
        return show_failure(error.text);
    printf("\nFor a total of: %" PRIu64 " classifiers\n", shown);
    return 0;
}

int show_primitives(const struct client_options *options)
{
    struct connection connection = {.fd = -1};
    struct error error = {""};

    if (connection_open(&connection, options->path, &error) < 0)
        return show_failure(error.text);
    connection_close(&connection);
    printf("%-32s  %-5s  OFF\n", "NAME", "LEN"); /* there are none, which pmacct tells by the status */
    return 1;
}
