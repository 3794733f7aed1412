/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record's way through a tagging map: the first row that fits, what it does, and on from where it jumps to. In most
 * maps that is one look into the rules' table and no more.
 */
#include "map/pre_tag.h"

#include <stdlib.h>

#include "map/pre_tag_rows.h"

struct pre_tag_map {
    struct pre_tag_rows rows;
    uint64_t labels_cut;
    char label[flow_string_max]; /* labels of several rows, joined */
};

/* What the rows have set so far. */
struct tagging {
    uint64_t tag, tag2;
    struct span label;
    unsigned does;
    uint8_t tos;
};

struct pre_tag_map *pre_tag_map_load(const char *path, enum daemon_mask daemon, struct error *error)
{
    struct pre_tag_map *map = calloc(1, sizeof(*map));

    if (map == NULL) {
        error_set(error, "out of memory for a tagging map");
        return NULL;
    }
    if (pre_tag_rows_load(&map->rows, path, daemon, error) == 0)
        return map;
    pre_tag_map_free(map);
    return NULL;
}

struct pre_tag_map *pre_tag_map_parse(const char *name, const char *text, size_t size, enum daemon_mask daemon,
                                      struct error *error)
{
    struct pre_tag_map *map = calloc(1, sizeof(*map));

    if (map == NULL) {
        error_set(error, "out of memory for a tagging map");
        return NULL;
    }
    if (pre_tag_rows_parse(&map->rows, name, text, size, daemon, error) == 0)
        return map;
    pre_tag_map_free(map);
    return NULL;
}

void pre_tag_map_free(struct pre_tag_map *map)
{
    if (map == NULL)
        return;
    pre_tag_rows_free(&map->rows);
    free(map);
}

unsigned pre_tag_map_count(const struct pre_tag_map *map)
{
    return rules_count(map->rows.rules);
}

void pre_tag_map_fields(enum daemon_mask daemon, struct field_set *fields)
{
    condition_fields(pre_tag_keys, pre_tag_key_count, daemon, fields);
}

bool pre_tag_map_uses_filter(const struct pre_tag_map *map)
{
    return map->rows.uses_filter;
}

const char *pre_tag_map_notice(const struct pre_tag_map *map)
{
    return map->rows.notice[0] == '\0' ? NULL : map->rows.notice;
}

uint64_t pre_tag_map_labels_cut(const struct pre_tag_map *map)
{
    return map->labels_cut;
}

uint64_t pre_tag_map_misfits(const struct pre_tag_map *map, const char **phrase)
{
    return rules_misfits(map->rows.rules, phrase);
}

/* The first label is told where it stands; with the second one both move into the buffer. */
static void add_label(struct pre_tag_map *map, struct tagging *tagging, const struct pre_tag_action *action)
{
    const char *text = map->rows.texts + action->label;
    struct span *label = &tagging->label;

    if ((tagging->does & PRE_TAG_LABEL) == 0) {
        *label = (struct span){text, action->label_bytes};
        return;
    }
    if (label->length + 1 + action->label_bytes > sizeof(map->label)) {
        map->labels_cut++;
        return;
    }
    if (label->data != map->label)
        memcpy(map->label, label->data, label->length);
    map->label[label->length] = ',';
    memcpy(map->label + label->length + 1, text, action->label_bytes);
    *label = (struct span){map->label, label->length + 1 + action->label_bytes};
}

static uint64_t stacked(const struct pre_tag_action *action, uint64_t before, uint64_t tag)
{
    if ((action->does & PRE_TAG_SUM) != 0)
        return before + tag;
    return (action->does & PRE_TAG_OR) != 0 ? before | tag : tag;
}

static void act(struct pre_tag_map *map, struct tagging *tagging, struct pre_tag_action *action)
{
    if ((action->does & PRE_TAG_TAG) != 0)
        tagging->tag = stacked(action, tagging->tag, action->tag);
    if ((action->does & PRE_TAG_TAG2) != 0)
        tagging->tag2 = stacked(action, tagging->tag2, action->tag2);
    if ((action->does & PRE_TAG_LABEL) != 0)
        add_label(map, tagging, action);
    if ((action->does & PRE_TAG_TOS) != 0)
        tagging->tos = action->tos;
    action->tag += (action->does & PRE_TAG_GROW) != 0;
    action->tag2 += (action->does & PRE_TAG_GROW2) != 0;
    tagging->does |= action->does;
}

bool pre_tag_map_run(struct pre_tag_map *map, struct flow *flow, struct flow_image *image)
{
    struct tagging tagging = {.tag = 0};
    struct rules_hit hit;
    uint32_t from = 0;

    rules_start(map->rows.rules, flow, image);
    if (!rules_find(map->rows.rules, 0, &hit))
        return false;
    if (likely(hit.kind == PRE_TAG_SET)) {
        flow_set_tag(flow, hit.value);
        return true;
    }
    do {
        if (hit.kind == PRE_TAG_STEP) {
            tagging.tag = hit.value & UINT32_MAX;
            tagging.does |= PRE_TAG_TAG;
            from = (uint32_t)(hit.value >> 32);
        } else {
            act(map, &tagging, &map->rows.actions[hit.row]);
            from = map->rows.actions[hit.row].target;
        }
    } while (from != jumps_none && rules_find(map->rows.rules, from, &hit));
    if ((tagging.does & PRE_TAG_TAG) != 0)
        flow_set_tag(flow, tagging.tag);
    if ((tagging.does & PRE_TAG_TAG2) != 0)
        flow_set_tag2(flow, tagging.tag2);
    if ((tagging.does & PRE_TAG_LABEL) != 0)
        flow_set_label(flow, tagging.label);
    if ((tagging.does & PRE_TAG_TOS) != 0)
        flow_set_tos(flow, tagging.tos);
    return true;
}
