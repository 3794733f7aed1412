/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters in the language of tcpdump (pcap-filter(7)), compiled and run by libpcap. A filter belongs to one link type:
 * the same expression looks at other bytes of an Ethernet frame than of a plain IP packet.
 *
 * Names of hosts and networks in an expression are resolved when it is compiled, which may take the resolver's time.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "base/error.h"

struct filter;

#define filter_link_ethernet 1
#define filter_expression_max 4096 /* bytes; libpcap's time grows with the square of it */

/*
 * `link` is a number of libpcap's registry (LINKTYPE_), as in struct frame. The caller frees the filter. NULL with a
 * phrase when libpcap does not take the expression, or finds that no packet of this link can match it. Filters know
 * nothing of each other and may be made and used in several threads.
 */
struct filter *filter_new(const char *expression, uint16_t link, struct error *error);
void filter_free(struct filter *filter);

/* Whether libpcap can read the expression for this link at all, also when it is one that no packet can match. */
bool filter_is_readable(const char *expression, uint16_t link);

/*
 * Whether a packet matches: `captured` bytes of it are there, `length` it had. An expression that asks for bytes which
 * were not captured does not match.
 */
bool filter_match(const struct filter *filter, const uint8_t *bytes, uint32_t captured, uint32_t length);

#endif
