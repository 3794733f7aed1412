/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of DATA; values are read by a function for each type. See data.h. */
#include "client/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/time.h"
#include "net/names.h"

#define value_max flow_string_max
#define line_max 65536

/* -c has a few names that `aggregate` has not. */
static const struct {
    const char *name, *keyword;
} other_names[] = {
    {"tunnel_protocol", "tunnel_proto"}, {"sum_host", "src_host"}, {"sum_net", "src_net"}, {"sum_as", "src_as"},
    {"sum_port", "src_port"},            {"sum_mac", "src_mac"},   {"sum", "src_host"},
};

/* One name of -c: most stand for one field, coordinates for two. */
struct item {
    char name[64];
    unsigned first, count; /* in query_match.fields */
};

struct data {
    struct query_match match;
    struct item items[query_fields_max];
    unsigned item_count;
    size_t value_count; /* in match.values so far, of all queries */
    bool utc;
    uint8_t *bytes; /* of all values, one after another; match.values point into it in the end, when it moves no more */
    size_t bytes_used, bytes_room;
};

/* -- the names -- */

static int add_item(struct data *data, const char *word, size_t length, struct error *error)
{
    struct item *item = &data->items[data->item_count];
    struct query_match *match = &data->match;
    const char *keyword = item->name;

    if (length == 0 || length >= sizeof(item->name) || data->item_count == query_fields_max)
        return error_set(error, "ERROR: unknown primitive '%.*s'", (int)min_u64(length, 100), word);
    memcpy(item->name, word, length);
    item->name[length] = '\0';
    item->first = match->field_count;
    for (unsigned i = 0; i < array_length(other_names); i++)
        if (strcmp(item->name, other_names[i].name) == 0)
            keyword = other_names[i].keyword;
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        /* A name may bring along a field that only tells where another came from: it is not asked for. */
        bool own = id >= FIELD_CUSTOM_0; /* of the daemon: "aggregate" is read without regard to case */

        if ((own ? strcasecmp(field_table[id].keyword, keyword) : strcmp(field_table[id].keyword, keyword)) != 0 ||
            field_table[id].type == FIELD_TYPE_RD_ORIGIN)
            continue;
        if (match->field_count == query_fields_max)
            return error_set(error, "ERROR: at most %d primitives in -c", query_fields_max);
        match->fields[match->field_count++] = (uint16_t)id;
        item->count++;
    }
    if (item->count == 0)
        return error_set(error, "ERROR: unknown primitive '%s'", item->name);
    if (strcmp(item->name, "label") == 0)
        return error_set(error, "ERROR: label: cannot be matched");
    data->item_count++;
    return 0;
}

static int read_names(struct data *data, const char *fields, struct error *error)
{
    for (;;) {
        size_t length = strcspn(fields, ",");
        size_t end = length;

        while (end > 0 && fields[end - 1] == ' ')
            end--;
        while (end > 0 && *fields == ' ') {
            fields++;
            end--;
            length--;
        }
        if (add_item(data, fields, end, error) < 0)
            return -1;
        if (fields[length] == '\0')
            return 0;
        fields += length + 1;
    }
}

bool data_fields_known(const char *fields)
{
    struct data data = {.item_count = 0};
    struct error error;

    return read_names(&data, fields, &error) == 0;
}

/* -- the values: each reader returns false for a text that is none of its type; `out` gets 8 bytes, or 16 -- */

static bool read_number(const char *text, int base, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, base);
    return text[0] != '\0' && text[0] != '-' && text[0] != '+' && text[0] != ' ' && *end == '\0' && errno == 0;
}

static bool read_mac(const char *text, uint64_t *number)
{
    unsigned parts[6];
    int used = 0;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5],
               &used) != 6 || text[used] != '\0')
        return false;
    *number = 0;
    for (unsigned i = 0; i < 6; i++)
        *number = *number << 8 | parts[i];
    return true;
}

/* type:administrator:number, RFC 4364 section 4.2; the administrator of type 1 is an IPv4 address. */
static bool read_rd(const char *text, uint64_t *number)
{
    unsigned octets[4];
    uint64_t type, administrator, assigned;
    const char *middle = strchr(text, ':'), *last = strrchr(text, ':');
    char word[32];
    int used = 0;

    if (middle == NULL || last == middle || last - middle > 30 || text[0] < '0' || text[0] > '2' || middle != text + 1)
        return false;
    type = (uint64_t)(text[0] - '0');
    memcpy(word, middle + 1, (size_t)(last - middle - 1));
    word[last - middle - 1] = '\0';
    if (!read_number(last + 1, 10, &assigned))
        return false;
    if (type == 1) {
        if (sscanf(word, "%3u.%3u.%3u.%3u%n", &octets[0], &octets[1], &octets[2], &octets[3], &used) != 4 ||
            word[used] != '\0' || octets[0] > 255 || octets[1] > 255 || octets[2] > 255 || octets[3] > 255)
            return false;
        administrator = (uint64_t)octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3];
    } else if (!read_number(word, 10, &administrator)) {
        return false;
    }
    if (administrator > (type == 0 ? UINT16_MAX : UINT32_MAX) || assigned > (type == 0 ? UINT32_MAX : UINT16_MAX))
        return false;
    *number = type << 48 | (type == 0 ? administrator << 32 | assigned : administrator << 16 | assigned);
    return true;
}

/* YYYY-MM-DDTHH:MM:SS[.uuuuuu], the only time of the suite that is read and not written. */
static bool read_time(const char *text, bool utc, bool nanoseconds, uint64_t *number)
{
    struct tm civil = {.tm_isdst = -1};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &civil);
    int64_t seconds, fraction = 0, unit = time_second_ns / 10;

    if (rest == NULL)
        return false;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            fraction += unit * (*rest - '0');
    if (*rest != '\0')
        return false;
    seconds = utc ? timegm(&civil) : mktime(&civil);
    *number = (uint64_t)(nanoseconds ? seconds * time_second_ns + fraction : seconds);
    return true;
}

static uint64_t number_max(enum field_type type)
{
    switch (field_type_bytes(type)) {
    case 1:
        return UINT8_MAX;
    case 2:
        return UINT16_MAX;
    case 4:
        return UINT32_MAX;
    default:
        return UINT64_MAX;
    }
}

static int bad_value(struct error *error, const char *name, const char *what, const char *text)
{
    return error_set(error, "ERROR: %s: Invalid %s: '%.100s'", name, what, text);
}

static int read_word(enum field_type type, const char *name, const char *text, bool utc, uint64_t *number,
                     struct error *error)
{
    double real;
    char *end;
    int protocol;

    switch (type) {
    case FIELD_TYPE_MAC:
        return read_mac(text, number) ? 0 : bad_value(error, name, "MAC address", text);
    case FIELD_TYPE_ETHERTYPE:
        return read_number(text, 16, number) && *number <= UINT16_MAX ? 0 : bad_value(error, name, "ethertype", text);
    case FIELD_TYPE_PROTOCOL:
        if (read_number(text, 10, number))
            return *number <= UINT8_MAX ? 0 : error_set(error, "ERROR: invalid protocol: '%.100s'", text);
        protocol = names_protocol_number(text);
        *number = (uint64_t)protocol;
        return protocol >= 0 ? 0 : error_set(error, "ERROR: invalid protocol: '%.100s'", text);
    case FIELD_TYPE_HEXADECIMAL:
        return read_number(text, 16, number) ? 0 : bad_value(error, name, "hexadecimal number", text);
    case FIELD_TYPE_I64:
        if (text[0] != '-')
            return read_number(text, 10, number) && *number <= INT64_MAX ? 0 : bad_value(error, name, "number", text);
        if (!read_number(text + 1, 10, number) || *number > (uint64_t)INT64_MAX + 1)
            return bad_value(error, name, "number", text);
        *number = 0 - *number;
        return 0;
    case FIELD_TYPE_BOOLEAN: /* RFC 7011 section 6.1.5 */
        *number = strcmp(text, "true") == 0 ? 1 : 2;
        return *number == 1 || strcmp(text, "false") == 0 ? 0 : bad_value(error, name, "true or false", text);
    case FIELD_TYPE_LETTER:
        *number = (uint8_t)text[0];
        return text[0] == '\0' || text[1] == '\0' ? 0 : bad_value(error, name, "letter", text);
    case FIELD_TYPE_RD:
        return read_rd(text, number) ? 0 : bad_value(error, name, "route distinguisher", text);
    case FIELD_TYPE_REAL:
        real = strtod(text, &end);
        memcpy(number, &real, sizeof(*number));
        return end != text && *end == '\0' ? 0 : bad_value(error, name, "coordinate", text);
    case FIELD_TYPE_TIME:
    case FIELD_TYPE_SECONDS:
        return read_time(text, utc, type == FIELD_TYPE_TIME, number) ? 0 : bad_value(error, name, "timestamp", text);
    default:
        return read_number(text, 10, number) && *number <= number_max(type) ? 0
                                                                              : bad_value(error, name, "number", text);
    }
}

/* "^$" and "0" are the empty path and the empty community; a blank inside is written '_', as the table has it. */
static size_t read_text(char *text)
{
    if (strcmp(text, "^$") == 0 || strcmp(text, "0") == 0)
        return 0;
    for (char *at = text; *at; at++)
        if (*at == ' ')
            *at = '_';
    return strlen(text);
}

static int add_value(struct data *data, const void *bytes, size_t length, bool any, struct error *error)
{
    struct query_value *value = &data->match.values[data->value_count];

    if (data->bytes_used + length > data->bytes_room) {
        size_t room = (data->bytes_used + length) * 2 + 4096;
        uint8_t *more = realloc(data->bytes, room);

        if (more == NULL)
            return error_set(error, "ERROR: out of memory");
        data->bytes = more;
        data->bytes_room = room;
    }
    if (length > 0)
        memcpy(data->bytes + data->bytes_used, bytes, length);
    value->length = any ? query_any : (uint16_t)length;
    data->value_count++;
    data->bytes_used += length;
    return 0;
}

static int add_text(struct data *data, const struct item *item, unsigned field, char *text, struct error *error)
{
    enum field_type type = field_table[field].type;
    struct address address = {{0}};
    uint8_t wire[8];
    uint64_t number = 0;

    if (strcmp(text, "*") == 0)
        return add_value(data, NULL, 0, true, error);
    if (type == FIELD_TYPE_ADDRESS) {
        if (text[0] != '\0' && strcmp(text, "0") != 0 && !address_parse(text, &address))
            return bad_value(error, item->name, "IP address", text);
        return add_value(data, address.bytes, 16, false, error);
    }
    if (type == FIELD_TYPE_STRING) {
        size_t length = read_text(text);

        if (length > flow_string_max)
            return bad_value(error, item->name, "text", text);
        return add_value(data, text, length, false, error);
    }
    if (read_word(type, item->name, text, data->utc, &number, error) < 0)
        return -1;
    store_be64(wire, number);
    return add_value(data, wire, sizeof(wire), false, error);
}

/* -- the queries -- */

/* How much of `text` the value of this item takes. Coordinates take one ':' inside; nothing else counts. */
static size_t value_length(const char *text, size_t left)
{
    const char *comma = memchr(text, ',', left);

    return comma != NULL ? (size_t)(comma - text) : left;
}

static int add_item_value(struct data *data, const struct item *item, const char *text, size_t length,
                          struct error *error)
{
    char value[value_max + 1];
    char *second;

    if (length > value_max)
        return error_set(error, "ERROR: %s: the value is too long", item->name);
    memcpy(value, text, length);
    value[length] = '\0';
    if (item->count == 1)
        return add_text(data, item, data->match.fields[item->first], value, error);
    if (strcmp(value, "*") == 0)
        second = value;
    else if ((second = strchr(value, ':')) != NULL)
        *second++ = '\0';
    else
        return bad_value(error, item->name, "coordinates, lat:lon", value);
    if (add_text(data, item, data->match.fields[item->first], value, error) < 0)
        return -1;
    return add_text(data, item, data->match.fields[item->first + 1], second, error);
}

static int add_query(struct data *data, const char *text, size_t length, struct error *error)
{
    struct query_match *match = &data->match;
    size_t need = ((size_t)match->query_count + 1) * match->field_count;
    struct query_value *values;

    if (match->query_count == queries_max)
        return error_set(error, "ERROR: at most %d queries at once", queries_max);
    values = realloc(match->values, need * sizeof(*values));
    if (values == NULL)
        return error_set(error, "ERROR: out of memory");
    match->values = values;
    for (unsigned i = 0; i < data->item_count; i++) {
        size_t part = value_length(text, length);

        if (add_item_value(data, &data->items[i], text, part, error) < 0)
            return -1;
        if ((part == length) != (i + 1 == data->item_count))
            return error_set(error, "ERROR: a query of %s values than -c has primitives",
                             part == length ? "fewer" : "more");
        text += part + (part < length);
        length -= part + (part < length);
    }
    match->query_count++;
    return 0;
}

static int read_file(struct data *data, const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int result = 0;

    if (file == NULL)
        return error_set(error, "ERROR: file '%.200s' not found", path);
    while (result == 0 && (length = getline(&line, &room, file)) >= 0) {
        while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
            length--;
        if (length == 0 || line[0] == '!')
            continue;
        result = length > line_max ? error_set(error, "ERROR: file '%.200s': a line is too long", path)
                                   : add_query(data, line, (size_t)length, error);
    }
    free(line);
    fclose(file);
    return result;
}

static int read_queries(struct data *data, const char *text, struct error *error)
{
    if (strncmp(text, "file:", 5) == 0)
        return read_file(data, text + 5, error);
    while (*text != '\0') {
        size_t length = strcspn(text, ";");

        if (length > 0 && add_query(data, text, length, error) < 0)
            return -1;
        text += length + (text[length] == ';');
    }
    return 0;
}

uint8_t *data_request(const char *fields, const char *text, bool utc, size_t *bytes, struct error *error)
{
    struct data *data = calloc(1, sizeof(*data));
    uint8_t *body = NULL;
    const uint8_t *at;

    if (data == NULL) {
        error_set(error, "ERROR: out of memory");
        return NULL;
    }
    data->utc = utc;
    if (read_names(data, fields, error) < 0 || read_queries(data, text, error) < 0)
        goto out;
    if (data->match.query_count == 0) {
        error_set(error, "ERROR: no query given");
        goto out;
    }
    at = data->bytes;
    for (size_t i = 0; i < data->value_count; i++) {
        struct query_value *value = &data->match.values[i];

        value->bytes = at;
        at += value->length == query_any ? 0 : value->length;
    }
    body = query_match_write(&data->match, bytes);
    if (body == NULL)
        error_set(error, "ERROR: the queries are too long for one request");
out:
    query_match_free(&data->match);
    free(data->bytes);
    free(data);
    return body;
}
