/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Following a 32-bit sequence that counts by one, modulo 2^32: what the next number says about the ones before it. A
 * window of 64 remembers which of the last numbers came, so that a late one is told from one that came twice and a gap
 * that closes again is not called a loss.
 */
#ifndef DECODE_SEQUENCE_H
#define DECODE_SEQUENCE_H

#include "base/base.h"

#define sequence_window 64

struct sequence {
    uint32_t next;   /* the number expected */
    uint64_t window; /* bit i: number next-1-i was seen, or lies before the start */
};

enum sequence_event {
    SEQUENCE_IN_ORDER,
    SEQUENCE_GAP,       /* numbers are missing before this one */
    SEQUENCE_LATE,      /* this one had been missing */
    SEQUENCE_REPEATED,  /* inside the window and seen before */
    SEQUENCE_RESTARTED  /* far behind: it began anew, and is followed from here */
};

/* Begins to follow at `number`. What came before it is nobody's loss. */
static inline void sequence_start(struct sequence *sequence, uint32_t number)
{
    sequence->next = number + 1;
    sequence->window = ~UINT64_C(0);
}

/* Takes the next number; *missing gets the size of a gap, else it stays as it is. */
static inline enum sequence_event sequence_follow(struct sequence *sequence, uint32_t number, uint32_t *missing)
{
    uint32_t ahead = number - sequence->next;

    if (likely(ahead == 0)) {
        sequence->next++;
        sequence->window = sequence->window << 1 | 1;
        return SEQUENCE_IN_ORDER;
    }
    if (ahead <= INT32_MAX) {
        *missing = ahead;
        sequence->window = ahead + 1 < sequence_window ? sequence->window << (ahead + 1) | 1 : 1;
        sequence->next = number + 1;
        return SEQUENCE_GAP;
    }

    uint32_t behind = sequence->next - 1 - number; /* 0: the one seen last */
    if (behind >= sequence_window) {
        sequence_start(sequence, number);
        return SEQUENCE_RESTARTED;
    }
    uint64_t bit = UINT64_C(1) << behind;
    if (sequence->window & bit)
        return SEQUENCE_REPEATED;
    sequence->window |= bit;
    return SEQUENCE_LATE;
}

#endif
