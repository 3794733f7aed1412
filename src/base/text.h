/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and literals appended to a buffer, the short way that rows by the million need: each function writes at
 * `out` and returns where the next byte goes. Nothing is terminated by a NUL and nothing is checked: the caller has
 * room for the maximum that the name promises. Independent of the locale.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

#define text_u64_max 20 /* digits of 2^64 - 1 */
#define text_hex_max 16 /* digits of 2^64 - 1 in hexadecimal */

static const char text_pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
    "9899";

static const char text_hex_digits[17] = "0123456789abcdef";

static inline char *text_bytes(char *out, const void *bytes, size_t length)
{
    memcpy(out, bytes, length);
    return out + length;
}

static inline char *text_literal(char *out, const char *literal)
{
    return text_bytes(out, literal, strlen(literal));
}

/* Two digits with a leading zero, 0 <= value < 100. */
static inline char *text_two_digits(char *out, unsigned value)
{
    memcpy(out, text_pairs + 2 * value, 2);
    return out + 2;
}

static inline unsigned text_u64_digits(uint64_t value)
{
    static const uint64_t powers[20] = {0,
                                        UINT64_C(10),
                                        UINT64_C(100),
                                        UINT64_C(1000),
                                        UINT64_C(10000),
                                        UINT64_C(100000),
                                        UINT64_C(1000000),
                                        UINT64_C(10000000),
                                        UINT64_C(100000000),
                                        UINT64_C(1000000000),
                                        UINT64_C(10000000000),
                                        UINT64_C(100000000000),
                                        UINT64_C(1000000000000),
                                        UINT64_C(10000000000000),
                                        UINT64_C(100000000000000),
                                        UINT64_C(1000000000000000),
                                        UINT64_C(10000000000000000),
                                        UINT64_C(100000000000000000),
                                        UINT64_C(1000000000000000000),
                                        UINT64_C(10000000000000000000)};
    /* 1233 / 4096 is just over log10(2): bits to digits, right or one too small. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned guess = (bits * 1233) >> 12;

    return guess + (value >= powers[guess]);
}

/* Decimal; at most text_u64_max bytes. */
static inline char *text_u64(char *out, uint64_t value)
{
    char *end, *at;

    if (value < 10) {
        *out = (char)('0' + value);
        return out + 1;
    }
    end = out + text_u64_digits(value);
    at = end;
    while (value >= 100) {
        uint64_t rest = value / 100;

        at -= 2;
        memcpy(at, text_pairs + 2 * (value - rest * 100), 2);
        value = rest;
    }
    if (value >= 10)
        memcpy(at - 2, text_pairs + 2 * value, 2);
    else
        at[-1] = (char)('0' + value);
    return end;
}

/* Decimal with leading zeroes, exactly `digits` of them; higher ones are cut. */
static inline char *text_u64_padded(char *out, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + digits;
}

/* Lower-case hexadecimal without leading zeroes; at most text_hex_max bytes. */
static inline char *text_hex(char *out, uint64_t value)
{
    unsigned digits = (67 - (unsigned)__builtin_clzll(value | 1)) / 4;

    for (unsigned i = digits; i-- > 0; value >>= 4)
        out[i] = text_hex_digits[value & 15];
    return out + digits;
}

/* One byte as two hexadecimal digits. */
static inline char *text_hex_byte(char *out, uint8_t value)
{
    out[0] = text_hex_digits[value >> 4];
    out[1] = text_hex_digits[value & 15];
    return out + 2;
}

#endif
