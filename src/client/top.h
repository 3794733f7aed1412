/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pmacct top`: the rows of a memory table by what they carry now. Samples of the whole table are taken some seconds
 * apart; a rate is the difference of two. Text only: screen.c puts it on a terminal, top_batch on standard output.
 */
#ifndef CLIENT_TOP_H
#define CLIENT_TOP_H

#include "client/options.h"
#include "client/rows.h"

#define top_history 12 /* samples in a sparkline */

struct top_entry {
    uint64_t packets, bytes, flows;                /* totals of the table */
    double packet_rate, byte_rate, flow_rate;      /* per second, over the last interval */
    float history[top_history];                    /* byte rates, the newest last */
};

/* One sample: rows, their entries, an index by key. */
struct top_sample {
    struct rows rows;
    int64_t when_ns; /* monotonic */
    uint8_t *bodies;
    struct top_entry *entries;
    uint64_t count, room;
    uint32_t *places;
    uint64_t mask;
};

struct top {
    const char *path;
    struct top_sample now, before;
    enum client_counter sort_by;
    uint32_t *order; /* rows with a rate, the highest first */
    uint64_t order_count;
    double packet_rate, byte_rate; /* of all rows */
    bool utf8;
};

int top_open(struct top *top, const struct client_options *options);
void top_close(struct top *top);

/* Takes a sample and computes the rates since the one before. -1 with a phrase: the old sample stays. */
int top_take(struct top *top, struct error *error);
/* Puts the rows in the order of `sort_by` again. */
int top_sort(struct top *top);

/* What of it is seen: rows from `scroll` on, columns of the key from `first_column` on. */
struct top_view {
    unsigned width, height;
    uint64_t scroll;
    unsigned first_column;
};

/*
 * The picture as lines of up to `width` columns: totals, titles, then up to `height` - 3 rows. Calls `line` for each,
 * with a number from 0.
 */
int top_render(const struct top *top, const struct top_view *view,
               void (*line)(void *context, unsigned number, const char *text), void *context, struct error *error);

/* The two ways to run it; exit status. */
int top_batch(const struct client_options *options);
int screen_run(const struct client_options *options);

#endif
