/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling maps: what rate the exporters sample at, by the operator's word instead of their own. A row a line,
 * blank-separated key=value pairs in any order:
 *
 *   id   the rate, one packet of so many
 *   ip   the exporter, an address or a prefix, IPv4 or IPv6
 *   in   optional: only what came in by this interface number; with a minus before it, by any other
 *   out  optional: the same of where it went out
 *
 * A word that begins with ! or # begins a comment. The first row that fits wins. All of a file or nothing of it: half
 * a map would scale some records by the wrong number, and nothing would show it.
 *
 * Rows are indexed by exporter and interfaces, so what a record costs does not grow with the map.
 */
#ifndef MAP_SAMPLING_H
#define MAP_SAMPLING_H

#include "base/error.h"
#include "flow/flow.h"

struct sampling_map;

/*
 * Reads the file, or `size` bytes of text that `name` stands for in phrases. The caller frees the map. NULL with a
 * phrase that names file and line when it cannot be used.
 */
struct sampling_map *sampling_map_load(const char *path, struct error *error);
struct sampling_map *sampling_map_parse(const char *name, const char *text, size_t size, struct error *error);
void sampling_map_free(struct sampling_map *map);
unsigned sampling_map_count(const struct sampling_map *map);

/*
 * The rate of a record's exporter and interfaces (peer_src_ip, in_iface, out_iface), 1 or more; 0 when no row fits. A
 * record that does not tell an interface fits no row that asks for it. For one thread: exporters are remembered.
 */
uint32_t sampling_map_rate(struct sampling_map *map, const struct flow *flow);

#endif
