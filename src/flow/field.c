/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of fields, made from fields.def, and its rows that a configuration defines; see field.h. */
#include "flow/field.h"

#include <ctype.h>
#include <stdio.h>

#include "flow/flow.h"

/* A row's width must be what its type says, for a member of a wrong type would be copied short or long. */
static const uint8_t type_bytes[FIELD_TYPE_COUNT] = {
    [FIELD_TYPE_U8] = 1,       [FIELD_TYPE_U16] = 2,        [FIELD_TYPE_U32] = 4,         [FIELD_TYPE_U64] = 8,
    [FIELD_TYPE_ADDRESS] = 16, [FIELD_TYPE_MAC] = 8,        [FIELD_TYPE_ETHERTYPE] = 2,   [FIELD_TYPE_PROTOCOL] = 1,
    [FIELD_TYPE_FLAGS] = 8,    [FIELD_TYPE_FLAGS_TEXT] = 8, [FIELD_TYPE_NUMBER_TEXT] = 4, [FIELD_TYPE_LETTER] = 1,
    [FIELD_TYPE_RD] = 8,       [FIELD_TYPE_RD_ORIGIN] = 1,  [FIELD_TYPE_REAL] = 8,        [FIELD_TYPE_TIME] = 8,
    [FIELD_TYPE_SECONDS] = 8,  [FIELD_TYPE_COUNTER] = 8,    [FIELD_TYPE_STRING] = 4,
    [FIELD_TYPE_U64_TEXT] = 8, [FIELD_TYPE_I64] = 8,        [FIELD_TYPE_HEXADECIMAL] = 8, [FIELD_TYPE_BOOLEAN] = 8,
    [FIELD_TYPE_CUSTOM] = 16,
};

unsigned field_type_bytes(enum field_type type)
{
    return type_bytes[type];
}

#define PMACCTD DAEMON_PMACCTD
#define UACCTD DAEMON_UACCTD
#define NFACCTD DAEMON_NFACCTD
#define SFACCTD DAEMON_SFACCTD
#define ALL DAEMON_ALL
#define HIDDEN DAEMON_HIDDEN
#define NO_SOURCE DAEMON_NO_SOURCE

struct field field_table[FIELD_COUNT] = {
#define FIELD(id, member, keyword_, json_, title_, sql_, width_, type_, role_, daemons_, sources_, section_, json_rank_, \
              csv_rank_, help_)                                                                                        \
    [FIELD_##id] = {                                                                                                   \
        .keyword = keyword_,                                                                                           \
        .json = json_,                                                                                                 \
        .title = title_,                                                                                               \
        .sql = sql_,                                                                                                   \
        .help = help_,                                                                                                 \
        .type = FIELD_TYPE_##type_,                                                                                    \
        .role = FIELD_ROLE_##role_,                                                                                    \
        .section = FIELD_SECTION_##section_,                                                                           \
        .flow_offset = offsetof(struct flow, member),                                                                  \
        .flow_bytes = sizeof(((struct flow *)0)->member),                                                              \
        .width = width_,                                                                                               \
        .json_rank = json_rank_,                                                                                       \
        .csv_rank = csv_rank_,                                                                                         \
        .daemons = daemons_,                                                                                           \
        .sources = sources_,                                                                                           \
    },
#include "flow/fields.def"
#undef FIELD
};

const char *const field_section_name[FIELD_SECTION_COUNT] = {
    "L2", "L3", "L4", "BGP", "NAT", "TUNNEL", "MPLS", "MISC", "TIME", "COUNTERS",
};

bool field_set_is_empty(const struct field_set *set)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < FIELD_WORDS; i++)
        any |= set->words[i];
    return any == 0;
}

enum field_id field_find(const char *keyword)
{
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (field_table[id].keyword[0] != '\0' && strcmp(keyword, field_table[id].keyword) == 0)
            return (enum field_id)id;
    return FIELD_COUNT;
}

/* The texts of defined rows, and what the rows were before. */
static struct custom_row {
    char name[field_name_max + 1];
    char keyword[field_name_max + 1];
    char help[field_name_max + 1];
    struct field before;
    bool defined;
} custom_rows[field_custom_count];

/* Bytes that values of a type mostly need, for the formatted column; the name may be longer. */
static unsigned column_bytes(const struct field_definition *definition)
{
    static const uint8_t usual[FIELD_TYPE_COUNT] = {
        [FIELD_TYPE_ADDRESS] = 45, [FIELD_TYPE_MAC] = 17, [FIELD_TYPE_TIME] = 29, [FIELD_TYPE_STRING] = 22,
        [FIELD_TYPE_BOOLEAN] = 5,
    };
    unsigned width = usual[definition->type] != 0 ? usual[definition->type] : 20;
    unsigned name = (unsigned)strnlen(definition->name, field_name_max);

    return (name > width ? name : width) + 2;
}

void field_define(enum field_id id, const struct field_definition *definition)
{
    struct custom_row *row = &custom_rows[id - FIELD_CUSTOM_0];
    struct field *field = &field_table[id];

    if (!row->defined)
        row->before = *field;
    row->defined = true;
    snprintf(row->name, sizeof(row->name), "%s", definition->name);
    snprintf(row->keyword, sizeof(row->keyword), "%s", definition->name);
    for (char *at = row->keyword; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    snprintf(row->help, sizeof(row->help), "%s", definition->help);
    field->keyword = row->keyword;
    field->json = row->name;
    field->title = row->name;
    field->sql = row->name;
    field->help = row->help;
    field->type = definition->type;
    field->raw = definition->raw;
    field->width = (uint16_t)column_bytes(definition);
    field->daemons = definition->daemons;
    field->sources = definition->daemons;
}

void field_undefine(enum field_id id)
{
    struct custom_row *row = &custom_rows[id - FIELD_CUSTOM_0];

    if (row->defined)
        field_table[id] = row->before;
    row->defined = false;
}
