/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/tap.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned run, failed;

void plan_none(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static bool report(bool condition, const char *format, va_list args)
{
    run++;
    failed += !condition;
    printf("%sok %u - ", condition ? "" : "not ", run);
    vprintf(format, args);
    putchar('\n');
    return condition;
}

bool ok(bool condition, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(condition, format, args);
    va_end(args);
    return condition;
}

bool is_u64(uint64_t got, uint64_t want, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(got == want, format, args);
    va_end(args);
    if (got != want)
        printf("# got %" PRIu64 ", want %" PRIu64 "\n", got, want);
    return got == want;
}

bool is_text(const char *got, const char *want, const char *format, ...)
{
    bool same = got != NULL && want != NULL && strcmp(got, want) == 0;
    va_list args;

    va_start(args, format);
    report(same, format, args);
    va_end(args);
    if (!same)
        printf("# got  '%s'\n# want '%s'\n", got ? got : "(null)", want ? want : "(null)");
    return same;
}

void skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(0);
}

int done_testing(void)
{
    printf("1..%u\n", run);
    return failed == 0 && run > 0 ? 0 : 1;
}
