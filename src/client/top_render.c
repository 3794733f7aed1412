/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The picture of `pmacct top`: rates, a sparkline, then the row's key in columns as wide as their contents. The key's
 * text is the encoder's CSV with tabs, so that no field needs code here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "client/top.h"
#include "plugins/common/encode.h"

#define lines_max 512
#define columns_max FIELD_COUNT
#define cell_max 48  /* columns of a cell; longer texts are cut */
#define title_lines 3
#define rate_columns (6 + 1 + 9)

struct picture {
    char *texts[lines_max + 1]; /* of the header, then of each row; cells end with NUL */
    const char *cells[lines_max + 1][columns_max];
    unsigned widths[columns_max];
    unsigned columns, rows;
};

/* 1234567 -> 1.23M, in five columns; `gap` is what stands between number and unit. */
static void put_rate(char out[16], double value, const char *gap)
{
    static const char unit[] = " kMGTPE";
    unsigned step = 0;

    for (; value >= 999.5 && step + 2 < sizeof(unit); step++)
        value /= 1000;
    snprintf(out, 16, "%.*f%s%c", step == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value,
             step > 0 ? gap : "", unit[step]);
}

/* The newest `samples` of the history. */
static size_t put_spark(const struct top *top, const struct top_entry *entry, unsigned samples, char *out)
{
    static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const signs[] = {" ", "_", ".", ",", "-", "~", "=", "*", "#"};
    const char *const *levels = top->utf8 ? blocks : signs;
    float highest = 0;
    size_t length = 0;

    for (unsigned i = top_history - samples; i < top_history; i++)
        highest = entry->history[i] > highest ? entry->history[i] : highest;
    for (unsigned i = top_history - samples; i < top_history; i++) {
        unsigned level = highest > 0 ? (unsigned)(entry->history[i] / highest * 8 + 0.5f) : 0;
        const char *sign = levels[level == 0 && entry->history[i] > 0 ? 1 : level];

        memcpy(out + length, sign, strlen(sign));
        length += strlen(sign);
    }
    return length;
}

static bool is_counter(const char *title)
{
    return strcmp(title, "PACKETS") == 0 || strcmp(title, "BYTES") == 0 || strcmp(title, "FLOWS") == 0;
}

/* Cuts a line of the encoder into cells; the counters' columns are left out. */
static void add_line(struct picture *picture, unsigned number, char *text, size_t length, const bool *skip)
{
    unsigned column = 0, kept = 0;
    char *cell = text;

    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = '\0';
    picture->texts[number] = text;
    for (char *at = text;; at++) {
        bool end = *at == '\0';

        if (*at != '\t' && !end) {
            if ((uint8_t)*at < 32 || *at == 127)
                *at = '?';
            continue;
        }
        *at = '\0';
        if (column < columns_max && !skip[column] && kept < columns_max) {
            picture->cells[number][kept] = cell;
            picture->widths[kept] =
                (unsigned)min_u64(max_u64(picture->widths[kept], strlen(cell)), cell_max);
            kept++;
        }
        column++;
        cell = at + 1;
        if (end)
            break;
    }
    for (; kept < columns_max; kept++)
        picture->cells[number][kept] = "";
}

static int read_titles(struct picture *picture, const struct encoder *encoder, bool *skip)
{
    size_t room = encoder_header_max(encoder) + 2;
    char *titles = calloc(1, room), *text = calloc(1, room), *save = NULL;
    unsigned column = 0;
    size_t length;

    if (titles == NULL || text == NULL) {
        free(titles);
        free(text);
        return -1;
    }
    length = encoder_header(encoder, text);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    memcpy(titles, text, length);
    for (char *title = strtok_r(titles, "\t", &save); title != NULL && column < columns_max;
         title = strtok_r(NULL, "\t", &save)) {
        skip[column] = is_counter(title);
        picture->columns += !skip[column];
        column++;
    }
    free(titles);
    add_line(picture, 0, text, length, skip);
    return 0;
}

static struct picture *picture_new(const struct top *top, unsigned rows, uint64_t scroll, struct error *error)
{
    struct encode_options options = {.format = ENCODE_CSV, .dialect = ENCODE_CLIENT, .separator = '\t'};
    struct encoder *encoder = encoder_new(&top->now.rows.layout, &options, error);
    struct picture *picture = calloc(1, sizeof(*picture));
    bool skip[columns_max] = {false};

    if (encoder == NULL || picture == NULL || read_titles(picture, encoder, skip) < 0)
        goto out;
    for (uint64_t i = scroll; i < top->order_count && picture->rows < rows && picture->rows < lines_max; i++) {
        char *text = malloc(encoder_row_max(encoder) + 1);

        if (text == NULL)
            break;
        picture->rows++;
        add_line(picture, picture->rows, text,
                 encoder_row(encoder, top->now.bodies + (size_t)top->order[i] * top->now.rows.layout.body_bytes,
                             top->now.rows.intern, text), skip);
    }
out:
    encoder_free(encoder);
    return picture;
}

static void picture_free(struct picture *picture)
{
    for (unsigned i = 0; picture != NULL && i <= lines_max; i++)
        free(picture->texts[i]);
    free(picture);
}

/* A line of text that is filled from the left; its end is its width. `columns` are taken so far. */
struct line {
    char text[4096];
    size_t length;
    unsigned columns, width;
};

/*
 * One cell, filled up to `pad` columns. What does not fit ends with '>', so that no number is taken for another one.
 */
static void put_cell(struct line *line, const char *text, unsigned pad)
{
    unsigned room = line->width - line->columns, fits = room < cell_max ? room : cell_max;
    unsigned columns = (unsigned)min_u64(strlen(text), fits);

    if (line->length + columns + pad + 1 >= sizeof(line->text))
        return;
    memcpy(line->text + line->length, text, columns);
    if (text[columns] != '\0' && columns > 0)
        line->text[line->length + columns - 1] = '>';
    line->length += columns;
    line->columns += columns;
    for (; columns < pad && line->columns < line->width; columns++, line->columns++)
        line->text[line->length++] = ' ';
    line->text[line->length] = '\0';
}

/* The columns from `first` on. One that is cut to less than this says nothing: '>' alone stands for the rest then. */
#define cut_min 12

static void put_cells(const struct picture *picture, unsigned number, unsigned first, struct line *line)
{
    for (unsigned c = first; c < picture->columns && line->columns + 2 < line->width; c++) {
        unsigned room = line->width - line->columns - 2;

        if (picture->widths[c] > room && room < cut_min) {
            put_cell(line, number == 0 ? " >" : "", 0);
            break;
        }
        put_cell(line, "  ", 2);
        put_cell(line, picture->cells[number][c], c + 1 < picture->columns ? picture->widths[c] : 0);
    }
}

static void put_totals(const struct top *top, struct line *line)
{
    static const char *const sort_names[] = {"bytes", "packets", "flows", ""};
    char bits[16], packets[16], path[80];
    bool counted = top->sort_by != CLIENT_FLOWS || layout_find(&top->now.rows.layout, FIELD_FLOWS) != NULL;
    int n;

    put_rate(bits, top->byte_rate * 8, " ");
    put_rate(packets, top->packet_rate, " ");
    log_safe(top->path, strlen(top->path), path, sizeof(path));
    n = snprintf(line->text, sizeof(line->text),
                 "%sbit/s  %spacket/s  %" PRIu64 " rows, %" PRIu64 " active  by %s%s%s  %s", bits, packets,
                 top->now.count, top->order_count, sort_names[top->sort_by],
                 counted ? "" : ": not counted in this table",
                 top->now.rows.merged ? "  (some rows merged into 'others')" : "", path);
    if (n >= 0 && (unsigned)n > line->width)
        line->text[line->width] = '\0';
}

/* The sparkline has what the key leaves of the width, and nothing if that is too little to see a course. */
static unsigned spark_samples(const struct picture *picture, unsigned first, unsigned width)
{
    unsigned used = rate_columns + 1;

    for (unsigned c = first; c < picture->columns; c++)
        used += picture->widths[c] + 2;
    if (used >= width)
        return 0;
    return width - used < 4 ? 0 : (unsigned)min_u64(width - used, top_history);
}

static void put_row(const struct top *top, const struct picture *picture, uint64_t number, unsigned i, unsigned samples,
                    unsigned first, struct line *line)
{
    const struct top_entry *entry = &top->now.entries[top->order[number]];
    char bits[16], second[16];

    put_rate(bits, entry->byte_rate * 8, "");
    put_rate(second, top->sort_by == CLIENT_FLOWS ? entry->flow_rate : entry->packet_rate, "");
    line->length = (size_t)snprintf(line->text, sizeof(line->text), "%6s %9s", bits, second);
    line->columns = rate_columns;
    if (samples > 0) {
        line->text[line->length++] = ' ';
        line->length += put_spark(top, entry, samples, line->text + line->length);
        line->columns += samples + 1;
    }
    line->text[line->length] = '\0';
    put_cells(picture, i + 1, first, line);
}

int top_render(const struct top *top, const struct top_view *view,
               void (*line)(void *context, unsigned number, const char *text), void *context, struct error *error)
{
    struct picture *picture =
        picture_new(top, view->height > title_lines ? view->height - title_lines : 0, view->scroll, error);
    struct line out = {.width = view->width < 1000 ? view->width : 1000};
    unsigned first, samples;

    if (picture == NULL || picture->texts[0] == NULL) {
        picture_free(picture);
        return error_set(error, "ERROR: no memory for the picture");
    }
    first = picture->columns == 0 || view->first_column < picture->columns ? view->first_column : picture->columns - 1;
    samples = spark_samples(picture, first, out.width);
    put_totals(top, &out);
    line(context, 0, out.text);
    line(context, 1, top->before.places == NULL ? "measuring: rates come with the second reading" : "");
    out.length = (size_t)snprintf(out.text, sizeof(out.text), "%6s %9s%*s", "bit/s",
                                  top->sort_by == CLIENT_FLOWS ? "flow/s" : "packet/s",
                                  samples > 0 ? (int)samples + 1 : 0, "");
    out.columns = (unsigned)out.length;
    if (out.columns < out.width)
        put_cells(picture, 0, first, &out);
    else
        out.text[out.width] = '\0';
    line(context, 2, out.text);
    for (unsigned i = 0; i < picture->rows; i++) {
        put_row(top, picture, view->scroll + i, i, samples, first, &out);
        if (out.width < rate_columns)
            out.text[out.width] = '\0';
        line(context, title_lines + i, out.text);
    }
    picture_free(picture);
    return 0;
}
