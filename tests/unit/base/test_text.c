/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as text, against snprintf: the edges of every length and a million of random size. */
#include "base/text.h"

#include "lib/tap.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static bool agrees(uint64_t value)
{
    char got[32], want[32];

    *text_u64(got, value) = '\0';
    snprintf(want, sizeof(want), "%" PRIu64, value);
    if (strcmp(got, want) != 0)
        return false;
    *text_hex(got, value) = '\0';
    snprintf(want, sizeof(want), "%" PRIx64, value);
    return strcmp(got, want) == 0;
}

int main(void)
{
    unsigned wrong = 0;
    char got[32];

    plan_none();
    for (uint64_t power = 1, i = 0; i < 20; i++, power *= 10)
        wrong += !agrees(power - 1) + !agrees(power) + !agrees(power + 1);
    for (unsigned bit = 0; bit < 64; bit++)
        wrong += !agrees((UINT64_C(1) << bit) - 1) + !agrees(UINT64_C(1) << bit);
    wrong += !agrees(UINT64_MAX);
    ok(wrong == 0, "edges of every length");
    for (unsigned i = 0; i < 1000000; i++)
        wrong += !agrees(random_u64() >> (random_u64() & 63));
    ok(wrong == 0, "a million random numbers");
    for (uint64_t i = 0; i < 70000; i++)
        wrong += !agrees(i);
    ok(wrong == 0, "every small number");
    *text_u64_padded(got, 42, 6) = '\0';
    is_text(got, "000042", "leading zeroes");
    *text_hex_byte(text_hex_byte(got, 0x0a), 0xff) = '\0';
    is_text(got, "0aff", "bytes in hexadecimal");
    *text_two_digits(text_literal(got, "x"), 7) = '\0';
    is_text(got, "x07", "a literal and two digits");
    return done_testing();
}
