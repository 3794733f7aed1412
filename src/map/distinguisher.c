/* SPDX-License-Identifier: BSD-2-Clause */
/* The three types of a route distinguisher differ in what administers it, and in how many octets that has. */
#include "map/distinguisher.h"

#include <stdio.h>

#include "base/rows.h"
#include "net/address.h"

enum { TYPE_AS, TYPE_IPV4, TYPE_AS4, TYPE_COUNT };

#define longest 48 /* more than any distinguisher */

static bool read_administrator(const char *text, uint64_t type, uint64_t *number)
{
    struct address address;

    if (type != TYPE_IPV4)
        return rows_number(text, type == TYPE_AS ? UINT16_MAX : UINT32_MAX, number);
    if (!address_parse(text, &address) || !address_is_ipv4(&address))
        return false;
    *number = host_be32(load_u32(address.bytes + 12));
    return true;
}

int distinguisher_parse(const char *text, uint64_t *distinguisher, struct error *error)
{
    uint64_t type, administrator, number;
    char copy[longest], *middle, *last;
    bool good;

    snprintf(copy, sizeof(copy), "%s", text);
    middle = strchr(copy, ':');
    last = strrchr(copy, ':');
    if (strlen(text) >= sizeof(copy) || middle == NULL || last == middle)
        return error_set(error, "expected TYPE:ADMINISTRATOR:NUMBER");
    *middle++ = '\0';
    *last++ = '\0';
    if (!rows_number(copy, TYPE_COUNT - 1, &type))
        return error_set(error, "expected the type 0 (AS), 1 (IPv4 address) or 2 (AS of 32 bits)");
    good = read_administrator(middle, type, &administrator) &&
           rows_number(last, type == TYPE_AS ? UINT32_MAX : UINT16_MAX, &number);
    if (!good)
        return error_set(error, type == TYPE_AS     ? "expected 0:AS:NUMBER with an AS up to 65535"
                                : type == TYPE_IPV4 ? "expected 1:IPV4:NUMBER with a number up to 65535"
                                                    : "expected 2:AS:NUMBER with a number up to 65535");
    *distinguisher = type << 48 | administrator << (type == TYPE_AS ? 32 : 16) | number;
    return 0;
}
