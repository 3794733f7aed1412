/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hash table from {exporter, number} to the first row with them, where the exporter is the number of a prefix, or
 * that of "any". An exporter belongs to the longest prefix around it and to those that hold that one; each is asked,
 * and the row that comes first in the file is the one.
 */
#include "map/interface_names.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/rows.h"
#include "net/prefixes.h"

#define name_bytes_max 255
#define none UINT32_MAX
#define any_exporter prefixes_none

enum key { KEY_IP, KEY_INDEX, KEY_NAME, KEY_COUNT };

struct row {
    struct prefix exporter;
    uint32_t number;
    uint32_t name; /* where it begins in the map's text */
    uint8_t name_bytes;
    bool has_exporter;
};

struct place {
    uint32_t exporter, number;
    uint32_t row; /* none: free */
};

struct interface_names {
    struct row *rows;
    char *text; /* names, one behind the other */
    struct place *places;
    struct prefixes *exporters; /* NULL: no row asks for one */
    uint32_t count, room;
    uint32_t text_bytes;
    uint32_t with_exporter;
    uint32_t place_mask;
    struct hash_seed seed;
};

static const struct rows_kind kind = {"interface names map", 64u << 20, 2048};

/* -- reading -- */

struct line {
    struct interface_names *map;
    struct row row;
    bool seen[KEY_COUNT];
};

static int read_ip(struct line *line, const char *value, struct error *error)
{
    if (prefix_parse(value, &line->row.exporter, error) < 0)
        return error_wrap(error, "'ip' is '%.60s'", value);
    line->row.has_exporter = true;
    return 0;
}

static int read_index(struct line *line, const char *value, struct error *error)
{
    uint64_t number;

    if (!rows_number(value, UINT32_MAX, &number))
        return error_set(error, "'index' is '%.40s', expected the number of an interface, 0 to 4294967295", value);
    line->row.number = (uint32_t)number;
    return 0;
}

/* Names go into outputs of all kinds; what would break a line there is refused here. The text has room for all. */
static int read_name(struct line *line, const char *value, struct error *error)
{
    size_t length = strlen(value);

    if (length == 0 || length > name_bytes_max)
        return error_set(error, "'name' has %zu bytes, expected 1 to %d", length, name_bytes_max);
    for (const char *at = value; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return error_set(error, "'name' holds a control character (%d)", *at);
    memcpy(line->map->text + line->map->text_bytes, value, length);
    line->row.name = line->map->text_bytes;
    line->row.name_bytes = (uint8_t)length;
    line->map->text_bytes += (uint32_t)length;
    return 0;
}

static const struct {
    const char *name;
    int (*read)(struct line *line, const char *value, struct error *error);
} keys[KEY_COUNT] = {
    [KEY_IP] = {"ip", read_ip},
    [KEY_INDEX] = {"index", read_index},
    [KEY_NAME] = {"name", read_name},
};

static int read_pair(struct line *line, char *word, struct error *error)
{
    char *value;
    int key;

    if (rows_pair(word, &value, error) < 0)
        return -1;
    key = rows_key(word, keys, KEY_COUNT, sizeof(keys[0]), "ip, index or name", error);
    if (key < 0)
        return -1;
    if (line->seen[key])
        return error_set(error, "'%s' comes twice in this line", word);
    line->seen[key] = true;
    return keys[key].read(line, value, error);
}

static int add_row(struct interface_names *map, const struct row *row, struct error *error)
{
    if (map->count == map->room) {
        uint32_t room = map->room == 0 ? 64 : map->room * 2;
        struct row *grown = realloc(map->rows, room * sizeof(*grown));

        if (grown == NULL)
            return error_set(error, "out of memory for the interface names map");
        map->rows = grown;
        map->room = room;
    }
    map->rows[map->count++] = *row;
    map->with_exporter += row->has_exporter;
    return 0;
}

static int read_line(struct interface_names *map, char *text, struct error *error)
{
    struct line line = {.map = map};
    char *word;
    int got;

    while ((got = rows_word(&text, &word, error)) > 0)
        if (read_pair(&line, word, error) < 0)
            return -1;
    if (got < 0)
        return -1;
    for (unsigned i = KEY_INDEX; i <= KEY_NAME; i++)
        if (!line.seen[i])
            return error_set(error, "'%s' is missing, expected [ip=ADDRESS] index=NUMBER name=TEXT", keys[i].name);
    return add_row(map, &line.row, error);
}

/* The names cannot be longer than the file. */
static int read_all(struct interface_names *map, struct rows_reader *reader, struct error *error)
{
    char *line;
    int got;

    map->text = malloc(rows_left(reader) + 1);
    if (map->text == NULL)
        return error_set(error, "out of memory for the interface names map");
    while ((got = rows_line(reader, &line, error)) > 0)
        if (read_line(map, line, error) < 0)
            return rows_fail(reader, error);
    return got;
}

/* -- the index -- */

static struct place *find_place(const struct interface_names *map, uint32_t exporter, uint32_t number)
{
    uint64_t key = (uint64_t)exporter << 32 | number;
    uint32_t at = (uint32_t)hash_words(&key, 1, map->seed) & map->place_mask;

    while (map->places[at].row != none && (map->places[at].exporter != exporter || map->places[at].number != number))
        at = (at + 1) & map->place_mask;
    return &map->places[at];
}

static int index_exporters(struct interface_names *map, struct error *error)
{
    struct prefix *exporters;
    uint32_t count = 0;

    if (map->with_exporter == 0)
        return 0;
    exporters = malloc(map->with_exporter * sizeof(*exporters));
    if (exporters == NULL)
        return error_set(error, "out of memory for the interface names map");
    for (uint32_t i = 0; i < map->count; i++)
        if (map->rows[i].has_exporter)
            exporters[count++] = map->rows[i].exporter;
    map->exporters = prefixes_build(exporters, count, error);
    free(exporters);
    return map->exporters == NULL ? -1 : 0;
}

/* At most half of the places are taken. Of two rows for the same the first stays. */
static int index_rows(struct interface_names *map, struct error *error)
{
    uint64_t places = 16;

    if (index_exporters(map, error) < 0)
        return -1;
    while (places < (uint64_t)map->count * 2)
        places *= 2;
    map->place_mask = (uint32_t)(places - 1);
    map->seed = hash_seed_new();
    map->places = malloc(places * sizeof(*map->places));
    if (map->places == NULL)
        return error_set(error, "out of memory for the interface names map");
    for (uint64_t i = 0; i < places; i++)
        map->places[i].row = none;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct row *row = &map->rows[i];
        uint32_t exporter = any_exporter;
        struct place *place;

        if (row->has_exporter)
            exporter = prefixes_exact(map->exporters, &row->exporter.net, row->exporter.length);
        place = find_place(map, exporter, row->number);
        if (place->row == none)
            *place = (struct place){exporter, row->number, i};
    }
    return 0;
}

/* -- a map -- */

/* `started` is what opening the reader gave; the reader is done with here. */
static struct interface_names *make_map(struct rows_reader *reader, int started, struct error *error)
{
    struct interface_names *map = started < 0 ? NULL : calloc(1, sizeof(*map));

    if (started == 0 && map == NULL)
        error_set(error, "out of memory for the interface names map");
    if (map != NULL && (read_all(map, reader, error) < 0 || index_rows(map, error) < 0)) {
        interface_names_free(map);
        map = NULL;
    }
    rows_free(reader);
    return map;
}

struct interface_names *interface_names_load(const char *path, struct error *error)
{
    struct rows_reader reader;

    return make_map(&reader, rows_load(&reader, path, &kind, error), error);
}

struct interface_names *interface_names_parse(const char *name, const char *text, size_t size, struct error *error)
{
    struct rows_reader reader;

    return make_map(&reader, rows_parse(&reader, name, text, size, &kind, error), error);
}

void interface_names_free(struct interface_names *map)
{
    if (map == NULL)
        return;
    prefixes_free(map->exporters);
    free(map->rows);
    free(map->text);
    free(map->places);
    free(map);
}

unsigned interface_names_count(const struct interface_names *map)
{
    return map->count;
}

unsigned interface_names_with_exporter(const struct interface_names *map)
{
    return map->with_exporter;
}

/* -- a record -- */

/* The first row for a number, of an exporter whose longest prefix is `exporter`, or none. */
static const struct row *find_row(const struct interface_names *map, uint32_t exporter, uint32_t number)
{
    uint32_t best = find_place(map, any_exporter, number)->row;

    for (; exporter != prefixes_none; exporter = prefixes_parent(map->exporters, exporter)) {
        uint32_t row = find_place(map, exporter, number)->row;

        if (row < best)
            best = row;
    }
    return best == none ? NULL : &map->rows[best];
}

static struct span name_of(const struct interface_names *map, const struct row *row)
{
    return (struct span){map->text + row->name, row->name_bytes};
}

void interface_names_needs(struct field_set *wants)
{
    bool in = field_set_has(wants, FIELD_IN_IFACE_NAME), out = field_set_has(wants, FIELD_OUT_IFACE_NAME);

    if (in)
        field_set_add(wants, FIELD_IN_IFACE);
    if (out)
        field_set_add(wants, FIELD_OUT_IFACE);
    if (in || out)
        field_set_add(wants, FIELD_PEER_SRC_IP);
}

bool interface_names_fill(const struct interface_names *map, const struct field_set *wants, struct flow *flow)
{
    bool in = field_set_has(wants, FIELD_IN_IFACE_NAME) && flow_has(flow, FIELD_IN_IFACE);
    bool out = field_set_has(wants, FIELD_OUT_IFACE_NAME) && flow_has(flow, FIELD_OUT_IFACE);
    const struct row *in_row = NULL, *out_row = NULL;
    uint32_t exporter = prefixes_none;

    if ((in || out) && map->exporters != NULL && flow_has(flow, FIELD_PEER_SRC_IP))
        exporter = prefixes_find(map->exporters, &flow->peer_src_ip);
    if (in && (in_row = find_row(map, exporter, flow->in_iface)) != NULL)
        flow_set_in_iface_name(flow, name_of(map, in_row));
    if (out && (out_row = find_row(map, exporter, flow->out_iface)) != NULL)
        flow_set_out_iface_name(flow, name_of(map, out_row));
    return in_row != NULL || out_row != NULL;
}
