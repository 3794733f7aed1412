/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers to the requests of query.h out of one open table, each at one moment: the rows are copied whole into the
 * answer before the plugin reads on. Rows whose counters are all zero (after a reset) are not shown.
 *
 * TABLE with RESET empties the table as CLEAR does: rows of zeroes would be kept for keys that may never come again,
 * and who polls with -r would see the table grow until its limit closes it. Only the age (-i) tells the two apart.
 *
 * The books: rows do not know how many records made them, so records leave "in table" only when the whole table does.
 * TABLE with RESET, and CLEAR, move all of them to records_cleared; a reset of some rows (MATCH, COUNTERS) moves
 * none, and their records stay "in table" until the next of the former. Either way read = in table + cleared,
 * exactly.
 */
#ifndef PLUGINS_MEMORY_SNAPSHOT_H
#define PLUGINS_MEMORY_SNAPSHOT_H

#include "base/answer.h"
#include "plugins/common/query.h"
#include "plugins/common/table.h"

/*
 * Answers TABLE, MATCH, COUNTERS, STATUS and COLUMNS with their END, or an ERROR. A failed answer changes nothing in the table.
 * Rights are the caller's business. True when the request had CLEAR and the table was emptied.
 */
bool snapshot_answer(struct answer *answer, const struct frame_request *request, const uint8_t *body,
                     const struct layout *layout, struct table *table);

#endif
