/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/frame_file.h"

#include <stdlib.h>

#include "net/capture_format.h"

#define piece_bytes (128 * 1024) /* fits the second-level cache, where the data is read again */
#define alignment 4096           /* at odd places of a page the kernel copies three times slower */

/* What does not fit a piece goes before it, with the beginning that has been read already. */
#define room_bytes align_up(capture_format_block_max, alignment)

struct frame_file {
    uint8_t *at, *end; /* read and not yet given, within `memory` */
    struct capture_format format;
    uint64_t frames;
    struct compressed *content;
    uint8_t *memory; /* room, then the piece that is read at once */
};

/*
 * Reads on until `size` bytes are at file->at, at most room_bytes: 1. 0 at the end of the file, with fewer; -1 when it
 * cannot be read or unpacked.
 */
static int fill(struct frame_file *file, size_t size)
{
    uint8_t *piece = file->memory + room_bytes;
    const uint8_t *limit = piece + piece_bytes;

    while ((size_t)(file->end - file->at) < size) {
        ssize_t count;

        if (file->end == limit) {
            size_t left = (size_t)(file->end - file->at);

            memmove(piece - left, file->at, left);
            file->at = piece - left;
            file->end = piece;
        }
        count = compressed_read(file->content, file->end, (size_t)(limit - file->end));
        if (count <= 0)
            return (int)count;
        file->end += count;
    }
    return 1;
}

static inline int have(struct frame_file *file, size_t size)
{
    return likely((size_t)(file->end - file->at) >= size) ? 1 : fill(file, size);
}

/* Passes over bytes that nobody looks at. Returns as fill does. */
static int pass(struct frame_file *file, uint64_t size)
{
    for (;;) {
        size_t step = min_u64(size, (size_t)(file->end - file->at));
        int got;

        file->at += step;
        size -= step;
        if (size == 0)
            return 1;
        got = fill(file, 1);
        if (got <= 0)
            return got;
    }
}

static int broken(const struct frame_file *file, struct error *error)
{
    return error_wrap(error, "the capture is broken after frame %llu", (unsigned long long)file->frames);
}

/* What there is to say when the file went no further, within `what` or (NULL) where it may end. */
static int no_more(const struct frame_file *file, int got, const char *what, struct error *error)
{
    if (got == 0 && what == NULL)
        return 0;
    error_set(error, "%s%s", got < 0 ? compressed_trouble(file->content) : "the file ends within ",
              got < 0 ? "" : what);
    return broken(file, error);
}

struct frame_file *frame_file_over(struct compressed *content, struct error *error)
{
    struct frame_file *file = calloc(1, sizeof(*file));
    int bytes;

    if (file != NULL)
        file->memory = aligned_alloc(alignment, room_bytes + piece_bytes);
    if (file == NULL || file->memory == NULL) {
        error_set(error, "out of memory");
        free(file);
        return NULL;
    }
    file->content = content;
    file->at = file->memory + room_bytes + piece_bytes;
    file->end = file->at;
    if (fill(file, capture_format_head_bytes) < 0) {
        bytes = error_set(error, "%s", compressed_trouble(content));
    } else {
        bytes = capture_format_begin(&file->format, file->at, (size_t)(file->end - file->at), error);
    }
    if (bytes < 0) {
        file->content = NULL;
        frame_file_close(file);
        return NULL;
    }
    file->at += bytes;
    return file;
}

struct frame_file *frame_file_open(const char *path, struct error *error)
{
    struct compressed *content = compressed_open(path, error);
    struct frame_file *file;
    uint8_t first;
    int size;

    if (content == NULL)
        return NULL;
    size = compressed_peek(content, &first, 1, error);
    file = size > 0 ? frame_file_over(content, error) : NULL;
    if (size == 0)
        error_set(error, "'%s' is empty", path);
    else if (file == NULL)
        error_wrap(error, "'%s' is no capture that can be read", path);
    if (file == NULL)
        compressed_close(content);
    return file;
}

void frame_file_close(struct frame_file *file)
{
    if (file == NULL)
        return;
    capture_format_free(&file->format);
    compressed_close(file->content);
    free(file->memory);
    free(file);
}

void frame_file_on_wait(struct frame_file *file, compressed_wait_fn *fn, void *context)
{
    compressed_on_wait(file->content, fn, context);
}

static int too_long(const struct frame_file *file, const struct frame *frame, struct error *error)
{
    error_set(error, "a frame of %u captured bytes; %u are possible", frame->captured, capture_format_frame_max);
    return broken(file, error);
}

/* Not inlined, as next_block: the usual frame is not to pay for what these need of the processor. */
static __attribute__((noinline)) int next_record(struct frame_file *file, struct frame *frame, struct error *error)
{
    const uint32_t record_bytes = file->format.record_bytes;
    int got = have(file, record_bytes);

    if (unlikely(got <= 0))
        return no_more(file, got, file->at != file->end ? "the header of a frame" : NULL, error);
    if (unlikely(!capture_format_record(&file->format, file->at, frame)))
        return too_long(file, frame, error);
    got = have(file, record_bytes + frame->captured);
    if (unlikely(got <= 0))
        return no_more(file, got, "a frame", error);
    frame->bytes = file->at + record_bytes;
    file->at += record_bytes + frame->captured;
    file->frames++;
    return 1;
}

static __attribute__((noinline)) int next_block(struct frame_file *file, struct frame *frame, struct error *error)
{
    struct capture_block block;
    int got;

    for (;;) { /* each round takes a block */
        got = have(file, capture_format_block_head_bytes);
        if (unlikely(got <= 0))
            return no_more(file, got, file->at != file->end ? "the header of a block" : NULL, error);
        if (unlikely(capture_format_block(&file->format, file->at, &block, error) < 0))
            return broken(file, error);
        got = block.wanted ? have(file, block.bytes) : pass(file, block.bytes);
        if (unlikely(got <= 0))
            return no_more(file, got, "a block", error);
        if (!block.wanted)
            continue;
        got = capture_format_take(&file->format, &block, file->at, frame, error);
        if (unlikely(got < 0))
            return broken(file, error);
        file->at += block.bytes;
        file->frames += (unsigned)got;
        if (got > 0)
            return 1;
    }
}

int frame_file_next(struct frame_file *file, struct frame *frame, struct error *error)
{
    const uint32_t record_bytes = file->format.record_bytes;
    const size_t left = (size_t)(file->end - file->at);

    if (unlikely(file->format.blocks))
        return next_block(file, frame, error);
    if (unlikely(left < record_bytes || !capture_format_record(&file->format, file->at, frame) ||
                 left - record_bytes < frame->captured))
        return next_record(file, frame, error);
    frame->bytes = file->at + record_bytes;
    file->at += record_bytes + frame->captured;
    file->frames++;
    return 1;
}

struct frame_file_counts frame_file_counts(const struct frame_file *file)
{
    return (struct frame_file_counts){
        .frames = file->frames,
        .bytes_read = compressed_taken(file->content),
        .bytes_total = compressed_total(file->content),
    };
}
