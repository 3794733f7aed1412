/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters of packets (pcap-filter(7)) on flows: aggregate_filter, filter= in maps. A record that is a packet
 * (flow->frame) is looked at as it was captured, with the link that it came by; any other one as the frame that
 * flow/image.h makes of its fields.
 *
 * As on a wire, a packet with a VLAN tag or an MPLS label matches 'vlan and ...' or 'mpls and ...' only. But records of
 * NetFlow and IPFIX show as many of their VLANs as an expression speaks of: 'dst net ...' means them all, as it does in
 * pmacct's nfacctd, and 'vlan and vlan 7' has the inner one.
 */
#ifndef MAP_FLOW_FILTER_H
#define MAP_FLOW_FILTER_H

#include "base/error.h"
#include "flow/image.h"

struct flow_filter;

/* The caller frees it. NULL with a phrase when no packet can be asked so. Host names are resolved here, and block. */
struct flow_filter *flow_filter_new(const char *expression, struct error *error);
void flow_filter_free(struct flow_filter *filter);

/* The same without a filter to keep: 0, or -1 with the phrase. */
int flow_filter_check(const char *expression, struct error *error);

/*
 * Compiles for packets of this link (LINKTYPE_) now instead of when the first one comes, and says what is wrong: 0, or
 * -1 with a phrase. Then the filter can be used all the same and matches nothing of that link.
 */
int flow_filter_prepare(struct flow_filter *filter, uint16_t link, struct error *error);

/* `image` is that of this record, or is made here; the caller clears image->made before each record. One thread. */
bool flow_filter_match(struct flow_filter *filter, const struct flow *flow, struct flow_image *image);

/*
 * Records so far that could not be asked, and so did not match: the expression does not fit to their link. `phrase`
 * gets why (of the first such link), valid as long as the filter; NULL when there were none.
 */
uint64_t flow_filter_misfits(const struct flow_filter *filter, const char **phrase);

#endif
