/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the hosts of a record are, by a database in the MaxMind DB format (GeoIP2, GeoLite2, DB-IP and others):
 * country, postal code, latitude and longitude, and by a database of AS numbers the name of the AS. Numbers of ASes are
 * not taken from it: flows, networks_file and BGP tell them.
 *
 * The file is copied into memory that nobody else can change: to write over a file that is mapped would end the process
 * that looks into it. A file may therefore be replaced in any way, and geoip_changed() says that it was; the caller
 * then opens it again beside this one, and keeps this one when that fails.
 *
 * What is found is remembered by network, so most records cost one look into a hash table. For one thread.
 */
#ifndef ENRICH_GEOIP_H
#define ENRICH_GEOIP_H

#include "base/error.h"
#include "flow/flow.h"

struct geoip;

/*
 * Reads a database file, or `size` bytes that `name` stands for in phrases. The caller frees it. NULL with a phrase
 * when it cannot be used. Opened before a fork, its memory is shared with the children.
 */
struct geoip *geoip_open(const char *path, struct error *error);
struct geoip *geoip_from_memory(const char *name, const void *bytes, size_t size, struct error *error);
void geoip_free(struct geoip *geoip);

/*
 * Whether the file at the path is another one than that which was read: inode, size or time of modification. False when
 * there is none now: it may be about to be replaced, and what was read stays good.
 */
bool geoip_changed(const struct geoip *geoip);

/* For the log: type and date, "GeoLite2-City of 2026-01-01, IPv6, 4500000 nodes", cut to `size` with its NUL. */
void geoip_describe(const struct geoip *geoip, char *out, size_t size);

/* Adds to *wants what geoip_fill must have from the decoder, src_host or dst_host, to give those of its fields. */
void geoip_needs(struct field_set *wants);

/*
 * Sets those of src_host_country, src_host_pocode, src_host_lat, src_host_lon, src_as_name and of the same for dst that
 * are in *wants and that a database knows; what it does not know, or knows in a form that makes no sense (a code that
 * is not two letters, a latitude of 91), stays absent. The AS name comes from `as`, or when that is NULL from `places`.
 * Either may be NULL. Texts live as long as their database.
 */
void geoip_fill(struct geoip *places, struct geoip *as, const struct field_set *wants, struct flow *flow);

#endif
