/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrich/enrich.h"

#include "enrich/geoip.h"
#include "map/flow_to_rd.h"
#include "map/interface_names.h"
#include "map/sampling.h"

#define fields_max 4

static void override_rate(const struct enrich *enrich, struct flow *flow)
{
    flow_set_sampling_rate(flow, enrich->options.ext_sampling_rate);
}

static void look_up_rate(const struct enrich *enrich, struct flow *flow)
{
    uint32_t rate = sampling_map_rate(enrich->options.sampling_map->current, flow);

    if (rate != 0)
        flow_set_sampling_rate(flow, rate);
}

static void renormalize(const struct enrich *enrich, struct flow *flow)
{
    (void)enrich;
    if (!flow_has(flow, FIELD_SAMPLING_RATE) || flow->sampling_rate == 0)
        return;
    flow->packets = product_u64(flow->packets, flow->sampling_rate);
    flow->bytes = product_u64(flow->bytes, flow->sampling_rate);
    flow->sampling_rate = 1;
}

static void set_distinguisher(const struct enrich *enrich, struct flow *flow)
{
    flow_to_rd_map_run(enrich->options.flow_to_rd->current, flow);
}

static void name_interfaces(const struct enrich *enrich, struct flow *flow)
{
    interface_names_fill(enrich->options.interface_names->current, &enrich->wants, flow);
}

static void locate(const struct enrich *enrich, struct flow *flow)
{
    const struct map *as = enrich->options.geoip_as;

    geoip_fill(enrich->options.geoip != NULL ? enrich->options.geoip->current : NULL, as != NULL ? as->current : NULL,
               &enrich->wants, flow);
}

static void name_needs(enum daemon_mask daemon, struct field_set *wants)
{
    (void)daemon;
    interface_names_needs(wants);
}

static void place_needs(enum daemon_mask daemon, struct field_set *wants)
{
    (void)daemon;
    geoip_needs(wants);
}

/* A rate that nobody multiplies with, no plugin shows and nothing hangs on is not worth a step. */
static bool rate_matters(const struct enrich *enrich)
{
    return enrich->options.renormalize || enrich->options.drop_unknown_rate ||
           field_set_has(&enrich->wants, FIELD_SAMPLING_RATE);
}

static bool has_override(const struct enrich *enrich)
{
    return enrich->options.ext_sampling_rate != 0 && rate_matters(enrich);
}

static bool has_map(const struct enrich *enrich)
{
    return enrich->options.sampling_map != NULL && rate_matters(enrich);
}

static bool has_renormalize(const struct enrich *enrich)
{
    return enrich->options.renormalize;
}

static bool wants_distinguisher(const struct enrich *enrich)
{
    return enrich->options.flow_to_rd != NULL && field_set_has(&enrich->wants, FIELD_MPLS_VPN_RD);
}

static bool wants_interface_names(const struct enrich *enrich)
{
    return enrich->options.interface_names != NULL && (field_set_has(&enrich->wants, FIELD_IN_IFACE_NAME) ||
                                                       field_set_has(&enrich->wants, FIELD_OUT_IFACE_NAME));
}

static bool wants_place(const struct enrich *enrich)
{
    static const enum field_id places[] = {
        FIELD_SRC_HOST_COUNTRY, FIELD_DST_HOST_COUNTRY, FIELD_SRC_HOST_POCODE, FIELD_DST_HOST_POCODE,
        FIELD_SRC_HOST_LAT,     FIELD_SRC_HOST_LON,     FIELD_DST_HOST_LAT,    FIELD_DST_HOST_LON,
        FIELD_SRC_AS_NAME,      FIELD_DST_AS_NAME};
    bool any = false;

    for (unsigned i = 0; i < array_length(places); i++)
        any |= field_set_has(&enrich->wants, places[i]);
    return any && (enrich->options.geoip != NULL || enrich->options.geoip_as != NULL);
}

static const struct {
    bool (*demanded)(const struct enrich *enrich);
    void (*run)(const struct enrich *enrich, struct flow *flow);
    enum field_id needs[fields_max];
    unsigned need_count;
    void (*more_needs)(enum daemon_mask daemon, struct field_set *needs); /* or NULL */
} steps[] = { /* of two that give the same, the later one has the last word */
    {has_override, override_rate, {0}, 0, NULL},
    {has_map, look_up_rate, {FIELD_PEER_SRC_IP, FIELD_IN_IFACE, FIELD_OUT_IFACE}, 3, NULL},
    {has_renormalize, renormalize, {FIELD_SAMPLING_RATE}, 1, NULL},
    {wants_distinguisher, set_distinguisher, {0}, 0, flow_to_rd_map_fields},
    {wants_interface_names, name_interfaces, {0}, 0, name_needs},
    {wants_place, locate, {0}, 0, place_needs},
};

void enrich_init(struct enrich *enrich, const struct enrich_options *options, struct field_set *wants)
{
    enrich->options = *options;
    enrich->wants = *wants;
    enrich->count = 0;
    for (unsigned i = 0; i < array_length(steps); i++) {
        if (!steps[i].demanded(enrich))
            continue;
        for (unsigned n = 0; n < steps[i].need_count; n++)
            field_set_add(wants, steps[i].needs[n]);
        if (steps[i].more_needs != NULL)
            steps[i].more_needs(options->daemon, wants);
        enrich->steps[enrich->count++] = steps[i].run;
    }
}

bool enrich_tells_rate(const struct enrich *enrich, const struct flow *flow)
{
    const struct enrich_options *options = &enrich->options;

    if (options->ext_sampling_rate != 0)
        return true;
    return options->sampling_map != NULL && sampling_map_rate(options->sampling_map->current, flow) != 0;
}
