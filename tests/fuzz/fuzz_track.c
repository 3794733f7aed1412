/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as packets of few hosts and leaps of the clock, in a small table: an entry is that of its conversation and
 * counts its packets, and what an owner keeps in it is released exactly once. Four bytes make a step: what and which
 * TCP flags, which hosts, which ports and protocol, how much later.
 */
#include "decode/capture/track.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define steps_max 16384

struct owner {
    bool set, released;
    struct address ends[2]; /* of the first packet */
    uint16_t ports[2];
    uint8_t proto;
    uint64_t packets;
};

struct world {
    struct track *track;
    struct owner owners[steps_max];
    unsigned count;
    uint64_t released;
};

static void on_release(void *context, void *const owners[2])
{
    struct world *world = context;
    struct owner *owner = owners[0];

    if (!owner->set || owner->released || owners[1] != (void *)world)
        abort();
    owner->released = true;
    world->released++;
}

static void make_flow(struct flow *flow, const uint8_t *octets)
{
    uint8_t source[16] = {0xfd}, destination[16] = {0xfd};

    flow_clear(flow);
    source[15] = octets[1] & 15;
    destination[15] = octets[1] >> 4;
    address_set_ipv6(&flow->src_host, source);
    address_set_ipv6(&flow->dst_host, destination);
    flow_set_src_host(flow, flow->src_host);
    flow_set_dst_host(flow, flow->dst_host);
    flow_set_src_port(flow, octets[2] & 7);
    flow_set_dst_port(flow, octets[2] >> 3 & 7);
    flow_set_proto(flow, octets[2] & 0x80 ? 6 : 17);
    if (octets[2] & 0x80)
        flow_set_tcpflags(flow, octets[0] >> 2);
}

static bool goes(const struct owner *owner, const struct flow *flow, bool backwards)
{
    return owner->proto == flow->proto && address_equal(&owner->ends[backwards], &flow->src_host) &&
           address_equal(&owner->ends[!backwards], &flow->dst_host) && owner->ports[backwards] == flow->src_port &&
           owner->ports[!backwards] == flow->dst_port;
}

static void hit_entry(struct world *world, const struct flow *flow, int64_t now_ns)
{
    struct track_hit hit = track_packet(world->track, flow, now_ns);
    struct owner *owner = hit.entry->owners[0];

    if (owner == NULL) {
        if (!hit.begins || hit.backwards || hit.entry->packets != 1 || hit.entry->first_ns != now_ns)
            abort();
        owner = &world->owners[world->count++];
        *owner = (struct owner){.set = true, .ends = {flow->src_host, flow->dst_host},
                                .ports = {flow->src_port, flow->dst_port}, .proto = flow->proto};
        hit.entry->owners[0] = owner;
        hit.entry->owners[1] = world;
    }
    if (owner->released || !goes(owner, flow, hit.backwards) || hit.entry->packets != ++owner->packets ||
        hit.entry->last_ns < hit.entry->first_ns)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *world = calloc(1, sizeof(*world));
    struct flow *flow = calloc(1, sizeof(*flow));
    struct track_options options = {.bytes = 65536, .lifetime_ns = INT64_C(10000000000),
                                    .tcp_lifetime_ns = INT64_C(30000000000), .release = on_release, .context = world};
    int64_t now_ns = 0;

    if (world == NULL || flow == NULL || (world->track = track_new(&options, NULL)) == NULL)
        abort();
    for (unsigned steps = 0; size >= 4 && steps < steps_max; data += 4, size -= 4, steps++) {
        now_ns = (int64_t)((uint64_t)now_ns + data[3] * UINT64_C(20000000));
        if ((data[0] & 3) == 3 && data[1] == 0)
            now_ns = (int64_t)((uint64_t)now_ns + ((uint64_t)data[2] << 56)); /* a leap, back or forth */
        else if ((data[0] & 3) == 3 && data[1] == 1)
            track_tick(world->track, now_ns);
        else {
            make_flow(flow, data);
            hit_entry(world, flow, now_ns);
        }
        if (track_counts(world->track).flows != world->count - world->released)
            abort();
    }
    track_free(world->track);
    if (world->released != world->count)
        abort();
    free(flow);
    free(world);
    return 0;
}
