/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of the lines. They gather in memory and are appended once per batch, or when the buffer is full; several
 * processes (lanes) may append to the same file, each write ends with a whole line. The path is that of a regular
 * file or of none yet. A line that the disk refuses is counted, and the file is tried again a second later.
 */
#ifndef DISSECT_OUTPUT_H
#define DISSECT_OUTPUT_H

#include "base/error.h"

#define output_line_max 65536

struct output;

/* Opens the file, so that a wrong path is found at the start. The path is copied. NULL on failure. */
struct output *output_new(const char *path, unsigned umask_bits, struct error *error);
void output_free(struct output *output); /* writes what has gathered */

/* One line, without its newline, of at most output_line_max bytes. */
void output_line(struct output *output, const char *text, size_t length);
void output_flush(struct output *output);
/* Writes what has gathered and opens the file again under its name. */
void output_reopen(struct output *output);

uint64_t output_lines(const struct output *output); /* written or gathered */
uint64_t output_lost(const struct output *output);

#endif
