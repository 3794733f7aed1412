/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of such a map: an id and conditions; the id is the row's value in the rules, and nothing else is kept. */
#include "map/value_map.h"

#include <stdlib.h>

#define keys_max 32u

struct reading {
    const struct value_map_kind *kind;
    struct rules *rules;
    struct rows_reader reader;
    unsigned long *lines; /* of the file, by row */
    uint32_t line_room;
};

struct line {
    struct rules_condition conditions[keys_max];
    unsigned condition_count;
    uint32_t seen; /* keys, as bits */
    uint64_t id;
    bool told; /* the id */
};

static int read_id(const struct value_map_kind *kind, struct line *line, const char *value, struct error *error)
{
    struct error reason = {""};

    if (line->told)
        return error_set(error, "'id' comes twice in this line");
    line->told = true;
    if (kind->read_id(value, &line->id, &reason) < 0)
        return error_set(error, "'id' is '%.40s', %.300s", value, reason.text);
    return 0;
}

static int unknown_key(const struct value_map_kind *kind, const char *key, struct error *error)
{
    const char *names[keys_max + 1] = {"id"};

    for (unsigned i = 0; i < kind->key_count; i++)
        names[i + 1] = kind->keys[i].name;
    return rows_key(key, names, kind->key_count + 1, sizeof(names[0]), kind->key_names, error);
}

static int read_pair(const struct value_map_kind *kind, struct line *line, char *word, struct error *error)
{
    const struct condition_key *key;
    unsigned place;
    char *value;
    int got;

    if (rows_pair(word, &value, error) < 0)
        return -1;
    if (strcmp(word, "id") == 0)
        return read_id(kind, line, value, error);
    key = condition_find(kind->keys, kind->key_count, word, DAEMON_ALL);
    if (key == NULL)
        return unknown_key(kind, word, error);
    place = (unsigned)(key - kind->keys);
    if ((line->seen >> place & 1) != 0)
        return error_set(error, "'%s' comes twice in this line", word);
    line->seen |= UINT32_C(1) << place;
    got = condition_read(key, value, &line->conditions[line->condition_count], error);
    line->condition_count += got > 0;
    return got < 0 ? -1 : 0;
}

static int check_line(const struct value_map_kind *kind, const struct line *line, struct error *error)
{
    const char *missing = line->told ? NULL : "id";

    for (unsigned i = 0; i < kind->key_count && missing == NULL; i++)
        if (kind->needed != NULL && strcmp(kind->keys[i].name, kind->needed) == 0 && (line->seen >> i & 1) == 0)
            missing = kind->needed;
    return missing == NULL ? 0 : error_set(error, "'%s' is missing, expected %s", missing, kind->form);
}

static int read_line(struct reading *reading, char *text, struct error *error)
{
    struct line line;
    char *word;
    int got;

    line.condition_count = 0;
    line.seen = 0;
    line.told = false;
    while ((got = rows_word(&text, &word, error)) > 0)
        if (read_pair(reading->kind, &line, word, error) < 0)
            return -1;
    if (got < 0 || check_line(reading->kind, &line, error) < 0)
        return -1;
    return rules_add(reading->rules, line.id, 0, line.conditions, line.condition_count, error);
}

static int remember_line(struct reading *reading, struct error *error)
{
    uint32_t row = rules_count(reading->rules);

    if (row == reading->line_room) {
        uint32_t room = row == 0 ? 64 : row * 2;
        unsigned long *grown = realloc(reading->lines, room * sizeof(*grown));

        if (grown == NULL)
            return error_set(error, "out of memory for the rows of a map");
        reading->lines = grown;
        reading->line_room = room;
    }
    reading->lines[row] = reading->reader.line;
    return 0;
}

static int read_rows(struct reading *reading, struct error *error)
{
    uint32_t row = rules_none;
    int got = 0;
    char *text;

    if (reading->rules == NULL)
        return error_set(error, "out of memory for the %s", reading->kind->file.what);
    while (got == 0 && (got = rows_line(&reading->reader, &text, error)) > 0)
        got = remember_line(reading, error) < 0 || read_line(reading, text, error) < 0
                  ? rows_fail(&reading->reader, error)
                  : 0;
    if (got < 0 || rules_compile(reading->rules, &row, error) == 0)
        return got;
    if (row == rules_none)
        return error_wrap(error, "%.180s", reading->reader.name);
    reading->reader.line = reading->lines[row];
    return rows_fail(&reading->reader, error);
}

/* `started`: what came of opening the reader. */
static int make_map(struct value_map *map, struct reading *reading, int started, struct error *error)
{
    int result = started;

    map->rules = NULL;
    if (started == 0) {
        reading->rules = rules_new();
        result = read_rows(reading, error);
    }
    rows_free(&reading->reader);
    free(reading->lines);
    if (result == 0)
        map->rules = reading->rules;
    else
        rules_free(reading->rules);
    return result;
}

int value_map_load(struct value_map *map, const struct value_map_kind *kind, const char *path, struct error *error)
{
    struct reading reading = {.kind = kind};

    return make_map(map, &reading, rows_load(&reading.reader, path, &kind->file, error), error);
}

int value_map_parse(struct value_map *map, const struct value_map_kind *kind, const char *name, const char *text,
                    size_t size, struct error *error)
{
    struct reading reading = {.kind = kind};

    return make_map(map, &reading, rows_parse(&reading.reader, name, text, size, &kind->file, error), error);
}

void value_map_free(struct value_map *map)
{
    rules_free(map->rules);
    map->rules = NULL;
}

unsigned value_map_count(const struct value_map *map)
{
    return rules_count(map->rules);
}
