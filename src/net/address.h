/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An internet address in sixteen bytes that need no family beside them, so that a key holds it in one slot:
 *
 *   absent            all zero
 *   IPv4 a.b.c.d      ::ffff:a.b.c.d, the mapped form (RFC 4291 section 2.5.5.2)
 *   IPv6              the address itself, in network order
 *
 * Two IPv6 forms that a hostile or odd sender can put on the wire would look like the first two: the unspecified
 * address and a mapped one. They are kept apart by setting the first byte to 0xff; ff00::/96 is a multicast scope
 * that may not be used (RFC 7346 section 2), so no real address is lost.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/base.h"

struct address {
    uint8_t bytes[16];
};

#define address_text_max 46 /* longest text of an address with its NUL, RFC 4291 */

static inline void address_set_ipv4(struct address *a, const uint8_t octets[4])
{
    uint64_t high = 0;
    memcpy(a->bytes, &high, 8);
    a->bytes[8] = 0;
    a->bytes[9] = 0;
    a->bytes[10] = 0xff;
    a->bytes[11] = 0xff;
    memcpy(a->bytes + 12, octets, 4);
}

static inline void address_set_ipv6(struct address *a, const uint8_t octets[16])
{
    memcpy(a->bytes, octets, 16);
    if (unlikely(load_u64(octets) == 0)) {
        static const uint8_t mapped[4] = {0, 0, 0xff, 0xff};
        if (memcmp(octets + 8, mapped, 4) == 0 || load_u64(octets + 8) == 0)
            a->bytes[0] = 0xff;
    }
}

static inline bool address_is_absent(const struct address *a)
{
    return (load_u64(a->bytes) | load_u64(a->bytes + 8)) == 0;
}

static inline bool address_is_ipv4(const struct address *a)
{
    static const uint8_t mapped[4] = {0, 0, 0xff, 0xff};
    return load_u64(a->bytes) == 0 && memcmp(a->bytes + 8, mapped, 4) == 0;
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return load_u64(a->bytes) == load_u64(b->bytes) && load_u64(a->bytes + 8) == load_u64(b->bytes + 8);
}

/* Keeps the first `length` bits of an address (0..32 for IPv4, 0..128 for IPv6), zeroes the rest. */
void address_mask(struct address *a, unsigned length);

/*
 * Text form (RFC 5952 for IPv6) without a NUL; returns its length. Absent gives nothing. `out` holds
 * address_text_max.
 */
size_t address_format(const struct address *a, char *out);

/* Reads an IPv4 or IPv6 address; the whole string must be one. False when it is none. */
bool address_parse(const char *text, struct address *a);

struct sockaddr;

/* From and to a socket address. An IPv4 peer of a dual-stack socket becomes IPv4. */
void address_from_socket(struct address *a, uint16_t *port, const struct sockaddr *from);
size_t address_to_socket(const struct address *a, uint16_t port, void *storage);

#endif
