/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/reassembly.h"

#include <stdlib.h>

#define open_max 64 /* datagrams at a time */
#define whole_max 65535
#define unit 8 /* bytes: offsets count in these */
#define life_ns INT64_C(60000000000) /* RFC 8200 section 4.5 */

struct whole {
    bool used;
    struct address source, destination;
    uint32_t id;
    uint8_t protocol;
    int64_t since_ns;
    unsigned pieces;
    size_t size; /* of the whole; 0: its last piece has not come */
    size_t have; /* bytes that have come */
    uint8_t seen[whole_max / unit / 8 + 1]; /* a bit for each unit */
    uint8_t bytes[whole_max + 1];
};

struct reassembly {
    struct whole wholes[open_max]; /* touched as they are needed */
};

struct reassembly *reassembly_new(void)
{
    return calloc(1, sizeof(struct reassembly));
}

void reassembly_free(struct reassembly *reassembly)
{
    free(reassembly);
}

static bool belongs(const struct whole *whole, const struct reassembly_piece *piece, int64_t when_ns)
{
    return whole->used && whole->id == piece->id && whole->protocol == piece->protocol &&
           address_equal(&whole->source, &piece->source) && address_equal(&whole->destination, &piece->destination) &&
           when_ns - whole->since_ns < life_ns;
}

static struct whole *find(struct reassembly *reassembly, const struct reassembly_piece *piece, int64_t when_ns)
{
    struct whole *place = &reassembly->wholes[0];

    for (unsigned i = 0; i < open_max; i++) {
        struct whole *whole = &reassembly->wholes[i];

        if (belongs(whole, piece, when_ns))
            return whole;
        if (place->used && (!whole->used || whole->since_ns < place->since_ns))
            place = whole;
    }
    place->used = true;
    place->source = piece->source;
    place->destination = piece->destination;
    place->id = piece->id;
    place->protocol = piece->protocol;
    place->since_ns = when_ns;
    place->pieces = 0;
    place->size = 0;
    place->have = 0;
    memset(place->seen, 0, sizeof(place->seen));
    return place;
}

/* Marks the piece's units. Returns how many were new; fails when one that was there has other bytes now. */
static int mark(struct whole *whole, const struct reassembly_piece *piece)
{
    size_t units = (piece->size + unit - 1) / unit;
    int fresh = 0;

    for (size_t i = 0; i < units; i++) {
        size_t number = piece->offset / unit + i, at = i * unit;
        size_t length = min_u64(unit, piece->size - at);
        uint8_t bit = (uint8_t)(1u << number % 8);

        if ((whole->seen[number / 8] & bit) == 0) {
            memcpy(whole->bytes + piece->offset + at, piece->bytes + at, length);
            whole->seen[number / 8] |= bit;
            whole->have += length;
            fresh++;
        } else if (memcmp(whole->bytes + piece->offset + at, piece->bytes + at, length) != 0) {
            return -1;
        }
    }
    return fresh;
}

unsigned reassembly_add(struct reassembly *reassembly, const struct reassembly_piece *piece, int64_t when_ns,
                        const uint8_t **bytes, size_t *size)
{
    size_t end = piece->offset + piece->size;
    struct whole *whole;

    if (piece->size == 0 || end > whole_max || piece->offset % unit != 0 || (piece->more && piece->size % unit != 0))
        return 0;
    whole = find(reassembly, piece, when_ns);
    if (mark(whole, piece) < 0 || (!piece->more && whole->size != 0 && whole->size != end)) {
        whole->used = false;
        return 0;
    }
    whole->pieces++;
    if (!piece->more)
        whole->size = end;
    if (whole->size == 0 || whole->have < whole->size)
        return 0;
    whole->used = false;
    if (whole->have > whole->size) /* a piece lay behind the last one */
        return 0;
    *bytes = whole->bytes;
    *size = whole->size;
    return whole->pieces;
}
