/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of QUERY_TABLE and QUERY_MATCH, checked; see rows.h. */
#include "client/rows.h"

#include "base/cursor.h"

int rows_open(struct rows *rows, struct error *error)
{
    memset(rows, 0, sizeof(*rows));
    rows->intern = intern_new();
    return rows->intern != NULL ? 0 : error_set(error, "ERROR: out of memory");
}

void rows_close(struct rows *rows)
{
    intern_free(rows->intern);
    rows->intern = NULL;
}

int rows_take(struct rows *rows, const struct answer_frame *frame, const uint8_t **first, uint64_t *count,
              struct error *error)
{
    struct cursor c = cursor_over(frame->body, frame->body_bytes);

    switch (frame->type) {
    case QUERY_LAYOUT:
        if (rows->have_layout)
            return error_set(error, "a second layout in the answer");
        rows->have_layout = true;
        return query_layout_read(&rows->layout, frame->body, frame->body_bytes, &rows->unknown, error);
    case QUERY_STRINGS:
        return query_strings_read(rows->intern, frame->body, frame->body_bytes, error);
    case QUERY_ROWS:
        if (!rows->have_layout || frame->body_bytes % rows->layout.body_bytes != 0)
            return error_set(error, "rows in the answer that do not fit its layout");
        *first = frame->body;
        *count = frame->body_bytes / rows->layout.body_bytes;
        return 1;
    case FRAME_END:
        (void)cursor_be64(&c);
        rows->merged = cursor_be64(&c);
        return rows->have_layout ? 0 : error_set(error, "an answer without a layout");
    default:
        return 0; /* a later version may say more */
    }
}

int rows_next(struct rows *rows, struct connection *connection, const uint8_t **first, uint64_t *count,
              struct error *error)
{
    struct answer_frame frame;
    int more, taken;

    do {
        more = connection_next(connection, &frame, error);
        if (more < 0)
            return -1;
        taken = rows_take(rows, &frame, first, count, error);
        if (taken < 0)
            return error_wrap(error, "ERROR");
    } while (more > 0 && taken == 0);
    return taken;
}
