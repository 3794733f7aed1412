/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A full table of the internet has more than a million prefixes, but far fewer different origins, next hops and
 * masks. What rows say is kept once, in a list that a hash finds again while the file is read; a prefix has only its
 * place in that list. So the part that every look-up touches stays small enough for the caches.
 */
#include "map/networks.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/rows.h"
#include "net/prefixes.h"

struct networks {
    struct prefixes *prefixes; /* value: a place in `list` */
    struct network *list;
    uint32_t count, room;
};

_Static_assert(sizeof(struct network) % 8 == 0, "compared and hashed by whole words");

/* While a file is read. */
struct reading {
    struct networks *networks;
    struct prefix *prefixes;
    uint32_t count, room;
    uint32_t *places; /* hash: place in the list plus one, 0 is free */
    uint32_t place_mask;
    struct hash_seed seed;
};

static const struct rows_kind kind = {"networks file", (size_t)1 << 30, 255};

/* -- the list -- */

static uint32_t hash_place(const struct reading *reading, const struct network *network)
{
    return (uint32_t)hash_words(network, sizeof(*network) / 8, reading->seed) & reading->place_mask;
}

/* Twice the places, at least; half of them stay free. */
static int grow_places(struct reading *reading, struct error *error)
{
    uint32_t size = reading->places == NULL ? 1024 : (reading->place_mask + 1) * 2;
    uint32_t *places = calloc(size, sizeof(*places));

    if (places == NULL)
        return error_set(error, "out of memory for networks");
    free(reading->places);
    reading->places = places;
    reading->place_mask = size - 1;
    for (uint32_t i = 0; i < reading->networks->count; i++) {
        uint32_t at = hash_place(reading, &reading->networks->list[i]);

        while (places[at] != 0)
            at = (at + 1) & reading->place_mask;
        places[at] = i + 1;
    }
    return 0;
}

static int add_to_list(struct networks *networks, const struct network *network, struct error *error)
{
    if (networks->count == networks->room) {
        uint32_t room = networks->room + networks->room / 2 + 64;
        struct network *grown = realloc(networks->list, room * sizeof(*grown));

        if (grown == NULL)
            return error_set(error, "out of memory for networks");
        networks->list = grown;
        networks->room = room;
    }
    networks->list[networks->count++] = *network;
    return 0;
}

/* The place of what a row says, added when it is new. */
static int place_of(struct reading *reading, const struct network *network, uint32_t *place, struct error *error)
{
    struct networks *networks = reading->networks;
    uint32_t at;

    if ((networks->count + 1) * 2 > reading->place_mask && grow_places(reading, error) < 0)
        return -1;
    at = hash_place(reading, network);
    while (reading->places[at] != 0) {
        *place = reading->places[at] - 1;
        if (memcmp(&networks->list[*place], network, sizeof(*network)) == 0)
            return 0;
        at = (at + 1) & reading->place_mask;
    }
    *place = networks->count;
    reading->places[at] = networks->count + 1;
    return add_to_list(networks, network, error);
}

/* -- a line -- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts blanks away at both ends. */
static char *trim(char *text)
{
    size_t size;

    while (is_blank(*text))
        text++;
    size = strlen(text);
    while (size > 0 && is_blank(text[size - 1]))
        text[--size] = '\0';
    return text;
}

static int parse_as(const char *text, uint32_t *number, struct error *error)
{
    uint64_t value;

    if (!rows_number(text, UINT32_MAX, &value))
        return error_set(error, "'%.40s' is not an AS number, 0 to 4294967295 (0 stands for none)", text);
    *number = (uint32_t)value;
    return 0;
}

static int parse_origin(char *text, struct network *network, struct error *error)
{
    char *origin = strchr(text, '_');

    if (origin == NULL)
        return parse_as(text, &network->origin_as, error);
    *origin++ = '\0';
    return parse_as(text, &network->peer_as, error) < 0 ? -1 : parse_as(origin, &network->origin_as, error);
}

#define parts_max 3

/* Cuts a line at its commas. The number of parts, 1 to parts_max, or -1. */
static int split(char *line, char *parts[parts_max], struct error *error)
{
    int count = 0;

    for (char *next = line; next != NULL; line = next) {
        if (count == parts_max)
            return error_set(error, "more than %d parts; expected [NEXT_HOP,][[PEER_AS_]ORIGIN_AS,]PREFIX/LENGTH",
                             parts_max);
        next = strchr(line, ',');
        if (next != NULL)
            *next++ = '\0';
        parts[count++] = trim(line);
    }
    return count;
}

static int parse_line(char *line, struct prefix *prefix, struct network *network, struct error *error)
{
    char *parts[parts_max];
    int count = split(line, parts, error);

    *network = (struct network){.mask = 0};
    if (count < 0)
        return -1;
    if (count > 1 && parse_origin(parts[count - 2], network, error) < 0)
        return -1;
    if (count > 2 && !address_parse(parts[0], &network->next_hop))
        return error_set(error, "'%.60s' is not the address of a next hop", parts[0]);
    if (strchr(parts[count - 1], '/') == NULL)
        return error_set(error, "'%.60s' is not PREFIX/LENGTH; a single address is /32 or /128", parts[count - 1]);
    if (prefix_parse(parts[count - 1], prefix, error) < 0)
        return -1;
    network->mask = prefix->length;
    return 0;
}

static int add_line(struct reading *reading, char *line, struct error *error)
{
    struct prefix *prefix;
    struct network network;

    if (reading->count == reading->room) {
        uint32_t room = reading->room + reading->room / 2 + 64;
        struct prefix *grown = room > prefixes_max ? NULL : realloc(reading->prefixes, room * sizeof(*grown));

        if (grown == NULL)
            return error_set(error, "no memory for more than %lu networks", (unsigned long)reading->room);
        reading->prefixes = grown;
        reading->room = room;
    }
    prefix = &reading->prefixes[reading->count];
    if (parse_line(line, prefix, &network, error) < 0)
        return -1;
    reading->count++;
    return place_of(reading, &network, &prefix->value, error);
}

/* -- a file -- */

/* `got` is what rows_load or rows_parse returned. The text is freed before the index is built. */
static int read_lines(struct reading *reading, struct rows_reader *reader, int got, struct error *error)
{
    char *line;

    while (got == 0 && (got = rows_line(reader, &line, error)) > 0)
        got = add_line(reading, line, error) < 0 ? rows_fail(reader, error) : 0;
    rows_free(reader);
    free(reading->places);
    if (got == 0)
        reading->networks->prefixes = prefixes_build_values(reading->prefixes, reading->count, error);
    free(reading->prefixes);
    return got == 0 && reading->networks->prefixes != NULL ? 0 : -1;
}

static struct networks *finish(struct rows_reader *reader, int got, struct error *error)
{
    struct reading reading = {.networks = calloc(1, sizeof(*reading.networks)), .seed = hash_seed_new()};

    if (reading.networks == NULL) {
        error_set(error, "out of memory for networks");
        rows_free(reader);
        return NULL;
    }
    if (read_lines(&reading, reader, got, error) == 0)
        return reading.networks;
    networks_free(reading.networks);
    return NULL;
}

struct networks *networks_load(const char *path, struct error *error)
{
    struct rows_reader reader;
    int got = rows_load(&reader, path, &kind, error);

    return finish(&reader, got, error);
}

struct networks *networks_parse(const char *name, const char *text, size_t size, struct error *error)
{
    struct rows_reader reader;
    int got = rows_parse(&reader, name, text, size, &kind, error);

    return finish(&reader, got, error);
}

void networks_free(struct networks *networks)
{
    if (networks == NULL)
        return;
    prefixes_free(networks->prefixes);
    free(networks->list);
    free(networks);
}

unsigned networks_count(const struct networks *networks)
{
    return prefixes_count(networks->prefixes);
}

size_t networks_bytes(const struct networks *networks)
{
    return sizeof(*networks) + prefixes_bytes(networks->prefixes) + networks->room * sizeof(*networks->list);
}

const struct network *networks_find(const struct networks *networks, const struct address *address)
{
    uint32_t place = prefixes_find_value(networks->prefixes, address);

    return place == prefixes_none ? NULL : &networks->list[place];
}
