/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sends: the observation domains (IPFIX), source ids (v9) and engines (v5 to v8) of the exporters, each with its
 * templates, option tables and waiting data. Rows on the ledger are one for an address, domain and version; what
 * several ports or sessions behind one address send is kept apart here.
 */
#include <stdlib.h>

#include "decode/netflow/options.h"
#include "decode/netflow/private.h"

#define siblings_max 256 /* ports or sessions of one exporter and domain */

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
