/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling rates that options records tell, by what they hold for. A rate is a fraction, packets seen for each one
 * taken; whoever uses it rounds it, once.
 */
#ifndef DECODE_NETFLOW_SAMPLERS_H
#define DECODE_NETFLOW_SAMPLERS_H

#include "decode/netflow/names.h"

enum sampler_scope {
    SAMPLER_OF_ID,        /* element 48 */
    SAMPLER_OF_SELECTOR,  /* 302 */
    SAMPLER_OF_SEQUENCE,  /* 301: selectors in a chain */
    SAMPLER_OF_TEMPLATE,  /* 145 */
    SAMPLER_OF_INTERFACE, /* 10, 14, 252, 253 */
    SAMPLER_OF_LINE_CARD, /* 141 */
    SAMPLER_OF_DOMAIN,    /* the whole: id 0 */
    SAMPLER_SCOPES
};

extern const char *const sampler_scope_names[SAMPLER_SCOPES];

#define sampler_limit 1024
#define sampler_chain_max 4 /* selectors of a sequence */
#define sampling_rate_max 1e18 /* a larger one is this: the templates file takes no others */

struct sampler {
    double rate;          /* 0: known by name, the rate is not */
    uint64_t id;
    uint64_t observed, selected; /* of the last report, elements 318, 319 */
    uint64_t chain[sampler_chain_max]; /* SAMPLER_OF_SEQUENCE: its selectors */
    uint8_t scope;        /* enum sampler_scope */
    uint8_t chain_count;
    bool announced;       /* the rate was told, not computed from 318 and 319 */
    bool taken;
};

struct sampler_table {
    struct sampler *rows; /* open addressing; room is 0 or a power of two */
    unsigned room, count;
    unsigned scope_count[SAMPLER_SCOPES];
    unsigned last[SAMPLER_SCOPES]; /* place of the one told last */
    unsigned hit;                  /* place of the last one found */
    uint64_t refused;
};

/* What an options record or a data record says of a sampler; `have` has bit 1 << enum sampling_number. */
enum sampling_number {
    SAMPLING_INTERVAL,        /* 34 */
    SAMPLING_RANDOM_INTERVAL, /* 50 */
    SAMPLING_ALGORITHM,       /* 304 */
    SAMPLING_PACKET_INTERVAL, /* 305 */
    SAMPLING_PACKET_SPACE,    /* 306 */
    SAMPLING_TIME_INTERVAL,   /* 307 */
    SAMPLING_TIME_SPACE,      /* 308 */
    SAMPLING_SIZE,            /* 309 */
    SAMPLING_POPULATION,      /* 310 */
    SAMPLING_NUMBERS
};

struct sampling_told {
    uint32_t have;
    uint64_t number[SAMPLING_NUMBERS];
    double probability; /* 311; 0: not told */
};

/* The rate, 1 to sampling_rate_max; 0 when these numbers tell none. */
double sampling_rate_told(const struct sampling_told *told);

/* NULL when it is not known. */
struct sampler *sampler_find(struct sampler_table *table, enum sampler_scope scope, uint64_t id);
/* Finds or makes it, and makes it the last of its scope; NULL over the limit or without memory (counted). */
struct sampler *sampler_make(struct sampler_table *table, struct name_memory *memory, enum sampler_scope scope,
                             uint64_t id);
/* The last one told of a scope, or NULL. */
struct sampler *sampler_last(struct sampler_table *table, enum sampler_scope scope);
/* The rate of one; of a sequence the product of its selectors' rates, or what was reported of it. 0: not known. */
double sampler_rate(struct sampler_table *table, const struct sampler *sampler);
/* A report of packets seen and taken: gives a rate to a sampler that announced none. */
void sampler_report(struct sampler *sampler, uint64_t observed, uint64_t selected);
void samplers_free(struct sampler_table *table, struct name_memory *memory);

#endif
