/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the settings of a plugin make of a record, after the steps that hold for the whole daemon (enrich.h): tags by
 * its pre_tag_map, then, for a record that its filters let through, networks, masks and AS numbers by its networks
 * file, and its lists of ports, protocols and ToS. Plugins with the same such settings share a view, so that the work
 * is done once; a record is put back to what it was before the next view.
 */
#ifndef ENRICH_VIEW_H
#define ENRICH_VIEW_H

#include "config/settings.h"
#include "enrich/maps.h"
#include "enrich/networks.h"
#include "flow/image.h"

struct view {
    const struct settings *plugin; /* whose settings these are, the first one's */
    enum daemon_mask daemon;
    struct map *pre_tag, *networks_file, *ports, *protos, *tos; /* or NULL */
    struct networks_rule networks;
    bool has_networks;
    bool lists;
};

/* Whether two plugins can share one. */
bool view_same(const struct settings *a, const struct settings *b);

/*
 * The maps are read, or found in `maps`. `wants` is what the plugins of this view ask for; *needs grows by what the
 * decoder must find out for it. Returns 0, or -1 with a phrase.
 */
int view_init(struct view *view, const struct settings *plugin, const struct settings *core, enum daemon_mask daemon,
              const struct field_set *wants, struct maps *maps, struct field_set *needs, struct error *error);

/* Nothing to do: no record is changed. */
static inline bool view_is_empty(const struct view *view)
{
    return view->pre_tag == NULL && !view->has_networks && !view->lists;
}

/* What a view may change in a record. */
struct view_saved {
    struct field_set have;
    struct address src_host, dst_host, src_net, dst_net, peer_dst_ip;
    struct span label;
    uint64_t tag, tag2;
    uint32_t src_as, dst_as, peer_src_as, peer_dst_as;
    uint16_t src_port, dst_port;
    uint8_t src_mask, dst_mask, proto, tos;
};

void view_save(const struct flow *flow, struct view_saved *saved);
void view_restore(const struct view_saved *saved, struct flow *flow);

/* What its pre_tag_map could not do for records so far, one phrase into `out`; false: nothing. */
bool view_trouble(const struct view *view, char *out, size_t size);

/* `image` is that of this record, made when a filter first needs it. */
void view_tag(const struct view *view, struct flow *flow, struct flow_image *image);
void view_finish(const struct view *view, struct flow *flow);

#endif
