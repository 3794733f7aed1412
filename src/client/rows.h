/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An answer that carries rows, as the client takes it in: layout first, then texts, then rows frame by frame, END
 * last. Everything is checked here, so that those who walk rows may trust a row's length and alignment.
 */
#ifndef CLIENT_ROWS_H
#define CLIENT_ROWS_H

#include "client/connection.h"
#include "plugins/common/query.h"

struct rows {
    struct layout layout;
    bool have_layout;
    unsigned unknown;       /* fields that the daemon has and this client does not know */
    struct intern *intern;
    uint64_t merged;        /* records in "others" */
};

int rows_open(struct rows *rows, struct error *error);
void rows_close(struct rows *rows);

/*
 * Takes one frame. 1: it holds rows; *first and *count say where. 0: it was something else. -1: it makes no sense.
 */
int rows_take(struct rows *rows, const struct answer_frame *frame, const uint8_t **first, uint64_t *count,
              struct error *error);

/* The next rows of the answer: 1, or 0 at its good end, or -1. */
int rows_next(struct rows *rows, struct connection *connection, const uint8_t **first, uint64_t *count,
              struct error *error);

#endif
