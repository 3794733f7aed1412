/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fold: strings of the tail with every length cut short, time bins with their cache, DSCP. The bins come from a
 * time_bin of this file, which counts its calls: what civil time does is tested elsewhere.
 */
#include "plugins/common/fold.h"

#include "lib/tap.h"

static unsigned bin_calls;
static _Alignas(8) uint8_t folded[128]; /* where results go */

int64_t time_bin(const struct time_bins *bins, int64_t seconds, int64_t *end)
{
    int64_t width = bins->count, start = seconds - ((seconds % width) + width) % width;

    bin_calls++;
    *end = start + width;
    return start;
}

static void test_bins(void)
{
    struct layout layout = {.key_bytes = 16, .value_count = 2, .body_bytes = 32, .bin_offset = 8};
    struct time_bins bins = {.count = 300};
    _Alignas(8) uint8_t body[32] = {0};
    struct fold fold;
    static const struct {
        int64_t ns, bin;
    } cases[] = {{INT64_C(1000000000) * 600, 600},         {INT64_C(1000000000) * 899 + 999999999, 600},
                 {INT64_C(1000000000) * 900, 900},         {INT64_C(1000000000) * 900 - 1, 600},
                 {1, 0},                                   {-1, -300},
                 {-INT64_C(1000000000) * 300, -300},       {-INT64_C(1000000000) * 300 - 1, -600},
                 {INT64_C(1000000000) * 1795217431, 1795217400}};

    fold_init(&fold, &layout, &(struct fold_options){.bins = NULL});
    ok(fold_is_empty(&fold), "nothing configured");
    fold_init(&fold, &layout, &(struct fold_options){.bins = &bins});
    ok(!fold_is_empty(&fold), "history");
    for (unsigned i = 0; i < array_length(cases); i++) {
        store_u64(body + 8, (uint64_t)cases[i].ns);
        fold_run(&fold, body, sizeof(body), NULL, folded);
        is_u64(load_u64(folded + 8), (uint64_t)cases[i].bin, "%lld ns", (long long)cases[i].ns);
    }
    bin_calls = 0;
    for (int64_t second = 3000; second < 6000; second++) {
        store_u64(body + 8, (uint64_t)(second * time_second_ns));
        fold_run(&fold, body, sizeof(body), NULL, folded);
    }
    is_u64(bin_calls, 10, "ten bins, ten calls of time_bin");
    store_u64(body + 8, 0);
    fold_run(&fold, body, sizeof(body), NULL, folded);
    is_u64(load_u64(folded + 8), 0, "no base time, no bin");
    store_u64(body + 8, 77);
    fold_run(&fold, body, sizeof(body), NULL, folded);
    is_u64(load_u64(body + 8), 77, "the record itself stays as it was");
}

static void test_dscp(void)
{
    struct layout layout = {.key_bytes = 8, .value_count = 2, .body_bytes = 24, .slot_count = 2, .bin_offset = -1};
    _Alignas(8) uint8_t body[24] = {6, 0xb9};
    struct fold fold;

    layout.slots[0] = (struct layout_slot){.field = FIELD_PROTO, .offset = 0, .bytes = 1};
    layout.slots[1] = (struct layout_slot){.field = FIELD_TOS, .offset = 1, .bytes = 1};
    fold_init(&fold, &layout, &(struct fold_options){.dscp = true});
    ok(!fold_is_empty(&fold), "DSCP is asked for");
    fold_run(&fold, body, sizeof(body), NULL, folded);
    ok(folded[0] == 6 && folded[1] == 0x2e, "TOS 0xb9 is DSCP 46");
    layout.slot_count = 1;
    fold_init(&fold, &layout, &(struct fold_options){.dscp = true});
    ok(fold_is_empty(&fold), "without a TOS slot there is nothing to do");
}

static size_t tail_put(uint8_t *record, size_t at, uint16_t length, const char *text)
{
    memcpy(record + at, &length, 2);
    memcpy(record + at + 2, text, strlen(text));
    return at + 2 + strlen(text);
}

static uint32_t string_at(const struct intern *intern, const uint8_t *body, unsigned offset, const char *want)
{
    uint32_t length;
    const char *text = intern_get(intern, load_u32(body + offset), &length);

    return length == strlen(want) && memcmp(text, want, length) == 0;
}

static void test_strings(void)
{
    struct layout layout = {.key_bytes = 16, .value_count = 2, .body_bytes = 32, .bin_offset = -1, .string_count = 3,
                            .string_offsets = {8, 4, 0}};
    struct intern *intern = intern_new();
    _Alignas(8) uint8_t whole[128] = {0}, record[128];
    struct fold fold;
    size_t at = 32, first_end, second_end, end;
    bool good = true;

    first_end = at = tail_put(whole, at, 5, "65001");
    at = tail_put(whole, at, 0, "");
    second_end = at;
    end = tail_put(whole, at, 9, "65001_777");
    fold_init(&fold, &layout, &(struct fold_options){.bins = NULL});
    ok(!fold_is_empty(&fold), "strings");
    memcpy(record, whole, sizeof(record));
    fold_run(&fold, record, align_up(end, 8), intern, folded);
    ok(string_at(intern, folded, 8, "65001") && string_at(intern, folded, 4, "") &&
           string_at(intern, folded, 0, "65001_777"),
       "strings become ids, in the order of the tail");
    is_u64(intern_count(intern), 2, "the empty one takes none");
    for (size_t bytes = 32; bytes <= end; bytes++) {
        uint8_t exact[128];

        memset(exact, 0xee, sizeof(exact)); /* ids and what lies behind the end are rubbish */
        memcpy(exact, whole, bytes);
        fold_run(&fold, exact, bytes, intern, folded);
        good = good && string_at(intern, folded, 8, bytes >= first_end ? "65001" : "") &&
               string_at(intern, folded, 4, "") && string_at(intern, folded, 0, bytes >= end ? "65001_777" : "");
    }
    ok(good && second_end < end, "a tail cut anywhere gives empty strings from there on");
    is_u64(intern_count(intern), 2, "and no new ones");
    memcpy(record, whole, sizeof(record));
    memset(record + 32, 0xff, 2);
    fold_run(&fold, record, sizeof(record), intern, folded);
    ok(string_at(intern, folded, 8, "") && string_at(intern, folded, 4, "") && string_at(intern, folded, 0, ""),
       "a length beyond the end ends the tail");
    intern_free(intern);
}

/* Times are cut to microseconds, or to seconds with timestamps_secs; they are never rounded up. */
static void test_times(void)
{
    struct layout layout = {.key_bytes = 16, .value_count = 2, .body_bytes = 32, .bin_offset = -1, .slot_count = 1};
    _Alignas(8) uint8_t body[32] = {0};
    struct fold fold;

    layout.slots[0] = (struct layout_slot){FIELD_TIMESTAMP_ARRIVAL, 8, 8, FIELD_TYPE_TIME, FIELD_ROLE_KEY};
    fold_init(&fold, &layout, &(struct fold_options){.seconds = false});
    ok(!fold_is_empty(&fold), "a time in the key is work for the fold");
    store_u64(body + 8, UINT64_C(1795217431123456789));
    fold_run(&fold, body, sizeof(body), NULL, folded);
    is_u64(load_u64(folded + 8), UINT64_C(1795217431123456000), "microseconds");
    fold_init(&fold, &layout, &(struct fold_options){.seconds = true});
    fold_run(&fold, body, sizeof(body), NULL, folded);
    is_u64(load_u64(folded + 8), UINT64_C(1795217431000000000), "seconds");
}

int main(void)
{
    plan_none();
    test_bins();
    test_times();
    test_dscp();
    test_strings();
    return done_testing();
}
