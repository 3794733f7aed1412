/* SPDX-License-Identifier: BSD-2-Clause */
/* Interned strings: ids, stability while it grows, odd lengths, closing and clearing. */
#include "plugins/common/intern.h"

#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>

#define string_count 200000u

static uint32_t text_of(char out[32], uint32_t number)
{
    return (uint32_t)snprintf(out, 32, "%u_%u_64512", number, number * 7);
}

static bool holds(const struct intern *intern, uint32_t id, const char *bytes, uint32_t length)
{
    uint32_t got;
    const char *text = intern_get(intern, id, &got);

    return got == length && memcmp(text, bytes, length) == 0;
}

static void test_many(struct intern *intern)
{
    char text[32];
    uint32_t wrong = 0, length;
    const char *first = NULL, *again;

    for (uint32_t i = 0; i < string_count; i++) {
        length = text_of(text, i);
        wrong += intern_find(intern, text, length) != 0 || intern_put(intern, text, length) != i + 1;
        if (i == 0)
            first = intern_get(intern, 1, &length);
    }
    is_u64(wrong, 0, "new strings are numbered in order");
    again = intern_get(intern, 1, &length);
    ok(first == again, "bytes do not move while it grows");
    for (uint32_t i = 0; i < string_count; i++) {
        length = text_of(text, i);
        wrong += intern_put(intern, text, length) != i + 1 || intern_find(intern, text, length) != i + 1 ||
                 !holds(intern, i + 1, text, length);
    }
    is_u64(wrong, 0, "old ones keep their number and bytes");
    is_u64(intern_count(intern), string_count, "each once");
    ok(intern_bytes(intern) < string_count * 80u, "%llu bytes", (unsigned long long)intern_bytes(intern));
}

static void test_odd(struct intern *intern)
{
    static char large[3000000], zeroes[16];
    uint32_t length = 7, id, ids[16];
    bool good = true;

    is_u64(intern_put(intern, "x", 0), 0, "the empty string is 0");
    is_u64(intern_find(intern, NULL, 0), 0, "and is found as 0");
    intern_get(intern, 0, &length);
    is_u64(length, 0, "id 0 is empty");
    length = 7;
    intern_get(intern, intern_count(intern) + 1, &length);
    is_u64(length, 0, "an unknown id is empty");
    memset(large, 'q', sizeof(large));
    id = intern_put(intern, large, sizeof(large));
    ok(id != 0 && holds(intern, id, large, sizeof(large)), "a string larger than any chunk");
    for (uint32_t i = 1; i < 16; i++) {
        ids[i] = intern_put(intern, zeroes, i);
        for (uint32_t j = 1; j < i; j++)
            good = good && ids[i] != ids[j];
        good = good && holds(intern, ids[i], zeroes, i);
    }
    ok(good, "strings of NULs differ by their length");
}

int main(void)
{
    struct intern *intern = intern_new();
    uint32_t id;

    plan_none();
    ok(intern_bytes(intern) < 200, "nothing is taken before the first string");
    is_u64(intern_find(intern, "a", 1), 0, "nothing is found");
    intern_clear(intern);
    for (unsigned life = 0; life < 2; life++) {
        test_many(intern);
        test_odd(intern);
        intern_clear(intern);
        is_u64(intern_count(intern), 0, "cleared");
        is_u64(intern_find(intern, "0_0_64512", 9), 0, "all are forgotten");
    }
    id = intern_put(intern, "old", 3);
    intern_close(intern);
    ok(intern_put(intern, "old", 3) == id && intern_put(intern, "new", 3) == intern_unknown &&
           intern_count(intern) == 1,
       "closed: old ones only");
    intern_clear(intern);
    is_u64(intern_put(intern, "new", 3), 1, "cleared is open");
    intern_free(intern);
    intern_free(NULL);
    return done_testing();
}
