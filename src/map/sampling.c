/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the first row that fits is found without a walk over the rows. Rows with the same ip are a group; a group knows
 * the next shorter prefix that holds it. An exporter belongs to the longest prefix around it and to those above, and
 * in each of these groups there is, by row number, the first row without interfaces, a hash of those with exact
 * interfaces, and a list of those with a minus, which are few. The smallest number of all is the row.
 *
 * One hash table serves both look-ups: {address, prefix length} to a group, {group, interfaces} to a row.
 */
#include "map/sampling.h"

#include <stdlib.h>

#include "base/hash.h"
#include "map/sampling_rows.h"

#define none UINT32_MAX
#define remembered 256 /* a power of two */
#define key_words 3

/* Which interfaces a row asks for, as bits; a shape of 0 has no place in the hash. */
#define shape_in 1u
#define shape_out 2u
#define shape_count 4u

struct row {
    uint32_t rate, group;
    uint32_t next; /* of the group's rows with a minus, in the order of the file */
    struct sampling_interface in, out;
};

struct group {
    struct address net;
    uint8_t length;  /* of the prefix, bits of its family */
    uint8_t shapes;  /* a bit for each shape that its rows in the hash have */
    uint32_t parent; /* group of the next shorter prefix around this one */
    uint32_t always; /* first row that asks for no interface */
    uint32_t other_first, other_last; /* rows with a minus */
};

struct place {
    uint64_t key[key_words];
    uint32_t value; /* none: free */
};

struct sampling_map {
    struct row *rows;
    struct group *groups;
    struct place *places;
    uint32_t count, group_count;
    uint32_t place_mask;
    struct hash_seed seed;
    uint8_t lengths[2][129]; /* of IPv6 and IPv4 prefixes in the map, longest first */
    unsigned length_count[2];
    struct {
        struct address exporter;
        uint32_t group;
        bool known;
    } memory[remembered];
};

/* -- the hash -- */

static struct place *find_place(const struct sampling_map *map, const uint64_t key[key_words])
{
    uint32_t at = (uint32_t)hash_words(key, key_words, map->seed) & map->place_mask;

    while (map->places[at].value != none && memcmp(map->places[at].key, key, sizeof(map->places[at].key)) != 0)
        at = (at + 1) & map->place_mask;
    return &map->places[at];
}

/* The place of a key, taken with `value` if it was free; what is there already stays, for the first row wins. */
static struct place *take_place(struct sampling_map *map, const uint64_t key[key_words], uint32_t value)
{
    struct place *place = find_place(map, key);

    if (place->value == none) {
        memcpy(place->key, key, sizeof(place->key));
        place->value = value;
    }
    return place;
}

/* The last word keeps the two sorts of keys apart: no prefix has a length of 255. */
static void group_key(uint64_t key[key_words], const struct address *net, unsigned length)
{
    key[0] = load_u64(net->bytes);
    key[1] = load_u64(net->bytes + 8);
    key[2] = length;
}

static void row_key(uint64_t key[key_words], uint32_t group, unsigned shape, uint32_t in, uint32_t out)
{
    key[0] = (uint64_t)(shape & shape_in ? in : 0) << 32 | (shape & shape_out ? out : 0);
    key[1] = (uint64_t)group << 8 | shape;
    key[2] = 255;
}

/* -- the index -- */

/*
 * The group of the longest prefix of fewer than `below` bits that holds an address. Families cannot be mixed up:
 * masking leaves IPv4 its mapped form, which no prefix of IPv6 has.
 */
static uint32_t search(const struct sampling_map *map, const struct address *address, unsigned below)
{
    bool ipv4 = address_is_ipv4(address);
    uint64_t key[key_words];

    for (unsigned i = 0; i < map->length_count[ipv4]; i++) {
        unsigned length = map->lengths[ipv4][i];
        struct address net = *address;
        uint32_t found;

        if (length >= below)
            continue;
        address_mask(&net, length);
        group_key(key, &net, length);
        found = find_place(map, key)->value;
        if (found != none)
            return found;
    }
    return none;
}

static void index_row(struct sampling_map *map, uint32_t number)
{
    struct row *row = &map->rows[number];
    struct group *group = &map->groups[row->group];
    unsigned shape = (row->in.asked ? shape_in : 0) | (row->out.asked ? shape_out : 0);
    uint64_t key[key_words];

    if (shape == 0) {
        if (group->always == none)
            group->always = number;
    } else if (row->in.other || row->out.other) {
        if (group->other_first == none)
            group->other_first = number;
        else
            map->rows[group->other_last].next = number;
        group->other_last = number;
    } else {
        group->shapes |= (uint8_t)(1u << shape);
        row_key(key, row->group, shape, row->in.number, row->out.number);
        take_place(map, key, number);
    }
}

static void add_length(struct sampling_map *map, bool ipv4, uint8_t length)
{
    uint8_t *lengths = map->lengths[ipv4];
    unsigned at = 0;

    while (at < map->length_count[ipv4] && lengths[at] > length)
        at++;
    if (at < map->length_count[ipv4] && lengths[at] == length)
        return;
    memmove(lengths + at + 1, lengths + at, map->length_count[ipv4]++ - at);
    lengths[at] = length;
}

/* The group of a row's prefix, made when it is the first one with it. `group_count` has room for a group a row. */
static uint32_t group_of(struct sampling_map *map, const struct sampling_row *row)
{
    uint64_t key[key_words];
    struct place *place;

    group_key(key, &row->net, row->length);
    place = take_place(map, key, map->group_count);
    if (place->value == map->group_count) {
        map->groups[map->group_count++] = (struct group){
            .net = row->net, .length = row->length,
            .parent = none, .always = none, .other_first = none, .other_last = none};
        add_length(map, address_is_ipv4(&row->net), row->length);
    }
    return place->value;
}

/* Table and groups for all rows that were read: at most two keys a row, and places for twice as many. */
static int index_rows(struct sampling_map *map, const struct sampling_rows *read, struct error *error)
{
    uint64_t places = 16;

    map->count = read->count;
    while (places < (uint64_t)map->count * 4)
        places *= 2;
    map->place_mask = (uint32_t)(places - 1);
    map->seed = hash_seed_new();
    map->places = malloc(places * sizeof(*map->places));
    map->groups = malloc((map->count + 1) * sizeof(*map->groups));
    map->rows = malloc((map->count + 1) * sizeof(*map->rows));
    if (map->places == NULL || map->groups == NULL || map->rows == NULL)
        return error_set(error, "out of memory for the sampling map");
    for (uint64_t i = 0; i < places; i++)
        map->places[i].value = none;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct sampling_row *row = &read->rows[i];

        map->rows[i] = (struct row){row->rate, group_of(map, row), none, row->in, row->out};
        index_row(map, i);
    }
    for (uint32_t i = 0; i < map->group_count; i++)
        map->groups[i].parent = search(map, &map->groups[i].net, map->groups[i].length);
    return 0;
}

/* -- a map -- */

/* Takes the rows, also when it fails. */
static struct sampling_map *make_map(struct sampling_rows *rows, bool good, struct error *error)
{
    struct sampling_map *map = good ? calloc(1, sizeof(*map)) : NULL;

    if (good && map == NULL)
        error_set(error, "out of memory for the sampling map");
    if (map != NULL && index_rows(map, rows, error) < 0) {
        sampling_map_free(map);
        map = NULL;
    }
    free(rows->rows);
    return map;
}

struct sampling_map *sampling_map_parse(const char *name, const char *text, size_t size, struct error *error)
{
    struct sampling_rows rows = {.count = 0};
    bool good = sampling_rows_parse(&rows, name, text, size, error) == 0;

    return make_map(&rows, good, error);
}

struct sampling_map *sampling_map_load(const char *path, struct error *error)
{
    struct sampling_rows rows = {.count = 0};
    bool good = sampling_rows_load(&rows, path, error) == 0;

    return make_map(&rows, good, error);
}

void sampling_map_free(struct sampling_map *map)
{
    if (map == NULL)
        return;
    free(map->rows);
    free(map->groups);
    free(map->places);
    free(map);
}

unsigned sampling_map_count(const struct sampling_map *map)
{
    return map->count;
}

/* -- a record -- */

static uint32_t group_around(struct sampling_map *map, const struct address *exporter)
{
    uint64_t mix = (load_u64(exporter->bytes) ^ load_u64(exporter->bytes + 8)) * UINT64_C(0x9e3779b97f4a7c15);
    unsigned place = (unsigned)(mix >> 32) % remembered;

    if (!map->memory[place].known || !address_equal(&map->memory[place].exporter, exporter)) {
        map->memory[place].exporter = *exporter;
        map->memory[place].group = search(map, exporter, 255);
        map->memory[place].known = true;
    }
    return map->memory[place].group;
}

static bool fits(const struct sampling_interface *interface, bool told, uint32_t number)
{
    return !interface->asked || (told && (interface->number == number) != interface->other);
}

/* The first row of one group that fits, if it comes before the row `best`; or else `best`. */
static uint32_t first_of(const struct sampling_map *map, uint32_t group_number, const struct flow *flow, uint32_t best)
{
    const struct group *group = &map->groups[group_number];
    bool told_in = flow_has(flow, FIELD_IN_IFACE), told_out = flow_has(flow, FIELD_OUT_IFACE);
    unsigned told = (told_in ? shape_in : 0) | (told_out ? shape_out : 0);

    if (group->always < best)
        best = group->always;
    for (unsigned shape = 1; shape < shape_count; shape++) {
        uint64_t key[key_words];
        uint32_t found;

        if ((group->shapes & (1u << shape)) == 0 || (shape & ~told) != 0)
            continue;
        row_key(key, group_number, shape, flow->in_iface, flow->out_iface);
        found = find_place(map, key)->value;
        if (found < best)
            best = found;
    }
    for (uint32_t i = group->other_first; i < best; i = map->rows[i].next)
        if (fits(&map->rows[i].in, told_in, flow->in_iface) && fits(&map->rows[i].out, told_out, flow->out_iface))
            return i;
    return best;
}

uint32_t sampling_map_rate(struct sampling_map *map, const struct flow *flow)
{
    uint32_t best = none;

    if (!flow_has(flow, FIELD_PEER_SRC_IP) || address_is_absent(&flow->peer_src_ip))
        return 0;
    for (uint32_t i = group_around(map, &flow->peer_src_ip); i != none; i = map->groups[i].parent)
        best = first_of(map, i, flow, best);
    return best == none ? 0 : map->rows[best].rate;
}
