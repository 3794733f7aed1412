/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader and a writer for each type of value, in one table by type. A reader gets the whole text, already without
 * blanks at its ends, and must understand all of it.
 */
#include "config/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

struct limits {
    int64_t low;
    uint64_t high;
};

/* "low..high" of the row; without one, anything that is not negative. */
static struct limits limits_of(const struct key *key)
{
    struct limits limits = {.low = 0, .high = UINT64_MAX};
    const char *p = key->range;
    bool negative;

    if (p == NULL)
        return limits;
    negative = *p == '-';
    p += negative;
    if (key->type == KEY_TYPE_OCTAL) {
        unsigned low = 0, high = 0;

        if (sscanf(p, "%o..%o", &low, &high) == 2)
            return (struct limits){.low = low, .high = high};
        return limits;
    }
    while (isdigit((unsigned char)*p))
        limits.low = limits.low * 10 + (*p++ - '0');
    if (negative)
        limits.low = -limits.low;
    p += strspn(p, ".");
    if (*p == '\0')
        return limits;
    for (limits.high = 0; isdigit((unsigned char)*p); p++)
        limits.high = limits.high * 10 + (uint64_t)(*p - '0');
    return limits;
}

/* Digits of the base, `length` of them. False when there are none, when something else is among them, on overflow. */
static bool digits(const char *text, size_t length, unsigned base, uint64_t *out)
{
    uint64_t n = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] >= (char)('0' + base))
            return false;
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
            return false;
    }
    *out = n;
    return true;
}

static bool within(const struct key *key, uint64_t n)
{
    struct limits limits = limits_of(key);

    return (limits.low < 0 || n >= (uint64_t)limits.low) && n <= limits.high;
}

static bool read_bool(const struct key *key, const char *text, void *to)
{
    (void)key;
    if (strcasecmp(text, "true") == 0)
        *(bool *)to = true;
    else if (strcasecmp(text, "false") == 0)
        *(bool *)to = false;
    else
        return false;
    return true;
}

static bool read_number(const struct key *key, const char *text, void *to)
{
    uint64_t n;

    if (!digits(text, strlen(text), key->type == KEY_TYPE_OCTAL ? 8 : 10, &n) || !within(key, n))
        return false;
    *(uint64_t *)to = n;
    return true;
}

static bool read_signed(const struct key *key, const char *text, void *to)
{
    struct limits limits = limits_of(key);
    bool negative = text[0] == '-';
    uint64_t n;
    int64_t value;

    text += negative || text[0] == '+';
    if (!digits(text, strlen(text), 10, &n) || n > INT64_MAX)
        return false;
    value = negative ? -(int64_t)n : (int64_t)n;
    if (value < limits.low || (value > 0 && n > limits.high))
        return false;
    *(int64_t *)to = value;
    return true;
}

/* Bytes may end in K, M or G: powers of 1024. */
static bool read_bytes(const struct key *key, const char *text, void *to)
{
    static const char letters[] = "KMG";
    size_t length = strlen(text);
    const char *letter = length > 0 ? strchr(letters, toupper((unsigned char)text[length - 1])) : NULL;
    uint64_t n, factor = 1;

    if (letter != NULL) {
        factor = UINT64_C(1) << (10 * (letter - letters + 1));
        length--;
    }
    if (!digits(text, length, 10, &n) || __builtin_mul_overflow(n, factor, &n) || !within(key, n))
        return false;
    *(uint64_t *)to = n;
    return true;
}

static const char period_letters[] = "smhdwM"; /* in the order of enum time_unit */

static bool read_period(const struct key *key, const char *text, void *to)
{
    struct time_bins *bins = to;
    size_t length = strlen(text);
    const char *letter = length > 0 ? strchr(period_letters, text[length - 1]) : NULL;
    uint64_t n;

    (void)key;
    if (letter != NULL)
        length--;
    if (!digits(text, length, 10, &n) || n == 0 || n > UINT32_MAX)
        return false;
    bins->count = (uint32_t)n;
    bins->unit = letter == NULL ? TIME_UNIT_SECOND : (enum time_unit)(letter - period_letters);
    return true;
}

static bool read_roundoff(const struct key *key, const char *text, void *to)
{
    (void)key;
    if (text[0] == '\0' || text[strspn(text, "mhdwM")] != '\0')
        return false;
    *(const char **)to = text;
    return true;
}

static bool read_text(const struct key *key, const char *text, void *to)
{
    (void)key;
    if (text[0] == '\0')
        return false;
    *(const char **)to = text;
    return true;
}

static bool is_address(const char *text, size_t length)
{
    unsigned char bytes[16];
    char copy[INET6_ADDRSTRLEN];

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1;
}

static bool read_address(const struct key *key, const char *text, void *to)
{
    (void)key;
    if (!is_address(text, strlen(text)))
        return false;
    *(const char **)to = text;
    return true;
}

static bool read_addresses(const struct key *key, const char *text, void *to)
{
    const char *at = text, *word;
    size_t length;
    uint64_t count = 0, most = 0;

    if (!digits(key->range, strlen(key->range), 10, &most))
        return false;
    while (key_next_word(&at, ',', &word, &length)) {
        while (length > 0 && isblank((unsigned char)*word)) {
            word++;
            length--;
        }
        while (length > 0 && isblank((unsigned char)word[length - 1]))
            length--;
        if (!is_address(word, length))
            return false;
        count++;
    }
    if (count == 0 || count > most)
        return false;
    *(const char **)to = text;
    return true;
}

/* host:port, [v6]:port; the host may be a name. */
static bool read_endpoint(const struct key *key, const char *text, void *to)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;

    (void)key;
    if (colon == NULL || colon == text || !digits(colon + 1, strlen(colon + 1), 10, &port) || port == 0 || port > 65535)
        return false;
    *(const char **)to = text;
    return true;
}

/* The position of the word in the row's range, or -1. *later: it is one that is not supported yet. */
static int position(const struct key *key, const char *text, bool *later)
{
    const char *at = key->range, *word;
    size_t length;

    for (int i = 0; key_next_word(&at, '|', &word, &length); i++) {
        *later = *word == '!';
        if (*later) {
            word++;
            length--;
        }
        if (strlen(text) == length && strncasecmp(text, word, length) == 0)
            return i;
    }
    *later = false;
    return -1;
}

static bool read_word(const struct key *key, const char *text, void *to)
{
    bool later;

    if (position(key, text, &later) < 0 || later)
        return false;
    *(const char **)to = text;
    return true;
}

static bool read_choice(const struct key *key, const char *text, void *to)
{
    bool later;
    int i = position(key, text, &later);

    if (i < 0 || later)
        return false;
    *(int *)to = i;
    return true;
}

static bool read_separator(const struct key *key, const char *text, void *to)
{
    char *out = to;

    (void)key;
    if (strcmp(text, "\\t") == 0)
        *out = '\t';
    else if (strcmp(text, "\\s") == 0)
        *out = ' ';
    else if (text[0] != '\0' && text[1] == '\0' && isprint((unsigned char)text[0]))
        *out = text[0];
    else
        return false;
    return true;
}

static void write_bool(const struct key *key, const void *from, FILE *out)
{
    (void)key;
    fputs(*(const bool *)from ? "true" : "false", out);
}

static void write_number(const struct key *key, const void *from, FILE *out)
{
    if (key->type == KEY_TYPE_OCTAL)
        fprintf(out, "%03" PRIo64, *(const uint64_t *)from);
    else
        fprintf(out, "%" PRIu64, *(const uint64_t *)from);
}

static void write_signed(const struct key *key, const void *from, FILE *out)
{
    (void)key;
    fprintf(out, "%" PRId64, *(const int64_t *)from);
}

static void write_period(const struct key *key, const void *from, FILE *out)
{
    const struct time_bins *bins = from;

    (void)key;
    if (bins->count > 0)
        fprintf(out, "%" PRIu32 "%c", bins->count, period_letters[bins->unit]);
}

static void write_text(const struct key *key, const void *from, FILE *out)
{
    const char *text = *(const char *const *)from;

    if (text != NULL)
        fputs(key->type == KEY_TYPE_SECRET ? "***" : text, out);
}

static void write_choice(const struct key *key, const void *from, FILE *out)
{
    const char *at = key->range, *word;
    size_t length;

    for (int i = 0; key_next_word(&at, '|', &word, &length); i++)
        if (i == *(const int *)from)
            fprintf(out, "%.*s", (int)length, word);
}

static void write_separator(const struct key *key, const void *from, FILE *out)
{
    char c = *(const char *)from;

    (void)key;
    if (c == '\t')
        fputs("\\t", out);
    else if (c == ' ')
        fputs("\\s", out);
    else if (c != '\0')
        fputc(c, out);
}

/* Rows of fields that come together by one keyword are written once; the two ends of a sum are its one word. */
static void write_aggregate(const struct key *key, const void *from, FILE *out)
{
    const struct aggregate *aggregate = from;
    const char *comma = "", *last = "";

    (void)key;
    if (aggregate->sum) {
        fprintf(out, "sum_%s", field_table[aggregate->sum_source].keyword + strlen("src_"));
        comma = ", ";
    }
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        const char *keyword = field_table[id].keyword;
        bool summed = aggregate->sum && (id == aggregate->sum_source || id == aggregate->sum_destination);

        if (!field_set_has(&aggregate->fields, id) || keyword[0] == '\0' || summed || strcmp(keyword, last) == 0)
            continue;
        fprintf(out, "%s%s", comma, keyword);
        comma = ", ";
        last = keyword;
    }
    if (comma[0] == '\0')
        fputs("none", out);
}

static const struct {
    bool (*read)(const struct key *key, const char *text, void *to);
    void (*write)(const struct key *key, const void *from, FILE *out);
} value_types[KEY_TYPE_COUNT] = {
    [KEY_TYPE_BOOL] = {read_bool, write_bool},
    [KEY_TYPE_NUMBER] = {read_number, write_number},
    [KEY_TYPE_SIGNED] = {read_signed, write_signed},
    [KEY_TYPE_BYTES] = {read_bytes, write_number},
    [KEY_TYPE_SECONDS] = {read_number, write_number},
    [KEY_TYPE_OCTAL] = {read_number, write_number},
    [KEY_TYPE_PORT] = {read_number, write_number},
    [KEY_TYPE_PERIOD] = {read_period, write_period},
    [KEY_TYPE_ROUNDOFF] = {read_roundoff, write_text},
    [KEY_TYPE_TEXT] = {read_text, write_text},
    [KEY_TYPE_SECRET] = {read_text, write_text},
    [KEY_TYPE_PATH] = {read_text, write_text},
    [KEY_TYPE_ADDRESS] = {read_address, write_text},
    [KEY_TYPE_ADDRESSES] = {read_addresses, write_text},
    [KEY_TYPE_ENDPOINT] = {read_endpoint, write_text},
    [KEY_TYPE_WORD] = {read_word, write_text},
    [KEY_TYPE_CHOICE] = {read_choice, write_choice},
    [KEY_TYPE_SEPARATOR] = {read_separator, write_separator},
    [KEY_TYPE_AGGREGATE] = {NULL, write_aggregate},
};

/* The nearest word of a choice, as ", did you mean 'x'?", or nothing. */
static void near_choice(const struct key *key, const char *text, char *out, size_t size)
{
    const char *at = key->range, *word;
    struct key_near near;
    size_t length;

    out[0] = '\0';
    if (key->type != KEY_TYPE_CHOICE && key->type != KEY_TYPE_WORD)
        return;
    key_near_start(&near, text);
    while (key_next_word(&at, '|', &word, &length))
        if (*word != '!')
            key_near_offer(&near, word, length);
    if (key_near_result(&near) != NULL)
        snprintf(out, size, "; did you mean '%s'?", near.best);
}

int value_parse(const struct key *key, const char *text, void *to, struct error *error)
{
    char expected[256], near[128];
    bool later = false;

    if (key->type == KEY_TYPE_AGGREGATE) {
        struct aggregate aggregate;

        memset(&aggregate, 0, sizeof(aggregate));
        if (aggregate_parse(&aggregate, text, error) < 0)
            return -1;
        memcpy(to, &aggregate, sizeof(aggregate));
        return 0;
    }
    if (value_types[key->type].read(key, text, to))
        return 0;
    if ((key->type == KEY_TYPE_CHOICE || key->type == KEY_TYPE_WORD) && position(key, text, &later) >= 0 && later)
        return error_set(error, "value '%.100s' is not supported yet; expected %s", text,
                         value_expected(key, expected, sizeof(expected)));
    near_choice(key, text, near, sizeof(near));
    return error_set(error, "value '%.100s' is not valid; expected %s%s", text,
                     value_expected(key, expected, sizeof(expected)), near);
}

void value_write(const struct key *key, const void *from, FILE *out)
{
    value_types[key->type].write(key, from, out);
}

bool value_is_default(const struct key *key, const char *text)
{
    const char *at = key->default_text, *word;
    uint64_t number, wanted;
    size_t length;

    if (at == NULL)
        return false;
    while (key_next_word(&at, '|', &word, &length)) {
        if (strlen(text) == length && strncasecmp(text, word, length) == 0)
            return true;
        if (digits(text, strlen(text), 10, &number) && digits(word, length, 10, &wanted) && number == wanted)
            return true;
    }
    return false;
}

const char *value_expected(const struct key *key, char *out, size_t size)
{
    const char *at = key->range, *word;
    const char *comma = "";
    size_t length, used = 0;

    if (key->type == KEY_TYPE_CHOICE || key->type == KEY_TYPE_WORD) {
        out[0] = '\0';
        while (key_next_word(&at, '|', &word, &length)) {
            int n;

            if (*word == '!')
                continue;
            n = snprintf(out + used, size - used, "%s%.*s", comma, (int)length, word);
            if (n < 0 || (size_t)n >= size - used)
                break;
            used += (size_t)n;
            comma = ", ";
        }
    } else if (key->type == KEY_TYPE_ADDRESSES) {
        snprintf(out, size, "at most %s addresses joined by commas", key->range);
    } else if (key->range != NULL) {
        /* "1.." has no upper end. */
        bool open = strlen(key->range) > 2 && strcmp(key->range + strlen(key->range) - 2, "..") == 0;

        snprintf(out, size, "%s%s %.*s", key_type_name[key->type], open ? ", at least" : " in",
                 (int)(strlen(key->range) - (open ? 2 : 0)), key->range);
    } else {
        snprintf(out, size, "%s", key_type_name[key->type]);
    }
    return out;
}
