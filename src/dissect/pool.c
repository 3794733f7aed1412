/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/pool.h"

#include <stdlib.h>

/* Sixteen steps of 64 bytes to 1 KiB, then four to each doubling: 1280, 1536, 1792, 2048, 2560 ... 2 MiB. */
#define step_bytes 64
#define steps 16

struct pool_block {
    struct pool_block *next;
};

static size_t class_bytes(unsigned class)
{
    return class < steps ? (size_t)(class + 1) * step_bytes : (size_t)(5 + class % 4) << ((class - steps) / 4 + 8);
}

static unsigned class_of(size_t bytes)
{
    unsigned last, quarter;

    if (bytes <= step_bytes)
        return 0;
    if (bytes <= step_bytes * steps)
        return (unsigned)((bytes - 1) / step_bytes);
    last = 63 - (unsigned)__builtin_clzll(bytes - 1); /* the highest bit, 10 and more; the next two tell the quarter */
    quarter = (unsigned)((bytes - 1) >> (last - 2)) & 3;
    return steps + (last - 10) * 4 + quarter;
}

void pool_start(struct pool *pool, uint64_t limit_bytes)
{
    *pool = (struct pool){.limit = limit_bytes};
}

void pool_stop(struct pool *pool)
{
    for (unsigned i = 0; i < pool_classes; i++) {
        while (pool->lists[i] != NULL) {
            struct pool_block *block = pool->lists[i];

            pool->lists[i] = block->next;
            free(block);
        }
    }
    pool->kept = 0;
}

/* Gives kept blocks of the largest sizes back to the system until `bytes` more fit. */
static bool make_room(struct pool *pool, size_t bytes)
{
    for (unsigned i = pool_classes; i-- > 0;) {
        while (pool->lists[i] != NULL) {
            struct pool_block *block = pool->lists[i];

            if (pool->used + pool->kept + bytes <= pool->limit)
                return true;
            pool->lists[i] = block->next;
            pool->kept -= class_bytes(i);
            free(block);
        }
    }
    return pool->used + pool->kept + bytes <= pool->limit;
}

void *pool_take(struct pool *pool, size_t bytes)
{
    unsigned class;
    size_t room;
    struct pool_block *block;

    if (bytes > pool_block_max)
        return NULL;
    class = class_of(bytes);
    room = class_bytes(class);
    block = pool->lists[class];
    if (block != NULL) {
        pool->lists[class] = block->next;
        pool->kept -= room;
        pool->used += room;
        return block;
    }
    if (pool->used + room > pool->limit || !make_room(pool, room))
        return NULL;
    block = malloc(room);
    if (block != NULL)
        pool->used += room;
    return block;
}

void pool_give(struct pool *pool, void *memory, size_t bytes)
{
    struct pool_block *block = memory;
    unsigned class;

    if (block == NULL)
        return;
    class = class_of(bytes);
    block->next = pool->lists[class];
    pool->lists[class] = block;
    pool->used -= class_bytes(class);
    pool->kept += class_bytes(class);
}

size_t pool_room(size_t bytes)
{
    return class_bytes(class_of(bytes));
}

bool pool_charge(struct pool *pool, size_t bytes)
{
    if (pool->used + bytes > pool->limit || !make_room(pool, bytes))
        return false;
    pool->used += bytes;
    return true;
}

void pool_discharge(struct pool *pool, size_t bytes)
{
    pool->used -= bytes;
}
