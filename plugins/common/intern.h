/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings of keys, each stored once and known by a number: STRING slots hold the number, so keys stay of one size. Id
 * 0 is the empty string (absent). Ids are of one table and die with it; never keep one outside.
 */
#ifndef PLUGINS_COMMON_INTERN_H
#define PLUGINS_COMMON_INTERN_H

#include "base/base.h"

struct intern;

struct intern *intern_new(void); /* NULL when out of memory */
void intern_free(struct intern *intern);
/*
 * The id of these bytes, new or old. 0 for length 0 and when out of memory; intern_unknown for new ones when closed.
 */
uint32_t intern_put(struct intern *intern, const char *bytes, uint32_t length);
/* The bytes of an id (not terminated by a NUL); an unknown id gives the empty string. */
const char *intern_get(const struct intern *intern, uint32_t id, uint32_t *length);
/* The id if the string is there, else 0. */
uint32_t intern_find(const struct intern *intern, const char *bytes, uint32_t length);
uint32_t intern_count(const struct intern *intern); /* ids are 1..count */
uint64_t intern_bytes(const struct intern *intern);
/*
 * No new strings from now until intern_clear. The table does that when it takes no new keys: a key with a new string
 * is a new key, and intern_unknown, which no row has, makes it one of the "others" without any memory.
 */
#define intern_unknown UINT32_MAX
void intern_close(struct intern *intern);
void intern_clear(struct intern *intern);

#endif
