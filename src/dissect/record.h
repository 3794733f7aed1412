/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of JSON (RFC 8259) in the making. Text from outside is cut at record_text_max bytes and escaped: control
 * characters as \u00XX, bytes that are no UTF-8 as U+FFFD. A line holds record_line_max bytes; members that do not
 * fit are left out, and the line ends with "cut": true then.
 */
#ifndef DISSECT_RECORD_H
#define DISSECT_RECORD_H

#include "dissect/dissector.h"

#define record_line_max 16384
#define record_text_max 1024
#define record_depth_max 8

struct record {
    size_t used;
    unsigned depth;
    unsigned skipped; /* objects and lists inside one that was left out */
    bool open, cut;
    char brackets[record_depth_max]; /* that close what is open */
    char line[record_line_max];
};

/* The members of all lines; then an object named `type` is open. The zone is UTC or the local one. */
void record_begin(struct record *record, const char *type, const struct dissector_conversation *conversation,
                  const struct dissector_transaction *transaction, bool utc);
/* `name` NULL: in a list. */
void record_text(struct record *record, const char *name, const char *text, size_t length);
void record_number(struct record *record, const char *name, uint64_t number);
void record_flag(struct record *record, const char *name, bool flag);
void record_open(struct record *record, const char *name, char bracket);
void record_close(struct record *record);
/* Closes whatever is open. The line is record->line, record->used bytes of it, without a newline. */
void record_end(struct record *record);

#endif
