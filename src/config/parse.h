/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of a configuration file, and nothing of what the keys mean: one setting per line, `key: value` or
 * `key[plugin]: value`. A line whose first character is ! or # is a comment; there are no others. The first colon
 * outside of brackets separates, all later ones belong to the value. Quotes mean nothing.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include "base/error.h"

#define parse_line_max 65536u

/* One setting. The pointers lead into the text that was parsed. */
struct parse_line {
    char *key;    /* lower case, without blanks */
    char *plugin; /* as written; NULL without brackets */
    char *value;  /* without blanks at its ends; may be empty */
};

enum parse_result { PARSE_NOTHING, PARSE_SETTING, PARSE_WRONG };

/* Takes one line apart, in place. `text` ends with NUL. Wrong: `error` holds a phrase. */
enum parse_result parse_one(char *text, struct parse_line *line, struct error *error);

#endif
