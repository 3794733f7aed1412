/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file of the suite starts with: the build's configuration, the fixed-width types and a handful
 * of words the language lacks. It must stay small: nothing here allocates, logs or knows of flows.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define array_length(a) (sizeof(a) / sizeof((a)[0]))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))
#define align_up(n, to) (((n) + ((to)-1)) & ~((to)-1))
#define cache_line 64

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* A product that passes 64 bits can only come from nonsense on the wire; it stays at the largest number. */
static inline uint64_t product_u64(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* Unaligned loads and stores in host order: the compiler makes one instruction of each. */
static inline uint64_t load_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint16_t load_u16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void store_u64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void store_u32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

/* Network order to host order and back. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define host_be16(v) __builtin_bswap16(v)
#define host_be32(v) __builtin_bswap32(v)
#define host_be64(v) __builtin_bswap64(v)
#else
#define host_be16(v) ((uint16_t)(v))
#define host_be32(v) ((uint32_t)(v))
#define host_be64(v) ((uint64_t)(v))
#endif

#endif
