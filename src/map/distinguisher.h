/* SPDX-License-Identifier: BSD-2-Clause */
/* Route distinguishers in maps: TYPE:ADMINISTRATOR:NUMBER, of RFC 4364 section 4.2. */
#ifndef MAP_DISTINGUISHER_H
#define MAP_DISTINGUISHER_H

#include "base/error.h"

/*
 * 0:ASN:NUMBER (16 and 32 bits), 1:IPV4:NUMBER (32 and 16), 2:ASN:NUMBER (32 and 16), into the eight octets of the
 * RFC in host order, as fields have them. 0, or -1 with a phrase of what is expected.
 */
int distinguisher_parse(const char *text, uint64_t *distinguisher, struct error *error);

#endif
