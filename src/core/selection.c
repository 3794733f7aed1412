/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/selection.h"

#include <stdlib.h>

#include "base/time.h"
#include "map/flow_filter.h"
#include "map/tag_filter.h"

#define packet_daemons (DAEMON_PMACCTD | DAEMON_UACCTD)

struct selection {
    struct tag_filter *tag, *tag2;
    struct label_filter *label;
    struct flow_filter *packet;
    uint32_t rate;      /* 0: all */
    uint64_t skip;      /* records to pass over before the next one is taken */
    uint64_t random;    /* state of the generator */
    bool needs_image;   /* records are no packets: the filter looks at fields */
};

/* xorshift64*: which packets are taken must not follow a pattern in the traffic; nothing secret hangs on it. */
static uint64_t next_random(struct selection *selection)
{
    uint64_t x = selection->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    selection->random = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* From 0 to 2 * (rate - 1), all alike: the mean distance of two taken ones is the rate (RFC 5475 section 5.2.2). */
static void draw_skip(struct selection *selection)
{
    selection->skip = next_random(selection) % (2 * (uint64_t)selection->rate - 1);
}

static int open_filters(struct selection *selection, const struct settings *plugin, struct error *error)
{
    if (plugin->pre_tag_filter != NULL &&
        (selection->tag = tag_filter_new(plugin->pre_tag_filter, error)) == NULL)
        return error_wrap(error, "pre_tag_filter of plugin '%s'", plugin->name);
    if (plugin->pre_tag2_filter != NULL &&
        (selection->tag2 = tag_filter_new(plugin->pre_tag2_filter, error)) == NULL)
        return error_wrap(error, "pre_tag2_filter of plugin '%s'", plugin->name);
    if (plugin->pre_tag_label_filter != NULL &&
        (selection->label = label_filter_new(plugin->pre_tag_label_filter, error)) == NULL)
        return error_wrap(error, "pre_tag_label_filter of plugin '%s'", plugin->name);
    if (plugin->aggregate_filter != NULL &&
        (selection->packet = flow_filter_new(plugin->aggregate_filter, error)) == NULL)
        return error_wrap(error, "aggregate_filter of plugin '%s'", plugin->name);
    return 0;
}

int selection_new(struct selection **out, const struct settings *plugin, enum daemon_mask daemon, struct error *error)
{
    uint64_t rate = (daemon & packet_daemons) != 0 && plugin->sampling_rate > 1 ? plugin->sampling_rate : 0;
    struct selection *selection;

    *out = NULL;
    if (plugin->pre_tag_filter == NULL && plugin->pre_tag2_filter == NULL && plugin->pre_tag_label_filter == NULL &&
        plugin->aggregate_filter == NULL && rate == 0)
        return 0;
    selection = calloc(1, sizeof(*selection));
    if (selection == NULL)
        return error_set(error, "out of memory");
    selection->rate = (uint32_t)rate;
    selection->random = (uint64_t)time_wall_ns() | 1;
    selection->needs_image = (daemon & packet_daemons) == 0;
    if (rate != 0)
        draw_skip(selection);
    if (open_filters(selection, plugin, error) < 0) {
        selection_free(selection);
        return -1;
    }
    *out = selection;
    return 0;
}

int selection_check(const struct settings *plugin, struct error *error)
{
    static const struct {
        enum key_id key;
        size_t offset; /* of the text in struct settings */
        int (*check)(const char *text, struct error *error);
    } filters[] = {
        {KEY_pre_tag_filter, offsetof(struct settings, pre_tag_filter), tag_filter_check},
        {KEY_pre_tag2_filter, offsetof(struct settings, pre_tag2_filter), tag_filter_check},
        {KEY_pre_tag_label_filter, offsetof(struct settings, pre_tag_label_filter), label_filter_check},
        {KEY_aggregate_filter, offsetof(struct settings, aggregate_filter), flow_filter_check},
    };

    for (unsigned i = 0; i < array_length(filters); i++) {
        const char *text = *(const char *const *)((const char *)plugin + filters[i].offset);

        if (text != NULL && filters[i].check(text, error) < 0)
            return (int)filters[i].key;
    }
    return -1;
}

void selection_free(struct selection *selection)
{
    if (selection == NULL)
        return;
    tag_filter_free(selection->tag);
    tag_filter_free(selection->tag2);
    label_filter_free(selection->label);
    flow_filter_free(selection->packet);
    free(selection);
}

static bool filters_pass(struct selection *selection, const struct flow *flow, struct flow_image *image)
{
    static const struct span no_label = {"", 0};

    if (selection->tag != NULL && !tag_filter_match(selection->tag, flow_has(flow, FIELD_TAG) ? flow->tag : 0))
        return false;
    if (selection->tag2 != NULL && !tag_filter_match(selection->tag2, flow_has(flow, FIELD_TAG2) ? flow->tag2 : 0))
        return false;
    if (selection->label != NULL &&
        !label_filter_match(selection->label, flow_has(flow, FIELD_LABEL) ? &flow->label : &no_label))
        return false;
    return selection->packet == NULL || flow_filter_match(selection->packet, flow, image);
}

enum selection_verdict selection_ask(struct selection *selection, const struct flow *flow, struct flow_image *image)
{
    if (!filters_pass(selection, flow, image))
        return SELECTION_FILTERED;
    if (selection->rate == 0)
        return SELECTION_TAKEN;
    if (selection->skip > 0) {
        selection->skip--;
        return SELECTION_SAMPLED_OUT;
    }
    draw_skip(selection);
    return SELECTION_TAKEN;
}

const char *selection_notice(const struct selection *selection, unsigned number)
{
    const char *notices[3];
    unsigned count = 0;

    if (selection == NULL)
        return NULL;
    if (selection->tag != NULL && (notices[count] = tag_filter_notice(selection->tag)) != NULL)
        count++;
    if (selection->tag2 != NULL && (notices[count] = tag_filter_notice(selection->tag2)) != NULL)
        count++;
    if (selection->label != NULL && (notices[count] = label_filter_notice(selection->label)) != NULL)
        count++;
    return number < count ? notices[number] : NULL;
}

uint64_t selection_misfits(const struct selection *selection, const char **phrase)
{
    *phrase = NULL;
    return selection != NULL && selection->packet != NULL ? flow_filter_misfits(selection->packet, phrase) : 0;
}

uint32_t selection_rate(const struct selection *selection)
{
    return selection != NULL ? selection->rate : 0;
}

void selection_needs(const struct selection *selection, struct field_set *needs)
{
    if (selection == NULL)
        return;
    if (selection->tag != NULL) /* tags may come with the record, too */
        field_set_add(needs, FIELD_TAG);
    if (selection->tag2 != NULL)
        field_set_add(needs, FIELD_TAG2);
    if (selection->label != NULL)
        field_set_add(needs, FIELD_LABEL);
    if (selection->packet != NULL && selection->needs_image)
        flow_image_fields(needs);
}
