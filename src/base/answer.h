/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server has to say to one client and the socket has not taken yet: frames in a queue of mapped blocks, each
 * given back as soon as it is sent. A handler writes its whole answer at one moment, which makes the answer a
 * snapshot, and the socket takes it as fast as the client reads.
 */
#ifndef BASE_ANSWER_H
#define BASE_ANSWER_H

#include "base/frame.h"

struct answer_block;

struct answer {
    struct answer_block *first, *last;
    uint64_t bytes;       /* waiting */
    uint64_t bytes_limit; /* more is refused */
    bool refused;         /* it is an ERROR */
    bool failed;          /* a frame had no room; the answer must become an error */
};

void answer_init(struct answer *answer, uint64_t bytes_limit);
/* Forgets everything that waits and the failure. */
void answer_discard(struct answer *answer);

/*
 * Room for a frame with up to `body_max` bytes: where its body goes, 8-aligned, or NULL (and `failed`) when the limit
 * or the memory is reached. Nothing is taken until answer_commit says how long the body became.
 */
uint8_t *answer_reserve(struct answer *answer, size_t body_max);
void answer_commit(struct answer *answer, uint16_t type, uint16_t flags, size_t body_bytes);

/* A text of any length, in TEXT frames. */
void answer_text(struct answer *answer, const char *text, size_t length);
/* Replaces what waits by an ERROR with one phrase. */
void answer_error(struct answer *answer, const char *format, ...) printf_like(2, 3);

/* Sends what the socket takes. 1: all is sent; 0: the socket is full; -1: the client is gone. */
int answer_send(struct answer *answer, int fd);

/* What waits, as one run of bytes, for tests. Returns its length, cut at `size`; nothing is taken. */
size_t answer_copy(const struct answer *answer, uint8_t *out, size_t size);

#endif
