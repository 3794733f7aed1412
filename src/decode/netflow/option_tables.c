/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What options records have taught, by domain: whose tables hold for whom, and the answers that records need, which are
 * on the hot path. Most exporters neither sample nor send names; for their records a look-up is one test of a pointer.
 */
#include <stdlib.h>

#include "decode/netflow/options.h"
#include "flow/element.h"

#define interface_limit 4096
#define vrf_limit 1024
#define application_limit 16384
#define element_limit 4096

#define element_id_mask 0x7fffu /* RFC 5610 section 3.9: the enterprise bit is not part of the number */

const char *const statistic_names[STATISTIC_COUNT] = {
    [STATISTIC_EXPORTED_OCTETS] = "exported_octets",     [STATISTIC_EXPORTED_MESSAGES] = "exported_messages",
    [STATISTIC_EXPORTED_RECORDS] = "exported_records",   [STATISTIC_OBSERVED_FLOWS] = "observed_flows",
    [STATISTIC_IGNORED_PACKETS] = "ignored_packets",     [STATISTIC_IGNORED_OCTETS] = "ignored_octets",
    [STATISTIC_NOT_SENT_FLOWS] = "not_sent_flows",       [STATISTIC_NOT_SENT_PACKETS] = "not_sent_packets",
    [STATISTIC_NOT_SENT_OCTETS] = "not_sent_octets",
};

/* ---- the tables of a domain, its own or shared ---- */

static struct option_tables *tables_new(struct netflow *netflow)
{
    /* A quarter of the memory for templates stays theirs: names are a comfort, templates a need. */
    uint64_t max = netflow->options.template_bytes_max - netflow->options.template_bytes_max / 4;
    struct option_tables *tables;

    if (netflow->template_bytes + sizeof(*tables) > max || (tables = calloc(1, sizeof(*tables))) == NULL)
        return NULL;
    netflow->template_bytes += sizeof(*tables);
    tables->references = 1;
    tables->memory = (struct name_memory){&netflow->template_bytes, max};
    tables->interfaces.limit = interface_limit;
    tables->vrfs.limit = vrf_limit;
    tables->applications.limit = application_limit;
    tables->elements.limit = element_limit;
    return tables;
}

static void release(struct option_tables *tables)
{
    if (tables == NULL || --tables->references > 0)
        return;
    release(tables->wide); /* which has no wider one itself */
    samplers_free(&tables->samplers, &tables->memory);
    names_free(&tables->interfaces, &tables->memory);
    names_free(&tables->vrfs, &tables->memory);
    names_free(&tables->applications, &tables->memory);
    names_free(&tables->elements, &tables->memory);
    *tables->memory.used -= sizeof(*tables);
    free(tables);
}

void option_tables_free(struct domain *domain)
{
    release(domain->options);
    domain->options = NULL;
}

static bool same_exporter(const struct netflow *netflow, const struct domain *a, const struct domain *b)
{
    return a->version == b->version && a->session == b->session && address_equal(&a->agent, &b->agent) &&
           (netflow->options.templates_key == NETFLOW_TEMPLATES_BY_ADDRESS || a->port == b->port);
}

/* May what this domain tells hold for others? */
static bool tells(const struct netflow *netflow, const struct domain *domain)
{
    return netflow->options.disable_scope_check || (domain->version == 10 && domain->id == 0);
}

/* Does what domain `a` tells hold for domain `b` too? */
static bool tells_for(const struct netflow *netflow, const struct domain *a, const struct domain *b)
{
    return a != b && tells(netflow, a) && same_exporter(netflow, a, b);
}

static void share(struct netflow *netflow, struct domain *domain, struct option_tables *tables)
{
    if (netflow->options.disable_scope_check) {
        if (domain->options == NULL) {
            domain->options = tables;
            tables->references++;
        }
        return;
    }
    if (domain->options == NULL)
        domain->options = tables_new(netflow);
    if (domain->options != NULL && domain->options->wide == NULL) {
        domain->options->wide = tables;
        tables->references++;
    }
}

void options_domain_new(struct netflow *netflow, struct domain *domain)
{
    if (!netflow->any_options || (!netflow->options.disable_scope_check && (domain->version != 10 || domain->id == 0)))
        return; /* nobody else can tell for it */
    for (struct domain *other = netflow->domains; other != NULL; other = other->next) {
        if (other->options != NULL && tells_for(netflow, other, domain)) {
            share(netflow, domain, other->options);
            return;
        }
    }
}

struct option_tables *options_tables_of(struct netflow *netflow, struct domain *domain)
{
    if (domain->options != NULL || domain->options_refused)
        return domain->options;
    options_domain_new(netflow, domain);
    if (domain->options != NULL)
        return domain->options;
    domain->options = tables_new(netflow);
    domain->options_refused = domain->options == NULL; /* to look through all domains for each record would be dear */
    if (domain->options == NULL)
        return NULL;
    if (!tells(netflow, domain))
        return domain->options; /* most do not, and need no look at all the others */
    netflow->any_options = true;
    for (struct domain *other = netflow->domains; other != NULL; other = other->next)
        if (tells_for(netflow, domain, other))
            share(netflow, other, domain->options);
    return domain->options;
}

/* ---- names ---- */

static const struct name_row *named(const struct name_row *row)
{
    return row != NULL && row->text_length > 0 ? row : NULL;
}

struct span options_interface_name(const struct domain *domain, uint64_t interface)
{
    const struct name_row *row = NULL;

    for (const struct option_tables *tables = domain->options; tables != NULL && row == NULL; tables = tables->wide)
        row = named(names_find_number(&tables->interfaces, interface));
    return names_text(row);
}

struct span options_vrf_name(const struct domain *domain, uint64_t vrf)
{
    const struct name_row *row = NULL;

    for (const struct option_tables *tables = domain->options; tables != NULL && row == NULL; tables = tables->wide)
        row = named(names_find_number(&tables->vrfs, vrf));
    return names_text(row);
}

bool options_vrf_distinguisher(const struct domain *domain, uint64_t vrf, uint64_t *distinguisher)
{
    for (const struct option_tables *tables = domain->options; tables != NULL; tables = tables->wide) {
        const struct name_row *row = names_find_number(&tables->vrfs, vrf);

        if (row != NULL && row->has_number) {
            *distinguisher = row->number;
            return true;
        }
    }
    return false;
}

struct span options_application_name(const struct domain *domain, const uint8_t *id, uint32_t size)
{
    const struct name_row *row = NULL;

    for (const struct option_tables *tables = domain->options; tables != NULL && row == NULL; tables = tables->wide)
        row = named(names_find(&tables->applications, id, size));
    return names_text(row);
}

uint64_t options_element_key(uint64_t enterprise, uint64_t id)
{
    return enterprise << 16 | (id & element_id_mask);
}

struct span options_element(const struct domain *domain, uint32_t enterprise, unsigned id, unsigned *type)
{
    uint64_t key = options_element_key(enterprise, id);

    for (const struct option_tables *tables = domain->options; tables != NULL; tables = tables->wide) {
        const struct name_row *row = named(names_find_number(&tables->elements, key));

        if (row != NULL) {
            *type = row->has_number && row->number < ELEMENT_TYPE_COUNT ? (unsigned)row->number : ELEMENT_OCTETS;
            return names_text(row);
        }
    }
    return (struct span){NULL, 0};
}

uint64_t options_refused(const struct option_tables *tables)
{
    return tables->interfaces.refused + tables->vrfs.refused + tables->applications.refused +
           tables->elements.refused + tables->samplers.refused;
}

unsigned options_samplers(const struct domain *domain, struct sampler_row *rows, unsigned room)
{
    unsigned count = 0;

    if (domain->options == NULL)
        return 0;
    for (unsigned i = 0; i < domain->options->samplers.room && count < room; i++) {
        const struct sampler *sampler = &domain->options->samplers.rows[i];

        if (sampler->taken)
            rows[count++] = (struct sampler_row){
                sampler->scope, sampler->id, sampler_rate(&domain->options->samplers, sampler)};
    }
    return count;
}

/* ---- the sampling rate of a record ---- */

/* The record's own numbers; an interval of 0 is one that its exporter does not fill in. */
static double own_rate(const struct record *record)
{
    static const struct {
        uint8_t part, number;
    } rows[] = {
        {PART_SAMPLING_INTERVAL, SAMPLING_INTERVAL},      {PART_SAMPLER_INTERVAL, SAMPLING_RANDOM_INTERVAL},
        {PART_PACKET_INTERVAL, SAMPLING_PACKET_INTERVAL}, {PART_PACKET_SPACE, SAMPLING_PACKET_SPACE},
        {PART_SAMPLE_SIZE, SAMPLING_SIZE},                {PART_SAMPLE_POPULATION, SAMPLING_POPULATION},
    };
    const uint64_t values[] = {
        record->parts.SAMPLING_INTERVAL, record->parts.SAMPLER_INTERVAL, record->parts.PACKET_INTERVAL,
        record->parts.PACKET_SPACE,      record->parts.SAMPLE_SIZE,      record->parts.SAMPLE_POPULATION,
    };
    struct sampling_told told = {.have = 0};

    for (unsigned i = 0; i < array_length(rows); i++) {
        if (record_has(record, rows[i].part) && (values[i] != 0 || rows[i].number == SAMPLING_PACKET_SPACE)) {
            told.have |= 1u << rows[i].number;
            told.number[rows[i].number] = values[i];
        }
    }
    return told.have == 0 ? 0 : sampling_rate_told(&told);
}

/* The sampler's or selector's identifier of a record; 0: none, or one that its exporter does not fill in. */
static uint64_t sampler_of(const struct record *record)
{
    if (record_has(record, PART_SELECTOR) && record->parts.SELECTOR != 0)
        return record->parts.SELECTOR;
    return record_has(record, PART_SAMPLER) ? record->parts.SAMPLER : 0;
}

static double rate_by(struct sampler_table *table, enum sampler_scope scope, uint64_t id)
{
    return sampler_rate(table, sampler_find(table, scope, id));
}

/* Exporters say 48 in one place and 302 in the other for the same thing, so both are looked through. */
static double rate_by_id(struct sampler_table *table, const struct record *record)
{
    const uint64_t ids[] = {record_has(record, PART_SELECTOR) ? record->parts.SELECTOR : 0,
                            record_has(record, PART_SAMPLER) ? record->parts.SAMPLER : 0};
    double rate = 0;

    if (record_has(record, PART_SELECTION_SEQUENCE))
        rate = rate_by(table, SAMPLER_OF_SEQUENCE, record->parts.SELECTION_SEQUENCE);
    for (unsigned i = 0; i < array_length(ids) && rate == 0; i++) {
        if (ids[i] == 0)
            continue;
        rate = rate_by(table, i == 0 ? SAMPLER_OF_SELECTOR : SAMPLER_OF_ID, ids[i]);
        if (rate == 0)
            rate = rate_by(table, i == 0 ? SAMPLER_OF_ID : SAMPLER_OF_SELECTOR, ids[i]);
    }
    return rate;
}

static double rate_by_scope(struct sampler_table *table, const struct domain *domain, const struct record *record)
{
    double rate = 0;

    if (record->template != NULL)
        rate = rate_by(table, SAMPLER_OF_TEMPLATE, record->template->id);
    if (rate == 0 && flow_has(&record->flow, FIELD_IN_IFACE))
        rate = rate_by(table, SAMPLER_OF_INTERFACE, record->flow.in_iface);
    if (rate == 0 && flow_has(&record->flow, FIELD_OUT_IFACE))
        rate = rate_by(table, SAMPLER_OF_INTERFACE, record->flow.out_iface);
    if (rate == 0 && domain->id != 0)
        rate = rate_by(table, SAMPLER_OF_DOMAIN, domain->id);
    if (rate == 0)
        rate = rate_by(table, SAMPLER_OF_DOMAIN, 0);
    return rate;
}

/* For a record that names no sampler: the chain, selector or sampler told last, which mostly is the only one. */
static double rate_by_last(struct sampler_table *table)
{
    static const uint8_t order[] = {SAMPLER_OF_SEQUENCE, SAMPLER_OF_SELECTOR, SAMPLER_OF_ID, SAMPLER_OF_LINE_CARD};
    double rate = 0;

    for (unsigned i = 0; i < array_length(order) && rate == 0; i++)
        rate = sampler_rate(table, sampler_last(table, order[i]));
    return rate;
}

/* Only interfaces or templates have rates, and this record is of another one: it is not sampled. */
static bool sampled_elsewhere(const struct sampler_table *table)
{
    return table->count > 0 &&
           table->count == table->scope_count[SAMPLER_OF_INTERFACE] + table->scope_count[SAMPLER_OF_TEMPLATE];
}

double options_sampling_rate(const struct netflow *netflow, const struct record *record)
{
    struct domain *domain = netflow->domain;
    uint64_t sampler = sampler_of(record);
    double rate = own_rate(record);

    for (struct option_tables *tables = domain->options; tables != NULL && rate == 0; tables = tables->wide) {
        rate = rate_by_id(&tables->samplers, record);
        if (rate == 0)
            rate = rate_by_scope(&tables->samplers, domain, record);
        if (rate == 0 && sampler == 0)
            rate = rate_by_last(&tables->samplers);
    }
    if (rate == 0)
        rate = netflow->message.sampling_rate;
    if (rate == 0 && sampler == 0 && domain->options != NULL && sampled_elsewhere(&domain->options->samplers))
        rate = 1;
    if (sampler != 0)
        domain->samples = true;
    return rate != 0 ? rate : domain->samples ? 0 : 1;
}
