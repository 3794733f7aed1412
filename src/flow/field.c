/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of fields, made from fields.def, and the reading of `aggregate`; see field.h. */
#include "flow/field.h"

#include <ctype.h>
#include <strings.h>

#include "base/nearest.h"
#include "flow/flow.h"

/* A row's width must be what its type says, for a member of a wrong type would be copied short or long. */
static const uint8_t type_bytes[FIELD_TYPE_COUNT] = {
    [FIELD_TYPE_U8] = 1,       [FIELD_TYPE_U16] = 2,        [FIELD_TYPE_U32] = 4,         [FIELD_TYPE_U64] = 8,
    [FIELD_TYPE_ADDRESS] = 16, [FIELD_TYPE_MAC] = 8,        [FIELD_TYPE_ETHERTYPE] = 2,   [FIELD_TYPE_PROTOCOL] = 1,
    [FIELD_TYPE_FLAGS] = 8,    [FIELD_TYPE_FLAGS_TEXT] = 8, [FIELD_TYPE_NUMBER_TEXT] = 4, [FIELD_TYPE_LETTER] = 1,
    [FIELD_TYPE_RD] = 8,       [FIELD_TYPE_RD_ORIGIN] = 1,  [FIELD_TYPE_REAL] = 8,        [FIELD_TYPE_TIME] = 8,
    [FIELD_TYPE_SECONDS] = 8,  [FIELD_TYPE_COUNTER] = 8,    [FIELD_TYPE_STRING] = 4,
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

const struct field field_table[FIELD_COUNT] = {
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

/* The sums: one key that either end of a record may fill. */
static const struct {
    const char *keyword;
    enum field_id source, destination;
} sum_table[] = {
    {"sum_host", FIELD_SRC_HOST, FIELD_DST_HOST}, {"sum", FIELD_SRC_HOST, FIELD_DST_HOST},
    {"sum_net", FIELD_SRC_NET, FIELD_DST_NET},    {"sum_as", FIELD_SRC_AS, FIELD_DST_AS},
    {"sum_port", FIELD_SRC_PORT, FIELD_DST_PORT}, {"sum_mac", FIELD_SRC_MAC, FIELD_DST_MAC},
};

static int add_sum(struct aggregate *aggregate, unsigned row, struct error *error)
{
    enum field_id source = sum_table[row].source, destination = sum_table[row].destination;

    if (aggregate->sum && aggregate->sum_source != source)
        return error_set(error, "only one sum_ primitive can be aggregated at a time");
    if (!aggregate->sum &&
        (field_set_has(&aggregate->fields, source) || field_set_has(&aggregate->fields, destination)))
        return error_set(error, "%s cannot be together with %s or %s", sum_table[row].keyword,
                         field_table[source].keyword, field_table[destination].keyword);
    aggregate->sum = true;
    aggregate->sum_source = source;
    aggregate->sum_destination = destination;
    field_set_add(&aggregate->fields, source);
    return 0;
}

int aggregate_add(struct aggregate *aggregate, const char *keyword, struct error *error)
{
    bool found = false;

    if (strcmp(keyword, "none") == 0)
        return 0;
    for (unsigned i = 0; i < array_length(sum_table); i++)
        if (strcmp(keyword, sum_table[i].keyword) == 0)
            return add_sum(aggregate, i, error);
    for (unsigned id = 0; id < FIELD_COUNT; id++) {
        if (field_table[id].keyword[0] == '\0' || strcmp(keyword, field_table[id].keyword) != 0)
            continue;
        if (aggregate->sum && (id == aggregate->sum_source || id == aggregate->sum_destination))
            return error_set(error, "%s cannot be together with the sum of it", keyword);
        field_set_add(&aggregate->fields, id);
        found = true;
    }
    if (!found) {
        const char *near = field_nearest(keyword);
        return error_set(error, "unknown primitive '%.40s'%s%s%s", keyword, near ? ", did you mean '" : "",
                         near ? near : "", near ? "'?" : "");
    }
    return 0;
}

int aggregate_parse(struct aggregate *aggregate, const char *list, struct error *error)
{
    char word[64];
    size_t length = 0;

    memset(aggregate, 0, sizeof(*aggregate));
    for (;; list++) {
        if (*list == ',' || *list == '\0') {
            word[length] = '\0';
            if (length > 0 && aggregate_add(aggregate, word, error) < 0)
                return -1;
            length = 0;
            if (*list == '\0')
                return 0;
        } else if (!isspace((unsigned char)*list)) {
            if (length + 1 == sizeof(word))
                return error_set(error, "unknown primitive '%.40s...'", word);
            word[length++] = (char)tolower((unsigned char)*list);
        }
    }
}

const char *field_nearest(const char *word)
{
    struct nearest nearest;

    nearest_start(&nearest, word);
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        nearest_offer(&nearest, field_table[id].keyword);
    for (unsigned i = 0; i < array_length(sum_table); i++)
        nearest_offer(&nearest, sum_table[i].keyword);
    return nearest_result(&nearest);
}
