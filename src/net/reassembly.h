/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP datagrams out of their fragments (RFC 791 section 3.2, RFC 8200 section 4.5), for captures. Few are open at a
 * time; the oldest gives way. Pieces that disagree about the same bytes spoil their datagram (RFC 5722).
 */
#ifndef NET_REASSEMBLY_H
#define NET_REASSEMBLY_H

#include "net/address.h"

struct reassembly_piece {
    struct address source, destination;
    uint32_t id;
    uint8_t protocol;
    bool more;       /* this is not the last one */
    uint16_t offset; /* of the bytes in the whole, in bytes: a multiple of 8 */
    const uint8_t *bytes;
    size_t size;
};

struct reassembly;

struct reassembly *reassembly_new(void); /* NULL when out of memory */
void reassembly_free(struct reassembly *reassembly);

/*
 * Takes a piece that came at `when_ns`. When it completes a datagram: returns of how many pieces, with its payload in
 * *bytes and *size until the next call. Else 0.
 */
unsigned reassembly_add(struct reassembly *reassembly, const struct reassembly_piece *piece, int64_t when_ns,
                        const uint8_t **bytes, size_t *size);

#endif
