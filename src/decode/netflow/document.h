/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON into a buffer of fixed size that is valid at every size: what does not fit is left out as a whole, member by
 * member, and what was opened can always be closed, since room for that is kept aside. The writer remembers that
 * something is missing.
 *
 * A value is written inside document_item(), which puts the comma and the name, and document_done(), which takes all
 * of it back when it did not fit. Objects and arrays are opened likewise and closed with document_close(), always.
 */
#ifndef DECODE_NETFLOW_DOCUMENT_H
#define DECODE_NETFLOW_DOCUMENT_H

#include "flow/flow.h"
#include "net/address.h"

#define document_depth_max 24
#define document_least_bytes 128 /* the smallest buffer that a writer takes */

struct document {
    char *start, *at, *end; /* end: without the room kept aside for closing */
    char *mark;             /* where the item began that is being written */
    bool overflow;          /* of the current item */
    bool truncated;         /* some item is missing */
    unsigned depth, depth_lost; /* open ones, and those below that were not begun */
    bool some[document_depth_max];  /* an item stands in it already */
    char closer[document_depth_max];
};

/* `size` at least document_least_bytes. */
void document_begin(struct document *json, char *out, size_t size);
/* Closes what is open; returns the length. The text ends with a NUL. */
size_t document_end(struct document *json);

/* Begins an item of the innermost object (with its name) or array (NULL). */
void document_item(struct document *json, const char *name, size_t name_length);
/* Ends it: false when it had no room and was taken back. */
bool document_done(struct document *json);

/* Pieces of an item: raw text; a string with quotes and escapes, cut at the first NUL; a number; octets in hex. */
void document_raw(struct document *json, const char *text, size_t length);
void document_string(struct document *json, const char *text, size_t length);
void document_number(struct document *json, uint64_t value);
void document_signed(struct document *json, int64_t value);
void document_real(struct document *json, double value, unsigned digits);
void document_hex(struct document *json, const uint8_t *bytes, size_t size);
void document_address(struct document *json, const struct address *address);
/* Nanoseconds since 1970 as "YYYY-MM-DDTHH:MM:SS.fffZ" with that many digits of the second, 0 to 9. */
void document_time(struct document *json, int64_t ns, unsigned digits);

/* A member or element that is an object ('{') or an array ('['). */
void document_open(struct document *json, const char *name, char bracket);
void document_close(struct document *json);

/* Whole members. A NULL name stands for an element of an array. */
void document_member_number(struct document *json, const char *name, uint64_t value);
void document_member_signed(struct document *json, const char *name, int64_t value);
void document_member_real(struct document *json, const char *name, double value);
void document_member_text(struct document *json, const char *name, const char *text);
void document_member_boolean(struct document *json, const char *name, bool value);
void document_member_address(struct document *json, const char *name, const struct address *address);
void document_member_time(struct document *json, const char *name, int64_t ns, unsigned digits);
/* One that fits even when nothing else does: to be used once, for the mark that something is missing. */
void document_member_reserved(struct document *json, const char *name, bool value);

#endif
