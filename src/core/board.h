/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lane has to tell at length when somebody asks (exporters, templates, sampling ...): a text in shared memory
 * that the lane writes and the supervisor reads. The supervisor orders a new text (PLUGIN_COMMAND_DESCRIBE) and waits
 * for the next number; the lane writes only then, so that nothing is spent on it while nobody asks. Pages are touched
 * as needed.
 */
#ifndef CORE_BOARD_H
#define CORE_BOARD_H

#include "base/base.h"
#include "base/error.h"

#define board_text_max ((size_t)32 << 20)

struct board;

/* Shared with children forked later. NULL with a phrase on failure. */
struct board *board_create(struct error *error);
void board_free(struct board *board);

/* The lane's side: where to write, board_text_max bytes; then the text is shown, `length` bytes of it. */
char *board_text(struct board *board);
void board_show(struct board *board, size_t length);

/* The supervisor's side: the number of the text that is shown, 0: none yet. */
uint64_t board_number(const struct board *board);

/*
 * Waits until the text has another number than `before`, at most `timeout_ms`. Returns the text and its length; NULL
 * when none came in time.
 */
const char *board_wait(const struct board *board, uint64_t before, int timeout_ms, size_t *length);

#endif
