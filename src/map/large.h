/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for tables that records look into at any place: in large pages where the kernel has some, so that a look costs
 * one miss of the cache and not a walk through page tables as well.
 */
#ifndef MAP_LARGE_H
#define MAP_LARGE_H

#include "base/base.h"

#include <stdlib.h>
#include <sys/mman.h>

#define large_page (2u << 20)

/* `size` bytes at a cache line or better, for free(). NULL when memory is short. */
static inline void *large_alloc(size_t size)
{
    size_t alignment = size < large_page ? cache_line : large_page;
    size_t rounded = align_up(size == 0 ? 1 : size, alignment);
    void *memory = aligned_alloc(alignment, rounded);

    if (memory != NULL && alignment == large_page)
        madvise(memory, rounded, MADV_HUGEPAGE); /* a wish */
    return memory;
}

#endif
