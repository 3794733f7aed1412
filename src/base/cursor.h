/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way to read bytes that came from outside: a position, an end and a sticky error. A getter that would
 * pass the end returns 0, moves to the end and sets `failed`; every later getter then returns 0 too, so a
 * decoder may read a whole unit and ask once. Network byte order. Nothing is copied but the value; spans point
 * into the input and live as long as it does.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/base.h"

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor cursor_over(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    return (struct cursor){p, p + size, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Takes `size` bytes: returns where they are, or NULL when there are fewer (and fails the cursor). */
static inline const uint8_t *cursor_take(struct cursor *c, size_t size)
{
    const uint8_t *p = c->at;

    if (unlikely(size > cursor_left(c))) {
        c->failed = true;
        c->at = c->end;
        return NULL;
    }
    c->at += size;
    return p;
}

static inline void cursor_skip(struct cursor *c, size_t size)
{
    (void)cursor_take(c, size);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 1);
    return p ? *p : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);
    return p ? host_be16(load_u16(p)) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p ? host_be32(load_u32(p)) : 0;
}

static inline uint64_t cursor_be64(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    return p ? host_be64(load_u64(p)) : 0;
}

/* A cursor over the next `size` bytes, which are taken from `c`. Too few: both are failed and the result is empty. */
static inline struct cursor cursor_sub(struct cursor *c, size_t size)
{
    const uint8_t *p = cursor_take(c, size);
    return p ? (struct cursor){p, p + size, false} : (struct cursor){c->end, c->end, true};
}

#endif
