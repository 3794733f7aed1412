/* SPDX-License-Identifier: BSD-2-Clause */
/* When purges fall: the first one, a clock that jumps, a delay at the start. */
#include "plugins/common/refresh.h"

#include "base/time.h"
#include "lib/tap.h"

#define minute_s (INT64_C(29000000) * 60) /* some minute's start */

static int64_t first(int64_t second, int64_t refresh, int64_t delay)
{
    return refresh_first((minute_s + second) * time_second_ns + 7, refresh * time_second_ns, delay * time_second_ns) /
               time_second_ns - minute_s;
}

static int64_t next(int64_t due, int64_t now, int64_t refresh, int64_t delay)
{
    return refresh_next((minute_s + due) * time_second_ns, (minute_s + now) * time_second_ns, refresh * time_second_ns,
                        delay * time_second_ns) / time_second_ns - minute_s;
}

int main(void)
{
    plan_none();
    ok(first(0, 60, 0) == 60 && first(59, 60, 0) == 60, "one refresh after the start of the minute");
    ok(first(30, 1, 0) == 31 && first(30, 7, 0) == 35, "a short refresh has had its turns in this minute");
    ok(first(30, 300, 0) == 300, "a long one");
    ok(first(5, 60, 10) == 70, "a delay makes the first purge later, not earlier");
    ok(first(30, 60, 90) == 150 && first(30, 10, 600) == 610, "a delay longer than the refresh");
    ok(next(60, 60, 60, 0) == 120 && next(60, 119, 60, 0) == 120, "then every refresh");
    ok(next(61, 60, 60, 0) == 61, "not due yet");
    ok(next(60, 3700, 60, 0) == 3720, "a clock that jumped ahead brings one purge");
    ok(next(3600, 30, 60, 0) == 60, "a clock that was set back: within a refresh, on the same grid");
    ok(next(150, 30, 60, 90) == 150, "the delayed first purge is no clock that was set back");
    return done_testing();
}
