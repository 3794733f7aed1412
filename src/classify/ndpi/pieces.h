/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of one size, taken and given back without malloc: memory grows by many pieces at once, and is used again. */
#ifndef CLASSIFY_NDPI_PIECES_H
#define CLASSIFY_NDPI_PIECES_H

#include "base/base.h"

struct pieces_chunk;

struct pieces {
    size_t piece_bytes;
    struct pieces_chunk *chunks;
    void *free; /* a list; each piece has the next one in its first octets */
};

void pieces_init(struct pieces *pieces, size_t piece_bytes);
void pieces_free(struct pieces *pieces); /* all pieces are gone with it */

void *pieces_take(struct pieces *pieces); /* all octets 0; NULL when there is no memory */
void pieces_give(struct pieces *pieces, void *piece);

#endif
