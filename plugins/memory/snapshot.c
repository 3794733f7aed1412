/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the table's segments and copies; see snapshot.h. Nothing is set to zero before the whole answer has its room.
 */
#include "plugins/memory/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/server.h"
#include "plugins/memory/match.h"

#define status_buckets 32771 /* pmacct's default for imt_buckets, which -t lists one by one */

struct snapshot {
    struct answer *answer;
    const struct layout *layout;
    struct table *table;
    const struct match *match; /* NULL: every row */
    uint16_t flows_offset;     /* 0: no such counter */
    uint8_t *body;             /* of the ROWS frame that is being filled, or NULL */
    size_t filled, body_size;
    uint64_t rows;
};

static bool is_shown(const struct snapshot *snapshot, const uint8_t *row)
{
    uint64_t counters = layout_value(snapshot->layout, row, 0) | layout_value(snapshot->layout, row, 1);

    if (snapshot->flows_offset != 0)
        counters |= load_u64(row + snapshot->flows_offset);
    return counters != 0;
}

static bool is_wanted(const struct snapshot *snapshot, const uint8_t *row)
{
    return is_shown(snapshot, row) && (snapshot->match == NULL || match_row(snapshot->match, row, NULL));
}

static void end_frame(struct snapshot *snapshot)
{
    if (snapshot->body != NULL)
        answer_commit(snapshot->answer, QUERY_ROWS, 0, snapshot->filled);
    snapshot->body = NULL;
    snapshot->filled = 0;
}

/* Copies a run of rows that lie one after another, over as many frames as it takes. */
static bool copy_run(struct snapshot *snapshot, const uint8_t *from, uint64_t rows)
{
    size_t row_bytes = snapshot->layout->body_bytes;

    snapshot->rows += rows;
    while (rows > 0) {
        uint64_t fit;

        if (snapshot->body == NULL)
            snapshot->body = answer_reserve(snapshot->answer, snapshot->body_size);
        if (snapshot->body == NULL)
            return false;
        fit = min_u64(rows, (snapshot->body_size - snapshot->filled) / row_bytes);
        memcpy(snapshot->body + snapshot->filled, from, fit * row_bytes);
        snapshot->filled += fit * row_bytes;
        from += fit * row_bytes;
        rows -= fit;
        if (snapshot->filled + row_bytes > snapshot->body_size)
            end_frame(snapshot);
    }
    return true;
}

static bool copy_segment(struct snapshot *snapshot, const uint8_t *row, uint64_t rows)
{
    size_t row_bytes = snapshot->layout->body_bytes;

    while (rows > 0) {
        uint64_t run = 0;

        while (run < rows && is_wanted(snapshot, row + run * row_bytes))
            run++;
        if (run > 0 && !copy_run(snapshot, row, run))
            return false;
        run += run < rows; /* the one that ended the run is not wanted */
        row += run * row_bytes;
        rows -= run;
    }
    return true;
}

static bool copy_rows(struct snapshot *snapshot)
{
    const uint8_t *others = table_others(snapshot->table);
    uint64_t rows;
    uint8_t *first;

    for (unsigned s = 0; (rows = table_segment(snapshot->table, s, &first)) > 0; s++)
        if (!copy_segment(snapshot, first, rows))
            return false;
    end_frame(snapshot);
    if (others != NULL && snapshot->match == NULL && is_shown(snapshot, others)) {
        uint8_t *body = answer_reserve(snapshot->answer, snapshot->layout->body_bytes);

        if (body == NULL)
            return false;
        memcpy(body, others, snapshot->layout->body_bytes);
        answer_commit(snapshot->answer, QUERY_ROWS, query_rows_others, snapshot->layout->body_bytes);
        snapshot->rows++;
    }
    return true;
}

static bool copy_strings(struct snapshot *snapshot)
{
    const struct intern *intern = table_intern(snapshot->table);
    uint32_t count = intern_count(intern), id = 1;

    while (id <= count && snapshot->layout->string_count > 0) {
        uint8_t *body = answer_reserve(snapshot->answer, frame_body_max);
        size_t filled = query_strings_header_bytes;
        uint32_t first = id;

        if (body == NULL)
            return false;
        for (; id <= count; id++) {
            uint32_t length;
            const char *text = intern_get(intern, id, &length);

            if (filled + 2 + length > frame_body_max)
                break;
            store_be16(body + filled, (uint16_t)length);
            memcpy(body + filled + 2, text, length);
            filled += 2 + length;
        }
        store_be32(body, first);
        store_be32(body + 4, id - first);
        answer_commit(snapshot->answer, QUERY_STRINGS, 0, filled);
    }
    return true;
}

static bool copy_layout(struct snapshot *snapshot)
{
    uint8_t *body = answer_reserve(snapshot->answer, frame_body_max);

    if (body == NULL)
        return false;
    answer_commit(snapshot->answer, QUERY_LAYOUT, 0, query_layout_write(snapshot->layout, body));
    return true;
}

static void reset_matches(struct snapshot *snapshot)
{
    size_t row_bytes = snapshot->layout->body_bytes;
    uint64_t rows;
    uint8_t *row;

    for (unsigned s = 0; (rows = table_segment(snapshot->table, s, &row)) > 0; s++)
        for (; rows > 0; rows--, row += row_bytes)
            if (match_row(snapshot->match, row, NULL))
                memset(row + snapshot->layout->key_bytes, 0, 8 * (size_t)snapshot->layout->value_count);
}

static void answer_rows(struct snapshot *snapshot)
{
    if (!copy_layout(snapshot) || !copy_strings(snapshot) || !copy_rows(snapshot))
        snapshot->answer->failed = true;
}

static void answer_counters(struct snapshot *snapshot, unsigned query_count)
{
    struct match_sum *sums = calloc(query_count, sizeof(*sums));
    size_t row_bytes = snapshot->layout->body_bytes;
    uint8_t *row, *body;
    uint64_t rows;

    if (sums == NULL) {
        snapshot->answer->failed = true;
        return;
    }
    for (unsigned s = 0; (rows = table_segment(snapshot->table, s, &row)) > 0; s++)
        for (; rows > 0; rows--, row += row_bytes)
            if (is_shown(snapshot, row) && match_row(snapshot->match, row, sums))
                snapshot->rows++;
    /* queries_max sums fit in one frame */
    body = answer_reserve(snapshot->answer, query_count * (size_t)query_counts_bytes);
    for (unsigned i = 0; body != NULL && i < query_count; i++) {
        store_be64(body + i * (size_t)query_counts_bytes, sums[i].packets);
        store_be64(body + i * (size_t)query_counts_bytes + 8, sums[i].bytes);
        store_be64(body + i * (size_t)query_counts_bytes + 16, sums[i].flows);
        store_be64(body + i * (size_t)query_counts_bytes + 24, sums[i].rows);
    }
    if (body != NULL)
        answer_commit(snapshot->answer, QUERY_COUNTS, 0, query_count * (size_t)query_counts_bytes);
    free(sums);
}

/* pmacct lists its hash table bucket by bucket. Ours has none; this is how its rows fall on as many as pmacct has. */
static void answer_status(struct snapshot *snapshot)
{
    struct hash_seed seed = hash_seed_new();
    uint16_t *buckets = calloc(status_buckets, sizeof(*buckets));
    char line[8192];
    size_t length;
    uint64_t rows;
    uint8_t *row;

    if (buckets == NULL) {
        snapshot->answer->failed = true;
        return;
    }
    for (unsigned s = 0; (rows = table_segment(snapshot->table, s, &row)) > 0; s++)
        for (; rows > 0; rows--, row += snapshot->layout->body_bytes) {
            uint16_t *bucket = &buckets[hash_words(row, snapshot->layout->key_bytes / 8, seed) % status_buckets];

            *bucket = (uint16_t)(*bucket + (*bucket < UINT16_MAX));
        }
    length = (size_t)snprintf(line, sizeof(line), "* = element\n\nBUCKET\tCHAIN_STATUS\n");
    for (unsigned i = 0; i < status_buckets; i++) {
        unsigned stars = (unsigned)min_u64(buckets[i], 2048); /* a longer line tells nobody more */

        if (length + 16 + stars > sizeof(line)) {
            answer_text(snapshot->answer, line, length);
            length = 0;
        }
        length += (size_t)snprintf(line + length, 16, "%u\t", i);
        memset(line + length, '*', stars);
        length += stars;
        line[length++] = '\n';
    }
    answer_text(snapshot->answer, line, length);
    free(buckets);
}

static void finish(struct snapshot *snapshot)
{
    uint8_t body[query_end_bytes];

    store_be64(body, snapshot->rows);
    store_be64(body + 8, table_merged(snapshot->table));
    server_answer_end(snapshot->answer, body, sizeof(body));
}

bool snapshot_answer(struct answer *answer, const struct frame_request *request, const uint8_t *body,
                     const struct layout *layout, struct table *table)
{
    const struct layout_slot *flows = layout_find(layout, FIELD_FLOWS);
    struct snapshot snapshot = {.answer = answer, .layout = layout, .table = table};
    struct query_match query = {.values = NULL};
    struct error error = {""};
    struct match *match = NULL;
    bool cleared = false;

    snapshot.flows_offset = flows != NULL ? flows->offset : 0;
    snapshot.body_size = frame_body_max / layout->body_bytes * (size_t)layout->body_bytes;
    if (request->command == QUERY_MATCH || request->command == QUERY_COUNTERS) {
        if (query_match_read(&query, body, request->body_bytes, &error) == 0)
            match = match_new(&query, layout, table_intern(table), &error);
        if (match == NULL) {
            answer_error(answer, "%s", error.text);
            goto out;
        }
        snapshot.match = match;
    }
    if (request->command == QUERY_COUNTERS)
        answer_counters(&snapshot, query.query_count);
    else if (request->command == QUERY_STATUS)
        answer_status(&snapshot);
    else if (request->command == QUERY_COLUMNS)
        copy_layout(&snapshot);
    else
        answer_rows(&snapshot);
    finish(&snapshot);
    if (answer->failed)
        goto out;
    cleared = (request->flags & query_clear) != 0;
    if (cleared || ((request->flags & query_reset) && match == NULL))
        table_clear(table);
    else if (request->flags & query_reset)
        reset_matches(&snapshot);
out:
    match_free(match);
    query_match_free(&query);
    return cleared;
}
