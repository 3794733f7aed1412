/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters by tags and labels: what each list lets in, as pmacct's nfacctd 1.7.7 was seen to read them, against a
 * reading entry by entry for random lists, and what is refused.
 */
#include "map/tag_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/tap.h"

#define tags_tried 13 /* 0 to 12 */

static void check_tags(void)
{
    static const struct {
        const char *list, *taken; /* taken: a digit per tag, 0 to 12 */
    } cases[] = {
        {"7", "0000000100000"},          {"0", "1000000000000"},     {"0,3", "1001000000000"},
        {"1-3", "0111000000000"},        {"5-5", "0000010000000"},   {"1-3,2-9,12", "0111111111001"},
        {"-7", "1111111011111"},         {"-0", "0111111111111"},    {"-5-8", "1111100001111"},
        {"7,-8", "1111111101111"},       {"7,-7", "1111111111111"},  {"-7,7", "1111111011111"},
        {"-7,-8", "1111111011111"},      {"-7,8", "1111111011111"},  {"0,10,-7,1-3", "1111111011111"},
        {" 1 ,\t2 ", "0110000000000"},   {"1,,2,", "0110000000000"}, {"007", "0000000100000"},
        {"0-18446744073709551615", "1111111111111"},
        {"18446744073709551615", "0000000000000"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};
        struct tag_filter *filter = tag_filter_new(cases[i].list, &error);
        char taken[tags_tried + 1] = "";

        for (unsigned tag = 0; filter != NULL && tag < tags_tried; tag++)
            taken[tag] = tag_filter_match(filter, tag) ? '1' : '0';
        is_text(filter != NULL ? taken : error.text, cases[i].taken, "the tags that '%s' takes", cases[i].list);
        tag_filter_free(filter);
    }
}

static void check_large_tags(void)
{
    struct error error;
    struct tag_filter *filter =
        tag_filter_new("18446744073709551615,18446744073709551610-18446744073709551612", &error);

    ok(tag_filter_match(filter, UINT64_MAX) && tag_filter_match(filter, UINT64_MAX - 3) &&
           !tag_filter_match(filter, UINT64_MAX - 1) && !tag_filter_match(filter, 0), "the largest tags");
    tag_filter_free(filter);
    tag_filter_free(NULL);
}

static void check_tag_errors(void)
{
    static const struct {
        const char *list, *part;
    } cases[] = {
        {"", "the list of tags is empty"},
        {" , ", "the list of tags is empty"},
        {"x", "'x' is no tag, expected a number up to 18446744073709551615, a range like 10-20, or one of them with a"},
        {"1,7x", "'7x' is no tag"},
        {"1 2", "'1 2' is no tag"},
        {"+3", "'+3' is no tag"},
        {"0x5", "'0x5' is no tag"},
        {"--3", "'--3' is no tag"},
        {"-", "'-' is no tag"},
        {"5-", "'5-' is no tag"},
        {"5 - 8", "'5 - 8' is no tag"},
        {"1-2-3", "'1-2-3' is no tag"},
        {"18446744073709551616", "'18446744073709551616' is no tag"},
        {"1-18446744073709551616", "is no tag"},
        {"3-1", "the range '3-1' ends before it begins"},
        {"-3-1", "the range '-3-1' ends before it begins"},
        {"-7,x", "'x' is no tag"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};

        ok(tag_filter_check(cases[i].list, &error) < 0 && strstr(error.text, cases[i].part) != NULL, "'%s': %s",
           cases[i].list, cases[i].part);
        if (strstr(error.text, cases[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
    ok(tag_filter_check("1,-2", NULL) == 0 && tag_filter_check("x", NULL) < 0, "a caller who wants no phrase");
}

static void check_notices(void)
{
    struct error error;
    struct tag_filter *tags = tag_filter_new("1,-7,-8,9", &error);
    struct label_filter *labels = label_filter_new("-a,b,c", &error);

    is_text(tag_filter_notice(tags), "'-8' is never asked: '-7' before it decides on all that is left",
            "what has no effect is told, once");
    is_text(label_filter_notice(labels), "'b' is never asked: '-a' before it decides on all that is left",
            "of labels, too");
    tag_filter_free(tags);
    label_filter_free(labels);
    tags = tag_filter_new("1,2,-7,", &error);
    labels = label_filter_new("a,-b", &error);
    ok(tag_filter_notice(tags) == NULL && label_filter_notice(labels) == NULL, "and nothing where all is asked");
    tag_filter_free(tags);
    label_filter_free(labels);
}

/* ---- random lists ------------------------------------------------------------------------------------------------ */

struct entry {
    uint64_t first, last;
    bool denied;
};

/* As the header of the file says it, word for word. */
static bool reference(const struct entry *entries, unsigned count, uint64_t tag)
{
    for (unsigned i = 0; i < count; i++) {
        bool within = tag >= entries[i].first && tag <= entries[i].last;

        if (entries[i].denied)
            return !within;
        if (within)
            return true;
    }
    return false;
}

static unsigned differences(unsigned *seed)
{
    struct entry entries[24];
    char list[24 * 24] = "";
    unsigned count = 1 + (unsigned)rand_r(seed) % 24, wrong = 0;
    struct tag_filter *filter;
    struct error error;
    size_t at = 0;

    for (unsigned i = 0; i < count; i++) {
        entries[i].first = (uint64_t)(rand_r(seed) % 60);
        entries[i].last = entries[i].first + (uint64_t)(rand_r(seed) % 3 == 0 ? rand_r(seed) % 20 : 0);
        entries[i].denied = rand_r(seed) % 10 == 0;
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s%u-%u", i > 0 ? "," : "",
                               entries[i].denied ? "-" : "", (unsigned)entries[i].first, (unsigned)entries[i].last);
    }
    filter = tag_filter_new(list, &error);
    for (uint64_t tag = 0; tag < 90; tag++)
        wrong += tag_filter_match(filter, tag) != reference(entries, count, tag);
    if (wrong > 0)
        printf("# %s\n", list);
    tag_filter_free(filter);
    return wrong;
}

static void check_random_lists(void)
{
    unsigned seed = (unsigned)time(NULL), start = seed, wrong = 0;

    for (unsigned i = 0; i < 2000; i++)
        wrong += differences(&seed);
    is_u64(wrong, 0, "2000 random lists, seed %u", start);
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static void check_labels(void)
{
    static const char *const labels[] = {"", "a", "b", "ab", "a,b", "b,a", "c", "abc", "null", "x,y,a", "a,"};
    static const struct {
        const char *list, *taken; /* a digit per row of `labels` */
    } cases[] = {
        {"a", "01001100011"},     {"-a", "10110011100"},    {"null", "10000000100"},  {"-null", "01111111011"},
        {"a,b", "01101100011"},   {"-a,-b", "10110011100"}, {"a,-b", "11011111111"},  {"-a,b", "10110011100"},
        {"-b,a", "11010011111"},  {"ab", "00010000000"},    {"x", "00000000010"},     {"-x", "11111111101"},
        {"null,c", "10000010100"}, {"abcd", "00000000000"}, {" a ,  b", "01101100011"}, {"a,,", "01001100011"},
        {"--a", "11111111111"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};
        struct label_filter *filter = label_filter_new(cases[i].list, &error);
        char taken[array_length(labels) + 1] = "";

        for (unsigned k = 0; filter != NULL && k < array_length(labels); k++) {
            struct span span = {labels[k], (uint32_t)strlen(labels[k])};

            taken[k] = label_filter_match(filter, &span) ? '1' : '0';
        }
        is_text(filter != NULL ? taken : error.text, cases[i].taken, "the labels that '%s' takes", cases[i].list);
        label_filter_free(filter);
    }
    label_filter_free(NULL);
}

static void check_label_errors(void)
{
    struct error error = {""};
    struct span bytes = {"b\0c,a", 5}, none = {NULL, 0};
    struct label_filter *filter = label_filter_new("a,null", &error);

    ok(label_filter_match(filter, &bytes), "labels are bytes with a length");
    ok(label_filter_match(filter, &none), "no label, no bytes");
    label_filter_free(filter);
    ok(label_filter_check("", &error) < 0 && strcmp(error.text, "the list of labels is empty") == 0, "an empty list");
    ok(label_filter_check("a,-", &error) < 0, "a minus alone");
    is_text(error.text, "'-' is no label, expected one behind the minus", "and what is said of it");
    ok(label_filter_check("a,-b", NULL) == 0 && label_filter_check(",", NULL) < 0, "a caller who wants no phrase");
}

int main(void)
{
    plan_none();
    check_tags();
    check_large_tags();
    check_tag_errors();
    check_notices();
    check_random_lists();
    check_labels();
    check_label_errors();
    return done_testing();
}
