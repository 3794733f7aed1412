/* SPDX-License-Identifier: BSD-2-Clause */
/* What a row may ask for, and how a distinguisher is written; the rest is in value_map.c. */
#include "map/flow_to_rd.h"

#include <stdlib.h>

#include "map/distinguisher.h"
#include "map/value_map.h"

enum { ORIGIN_MAP = 4 }; /* of FIELD_TYPE_RD_ORIGIN */

struct flow_to_rd_map {
    struct value_map values;
};

#define NONE SUBJECT_NONE
#define KEY(name, form, absent, minus, subject, other, most)                                                    \
    {name, DAEMON_ALL, CONDITION_##form, RULES_ABSENT_##absent, minus, subject, other, most, NULL}

static const struct condition_key keys[] = {
    KEY("ip", PREFIX, NEVER, false, FIELD_PEER_SRC_IP, NONE, 0),
    KEY("in", NUMBER, OTHER, true, FIELD_IN_IFACE, NONE, UINT32_MAX),
    KEY("out", NUMBER, OTHER, true, FIELD_OUT_IFACE, NONE, UINT32_MAX),
    KEY("bgp_nexthop", ADDRESS, OTHER, true, FIELD_PEER_DST_IP, NONE, 0),
    KEY("mpls_vpn_id", NUMBER, OTHER, true, FIELD_INGRESS_VRF_ID, FIELD_EGRESS_VRF_ID, UINT32_MAX),
    KEY("mpls_label_bottom", NUMBER, OTHER, true, FIELD_MPLS_LABEL_BOTTOM, NONE, (1u << 20) - 1),
};

static const struct value_map_kind kind = {
    .file = {"map of route distinguishers", 128u << 20, 2048},
    .keys = keys,
    .key_count = array_length(keys),
    .key_names = "id, ip, in, out, bgp_nexthop, mpls_vpn_id or mpls_label_bottom",
    .form = "id=TYPE:ADMINISTRATOR:NUMBER and what a record must have",
    .read_id = distinguisher_parse,
};

/* Takes what came of filling in the map. */
static struct flow_to_rd_map *made(struct flow_to_rd_map *map, int result)
{
    if (result == 0)
        return map;
    free(map);
    return NULL;
}

static struct flow_to_rd_map *new_map(struct error *error)
{
    struct flow_to_rd_map *map = calloc(1, sizeof(*map));

    if (map == NULL)
        error_set(error, "out of memory for the %s", kind.file.what);
    return map;
}

struct flow_to_rd_map *flow_to_rd_map_load(const char *path, struct error *error)
{
    struct flow_to_rd_map *map = new_map(error);

    return map == NULL ? NULL : made(map, value_map_load(&map->values, &kind, path, error));
}

struct flow_to_rd_map *flow_to_rd_map_parse(const char *name, const char *text, size_t size, struct error *error)
{
    struct flow_to_rd_map *map = new_map(error);

    return map == NULL ? NULL : made(map, value_map_parse(&map->values, &kind, name, text, size, error));
}

void flow_to_rd_map_free(struct flow_to_rd_map *map)
{
    if (map == NULL)
        return;
    value_map_free(&map->values);
    free(map);
}

unsigned flow_to_rd_map_count(const struct flow_to_rd_map *map)
{
    return value_map_count(&map->values);
}

void flow_to_rd_map_fields(enum daemon_mask daemon, struct field_set *fields)
{
    condition_fields(keys, array_length(keys), daemon, fields);
}

bool flow_to_rd_map_run(struct flow_to_rd_map *map, struct flow *flow)
{
    uint64_t distinguisher;

    if (!value_map_find(&map->values, flow, &distinguisher))
        return false;
    flow_set_mpls_vpn_rd(flow, distinguisher);
    flow_set_mpls_vpn_rd_origin(flow, ORIGIN_MAP);
    return true;
}
