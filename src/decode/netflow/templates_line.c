/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A strict reader of one line of the templates file: an object with the members of the table below in any order, each
 * once. It takes no other JSON than what persist.c writes, plus blanks between the tokens, and says at which column it
 * met something else.
 */
#include "decode/netflow/templates_line.h"

#include <stdlib.h>

#include "decode/netflow/samplers.h"

struct reader {
    const char *start, *at, *end;
    struct error *error;
};

static int expected(const struct reader *reader, const char *what)
{
    return error_set(reader->error, "column %zu: expected %s", (size_t)(reader->at - reader->start) + 1, what);
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
        reader->at++;
}

static bool take(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static int need(struct reader *reader, char c)
{
    char what[] = "' '";

    what[1] = c;
    return take(reader, c) ? 0 : expected(reader, what);
}

static int read_number(struct reader *reader, uint64_t max, uint64_t *number)
{
    const char *first;
    uint64_t value = 0;

    skip_blanks(reader);
    first = reader->at;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
        unsigned digit = (unsigned)(*reader->at - '0');

        if (value > (max - digit) / 10 || digit > max) {
            reader->at = first;
            return error_set(reader->error, "column %zu: the number is larger than %llu",
                             (size_t)(first - reader->start) + 1, (unsigned long long)max);
        }
        value = 10 * value + digit;
    }
    *number = value;
    return reader->at > first ? 0 : expected(reader, "a whole number");
}

/* Digits, point, exponent: nothing else that strtod would take. */
static int read_rate(struct reader *reader, double *rate)
{
    char text[40];
    size_t length = 0;

    skip_blanks(reader);
    while (reader->at < reader->end && length + 1 < sizeof(text) && strchr("0123456789.e+", *reader->at) != NULL)
        text[length++] = *reader->at++;
    text[length] = 0;
    *rate = strtod(text, NULL);
    return *rate >= 1 && *rate <= sampling_rate_max ? 0
                                                    : expected(reader, "a sampling rate of at least 1 before this place");
}

/* A string without escapes: names, addresses and words have none. NUL-terminated in `out`. */
static int read_string(struct reader *reader, char *out, size_t size)
{
    size_t length = 0;

    if (need(reader, '"') < 0)
        return -1;
    for (; reader->at < reader->end && *reader->at != '"'; reader->at++) {
        if (length + 1 == size || *reader->at == '\\' || (unsigned char)*reader->at < ' ')
            return expected(reader, "'\"': no string here is as long or has escapes");
        out[length++] = *reader->at;
    }
    out[length] = 0;
    return need(reader, '"');
}

static int read_address(struct reader *reader, struct address *address)
{
    char text[address_text_max + 1];

    if (read_string(reader, text, sizeof(text)) < 0)
        return -1;
    return address_parse(text, address) ? 0 : expected(reader, "an IP address before this place");
}

/* [enterprise, id, length] */
static int read_field(struct reader *reader, struct template_field *field)
{
    uint64_t enterprise, id, length;

    if (need(reader, '[') < 0 || read_number(reader, UINT32_MAX, &enterprise) < 0 || need(reader, ',') < 0 ||
        read_number(reader, UINT16_MAX, &id) < 0 || need(reader, ',') < 0 ||
        read_number(reader, UINT16_MAX, &length) < 0 || need(reader, ']') < 0)
        return -1;
    *field = (struct template_field){(uint32_t)enterprise, (uint16_t)id, (uint16_t)length};
    return 0;
}

static int read_fields(struct reader *reader, struct templates_line *line)
{
    line->field_count = 0;
    if (need(reader, '[') < 0)
        return -1;
    do {
        if (line->field_count == template_fields_max)
            return expected(reader, "at most 512 fields");
        if (read_field(reader, &line->fields[line->field_count]) < 0)
            return -1;
        line->field_count++;
    } while (take(reader, ','));
    return need(reader, ']');
}

static int read_kind(struct reader *reader, struct templates_line *line)
{
    char text[16];

    if (read_string(reader, text, sizeof(text)) < 0)
        return -1;
    line->kind = strcmp(text, "options") == 0 ? TEMPLATE_OPTIONS : TEMPLATE_DATA;
    if (line->kind == TEMPLATE_DATA && strcmp(text, "data") != 0)
        return expected(reader, "\"data\" or \"options\" before this place");
    return 0;
}

static int read_name_of_member(struct reader *reader, const char *name)
{
    char text[24];

    if (read_string(reader, text, sizeof(text)) < 0 || need(reader, ':') < 0)
        return -1;
    return strcmp(text, name) == 0 ? 0 : error_set(reader->error, "expected the member '%s', not '%s'", name, text);
}

/* {"scope": word, "id": number, "rate": number}, in this order */
static int read_sampler(struct reader *reader, struct sampler_row *row)
{
    char text[24];

    if (need(reader, '{') < 0 || read_name_of_member(reader, "scope") < 0 ||
        read_string(reader, text, sizeof(text)) < 0 || need(reader, ',') < 0 ||
        read_name_of_member(reader, "id") < 0 || read_number(reader, UINT64_MAX, &row->id) < 0 ||
        need(reader, ',') < 0 || read_name_of_member(reader, "rate") < 0 || read_rate(reader, &row->rate) < 0 ||
        need(reader, '}') < 0)
        return -1;
    for (row->scope = 0; row->scope < SAMPLER_SCOPES; row->scope++)
        if (strcmp(text, sampler_scope_names[row->scope]) == 0)
            return 0;
    return error_set(reader->error, "a sampler of an unknown scope, '%s'", text);
}

static const struct {
    const char *name;
    uint64_t max; /* of a number; 0: it has a reader of its own */
} members[MEMBER_COUNT] = {
    [MEMBER_FORMAT] = {"flowledger_templates", 1},
    [MEMBER_EXPORTER] = {"exporter", 0},
    [MEMBER_PORT] = {"port", UINT16_MAX},
    [MEMBER_VERSION] = {"version", 10},
    [MEMBER_DOMAIN] = {"domain", UINT32_MAX},
    [MEMBER_ID] = {"id", UINT16_MAX},
    [MEMBER_KIND] = {"kind", 0},
    [MEMBER_SCOPE_COUNT] = {"scope_count", template_fields_max},
    [MEMBER_FIELDS] = {"fields", 0},
    [MEMBER_FIRST_SEEN] = {"first_seen", told_ms_max},
    [MEMBER_LAST_SEEN] = {"last_seen", told_ms_max},
    [MEMBER_SAMPLER] = {"sampler", 0},
    [MEMBER_ADDRESS] = {"address", 0},
    [MEMBER_SYSTEM_INIT] = {"system_init", told_ms_max},
};

static int read_value(struct reader *reader, struct templates_line *line, unsigned member)
{
    switch (member) {
    case MEMBER_EXPORTER:
        return read_address(reader, &line->exporter);
    case MEMBER_ADDRESS:
        return read_address(reader, &line->address);
    case MEMBER_KIND:
        return read_kind(reader, line);
    case MEMBER_FIELDS:
        return read_fields(reader, line);
    case MEMBER_SAMPLER:
        return read_sampler(reader, &line->sampler);
    default:
        return read_number(reader, members[member].max, &line->number[member]);
    }
}

static int read_member(struct reader *reader, struct templates_line *line)
{
    char name[32];
    unsigned member = 0;

    if (read_string(reader, name, sizeof(name)) < 0 || need(reader, ':') < 0)
        return -1;
    if (strcmp(name, "agent") == 0 || strcmp(name, "source_id") == 0)
        return error_set(reader->error, "this is a templates file of pmacct, whose lines tell positions but not the "
                                        "lengths on the wire; name another file, it fills by itself");
    while (member < MEMBER_COUNT && strcmp(name, members[member].name) != 0)
        member++;
    if (member == MEMBER_COUNT)
        return error_set(reader->error, "unknown member '%s'", name);
    if (templates_line_has(line, member))
        return error_set(reader->error, "the member '%s' stands twice", name);
    line->have |= 1u << member;
    return read_value(reader, line, member);
}

int templates_line_read(struct templates_line *line, const char *text, size_t length, struct error *error)
{
    struct reader reader = {text, text, text + length, error};

    line->have = 0;
    if (need(&reader, '{') < 0)
        return -1;
    do {
        if (read_member(&reader, line) < 0)
            return -1;
    } while (take(&reader, ','));
    if (need(&reader, '}') < 0)
        return -1;
    skip_blanks(&reader);
    return reader.at == reader.end ? 0 : expected(&reader, "the end of the line");
}
