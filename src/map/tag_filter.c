/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/tag_filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define blanks " \t"
#define no_label "null"
#define notice_max 160

struct range {
    uint64_t first, last;
};

struct tag_filter {
    bool decides; /* there is an entry with a minus */
    struct range denied;
    char notice[notice_max]; /* empty: none */
    unsigned count;
    struct range taken[]; /* ascending, none overlaps another */
};

struct label_filter {
    char *text;         /* where the names are */
    const char *denied; /* the name behind the minus, or NULL */
    char notice[notice_max];
    unsigned count;
    const char *taken[];
};

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* The next entry of a list, without blanks around it; empty ones are passed over. NULL at the end. */
static char *next_entry(char **at)
{
    while (*at != NULL) {
        char *entry = *at + strspn(*at, blanks), *end = strchr(*at, ',');

        *at = end == NULL ? NULL : end + 1;
        if (end == NULL)
            end = entry + strlen(entry);
        while (end > entry && strchr(blanks, end[-1]) != NULL)
            end--;
        if (end > entry) {
            *end = '\0';
            return entry;
        }
    }
    return NULL;
}

static unsigned entries_at_most(const char *list)
{
    unsigned count = 1;

    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

/* Only of the first such entry. */
static void note_idle(char *notice, const char *idle, const char *decider)
{
    if (notice[0] == '\0')
        snprintf(notice, notice_max, "'%.40s' is never asked: '%.40s' before it decides on all that is left", idle,
                 decider);
}

/* ---- tags -------------------------------------------------------------------------------------------------------- */

static bool read_number(const char **at, uint64_t *number)
{
    char *end;

    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *number = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0;
}

/* `skip`: 1 when there is a minus before it. */
static int read_range(const char *entry, unsigned skip, struct range *range, struct error *error)
{
    const char *at = entry + skip;
    bool good = read_number(&at, &range->first);

    range->last = range->first;
    if (good && *at == '-') {
        at++;
        good = read_number(&at, &range->last);
    }
    if (!good || *at != '\0')
        return error_set(error, "'%.60s' is no tag, expected a number up to 18446744073709551615, a range like 10-20, "
                         "or one of them with a minus before it", entry);
    if (range->first > range->last)
        return error_set(error, "the range '%.60s' ends before it begins", entry);
    return 0;
}

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left, *b = right;

    return a->first < b->first ? -1 : a->first > b->first;
}

/* Sorted, and joined where they overlap. */
static void settle_ranges(struct tag_filter *filter)
{
    unsigned count = 0;

    qsort(filter->taken, filter->count, sizeof(filter->taken[0]), compare_ranges);
    for (unsigned i = 0; i < filter->count; i++) {
        struct range *last = count > 0 ? &filter->taken[count - 1] : NULL;

        if (last != NULL && filter->taken[i].first <= last->last)
            last->last = max_u64(last->last, filter->taken[i].last);
        else
            filter->taken[count++] = filter->taken[i];
    }
    filter->count = count;
}

/* Entries after the one that decides are read all the same: what is wrong in them is told. */
static int read_tags(struct tag_filter *filter, char *list, struct error *error)
{
    const char *decider = NULL;
    char *entry = next_entry(&list);

    if (entry == NULL)
        return error_set(error, "the list of tags is empty");
    for (; entry != NULL; entry = next_entry(&list)) {
        bool denied = *entry == '-';
        struct range range;

        if (read_range(entry, denied, &range, error) < 0)
            return -1;
        if (decider != NULL) {
            note_idle(filter->notice, entry, decider);
        } else if (denied) {
            decider = entry;
            filter->decides = true;
            filter->denied = range;
        } else {
            filter->taken[filter->count++] = range;
        }
    }
    return 0;
}

struct tag_filter *tag_filter_new(const char *list, struct error *error)
{
    struct tag_filter *filter = calloc(1, sizeof(*filter) + entries_at_most(list) * sizeof(filter->taken[0]));
    char *copy = strdup(list);
    bool good = false;

    if (filter == NULL || copy == NULL)
        error_set(error, "out of memory for a list of tags");
    else
        good = read_tags(filter, copy, error) == 0;
    free(copy);
    if (!good) {
        free(filter);
        return NULL;
    }
    settle_ranges(filter);
    return filter;
}

void tag_filter_free(struct tag_filter *filter)
{
    free(filter);
}

int tag_filter_check(const char *list, struct error *error)
{
    struct tag_filter *filter = tag_filter_new(list, error);

    tag_filter_free(filter);
    return filter == NULL ? -1 : 0;
}

const char *tag_filter_notice(const struct tag_filter *filter)
{
    return filter->notice[0] != '\0' ? filter->notice : NULL;
}

static bool in_range(const struct range *range, uint64_t tag)
{
    return tag >= range->first && tag <= range->last;
}

bool tag_filter_match(const struct tag_filter *filter, uint64_t tag)
{
    unsigned low = 0, high = filter->count; /* the ranges before `low` begin at or before the tag */

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (filter->taken[middle].first <= tag)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && tag <= filter->taken[low - 1].last)
        return true;
    return filter->decides && !in_range(&filter->denied, tag);
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static int read_labels(struct label_filter *filter, char *list, struct error *error)
{
    const char *decider = NULL;
    char *entry = next_entry(&list);

    if (entry == NULL)
        return error_set(error, "the list of labels is empty");
    for (; entry != NULL; entry = next_entry(&list)) {
        bool denied = *entry == '-';

        if (denied && entry[1] == '\0')
            return error_set(error, "'-' is no label, expected one behind the minus");
        if (decider != NULL) {
            note_idle(filter->notice, entry, decider);
        } else if (denied) {
            decider = entry;
            filter->denied = entry + 1;
        } else {
            filter->taken[filter->count++] = entry;
        }
    }
    return 0;
}

struct label_filter *label_filter_new(const char *list, struct error *error)
{
    struct label_filter *filter = calloc(1, sizeof(*filter) + entries_at_most(list) * sizeof(filter->taken[0]));

    if (filter != NULL)
        filter->text = strdup(list);
    if (filter == NULL || filter->text == NULL) {
        error_set(error, "out of memory for a list of labels");
        free(filter);
        return NULL;
    }
    if (read_labels(filter, filter->text, error) < 0) {
        label_filter_free(filter);
        return NULL;
    }
    return filter;
}

void label_filter_free(struct label_filter *filter)
{
    if (filter == NULL)
        return;
    free(filter->text);
    free(filter);
}

int label_filter_check(const char *list, struct error *error)
{
    struct label_filter *filter = label_filter_new(list, error);

    label_filter_free(filter);
    return filter == NULL ? -1 : 0;
}

const char *label_filter_notice(const struct label_filter *filter)
{
    return filter->notice[0] != '\0' ? filter->notice : NULL;
}

/* Whether `name` is one of the labels; of a record without any, the word for that. */
static bool has_label(const struct span *labels, const char *name)
{
    size_t length = strlen(name), left = labels->length;
    const char *at = labels->data;

    if (left == 0)
        return strcmp(name, no_label) == 0;
    for (;;) {
        const char *comma = memchr(at, ',', left);
        size_t label = comma != NULL ? (size_t)(comma - at) : left;

        if (label == length && memcmp(at, name, length) == 0)
            return true;
        if (comma == NULL)
            return false;
        at += label + 1;
        left -= label + 1;
        if (left == 0)
            return false;
    }
}

bool label_filter_match(const struct label_filter *filter, const struct span *labels)
{
    for (unsigned i = 0; i < filter->count; i++)
        if (has_label(labels, filter->taken[i]))
            return true;
    return filter->denied != NULL && !has_label(labels, filter->denied);
}
