/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a row of a map can ask of a record: any field of fields.def by its number, or one of the subjects here, which
 * are made of traits and fields. A subject is a number or an address, and a record either tells it or does not.
 */
#ifndef MAP_SUBJECT_H
#define MAP_SUBJECT_H

#include "flow/flow.h"

enum subject {
    SUBJECT_SET_ID = FIELD_COUNT, /* of the data set, NetFlow v9 and IPFIX */
    SUBJECT_ENGINE_TYPE,          /* of the header, NetFlow v5, v6 and v8 */
    SUBJECT_SAMPLE_TYPE,          /* sFlow: enterprise << 12 | format */
    SUBJECT_SORT,                 /* enum subject_sort */
    SUBJECT_KIND,                 /* enum subject_kind */
    SUBJECT_TWO_WAY,              /* the record has counters of both directions: 0 or 1 */
    SUBJECT_HAS_NAT_EVENT,        /* element 230 is there: 0 or 1 */
    SUBJECT_HAS_FW_EVENT,         /* element 233 is there: 0 or 1 */
    SUBJECT_MULTICAST,            /* the destination MAC is a group: 0 or 1 */
    SUBJECT_DIRECTION,            /* 0 ingress, 1 egress; not told where it is not known */
    SUBJECT_COUNT,
    SUBJECT_NONE = SUBJECT_COUNT
};

enum subject_sort { SUBJECT_SORT_FLOW, SUBJECT_SORT_EVENT, SUBJECT_SORT_OPTION };

/* Of flows; of events and option data: other. */
enum subject_kind {
    SUBJECT_KIND_OTHER,
    SUBJECT_KIND_IPV4,
    SUBJECT_KIND_IPV6,
    SUBJECT_KIND_MPLS_IPV4,
    SUBJECT_KIND_MPLS_IPV6
};

/* Whether it is an address; else it is a number of so many bits, 1 to 64. A text (communities) is neither: 0 bits. */
bool subject_is_address(unsigned subject);
unsigned subject_bits(unsigned subject);

/* Adds the fields of which it is made. */
void subject_fields(unsigned subject, struct field_set *fields);

/* Whether records of the daemon ever tell it. */
bool subject_is_known(unsigned subject, enum daemon_mask daemon);

/* False when the record does not tell it; the result is then untouched. */
bool subject_number(unsigned subject, const struct flow *flow, uint64_t *number);
bool subject_address(unsigned subject, const struct flow *flow, struct address *address);
bool subject_text(unsigned subject, const struct flow *flow, struct span *text);

#endif
