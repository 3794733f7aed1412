/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps whose rows give one number, called id, to records that they fit: sampling rates, route distinguishers. A kind
 * of map says which keys its rows may have and how its id is written; the rest is here.
 */
#ifndef MAP_VALUE_MAP_H
#define MAP_VALUE_MAP_H

#include "base/rows.h"
#include "map/condition.h"

struct value_map_kind {
    struct rows_kind file;
    const struct condition_key *keys; /* at most 32; daemons make no difference */
    unsigned key_count;
    const char *key_names; /* "id, ip, in or out" */
    const char *needed;    /* a key that each row has, beside id; or NULL */
    const char *form;      /* of a row: "id=RATE ip=ADDRESS ..." */
    /* 0, or -1 with a phrase that begins after "'id' is '...', ". */
    int (*read_id)(const char *text, uint64_t *id, struct error *error);
};

struct value_map {
    struct rules *rules;
};

/*
 * Fills in a map from a file, or from `size` bytes of text that `name` stands for in phrases. 0, or -1 with a phrase
 * that names file and line, and nothing is left to free.
 */
int value_map_load(struct value_map *map, const struct value_map_kind *kind, const char *path, struct error *error);
int value_map_parse(struct value_map *map, const struct value_map_kind *kind, const char *name, const char *text,
                    size_t size, struct error *error);
void value_map_free(struct value_map *map);
unsigned value_map_count(const struct value_map *map);

/* The id of the first row that fits. False when none does. */
static inline bool value_map_find(struct value_map *map, const struct flow *flow, uint64_t *id)
{
    struct rules_hit hit;

    rules_start(map->rules, flow, NULL);
    if (!rules_find(map->rules, 0, &hit))
        return false;
    *id = hit.value;
    return true;
}

#endif
