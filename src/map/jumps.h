/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where rows of a map jump to: `label` names a row, `jeq` goes on at the first later row with that name. Names are kept
 * once, and a hundred thousand of them cost no more each than ten.
 */
#ifndef MAP_JUMPS_H
#define MAP_JUMPS_H

#include "base/error.h"

#define jumps_none UINT32_MAX
#define jumps_name_max 255u    /* bytes of a name */
#define jumps_depth_max 16384u /* rows that one record may go through */

struct jumps;

/* NULL when memory is short. */
struct jumps *jumps_new(void);
void jumps_free(struct jumps *jumps);

/* The next row, numbered from 0. `label` and `jeq` may be NULL. 0, or -1 with a phrase. */
int jumps_add(struct jumps *jumps, const char *label, const char *jeq, struct error *error);

/*
 * Fills targets[] of all rows: the number of the row to go on at, or jumps_none. *unresolved is the first row whose jeq
 * leads nowhere, or jumps_none. -1 with a phrase and *unresolved the row when records could go through too many rows.
 */
int jumps_resolve(const struct jumps *jumps, uint32_t *targets, uint32_t *unresolved, struct error *error);

#endif
