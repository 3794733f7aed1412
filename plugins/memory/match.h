/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queries of one request, compiled against a layout: which rows fit, and what they sum to. Queries that leave the
 * same fields open have one shape; a shape is a hash table of the values it asks for, so thousands of queries cost a
 * row no more than one.
 */
#ifndef PLUGINS_MEMORY_MATCH_H
#define PLUGINS_MEMORY_MATCH_H

#include "plugins/common/query.h"

#define match_shapes_max 256 /* different patterns of wildcards in one request */

struct match;

struct match_sum {
    uint64_t packets, bytes, flows, rows;
};

/*
 * NULL with a phrase when a field is not in the layout or there are too many shapes. `query` may go away afterwards.
 */
struct match *match_new(const struct query_match *query, const struct layout *layout, const struct intern *intern,
                        struct error *error);
void match_free(struct match *match);

/* True if the row fits any query. With `sums` (one for each query of the request) adds it to each query it fits. */
bool match_row(const struct match *match, const uint8_t *row, struct match_sum *sums);

#endif
