/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What options records have taught of a domain: sampling, names, statistics. The look-ups that records need are in
 * private.h; here is what those want who show it.
 *
 * Two domains of one exporter may share: what an IPFIX exporter tells in observation domain 0 holds for its other
 * domains too (RFC 7011 section 3.1), and with disable_scope_check all domains of an exporter have one set of tables.
 */
#ifndef DECODE_NETFLOW_OPTIONS_H
#define DECODE_NETFLOW_OPTIONS_H

#include "decode/netflow/names.h"
#include "decode/netflow/private.h"
#include "decode/netflow/samplers.h"

/* Counters that an exporter tells of itself; RFC 7012 sections 5.3, 5.5. */
enum statistic_id {
    STATISTIC_EXPORTED_OCTETS,    /* 40 */
    STATISTIC_EXPORTED_MESSAGES,  /* 41 */
    STATISTIC_EXPORTED_RECORDS,   /* 42 */
    STATISTIC_OBSERVED_FLOWS,     /* 163 */
    STATISTIC_IGNORED_PACKETS,    /* 164 */
    STATISTIC_IGNORED_OCTETS,     /* 165 */
    STATISTIC_NOT_SENT_FLOWS,     /* 166 */
    STATISTIC_NOT_SENT_PACKETS,   /* 167 */
    STATISTIC_NOT_SENT_OCTETS,    /* 168 */
    STATISTIC_COUNT
};

extern const char *const statistic_names[STATISTIC_COUNT];

struct option_tables {
    unsigned references;        /* domains and tables that refer to it */
    struct option_tables *wide; /* of domain 0 of the same exporter, or NULL */
    struct name_memory memory;
    struct sampler_table samplers;
    struct name_table interfaces, vrfs, applications, elements;
    uint32_t statistics_have;   /* bit 1 << enum statistic_id */
    uint64_t statistics[STATISTIC_COUNT];
};

/* After a new domain is in netflow->domains: lets it share what its exporter has told in others. */
void options_domain_new(struct netflow *netflow, struct domain *domain);

/* The domain's tables, made and shared when it has none; NULL without memory. */
struct option_tables *options_tables_of(struct netflow *netflow, struct domain *domain);

/* The key of an element in `elements`. */
uint64_t options_element_key(uint64_t enterprise, uint64_t id);

/* What options records of RFC 5610 tell of an element: its name, of length 0 when not known, and enum element_type. */
struct span options_element(const struct domain *domain, uint32_t enterprise, unsigned id, unsigned *type);

/* Names that found no place, and samplers. */
uint64_t options_refused(const struct option_tables *tables);

#endif
