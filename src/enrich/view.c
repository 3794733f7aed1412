/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrich/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "map/lists.h"
#include "map/networks.h"
#include "map/pre_tag.h"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool view_same(const struct settings *a, const struct settings *b)
{
    return same_text(a->pre_tag_map, b->pre_tag_map) && same_text(a->networks_file, b->networks_file) &&
           same_text(a->ports_file, b->ports_file) && same_text(a->protos_file, b->protos_file) &&
           same_text(a->tos_file, b->tos_file) && a->networks_file_filter == b->networks_file_filter &&
           a->networks_file_no_lpm == b->networks_file_no_lpm && a->networks_mask == b->networks_mask &&
           a->networks_no_mask_if_zero == b->networks_no_mask_if_zero && a->net_source == b->net_source &&
           settings_is_set(a, KEY_net_source) == settings_is_set(b, KEY_net_source) &&
           (a->tos_file == NULL || a->tos_encode_as_dscp == b->tos_encode_as_dscp);
}

static int open_map(struct map **map, struct maps *maps, enum map_kind kind, const char *path, struct error *error)
{
    if (path == NULL)
        return 0;
    *map = maps_open(maps, kind, path, error);
    return *map == NULL ? -1 : 0;
}

int view_init(struct view *view, const struct settings *plugin, const struct settings *core, enum daemon_mask daemon,
              const struct field_set *wants, struct maps *maps, struct field_set *needs, struct error *error)
{
    memset(view, 0, sizeof(*view));
    view->plugin = plugin;
    view->daemon = daemon;
    if (open_map(&view->pre_tag, maps, MAP_PRE_TAG, plugin->pre_tag_map, error) < 0 ||
        open_map(&view->networks_file, maps, MAP_NETWORKS, plugin->networks_file, error) < 0 ||
        open_map(&view->ports, maps, MAP_PORTS, plugin->ports_file, error) < 0 ||
        open_map(&view->protos, maps, MAP_PROTOS, plugin->protos_file, error) < 0 ||
        open_map(&view->tos, maps, MAP_TOS, plugin->tos_file, error) < 0)
        return -1;
    view->lists = view->ports != NULL || view->protos != NULL || view->tos != NULL;
    networks_rule_init(&view->networks, plugin, core, daemon, wants);
    view->has_networks = networks_rule_acts(&view->networks);
    if (view->has_networks)
        networks_needs(&view->networks, needs);
    if (view->pre_tag != NULL) { /* a map that is read again may ask for more than this one */
        pre_tag_map_fields(daemon, needs);
        if ((daemon & (DAEMON_PMACCTD | DAEMON_UACCTD)) == 0)
            flow_image_fields(needs);
    }
    return 0;
}

void view_save(const struct flow *flow, struct view_saved *saved)
{
    saved->have = flow->have;
    saved->src_host = flow->src_host;
    saved->dst_host = flow->dst_host;
    saved->src_net = flow->src_net;
    saved->dst_net = flow->dst_net;
    saved->peer_dst_ip = flow->peer_dst_ip;
    saved->label = flow->label;
    saved->tag = flow->tag;
    saved->tag2 = flow->tag2;
    saved->src_as = flow->src_as;
    saved->dst_as = flow->dst_as;
    saved->peer_src_as = flow->peer_src_as;
    saved->peer_dst_as = flow->peer_dst_as;
    saved->src_port = flow->src_port;
    saved->dst_port = flow->dst_port;
    saved->src_mask = flow->src_mask;
    saved->dst_mask = flow->dst_mask;
    saved->proto = flow->proto;
    saved->tos = flow->tos;
}

void view_restore(const struct view_saved *saved, struct flow *flow)
{
    flow->have = saved->have;
    flow->src_host = saved->src_host;
    flow->dst_host = saved->dst_host;
    flow->src_net = saved->src_net;
    flow->dst_net = saved->dst_net;
    flow->peer_dst_ip = saved->peer_dst_ip;
    flow->label = saved->label;
    flow->tag = saved->tag;
    flow->tag2 = saved->tag2;
    flow->src_as = saved->src_as;
    flow->dst_as = saved->dst_as;
    flow->peer_src_as = saved->peer_src_as;
    flow->peer_dst_as = saved->peer_dst_as;
    flow->src_port = saved->src_port;
    flow->dst_port = saved->dst_port;
    flow->src_mask = saved->src_mask;
    flow->dst_mask = saved->dst_mask;
    flow->proto = saved->proto;
    flow->tos = saved->tos;
}

bool view_trouble(const struct view *view, char *out, size_t size)
{
    const struct pre_tag_map *map = view->pre_tag != NULL ? view->pre_tag->current : NULL;
    const char *why = NULL;
    uint64_t cut = map != NULL ? pre_tag_map_labels_cut(map) : 0;
    uint64_t misfits = map != NULL ? pre_tag_map_misfits(map, &why) : 0;

    if (cut > 0)
        snprintf(out, size, "[%s] %" PRIu64 " labels had no room in a record", view->pre_tag->path, cut);
    else if (misfits > 0 && why != NULL)
        snprintf(out, size, "[%s] %" PRIu64 " records could not be asked: %s", view->pre_tag->path, misfits, why);
    return cut > 0 || (misfits > 0 && why != NULL);
}

void view_tag(const struct view *view, struct flow *flow, struct flow_image *image)
{
    if (view->pre_tag != NULL)
        pre_tag_map_run(view->pre_tag->current, flow, image);
}

static const void *object(const struct map *map)
{
    return map != NULL ? map->current : NULL;
}

void view_finish(const struct view *view, struct flow *flow)
{
    if (view->has_networks)
        networks_apply(&view->networks, object(view->networks_file), flow);
    if (view->lists)
        lists_apply(object(view->ports), object(view->protos), object(view->tos), view->plugin->tos_encode_as_dscp,
                    flow);
}
