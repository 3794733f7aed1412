/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of blocks of answer.h. Small answers take one small block; large ones blocks that are cheap to map. */
#include "base/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define block_small (64u * 1024)
#define block_large (4096u * 1024)

struct answer_block {
    struct answer_block *next;
    size_t size;       /* of the mapping */
    size_t start, end; /* what waits, counted from the mapping's start */
};

#define block_header align_up(sizeof(struct answer_block), (size_t)64)

void answer_init(struct answer *answer, uint64_t bytes_limit)
{
    *answer = (struct answer){.bytes_limit = bytes_limit};
}

static void drop_first(struct answer *answer)
{
    struct answer_block *block = answer->first;

    answer->first = block->next;
    if (answer->first == NULL)
        answer->last = NULL;
    munmap(block, block->size);
}

void answer_discard(struct answer *answer)
{
    while (answer->first != NULL)
        drop_first(answer);
    answer->bytes = 0;
    answer->failed = false;
}

static struct answer_block *add_block(struct answer *answer, size_t need)
{
    size_t size = answer->first == NULL && need <= block_small - block_header ? block_small : block_large;
    struct answer_block *block;

    if (size < need + block_header)
        size = align_up(need + block_header, (size_t)block_small);
    block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    if (size >= block_large)
        madvise(block, size, MADV_HUGEPAGE); /* a wish: fewer faults while a table is copied */
    block->size = size;
    block->start = block->end = block_header;
    if (answer->last != NULL)
        answer->last->next = block;
    else
        answer->first = block;
    answer->last = block;
    return block;
}

uint8_t *answer_reserve(struct answer *answer, size_t body_max)
{
    struct answer_block *block = answer->last;
    size_t need = frame_bytes(body_max);

    if (answer->failed || answer->bytes + need > answer->bytes_limit) {
        answer->failed = true;
        return NULL;
    }
    if (block == NULL || block->size - block->end < need)
        block = add_block(answer, need);
    if (block == NULL) {
        answer->failed = true;
        return NULL;
    }
    return (uint8_t *)block + block->end + frame_header_bytes;
}

void answer_commit(struct answer *answer, uint16_t type, uint16_t flags, size_t body_bytes)
{
    struct answer_block *block = answer->last;
    uint8_t *at = (uint8_t *)block + block->end;

    frame_header_put(at, type, flags, (uint32_t)body_bytes);
    memset(at + frame_header_bytes + body_bytes, 0, frame_bytes(body_bytes) - frame_header_bytes - body_bytes);
    block->end += frame_bytes(body_bytes);
    answer->bytes += frame_bytes(body_bytes);
}

void answer_text(struct answer *answer, const char *text, size_t length)
{
    while (length > 0) {
        size_t part = min_u64(length, frame_body_max);
        uint8_t *body = answer_reserve(answer, part);

        if (body == NULL)
            return;
        memcpy(body, text, part);
        answer_commit(answer, FRAME_TEXT, 0, part);
        text += part;
        length -= part;
    }
}

void answer_error(struct answer *answer, const char *format, ...)
{
    char phrase[sizeof(((struct error *)0)->text)];
    uint8_t *body;
    va_list args;

    va_start(args, format);
    vsnprintf(phrase, sizeof(phrase), format, args);
    va_end(args);
    answer_discard(answer);
    answer->refused = true;
    answer->bytes_limit = max_u64(answer->bytes_limit, block_small); /* there is always room for a refusal */
    body = answer_reserve(answer, strlen(phrase));
    if (body == NULL)
        return;
    memcpy(body, phrase, strlen(phrase));
    answer_commit(answer, FRAME_ERROR, 0, strlen(phrase));
}

int answer_send(struct answer *answer, int fd)
{
    while (answer->first != NULL) {
        struct answer_block *block = answer->first;
        ssize_t sent;

        if (block->start == block->end) {
            drop_first(answer);
            continue;
        }
        sent = send(fd, (uint8_t *)block + block->start, block->end - block->start, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        block->start += (size_t)sent;
        answer->bytes -= (uint64_t)sent;
    }
    return 1;
}

size_t answer_copy(const struct answer *answer, uint8_t *out, size_t size)
{
    size_t length = 0;

    for (const struct answer_block *block = answer->first; block != NULL; block = block->next) {
        size_t part = min_u64(block->end - block->start, size - length);

        memcpy(out + length, (const uint8_t *)block + block->start, part);
        length += part;
    }
    return length;
}
