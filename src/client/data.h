/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What -c and DATA say, as the body of a request: names of primitives to fields, texts to values. Every phrase of a
 * failure is a whole line as pmacct writes it.
 */
#ifndef CLIENT_DATA_H
#define CLIENT_DATA_H

#include "base/error.h"
#include "plugins/common/query.h"

/* Whether all names of -c are known. Those of the daemon's own fields are, once its layout has been read. */
bool data_fields_known(const char *fields);

/* The body, from malloc; NULL on failure. `utc`: times in DATA are UTC, else local. */
uint8_t *data_request(const char *fields, const char *data, bool utc, size_t *bytes, struct error *error);

#endif
