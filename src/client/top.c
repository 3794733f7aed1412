/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples, rates and their order; see top.h. top_render.c makes the text. */
#include "client/top.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "client/show.h"

/* Keys come from the network through the daemon; the seed is this process's. */
static struct hash_seed key_seed;

int top_open(struct top *top, const struct client_options *options)
{
    setlocale(LC_CTYPE, "");
    key_seed = hash_seed_new();
    *top = (struct top){.path = options->path,
                        .sort_by = options->counter == CLIENT_ALL ? CLIENT_BYTES : options->counter};
    top->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return 0;
}

static void sample_free(struct top_sample *sample)
{
    rows_close(&sample->rows);
    free(sample->bodies);
    free(sample->entries);
    free(sample->places);
    memset(sample, 0, sizeof(*sample));
}

void top_close(struct top *top)
{
    sample_free(&top->now);
    sample_free(&top->before);
    free(top->order);
    top->order = NULL;
}

static int keep(struct top_sample *sample, const uint8_t *first, uint64_t count)
{
    size_t row_bytes = sample->rows.layout.body_bytes;

    if (sample->count + count > UINT32_MAX / 2)
        return -1;
    if (sample->count + count > sample->room) {
        uint64_t room = max_u64(sample->room * 2, sample->count + count);
        uint8_t *more = realloc(sample->bodies, room * row_bytes);

        if (more == NULL)
            return -1;
        sample->bodies = more;
        sample->room = room;
    }
    memcpy(sample->bodies + sample->count * row_bytes, first, count * row_bytes);
    sample->count += count;
    return 0;
}

static uint32_t *find_place(const struct top_sample *sample, const uint8_t *key)
{
    size_t key_bytes = sample->rows.layout.key_bytes, row_bytes = sample->rows.layout.body_bytes;
    uint64_t at = hash_words(key, key_bytes / 8, key_seed) & sample->mask;

    for (;; at = (at + 1) & sample->mask) {
        uint32_t entry = sample->places[at];

        if (entry == 0 || memcmp(sample->bodies + (entry - 1) * row_bytes, key, key_bytes) == 0)
            return &sample->places[at];
    }
}

static int index_rows(struct top_sample *sample)
{
    const struct layout_slot *flows = layout_find(&sample->rows.layout, FIELD_FLOWS);
    size_t row_bytes = sample->rows.layout.body_bytes;
    uint64_t size = 16;

    while (size < sample->count * 2)
        size *= 2;
    sample->mask = size - 1;
    sample->places = calloc(size, sizeof(*sample->places));
    sample->entries = calloc(max_u64(sample->count, 1), sizeof(*sample->entries));
    if (sample->places == NULL || sample->entries == NULL)
        return -1;
    for (uint64_t i = 0; i < sample->count; i++) {
        const uint8_t *row = sample->bodies + i * row_bytes;

        *find_place(sample, row) = (uint32_t)i + 1;
        sample->entries[i].packets = layout_value(&sample->rows.layout, row, 0);
        sample->entries[i].bytes = layout_value(&sample->rows.layout, row, 1);
        sample->entries[i].flows = flows != NULL ? load_u64(row + flows->offset) : 0;
    }
    return 0;
}

static int read_sample(const char *path, struct top_sample *sample, struct error *error)
{
    struct connection connection = {.fd = -1};
    const uint8_t *first;
    uint64_t count;
    int more = -1;

    if (rows_open(&sample->rows, error) < 0)
        return -1;
    if (connection_open(&connection, path, error) == 0 &&
        connection_ask(&connection, QUERY_TABLE, 0, NULL, 0, error) == 0) {
        while ((more = rows_next(&sample->rows, &connection, &first, &count, error)) > 0)
            if (keep(sample, first, count) < 0) {
                more = error_set(error, "ERROR: no memory for so many rows");
                break;
            }
    }
    sample->when_ns = time_monotonic_ns();
    connection_close(&connection);
    if (more == 0 && index_rows(sample) < 0)
        more = error_set(error, "ERROR: no memory for so many rows");
    return more;
}

/* A total that went down was cleared or reset meanwhile: what is there now has come since. */
static double rate(uint64_t now, uint64_t before, double seconds)
{
    return (double)(now >= before ? now - before : now) / seconds;
}

static void compute_rates(struct top *top)
{
    struct top_sample *now = &top->now;
    const struct top_sample *before = &top->before;
    bool comparable = before->places != NULL && before->rows.layout.fingerprint == now->rows.layout.fingerprint &&
                      before->rows.layout.key_bytes == now->rows.layout.key_bytes;
    double seconds = (double)max_u64((uint64_t)(now->when_ns - before->when_ns), 1) / (double)time_second_ns;

    top->packet_rate = top->byte_rate = 0;
    for (uint64_t i = 0; comparable && i < now->count; i++) {
        struct top_entry *entry = &now->entries[i];
        uint32_t place = *find_place(before, now->bodies + i * now->rows.layout.body_bytes);
        static const struct top_entry none;
        const struct top_entry *old = place != 0 ? &before->entries[place - 1] : &none;

        entry->packet_rate = rate(entry->packets, old->packets, seconds);
        entry->byte_rate = rate(entry->bytes, old->bytes, seconds);
        entry->flow_rate = rate(entry->flows, old->flows, seconds);
        memcpy(entry->history, old->history + 1, sizeof(entry->history) - sizeof(entry->history[0]));
        entry->history[top_history - 1] = (float)entry->byte_rate;
        top->packet_rate += entry->packet_rate;
        top->byte_rate += entry->byte_rate;
    }
}

int top_take(struct top *top, struct error *error)
{
    struct top_sample fresh = {.count = 0};

    if (read_sample(top->path, &fresh, error) < 0) {
        sample_free(&fresh);
        return -1;
    }
    sample_free(&top->before);
    top->before = top->now;
    top->now = fresh;
    compute_rates(top);
    return top_sort(top) < 0 ? error_set(error, "ERROR: out of memory") : 0;
}

static double rate_of(const struct top_entry *entry, enum client_counter by)
{
    return by == CLIENT_PACKETS ? entry->packet_rate : by == CLIENT_FLOWS ? entry->flow_rate : entry->byte_rate;
}

static int higher_first(const void *a, const void *b, void *context)
{
    const struct top *top = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    double x = rate_of(&top->now.entries[i], top->sort_by), y = rate_of(&top->now.entries[j], top->sort_by);

    if (x < y || x > y)
        return x < y ? 1 : -1;
    return i < j ? -1 : i > j;
}

int top_sort(struct top *top)
{
    free(top->order);
    top->order = malloc(max_u64(top->now.count, 1) * sizeof(*top->order));
    top->order_count = 0;
    if (top->order == NULL)
        return -1;
    for (uint64_t i = 0; i < top->now.count; i++)
        if (rate_of(&top->now.entries[i], top->sort_by) > 0)
            top->order[top->order_count++] = (uint32_t)i;
    qsort_r(top->order, top->order_count, sizeof(*top->order), higher_first, top);
    return 0;
}

static void print_line(void *context, unsigned number, const char *text)
{
    (void)context;
    (void)number;
    printf("%s\n", text);
}

int top_batch(const struct client_options *options)
{
    const struct timespec pause = {.tv_sec = options->top_seconds};
    const struct top_view view = {.width = 200, .height = 24};
    struct error error = {""};
    struct top top;
    int result = 0;

    top_open(&top, options);
    result = top_take(&top, &error);
    for (unsigned frame = 0; frame < options->top_frames && result == 0; frame++) {
        fflush(stdout);
        nanosleep(&pause, NULL);
        result = top_take(&top, &error);
        if (result == 0)
            result = top_render(&top, &view, print_line, NULL, &error);
        if (result == 0)
            printf("\n");
    }
    top_close(&top);
    if (result == 0 && fflush(stdout) != 0)
        result = error_set(&error, "ERROR: cannot write the answer");
    return result < 0 ? show_failure(error.text) : 0;
}
