/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reading of `aggregate`. A word is a primitive, one of the sums, a custom primitive, or the name of an information
 * element, and is looked up in this order, so that no element ever changes what a word has meant before.
 */
#include "flow/custom.h"

#include <ctype.h>

#include "base/nearest.h"

#define aggregate_word_max 96u /* a custom name, or an element with its enterprise */

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

/* The nearest of primitives, sums, custom primitives and elements. */
static int unknown_word(const char *word, struct error *error)
{
    const char *element = custom_elements_known() ? element_nearest(word) : NULL;
    char lower[aggregate_word_max + 1] = "";
    struct nearest nearest;
    const char *near;

    nearest_start(&nearest, word);
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        nearest_offer(&nearest, field_table[id].keyword);
    for (unsigned i = 0; i < array_length(sum_table); i++)
        nearest_offer(&nearest, sum_table[i].keyword);
    for (size_t i = 0; element != NULL && element[i] != '\0' && i < aggregate_word_max; i++)
        lower[i] = (char)tolower((unsigned char)element[i]);
    nearest_offer(&nearest, lower);
    near = nearest_result(&nearest);
    if (near == lower)
        near = element;
    return error_set(error, "unknown primitive '%.40s'%s%s%s", word, near ? ", did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

static int add_element(struct aggregate *aggregate, const char *word, struct error *error)
{
    enum field_id id;
    int result = custom_field_for_element(word, &id, error);

    if (result == 0)
        field_set_add(&aggregate->fields, id);
    return result <= 0 ? result : unknown_word(word, error);
}

int aggregate_add(struct aggregate *aggregate, const char *keyword, struct error *error)
{
    bool found = false;

    if (strcmp(keyword, "none") == 0)
        return 0;
    for (unsigned i = 0; i < array_length(sum_table); i++)
        if (strcmp(keyword, sum_table[i].keyword) == 0)
            return add_sum(aggregate, i, error);
    for (unsigned id = field_find(keyword); id < FIELD_COUNT; id++) {
        if (strcmp(keyword, field_table[id].keyword) != 0)
            continue;
        if (aggregate->sum && (id == aggregate->sum_source || id == aggregate->sum_destination))
            return error_set(error, "%s cannot be together with the sum of it", keyword);
        field_set_add(&aggregate->fields, id);
        found = true;
    }
    return found ? 0 : add_element(aggregate, keyword, error);
}

int aggregate_parse(struct aggregate *aggregate, const char *list, struct error *error)
{
    char word[aggregate_word_max + 1];
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
