/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks on the counters of rows: one table of what can be checked, one comparison. */
#include "plugins/common/preprocess.h"

#include <errno.h>
#include <stdlib.h>

enum measure { MEASURE_PACKETS, MEASURE_FLOWS, MEASURE_BYTES, MEASURE_ONE };

/* A row passes when value >= limit * per; for a `below` check when it does not. */
static const struct {
    const char *name;
    enum measure value, per;
    bool below;
} kinds[] = {
    {"minp", MEASURE_PACKETS, MEASURE_ONE, false},   {"minf", MEASURE_FLOWS, MEASURE_ONE, false},
    {"minb", MEASURE_BYTES, MEASURE_ONE, false},     {"maxp", MEASURE_PACKETS, MEASURE_ONE, true},
    {"maxf", MEASURE_FLOWS, MEASURE_ONE, true},      {"maxb", MEASURE_BYTES, MEASURE_ONE, true},
    {"minbpp", MEASURE_BYTES, MEASURE_PACKETS, false}, {"minppf", MEASURE_PACKETS, MEASURE_FLOWS, false},
};

/* Known to pmacct, for its SQL plugins or not offered here. */
static const char *const elsewhere[] = {"maxbpp", "maxppf", "qnum", "fss", "fsrc", "usrf", "adjb", "recover"};

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static int add_check(struct preprocess *preprocess, const char *name, size_t length, uint64_t limit,
                     const struct layout *layout, struct error *error)
{
    for (unsigned i = 0; i < array_length(kinds); i++) {
        if (strlen(kinds[i].name) != length || memcmp(kinds[i].name, name, length) != 0)
            continue;
        if (kinds[i].value == MEASURE_FLOWS || kinds[i].per == MEASURE_FLOWS) {
            const struct layout_slot *slot = layout_find(layout, FIELD_FLOWS);
            if (!slot)
                return error_set(error, "preprocess: '%s' needs 'flows' in aggregate", kinds[i].name);
            preprocess->flows_offset = slot->offset;
        }
        if (preprocess->count == preprocess_checks_max)
            return error_set(error, "preprocess: more than %d checks", preprocess_checks_max);
        preprocess->checks[preprocess->count++] = (struct preprocess_check){.kind = (uint8_t)i, .limit = limit};
        return 0;
    }
    for (unsigned i = 0; i < array_length(elsewhere); i++) {
        if (strlen(elsewhere[i]) == length && memcmp(elsewhere[i], name, length) == 0)
            return error_set(error, "preprocess: '%s' is not offered by this plugin", elsewhere[i]);
    }
    return error_set(error,
                     "preprocess: '%.*s' is unknown; expected minp minf minb maxp maxf maxb minbpp minppf",
                     length > 32 ? 32 : (int)length, name);
}

int preprocess_parse(struct preprocess *preprocess, const char *list, bool all, const struct layout *layout,
                     struct error *error)
{
    *preprocess = (struct preprocess){.all = all};
    if (!list)
        return 0;
    for (const char *p = skip_blanks(list); *p;) {
        const char *name = p;
        while (*p && *p != '=' && *p != ',' && *p != ' ' && *p != '\t')
            p++;
        size_t length = (size_t)(p - name);
        p = skip_blanks(p);
        if (length == 0 || *p != '=')
            return error_set(error, "preprocess: expected name=number at '%.32s'", name);
        p = skip_blanks(p + 1);
        if (*p < '0' || *p > '9')
            return error_set(error, "preprocess: expected a number after '%.*s='", length > 32 ? 32 : (int)length,
                             name);
        char *end;
        errno = 0;
        unsigned long long limit = strtoull(p, &end, 10);
        if (errno == ERANGE)
            return error_set(error, "preprocess: the number after '%.*s=' is too large",
                             length > 32 ? 32 : (int)length, name);
        p = skip_blanks(end);
        if (*p != ',' && *p != '\0')
            return error_set(error, "preprocess: expected a comma at '%.32s'", p);
        if (add_check(preprocess, name, length, limit, layout, error) != 0)
            return -1;
        if (*p == ',')
            p = skip_blanks(p + 1);
    }
    if (preprocess->count == 0)
        return error_set(error, "preprocess: no check in it");
    return 0;
}

static uint64_t measured(const struct preprocess *preprocess, const struct layout *layout, const uint8_t *body,
                         enum measure measure)
{
    switch (measure) {
    case MEASURE_PACKETS: return layout_value(layout, body, 0);
    case MEASURE_BYTES: return layout_value(layout, body, 1);
    case MEASURE_FLOWS: return load_u64(body + preprocess->flows_offset);
    case MEASURE_ONE: break;
    }
    return 1;
}

bool preprocess_keeps(const struct preprocess *preprocess, const struct layout *layout, const uint8_t *body)
{
    if (preprocess->count == 0)
        return true;
    for (unsigned i = 0; i < preprocess->count; i++) {
        unsigned kind = preprocess->checks[i].kind;
        uint64_t value = measured(preprocess, layout, body, kinds[kind].value);
        uint64_t per = measured(preprocess, layout, body, kinds[kind].per);
        uint64_t product;
        /* floor(value / per) >= limit is value >= limit * per; a product beyond 64 bits is above any value. A ratio
         * to zero cannot be told, and such a row is kept. */
        bool reached = !__builtin_mul_overflow(preprocess->checks[i].limit, per, &product) && value >= product;
        if ((reached != kinds[kind].below) != preprocess->all)
            return !preprocess->all;
    }
    return preprocess->all;
}
