/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a set of rules, as they are added; what becomes of them is in rules_compile.c. */
#include "map/rules_index.h"

struct rules *rules_new(void)
{
    struct rules *rules = calloc(1, sizeof(*rules));

    if (rules == NULL)
        return NULL;
    rules->condition_room = 64;
    rules->conditions = malloc(rules->condition_room * sizeof(*rules->conditions));
    if (rules->conditions != NULL)
        return rules;
    free(rules);
    return NULL;
}

static void free_conditions(struct rules_condition *conditions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)conditions[i].text);
        flow_filter_free(conditions[i].filter);
    }
}

void rules_free(struct rules *rules)
{
    if (rules == NULL)
        return;
    for (unsigned i = 0; i < rules->dim_count; i++) {
        prefixes_free(rules->dims[i].prefixes);
        free(rules->dims[i].nodes);
        free(rules->dims[i].memory);
    }
    free_conditions(rules->conditions, rules->condition_count);
    free(rules->conditions);
    free(rules->rows);
    free(rules->slots);
    free(rules->members);
    free(rules->checks);
    free(rules->shapes);
    free(rules);
}

uint32_t rules_count(const struct rules *rules)
{
    return rules->row_count;
}

/* `condition` with a text of its own; its filter is taken over. */
static int add_condition(struct rules *rules, const struct rules_condition *condition)
{
    struct rules_condition *grown = rules_grow(rules->conditions, rules->condition_count, &rules->condition_room,
                                               sizeof(*grown));
    struct rules_condition *copy;

    if (grown == NULL)
        return -1;
    rules->conditions = grown;
    copy = &rules->conditions[rules->condition_count];
    *copy = *condition;
    copy->text = condition->text == NULL ? NULL : strdup(condition->text);
    if (condition->text != NULL && copy->text == NULL)
        return -1;
    rules->condition_count++;
    return 0;
}

int rules_add(struct rules *rules, uint64_t value, uint8_t kind, const struct rules_condition *conditions,
              unsigned count, struct error *error)
{
    struct rules_row *rows = rules_grow(rules->rows, rules->row_count, &rules->row_room, sizeof(*rows));
    unsigned added = 0, filters = 0;

    for (unsigned i = 0; i < count; i++)
        filters += conditions[i].filter != NULL;
    if (rows != NULL)
        rules->rows = rows;
    if (rules->row_count == rules_rows_max)
        error_set(error, "more than %u rows", rules_rows_max);
    else if (count > rules_conditions_max)
        error_set(error, "more than %u conditions in a row", rules_conditions_max);
    else if (rules->filter_count + filters > rules_filters_max)
        error_set(error, "more than %u filters in a map", rules_filters_max);
    else {
        if (rows != NULL)
            rules->rows[rules->row_count] = (struct rules_row){value, rules->condition_count, (uint8_t)count, kind};
        while (rows != NULL && added < count && add_condition(rules, &conditions[added]) == 0)
            added++;
        if (rows != NULL && added == count) {
            rules->filter_count += filters;
            rules->row_count++;
            return 0;
        }
        error_set(error, "out of memory for the rows of a map");
    }
    for (unsigned i = added; i < count; i++)
        flow_filter_free(conditions[i].filter);
    return -1;
}

void rules_set(struct rules *rules, uint32_t row, uint64_t value, uint8_t kind)
{
    rules->rows[row].value = value;
    rules->rows[row].kind = kind;
}
