/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of custom primitives and the making of them; see custom.h. Reading a primitives file is custom_file.c. */
#include "flow/custom.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static struct custom_field rows[custom_fields_max];
static unsigned row_count;
static unsigned this_daemon = DAEMON_NFACCTD;

_Static_assert(custom_fields_max == field_custom_count, "one row of fields.def for each custom field");
_Static_assert(custom_name_max == field_name_max, "names fit in the table of fields");

/* How a custom field is kept and written. The type of a number differs by what asked for it: a string in JSON for rows
 * of a file, as they have always been; a number for elements. */
static const struct storage {
    enum custom_store store;
    enum field_type type, by_name_type;
    bool raw;
} semantics_table[CUSTOM_SEMANTICS_COUNT] = {
    [CUSTOM_UNSIGNED] = {CUSTOM_STORE_NUMBER, FIELD_TYPE_U64_TEXT, FIELD_TYPE_U64, false},
    [CUSTOM_SIGNED] = {CUSTOM_STORE_NUMBER, FIELD_TYPE_I64, FIELD_TYPE_I64, false},
    [CUSTOM_HEXADECIMAL] = {CUSTOM_STORE_NUMBER, FIELD_TYPE_HEXADECIMAL, FIELD_TYPE_HEXADECIMAL, false},
    [CUSTOM_ADDRESS] = {CUSTOM_STORE_ADDRESS, FIELD_TYPE_ADDRESS, FIELD_TYPE_ADDRESS, false},
    [CUSTOM_MAC] = {CUSTOM_STORE_NUMBER, FIELD_TYPE_MAC, FIELD_TYPE_MAC, false},
    [CUSTOM_TEXT] = {CUSTOM_STORE_SPAN, FIELD_TYPE_STRING, FIELD_TYPE_STRING, false},
    [CUSTOM_RAW] = {CUSTOM_STORE_SPAN, FIELD_TYPE_STRING, FIELD_TYPE_STRING, true},
    [CUSTOM_REAL] = {CUSTOM_STORE_REAL, FIELD_TYPE_REAL, FIELD_TYPE_REAL, false},
    [CUSTOM_TIME] = {CUSTOM_STORE_NUMBER, FIELD_TYPE_TIME, FIELD_TYPE_TIME, false},
    [CUSTOM_BOOLEAN] = {CUSTOM_STORE_NUMBER, FIELD_TYPE_BOOLEAN, FIELD_TYPE_BOOLEAN, false},
};

/* Lists are not taken apart for this: their bytes are written. */
static const uint8_t type_semantics[ELEMENT_TYPE_COUNT] = {
    [ELEMENT_OCTETS] = CUSTOM_RAW,
    [ELEMENT_U8] = CUSTOM_UNSIGNED,
    [ELEMENT_U16] = CUSTOM_UNSIGNED,
    [ELEMENT_U32] = CUSTOM_UNSIGNED,
    [ELEMENT_U64] = CUSTOM_UNSIGNED,
    [ELEMENT_I8] = CUSTOM_SIGNED,
    [ELEMENT_I16] = CUSTOM_SIGNED,
    [ELEMENT_I32] = CUSTOM_SIGNED,
    [ELEMENT_I64] = CUSTOM_SIGNED,
    [ELEMENT_F32] = CUSTOM_REAL,
    [ELEMENT_F64] = CUSTOM_REAL,
    [ELEMENT_BOOLEAN] = CUSTOM_BOOLEAN,
    [ELEMENT_MAC] = CUSTOM_MAC,
    [ELEMENT_STRING] = CUSTOM_TEXT,
    [ELEMENT_SECONDS] = CUSTOM_TIME,
    [ELEMENT_MILLISECONDS] = CUSTOM_TIME,
    [ELEMENT_MICROSECONDS] = CUSTOM_TIME,
    [ELEMENT_NANOSECONDS] = CUSTOM_TIME,
    [ELEMENT_IPV4] = CUSTOM_ADDRESS,
    [ELEMENT_IPV6] = CUSTOM_ADDRESS,
    [ELEMENT_BASIC_LIST] = CUSTOM_RAW,
    [ELEMENT_SUB_TEMPLATE_LIST] = CUSTOM_RAW,
    [ELEMENT_SUB_TEMPLATE_MULTI_LIST] = CUSTOM_RAW,
};

unsigned custom_field_count(void)
{
    return row_count;
}

const struct custom_field *custom_field_at(unsigned index)
{
    return &rows[index];
}

const struct custom_field *custom_field_by_name(const char *name)
{
    for (unsigned i = 0; i < row_count; i++)
        if (strcasecmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

enum custom_store custom_store(enum custom_semantics semantics)
{
    return semantics_table[semantics].store;
}

enum custom_semantics custom_semantics_of(unsigned element_type)
{
    return element_type < ELEMENT_TYPE_COUNT ? (enum custom_semantics)type_semantics[element_type] : CUSTOM_RAW;
}

bool custom_elements_known(void)
{
    return this_daemon == DAEMON_NFACCTD;
}

/* Names become keywords, JSON names and column names as they are. */
static int check_name(const char *name, struct error *error)
{
    size_t length = strlen(name);

    if (length == 0 || length > custom_name_max)
        return error_set(error, "a name has 1 to %u characters, '%.70s' has %zu", custom_name_max, name, length);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && (name[i] == '\0' || strchr("_-.:", name[i]) == NULL))
            return error_set(error, "the name '%.64s' has a character that is no letter, digit, '_', '-', '.' or ':'",
                             name);
    if (strncasecmp(name, "sum_", 4) == 0 || strcasecmp(name, "sum") == 0 || strcasecmp(name, "none") == 0)
        return error_set(error, "the name '%.64s' has a meaning of its own in 'aggregate'", name);
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (strcasecmp(field_table[id].keyword, name) == 0 || strcasecmp(field_table[id].json, name) == 0)
            return error_set(error, "the name '%.64s' is taken: there is a primitive of that name", name);
    return 0;
}

int custom_field_add(struct custom_field *row, struct error *error)
{
    struct field_definition definition = {.name = row->name, .help = "Custom primitive"};
    const struct storage *storage = &semantics_table[row->semantics];
    char help[field_name_max + 1];

    if (row_count == custom_fields_max)
        return error_set(error, "more than %u custom primitives and elements", custom_fields_max);
    if (check_name(row->name, error) < 0)
        return -1;
    if (row->element != 0) {
        snprintf(help, sizeof(help), "%s %u:%u", row->by_name ? "Information element" : "Custom primitive, element",
                 row->enterprise, row->element);
        definition.help = help;
    }
    definition.type = row->by_name ? storage->by_name_type : storage->type;
    definition.raw = storage->raw;
    definition.daemons = row->element != 0 ? DAEMON_NFACCTD : DAEMON_PMACCTD | DAEMON_UACCTD;
    row->field = (enum field_id)(FIELD_CUSTOM_0 + row_count);
    rows[row_count++] = *row;
    field_define(row->field, &definition);
    return 0;
}

enum field_id custom_field_learn(const char *name, size_t length, unsigned type)
{
    struct custom_field row = {.by_name = true};
    unsigned i = 0;

    while (i < CUSTOM_SEMANTICS_COUNT && semantics_table[i].type != type && semantics_table[i].by_name_type != type)
        i++;
    if (i == CUSTOM_SEMANTICS_COUNT || length > custom_name_max)
        return FIELD_COUNT;
    row.semantics = (enum custom_semantics)i;
    row.by_name = semantics_table[i].by_name_type == type;
    memcpy(row.name, name, length);
    row.name[length] = '\0';
    return custom_field_add(&row, NULL) == 0 ? row.field : FIELD_COUNT;
}

void custom_fields_cut(unsigned count)
{
    while (row_count > count)
        field_undefine(rows[--row_count].field);
}

void custom_fields_start(unsigned daemon)
{
    custom_fields_cut(0);
    this_daemon = daemon;
}

/* A name that IANA or another enterprise uses too would be ambiguous without its number. */
static void name_row(struct custom_field *row, const struct element *element)
{
    if (element_by_name(element->name) == element)
        snprintf(row->name, sizeof(row->name), "%s", element->name);
    else
        snprintf(row->name, sizeof(row->name), "%u:%s", element->enterprise, element->name);
}

int custom_field_for_element(const char *name, enum field_id *field, struct error *error)
{
    const struct element *element = custom_elements_known() ? element_by_name(name) : NULL;
    struct custom_field row = {.by_name = true};

    if (element == NULL)
        return 1;
    row.enterprise = element->enterprise;
    row.element = element->id;
    row.semantics = custom_semantics_of(element->type);
    name_row(&row, element);
    for (unsigned i = 0; i < row_count; i++) {
        if (strcasecmp(rows[i].name, row.name) != 0)
            continue;
        *field = rows[i].field;
        return 0;
    }
    if (custom_field_add(&row, error) < 0)
        return -1;
    *field = row.field;
    return 0;
}
