/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/json.h"

#include <stdlib.h>

#include "base/log.h"

/*
 * Bytes that are not ASCII are replaced first: a name in a configuration file may be in any encoding, and JSON must be
 * UTF-8. Numbers from 2^63 on, which a hostile exporter can bring about, are beyond jansson's integers and make it
 * read all numbers as doubles, right to 15 digits.
 */
json_t *json_read(const char *text, size_t length, struct error *error)
{
    char *copy = malloc(length + 1);
    json_error_t wrong;
    json_t *root;

    if (copy == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < length; i++)
        copy[i] = (signed char)text[i] >= 0 ? text[i] : '?';
    root = json_loadb(copy, length, 0, &wrong);
    if (root == NULL && json_error_code(&wrong) == json_error_numeric_overflow)
        root = json_loadb(copy, length, JSON_DECODE_INT_AS_REAL, &wrong);
    free(copy);
    if (root == NULL) {
        error_set(error, "the answer is no JSON: %s", wrong.text);
    } else if (!json_is_object(root)) {
        json_decref(root);
        root = NULL;
        error_set(error, "the answer is no JSON object");
    }
    return root;
}

uint64_t json_value_number(const json_t *value)
{
    double real = json_real_value(value);

    if (json_is_integer(value))
        return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
    return real >= 0x1p64 ? UINT64_MAX : real > 0 ? (uint64_t)real : 0;
}

uint64_t json_number(const json_t *object, const char *name)
{
    return json_value_number(json_object_get(object, name));
}

const char *json_text(const json_t *object, const char *name, char out[json_text_max])
{
    const json_t *value = json_object_get(object, name);

    return log_safe(json_is_string(value) ? json_string_value(value) : "", json_string_length(value), out,
                    json_text_max);
}
