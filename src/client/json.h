/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a daemon's JSON, of which nothing is believed but its length: a member that is missing or of another type
 * is 0 or "", texts become printable ASCII.
 */
#ifndef CLIENT_JSON_H
#define CLIENT_JSON_H

#include <jansson.h>

#include "base/base.h"
#include "base/error.h"

#define json_text_max 96 /* of a shown text, with its NUL */

/* The whole text, which must be one object: the caller's to json_decref. NULL with a phrase. */
json_t *json_read(const char *text, size_t length, struct error *error);

/* A number, by its value or as a member. Negative is 0. */
uint64_t json_value_number(const json_t *value);
uint64_t json_number(const json_t *object, const char *name);
/* A text as a member, made safe to show, in `out`. */
const char *json_text(const json_t *object, const char *name, char out[json_text_max]);

#endif
