/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time in many zones. The property of bins: every second of two years (sampled, and every one around changes of the
 * clock) is in exactly one bin, and bins touch. Texts are compared with the C library's strftime.
 */
#include "base/time.h"

#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const zones[] = {
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",       /* the clocks go back to midnight: 00:30 comes twice */
    "America/Asuncion",     /* midnight was skipped until 2024 */
    "Asia/Kolkata",         /* +05:30 */
    "Australia/Lord_Howe",  /* half an hour of summer time */
    "Pacific/Apia",         /* 2011-12-30 did not happen */
    "Africa/Casablanca",    /* summer time but for Ramadan */
    "Asia/Kathmandu",       /* +05:45 */
    "Africa/Monrovia",      /* changed by 44:30 in 1972 */
};

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    time_zone_reload();
}

static int64_t at_utc(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};

    return (int64_t)timegm(&tm);
}

static struct tm local_of(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    localtime_r(&t, &tm);
    return tm;
}

/* Every second from `from` to `to` in steps: in its bin, the same bin for all of it, the next begins at its end. */
static bool bins_hold(const struct time_bins *bins, int64_t from, int64_t to, int64_t step)
{
    int64_t last_start = 0, last_end = INT64_MIN;

    for (int64_t s = from; s < to; s += step) {
        int64_t end, start = time_bin(bins, s, &end), other_end;

        if (start > s || s >= end || time_bin(bins, start, &other_end) != start || other_end != end ||
            time_bin(bins, end - 1, &other_end) != start || time_bin(bins, end, &other_end) != end) {
            printf("# second %lld: bin %lld to %lld\n", (long long)s, (long long)start, (long long)end);
            return false;
        }
        if (s < last_end ? start != last_start || end != last_end : start < last_end && last_end != INT64_MIN) {
            printf("# second %lld: bin %lld to %lld after %lld\n", (long long)s, (long long)start, (long long)end,
                   (long long)last_end);
            return false;
        }
        last_start = start;
        last_end = end;
    }
    return true;
}

/* The same second by second, two days around each change of the clock. */
static bool bins_hold_at_changes(const struct time_bins *bins, int64_t from, int64_t to)
{
    long offset = local_of(from).tm_gmtoff;

    for (int64_t s = from; s < to; s += 3600) {
        long now = local_of(s).tm_gmtoff;

        if (now != offset && !bins_hold(bins, s - 86400, s + 86400, 61))
            return false;
        offset = now;
    }
    return true;
}

static const struct {
    const char *name;
    struct time_bins bins;
} kinds[] = {
    {"1m", {.count = 1, .unit = TIME_UNIT_MINUTE}},
    {"5m rounded m", {.count = 5, .unit = TIME_UNIT_MINUTE, .round_minutes = true}},
    {"90s", {.count = 90, .unit = TIME_UNIT_SECOND}},
    {"1h", {.count = 1, .unit = TIME_UNIT_HOUR}},
    {"1h rounded m", {.count = 1, .unit = TIME_UNIT_HOUR, .round_minutes = true}},
    {"6h rounded mh", {.count = 6, .unit = TIME_UNIT_HOUR, .round_minutes = true, .round_hours = true}},
    {"7h rounded mh", {.count = 7, .unit = TIME_UNIT_HOUR, .round_minutes = true, .round_hours = true}},
    {"1d rounded mh", {.count = 1, .unit = TIME_UNIT_DAY, .round_minutes = true, .round_hours = true}},
    {"1d", {.count = 1, .unit = TIME_UNIT_DAY}},
    {"2d rounded mhd",
     {.count = 2, .unit = TIME_UNIT_DAY, .round_minutes = true, .round_hours = true, .round_month_day = true}},
    {"1w rounded mhw",
     {.count = 1, .unit = TIME_UNIT_WEEK, .round_minutes = true, .round_hours = true, .round_week = true}},
    {"1M rounded mhd",
     {.count = 1, .unit = TIME_UNIT_MONTH, .round_minutes = true, .round_hours = true, .round_month_day = true}},
    {"1M", {.count = 1, .unit = TIME_UNIT_MONTH}},
    {"3M rounded mhdM",
     {.count = 3,
      .unit = TIME_UNIT_MONTH,
      .round_minutes = true,
      .round_hours = true,
      .round_month_day = true,
      .round_months = true}},
    {"1h rounded m, offset 900",
     {.count = 1, .unit = TIME_UNIT_HOUR, .round_minutes = true, .offset_seconds = 900}},
    {"1d rounded mh, offset -7200",
     {.count = 1, .unit = TIME_UNIT_DAY, .round_minutes = true, .round_hours = true, .offset_seconds = -7200}},
};

static void test_property(void)
{
    for (unsigned z = 0; z < array_length(zones); z++) {
        set_zone(zones[z]);
        for (unsigned k = 0; k < array_length(kinds); k++) {
            for (unsigned utc = 0; utc < (z == 0 ? 2 : 1); utc++) { /* the zone does not matter in UTC */
                struct time_bins bins = kinds[k].bins;
                int64_t start = at_utc(2026, 1, 31, 13, 47) + 29;
                bool good;

                bins.utc = utc;
                time_bins_start(&bins, start);
                good = bins.anchor <= start + llabs(bins.offset_seconds);
                good = good && bins_hold(&bins, at_utc(2025, 12, 1, 0, 0), at_utc(2027, 1, 10, 0, 0), 9001);
                good = good && bins_hold(&bins, at_utc(2011, 12, 15, 0, 0), at_utc(2012, 1, 10, 0, 0), 1801);
                if (!utc) {
                    good = good && bins_hold_at_changes(&bins, at_utc(2026, 1, 1, 0, 0), at_utc(2027, 1, 1, 0, 0));
                    good = good && bins_hold_at_changes(&bins, at_utc(2011, 12, 1, 0, 0), at_utc(2012, 2, 1, 0, 0));
                }
                ok(good, "%s: bins of %s%s", zones[z], kinds[k].name, utc ? ", UTC" : "");
            }
        }
    }
}

/* Bins that are rounded begin on the civil hour, day, week or month all year, whenever the daemon was started. */
static void test_alignment(void)
{
    for (unsigned z = 0; z < array_length(zones); z++) {
        struct time_bins day = kinds[7].bins, week = kinds[10].bins, month = kinds[11].bins, quarter = kinds[5].bins;
        bool good = true;

        if (strcmp(zones[z], "America/Asuncion") == 0 || strcmp(zones[z], "America/Havana") == 0)
            continue; /* midnight itself is skipped or comes twice there */
        set_zone(zones[z]);
        for (int64_t start = at_utc(2026, 1, 1, 3, 17); start < at_utc(2027, 1, 1, 0, 0) && good; start += 11 * 86400) {
            time_bins_start(&day, start);
            time_bins_start(&week, start);
            time_bins_start(&month, start);
            time_bins_start(&quarter, start);
            for (int64_t s = at_utc(2026, 1, 1, 0, 0); s < at_utc(2027, 1, 1, 0, 0) && good; s += 40001) {
                int64_t end;
                struct tm tm = local_of(time_bin(&day, s, &end));

                good = good && tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0;
                tm = local_of(time_bin(&week, s, &end));
                good = good && tm.tm_wday == 0 && tm.tm_hour == 0;
                tm = local_of(time_bin(&month, s, &end));
                good = good && tm.tm_mday == 1 && tm.tm_hour == 0;
                tm = local_of(time_bin(&quarter, s, &end));
                good = good && tm.tm_hour % 6 == 0 && tm.tm_min == 0;
                if (!good)
                    printf("# start %lld second %lld\n", (long long)start, (long long)s);
            }
        }
        ok(good, "%s: days, weeks, months and quarters of a day begin on the civil clock", zones[z]);
    }
}

static void is_bin(const struct time_bins *bins, int64_t s, int64_t start, int64_t end, const char *name)
{
    int64_t got_end, got = time_bin(bins, s, &got_end);

    ok(got == start && got_end == end, "%s: %lld to %lld", name, (long long)got, (long long)got_end);
}

static void test_changes(void)
{
    struct time_bins hour = kinds[4].bins, day = kinds[7].bins, five = kinds[1].bins, plain = kinds[3].bins;
    int64_t spring = at_utc(2026, 3, 29, 1, 0), autumn = at_utc(2026, 10, 25, 1, 0);

    set_zone("Europe/Berlin");
    time_bins_start(&hour, at_utc(2026, 1, 1, 12, 15));
    time_bins_start(&day, at_utc(2026, 1, 1, 12, 15));
    time_bins_start(&five, at_utc(2026, 1, 1, 12, 17));
    is_bin(&hour, spring + 10, spring, spring + 3600, "the hour after the skip");
    is_bin(&hour, autumn - 10, autumn - 3600, autumn, "the first 02:00 hour");
    is_bin(&hour, autumn + 10, autumn, autumn + 3600, "the second 02:00 hour");
    is_bin(&five, autumn + 10, autumn, autumn + 300, "five minutes of the second 02:00 hour");
    is_bin(&day, spring, at_utc(2026, 3, 28, 23, 0), at_utc(2026, 3, 29, 22, 0), "a day of 23 hours");
    is_bin(&day, autumn, at_utc(2026, 10, 24, 22, 0), at_utc(2026, 10, 25, 23, 0), "a day of 25 hours");
    time_bins_start(&plain, at_utc(2026, 1, 1, 0, 15) + 44);
    is_bin(&plain, at_utc(2026, 1, 1, 2, 14), at_utc(2026, 1, 1, 1, 15), at_utc(2026, 1, 1, 2, 15),
           "without rounding bins begin at the minute of the start");
    set_zone("Pacific/Apia");
    time_bins_start(&day, at_utc(2011, 12, 20, 12, 0));
    is_bin(&day, at_utc(2011, 12, 30, 10, 0) - 1, at_utc(2011, 12, 29, 10, 0), at_utc(2011, 12, 30, 10, 0),
           "the day before the one that was left out");
    is_bin(&day, at_utc(2011, 12, 30, 10, 0), at_utc(2011, 12, 30, 10, 0), at_utc(2011, 12, 31, 10, 0),
           "the day after the one that was left out");
}

/* The library's own text of a moment, in the zone or in UTC. */
static void want_text(int64_t seconds, bool utc, const char *format, char *out, size_t size)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (utc)
        gmtime_r(&t, &tm);
    else
        localtime_r(&t, &tm);
    strftime(out, size, format, &tm);
}

static bool texts_agree(int64_t seconds, bool utc)
{
    char got[time_text_max + 1], want[64], zone[8];

    got[time_format(seconds * time_second_ns, TIME_STYLE_PLAIN, utc, false, got)] = '\0';
    want_text(seconds, utc, seconds == 0 ? "0000-00-00 00:00:00" : "%Y-%m-%d %H:%M:%S", want, sizeof(want));
    if (strcmp(got, want) != 0) {
        printf("# %lld: got %s, want %s\n", (long long)seconds, got, want);
        return false;
    }
    want_text(seconds, utc, "%Y-%m-%dT%H:%M:%S", want, sizeof(want));
    time_zone_text(seconds, utc, zone);
    got[time_format(seconds * time_second_ns + 7000, TIME_STYLE_RFC3339, utc, true, got)] = '\0';
    return strlen(zone) == 6 && strncmp(got, want, 19) == 0 && strncmp(got + 19, ".000007", 7) == 0 &&
           strcmp(got + 26, zone) == 0;
}

static void test_texts(void)
{
    for (unsigned z = 0; z < array_length(zones); z++) {
        unsigned wrong = 0;

        set_zone(zones[z]);
        for (int64_t s = at_utc(1971, 12, 1, 0, 0); s < at_utc(1972, 3, 1, 0, 0); s += 907)
            wrong += !texts_agree(s, false);
        for (int64_t s = at_utc(1900, 1, 1, 0, 0); s < at_utc(2260, 1, 1, 0, 0); s += 900011)
            wrong += !texts_agree(s, false) + !texts_agree(s, true);
        ok(wrong == 0, "%s: text of moments from 1900 to 2260", zones[z]);
    }
}

static void is_format(int64_t ns, enum time_style style, bool utc, bool fraction, const char *want)
{
    char got[time_text_max + 1];

    got[time_format(ns, style, utc, fraction, got)] = '\0';
    is_text(got, want, "%s", want);
}

static void test_styles(void)
{
    int64_t ns = INT64_C(1795217431123000000);
    char out[64], zone[8];

    set_zone("America/New_York");
    is_format(ns, TIME_STYLE_PLAIN, true, true, "2026-11-20 23:30:31.123000");
    is_format(ns, TIME_STYLE_PLAIN, false, true, "2026-11-20 18:30:31.123000");
    is_format(ns, TIME_STYLE_PLAIN, true, false, "2026-11-20 23:30:31");
    is_format(ns, TIME_STYLE_RFC3339, true, true, "2026-11-20T23:30:31.123000+00:00");
    is_format(ns, TIME_STYLE_RFC3339, false, true, "2026-11-20T18:30:31.123000-05:00");
    is_format(ns, TIME_STYLE_EPOCH, true, true, "1795217431.123000");
    is_format(ns, TIME_STYLE_EPOCH, false, false, "1795217431");
    is_format(0, TIME_STYLE_PLAIN, true, true, "0000-00-00 00:00:00.000000");
    is_format(0, TIME_STYLE_PLAIN, false, false, "0000-00-00 00:00:00");
    is_format(0, TIME_STYLE_EPOCH, true, true, "0.000000");
    is_format(0, TIME_STYLE_RFC3339, true, true, "1970-01-01T00:00:00.000000+00:00");
    is_format(-1, TIME_STYLE_PLAIN, true, true, "1969-12-31 23:59:59.999999");
    is_format(INT64_C(-1500000000), TIME_STYLE_EPOCH, true, true, "-1.500000");
    is_format(INT64_MAX, TIME_STYLE_PLAIN, true, true, "2262-04-11 23:47:16.854775");
    is_format(INT64_MIN, TIME_STYLE_RFC3339, true, true, "1677-09-21T00:12:43.145224+00:00");
    is_format(INT64_MIN, TIME_STYLE_EPOCH, true, true, "-9223372036.854775");

    out[time_strftime(ns / time_second_ns, true, "%Y%m%d-%H%M_%s_%%s%z", out, sizeof(out))] = '\0';
    is_text(out, "20261120-2330_1795217431_%s+0000", "a path in UTC");
    out[time_strftime(ns / time_second_ns, false, "%Y%m%d-%H%M_%s%z", out, sizeof(out))] = '\0';
    is_text(out, "20261120-1830_1795217431-0500", "a path in local time");
    is_u64(time_strftime(0, true, "%Y%m%d", out, 4), 0, "a path that does not fit");
    time_zone_text(ns / time_second_ns, false, zone);
    is_text(zone, "-05:00", "the zone in winter");
    time_zone_text(at_utc(2026, 7, 1, 0, 0), false, zone);
    is_text(zone, "-04:00", "the zone in summer");
}

int main(void)
{
    int64_t wall = time_wall_ns(), monotonic = time_monotonic_ns();

    plan_none();
    ok(time_monotonic_ns() >= monotonic && wall / time_second_ns >= (int64_t)time(NULL) - 2, "clocks go");
    set_zone("Europe/Berlin");
    if (local_of(at_utc(2026, 7, 1, 0, 0)).tm_gmtoff != 7200)
        skip_all("no zone data on this machine");
    test_styles();
    test_changes();
    test_alignment();
    test_property();
    test_texts();
    return done_testing();
}
