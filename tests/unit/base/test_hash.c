/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash on keys as they really come - addresses and ports that count up - must fill places as chance would:
 * chi-square over the bits that an index uses, number of equal 32-bit hashes, and one input bit flips half of the output.
 */
#include "base/hash.h"

#include "lib/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define key_count 262144u
#define bucket_count 4096u

static uint32_t hashes[key_count];

static void make_key(uint8_t key[40], unsigned shape, uint32_t n)
{
    memset(key, 0, 40);
    store_u64(key + 8, UINT64_C(0x0a000001ffff0000));
    store_u64(key + 24, UINT64_C(0x0a000002ffff0000));
    switch (shape) {
    case 0: /* source addresses, as they lie in memory on either kind of machine */
        store_u32(key + 12, __builtin_bswap32(0x0a000000 + n));
        break;
    case 1: /* both addresses */
        store_u32(key + 12, __builtin_bswap32(0x0a000000 + n / 512));
        store_u32(key + 28, __builtin_bswap32(0xc0a80000 + n % 512));
        break;
    case 2: /* ports */
        store_u32(key + 32, n << 8 | 6);
        break;
    case 3: /* one high bit and a counter in the first word of an IPv6 address */
        store_u64(key, UINT64_C(0x8000000000000000) | n);
        break;
    default: /* one word, turned about */
        store_u64(key + 16, (uint64_t)(n >> 6) << (n & 63) | (uint64_t)(n >> 6) >> (-n & 63));
        store_u64(key + 32, n & 63);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Chi-square of `bucket_count` buckets, as standard deviations from its mean (bucket_count - 1, 2 * that). */
static double deviations(unsigned shift)
{
    static uint32_t buckets[bucket_count];
    double expected = (double)key_count / bucket_count, chi = 0;

    memset(buckets, 0, sizeof(buckets));
    for (uint32_t n = 0; n < key_count; n++)
        buckets[hashes[n] >> shift & (bucket_count - 1)]++;
    for (unsigned b = 0; b < bucket_count; b++)
        chi += ((double)buckets[b] - expected) * ((double)buckets[b] - expected) / expected;
    return (chi - (bucket_count - 1)) / sqrt(2.0 * (bucket_count - 1));
}

static void test_shape(unsigned shape, struct hash_seed seed)
{
    uint8_t key[40];
    double low, high;
    unsigned equal = 0;

    for (uint32_t n = 0; n < key_count; n++) {
        make_key(key, shape, n);
        hashes[n] = (uint32_t)hash_words(key, 5, seed);
    }
    low = deviations(0);
    high = deviations(20);
    ok(low < 6 && high < 6, "shape %u: chi-square of the low bits %+.1f, of the high bits %+.1f deviations", shape, low,
       high);
    qsort(hashes, key_count, sizeof(hashes[0]), compare);
    for (uint32_t n = 1; n < key_count; n++)
        equal += hashes[n] == hashes[n - 1];
    /* 2^18 keys in 2^32 values: 8 equal pairs by chance; more than 30 come once in a thousand million runs. */
    ok(equal <= 30, "shape %u: %u equal hashes", shape, equal);
}

static void test_avalanche(struct hash_seed seed)
{
    unsigned low = 10000, high = 0;

    for (unsigned bit = 0; bit < 320; bit++) {
        unsigned flips = 0;

        for (uint32_t n = 0; n < 500; n++) {
            uint8_t key[40];
            uint32_t before;

            make_key(key, n % 4, n * 77);
            before = (uint32_t)hash_words(key, 5, seed);
            key[bit / 8] ^= (uint8_t)(1 << bit % 8);
            flips += (unsigned)__builtin_popcount(before ^ (uint32_t)hash_words(key, 5, seed));
        }
        low = flips < low ? flips : low;
        high = flips > high ? flips : high;
    }
    /* 500 x 32 coins: 8000, deviation 63 for good coins; bits of one hash are not independent, so some slack. */
    ok(low > 7000 && high < 9000, "each input bit flips half of the output: %u to %u of 16000", low, high);
}

int main(void)
{
    struct hash_seed seed = hash_seed_new(), other = hash_seed_new();
    uint8_t key[72];

    plan_none();
    ok(seed.a != other.a && seed.b != other.b, "seeds differ");
    for (unsigned shape = 0; shape < 5; shape++)
        test_shape(shape, seed);
    test_avalanche(seed);
    memset(key, 0, sizeof(key));
    ok(hash_words(key, 4, seed) != hash_words(key, 5, seed) && hash_words(key, 0, seed) != hash_words(key, 1, seed),
       "the length counts");
    ok(hash_words(key, 5, seed) != hash_words(key, 5, other), "the seed counts");
    ok(hash_words(key, 5, seed) == hash_words(key + 3, 5, seed), "alignment does not");
    return done_testing();
}
