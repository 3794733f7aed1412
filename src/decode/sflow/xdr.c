/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms that all structures of sFlow are made of (XDR, RFC 4506): counted words, addresses, opaque octets. */
#include "decode/sflow/private.h"

bool sflow_read_words(struct cursor *cursor, struct sflow_words *words)
{
    words->count = cursor_be32(cursor);
    if (unlikely(words->count > cursor_left(cursor) / 4)) {
        words->count = 0;
        cursor_skip(cursor, SIZE_MAX);
        return false;
    }
    words->at = cursor_take(cursor, (size_t)words->count * 4);
    return !cursor->failed;
}

bool sflow_read_address(struct cursor *cursor, struct address *address)
{
    uint32_t type = cursor_be32(cursor);
    const uint8_t *octets;

    switch (type) {
    case 0:
        return false;
    case 1:
        octets = cursor_take(cursor, 4);
        if (octets != NULL)
            address_set_ipv4(address, octets);
        return octets != NULL;
    case 2:
        octets = cursor_take(cursor, 16);
        if (octets != NULL)
            address_set_ipv6(address, octets);
        return octets != NULL;
    default:
        cursor_skip(cursor, SIZE_MAX);
        return false;
    }
}

void sflow_skip_opaque(struct cursor *cursor)
{
    size_t size = cursor_be32(cursor);

    if (size > cursor_left(cursor))
        cursor_skip(cursor, SIZE_MAX);
    else /* some agents leave out the padding at the end of a structure */
        cursor_skip(cursor, min_u64(align_up(size, 4), cursor_left(cursor)));
}
