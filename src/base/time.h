/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: clocks in nanoseconds, bins, and the only place that knows civil time (years, months, zones). Everything else
 * in the suite computes with int64 nanoseconds or seconds since 1970 UTC.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/base.h"

#define time_second_ns INT64_C(1000000000)

int64_t time_wall_ns(void);      /* CLOCK_REALTIME: labels */
int64_t time_monotonic_ns(void); /* CLOCK_MONOTONIC: intervals */

enum time_unit { TIME_UNIT_SECOND, TIME_UNIT_MINUTE, TIME_UNIT_HOUR, TIME_UNIT_DAY, TIME_UNIT_WEEK, TIME_UNIT_MONTH };

/* A time bin: `count` units, aligned by `roundoff` and shifted by `offset` seconds. */
struct time_bins {
    uint32_t count;
    enum time_unit unit;
    bool round_minutes, round_hours, round_month_day, round_week, round_months; /* letters m h d w M of the key */
    bool utc;                                                                   /* else the local zone */
    int64_t offset_seconds;
    int64_t anchor; /* base of the first bin, seconds; time_bins_start() sets it */
};

/* Fixes where bins begin, from the time at which the daemon started (seconds). */
void time_bins_start(struct time_bins *bins, int64_t start_seconds);
/* Start of the bin that holds `seconds`; *end gets the start of the next one. */
int64_t time_bin(const struct time_bins *bins, int64_t seconds, int64_t *end);

enum time_style {
    TIME_STYLE_PLAIN,   /* 2026-11-20 23:30:31.123000 */
    TIME_STYLE_RFC3339, /* 2026-11-20T23:30:31.123000+00:00 (RFC 9557) */
    TIME_STYLE_EPOCH    /* 1795217431.123000 */
};

/*
 * Writes a time of `ns` nanoseconds since 1970 without NUL; `out` holds time_text_max. Without `fraction` whole
 * seconds. Returns the length. Zero gives 0000-00-00 00:00:00.000000 in the plain style, as SQL wants it.
 */
#define time_text_max 40
size_t time_format(int64_t ns, enum time_style style, bool utc, bool fraction, char *out);

/* strftime over one format string for a path; returns the length, or 0 when it does not fit. */
size_t time_strftime(int64_t seconds, bool utc, const char *format, char *out, size_t size);
/* The zone as +HH:MM at that time. */
void time_zone_text(int64_t seconds, bool utc, char out[8]);
/* To be called after the environment's TZ has changed, with one thread running; zone data is remembered otherwise. */
void time_zone_reload(void);

#endif
