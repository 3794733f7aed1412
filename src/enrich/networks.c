/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a record are treated alike, through a table of where their fields are. First the mask is settled, then
 * AS numbers and next hop follow the same comparison with the mask that has come out, which is how pmacct does it: so
 * they may come from the flow though the network comes from the file, but not the other way around.
 */
#include "enrich/networks.h"

/* Where the fields of one end are. */
struct end {
    enum field_id host, net, mask, as, peer_as;
    uint16_t host_at, net_at, mask_at, as_at, peer_as_at; /* in struct flow */
};

#define END(side, upper)                                                                                          \
    {FIELD_##upper##_HOST, FIELD_##upper##_NET, FIELD_##upper##_MASK, FIELD_##upper##_AS, FIELD_PEER_##upper##_AS, \
     offsetof(struct flow, side##_host), offsetof(struct flow, side##_net), offsetof(struct flow, side##_mask),    \
     offsetof(struct flow, side##_as), offsetof(struct flow, peer_##side##_as)}

static const struct end source_end = END(src, SRC), destination_end = END(dst, DST);

/* -- the rule -- */

/* In the order of the words of the keys (config/keys_global.def, keys_plugin.def). */
static const enum networks_source as_words[] = {
    NETWORKS_FLOW, NETWORKS_FLOW, NETWORKS_FLOW, NETWORKS_FILE, NETWORKS_FILE, NETWORKS_LONGEST, NETWORKS_LONGEST,
};
static const enum networks_source net_words[] = {
    NETWORKS_FLOW, NETWORKS_FLOW, NETWORKS_MASK, NETWORKS_FILE, NETWORKS_LONGEST, NETWORKS_LONGEST,
};

static void choose_tasks(const struct networks_rule *rule, const struct end *end, const struct field_set *wants,
                         struct networks_tasks *tasks)
{
    bool net = field_set_has(wants, end->net), as = field_set_has(wants, end->as) || field_set_has(wants, end->peer_as);

    tasks->filter = rule->filter && rule->has_file && (net || field_set_has(wants, end->host));
    tasks->as = as && rule->as != NETWORKS_FLOW;
    tasks->next_hop = end->host == FIELD_DST_HOST && rule->net != NETWORKS_FLOW &&
                      field_set_has(wants, FIELD_PEER_DST_IP);
    tasks->mask = net || (field_set_has(wants, end->mask) && rule->net != NETWORKS_FLOW) ||
                  (tasks->as && rule->as == NETWORKS_LONGEST) || (tasks->next_hop && rule->net == NETWORKS_LONGEST);
    tasks->look_up = rule->has_file &&
                     (tasks->filter || tasks->as || tasks->next_hop || (tasks->mask && rule->net >= NETWORKS_FILE));
    tasks->any = tasks->filter || tasks->as || tasks->next_hop || tasks->mask;
}

void networks_rule_init(struct networks_rule *rule, const struct settings *plugin, const struct settings *core,
                        enum daemon_mask daemon, const struct field_set *wants)
{
    bool packets = (daemon & (DAEMON_PMACCTD | DAEMON_UACCTD)) != 0;

    *rule = (struct networks_rule){
        .mask = (uint8_t)plugin->networks_mask,
        .has_file = plugin->networks_file != NULL,
        .filter = plugin->networks_file_filter,
        .no_lpm = plugin->networks_file_no_lpm,
        .no_mask_if_zero = plugin->networks_no_mask_if_zero,
    };
    if (settings_is_set(core, KEY_as_source) && (size_t)core->as_source < array_length(as_words))
        rule->as = as_words[core->as_source];
    if (settings_is_set(plugin, KEY_net_source) && (size_t)plugin->net_source < array_length(net_words))
        rule->net = net_words[plugin->net_source];
    else if (packets && rule->has_file)
        rule->net = NETWORKS_FILE;
    else if (packets && rule->mask > 0)
        rule->net = NETWORKS_MASK;
    /* Without a file nothing competes with the flow. */
    if (!rule->has_file && rule->as == NETWORKS_LONGEST)
        rule->as = NETWORKS_FLOW;
    if (!rule->has_file && rule->net == NETWORKS_LONGEST)
        rule->net = NETWORKS_FLOW;
    choose_tasks(rule, &source_end, wants, &rule->source);
    choose_tasks(rule, &destination_end, wants, &rule->destination);
}

void networks_needs(const struct networks_rule *rule, struct field_set *needs)
{
    const struct end *const ends[] = {&source_end, &destination_end};
    const struct networks_tasks *const tasks[] = {&rule->source, &rule->destination};

    for (unsigned i = 0; i < array_length(ends); i++) {
        if (tasks[i]->any)
            field_set_add(needs, ends[i]->host);
        if (tasks[i]->mask && (rule->net == NETWORKS_FLOW || rule->net == NETWORKS_LONGEST))
            field_set_add(needs, ends[i]->mask);
    }
}

/* -- a record -- */

static void *at(struct flow *flow, uint16_t offset)
{
    return (uint8_t *)flow + offset;
}

static void set_number(struct flow *flow, enum field_id id, uint16_t offset, uint32_t number)
{
    memcpy(at(flow, offset), &number, sizeof(number));
    field_set_add(&flow->have, id);
}

/* The address of the same family that has no bit set. */
static void clear_host(struct address *host)
{
    static const uint8_t zero[16] = {0};

    if (address_is_ipv4(host))
        address_set_ipv4(host, zero);
    else
        address_set_ipv6(host, zero);
}

/* The mask of an address by the rule. -1: the flow tells none, and nobody else is asked. */
static int mask_of(const struct networks_rule *rule, const struct network *found, int of_flow)
{
    int of_file = found != NULL ? (int)found->mask : 0;

    switch (rule->net) {
    case NETWORKS_MASK:
        return rule->mask;
    case NETWORKS_FILE:
        return of_file;
    case NETWORKS_LONGEST:
        if (of_flow < 0 || (found == NULL && rule->filter) || of_file > of_flow || (rule->no_lpm && of_file > 0))
            return of_file;
        return of_flow;
    case NETWORKS_FLOW:
        break;
    }
    return of_flow;
}

/* Sets mask and network. Returns the mask, 0 when there is none. */
static unsigned settle_mask(const struct networks_rule *rule, const struct end *end, const struct network *found,
                            struct flow *flow)
{
    uint8_t *own = at(flow, end->mask_at);
    int mask = mask_of(rule, found, flow_has(flow, end->mask) ? *own : -1);
    struct address *net = at(flow, end->net_at);

    if (mask < 0 && !rule->no_mask_if_zero)
        return 0;
    memcpy(net, at(flow, end->host_at), sizeof(*net));
    if (mask > 0 || !rule->no_mask_if_zero)
        address_mask(net, (unsigned)mask);
    field_set_add(&flow->have, end->net);
    if (mask >= 0) {
        *own = (uint8_t)mask;
        field_set_add(&flow->have, end->mask);
    }
    return mask > 0 ? (unsigned)mask : 0;
}

/* Whether the file has the word, of an address that is found there or (NULL) not, beside a network of `mask` bits. */
static bool file_wins(const struct networks_rule *rule, enum networks_source source, const struct network *found,
                      unsigned mask)
{
    unsigned of_file = found != NULL ? found->mask : 0;

    if (source != NETWORKS_LONGEST)
        return source == NETWORKS_FILE;
    return rule->no_lpm ? of_file > 0 : of_file >= mask;
}

static void set_next_hop(struct flow *flow, const struct network *network)
{
    if (network != NULL && !address_is_absent(&network->next_hop))
        flow_set_peer_dst_ip(flow, network->next_hop);
    else
        field_set_remove(&flow->have, FIELD_PEER_DST_IP);
}

static void apply(const struct networks_rule *rule, const struct networks_tasks *tasks, const struct end *end,
                  const struct networks *table, struct flow *flow)
{
    const struct network *found = NULL;
    unsigned mask = 0;

    if (!tasks->any || !flow_has(flow, end->host))
        return;
    if (tasks->look_up)
        found = networks_find(table, at(flow, end->host_at));
    if (tasks->filter && found == NULL)
        clear_host(at(flow, end->host_at));
    if (tasks->mask)
        mask = settle_mask(rule, end, found, flow);
    if (tasks->as && file_wins(rule, rule->as, found, mask)) {
        set_number(flow, end->as, end->as_at, found != NULL ? found->origin_as : 0);
        set_number(flow, end->peer_as, end->peer_as_at, found != NULL ? found->peer_as : 0);
    }
    if (tasks->next_hop && (rule->net == NETWORKS_MASK || file_wins(rule, rule->net, found, mask)))
        set_next_hop(flow, rule->net == NETWORKS_MASK ? NULL : found);
}

void networks_apply(const struct networks_rule *rule, const struct networks *table, struct flow *flow)
{
    apply(rule, &rule->source, &source_end, table, flow);
    apply(rule, &rule->destination, &destination_end, table, flow);
}
