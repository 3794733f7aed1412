/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nasty strings through every STRING field: JSON stays valid and says the same, CSV reads back to the very bytes,
 * formatted output has no control character, and no row is longer than encoder_row_max, which is tried with the strings
 * that grow most. Random bytes come in the end.
 */
#include "base/base.h"

#include "lib/tap.h"
#include "unit/plugins/encode_rows.h"

#include <jansson.h>

struct text {
    const char *bytes;
    size_t length;
};

#define TEXT(s) {s, sizeof(s) - 1}

static const struct text nasty[] = {
    TEXT("\""), TEXT("\"\""), TEXT("\"\"\""), TEXT("\\"), TEXT("\\\\"), TEXT("\\\""), TEXT("\"\\"), TEXT("a\"b"),
    TEXT("\\u0041"), TEXT("\\n"), TEXT("\0"), TEXT("a\0b"), TEXT("\0\0\0"), TEXT("\n"), TEXT("\r"), TEXT("\r\n"),
    TEXT("a\r\nb"), TEXT("\t"), TEXT("\b\f\v"), TEXT("\x1b[2J"), TEXT("\x1b]0;owned\x07"), TEXT("\x7f"),
    TEXT("\xff"), TEXT("\xff\xff\xff\xff"), TEXT("\xc3\x28"), TEXT("\xc3"), TEXT("ab\xe2\x82"), TEXT("\xe2\x82\xac"),
    TEXT("\xe2\x80\xa8"), TEXT("\xe2\x80\xa9"), TEXT("\xc0\x80"), TEXT("\xc0\xaf"), TEXT("\xe0\x80\xaf"),
    TEXT("\xed\xa0\x80"), TEXT("\xed\xbf\xbf"), TEXT("\xf0\x9f\x98\x80"), TEXT("\xf4\x8f\xbf\xbf"),
    TEXT("\xf4\x90\x80\x80"), TEXT("\xf8\x88\x80\x80\x80"), TEXT("\x80"), TEXT("\xc2\x9b" "31m"), TEXT("\xc2\x85"),
    TEXT("\xef\xbb\xbf"), TEXT("\xe2\x80\xae" "abc"), TEXT("=cmd|'/C calc'!A0"), TEXT("+1"), TEXT("-1"),
    TEXT("@SUM(1)"),
    TEXT("');DROP TABLE acct;--"), TEXT(","), TEXT(",,"), TEXT("a,b"), TEXT(";"), TEXT(" "), TEXT("  a  "),
    TEXT("{}"), TEXT("[1,2]"), TEXT("</script>"), TEXT("%s%n%x"), TEXT("$(reboot)"), TEXT("`id`"), TEXT("null"),
    TEXT("0"), TEXT("\", \"bytes\": 1, \"x\": \""), TEXT("1234567\"9"), TEXT("12345678\x01"),
    TEXT("1234567\xff" "90123456\n"),
    TEXT("%"), TEXT("a%b,a%c"), TEXT("_ _,_"), TEXT("\xcc\x81"),
};

/* What JSON says of these bytes: the well-formed characters, and U+FFFD for each byte that is part of none. */
static size_t repaired(const struct text *text, char *out)
{
    const uint8_t *at = (const uint8_t *)text->bytes, *end = at + text->length;
    size_t used = 0;

    while (at < end) {
        size_t size = 1;

        /* By jansson: the longest sequence from here that is a string on its own. */
        for (size = (size_t)(end - at) < 4 ? (size_t)(end - at) : 4; size > 0; size--) {
            json_t *one;
            bool single = (*at & 0x80) == 0 ? size == 1 : true;

            if (!single)
                continue;
            for (size_t i = 1; i < size; i++)
                single = single && (at[i] & 0xc0) == 0x80;
            if (!single)
                continue;
            one = json_stringn((const char *)at, size);
            if (!one)
                continue;
            json_decref(one);
            break;
        }
        if (size == 0) {
            memcpy(out + used, "\xef\xbf\xbd", 3);
            used += 3;
            at++;
            continue;
        }
        memcpy(out + used, at, size);
        used += size;
        at += size;
    }
    return used;
}

static bool json_says(const struct rows *rows, enum field_id id, const struct text *text)
{
    struct encode_options options = {.format = ENCODE_JSON, .event_type = "purge"};
    static char want[3 * flow_string_max];
    size_t length, want_length = repaired(text, want);
    char *row = rows_text(rows, &options, &length);
    json_error_t error;
    json_t *object = json_loadb(row, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    json_t *value = json_object_get(object, field_table[id].json);
    bool good = object && memchr(row, '\n', length) == row + length - 1;

    if (id == FIELD_SRV6_SEG_IPV6_LIST)
        good = good && json_is_array(value);
    else if (text->length == 0)
        good = good && json_is_string(value);
    else
        good = good && json_string_length(value) == want_length &&
               memcmp(json_string_value(value), want, want_length) == 0;
    json_decref(object);
    free(row);
    return good;
}

/* Arrays and objects of the same strings must be valid, too; their parts come in order. */
static bool structures_are_valid(const struct rows *rows)
{
    struct encode_options options = {.format = ENCODE_JSON,
                                     .as_path_array = true,
                                     .communities_array = true,
                                     .mpls_stack_array = true,
                                     .label_map = true};
    size_t length;
    char *row = rows_text(rows, &options, &length);
    json_error_t error;
    json_t *object = json_loadb(row, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    bool good = object && memchr(row, '\n', length) == row + length - 1;

    if (!good)
        printf("# %s: %.200s\n", error.text, row);
    json_decref(object);
    free(row);
    return good;
}

static bool csv_says(const struct rows *rows, enum field_id id, const struct text *text, char separator)
{
    struct encode_options options = {.format = ENCODE_CSV, .separator = separator};
    size_t length, count = 0;
    char *row, *got = NULL, *at, *end;
    bool good = false, quoted, needs = false;

    if (!field_table[id].title)
        return true;
    row = rows_text(rows, &options, &length);
    got = malloc(length + 1);
    /* The string is the first of three columns. */
    at = row;
    end = row + length;
    quoted = *at == '"';
    at += quoted;
    while (got && at < end) {
        if (quoted && *at == '"') {
            if (at[1] != '"')
                break;
            at++;
        } else if (!quoted && (*at == separator || *at == '\n')) {
            break;
        }
        got[count++] = *at++;
    }
    for (size_t i = 0; i < text->length; i++)
        needs = needs || text->bytes[i] == separator || strchr("\"\r\n", text->bytes[i] ? text->bytes[i] : 'x');
    good = got && count == text->length && (count == 0 || memcmp(got, text->bytes, count) == 0) && quoted == needs;
    at += quoted;
    good = good && (size_t)(end - at) == 5 && at[0] == separator && at[1] == '0' && at[3] == '0' && at[4] == '\n';
    if (text->length == 0)
        good = true; /* the class says "unknown"; the matrix looks at that */
    free(got);
    free(row);
    return good;
}

static bool formatted_is_clean(const struct rows *rows)
{
    struct encode_options options = {.format = ENCODE_FORMATTED};
    size_t length;
    char *row = rows_text(rows, &options, &length);
    bool good = row[length - 1] == '\n';

    for (size_t i = 0; i + 1 < length; i++) {
        uint8_t byte = (uint8_t)row[i];
        good = good && byte >= 0x20 && byte != 0x7f && !(byte == 0xc2 && (uint8_t)row[i + 1] < 0xa0);
    }
    for (size_t i = 0; i < length && good; i++) {
        json_t *text = NULL;

        if (i == 0)
            text = json_stringn(row, length); /* NULL when it is not UTF-8 */
        good = i > 0 || text;
        json_decref(text);
    }
    free(row);
    return good;
}

/* Interns at most flow_string_max bytes, as the decoders hand over. */
static void open_with(struct rows *rows, enum field_id id, const struct text *text)
{
    struct field_set fields = {{0}};

    field_set_add(&fields, id);
    rows_open_set(rows, &fields);
    rows_put_string(rows, id, text->bytes, text->length);
}

static bool holds(enum field_id id, const struct text *text)
{
    struct rows rows;
    bool good;

    open_with(&rows, id, text);
    good = json_says(&rows, id, text) && structures_are_valid(&rows) && csv_says(&rows, id, text, ',') &&
           csv_says(&rows, id, text, ';') && csv_says(&rows, id, text, '\t') && formatted_is_clean(&rows);
    rows_close(&rows);
    if (!good) {
        printf("# %s with", field_table[id].json);
        for (size_t i = 0; i < text->length && i < 64; i++)
            printf(" %02x", (uint8_t)text->bytes[i]);
        printf("\n");
    }
    return good;
}

static void test_nasty(void)
{
    ok(array_length(nasty) >= 60, "%zu nasty strings", array_length(nasty));
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        bool good = true;

        if (field_table[id].type != FIELD_TYPE_STRING)
            continue;
        for (unsigned i = 0; i < array_length(nasty); i++)
            good = holds((enum field_id)id, &nasty[i]) && good;
        ok(good, "nasty strings in %s", field_table[id].json);
    }
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void test_random(void)
{
    /* Bytes that matter come often. */
    static const char favourites[] = "\"\\,_ %\r\n\t\x01\xc2\xe2\xf0\x80\x9b\xbf\xff";
    bool good = true;
    char bytes[flow_string_max];

    for (unsigned round = 0; round < 3000 && good; round++) {
        static const enum field_id ids[] = {FIELD_LABEL, FIELD_AS_PATH, FIELD_STD_COMM, FIELD_MPLS_LABEL_STACK,
                                            FIELD_SRV6_SEG_IPV6_LIST};
        struct text text = {bytes, 1 + random_u64() % (round % 10 == 0 ? sizeof(bytes) : 40)};

        for (size_t i = 0; i < text.length; i++)
            bytes[i] = random_u64() % 3 ? favourites[random_u64() % (sizeof(favourites) - 1)] : (char)random_u64();
        good = holds(ids[round % array_length(ids)], &text);
    }
    ok(good, "3000 random strings");
}

/*
 * The bound: all fields at once, each string filled with what grows most; rows_text gives up when the bound is
 * passed.
 */
static void test_bounds(void)
{
    static const struct text fillings[] = {
        TEXT("\x01"), TEXT("\xff"), TEXT("\""), TEXT("_"), TEXT("\x01_"), TEXT("\x01,"), TEXT("\x01\x01,"), TEXT("%,"),
        TEXT("\x01%,"), TEXT("\"_"), TEXT(","), TEXT("a"), TEXT("\r\n"), TEXT("\xe2\x82"),
    };
    static const char separators[] = ",;.0 \t";
    char bytes[2 * flow_string_max];

    for (unsigned f = 0; f < array_length(fillings); f++) {
        struct field_set all = {{0}};
        struct rows rows;
        size_t longest = 0;

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = fillings[f].bytes[i % fillings[f].length];
        for (unsigned id = 0; id < FIELD_COUNT; id++)
            field_set_add(&all, (enum field_id)id);
        rows_open_set(&rows, &all);
        memset(rows.body, 0xff, rows.layout.body_bytes);
        for (unsigned id = 0; id < FIELD_COUNT; id++) {
            if (field_table[id].type == FIELD_TYPE_STRING) /* one longer than allowed is cut */
                rows_put_string(&rows, (enum field_id)id, bytes, flow_string_max + id);
            if (field_table[id].type == FIELD_TYPE_REAL)
                rows_put_bytes(&rows, (enum field_id)id, &(double){-999999999999.0}, 8);
        }
        for (unsigned mode = 0; mode < 5 * 2 * 2 * (sizeof(separators) - 1); mode++) {
            bool rich = mode & 1;
            struct encode_options options = {.format = (enum encode_format)(mode / 4 % 5),
                                             .dialect = mode & 2 ? ENCODE_CLIENT : ENCODE_PLUGIN,
                                             .separator = separators[mode / 20],
                                             .tcp_flags_array = rich,
                                             .as_path_array = rich,
                                             .communities_array = rich,
                                             .mpls_stack_array = rich,
                                             .label_map = rich,
                                             .fwd_status_text = rich,
                                             .history = rich,
                                             .purge_seconds = -9000000000,
                                             .time_style = rich ? TIME_STYLE_RFC3339 : TIME_STYLE_PLAIN,
                                             .event_type = "\x01\x02\x03",
                                             .writer_id = "\x01\x02\x03"};
            size_t length;

            free(rows_text(&rows, &options, &length));
            longest = length > longest ? length : longest;
            free(rows_header(&rows, &options));
        }
        ok(longest > flow_string_max, "rows of strings of filling %u keep the bound; the longest has %zu bytes", f,
           longest);
        rows_close(&rows);
    }
}

static void test_cut(void)
{
    static char bytes[65536];
    struct text text = {bytes, sizeof(bytes)};
    struct encode_options options = {.format = ENCODE_EVENT_CSV};
    struct rows rows;
    size_t length;

    memset(bytes, 'x', sizeof(bytes));
    open_with(&rows, FIELD_LABEL, &text);
    free(rows_text(&rows, &options, &length));
    is_u64(length, flow_string_max + 1, "64 kB are cut to flow_string_max");
    options.format = ENCODE_JSON;
    memset(bytes, 0xff, sizeof(bytes));
    rows_put_string(&rows, FIELD_LABEL, bytes, sizeof(bytes));
    free(rows_text(&rows, &options, &length));
    ok(length > 6 * flow_string_max && length < 6 * flow_string_max + 64, "in JSON, too");
    rows_close(&rows);
}

int main(void)
{
    plan_none();
    test_nasty();
    test_random();
    test_bounds();
    test_cut();
    return done_testing();
}
