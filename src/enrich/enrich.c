/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrich/enrich.h"

#define fields_max 4

static void override_rate(const struct enrich_options *options, struct flow *flow)
{
    flow_set_sampling_rate(flow, options->ext_sampling_rate);
}

static void look_up_rate(const struct enrich_options *options, struct flow *flow)
{
    uint32_t rate = sampling_map_rate(options->sampling_map, flow);

    if (rate != 0)
        flow_set_sampling_rate(flow, rate);
}

/* A product that passes 64 bits can only come from nonsense on the wire; it stays at the largest number. */
static uint64_t times(uint64_t value, uint64_t factor)
{
    uint64_t product;

    return __builtin_mul_overflow(value, factor, &product) ? UINT64_MAX : product;
}

static void renormalize(const struct enrich_options *options, struct flow *flow)
{
    (void)options;
    if (!flow_has(flow, FIELD_SAMPLING_RATE) || flow->sampling_rate == 0)
        return;
    flow->packets = times(flow->packets, flow->sampling_rate);
    flow->bytes = times(flow->bytes, flow->sampling_rate);
    flow->sampling_rate = 1;
}

static void source_network(const struct enrich_options *options, struct flow *flow)
{
    struct address net = flow->src_host;

    (void)options;
    if (!flow_has(flow, FIELD_SRC_HOST) || !flow_has(flow, FIELD_SRC_MASK))
        return;
    address_mask(&net, flow->src_mask);
    flow_set_src_net(flow, net);
}

static void destination_network(const struct enrich_options *options, struct flow *flow)
{
    struct address net = flow->dst_host;

    (void)options;
    if (!flow_has(flow, FIELD_DST_HOST) || !flow_has(flow, FIELD_DST_MASK))
        return;
    address_mask(&net, flow->dst_mask);
    flow_set_dst_net(flow, net);
}

/* A rate that nobody multiplies with, no plugin shows and nothing hangs on is not worth a step. */
static bool rate_matters(const struct enrich_options *options, const struct field_set *wants)
{
    return options->renormalize || options->drop_unknown_rate || field_set_has(wants, FIELD_SAMPLING_RATE);
}

static bool has_override(const struct enrich_options *options, const struct field_set *wants)
{
    return options->ext_sampling_rate != 0 && rate_matters(options, wants);
}

static bool has_map(const struct enrich_options *options, const struct field_set *wants)
{
    return options->sampling_map != NULL && rate_matters(options, wants);
}

static bool has_renormalize(const struct enrich_options *options, const struct field_set *wants)
{
    (void)wants;
    return options->renormalize;
}

static const struct {
    enum field_id gives;
    enum field_id needs[fields_max];
    unsigned need_count;
    /* NULL: run when `gives` is wanted */
    bool (*demanded)(const struct enrich_options *options, const struct field_set *wants);
    void (*run)(const struct enrich_options *options, struct flow *flow);
} steps[] = { /* of two that give the same, the later one has the last word */
    {FIELD_SAMPLING_RATE, {0}, 0, has_override, override_rate},
    {FIELD_SAMPLING_RATE, {FIELD_PEER_SRC_IP, FIELD_IN_IFACE, FIELD_OUT_IFACE}, 3, has_map, look_up_rate},
    {FIELD_PACKETS, {FIELD_SAMPLING_RATE}, 1, has_renormalize, renormalize},
    {FIELD_SRC_NET, {FIELD_SRC_HOST, FIELD_SRC_MASK}, 2, NULL, source_network},
    {FIELD_DST_NET, {FIELD_DST_HOST, FIELD_DST_MASK}, 2, NULL, destination_network},
};

void enrich_init(struct enrich *enrich, const struct enrich_options *options, struct field_set *wants)
{
    enrich->options = *options;
    enrich->count = 0;
    for (unsigned i = 0; i < array_length(steps); i++) {
        bool chosen = steps[i].demanded != NULL ? steps[i].demanded(options, wants)
                                                : field_set_has(wants, steps[i].gives);

        if (!chosen)
            continue;
        for (unsigned n = 0; n < steps[i].need_count; n++)
            field_set_add(wants, steps[i].needs[n]);
        enrich->steps[enrich->count++] = steps[i].run;
    }
}

bool enrich_tells_rate(const struct enrich *enrich, const struct flow *flow)
{
    const struct enrich_options *options = &enrich->options;

    if (options->ext_sampling_rate != 0)
        return true;
    return options->sampling_map != NULL && sampling_map_rate(options->sampling_map, flow) != 0;
}
