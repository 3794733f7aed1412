/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values by their type: reading a text into the storage of struct settings, and writing it back. A value is right as a
 * whole or wrong: `10s` is no number. The phrase of an error says what was expected.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/error.h"
#include "base/time.h"
#include "config/keys.h"

#include <stdio.h>

/* Room for a value of any type. */
union value {
    bool truth;
    char character;
    int choice;
    int64_t signed_number;
    uint64_t number;
    const char *text;
    struct time_bins bins;
    struct aggregate aggregate;
};

/*
 * Reads `text` as a value of the key into `to`, which is the member of a struct settings or a union value. Types that
 * are kept as text store the pointer `text` itself, so it must live as long. Returns 0 or -1; `to` is unchanged then.
 */
int value_parse(const struct key *key, const char *text, void *to, struct error *error);

/* Writes the value at `from` as a configuration file would have it. A secret is written as ***, unset as nothing. */
void value_write(const struct key *key, const void *from, FILE *out);

/* True when the text is that default of the key, or one of its alternatives. */
bool value_is_default(const struct key *key, const char *text);

/* The values that the key takes, as words for a human: "1..99", "any, all". Returns `out`. */
const char *value_expected(const struct key *key, char *out, size_t size);

#endif
