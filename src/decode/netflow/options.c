/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What exporters tell of themselves in options records (RFC 3954 section 6.1, RFC 7011 section 3.4.2.2): how they
 * sample, how interfaces, VRFs and applications are called, which address they go by, when they started, what their
 * own elements are (RFC 5610). A record is first taken apart into facts, an element each; then a row of `lessons` looks
 * whether the facts that it needs are there. The order of fields and whether one is a scope make no difference, since
 * exporters do not agree on them; only NetFlow v9's scope numbers are a space of their own.
 *
 * option_tables.c keeps what is learnt and answers for it.
 */
#include "decode/netflow/options.h"

#define millisecond_ns INT64_C(1000000)

enum { RANK_DESCRIPTION, RANK_NAME };

enum fact {
    FACT_NONE,
    FACT_INTERFACE,
    FACT_LINE_CARD,
    FACT_TEMPLATE,
    FACT_DOMAIN,
    FACT_SAMPLER,
    FACT_SELECTOR,
    FACT_SEQUENCE,
    FACT_OBSERVED,
    FACT_SELECTED,
    FACT_PROBABILITY,
    FACT_VRF,
    FACT_VRF_NAME,
    FACT_DISTINGUISHER,
    FACT_INTERFACE_NAME,
    FACT_INTERFACE_DESCRIPTION,
    FACT_APPLICATION,
    FACT_APPLICATION_NAME,
    FACT_APPLICATION_DESCRIPTION,
    FACT_EXPORTER_IPV4,
    FACT_EXPORTER_IPV6,
    FACT_INIT_MS,
    FACT_ELEMENT,
    FACT_ELEMENT_ENTERPRISE,
    FACT_ELEMENT_NAME,
    FACT_ELEMENT_TYPE,
    FACT_SAMPLING, /* enum sampling_number, in its order */
    FACT_STATISTIC = FACT_SAMPLING + SAMPLING_NUMBERS, /* enum statistic_id, in its order */
    FACT_COUNT = FACT_STATISTIC + STATISTIC_COUNT
};

_Static_assert(FACT_COUNT <= 64, "a bit for each fact");

static const uint8_t fact_of_element[] = {
    [10] = FACT_INTERFACE,
    [14] = FACT_INTERFACE,
    [252] = FACT_INTERFACE,
    [253] = FACT_INTERFACE,
    [141] = FACT_LINE_CARD,
    [145] = FACT_TEMPLATE,
    [149] = FACT_DOMAIN,
    [48] = FACT_SAMPLER,
    [302] = FACT_SELECTOR,
    [301] = FACT_SEQUENCE,
    [318] = FACT_OBSERVED,
    [319] = FACT_SELECTED,
    [311] = FACT_PROBABILITY,
    [234] = FACT_VRF,
    [235] = FACT_VRF,
    [236] = FACT_VRF_NAME,
    [90] = FACT_DISTINGUISHER,
    [82] = FACT_INTERFACE_NAME,
    [83] = FACT_INTERFACE_DESCRIPTION,
    [95] = FACT_APPLICATION,
    [96] = FACT_APPLICATION_NAME,
    [94] = FACT_APPLICATION_DESCRIPTION,
    [130] = FACT_EXPORTER_IPV4,
    [131] = FACT_EXPORTER_IPV6,
    [160] = FACT_INIT_MS,
    [303] = FACT_ELEMENT,
    [346] = FACT_ELEMENT_ENTERPRISE,
    [341] = FACT_ELEMENT_NAME,
    [339] = FACT_ELEMENT_TYPE,
    [34] = FACT_SAMPLING + SAMPLING_INTERVAL,
    [50] = FACT_SAMPLING + SAMPLING_RANDOM_INTERVAL,
    [304] = FACT_SAMPLING + SAMPLING_ALGORITHM,
    [305] = FACT_SAMPLING + SAMPLING_PACKET_INTERVAL,
    [306] = FACT_SAMPLING + SAMPLING_PACKET_SPACE,
    [307] = FACT_SAMPLING + SAMPLING_TIME_INTERVAL,
    [308] = FACT_SAMPLING + SAMPLING_TIME_SPACE,
    [309] = FACT_SAMPLING + SAMPLING_SIZE,
    [310] = FACT_SAMPLING + SAMPLING_POPULATION,
    [40] = FACT_STATISTIC + STATISTIC_EXPORTED_OCTETS,
    [41] = FACT_STATISTIC + STATISTIC_EXPORTED_MESSAGES,
    [42] = FACT_STATISTIC + STATISTIC_EXPORTED_RECORDS,
    [163] = FACT_STATISTIC + STATISTIC_OBSERVED_FLOWS,
    [164] = FACT_STATISTIC + STATISTIC_IGNORED_PACKETS,
    [165] = FACT_STATISTIC + STATISTIC_IGNORED_OCTETS,
    [166] = FACT_STATISTIC + STATISTIC_NOT_SENT_FLOWS,
    [167] = FACT_STATISTIC + STATISTIC_NOT_SENT_PACKETS,
    [168] = FACT_STATISTIC + STATISTIC_NOT_SENT_OCTETS,
};

/* NetFlow v9's scopes; 1 system and 4 cache hold for the whole domain. */
static const uint8_t fact_of_scope[] = {[2] = FACT_INTERFACE, [3] = FACT_LINE_CARD, [5] = FACT_TEMPLATE};

struct facts {
    uint64_t have; /* bit 1 << enum fact */
    struct span value[FACT_COUNT];
    struct span selectors[sampler_chain_max];
    unsigned selector_count;
    bool exporter_is_scope; /* it tells of another exporter, as mediators do */
};

static bool has(const struct facts *facts, unsigned fact)
{
    return facts->have >> fact & 1;
}

static uint64_t number_of(struct span span)
{
    return field_number((const uint8_t *)span.data, span.length);
}

static uint64_t number(const struct facts *facts, unsigned fact)
{
    return number_of(facts->value[fact]);
}

/* float64, or float32 (RFC 7011 section 6.2 allows the smaller one). */
static double real(struct span span)
{
    double value = 0;

    if (span.length == 8) {
        uint64_t bits = number_of(span);
        memcpy(&value, &bits, sizeof(value));
    } else if (span.length == 4) {
        uint32_t bits = (uint32_t)number_of(span);
        float narrow;
        memcpy(&narrow, &bits, sizeof(narrow));
        value = (double)narrow;
    }
    return value;
}

static struct span text(const struct facts *facts, unsigned fact)
{
    struct span span = facts->value[fact];
    const char *end = memchr(span.data, 0, span.length);

    if (end != NULL)
        span.length = (uint32_t)(end - span.data);
    while (span.length > 0 && span.data[span.length - 1] == ' ')
        span.length--;
    return span;
}

static unsigned fact_of(const struct template_field *field)
{
    if (field->enterprise == 0)
        return field->id < array_length(fact_of_element) ? fact_of_element[field->id] : FACT_NONE;
    if (field->enterprise == enterprise_scope)
        return field->id < array_length(fact_of_scope) ? fact_of_scope[field->id] : FACT_NONE;
    return FACT_NONE;
}

/* The first copy of a repeated element counts, but for selectors, which may stand in a chain. */
static bool read_facts(const struct definition *definition, const uint8_t *bytes, size_t size, struct facts *facts)
{
    struct field_walk walk = field_walk_over(definition, bytes, size);
    struct field_value value;

    facts->have = 0;
    facts->selector_count = 0;
    facts->exporter_is_scope = false;
    while (field_walk_next(&walk, &value)) {
        unsigned fact = fact_of(value.field);
        struct span span = {(const char *)value.bytes, value.size};

        if (fact == FACT_NONE || value.size == 0)
            continue;
        if (fact == FACT_SELECTOR && facts->selector_count < sampler_chain_max)
            facts->selectors[facts->selector_count++] = span;
        if (value.scope && (fact == FACT_EXPORTER_IPV4 || fact == FACT_EXPORTER_IPV6))
            facts->exporter_is_scope = true;
        if (has(facts, fact))
            continue;
        facts->have |= UINT64_C(1) << fact;
        facts->value[fact] = span;
    }
    return facts->have != 0;
}

/* ---- lessons ---- */

struct lesson_of {
    struct netflow *netflow;
    struct domain *domain;
    struct option_tables *tables;
    const struct facts *facts;
};

static struct sampler *sampler_for(const struct lesson_of *of, enum sampler_scope scope, uint64_t id)
{
    return sampler_make(&of->tables->samplers, &of->tables->memory, scope, id);
}

static void set_rate(const struct lesson_of *of, struct sampler *sampler, double rate)
{
    if (sampler == NULL)
        return;
    if (rate > 0) {
        of->netflow->templates_changed |= sampler->rate != rate;
        sampler->rate = rate;
        sampler->announced = true;
    }
    if (has(of->facts, FACT_OBSERVED) && has(of->facts, FACT_SELECTED))
        sampler_report(sampler, number(of->facts, FACT_OBSERVED), number(of->facts, FACT_SELECTED));
    of->domain->samples |= sampler->rate != 1;
}

static double told_rate(const struct facts *facts)
{
    struct sampling_told told = {.have = 0};

    for (unsigned i = 0; i < SAMPLING_NUMBERS; i++) {
        if (has(facts, FACT_SAMPLING + i)) {
            told.have |= 1u << i;
            told.number[i] = number(facts, FACT_SAMPLING + i);
        }
    }
    if (has(facts, FACT_PROBABILITY))
        told.probability = real(facts->value[FACT_PROBABILITY]);
    return sampling_rate_told(&told);
}

/* What a rate without a sampler's id holds for, the narrowest first. */
static const struct {
    uint8_t fact, scope;
} rate_scopes[] = {
    {FACT_TEMPLATE, SAMPLER_OF_TEMPLATE},
    {FACT_INTERFACE, SAMPLER_OF_INTERFACE},
    {FACT_LINE_CARD, SAMPLER_OF_LINE_CARD},
    {FACT_DOMAIN, SAMPLER_OF_DOMAIN},
};

static void learn_sequence(const struct lesson_of *of)
{
    const struct facts *facts = of->facts;
    struct sampler *sequence = sampler_for(of, SAMPLER_OF_SEQUENCE, number(facts, FACT_SEQUENCE));

    if (sequence == NULL)
        return;
    if (facts->selector_count > 0) {
        sequence->chain_count = (uint8_t)facts->selector_count;
        for (unsigned i = 0; i < facts->selector_count; i++)
            sequence->chain[i] = number_of(facts->selectors[i]);
    }
    set_rate(of, sequence, 0);
}

static void learn_sampling(const struct lesson_of *of)
{
    const struct facts *facts = of->facts;
    double rate = told_rate(facts);
    bool named = has(facts, FACT_SAMPLER) || has(facts, FACT_SELECTOR);
    unsigned i = 0;

    if (rate == 0 && has(facts, FACT_SEQUENCE)) {
        learn_sequence(of);
        return;
    }
    if (rate == 0 && !named)
        return;
    if (has(facts, FACT_SAMPLER))
        set_rate(of, sampler_for(of, SAMPLER_OF_ID, number(facts, FACT_SAMPLER)), rate);
    if (has(facts, FACT_SELECTOR))
        set_rate(of, sampler_for(of, SAMPLER_OF_SELECTOR, number(facts, FACT_SELECTOR)), rate);
    while (i < array_length(rate_scopes) && !has(facts, rate_scopes[i].fact))
        i++;
    if (rate > 0 && i < array_length(rate_scopes) && !(named && rate_scopes[i].scope == SAMPLER_OF_DOMAIN))
        set_rate(of, sampler_for(of, rate_scopes[i].scope, number(facts, rate_scopes[i].fact)), rate);
    if (rate > 0 && ((!named && i == array_length(rate_scopes)) || of->netflow->options.disable_scope_check))
        set_rate(of, sampler_for(of, SAMPLER_OF_DOMAIN, 0), rate);
}

/* A number's name; the description serves where there is no name. */
static struct name_row *learn_name(const struct lesson_of *of, struct name_table *table, const void *key,
                                   size_t key_size, unsigned name, unsigned description)
{
    struct name_row *row = names_make(table, &of->tables->memory, key, key_size);

    if (row != NULL && description != FACT_NONE && has(of->facts, description))
        row = names_set_text(table, &of->tables->memory, row, text(of->facts, description), RANK_DESCRIPTION);
    if (row != NULL && has(of->facts, name) && text(of->facts, name).length > 0)
        row = names_set_text(table, &of->tables->memory, row, text(of->facts, name), RANK_NAME);
    return row;
}

static void learn_interface(const struct lesson_of *of)
{
    uint64_t interface = number(of->facts, FACT_INTERFACE);

    if (has(of->facts, FACT_INTERFACE_NAME) || has(of->facts, FACT_INTERFACE_DESCRIPTION))
        learn_name(of, &of->tables->interfaces, &interface, sizeof(interface), FACT_INTERFACE_NAME,
                   FACT_INTERFACE_DESCRIPTION);
}

static void learn_vrf(const struct lesson_of *of)
{
    uint64_t vrf = number(of->facts, FACT_VRF);
    struct name_row *row;

    if (!has(of->facts, FACT_VRF_NAME) && !has(of->facts, FACT_DISTINGUISHER))
        return;
    row = learn_name(of, &of->tables->vrfs, &vrf, sizeof(vrf), FACT_VRF_NAME, FACT_NONE);
    if (row != NULL && has(of->facts, FACT_DISTINGUISHER)) {
        row->number = number(of->facts, FACT_DISTINGUISHER);
        row->has_number = true;
    }
}

static void learn_application(const struct lesson_of *of)
{
    struct span id = of->facts->value[FACT_APPLICATION];

    if (has(of->facts, FACT_APPLICATION_NAME) || has(of->facts, FACT_APPLICATION_DESCRIPTION))
        learn_name(of, &of->tables->applications, id.data, id.length, FACT_APPLICATION_NAME,
                   FACT_APPLICATION_DESCRIPTION);
}

static void learn_element(const struct lesson_of *of)
{
    const struct facts *facts = of->facts;
    uint64_t enterprise = has(facts, FACT_ELEMENT_ENTERPRISE) ? number(facts, FACT_ELEMENT_ENTERPRISE) : 0;
    uint64_t key = options_element_key(enterprise, number(facts, FACT_ELEMENT));
    struct name_row *row;

    if (enterprise == 0 || enterprise > UINT32_MAX || !has(facts, FACT_ELEMENT_NAME))
        return; /* IANA's own are known, and nobody may rename them */
    row = learn_name(of, &of->tables->elements, &key, sizeof(key), FACT_ELEMENT_NAME, FACT_NONE);
    if (row != NULL && has(facts, FACT_ELEMENT_TYPE)) {
        row->number = number(facts, FACT_ELEMENT_TYPE);
        row->has_number = true;
    }
}

static void learn_identity(const struct lesson_of *of)
{
    const struct facts *facts = of->facts;
    struct span ipv4 = facts->value[FACT_EXPORTER_IPV4], ipv6 = facts->value[FACT_EXPORTER_IPV6];
    struct address address[2] = {{{0}}, {{0}}};
    bool has_ipv4, has_ipv6;

    if (of->netflow->options.ignore_exporter_address || facts->exporter_is_scope)
        return;
    has_ipv4 = has(facts, FACT_EXPORTER_IPV4) && ipv4.length == 4 && number_of(ipv4) != 0;
    has_ipv6 = has(facts, FACT_EXPORTER_IPV6) && ipv6.length == 16 && number_of(ipv6) != 0;
    if (has_ipv4)
        address_set_ipv4(&address[0], (const uint8_t *)ipv4.data);
    if (has_ipv6)
        address_set_ipv6(&address[1], (const uint8_t *)ipv6.data);
    if (has_ipv4 || has_ipv6)
        of->domain->told = address[has_ipv6 && (!has_ipv4 || !address_is_ipv4(&of->domain->agent))];
}

static void learn_start(const struct lesson_of *of)
{
    uint64_t ms = number(of->facts, FACT_INIT_MS);

    if (ms <= told_ms_max)
        of->domain->init_ns = (int64_t)ms * millisecond_ns;
}

static void learn_statistics(const struct lesson_of *of)
{
    for (unsigned i = 0; i < STATISTIC_COUNT; i++) {
        if (has(of->facts, FACT_STATISTIC + i)) {
            of->tables->statistics[i] = number(of->facts, FACT_STATISTIC + i);
            of->tables->statistics_have |= 1u << i;
        }
    }
}

#define FACT(name) (UINT64_C(1) << FACT_##name)

/* Run when one of `any` and all of `all` are told. */
static const struct {
    uint64_t any, all;
    void (*learn)(const struct lesson_of *of);
} lessons[] = {
    {((UINT64_C(1) << SAMPLING_NUMBERS) - 1) << FACT_SAMPLING | FACT(SAMPLER) | FACT(SELECTOR) | FACT(SEQUENCE) |
         FACT(PROBABILITY),
     0, learn_sampling},
    {~UINT64_C(0), FACT(INTERFACE), learn_interface},
    {~UINT64_C(0), FACT(VRF), learn_vrf},
    {~UINT64_C(0), FACT(APPLICATION), learn_application},
    {~UINT64_C(0), FACT(ELEMENT), learn_element},
    {FACT(EXPORTER_IPV4) | FACT(EXPORTER_IPV6), 0, learn_identity},
    {~UINT64_C(0), FACT(INIT_MS), learn_start},
    {((UINT64_C(1) << STATISTIC_COUNT) - 1) << FACT_STATISTIC, 0, learn_statistics},
};

void options_record(struct netflow *netflow, const struct definition *definition, const uint8_t *bytes, size_t size)
{
    struct domain *domain = netflow->domain;
    struct facts facts;
    struct lesson_of of = {netflow, domain, NULL, &facts};

    if (!read_facts(definition, bytes, size, &facts))
        return;
    of.tables = options_tables_of(netflow, domain);
    if (of.tables == NULL)
        return;
    for (unsigned i = 0; i < array_length(lessons); i++)
        if ((facts.have & lessons[i].any) != 0 && (facts.have & lessons[i].all) == lessons[i].all)
            lessons[i].learn(&of);
}

void options_sampler_restore(struct netflow *netflow, struct domain *domain, const struct sampler_row *row)
{
    struct option_tables *tables = options_tables_of(netflow, domain);
    struct sampler *sampler;

    if (tables == NULL || row->scope >= SAMPLER_SCOPES || !(row->rate >= 1))
        return;
    sampler = sampler_make(&tables->samplers, &tables->memory, row->scope, row->id);
    if (sampler == NULL)
        return;
    sampler->rate = row->rate;
    sampler->announced = true;
    domain->samples |= row->rate != 1;
}
