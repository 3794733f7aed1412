/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When purges fall: as pmacct's, one refresh (and the startup delay) after the start of the minute in which the plugin
 * starts, then every refresh. Wall clock in, wall clock out, nanoseconds; nothing here waits.
 */
#ifndef PLUGINS_COMMON_REFRESH_H
#define PLUGINS_COMMON_REFRESH_H

#include <stdint.h>

/* The first purge of a plugin that starts `now`; later than now. */
int64_t refresh_first(int64_t now_ns, int64_t refresh_ns, int64_t delay_ns);

/*
 * `due` if that is still to come, else the next one at a whole number of refreshes from it; later than now. A clock
 * that jumped ahead brings one purge and not a burst, one that was set back brings the next purge within a refresh.
 * Only the first may be further away, by `delay_ns`.
 */
int64_t refresh_next(int64_t due_ns, int64_t now_ns, int64_t refresh_ns, int64_t delay_ns);

#endif
