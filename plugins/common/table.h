/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The aggregate table: key -> values, for one plugin's layout. Entries lie dense in segments, in order of arrival, and
 * are the body of layout.h itself (key | values), so inserting is one copy and delivering is one walk. An index of
 * 8-byte places {32 bits of hash, 32 bits of entry number + 1} finds them; it grows page by page, without touching the
 * entries. Values merge by their role; for MIN and LAST a 0 is "not there" and never wins.
 *
 * table_add works on a batch in three rounds (hash and prefetch the place; read it and prefetch the entry; compare and
 * merge), so that memory is waited for once per batch, not once per record.
 *
 * Over `budget_bytes` no new key is taken: its values go to the row "others", kept apart, so that totals stay exact.
 * Interned strings live with the table that refers to them (intern.h).
 *
 * One thread at a time. Each table has a random seed of its own for the hash (hostile keys).
 */
#ifndef PLUGINS_COMMON_TABLE_H
#define PLUGINS_COMMON_TABLE_H

#include "base/error.h"
#include "flow/layout.h"

struct table;
struct intern;

#define table_batch_max 64

/* An empty table; almost no memory until the first entry. budget_bytes 0 is no limit. NULL when out of memory. */
struct table *table_new(const struct layout *layout, uint64_t budget_bytes);
void table_free(struct table *table);

/* Adds up to table_batch_max folded bodies (8-aligned). Each is one record. */
void table_add(struct table *table, uint8_t *const bodies[], unsigned count);

/* The strings that STRING slots of this table refer to. */
struct intern *table_intern(struct table *table);

uint64_t table_rows(const struct table *table);    /* without "others" */
uint64_t table_records(const struct table *table); /* added since it was empty, with those merged into "others" */
uint64_t table_merged(const struct table *table);  /* records merged into "others" */
uint64_t table_bytes(const struct table *table);   /* memory taken */

/* Entry `row` in order of arrival, 0 <= row < table_rows. Valid until table_clear or table_free. */
uint8_t *table_row(const struct table *table, uint64_t row);
/* The row "others" (key all zero), or NULL when nothing was merged. */
uint8_t *table_others(const struct table *table);

/*
 * Walks the rows segment by segment, for speed: sets *first and returns how many rows lie there one after another,
 * each of layout body_bytes; 0 at the end. `segment` counts from 0.
 */
uint64_t table_segment(const struct table *table, unsigned segment, uint8_t **first);

/* The entry with exactly this key, or NULL. */
uint8_t *table_find(const struct table *table, const uint8_t *key);

/* Forgets all entries and strings; keeps some memory for reuse. */
void table_clear(struct table *table);

#endif
