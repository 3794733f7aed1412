/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Longest-prefix match over a set of prefixes of both families that never changes once it is built. An IPv4 address
 * meets IPv4 prefixes only, and so for IPv6: 0.0.0.0/0 and ::/0 are two prefixes. An absent address meets none.
 *
 * The prefixes are numbered from 0 in the order of family (IPv4 first), address and length, so that a prefix comes
 * after all that hold it. What else is known of a prefix, its owner keeps in an array of its own and reaches by
 * `value`.
 */
#ifndef NET_PREFIXES_H
#define NET_PREFIXES_H

#include "net/prefix.h"

struct prefixes_index; /* of one family, see prefixes_index.h */

/* Members are for reading, by the functions below. */
struct prefixes {
    struct prefix *rows; /* settled (prefix.h), sorted, each prefix once */
    uint32_t *parents;
    uint32_t count;
    struct prefixes_index *ipv4, *ipv6; /* NULL: none of this family */
};

#define prefixes_none UINT32_MAX /* the number of no prefix */
#define prefixes_max (UINT32_C(1) << 26) /* as many prefixes at most */

/*
 * Copies `count` prefixes (also none at all) and indexes them; those that came in are left as they are. Of
 * equal prefixes the first stays. The caller frees the result. NULL with a phrase when there are too many, when a
 * length is too large, or when memory is short.
 */
struct prefixes *prefixes_build(const struct prefix *given, uint32_t count, struct error *error);
void prefixes_free(struct prefixes *prefixes);

/* The number of the longest prefix that holds the address; prefixes_none when none does. */
uint32_t prefixes_find(const struct prefixes *prefixes, const struct address *address);

/*
 * A set that is asked for values only, each below prefixes_value_max: prefixes_find_value gives that of the longest
 * prefix, or prefixes_none, without a look at the row. Of such a set prefixes_find and prefixes_exact mean nothing.
 */
#define prefixes_value_max ((UINT32_C(1) << 30) - 1)
struct prefixes *prefixes_build_values(const struct prefix *given, uint32_t count, struct error *error);
uint32_t prefixes_find_value(const struct prefixes *prefixes, const struct address *address);

/* The number of exactly this prefix (masked or not); prefixes_none when it is not there. */
uint32_t prefixes_exact(const struct prefixes *prefixes, const struct address *net, uint8_t length);

static inline uint32_t prefixes_count(const struct prefixes *prefixes)
{
    return prefixes->count;
}

/* `number` is less than the count. Valid until prefixes_free. */
static inline const struct prefix *prefixes_row(const struct prefixes *prefixes, uint32_t number)
{
    return &prefixes->rows[number];
}

/* The number of the next shorter prefix that holds this one; prefixes_none when it is not held by any. */
static inline uint32_t prefixes_parent(const struct prefixes *prefixes, uint32_t number)
{
    return prefixes->parents[number];
}

/* Bytes of memory that it takes. */
size_t prefixes_bytes(const struct prefixes *prefixes);

#endif
