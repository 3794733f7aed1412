/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An `aggregate_primitives` file: a custom primitive on each line, as blank-separated key=value pairs in any order.
 *
 *   name        what `aggregate` and the outputs call it; read in lower case
 *   field_type  the element: ID, or ENTERPRISE:ID. Lines with one field_type are the copies of a repeated element
 *   packet_ptr  for daemons that read packets: LAYER[:PROTOCOL]+OFFSET, up to eight times
 *   len         bytes of the value, or vlen
 *   semantics   u_int hex ip mac str raw
 *
 * All of it or nothing: half a file would change what a later word of `aggregate` means.
 */
#include "flow/custom.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/rows.h"

enum key { KEY_NAME, KEY_FIELD_TYPE, KEY_PACKET_PTR, KEY_LEN, KEY_SEMANTICS, KEY_COUNT };

struct line {
    struct custom_field row;
    bool seen[KEY_COUNT];
    bool variable; /* len=vlen */
};

static const char *const layer_names[CUSTOM_LAYER_COUNT] = {"packet", "mac", "vlan", "mpls", "l3", "l4", "payload"};

/* What a file can say, and the lengths that go with it. */
static const struct {
    const char *word;
    enum custom_semantics semantics;
    bool variable;
    uint16_t least, most;
    const char *lengths;
} semantics_words[] = {
    {"u_int", CUSTOM_UNSIGNED, false, 1, 8, "1 to 8"}, {"hex", CUSTOM_HEXADECIMAL, false, 1, 8, "1 to 8"},
    {"ip", CUSTOM_ADDRESS, false, 4, 16, "4 or 16"},   {"mac", CUSTOM_MAC, false, 6, 6, "6"},
    {"str", CUSTOM_TEXT, true, 1, 1024, "1 to 1024 or vlen"}, {"raw", CUSTOM_RAW, true, 1, 1024, "1 to 1024 or vlen"},
};

/* A decimal (or with 0x hexadecimal) number up to `most`; moves *at behind it. */
static bool read_number(const char **at, unsigned long most, unsigned long *number)
{
    bool hexadecimal = (*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X') && isxdigit((unsigned char)(*at)[2]);
    char *end;

    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *number = strtoul(*at, &end, hexadecimal ? 16 : 10);
    *at = end;
    return errno == 0 && *number <= most;
}

static int read_name(struct line *line, const char *value, struct error *error)
{
    size_t length = strlen(value);

    if (length == 0 || length > custom_name_max)
        return error_set(error, "'name' has %zu characters, expected 1 to %u", length, custom_name_max);
    for (size_t i = 0; i < length; i++)
        line->row.name[i] = (char)tolower((unsigned char)value[i]);
    line->row.name[length] = '\0';
    return 0;
}

static int read_field_type(struct line *line, const char *value, struct error *error)
{
    const char *at = value;
    unsigned long first = 0, id = 0;
    bool good = read_number(&at, UINT32_MAX, &first);

    if (good && *at == ':') {
        at++;
        good = read_number(&at, UINT16_MAX, &id);
    } else {
        id = first;
        first = 0;
    }
    if (!good || *at != '\0' || id == 0 || id > UINT16_MAX || (first != 0 && id > INT16_MAX))
        return error_set(error, "'field_type' is '%.60s', expected the number of an information element, or "
                         "ENTERPRISE:NUMBER with a number of 1 to 32767", value);
    line->row.enterprise = (uint32_t)first;
    line->row.element = (uint16_t)id;
    return 0;
}

/* LAYER, LAYER:PROTOCOL, LAYER+OFFSET or LAYER:PROTOCOL+OFFSET. */
static int read_packet_ptr(struct line *line, const char *value, struct error *error)
{
    struct custom_pointer pointer = {.layer = CUSTOM_LAYER_COUNT};
    size_t length = strcspn(value, ":+");
    const char *at = value + length;
    unsigned long protocol = 0, offset = 0;
    bool good = true;

    for (unsigned i = 0; i < CUSTOM_LAYER_COUNT; i++)
        if (strlen(layer_names[i]) == length && memcmp(layer_names[i], value, length) == 0)
            pointer.layer = (uint8_t)i;
    if (*at == ':') {
        at++;
        if (*at != '+' && *at != '\0') {
            good = read_number(&at, UINT16_MAX, &protocol);
            pointer.protocol_matters = true;
        }
    }
    if (good && *at == '+') {
        at++;
        good = read_number(&at, UINT16_MAX, &offset);
    }
    if (!good || *at != '\0' || pointer.layer == CUSTOM_LAYER_COUNT)
        return error_set(error, "'packet_ptr' is '%.60s', expected LAYER[:PROTOCOL][+OFFSET] with a layer of packet, "
                         "mac, vlan, mpls, l3, l4, payload and numbers up to 65535", value);
    if (line->row.pointer_count == custom_pointers_max)
        return error_set(error, "more than %u 'packet_ptr' in a line", custom_pointers_max);
    pointer.protocol = (uint16_t)protocol;
    pointer.offset = (uint16_t)offset;
    line->row.pointers[line->row.pointer_count++] = pointer;
    return 0;
}

static int read_len(struct line *line, const char *value, struct error *error)
{
    const char *at = value;
    unsigned long length = 0;

    line->variable = strcmp(value, "vlen") == 0;
    if (!line->variable && (!read_number(&at, 65534, &length) || *at != '\0' || length == 0))
        return error_set(error, "'len' is '%.60s', expected bytes from 1 on, or vlen", value);
    line->row.length = (uint16_t)length;
    return 0;
}

static int read_semantics(struct line *line, const char *value, struct error *error)
{
    for (unsigned i = 0; i < array_length(semantics_words); i++) {
        if (strcmp(semantics_words[i].word, value) != 0)
            continue;
        line->row.semantics = semantics_words[i].semantics;
        return 0;
    }
    return error_set(error, "'semantics' is '%.60s', expected one of u_int, hex, ip, mac, str, raw", value);
}

static const struct {
    const char *name;
    int (*read)(struct line *line, const char *value, struct error *error);
} keys[KEY_COUNT] = {
    [KEY_NAME] = {"name", read_name},
    [KEY_FIELD_TYPE] = {"field_type", read_field_type},
    [KEY_PACKET_PTR] = {"packet_ptr", read_packet_ptr},
    [KEY_LEN] = {"len", read_len},
    [KEY_SEMANTICS] = {"semantics", read_semantics},
};

static int read_pair(struct line *line, char *pair, struct error *error)
{
    char *value;
    int key;

    if (rows_pair(pair, &value, error) < 0)
        return -1;
    key = rows_key(pair, keys, KEY_COUNT, sizeof(keys[0]), "name, field_type, packet_ptr, len, semantics", error);
    if (key < 0)
        return -1;
    if (line->seen[key] && key != KEY_PACKET_PTR)
        return error_set(error, "'%s' comes twice in this line", pair);
    line->seen[key] = true;
    return keys[key].read(line, value, error);
}

static int check_length(const struct line *line, struct error *error)
{
    unsigned i = 0;
    bool good;

    while (semantics_words[i].semantics != line->row.semantics)
        i++;
    good = line->variable ? semantics_words[i].variable
                          : line->row.length >= semantics_words[i].least && line->row.length <= semantics_words[i].most;
    if (line->row.semantics == CUSTOM_ADDRESS && line->row.length != 4 && line->row.length != 16)
        good = false;
    return good ? 0 : error_set(error, "'semantics=%s' goes with 'len' of %s", semantics_words[i].word,
                                semantics_words[i].lengths);
}

static int check_line(const struct line *line, struct error *error)
{
    static const enum key needed[] = {KEY_NAME, KEY_LEN, KEY_SEMANTICS};

    for (unsigned i = 0; i < array_length(needed); i++)
        if (!line->seen[needed[i]])
            return error_set(error, "'%s' is missing, expected name=... field_type=... len=... semantics=...",
                             keys[needed[i]].name);
    if (line->seen[KEY_FIELD_TYPE] == line->seen[KEY_PACKET_PTR])
        return error_set(error, line->seen[KEY_FIELD_TYPE] ? "'field_type' and 'packet_ptr' exclude each other"
                                                           : "'field_type' is missing");
    if (line->seen[KEY_PACKET_PTR])
        return error_set(error, "'packet_ptr' is not supported yet; expected 'field_type'");
    return check_length(line, error);
}

/* The second line with an element is its second copy in a record, and so on. */
static void count_occurrence(struct custom_field *row)
{
    for (unsigned i = 0; i < custom_field_count(); i++) {
        const struct custom_field *other = custom_field_at(i);

        row->occurrence = (uint8_t)(row->occurrence + (other->element == row->element &&
                                                       other->enterprise == row->enterprise && !other->by_name));
    }
}

static int read_line(char *text, struct error *error)
{
    struct line line = {.variable = false};
    char *pair;
    int got;

    while ((got = rows_word(&text, &pair, error)) > 0)
        if (read_pair(&line, pair, error) < 0)
            return -1;
    if (got < 0 || check_line(&line, error) < 0)
        return -1;
    count_occurrence(&line.row);
    return custom_field_add(&line.row, error);
}

int custom_fields_load(const char *path, struct error *error)
{
    static const struct rows_kind kind = {"primitives file", 1u << 20, 2046};
    unsigned before = custom_field_count();
    struct rows_reader reader;
    int got = rows_load(&reader, path, &kind, error);
    char *line;

    while (got == 0 && (got = rows_line(&reader, &line, error)) > 0)
        got = read_line(line, error) < 0 ? rows_fail(&reader, error) : 0;
    rows_free(&reader);
    if (got < 0)
        custom_fields_cut(before);
    return got;
}
