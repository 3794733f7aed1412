/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of information elements, searched by halving: it stands in the order of enterprise and id. Two kinds of
 * elements are no rows of their own and lead to one: reverse elements (RFC 5103 section 6.1) and the numbers of ntop in
 * NetFlow v9, where enterprises have no place and 57472 is added instead.
 */
#include "flow/element.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/nearest.h"

#define ntop_enterprise 35632u
#define ntop_plain_first 57472u
#define reverse_ids 1024u /* more than IANA has assigned */
#define reverse_name_max 64u

static const struct element table[] = {
#define ELEMENT(enterprise_, id_, name_, type_, semantics_, units_) \
    {enterprise_, id_, ELEMENT_##type_, ELEMENT_SEMANTICS_##semantics_, #name_, units_},
#include "flow/elements.def"
#undef ELEMENT
};

/* A place that is empty has no name. Filled in when it is first asked for. */
static struct element reverse_table[reverse_ids];
static char reverse_names[reverse_ids][reverse_name_max];

static const struct element *search(uint32_t enterprise, uint32_t id)
{
    size_t low = 0, high = array_length(table);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct element *row = &table[middle];

        if (row->enterprise == enterprise && row->id == id)
            return row;
        if (row->enterprise < enterprise || (row->enterprise == enterprise && row->id < id))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* RFC 5103 section 6.1: "reverse" and the name with its first letter in upper case; all else is as forward. */
static const struct element *find_reverse(uint32_t id)
{
    const struct element *forward = id < reverse_ids ? search(0, id) : NULL;
    struct element *reverse;

    if (forward == NULL)
        return NULL;
    reverse = &reverse_table[id];
    if (reverse->name == NULL) {
        snprintf(reverse_names[id], reverse_name_max, "reverse%c%s", toupper((unsigned char)forward->name[0]),
                 forward->name + 1);
        *reverse = (struct element){.enterprise = element_enterprise_reverse, .id = forward->id, .type = forward->type,
                                    .semantics = forward->semantics, .name = reverse_names[id],
                                    .units = forward->units};
    }
    return reverse;
}

const struct element *element_find(uint32_t enterprise, uint32_t id)
{
    const struct element *found;

    if (enterprise == element_enterprise_reverse)
        return find_reverse(id);
    found = search(enterprise, id);
    if (found == NULL && enterprise == 0 && id > ntop_plain_first)
        found = search(ntop_enterprise, id - ntop_plain_first);
    return found;
}

static const struct element *find_name(const char *name, bool any_enterprise, uint32_t enterprise)
{
    for (size_t i = 0; i < array_length(table); i++)
        if ((any_enterprise || table[i].enterprise == enterprise) && strcasecmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static const struct element *find_reverse_name(const char *name)
{
    const struct element *forward;

    if (strncasecmp(name, "reverse", strlen("reverse")) != 0)
        return NULL;
    forward = find_name(name + strlen("reverse"), false, 0);
    return forward != NULL ? find_reverse(forward->id) : NULL;
}

const struct element *element_by_name(const char *name)
{
    const char *colon = strchr(name, ':');
    const struct element *found;
    unsigned long enterprise;
    char *end;

    if (colon != NULL) {
        enterprise = strtoul(name, &end, 10);
        if (!isdigit((unsigned char)name[0]) || end != colon || enterprise > UINT32_MAX)
            return NULL;
        if (enterprise == element_enterprise_reverse)
            return find_reverse_name(colon + 1);
        return find_name(colon + 1, false, (uint32_t)enterprise);
    }
    found = find_name(name, true, 0);
    return found != NULL ? found : find_reverse_name(name);
}

const char *element_nearest(const char *word)
{
    const char *best = NULL;
    char lower[reverse_name_max];
    struct nearest nearest;

    nearest_start(&nearest, word);
    for (size_t i = 0; i < array_length(table); i++) {
        unsigned distance = nearest.distance;
        size_t length = 0;

        /* The word comes from `aggregate`, which is read in lower case. */
        for (; table[i].name[length] != '\0' && length + 1 < sizeof(lower); length++)
            lower[length] = (char)tolower((unsigned char)table[i].name[length]);
        lower[length] = '\0';
        nearest_offer(&nearest, lower);
        if (nearest.distance < distance || (best == NULL && nearest_result(&nearest) != NULL))
            best = table[i].name;
    }
    return best;
}

const struct element *element_at(unsigned index)
{
    return index < array_length(table) ? &table[index] : NULL;
}
