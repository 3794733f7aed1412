/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the client asks the memory plugin and what it is told, inside the frames of base/frame.h. Integers in network
 * byte order; rows as they lie in the table, in host byte order, since both ends are on one machine.
 *
 *   command      flags         body    answer
 *   TABLE        RESET CLEAR           LAYOUT STRINGS* ROWS* END    every row
 *   MATCH        RESET CLEAR   match   LAYOUT STRINGS* ROWS* END    rows that any of the queries fits
 *   COUNTERS     RESET CLEAR   match   COUNTS* END                  sums for each query, in their order
 *   CLEAR                              END                          empties the table
 *   STATUS                             TEXT* END                    how rows spread over buckets
 *   COLUMNS                            LAYOUT END                   what the rows consist of
 *   AGE                                AGE END                      since when the table collects
 *   LEDGER       (base/frame.h)        TEXT* END
 *
 *   match     u8 fields | each: u8 length, name | u16 queries | each, for each field: u16 length, value
 *             a name is the field's JSON name, which is unique; length 0xffff is "any" and has no bytes. A value is an
 *             address (16 bytes), the bytes of a text, or 8 bytes for everything else (reals: the bits of a double).
 *   LAYOUT    u64 fingerprint | u16 key bytes | u16 values | u16 body bytes | u16 slots
 *             each slot: u16 offset | u8 bytes | u8 type | u8 role | u8 length, name
 *   STRINGS   u32 first id | u32 count | each: u16 length, bytes       ids without gaps from 1, in their order
 *   ROWS      rows one after another, LAYOUT's body bytes each; flag OTHERS: the row of what did not fit in memory
 *   COUNTS    each query: u64 packets | u64 bytes | u64 flows | u64 rows
 *   AGE       u64 seconds, u64 1 if the table was ever cleared
 *   END       u64 rows sent | u64 records merged into "others"         (empty after CLEAR, STATUS, AGE)
 *
 * An answer is one point in time: the plugin copies it whole before it reads another record. RESET sets the counters
 * of exactly the rows that were sent to zero in the same step; CLEAR forgets all rows after the answer. Both are for
 * the owner only. LOCK is accepted and changes nothing, as every answer is consistent anyway.
 */
#ifndef PLUGINS_COMMON_QUERY_H
#define PLUGINS_COMMON_QUERY_H

#include "base/frame.h"
#include "flow/layout.h"
#include "plugins/common/intern.h"

enum query_command { QUERY_TABLE = 16, QUERY_MATCH, QUERY_COUNTERS, QUERY_CLEAR, QUERY_STATUS, QUERY_AGE,
                     QUERY_COLUMNS };
enum query_frame { QUERY_LAYOUT = 16, QUERY_STRINGS, QUERY_ROWS, QUERY_COUNTS, QUERY_AGE_ANSWER };

#define query_reset 1u
#define query_clear 2u
#define query_lock 4u
#define query_rows_others 1u /* flag of ROWS */

#define query_fields_max 32
#define queries_max 4096
#define query_any UINT16_C(0xffff)
#define query_counts_bytes 32
#define query_end_bytes 16
#define query_strings_header_bytes 8

struct query_value {
    const uint8_t *bytes; /* borrowed */
    uint16_t length;      /* query_any: fits everything */
};

/* The body of MATCH and COUNTERS. */
struct query_match {
    unsigned field_count, query_count;
    uint16_t fields[query_fields_max]; /* enum field_id */
    struct query_value *values;        /* query_count times field_count; owned */
};

/* Reads a body; values point into it. 0, or -1 with a phrase; query_match_free in both cases. */
int query_match_read(struct query_match *match, const uint8_t *body, size_t bytes, struct error *error);
/* The body, from malloc; NULL when out of memory or when it is longer than a request may be. */
uint8_t *query_match_write(const struct query_match *match, size_t *bytes);
void query_match_free(struct query_match *match);

/* The field with this JSON name, or FIELD_COUNT. */
enum field_id query_field(const char *name, size_t length);

/* The body of LAYOUT into `out` (frame_body_max bytes); returns its length. */
size_t query_layout_write(const struct layout *layout, uint8_t *out);
/*
 * The layout of the other end, good for walking rows and for encoders (it has no projection program). Slots of fields
 * that this build does not know, or knows with another type, are left out and counted in *unknown. -1: it contradicts
 * itself.
 */
int query_layout_read(struct layout *layout, const uint8_t *body, size_t bytes, unsigned *unknown, struct error *error);

/* Adds a STRINGS body to `intern`, whose ids must come out as the sender's. 0 or -1. */
int query_strings_read(struct intern *intern, const uint8_t *body, size_t bytes, struct error *error);

#endif
