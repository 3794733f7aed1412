/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is added to a record between the decoder and the plugins. Each step is a row {needs, gives, run}; only the
 * steps whose result some plugin asks for (or that the settings demand) are run, in the order of the table, once per
 * record for all plugins, so that no two plugins can see different numbers.
 *
 * The sampling rate is that of the sampling map, if a row of it fits; or else ext_sampling_rate, if it is set; or else
 * what the exporter told. The operator's word is above the exporter's, and the nearer word above the general one.
 */
#ifndef ENRICH_ENRICH_H
#define ENRICH_ENRICH_H

#include "enrich/maps.h"
#include "flow/flow.h"

struct enrich_options {
    enum daemon_mask daemon;
    bool renormalize;            /* packets and bytes times the sampling rate, which then reads 1 */
    uint32_t ext_sampling_rate;  /* overrides what the exporter says; 0 is off */
    bool drop_unknown_rate;      /* the decoder asks enrich_tells_rate, and drops what has no rate at all */
    /* Each may be NULL; borrowed, and read again under our eyes. */
    struct map *sampling_map;    /* overrides both where a row of it fits */
    struct map *flow_to_rd;
    struct map *interface_names;
    struct map *geoip, *geoip_as;
};

#define enrich_steps_max 16

struct enrich {
    struct enrich_options options;
    struct field_set wants;      /* what plugins ask for, and what steps and maps need */
    unsigned count;
    void (*steps[enrich_steps_max])(const struct enrich *enrich, struct flow *flow);
};

/* Chooses the steps for what the plugins want; *wants grows by what the chosen steps need from the decoder. */
void enrich_init(struct enrich *enrich, const struct enrich_options *options, struct field_set *wants);

/*
 * Whether the operator has told the rate of a record, so that it matters nothing what its exporter has not told. The
 * record needs the fields that enrich_init asked for.
 */
bool enrich_tells_rate(const struct enrich *enrich, const struct flow *flow);

static inline void enrich_flow(const struct enrich *enrich, struct flow *flow)
{
    for (unsigned i = 0; i < enrich->count; i++)
        enrich->steps[i](enrich, flow);
}

#endif
