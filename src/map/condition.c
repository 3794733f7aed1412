/* SPDX-License-Identifier: BSD-2-Clause */
/* How each form of value is read, as a table of {read, what is expected}. */
#include "map/condition.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/rows.h"
#include "map/distinguisher.h"
#include "net/names.h"

#define communities_max 16u

typedef bool read_value(const struct condition_key *key, const char *value, struct rules_condition *condition,
                        struct error *error);

static bool read_number(const struct condition_key *key, const char *value, struct rules_condition *condition,
                        struct error *error)
{
    (void)error;
    return rows_number(value, key->most, &condition->number);
}

static bool read_hexadecimal(const struct condition_key *key, const char *value, struct rules_condition *condition,
                             struct error *error)
{
    char *end;

    (void)error;
    if (value[0] == '0' && (value[1] == 'x' || value[1] == 'X'))
        value += 2;
    if (!isxdigit((unsigned char)*value) || strlen(value) > 16)
        return false;
    condition->number = strtoull(value, &end, 16);
    return *end == '\0' && condition->number <= key->most;
}

static bool read_boolean(const struct condition_key *key, const char *value, struct rules_condition *condition,
                         struct error *error)
{
    (void)key;
    (void)error;
    condition->number = strcmp(value, "true") == 0;
    return condition->number == 1 || strcmp(value, "false") == 0;
}

static bool read_prefix(const struct condition_key *key, const char *value, struct rules_condition *condition,
                        struct error *error)
{
    const char *slash = strchr(value, '/');
    char address[address_text_max];

    (void)key;
    condition->operator = RULES_PREFIX;
    if (prefix_parse(value, &condition->prefix, NULL) == 0)
        return true;
    if (slash == NULL || slash - value >= (ptrdiff_t)sizeof(address))
        return false;
    memcpy(address, value, (size_t)(slash - value));
    address[slash - value] = '\0';
    if (address_parse(address, &condition->prefix.net))
        error_set(error, "has the prefix length '%.20s', expected 0 to %u", slash + 1,
                  prefix_bits(&condition->prefix.net));
    return false;
}

static bool read_address(const struct condition_key *key, const char *value, struct rules_condition *condition,
                         struct error *error)
{
    return strchr(value, '/') == NULL && read_prefix(key, value, condition, error);
}

static bool read_no_prefix(const struct condition_key *key, const char *value, struct rules_condition *condition,
                            struct error *error)
{
    if (!read_prefix(key, value, condition, error))
        return false;
    condition->operator = RULES_NEVER;
    return true;
}

static bool read_mac(const struct condition_key *key, const char *value, struct rules_condition *condition,
                     struct error *error)
{
    (void)key;
    (void)error;
    condition->number = 0;
    for (unsigned i = 0; i < 6; i++) {
        unsigned digits = 0;

        for (uint64_t octet = 0; digits < 2 && isxdigit((unsigned char)*value); digits++, value++) {
            unsigned digit = (unsigned)(isdigit((unsigned char)*value) ? *value - '0'
                                                                       : tolower((unsigned char)*value) - 'a' + 10);

            octet = octet * 16 + digit;
            condition->number = digits == 0 ? condition->number << 8 | octet
                                            : (condition->number & ~UINT64_C(0xff)) | octet;
        }
        if (digits == 0 || *value != (i < 5 ? ':' : '\0'))
            return false;
        value += i < 5;
    }
    return true;
}

static bool read_protocol(const struct condition_key *key, const char *value, struct rules_condition *condition,
                          struct error *error)
{
    int number = names_protocol_number(value);

    (void)key;
    (void)error;
    condition->number = number < 0 ? 0 : (uint64_t)number;
    return number >= 0;
}

static bool read_distinguisher(const struct condition_key *key, const char *value, struct rules_condition *condition,
                               struct error *error)
{
    struct error reason;

    (void)key;
    if (distinguisher_parse(value, &condition->number, &reason) == 0)
        return true;
    error_set(error, "is '%.60s', %.300s", value, reason.text);
    return false;
}

/* The letters that roa_src and roa_dst have. */
static bool read_roa(const struct condition_key *key, const char *value, struct rules_condition *condition,
                     struct error *error)
{
    (void)key;
    (void)error;
    condition->number = (unsigned char)value[0];
    return value[0] != '\0' && value[1] == '\0' && strchr("uivUIV", value[0]) != NULL;
}

static bool read_communities(const struct condition_key *key, const char *value, struct rules_condition *condition,
                             struct error *error)
{
    unsigned count = 1;

    (void)key;
    (void)error;
    for (const char *at = value; *at != '\0'; at++) {
        count += *at == ',';
        if (strchr("0123456789:.,", *at) == NULL)
            return false;
    }
    condition->operator = RULES_COMMUNITIES;
    condition->text = value;
    return *value != '\0' && count <= communities_max;
}

static bool read_sort(const struct condition_key *key, const char *value, struct rules_condition *condition,
                      struct error *error)
{
    static const struct {
        const char *word;
        uint16_t subject;
        uint8_t number;
    } words[] = {
        {"flow", SUBJECT_SORT, SUBJECT_SORT_FLOW},
        {"event", SUBJECT_SORT, SUBJECT_SORT_EVENT},
        {"option", SUBJECT_SORT, SUBJECT_SORT_OPTION},
        {"flow-ipv4", SUBJECT_KIND, SUBJECT_KIND_IPV4},
        {"flow-ipv6", SUBJECT_KIND, SUBJECT_KIND_IPV6},
        {"flow-mpls-ipv4", SUBJECT_KIND, SUBJECT_KIND_MPLS_IPV4},
        {"flow-mpls-ipv6", SUBJECT_KIND, SUBJECT_KIND_MPLS_IPV6},
    };

    (void)key;
    (void)error;
    for (unsigned i = 0; i < array_length(words); i++)
        if (strcmp(words[i].word, value) == 0) {
            condition->subject = words[i].subject;
            condition->number = words[i].number;
            return true;
        }
    return false;
}

/* sFlow version 5, section 5.1: a format is 20 bits of enterprise and 12 of the format itself. */
static bool read_sample(const struct condition_key *key, const char *value, struct rules_condition *condition,
                        struct error *error)
{
    const char *colon = strchr(value, ':');
    uint64_t enterprise, format;
    char first[16];

    (void)key;
    (void)error;
    if (colon == NULL || colon - value >= (ptrdiff_t)sizeof(first))
        return false;
    memcpy(first, value, (size_t)(colon - value));
    first[colon - value] = '\0';
    if (!rows_number(first, (1u << 20) - 1, &enterprise) || !rows_number(colon + 1, (1u << 12) - 1, &format))
        return false;
    condition->number = enterprise << 12 | format;
    return true;
}

static bool read_filter(const struct condition_key *key, const char *value, struct rules_condition *condition,
                        struct error *error)
{
    struct error reason = {""};

    (void)key;
    condition->operator = RULES_FILTER;
    condition->filter = flow_filter_new(value, &reason);
    if (condition->filter == NULL)
        error_set(error, "is refused: %.380s", reason.text);
    return condition->filter != NULL;
}

static const struct {
    read_value *read;
    const char *expected; /* where the reader does not say it better */
} forms[CONDITION_FORM_COUNT] = {
    [CONDITION_NUMBER] = {read_number, "a number"},
    [CONDITION_HEXADECIMAL] = {read_hexadecimal, "a hexadecimal number"},
    [CONDITION_BOOLEAN] = {read_boolean, "true or false"},
    [CONDITION_ADDRESS] = {read_address, "an address"},
    [CONDITION_PREFIX] = {read_prefix, "an address or a prefix"},
    [CONDITION_NO_PREFIX] = {read_no_prefix, "an address or a prefix"},
    [CONDITION_MAC] = {read_mac, "a MAC address like 00:00:5e:00:53:01"},
    [CONDITION_PROTOCOL] = {read_protocol, "the name or number of an IP protocol"},
    [CONDITION_DISTINGUISHER] = {read_distinguisher, "a route distinguisher"},
    [CONDITION_ROA] = {read_roa, "u (unknown), i (invalid) or v (valid)"},
    [CONDITION_COMMUNITIES] = {read_communities, "up to 16 communities like 64500:1, separated by commas"},
    [CONDITION_SORT] = {read_sort, "flow, event, option, flow-ipv4, flow-ipv6, flow-mpls-ipv4 or flow-mpls-ipv6"},
    [CONDITION_SAMPLE] = {read_sample, "ENTERPRISE:FORMAT, like 0:1"},
    [CONDITION_FILTER] = {read_filter, "a filter"},
};

static int refuse(const struct condition_key *key, const char *value, const struct error *reason, struct error *error)
{
    const char *minus = key->minus ? ", or one with a minus before it" : "";
    const char *expected = key->expected != NULL ? key->expected : forms[key->form].expected;

    if (reason->text[0] != '\0')
        return error_set(error, "'%s' %.400s", key->name, reason->text);
    if (key->form == CONDITION_NUMBER && key->expected == NULL)
        return error_set(error, "'%s' is '%.40s', expected a number up to %llu%s", key->name, value,
                         (unsigned long long)key->most, minus);
    return error_set(error, "'%s' is '%.60s', expected %s%s", key->name, value, expected, minus);
}

int condition_read(const struct condition_key *key, const char *value, struct rules_condition *condition,
                   struct error *error)
{
    bool minus = key->minus && *value == '-';
    struct error reason = {""};

    *condition = (struct rules_condition){.subject = key->subject, .other_subject = key->other_subject,
                                          .operator = RULES_EQUAL, .absent = key->absent, .negated = minus};
    if (!forms[key->form].read(key, value + minus, condition, &reason))
        return refuse(key, value, &reason, error);
    return 1;
}

const struct condition_key *condition_find(const struct condition_key *keys, unsigned count, const char *name,
                                           enum daemon_mask daemon)
{
    for (unsigned i = 0; i < count; i++)
        if ((keys[i].daemons & daemon) != 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

void condition_fields(const struct condition_key *keys, unsigned count, enum daemon_mask daemon,
                      struct field_set *fields)
{
    for (unsigned i = 0; i < count; i++) {
        if ((keys[i].daemons & daemon) == 0 || keys[i].form == CONDITION_FILTER)
            continue;
        if (keys[i].form == CONDITION_SORT)
            subject_fields(SUBJECT_KIND, fields);
        if (subject_is_known(keys[i].subject, daemon))
            subject_fields(keys[i].subject, fields);
        if (keys[i].other_subject != SUBJECT_NONE && subject_is_known(keys[i].other_subject, daemon))
            subject_fields(keys[i].other_subject, fields);
    }
}
