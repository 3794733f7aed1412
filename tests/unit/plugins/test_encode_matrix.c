/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every field of fields.def, alone and all together, through every format and both dialects, with absent, ordinary and
 * largest values. What a value must look like is worked out here a second time, by the C library; rows are read back by
 * jansson and by a small CSV reader, and formatted rows are built again with printf.
 */
#include "base/base.h"

#include "flow/custom.h"
#include "lib/tap.h"
#include "unit/plugins/encode_rows.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <time.h>

enum variant { ABSENT, ORDINARY, LARGEST, VARIANTS };

#define text_max (flow_string_max + 64)

static const uint8_t ordinary_octets[4] = {192, 0, 2, 1};
static const double reals[VARIANTS] = {0, -52.520008, 179.999999};
static const int64_t times[VARIANTS] = {0, INT64_C(1795217431123000000), INT64_MAX};
static const int64_t seconds[VARIANTS] = {0, 1795215600, INT64_MAX / 1000000000};

static size_t string_of(enum variant variant, char *out)
{
    static const char ordinary[] = "65000:1 65000:2;x";

    memset(out, 'x', text_max);
    if (variant == ORDINARY)
        memcpy(out, ordinary, sizeof(ordinary) - 1);
    return variant == ABSENT ? 0 : variant == ORDINARY ? sizeof(ordinary) - 1 : flow_string_max;
}

static uint64_t number_of(const struct field *field, enum variant variant)
{
    switch (field->type) {
    case FIELD_TYPE_U8:
    case FIELD_TYPE_PROTOCOL:
        return variant == LARGEST ? 255 : 6 * variant;
    case FIELD_TYPE_U16:
        return variant == LARGEST ? 65535 : 443 * variant;
    case FIELD_TYPE_ETHERTYPE:
        return variant == LARGEST ? 65535 : 0x800 * variant;
    case FIELD_TYPE_U32:
    case FIELD_TYPE_NUMBER_TEXT:
        return variant == LARGEST ? UINT32_MAX : 64500 * variant;
    case FIELD_TYPE_MAC:
        return variant == LARGEST ? UINT64_C(0xffffffffffff) : UINT64_C(0x02aabbccdd01) * variant;
    case FIELD_TYPE_RD:
        return variant == LARGEST ? UINT64_C(0x0002ffffffffffff) : UINT64_C(0x0001c00002010005) * variant;
    case FIELD_TYPE_RD_ORIGIN:
        return variant == LARGEST ? 3 : variant;
    case FIELD_TYPE_I64:
        return (uint64_t)(variant == LARGEST ? INT64_MIN : -27 * (int64_t)variant);
    case FIELD_TYPE_HEXADECIMAL:
        return variant == LARGEST ? UINT64_MAX : 0xabc0d * variant;
    case FIELD_TYPE_BOOLEAN:
        return variant == ORDINARY ? 1 : 2 * (variant == LARGEST);
    case FIELD_TYPE_LETTER:
        return variant == LARGEST ? 'z' : 'i' * variant;
    default:
        return variant == LARGEST ? INT64_MAX : 27 * variant; /* jansson's integers have a sign */
    }
}

static void put(struct rows *rows, enum field_id id, enum variant variant)
{
    const struct field *field = &field_table[id];
    char string[text_max];
    struct address address = {{0}};

    switch (field->type) {
    case FIELD_TYPE_ADDRESS:
        if (variant == ORDINARY)
            address_set_ipv4(&address, ordinary_octets);
        if (variant == LARGEST)
            memset(&address, 0xff, sizeof(address));
        rows_put_bytes(rows, id, &address, sizeof(address));
        break;
    case FIELD_TYPE_REAL:
        rows_put_bytes(rows, id, &reals[variant], 8);
        break;
    case FIELD_TYPE_TIME:
        rows_put(rows, id, (uint64_t)times[variant]);
        break;
    case FIELD_TYPE_SECONDS:
        rows_put(rows, id, (uint64_t)seconds[variant]);
        break;
    case FIELD_TYPE_STRING: {
        size_t length = string_of(variant, string);
        rows_put_string(rows, id, string, length);
        break;
    }
    default:
        rows_put(rows, id, number_of(field, variant));
    }
}

static void expect_time(int64_t s, int64_t microseconds, bool client, char *out)
{
    char text[64];
    time_t t = (time_t)s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(text, sizeof(text), client ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
    if (s == 0 && microseconds <= 0 && !client)
        snprintf(text, sizeof(text), "0000-00-00 00:00:00");
    if (microseconds >= 0)
        snprintf(out, text_max, "%s.%06" PRId64 "%s", text, microseconds, client ? "Z" : "");
    else
        snprintf(out, text_max, "%s%s", text, client ? "Z" : "");
}

static void expect_absent_string(enum field_id id, bool formatted, bool client, char *out)
{
    bool path = id == FIELD_AS_PATH || id == FIELD_SRC_AS_PATH;
    bool communities = strstr(field_table[id].json, "comms") != NULL;

    snprintf(out, text_max, "%s",
             id == FIELD_CLASS                     ? "unknown"
             : formatted && client && path        ? "^$"
             : formatted && client && communities ? "0"
                                                  : "");
}

static void expect_address(enum variant variant, bool formatted, bool client, char *out)
{
    uint8_t ones[16];

    memset(ones, 0xff, sizeof(ones));
    if (variant == ABSENT)
        snprintf(out, text_max, "%s", !formatted ? "" : client ? "0" : "::");
    else
        inet_ntop(variant == ORDINARY ? AF_INET : AF_INET6, variant == ORDINARY ? ordinary_octets : ones, out,
                  text_max);
}

/* The text of a value, worked out anew. */
static void expect(enum field_id id, enum variant variant, bool formatted, bool client, char *out)
{
    static const char *const distinguishers[] = {"0:0:0", "1:192.0.2.1:5", "2:4294967295:65535"};
    static const char *const origins[] = {"unknown", "flow", "bmp"};
    static const char *const protocols[] = {"0", "tcp", "others"};
    static const char *const macs[] = {"00:00:00:00:00:00", "02:aa:bb:cc:dd:01", "ff:ff:ff:ff:ff:ff"};
    static const char *const letters[] = {"u", "i", "z"};
    const struct field *field = &field_table[id];

    if (field->role == FIELD_ROLE_PURGE) {
        expect_time(1795224700, -1, client, out);
        return;
    }
    switch (field->type) {
    case FIELD_TYPE_ADDRESS:
        expect_address(variant, formatted, client, out);
        break;
    case FIELD_TYPE_MAC:
        snprintf(out, text_max, "%s", macs[variant]);
        break;
    case FIELD_TYPE_ETHERTYPE:
        snprintf(out, text_max, "%x", (unsigned)number_of(field, variant));
        break;
    case FIELD_TYPE_PROTOCOL:
        snprintf(out, text_max, "%s", protocols[variant]);
        break;
    case FIELD_TYPE_LETTER:
        snprintf(out, text_max, "%s", letters[variant]);
        break;
    case FIELD_TYPE_RD:
        snprintf(out, text_max, "%s", distinguishers[variant]);
        break;
    case FIELD_TYPE_RD_ORIGIN:
        snprintf(out, text_max, "%s", origins[variant]);
        break;
    case FIELD_TYPE_I64:
        snprintf(out, text_max, "%" PRId64, (int64_t)number_of(field, variant));
        break;
    case FIELD_TYPE_HEXADECIMAL:
        snprintf(out, text_max, "%" PRIx64, number_of(field, variant));
        break;
    case FIELD_TYPE_BOOLEAN:
        snprintf(out, text_max, "%s", variant == ORDINARY ? "true" : "false");
        break;
    case FIELD_TYPE_REAL:
        snprintf(out, text_max, "%.6f", reals[variant]);
        break;
    case FIELD_TYPE_TIME:
        expect_time(times[variant] / 1000000000, times[variant] / 1000 % 1000000, client, out);
        break;
    case FIELD_TYPE_SECONDS:
        expect_time(seconds[variant], -1, client, out);
        break;
    case FIELD_TYPE_STRING:
        out[string_of(variant, out)] = '\0';
        if (variant == ABSENT)
            expect_absent_string(id, formatted, client, out);
        break;
    default:
        snprintf(out, text_max, "%" PRIu64, number_of(field, variant));
    }
}

/* Names of members in JSON: the client has its own for some. */
static const char *json_name(enum field_id id, bool client)
{
    static const struct {
        enum field_id id;
        const char *name;
    } own[] = {
        {FIELD_IN_CVLAN, "in_cvlan"},         {FIELD_OUT_CVLAN, "out_cvlan"},
        {FIELD_SRC_STD_COMM, "src_comms"},    {FIELD_SRC_EXT_COMM, "src_ecomms"},
        {FIELD_SRC_LRG_COMM, "src_lcomms"},   {FIELD_SRC_AS_PATH, "src_as_path"},
        {FIELD_SRC_LOCAL_PREF, "src_local_pref"}, {FIELD_SRC_MED, "src_med"},
    };

    for (unsigned i = 0; client && i < array_length(own); i++)
        if (own[i].id == id)
            return own[i].name;
    return field_table[id].json;
}

static bool is_json_integer(enum field_id id, bool client)
{
    switch (field_table[id].type) {
    case FIELD_TYPE_U8:
    case FIELD_TYPE_U16:
    case FIELD_TYPE_U32:
    case FIELD_TYPE_U64:
    case FIELD_TYPE_COUNTER:
        return true;
    case FIELD_TYPE_FLAGS:
        return !client;
    case FIELD_TYPE_NUMBER_TEXT:
        return client;
    default:
        return false;
    }
}

static bool json_value_is(const json_t *value, enum field_id id, enum variant variant, bool client)
{
    char want[text_max];

    expect(id, variant, false, client, want);
    if (id == FIELD_SRV6_SEG_IPV6_LIST) {
        size_t parts = variant == ABSENT ? 0 : variant == ORDINARY ? 2 : 1;
        return json_is_array(value) && json_array_size(value) == parts;
    }
    if (field_table[id].type == FIELD_TYPE_REAL)
        return json_is_real(value) && json_real_value(value) == reals[variant];
    if (field_table[id].type == FIELD_TYPE_BOOLEAN)
        return json_is_boolean(value) && json_is_true(value) == (variant == ORDINARY);
    if (field_table[id].type == FIELD_TYPE_I64)
        return json_is_integer(value) && json_integer_value(value) == (int64_t)number_of(&field_table[id], variant);
    if (is_json_integer(id, client))
        return json_is_integer(value) && (uint64_t)json_integer_value(value) == strtoull(want, NULL, 10);
    return json_is_string(value) && strcmp(json_string_value(value), want) == 0;
}

/* All columns of a row of these fields: what is expected of each is `variant`, packets and bytes are always there. */
static bool json_holds(const char *row, size_t length, const struct field_set *fields, enum variant variant,
                       bool client)
{
    json_error_t error;
    json_t *object = json_loadb(row, length, JSON_REJECT_DUPLICATES, &error);
    size_t members = client ? 0 : 1;
    bool good = object != NULL && row[length - 1] == '\n';
    /* A row that counts nothing, where events are told apart, is one: no counters. */
    bool event = !client && variant == ABSENT &&
                 (field_set_has(fields, FIELD_NAT_EVENT) || field_set_has(fields, FIELD_FW_EVENT));

    if (!object) {
        printf("# %s: %s\n", error.text, row);
        return false;
    }
    for (unsigned id = 0; id < FIELD_COUNT && good; id++) {
        if (!field_set_has(fields, (enum field_id)id))
            continue;
        if (event && field_table[id].type == FIELD_TYPE_COUNTER)
            continue;
        members++;
        good = json_value_is(json_object_get(object, json_name((enum field_id)id, client)), (enum field_id)id, variant,
                             client);
        if (!good)
            printf("# %s is not as expected: %.400s\n", json_name((enum field_id)id, client), row);
    }
    good = good && json_object_size(object) == members;
    json_decref(object);
    return good;
}

/* Takes one value of a CSV line apart (RFC 4180); returns what follows it. */
static const char *csv_take(const char *at, char *out)
{
    bool quoted = *at == '"';

    at += quoted;
    while (*at && (quoted || (*at != ',' && *at != '\n'))) {
        if (quoted && *at == '"') {
            if (at[1] != '"')
                break;
            at++;
        }
        *out++ = *at++;
    }
    *out = '\0';
    return at + quoted;
}

static enum field_id field_of_title(const char *title)
{
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (field_table[id].title && strcmp(field_table[id].title, title) == 0)
            return (enum field_id)id;
    return FIELD_COUNT;
}

static bool csv_holds(const char *header, const char *row, unsigned columns, enum variant variant, bool client)
{
    char title[64], got[text_max], want[text_max];
    unsigned count = 0;

    while (count == 0 || *header == ',') {
        enum field_id id;

        header = csv_take(header + (count > 0), title);
        if (count > 0 && *row != ',')
            return false;
        row = csv_take(row + (count > 0), got);
        id = field_of_title(title);
        if (id == FIELD_COUNT)
            return false;
        expect(id, variant, false, client, want);
        if (strcmp(got, want) != 0) {
            printf("# %s: got '%s', want '%s'\n", title, got, want);
            return false;
        }
        count++;
    }
    return count == columns && strcmp(header, "\n") == 0 && strcmp(row, "\n") == 0;
}

/* The formatted row, built again from the titles of the CSV header. */
static bool formatted_holds(const char *titles, const char *header, const char *row, enum variant variant, bool client,
                            bool event)
{
    static char want_header[1 << 16], want_row[1 << 18];
    char title[64], value[text_max];
    size_t at_header = 0, at_row = 0;
    bool more = true;

    for (bool first = true; more; first = false) {
        enum field_id id;
        int width;

        titles = csv_take(titles + !first, title);
        more = *titles == ',';
        id = field_of_title(title);
        width = !more && !event ? 0 : field_table[id].width;
        expect(id, variant, true, client, value);
        at_header += (size_t)snprintf(want_header + at_header, sizeof(want_header) - at_header, "%-*s", width, title);
        at_row += (size_t)snprintf(want_row + at_row, sizeof(want_row) - at_row, "%-*s%s", width, value,
                                   width > 0 && strlen(value) >= (size_t)width ? " " : "");
    }
    snprintf(want_header + at_header, 2, "\n");
    snprintf(want_row + at_row, 2, "\n");
    if (strcmp(header, want_header) == 0 && strcmp(row, want_row) == 0)
        return true;
    printf("# got\n%s%s# want\n%s%s", header, row, want_header, want_row);
    return false;
}

static bool one_format(const struct rows *rows, const struct field_set *fields, enum encode_format format,
                       enum variant variant, bool client)
{
    struct encode_options options = {.format = format,
                                     .dialect = client ? ENCODE_CLIENT : ENCODE_PLUGIN,
                                     .event_type = "purge",
                                     .utc = true,
                                     .time_style = client ? TIME_STYLE_RFC3339 : TIME_STYLE_PLAIN,
                                     .history = true,
                                     .purge_seconds = 1795224700};
    bool event = format == ENCODE_EVENT_CSV || format == ENCODE_EVENT_FORMATTED;
    unsigned columns = 0;
    size_t length;
    char *row = rows_text(rows, &options, &length), *header = rows_header(rows, &options), *titles;
    bool good;

    for (unsigned id = 0; id < FIELD_COUNT; id++)
        columns += field_set_has(fields, (enum field_id)id) && field_table[id].title &&
                   !(event && field_table[id].type == FIELD_TYPE_COUNTER);
    if (format == ENCODE_JSON) {
        good = header[0] == '\0' && json_holds(row, length, fields, variant, client);
    } else if (columns == 0) {
        good = strcmp(row, "\n") == 0 && strcmp(header, "\n") == 0;
    } else if (format == ENCODE_CSV || format == ENCODE_EVENT_CSV) {
        good = csv_holds(header, row, columns, variant, client);
    } else {
        options.format = event ? ENCODE_EVENT_CSV : ENCODE_CSV;
        titles = rows_header(rows, &options);
        good = formatted_holds(titles, header, row, variant, client, event);
        free(titles);
    }
    free(row);
    free(header);
    return good;
}

static void check(const struct field_set *wanted, const char *name)
{
    static const char *const format_names[] = {"formatted", "csv", "json", "event_formatted", "event_csv"};
    struct field_set fields = *wanted;
    struct rows rows;
    bool good = true;

    field_set_add(&fields, FIELD_PACKETS);
    field_set_add(&fields, FIELD_BYTES);
    /* The stamp of the purge comes with history and has no slot of its own. */
    field_set_add(&fields, FIELD_STAMP_INSERTED);
    field_set_add(&fields, FIELD_STAMP_UPDATED);
    rows_open_set(&rows, &fields);
    for (unsigned variant = 0; variant < VARIANTS; variant++) {
        for (unsigned id = 0; id < FIELD_COUNT; id++)
            if (field_set_has(&fields, (enum field_id)id) && field_table[id].role != FIELD_ROLE_PURGE)
                put(&rows, (enum field_id)id, (enum variant)variant);
        for (unsigned format = 0; format < array_length(format_names); format++)
            for (unsigned client = 0; client < 2; client++)
                if (!one_format(&rows, &fields, (enum encode_format)format, (enum variant)variant, client)) {
                    printf("# %s, %s, variant %u, %s\n", name, format_names[format], variant,
                           client ? "client" : "plugin");
                    good = false;
                }
    }
    rows_close(&rows);
    ok(good, "%s through every format and both dialects", name);
}

/* Every kind of custom field, from a file and by name, until all rows are taken. */
static void define_custom_fields(void)
{
    struct error error;

    for (unsigned i = 0; i < custom_fields_max; i++) {
        struct custom_field row = {.element = 1, .semantics = (enum custom_semantics)(i / 2 % CUSTOM_SEMANTICS_COUNT),
                                   .by_name = i % 2};

        snprintf(row.name, sizeof(row.name), "primitive%uOfMine", i);
        if (custom_field_add(&row, &error) < 0)
            rows_give_up(error.text);
    }
}

int main(void)
{
    struct field_set all = {{0}};

    plan_none();
    define_custom_fields();
    setenv("TZ", "UTC", 1);
    time_zone_reload();
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        struct field_set one = {{0}};

        field_set_add(&one, (enum field_id)id);
        field_set_add(&all, (enum field_id)id);
        check(&one, field_table[id].json);
    }
    check(&all, "all fields together");
    return done_testing();
}
