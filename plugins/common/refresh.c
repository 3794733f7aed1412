/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of refresh.h. */
#include "plugins/common/refresh.h"

#include "base/time.h"

int64_t refresh_first(int64_t now_ns, int64_t refresh_ns, int64_t delay_ns)
{
    int64_t minute_ns = now_ns - now_ns % (60 * time_second_ns);

    return refresh_next(minute_ns + refresh_ns + delay_ns, now_ns, refresh_ns, delay_ns);
}

int64_t refresh_next(int64_t due_ns, int64_t now_ns, int64_t refresh_ns, int64_t delay_ns)
{
    if (due_ns <= now_ns)
        return due_ns + (1 + (now_ns - due_ns) / refresh_ns) * refresh_ns;
    if (due_ns > now_ns + refresh_ns + delay_ns)
        return due_ns - (due_ns - now_ns - 1) / refresh_ns * refresh_ns;
    return due_ns;
}
