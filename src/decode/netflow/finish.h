/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The finishing steps of decode/netflow: functions of finish_*.c that finish.c puts into one table, and what they
 * share. A step makes fields of a flow from the parts of a record. It runs once per record at most and takes nothing
 * from the heap. A field that is no constant of the set is absent until a step sets it.
 */
#ifndef DECODE_NETFLOW_FINISH_H
#define DECODE_NETFLOW_FINISH_H

#include "decode/netflow/private.h"

#define finish_labels_max 10     /* elements 70 to 79 */
#define finish_segments_max 16   /* of an SRv6 segment list, later ones are left out */
#define finish_text_bytes (finish_segments_max * (address_text_max + 1u))

struct finish {
    struct field_set constant; /* fields that finish_message has written, the same for all records of the set */
    struct field_set wants;    /* what plugins ask for: a step that gives several fields looks here */
    bool dropped;              /* a step has left this record out */
    struct flow packet;        /* what the section of a packet tells */
    struct flow forward;       /* the record as it was before it was handed on for the first time */
    char labels[finish_labels_max * 8];
    char segments[finish_text_bytes];
};

/* Fields that are in every record of the current set beside those of its template. */
static inline const struct field_set *finish_constant(const struct netflow *netflow)
{
    return &netflow->finish->constant;
}

/* Whether a step has left the record out, and counted it; asking takes the mark off. */
static inline bool finish_dropped(struct netflow *netflow)
{
    bool dropped = netflow->finish->dropped;

    netflow->finish->dropped = false;
    return dropped;
}

static inline bool finish_wants(const struct netflow *netflow, enum field_id id)
{
    return field_set_has(&netflow->finish->wants, id);
}

/* The address that rows show for the exporter: its own, or the one that its options data tell (it is behind NAT). */
static inline const struct address *finish_exporter_address(const struct netflow *netflow)
{
    const struct domain *domain = netflow->domain;
    bool told = !netflow->options.ignore_exporter_address && !address_is_absent(&domain->told);

    return told ? &domain->told : &domain->agent;
}

/* finish_address.c */
finish_fn finish_addresses, finish_masks, finish_translated, finish_next_hop, finish_ip_next_hop, finish_exporter;
/* finish_link.c */
finish_fn finish_interfaces, finish_direction, finish_vlan, finish_dscp, finish_forwarding, finish_delay;
/* finish_label.c */
finish_fn finish_labels, finish_segment, finish_tunnel_key, finish_segment_list;
/* finish_time.c */
finish_fn finish_times;
/* finish_sampling.c */
finish_fn finish_rate, finish_rate_without_parts;
/* finish_names.c */
finish_fn finish_interface_names, finish_interface_names_by_number, finish_vrf, finish_application;
/* finish_section.c */
finish_fn finish_section, finish_packet_length;
/* finish_two_way.c */
finish_fn finish_two_ways;

/* Whether a template counts both directions: by reverse elements, and with `responder` by those of firewalls, too. */
bool finish_is_two_way(const struct definition *definition, bool responder);

/*
 * For a template of two-way flows: adds to `wants` the opposite of each field in it, source for destination and so on,
 * of which the record of the reverse direction is made. Changes nothing for other templates.
 */
void finish_mirror(const struct netflow *netflow, const struct definition *definition, struct field_set *wants);

#endif
