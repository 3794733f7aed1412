/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks, masks, AS numbers and next hops of a record: from the flow itself, from one mask for all (networks_mask),
 * or from a networks file. What comes from where is said by two keys, *_net for src_net, dst_net, src_mask, dst_mask
 * and peer_dst_ip, and *_as for src_as, dst_as, peer_src_as and peer_dst_as:
 *
 *   netflow, sflow  as the flow tells them; networks are its addresses under its masks
 *   mask            networks_mask, and no next hop
 *   file            the longest network of the file; 0 for addresses outside of it
 *   longest         of an address, the file if its network is as long as the flow's mask or longer, else the flow
 *
 * Unset is the flow; in pmacctd and uacctd, whose packets tell none of this, it is the file if there is one, or else
 * the mask. What else bears on it:
 *
 *   networks_file_filter      addresses outside of the file become 0, and their networks; with longest their masks, too
 *   networks_file_no_lpm      with longest, a network of the file wins also when it is the shorter one
 *   networks_no_mask_if_zero  where the mask is 0, the network is the address itself
 *
 * As with pmacct, an address outside of the file stands in a network of 0 bits for `longest`: a flow without a mask
 * is not longer, and gets AS number 0 and no next hop, unless networks_file_no_lpm is set.
 */
#ifndef ENRICH_NETWORKS_H
#define ENRICH_NETWORKS_H

#include "config/settings.h"
#include "flow/flow.h"
#include "map/networks.h"

enum networks_source { NETWORKS_FLOW, NETWORKS_MASK, NETWORKS_FILE, NETWORKS_LONGEST };

/* What there is to do for one end of a record. */
struct networks_tasks {
    bool any;
    bool look_up; /* in the file */
    bool filter;
    bool mask;    /* find out the mask, set it and the network */
    bool as;
    bool next_hop;
};

struct networks_rule {
    enum networks_source net, as;
    uint8_t mask; /* networks_mask, bits; 0 is none */
    bool has_file, filter, no_lpm, no_mask_if_zero;
    struct networks_tasks source, destination;
};

/* `wants` is what is asked of the records; *_as is a key of the core. */
void networks_rule_init(struct networks_rule *rule, const struct settings *plugin, const struct settings *core,
                        enum daemon_mask daemon, const struct field_set *wants);

/* Whether networks_apply does anything. */
static inline bool networks_rule_acts(const struct networks_rule *rule)
{
    return rule->source.any || rule->destination.any;
}

/* Adds what networks_apply needs of a record, beside what is asked of it. */
void networks_needs(const struct networks_rule *rule, struct field_set *needs);

/* `table` is that of the networks file, NULL without one. */
void networks_apply(const struct networks_rule *rule, const struct networks *table, struct flow *flow);

#endif
