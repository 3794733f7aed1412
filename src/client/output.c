/* SPDX-License-Identifier: BSD-2-Clause */
/* The buffer of output.h. */
#include "client/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

#define output_bytes (256u * 1024)

int output_open(struct output *output, int fd, size_t row_max)
{
    *output = (struct output){.fd = fd, .size = output_bytes + row_max};
    output->buffer = malloc(output->size);
    return output->buffer != NULL ? 0 : -1;
}

static void flush(struct output *output)
{
    if (!output->failed && file_write_all(output->fd, output->buffer, output->used, NULL) < 0)
        output->failed = true;
    output->used = 0;
}

char *output_room(struct output *output, size_t bytes)
{
    if (output->size - output->used < bytes || output->used >= output_bytes)
        flush(output);
    return output->buffer + output->used;
}

void output_text(struct output *output, const char *text, size_t length)
{
    while (length > 0) {
        size_t part = min_u64(length, 4096);

        memcpy(output_room(output, part), text, part);
        output_take(output, part);
        text += part;
        length -= part;
    }
}

void output_printf(struct output *output, const char *format, ...)
{
    char text[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    output_text(output, text, n > 0 ? min_u64((uint64_t)n, sizeof(text) - 1) : 0);
}

int output_close(struct output *output)
{
    flush(output);
    free(output->buffer);
    output->buffer = NULL;
    return output->failed ? -1 : 0;
}
