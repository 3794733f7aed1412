/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data sets that came before their template. A new collector, or an exporter that repeats its templates seldom, would
 * lose minutes of traffic otherwise; so the octets of such a set wait, with what its message said, and go through the
 * decoder in the order of their arrival as soon as the template is there. What waits is bounded three ways: sets and
 * octets of a domain, so that one exporter cannot take the place of all, and octets of the lane; and by time. A gauge
 * says how many wait; a set leaves it as decoded or as unknown, so that the sum of sets holds.
 */
#include <stdlib.h>

#include "decode/netflow/private.h"

#define domain_sets_max 64
#define domain_bytes_max (UINT64_C(256) << 10)

struct held_set {
    struct held_set *next;
    struct message message; /* its origin points to `origin` */
    struct origin origin;
    uint16_t template_id;
    uint32_t size;
    uint8_t bytes[];
};

static uint64_t cost(size_t size)
{
    return sizeof(struct held_set) + size;
}

static unsigned held_count(const struct domain *domain)
{
    unsigned count = 0;

    for (const struct held_set *held = domain->held; held != NULL; held = held->next)
        count++;
    return count;
}

bool hold_set(struct netflow *netflow, unsigned template_id, struct cursor set)
{
    struct domain *domain = netflow->domain;
    size_t size = cursor_left(&set);
    struct held_set *held;

    if (netflow->held_bytes + cost(size) > netflow->options.hold_bytes_max ||
        domain->held_bytes + cost(size) > domain_bytes_max || held_count(domain) >= domain_sets_max)
        return false;
    held = malloc(sizeof(*held) + size);
    if (held == NULL)
        return false;
    held->next = NULL;
    held->origin = *netflow->message.origin;
    held->message = netflow->message;
    held->message.origin = &held->origin;
    held->template_id = (uint16_t)template_id;
    held->size = (uint32_t)size;
    memcpy(held->bytes, set.at, size);
    if (domain->held == NULL)
        domain->held = held;
    else
        domain->held_last->next = held;
    domain->held_last = held;
    domain->held_bytes += cost(size);
    netflow->held_bytes += cost(size);
    netflow_count(netflow, INPUT_sets_waiting);
    counter_add(&domain->exporter->row->held, 1);
    return true;
}

/* Takes the set at *link out of the domain's list; the caller gives it back with let_go(). */
static struct held_set *take(struct netflow *netflow, struct domain *domain, struct held_set **link)
{
    struct held_set *held = *link;

    *link = held->next;
    held->next = NULL;
    domain->held_bytes -= cost(held->size);
    netflow->held_bytes -= cost(held->size);
    counter_set(&netflow->counters[INPUT_sets_waiting], netflow->counters[INPUT_sets_waiting] - 1);
    counter_set(&domain->exporter->row->held, domain->exporter->row->held - 1);
    return held;
}

static void find_last(struct domain *domain)
{
    domain->held_last = domain->held;
    while (domain->held_last != NULL && domain->held_last->next != NULL)
        domain->held_last = domain->held_last->next;
}

/* The sets of a template, in order, taken out of the list. */
static struct held_set *take_all_of(struct netflow *netflow, struct domain *domain, unsigned template_id)
{
    struct held_set *first = NULL, **end = &first;

    for (struct held_set **link = &domain->held; *link != NULL;) {
        if ((*link)->template_id == template_id) {
            *end = take(netflow, domain, link);
            end = &(*end)->next;
        } else {
            link = &(*link)->next;
        }
    }
    find_last(domain);
    return first;
}

void hold_replay(struct netflow *netflow, struct domain *domain, struct template *template)
{
    struct message message = netflow->message;
    struct domain *current = netflow->domain;
    struct held_set *held, *next;

    if (domain->held == NULL)
        return;
    held = take_all_of(netflow, domain, template->id);
    if (held == NULL)
        return;
    netflow->domain = domain;
    for (; held != NULL; held = next) {
        next = held->next;
        netflow->message = held->message;
        finish_message(netflow);
        run_template(netflow, template, cursor_over(held->bytes, held->size));
        free(held);
    }
    netflow->message = message;
    netflow->domain = current;
}

void hold_expire(struct netflow *netflow, struct domain *domain, int64_t now_ns)
{
    for (struct held_set **link = &domain->held; *link != NULL;) {
        if (now_ns == INT64_MAX || now_ns - (*link)->origin.arrival_ns >= netflow->options.hold_ns) {
            free(take(netflow, domain, link));
            netflow_count(netflow, INPUT_sets_unknown);
        } else {
            link = &(*link)->next;
        }
    }
    find_last(domain);
}
