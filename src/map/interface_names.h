/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interface names maps (interface_names_map): what the interfaces of exporters are called, by the operator's word
 * instead of the option data of NetFlow, which many exporters do not send. A row a line, blank-separated key=value
 * pairs in any order:
 *
 *   ip     optional: the exporter, an address or a prefix, IPv4 or IPv6; without it, any, also a capture of our own
 *   index  the interface's number, as in_iface and out_iface have it
 *   name   its name; single quotes keep blanks inside
 *
 * A word that begins with ! or # begins a comment. The first row that fits wins. All of a file or nothing of it.
 *
 * Rows are indexed by exporter and number, so what a record costs does not grow with the map. A map never changes, so
 * any number of threads may ask it.
 */
#ifndef MAP_INTERFACE_NAMES_H
#define MAP_INTERFACE_NAMES_H

#include "base/error.h"
#include "flow/flow.h"

struct interface_names;

/*
 * Reads the file, or `size` bytes of text that `name` stands for in phrases. The caller frees the map. NULL with a
 * phrase that names file and line when it cannot be used.
 */
struct interface_names *interface_names_load(const char *path, struct error *error);
struct interface_names *interface_names_parse(const char *name, const char *text, size_t size, struct error *error);
void interface_names_free(struct interface_names *map);
unsigned interface_names_count(const struct interface_names *map);

/* How many rows ask for an exporter: they never fit where there is none, as in a capture of our own. */
unsigned interface_names_with_exporter(const struct interface_names *map);

/* Adds to *wants what interface_names_fill must have from the decoder to give the names that are in it. */
void interface_names_needs(struct field_set *wants);

/*
 * Sets in_iface_name and out_iface_name, if they are in *wants, of the record's exporter and interface numbers
 * (peer_src_ip, in_iface, out_iface); a name that option data has told before is replaced. What fits no row stays as it
 * is. Whether something was set. The texts live as long as the map.
 */
bool interface_names_fill(const struct interface_names *map, const struct field_set *wants, struct flow *flow);

#endif
