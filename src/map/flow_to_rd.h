/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Route distinguishers of flows (flow_to_rd_map): which VPN a record is of, by its exporter, interfaces, next hop and
 * labels. A row a line, as in tagging maps: id=TYPE:ADMINISTRATOR:NUMBER and what to ask of a record. The first row
 * that fits wins, above what the exporter says; id=0:0:0 is the global table.
 */
#ifndef MAP_FLOW_TO_RD_H
#define MAP_FLOW_TO_RD_H

#include "base/error.h"
#include "flow/flow.h"

struct flow_to_rd_map;

/* As with tagging maps (pre_tag.h). */
struct flow_to_rd_map *flow_to_rd_map_load(const char *path, struct error *error);
struct flow_to_rd_map *flow_to_rd_map_parse(const char *name, const char *text, size_t size, struct error *error);
void flow_to_rd_map_free(struct flow_to_rd_map *map);
unsigned flow_to_rd_map_count(const struct flow_to_rd_map *map);
/* Adds the fields that rows of any such map may ask for in this daemon. */
void flow_to_rd_map_fields(enum daemon_mask daemon, struct field_set *fields);

/* Sets mpls_vpn_rd and mpls_vpn_rd_origin (4, the map). False when no row fits; the record is then left as it is. */
bool flow_to_rd_map_run(struct flow_to_rd_map *map, struct flow *flow);

#endif
