/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The strings of intern.h: their bytes lie in chunks that never move, a row {where, length, hash} for each id, and an
 * index of {32 bits of hash, id} with linear probing that doubles at two thirds. XXH3 makes the hash (short strings
 * are its strong side), under a seed of this table's own: the bytes come from outside.
 */
#include "plugins/common/intern.h"

#include "base/hash.h"

#include <stdlib.h>
#include <xxhash.h>

#define chunk_bytes_first ((size_t)4 << 10)
#define chunk_bytes_full ((size_t)1 << 20)
#define places_first 64u

struct chunk {
    struct chunk *next; /* older */
    size_t bytes;
    char data[];
};

struct string {
    const char *bytes;
    uint32_t length;
};

struct intern {
    uint64_t seed;
    struct chunk *chunks; /* the newest, which is being filled */
    size_t chunk_used;
    struct string *strings; /* of id 1, 2, ... */
    uint32_t count, string_room;
    uint64_t *places; /* {hash, id}; 0 is free */
    uint32_t place_mask;
    uint64_t bytes;
    bool closed;
};

struct intern *intern_new(void)
{
    struct intern *intern = calloc(1, sizeof(*intern));

    if (intern != NULL) {
        intern->seed = hash_seed_new().a;
        intern->bytes = sizeof(*intern);
    }
    return intern;
}

static void chunks_free(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
}

void intern_free(struct intern *intern)
{
    if (intern == NULL)
        return;
    chunks_free(intern->chunks);
    free(intern->strings);
    free(intern->places);
    free(intern);
}

/* Copies the bytes to where they stay. NULL when out of memory. */
static const char *keep(struct intern *intern, const char *bytes, uint32_t length)
{
    char *copy;

    if (intern->chunks == NULL || intern->chunks->bytes - intern->chunk_used < length) {
        size_t size = intern->chunks == NULL ? chunk_bytes_first
                                             : min_u64(2 * intern->chunks->bytes, chunk_bytes_full);
        struct chunk *chunk;

        size = max_u64(size, length);
        chunk = malloc(sizeof(*chunk) + size);
        if (chunk == NULL)
            return NULL;
        *chunk = (struct chunk){.next = intern->chunks, .bytes = size};
        intern->chunks = chunk;
        intern->chunk_used = 0;
        intern->bytes += sizeof(*chunk) + size;
    }
    copy = intern->chunks->data + intern->chunk_used;
    memcpy(copy, bytes, length);
    intern->chunk_used += length;
    return copy;
}

static bool grow_strings(struct intern *intern)
{
    uint32_t room = intern->string_room == 0 ? 32 : 2 * intern->string_room;
    struct string *strings;

    if (intern->count < intern->string_room)
        return true;
    if (room < intern->string_room)
        return false;
    strings = realloc(intern->strings, room * sizeof(*strings));
    if (strings == NULL)
        return false;
    intern->bytes += (room - intern->string_room) * sizeof(*strings);
    intern->strings = strings;
    intern->string_room = room;
    return true;
}

static bool grow_places(struct intern *intern)
{
    uint64_t old = intern->places == NULL ? 0 : (uint64_t)intern->place_mask + 1;
    uint64_t room = old == 0 ? places_first : 2 * old;
    uint64_t *places;

    if (intern->count < old / 3 * 2)
        return true;
    if (room > UINT32_MAX)
        return false;
    places = calloc(room, sizeof(*places));
    if (places == NULL)
        return false;
    for (uint64_t from = 0; from < old; from++) {
        uint64_t place = intern->places[from], to = (place >> 32) & (room - 1);

        if (place == 0)
            continue;
        while (places[to] != 0)
            to = (to + 1) & (room - 1);
        places[to] = place;
    }
    free(intern->places);
    intern->bytes += (room - old) * sizeof(*places);
    intern->places = places;
    intern->place_mask = (uint32_t)(room - 1);
    return true;
}

static uint32_t hash_of(const struct intern *intern, const char *bytes, uint32_t length)
{
    return (uint32_t)XXH3_64bits_withSeed(bytes, length, intern->seed);
}

static uint32_t find(const struct intern *intern, const char *bytes, uint32_t length, uint32_t hash)
{
    uint64_t place;

    if (intern->places == NULL)
        return 0;
    for (uint32_t i = hash & intern->place_mask; (place = intern->places[i]) != 0; i = (i + 1) & intern->place_mask) {
        uint32_t id = (uint32_t)place;
        const struct string *string = &intern->strings[id - 1];

        if (place >> 32 == hash && string->length == length && memcmp(string->bytes, bytes, length) == 0)
            return id;
    }
    return 0;
}

uint32_t intern_put(struct intern *intern, const char *bytes, uint32_t length)
{
    uint32_t hash, id, i;
    const char *copy;

    if (length == 0)
        return 0;
    hash = hash_of(intern, bytes, length);
    id = find(intern, bytes, length, hash);
    if (id != 0)
        return id;
    if (intern->closed)
        return intern_unknown;
    if (!grow_strings(intern) || !grow_places(intern) || (copy = keep(intern, bytes, length)) == NULL)
        return 0;
    intern->strings[intern->count++] = (struct string){.bytes = copy, .length = length};
    for (i = hash & intern->place_mask; intern->places[i] != 0; i = (i + 1) & intern->place_mask)
        continue;
    intern->places[i] = (uint64_t)hash << 32 | intern->count;
    return intern->count;
}

const char *intern_get(const struct intern *intern, uint32_t id, uint32_t *length)
{
    if (id == 0 || id > intern->count) {
        *length = 0;
        return "";
    }
    *length = intern->strings[id - 1].length;
    return intern->strings[id - 1].bytes;
}

uint32_t intern_find(const struct intern *intern, const char *bytes, uint32_t length)
{
    return length == 0 ? 0 : find(intern, bytes, length, hash_of(intern, bytes, length));
}

uint32_t intern_count(const struct intern *intern)
{
    return intern->count;
}

uint64_t intern_bytes(const struct intern *intern)
{
    return intern->bytes;
}

void intern_close(struct intern *intern)
{
    intern->closed = true;
}

/* Keeps the newest chunk, and rows and index if they were used well. */
void intern_clear(struct intern *intern)
{
    if (intern->count < intern->string_room / 8) {
        free(intern->strings);
        free(intern->places);
        intern->strings = NULL;
        intern->places = NULL;
        intern->string_room = intern->place_mask = 0;
    }
    if (intern->chunks != NULL) {
        chunks_free(intern->chunks->next);
        intern->chunks->next = NULL;
    }
    intern->chunk_used = 0;
    intern->count = 0;
    intern->closed = false;
    if (intern->places != NULL)
        memset(intern->places, 0, ((size_t)intern->place_mask + 1) * sizeof(uint64_t));
    intern->bytes = sizeof(*intern) + intern->string_room * sizeof(*intern->strings);
    if (intern->places != NULL)
        intern->bytes += ((uint64_t)intern->place_mask + 1) * sizeof(uint64_t);
    if (intern->chunks != NULL)
        intern->bytes += sizeof(*intern->chunks) + intern->chunks->bytes;
}
