/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks files: what the operator knows of networks of both families, a row a line:
 *
 *   [NEXT_HOP,][[PEER_AS_]ORIGIN_AS,]PREFIX/LENGTH
 *
 *   PREFIX/LENGTH  the network; of an address, the longest that holds it counts
 *   ORIGIN_AS      who originates it
 *   PEER_AS        the neighbour that it is reached by
 *   NEXT_HOP       the BGP next hop toward it
 *
 * A line that begins with ! or # is a comment; blanks around a part do not count. Of rows with equal prefixes the
 * first counts. All of a file or nothing of it. A table never changes: a new file makes a new one, so that whoever
 * holds the old one is not disturbed.
 */
#ifndef MAP_NETWORKS_H
#define MAP_NETWORKS_H

#include "base/error.h"
#include "net/address.h"

struct network {
    struct address next_hop; /* absent when the row has none */
    uint32_t origin_as;      /* 0 when the row has none */
    uint32_t peer_as;        /* the same */
    uint32_t mask;           /* bits of the prefix, of its family */
    uint32_t unused;         /* zero: rows are compared as bytes */
};

struct networks;

/*
 * Reads the file, or `size` bytes of text that `name` stands for in phrases. The caller frees the table. NULL with a
 * phrase that names file and line when it cannot be used.
 */
struct networks *networks_load(const char *path, struct error *error);
struct networks *networks_parse(const char *name, const char *text, size_t size, struct error *error);
void networks_free(struct networks *networks);

/* Different prefixes in it. */
unsigned networks_count(const struct networks *networks);
/* Bytes of memory that it takes. */
size_t networks_bytes(const struct networks *networks);

/* The longest network that holds the address, or NULL. Valid until networks_free; for any number of threads. */
const struct network *networks_find(const struct networks *networks, const struct address *address);

#endif
