/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON object (RFC 8259) written member by member into a bounded buffer. What does not fit sets `failed`, sticky,
 * and nothing is written past the end; the caller asks once, at the end.
 */
#ifndef DECODE_SFLOW_LINE_H
#define DECODE_SFLOW_LINE_H

#include "base/base.h"

struct line {
    char *start, *at, *end;
    bool failed;
};

struct line line_over(char *buffer, size_t size);

/* Characters as they are. */
void line_put(struct line *line, const char *text, size_t length);
void line_text(struct line *line, const char *text);

/* A comma where one is due, then "name": */
void line_name(struct line *line, const char *name, size_t length);
void line_open(struct line *line, char bracket);  /* { or [ */
void line_close(struct line *line, char bracket); /* } or ] */
void line_comma(struct line *line);               /* before an item of an array, when it is not the first */

/* Values. */
void line_unsigned(struct line *line, uint64_t value);
void line_signed(struct line *line, int64_t value);
void line_hundredths(struct line *line, int32_t value); /* 1455 is 14.55; -1, unknown, is null */
void line_single(struct line *line, uint32_t bits);     /* IEEE single; not a number and infinity are null */
void line_hex(struct line *line, const uint8_t *bytes, size_t size, const char *separator); /* with quotes */
void line_uuid(struct line *line, const uint8_t bytes[16]);
/* Quoted and escaped. Bytes that are no UTF-8 become U+FFFD; the text ends at a NUL. */
void line_string(struct line *line, const uint8_t *text, size_t length);

#endif
