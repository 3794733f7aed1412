/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash of keys that come from outside: whole 8-byte words, two at a time, through one widening multiplication
 * whose halves are folded together. The seed is secret and random, so nobody can send keys that all fall on one
 * place. Values differ from process to process and between byte orders: never store or send one.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/base.h"

#include <sys/random.h>
#include <time.h>

struct hash_seed {
    uint64_t a, b;
};

/* Both halves of the 128-bit product, folded: every bit of the inputs reaches every bit of the result. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * The multiplier of lone words must be neither 0 nor small: some of its bits are forced. Where the kernel has no
 * random numbers yet (early boot), the clock and a stack address have to do.
 */
static inline struct hash_seed hash_seed_new(void)
{
    struct hash_seed seed;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        seed.a = hash_fold((uint64_t)now.tv_nsec + 1, UINT64_C(0xd6e8feb86659fd93)) ^ (uintptr_t)&seed;
        seed.b = hash_fold(seed.a ^ (uint64_t)now.tv_sec, UINT64_C(0xa0f2e9c35b1d7685));
    }
    seed.b |= UINT64_C(0x8421124884211249);
    return seed;
}

/* `key` holds `words` 8-byte words, aligned or not. With a constant `words` the compiler unrolls it: 3 multiplications
 * and the last one for 40 bytes. */
static inline uint64_t hash_words(const void *key, size_t words, struct hash_seed seed)
{
    const uint8_t *p = key;
    uint64_t hash = seed.a ^ words;
    size_t i = 0;

    for (; i + 2 <= words; i += 2)
        hash = hash_fold(load_u64(p + 8 * i) ^ hash, load_u64(p + 8 * i + 8) ^ seed.b);
    if (i < words)
        hash = hash_fold(load_u64(p + 8 * i) ^ hash, seed.b);
    return hash_fold(hash ^ seed.a, UINT64_C(0x9fb21c651e98df25));
}

#endif
