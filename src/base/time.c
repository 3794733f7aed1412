/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks, civil time and bins.
 *
 * Civil time is computed here, in the proleptic Gregorian calendar, from "local seconds": seconds since 1970 on the
 * local clock, that is UTC plus the zone's offset at that moment. The C library is asked for nothing but that offset,
 * and each thread remembers the answer for the quarter of an hour it holds for.
 *
 * Bins up to an hour have a fixed length and are counted in UTC, so that a change of the clocks neither tears nor
 * doubles one. Longer ones (those that divide a day and were rounded to it, days, weeks, months) begin at civil times:
 * a day in which the clocks change is a bin of 23 or 25 hours. A civil time that the clocks skip begins at the skip,
 * one that comes twice at its first turn.
 */
#include "base/time.h"

#include "base/text.h"

#include <stdatomic.h>
#include <time.h>

#define minute_seconds 60
#define hour_seconds 3600
#define day_seconds 86400

int64_t time_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * time_second_ns + now.tv_nsec;
}

int64_t time_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * time_second_ns + now.tv_nsec;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The zone */

static atomic_uint zone_generation = 1;

void time_zone_reload(void)
{
    tzset();
    atomic_fetch_add(&zone_generation, 1);
}

static int64_t ask_offset(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* Seconds that the local clock is ahead of UTC at that moment. */
static int64_t local_offset(int64_t seconds)
{
    /* An answer holds for a whole block when it is the same at both of its ends: no zone changes twice within one. */
    enum { block_seconds = 900 };
    static _Thread_local struct {
        unsigned generation;
        int64_t block, offset;
    } known;
    unsigned generation = atomic_load_explicit(&zone_generation, memory_order_relaxed);
    int64_t block = floor_divide(seconds, block_seconds), first, last;

    if (likely(known.generation == generation && known.block == block))
        return known.offset;
    if (known.generation == 0)
        tzset();
    first = ask_offset(block * block_seconds);
    last = ask_offset(block * block_seconds + block_seconds - 1);
    if (first != last)
        return ask_offset(seconds);
    known.generation = generation;
    known.block = block;
    known.offset = first;
    return first;
}

static int64_t to_local(int64_t seconds, bool utc)
{
    return utc ? seconds : seconds + local_offset(seconds);
}

/* The first moment at which the local clock shows `local` or, where it skips that, more. */
static int64_t from_local(int64_t local, bool utc)
{
    int64_t early, late;

    if (utc)
        return local;
    /* The offsets of a day before and a day after are those before and after the change, if there is one near. */
    early = local - local_offset(local - day_seconds);
    late = local - local_offset(local + day_seconds);
    if (early > late) {
        int64_t swap = early;
        early = late;
        late = swap;
    }
    if (to_local(early, false) == local)
        return early;
    if (to_local(late, false) == local)
        return late;
    while (early < late) {
        int64_t middle = early + (late - early) / 2;
        if (to_local(middle, false) >= local)
            late = middle;
        else
            early = middle + 1;
    }
    return late;
}

/* The calendar */

struct civil {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

/* Years are counted from March, so that the leap day is a year's last; eras have 400 years and 146097 days. */
static int64_t days_of_civil(struct civil civil)
{
    int64_t year = civil.year - (civil.month <= 2);
    int64_t era = floor_divide(year, 400), year_of_era = year - era * 400;
    int64_t month_from_march = (civil.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + civil.day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct civil civil_of_days(int64_t days)
{
    int64_t era = floor_divide(days + 719468, 146097);
    int64_t day_of_era = days + 719468 - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct civil civil;

    civil.day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    civil.month = (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    civil.year = era * 400 + year_of_era + (civil.month <= 2);
    return civil;
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Bins */

static int64_t unit_seconds(enum time_unit unit)
{
    static const int64_t seconds[] = {[TIME_UNIT_SECOND] = 1,
                                      [TIME_UNIT_MINUTE] = minute_seconds,
                                      [TIME_UNIT_HOUR] = hour_seconds,
                                      [TIME_UNIT_DAY] = day_seconds,
                                      [TIME_UNIT_WEEK] = 7 * day_seconds,
                                      [TIME_UNIT_MONTH] = 30 * day_seconds}; /* a first guess only */
    return seconds[unit];
}

void time_bins_start(struct time_bins *bins, int64_t start_seconds)
{
    int64_t local = to_local(start_seconds, bins->utc);
    int64_t days = floor_divide(local, day_seconds);
    int64_t second = local - days * day_seconds;
    struct civil civil;

    second -= second % minute_seconds;
    if (bins->round_minutes)
        second -= second % hour_seconds;
    if (bins->round_hours)
        second %= hour_seconds;
    if (bins->round_week)
        days -= days + 4 - floor_divide(days + 4, 7) * 7; /* to Sunday; 1970-01-01 was a Thursday */
    civil = civil_of_days(days);
    if (bins->round_months)
        civil.month = 1;
    if (bins->round_month_day || bins->round_months)
        civil.day = 1;
    if (!bins->round_hours && !bins->round_week && !bins->round_month_day && !bins->round_months) {
        /* No civil day is meant: go back in UTC, so that an hour that comes twice keeps its turn. */
        bins->anchor = start_seconds - (local - days * day_seconds - second) + bins->offset_seconds;
        return;
    }
    bins->anchor = from_local(days_of_civil(civil) * day_seconds + second, bins->utc) + bins->offset_seconds;
}

static bool is_civil(const struct time_bins *bins, int64_t length)
{
    if (bins->unit >= TIME_UNIT_DAY)
        return true;
    return bins->round_hours && length > hour_seconds && day_seconds % length == 0;
}

/* Start of the civil bin `index`, counted from the anchor. Never less than that of the bin before. */
static int64_t civil_start(const struct time_bins *bins, int64_t local_anchor, int64_t length, int64_t index)
{
    int64_t days, months;
    struct civil civil;
    unsigned last;

    if (bins->unit != TIME_UNIT_MONTH)
        return from_local(local_anchor + index * length, bins->utc);
    days = floor_divide(local_anchor, day_seconds);
    civil = civil_of_days(days);
    months = civil.year * 12 + civil.month - 1 + index * bins->count;
    civil.year = floor_divide(months, 12);
    civil.month = (unsigned)(months - civil.year * 12 + 1);
    last = month_days(civil.year, civil.month);
    civil.day = civil.day > last ? last : civil.day;
    return from_local(days_of_civil(civil) * day_seconds + local_anchor - days * day_seconds, bins->utc);
}

int64_t time_bin(const struct time_bins *bins, int64_t seconds, int64_t *end)
{
    int64_t length = (bins->count ? bins->count : 1) * unit_seconds(bins->unit);
    int64_t local_anchor, index, start, next;

    if (!is_civil(bins, length)) {
        start = bins->anchor + floor_divide(seconds - bins->anchor, length) * length;
        *end = start + length;
        return start;
    }
    local_anchor = to_local(bins->anchor, bins->utc);
    index = floor_divide(to_local(seconds, bins->utc) - local_anchor, length);
    start = civil_start(bins, local_anchor, length, index);
    while (start > seconds)
        start = civil_start(bins, local_anchor, length, --index);
    for (;;) {
        next = civil_start(bins, local_anchor, length, index + 1);
        if (next > seconds)
            break;
        start = next;
        index++;
    }
    *end = next;
    return start;
}

/* Text */

static char *put_zone(char *out, int64_t offset)
{
    unsigned minutes = (unsigned)((offset < 0 ? -offset : offset) / minute_seconds);

    *out++ = offset < 0 ? '-' : '+';
    out = text_two_digits(out, minutes / 60);
    *out++ = ':';
    return text_two_digits(out, minutes % 60);
}

static char *put_fraction(char *out, unsigned microseconds)
{
    *out++ = '.';
    out = text_two_digits(out, microseconds / 10000);
    out = text_two_digits(out, microseconds / 100 % 100);
    return text_two_digits(out, microseconds % 100);
}

static char *put_civil(char *out, int64_t local, char between)
{
    int64_t days = floor_divide(local, day_seconds);
    struct civil civil = civil_of_days(days);
    unsigned second = (unsigned)(local - days * day_seconds);

    /* int64 nanoseconds end in the year 2262. */
    out = text_two_digits(out, (unsigned)(civil.year / 100));
    out = text_two_digits(out, (unsigned)(civil.year % 100));
    *out++ = '-';
    out = text_two_digits(out, civil.month);
    *out++ = '-';
    out = text_two_digits(out, civil.day);
    *out++ = between;
    out = text_two_digits(out, second / hour_seconds);
    *out++ = ':';
    out = text_two_digits(out, second / minute_seconds % 60);
    *out++ = ':';
    return text_two_digits(out, second % 60);
}

size_t time_format(int64_t ns, enum time_style style, bool utc, bool fraction, char *out)
{
    int64_t seconds = floor_divide(ns, time_second_ns), offset;
    unsigned microseconds = (unsigned)((ns % time_second_ns + (ns % time_second_ns < 0) * time_second_ns) / 1000);
    char *at = out;

    if (style == TIME_STYLE_EPOCH) {
        if (ns < 0) {
            *at++ = '-';
            seconds = -(ns / time_second_ns);
            microseconds = (unsigned)(-(ns % time_second_ns) / 1000);
        }
        at = text_u64(at, (uint64_t)seconds);
        return (size_t)((fraction ? put_fraction(at, microseconds) : at) - out);
    }
    if (ns == 0 && style == TIME_STYLE_PLAIN) {
        at = text_literal(at, "0000-00-00 00:00:00");
        return (size_t)((fraction ? put_fraction(at, 0) : at) - out);
    }
    offset = utc ? 0 : local_offset(seconds);
    at = put_civil(at, seconds + offset, style == TIME_STYLE_PLAIN ? ' ' : 'T');
    if (fraction)
        at = put_fraction(at, microseconds);
    if (style == TIME_STYLE_RFC3339)
        at = put_zone(at, offset);
    return (size_t)(at - out);
}

/* `format` with each %s replaced by the digits: strftime would take the broken-down time for a local one. */
static bool expand_epoch(const char *format, int64_t seconds, char *out, size_t size)
{
    size_t used = 0;

    for (; *format; format++) {
        if (used + text_u64_max + 2 > size)
            return false;
        if (format[0] == '%' && format[1] == 's') {
            if (seconds < 0)
                out[used++] = '-';
            used = (size_t)(text_u64(out + used, (uint64_t)(seconds < 0 ? -seconds : seconds)) - out);
            format++;
            continue;
        }
        out[used++] = *format;
        if (format[0] == '%' && format[1] != '\0')
            out[used++] = *++format;
    }
    out[used] = '\0';
    return true;
}

size_t time_strftime(int64_t seconds, bool utc, const char *format, char *out, size_t size)
{
    char expanded[4096];
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!expand_epoch(format, seconds, expanded, sizeof(expanded)))
        return 0;
    if (!(utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)))
        return 0;
    return strftime(out, size, expanded, &tm);
}

void time_zone_text(int64_t seconds, bool utc, char out[8])
{
    *put_zone(out, utc ? 0 : local_offset(seconds)) = '\0';
}
