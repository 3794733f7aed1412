/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/allow.h"

#include <stdlib.h>

#include "base/rows.h"
#include "net/prefixes.h"

#define remembered 1024 /* a power of two */

struct allow {
    struct prefixes *prefixes;
    unsigned count; /* rows of the file, also repeated ones */
    struct {
        struct address source;
        bool known, allowed;
    } memory[remembered];
};

static const struct rows_kind kind = {"allow file", 64 << 20, 510};

/* The prefixes of a file, to be freed. -1 with a phrase. */
static int read_rows(struct rows_reader *reader, struct prefix **prefixes, unsigned *count, struct error *error)
{
    unsigned room = 0;
    char *line;
    int got;

    while ((got = rows_line(reader, &line, error)) > 0) {
        if (*count == room) {
            struct prefix *grown = realloc(*prefixes, (room = room * 2 + 64) * sizeof(*grown));

            if (grown == NULL)
                return error_set(error, "out of memory for the allow file '%.200s'", reader->name);
            *prefixes = grown;
        }
        (*prefixes)[*count].value = *count;
        if (prefix_parse(line, &(*prefixes)[*count], error) < 0)
            return rows_fail(reader, error);
        ++*count;
    }
    return got;
}

struct allow *allow_load(const char *path, struct error *error)
{
    struct allow *allow = calloc(1, sizeof(*allow));
    struct prefix *prefixes = NULL;
    struct rows_reader reader;

    if (allow == NULL) {
        error_set(error, "out of memory for the allow file '%.200s'", path);
        return NULL;
    }
    if (rows_load(&reader, path, &kind, error) == 0 && read_rows(&reader, &prefixes, &allow->count, error) == 0)
        allow->prefixes = prefixes_build(prefixes, allow->count, error);
    rows_free(&reader);
    free(prefixes);
    if (allow->prefixes != NULL)
        return allow;
    allow_free(allow);
    return NULL;
}

void allow_free(struct allow *allow)
{
    if (allow == NULL)
        return;
    prefixes_free(allow->prefixes);
    free(allow);
}

unsigned allow_count(const struct allow *allow)
{
    return allow->count;
}

bool allow_has(struct allow *allow, const struct address *source)
{
    uint64_t mix = (load_u64(source->bytes) ^ load_u64(source->bytes + 8)) * UINT64_C(0x9e3779b97f4a7c15);
    unsigned place = (unsigned)(mix >> 54) % remembered;

    if (!allow->memory[place].known || !address_equal(&allow->memory[place].source, source)) {
        allow->memory[place].source = *source;
        allow->memory[place].allowed = prefixes_find(allow->prefixes, source) != prefixes_none;
        allow->memory[place].known = true;
    }
    return allow->memory[place].allowed;
}
