/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard output through one large buffer, with plain write(2): rows are formatted straight into it. */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include "base/base.h"

struct output {
    int fd;
    bool failed; /* the reader is gone or the disk is full: nothing more is written */
    char *buffer;
    size_t used, size;
};

/* Room for `row_max` bytes at a time at least. 0 or -1 when out of memory. */
int output_open(struct output *output, int fd, size_t row_max);
/* Where the next `bytes` go (at most row_max); output_take says how many were written there. */
char *output_room(struct output *output, size_t bytes);
static inline void output_take(struct output *output, size_t bytes)
{
    output->used += bytes;
}
void output_text(struct output *output, const char *text, size_t length);
void output_printf(struct output *output, const char *format, ...) printf_like(2, 3);
/* Writes what is left and frees the buffer. -1 when anything could not be written. */
int output_close(struct output *output);

#endif
