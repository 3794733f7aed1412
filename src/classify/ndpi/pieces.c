/* SPDX-License-Identifier: BSD-2-Clause */
#include "classify/ndpi/pieces.h"

#include <stdlib.h>

#define chunk_pieces 64

struct pieces_chunk {
    struct pieces_chunk *next;
    _Alignas(max_align_t) uint8_t octets[];
};

void pieces_init(struct pieces *pieces, size_t piece_bytes)
{
    memset(pieces, 0, sizeof(*pieces));
    pieces->piece_bytes = align_up(piece_bytes, _Alignof(max_align_t));
}

void pieces_free(struct pieces *pieces)
{
    struct pieces_chunk *chunk;

    while ((chunk = pieces->chunks) != NULL) {
        pieces->chunks = chunk->next;
        free(chunk);
    }
    pieces->free = NULL;
}

static bool grow(struct pieces *pieces)
{
    struct pieces_chunk *chunk = malloc(sizeof(*chunk) + chunk_pieces * pieces->piece_bytes);

    if (chunk == NULL)
        return false;
    chunk->next = pieces->chunks;
    pieces->chunks = chunk;
    for (unsigned i = 0; i < chunk_pieces; i++)
        pieces_give(pieces, chunk->octets + i * pieces->piece_bytes);
    return true;
}

void *pieces_take(struct pieces *pieces)
{
    void *piece;

    if (pieces->free == NULL && !grow(pieces))
        return NULL;
    piece = pieces->free;
    memcpy(&pieces->free, piece, sizeof(pieces->free));
    memset(piece, 0, pieces->piece_bytes);
    return piece;
}

void pieces_give(struct pieces *pieces, void *piece)
{
    memcpy(piece, &pieces->free, sizeof(pieces->free));
    pieces->free = piece;
}
