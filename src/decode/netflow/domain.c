/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sends: the observation domains (IPFIX), source ids (v9) and engines (v5 to v8) of the exporters, each with its
 * templates, option tables and waiting data. Rows on the ledger are one for an address, domain and version; what
 * several ports or sessions behind one address send is kept apart here.
 */
#include <stdlib.h>

#include "base/time.h"
#include "decode/netflow/options.h"
#include "decode/netflow/private.h"

#define siblings_max 256 /* ports or sessions of one exporter and domain */
#define idle_ns (86400 * time_second_ns) /* when templates live for ever, a port that is silent for so long is left */

/* Domains of one exporter and id differ by their port or session; the first one hangs at exporter->state. */
static bool domain_is(const struct netflow *netflow, const struct domain *domain, const struct origin *origin)
{
    if (domain->session != origin->session)
        return false;
    return origin->session != 0 || netflow->options.templates_key == NETFLOW_TEMPLATES_BY_ADDRESS ||
           domain->port == origin->source_port;
}

static struct domain *domain_new(struct netflow *netflow, struct exporter *exporter, const struct address *agent,
                                 uint32_t id, unsigned version, const struct origin *origin)
{
    struct domain *domain;

    if (netflow->domain_count >= domains_max)
        return NULL;
    domain = calloc(1, sizeof(*domain));
    if (domain == NULL)
        return NULL;
    domain->exporter = exporter;
    domain->agent = *agent;
    domain->id = id;
    domain->version = (uint8_t)version;
    domain->port = origin->source_port;
    domain->session = origin->session;
    domain->sibling = exporter->state;
    exporter->state = domain;
    domain->next = netflow->domains;
    netflow->domains = domain;
    netflow->domain_count++;
    options_domain_new(netflow, domain);
    return domain;
}

struct domain *domain_find(struct netflow *netflow, const struct address *agent, uint32_t id, unsigned version,
                              const struct origin *origin)
{
    struct exporter *exporter = exporter_find(netflow->exporters, agent, id, version, origin);
    struct domain *domain;
    unsigned siblings = 0;

    if (exporter == NULL)
        return NULL;
    for (domain = exporter->state; domain != NULL; domain = domain->sibling, siblings++)
        if (domain_is(netflow, domain, origin))
            return domain;
    return siblings < siblings_max ? domain_new(netflow, exporter, agent, id, version, origin) : NULL;
}

/* Frees what a domain holds, and takes it out of its exporter's list. The caller takes it out of the list of all. */
static void domain_free(struct netflow *netflow, struct domain *domain)
{
    struct domain *sibling = domain->exporter->state;

    hold_expire(netflow, domain, INT64_MAX);
    option_tables_free(domain);
    templates_free(netflow, domain);
    if (sibling == domain) {
        domain->exporter->state = domain->sibling;
    } else {
        while (sibling->sibling != domain)
            sibling = sibling->sibling;
        sibling->sibling = domain->sibling;
    }
    if (netflow->domain == domain)
        netflow->domain = NULL;
    netflow->domain_count--;
    free(domain);
}

void domains_close_session(struct netflow *netflow, uint32_t session)
{
    struct domain **link = &netflow->domains;

    while (*link != NULL) {
        struct domain *domain = *link;

        if (domain->session != session) {
            link = &domain->next;
            continue;
        }
        *link = domain->next;
        domain_free(netflow, domain);
    }
}

static bool is_idle(const struct domain *domain, int64_t since_ns)
{
    if (domain->session != 0 || domain->last_ns >= since_ns || domain->held != NULL)
        return false;
    for (unsigned i = 0; i < domain->template_room; i++)
        if (domain->templates[i].id != 0 &&
            (domain->templates[i].last_ns >= since_ns || domain->templates[i].used_ns >= since_ns))
            return false; /* of the templates file, and young yet */
    return true;
}

static bool has_younger_sibling(const struct domain *domain)
{
    for (const struct domain *other = domain->exporter->state; other != NULL; other = other->sibling)
        if (other->last_ns > domain->last_ns)
            return true;
    return false;
}

/*
 * An exporter takes another port after each of its restarts; the places of those it has left must come back some day,
 * or there is none for the next one (siblings_max).
 */
void domains_expire(struct netflow *netflow, int64_t now_ns)
{
    int64_t lifetime_ns = netflow->options.template_lifetime_ns;
    int64_t since_ns = now_ns - (lifetime_ns > 0 ? lifetime_ns : idle_ns);
    struct domain **link = &netflow->domains;

    while (*link != NULL) {
        struct domain *domain = *link;

        if (!is_idle(domain, since_ns) || !has_younger_sibling(domain)) {
            link = &domain->next;
            continue;
        }
        netflow->templates_changed |= domain->template_count > 0;
        *link = domain->next;
        domain_free(netflow, domain);
    }
}

void domains_free(struct netflow *netflow)
{
    while (netflow->domains != NULL) {
        struct domain *domain = netflow->domains;

        netflow->domains = domain->next;
        domain_free(netflow, domain);
    }
}

void domain_begin_message(struct netflow *netflow, struct domain *domain, size_t size)
{
    struct ledger_exporter *row = domain->exporter->row;

    netflow->domain = domain;
    domain->last_ns = netflow->message.origin->arrival_ns;
    counter_add(&row->datagrams, 1);
    counter_add(&row->bytes, size);
    row->clock_skew_ns = netflow->message.export_ns - netflow->message.origin->arrival_ns;
    if (netflow->message.sampling_rate > 1)
        domain->samples = true;
}
