/* SPDX-License-Identifier: BSD-2-Clause */
/* What a row may ask for, and how a rate is written; the rest is in value_map.c. */
#include "map/sampling.h"

#include <stdlib.h>

#include "map/value_map.h"

struct sampling_map {
    struct value_map values;
};

#define KEY(name, form, minus, subject, most, expected)                                                         \
    {name, DAEMON_ALL, CONDITION_##form, RULES_ABSENT_NEVER, minus, subject, SUBJECT_NONE, most, expected}

static const struct condition_key keys[] = {
    KEY("ip", PREFIX, false, FIELD_PEER_SRC_IP, 0, NULL),
    KEY("in", NUMBER, true, FIELD_IN_IFACE, UINT32_MAX, "an interface number"),
    KEY("out", NUMBER, true, FIELD_OUT_IFACE, UINT32_MAX, "an interface number"),
};

static int read_rate(const char *text, uint64_t *rate, struct error *error)
{
    if (!rows_number(text, UINT32_MAX, rate) || *rate == 0)
        return error_set(error, "expected a sampling rate of 1 to 4294967295");
    return 0;
}

static const struct value_map_kind kind = {
    .file = {"sampling map", 16u << 20, 2048},
    .keys = keys,
    .key_count = array_length(keys),
    .key_names = "id, ip, in or out",
    .needed = "ip",
    .form = "id=RATE ip=ADDRESS [in=NUMBER] [out=NUMBER]",
    .read_id = read_rate,
};

/* Takes what came of filling in the map. */
static struct sampling_map *made(struct sampling_map *map, int result)
{
    if (result == 0)
        return map;
    free(map);
    return NULL;
}

static struct sampling_map *new_map(struct error *error)
{
    struct sampling_map *map = calloc(1, sizeof(*map));

    if (map == NULL)
        error_set(error, "out of memory for the %s", kind.file.what);
    return map;
}

struct sampling_map *sampling_map_load(const char *path, struct error *error)
{
    struct sampling_map *map = new_map(error);

    return map == NULL ? NULL : made(map, value_map_load(&map->values, &kind, path, error));
}

struct sampling_map *sampling_map_parse(const char *name, const char *text, size_t size, struct error *error)
{
    struct sampling_map *map = new_map(error);

    return map == NULL ? NULL : made(map, value_map_parse(&map->values, &kind, name, text, size, error));
}

void sampling_map_free(struct sampling_map *map)
{
    if (map == NULL)
        return;
    value_map_free(&map->values);
    free(map);
}

unsigned sampling_map_count(const struct sampling_map *map)
{
    return value_map_count(&map->values);
}

uint32_t sampling_map_rate(struct sampling_map *map, const struct flow *flow)
{
    uint64_t rate;

    return value_map_find(&map->values, flow, &rate) ? (uint32_t)rate : 0;
}
