/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a capture file: reading ends, each frame lies in readable memory, and is no longer than it says. Bit 0
 * of the first byte: through a pipe, piece by piece, instead of from a file; both must give the same.
 */
#include "net/frame_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pipe_source {
    const uint8_t *data;
    size_t size, at;
    int fd;
};

/* Asked for more: writes a few bytes, each time another number of them; closes at the end. */
static bool feed(void *context, int fd)
{
    struct pipe_source *source = context;
    size_t piece = min_u64(1 + source->at % 37, source->size - source->at);

    (void)fd;
    if (source->fd < 0)
        return true;
    if (piece > 0 && write(source->fd, source->data + source->at, piece) != (ssize_t)piece)
        abort();
    source->at += piece;
    if (source->at == source->size) {
        close(source->fd);
        source->fd = -1;
    }
    return true;
}

/* The sum of all that is read; *count is how many frames. */
static uint64_t read_frames(struct frame_file *file, uint64_t *count, int *got)
{
    struct error error = {.text = ""};
    struct frame frame;
    uint64_t sum = 0;

    while ((*got = frame_file_next(file, &frame, &error)) == 1 && *count < 100000) {
        if (frame.captured > frame.length)
            abort();
        for (uint32_t i = 0; i < frame.captured; i++)
            sum = sum * 31 + frame.bytes[i];
        sum = sum * 31 + (uint64_t)frame.when_ns + frame.link + frame.direction + frame.length;
        ++*count;
    }
    if ((*got < 0) != (error.text[0] != '\0') || frame_file_counts(file).frames != *count)
        abort();
    return sum;
}

static void read_piped(const uint8_t *data, size_t size, uint64_t want_sum, uint64_t want_count, int want_got)
{
    struct pipe_source source = {.data = data, .size = size};
    struct frame_file *file;
    struct error error;
    uint64_t count = 0;
    char path[32];
    int ends[2], got;

    if (pipe(ends) < 0)
        abort();
    source.fd = ends[1];
    while (source.at < min_u64(size, 64)) /* what opening reads must be there: nobody is asked before */
        feed(&source, -1);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    file = frame_file_open(path, &error);
    if (file == NULL)
        abort();
    frame_file_on_wait(file, feed, &source);
    if (read_frames(file, &count, &got) != want_sum || count != want_count || got != want_got)
        abort();
    frame_file_close(file);
    close(ends[0]);
    if (source.fd >= 0)
        close(source.fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_file *file;
    struct error error;
    uint64_t count = 0, sum;
    char path[32];
    int fd, got;

    if (size < 1)
        return 0;
    fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    file = frame_file_open(path, &error);
    if (file != NULL) {
        sum = read_frames(file, &count, &got);
        frame_file_close(file);
        /* What is packed is opened by more than the first bytes of it. */
        if ((data[0] & 1) && size < 32768 && data[1] != 0x1f && data[1] != 0x28)
            read_piped(data + 1, size - 1, sum, count, got);
    }
    close(fd);
    return 0;
}
