/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A prefix: a network of either family, and what its owner wants to find with it.
 *
 * IPv4 stands in `net` as in every address. IPv6 stands there as on the wire, also ::, which is all zero here: there
 * is no absent prefix, and the mark that tells the address :: from an absent one (address.h) would make ::/8 and
 * ff00::/8 the same. The mark of mapped networks, ::ffff:0:0/96 and longer, stays. What a caller has marked comes to
 * this form by prefix_settle(); ff00:: of 96 bits and more is taken for a marked ::.
 */
#ifndef NET_PREFIX_H
#define NET_PREFIX_H

#include "base/error.h"
#include "net/address.h"

struct prefix {
    struct address net;
    uint8_t length; /* bits of its family: 0 to 32, or 0 to 128 */
    uint32_t value; /* of the owner; nothing here looks at it */
};

/* The bits of an address or a network from the left; IPv4 is in the upper 32. */
__extension__ typedef unsigned __int128 prefix_key;

enum prefix_family { PREFIX_ABSENT, PREFIX_IPV4, PREFIX_IPV6 };

/*
 * Reads "ADDRESS" or "ADDRESS/LENGTH", the whole text; without a length all bits count. Settled. 0, or -1 with a
 * phrase. `value` is left alone.
 */
int prefix_parse(const char *text, struct prefix *prefix, struct error *error);

/* Clears the bits behind the length and brings `net` to the form above. False when the length is too large. */
bool prefix_settle(struct prefix *prefix);

/* The longest length of the family of a network. */
static inline uint8_t prefix_bits(const struct address *net)
{
    return address_is_ipv4(net) ? 32 : 128;
}

static inline enum prefix_family prefix_key_of_address(const struct address *address, prefix_key *key)
{
    uint64_t high = host_be64(load_u64(address->bytes)), low = host_be64(load_u64(address->bytes + 8));

    if (high == 0 && low >> 32 == 0xffff) {
        *key = (prefix_key)low << 96;
        return PREFIX_IPV4;
    }
    if (unlikely(high == UINT64_C(0xff) << 56 && (low == 0 || low >> 32 == 0xffff)))
        *key = low;
    else
        *key = (prefix_key)high << 64 | low;
    return likely((high | low) != 0) ? PREFIX_IPV6 : PREFIX_ABSENT;
}

static inline enum prefix_family prefix_key_of_net(const struct address *net, prefix_key *key)
{
    enum prefix_family family = prefix_key_of_address(net, key);

    if (unlikely(*key == 0 && net->bytes[0] != 0)) /* ff00::, no mark */
        *key = (prefix_key)0xff << 120;
    return family == PREFIX_ABSENT ? PREFIX_IPV6 : family;
}

/* Whether the prefix, a settled one, holds the address. */
static inline bool prefix_holds(const struct prefix *prefix, enum prefix_family family, prefix_key key)
{
    prefix_key own;

    return prefix_key_of_net(&prefix->net, &own) == family &&
           (prefix->length == 0 || (own ^ key) >> (128 - prefix->length) == 0);
}

#endif
