/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of all conversations, with one limit. Blocks of a few sizes are kept when they are given back, so that
 * in the long run nothing is asked of the system; when one size has all the memory and another needs some, kept
 * blocks go back to the system. What is taken and what is kept never pass the limit together.
 */
#ifndef DISSECT_POOL_H
#define DISSECT_POOL_H

#include "base/base.h"

#define pool_classes 60
#define pool_block_max (2 * 1024 * 1024)

struct pool {
    uint64_t limit;
    uint64_t used;  /* by blocks that are taken, and by what was charged */
    uint64_t kept;  /* by blocks that wait to be taken again */
    struct pool_block *lists[pool_classes];
};

void pool_start(struct pool *pool, uint64_t limit_bytes);
void pool_stop(struct pool *pool); /* frees what is kept; what is taken must have been given back */

/*
 * Not zeroed, aligned for any type. NULL when the limit does not allow it, or there are more than pool_block_max
 * bytes.
 */
void *pool_take(struct pool *pool, size_t bytes);
/* `bytes` as it was taken with. NULL is allowed. */
void pool_give(struct pool *pool, void *block, size_t bytes);
/* What a block for so many bytes really has. */
size_t pool_room(size_t bytes);

/* Memory of others that counts against the limit: false when it does not fit. */
bool pool_charge(struct pool *pool, size_t bytes);
void pool_discharge(struct pool *pool, size_t bytes);

#endif
