/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/allow.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define remembered 1024 /* a power of two */

struct prefix {
    struct address net;
    uint8_t length;
    bool ipv4;
};

struct allow {
    struct prefix *prefixes;
    unsigned count, room;
    struct {
        struct address source;
        bool known, allowed;
    } memory[remembered];
};

static int parse_prefix(char *text, struct prefix *prefix, struct error *error)
{
    char *slash = strchr(text, '/');
    unsigned long length, limit;

    if (slash != NULL)
        *slash++ = '\0';
    if (!address_parse(text, &prefix->net))
        return error_set(error, "'%.60s' is not an address or a prefix", text);
    prefix->ipv4 = address_is_ipv4(&prefix->net);
    limit = length = prefix->ipv4 ? 32 : 128;
    if (slash != NULL) {
        char *end;

        length = strtoul(slash, &end, 10);
        if (!isdigit((unsigned char)*slash) || *end != '\0' || length > limit)
            return error_set(error, "'%.20s' is not a prefix length of 0 to %lu", slash, limit);
    }
    prefix->length = (uint8_t)length;
    address_mask(&prefix->net, prefix->length);
    return 0;
}

static int add_line(struct allow *allow, char *line, struct error *error)
{
    char *end = line + strlen(line);

    while (isspace((unsigned char)*line))
        line++;
    while (end > line && isspace((unsigned char)end[-1]))
        *--end = '\0';
    if (*line == '\0' || *line == '!' || *line == '#')
        return 0;
    if (allow->count == allow->room) {
        unsigned room = allow->room ? allow->room * 2 : 64;
        struct prefix *grown = realloc(allow->prefixes, room * sizeof(*grown));

        if (grown == NULL)
            return error_set(error, "out of memory");
        allow->prefixes = grown;
        allow->room = room;
    }
    if (parse_prefix(line, &allow->prefixes[allow->count], error) < 0)
        return -1;
    allow->count++;
    return 0;
}

struct allow *allow_load(const char *path, struct error *error)
{
    struct allow *allow = calloc(1, sizeof(*allow));
    FILE *file = fopen(path, "re");
    char line[512];
    unsigned number = 0;

    if (allow == NULL || file == NULL) {
        error_errno(error, file == NULL ? errno : ENOMEM, "cannot read the allow file '%s'", path);
        goto failed;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        number++;
        /* The rest of a longer line would be read as a line of its own, and may look like a prefix. */
        if (strchr(line, '\n') == NULL && !feof(file)) {
            error_set(error, "%s:%u: the line is longer than %zu bytes, or holds a NUL", path, number, sizeof(line) - 2);
            goto failed;
        }
        if (add_line(allow, line, error) < 0) {
            error_wrap(error, "%s:%u", path, number);
            goto failed;
        }
    }
    if (ferror(file)) {
        error_set(error, "cannot read the allow file '%s' to its end", path);
        goto failed;
    }
    fclose(file);
    return allow;
failed:
    if (file != NULL)
        fclose(file);
    allow_free(allow);
    return NULL;
}

void allow_free(struct allow *allow)
{
    if (allow == NULL)
        return;
    free(allow->prefixes);
    free(allow);
}

unsigned allow_count(const struct allow *allow)
{
    return allow->count;
}

static bool search(const struct allow *allow, const struct address *source)
{
    bool ipv4 = address_is_ipv4(source);

    for (unsigned i = 0; i < allow->count; i++) {
        struct address net = *source;

        if (allow->prefixes[i].ipv4 != ipv4)
            continue;
        address_mask(&net, allow->prefixes[i].length);
        if (address_equal(&net, &allow->prefixes[i].net))
            return true;
    }
    return false;
}

bool allow_has(struct allow *allow, const struct address *source)
{
    uint64_t mix = (load_u64(source->bytes) ^ load_u64(source->bytes + 8)) * UINT64_C(0x9e3779b97f4a7c15);
    unsigned place = (unsigned)(mix >> 54) % remembered;

    if (!allow->memory[place].known || !address_equal(&allow->memory[place].source, source)) {
        allow->memory[place].source = *source;
        allow->memory[place].allowed = search(allow, source);
        allow->memory[place].known = true;
    }
    return allow->memory[place].allowed;
}
