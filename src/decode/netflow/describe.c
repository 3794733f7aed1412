/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exporters and templates for people: one JSON document for the client, and lines for the log when a template comes. It
 * runs only when somebody asks, reads what the other files keep and changes nothing.
 */
#include <stdio.h>

#include "base/time.h"
#include "decode/netflow/options.h"
#include "decode/netflow/show.h"

#define millisecond_ns INT64_C(1000000)
#define line_max 512

/* ---- the document ---- */

static void describe_field(struct document *json, const struct template_field *field, const struct show_name *name)
{
    bool scope = field->enterprise == enterprise_scope;

    document_open(json, NULL, '{');
    document_item(json, "name", strlen("name"));
    document_string(json, name->text, name->length);
    document_done(json);
    document_member_number(json, "element", field->id);
    document_member_number(json, "enterprise", scope ? 0 : field->enterprise);
    if (field->length == template_variable)
        document_member_text(json, "length", "variable");
    else
        document_member_number(json, "length", field->length);
    if (scope)
        document_member_boolean(json, "scope", true);
    document_close(json);
}

static void describe_template(struct document *json, const struct domain *domain, const struct template *template)
{
    const struct definition *definition = template->definition;
    uint64_t unknown = 0;

    document_open(json, NULL, '{');
    document_member_number(json, "id", template->id);
    document_member_text(json, "kind", show_kind(definition));
    document_member_number(json, "record_bytes_min", definition->record_min);
    document_member_boolean(json, "variable", definition->variable);
    document_member_time(json, "first_seen", template->first_ns, 3);
    document_member_time(json, "last_seen", template->last_ns, 3);
    document_member_time(json, "used", template->used_ns, 3);
    document_member_number(json, "records", template->records);
    document_member_number(json, "refreshes", template->refreshes);
    document_member_number(json, "changes", template->changes);
    document_member_boolean(json, "event", definition->event);
    document_open(json, "fields", '[');
    for (unsigned i = 0; i < definition->field_count; i++) {
        struct show_name name;

        show_name(domain, definition->fields[i].enterprise, definition->fields[i].id, &name);
        unknown += !name.known;
        describe_field(json, &definition->fields[i], &name);
    }
    document_close(json);
    document_member_number(json, "unknown_elements", unknown);
    document_close(json);
}

static void describe_sampling(struct document *json, const struct domain *domain)
{
    struct sampler_table *table = domain->options == NULL ? NULL : &domain->options->samplers;

    document_open(json, "sampling", '[');
    for (unsigned i = 0; table != NULL && i < table->room; i++) {
        const struct sampler *row = &table->rows[i];

        if (!row->taken)
            continue;
        document_open(json, NULL, '{');
        document_member_text(json, "scope", sampler_scope_names[row->scope]);
        document_member_number(json, "id", row->id);
        document_member_real(json, "rate", sampler_rate(table, row));
        document_close(json);
    }
    document_close(json);
}

static void describe_options(struct document *json, const struct domain *domain)
{
    static const struct option_tables none;
    const struct option_tables *tables = domain->options == NULL ? &none : domain->options;

    document_member_number(json, "interfaces", tables->interfaces.count);
    document_member_number(json, "vrfs", tables->vrfs.count);
    document_member_number(json, "applications", tables->applications.count);
    document_member_number(json, "elements", tables->elements.count);
    document_member_number(json, "options_refused", options_refused(tables));
    if (tables->statistics_have == 0)
        return;
    document_open(json, "statistics", '{');
    for (unsigned i = 0; i < STATISTIC_COUNT; i++)
        if (tables->statistics_have >> i & 1)
            document_member_number(json, statistic_names[i], tables->statistics[i]);
    document_close(json);
}

static void describe_domain(struct document *json, const struct domain *domain)
{
    const struct ledger_exporter *row = domain->exporter->row;

    document_open(json, NULL, '{');
    document_member_address(json, "exporter", &domain->agent);
    if (!address_is_absent(&domain->told))
        document_member_address(json, "address", &domain->told);
    document_member_number(json, "source_port", domain->port);
    document_member_number(json, "version", domain->version);
    document_member_number(json, "domain", domain->id);
    document_member_number(json, "session", domain->session);
    document_member_number(json, "records", counter_get(&row->records));
    document_member_number(json, "lost", counter_get(&row->lost));
    document_member_number(json, "records_lost", counter_get(&row->records_lost));
    document_member_time(json, "last_seen", domain->last_ns, 3);
    document_member_signed(json, "clock_skew_ms", row->clock_skew_ns / millisecond_ns);
    document_member_boolean(json, "samples", domain->samples);
    describe_sampling(json, domain);
    describe_options(json, domain);
    document_member_number(json, "held", counter_get(&row->held));
    document_open(json, "templates", '[');
    for (unsigned i = 0; i < domain->template_room; i++)
        if (domain->templates[i].id != 0)
            describe_template(json, domain, &domain->templates[i]);
    document_close(json);
    document_close(json);
}

size_t netflow_describe(const struct netflow *netflow, int64_t now_ns, char *out, size_t size)
{
    struct document json;

    if (size < document_least_bytes) { /* no room for anything: still valid, if there is room at all */
        int length = size >= sizeof("{}") ? snprintf(out, size, "{}") : 0;

        if (size > 0)
            out[length] = 0;
        return (size_t)length;
    }
    document_begin(&json, out, size);
    document_open(&json, NULL, '{');
    document_member_time(&json, "now", now_ns, 3);
    document_open(&json, "exporters", '[');
    for (const struct domain *domain = netflow->domains; domain != NULL && !json.truncated; domain = domain->next)
        describe_domain(&json, domain);
    document_close(&json);
    document_member_reserved(&json, "truncated", json.truncated);
    return document_end(&json);
}

/* ---- lines for the log ---- */

static void say(const struct netflow *netflow, const char *text, int length)
{
    netflow->options.on_template(netflow->options.text_context, text,
                                 length < line_max ? (size_t)length : line_max - 1);
}

/* Names may be learnt from the network: whatever could move a terminal is left out. */
static void say_field(const struct netflow *netflow, const struct domain *domain, unsigned index,
                      const struct definition *definition)
{
    const struct template_field *field = &definition->fields[index];
    struct show_name name;
    char line[line_max], length[16] = "variable";

    show_name(domain, field->enterprise, field->id, &name);
    for (size_t i = 0; i < name.length; i++)
        if (name.text[i] < ' ' || name.text[i] > '~')
            name.text[i] = '?';
    if (field->length != template_variable)
        snprintf(length, sizeof(length), "%u", field->length);
    say(netflow, line,
        snprintf(line, sizeof(line), "  %4u %-40.*s %s %u.%u length %s", index + 1, (int)name.length, name.text,
                 index < definition->scope_count ? "scope" : "field",
                 field->enterprise == enterprise_scope ? 0 : (unsigned)field->enterprise, field->id, length));
}

void show_template(struct netflow *netflow, const struct domain *domain, const struct template *template)
{
    const struct definition *definition = template->definition;
    char line[line_max], address[address_text_max];
    size_t length = address_format(&domain->agent, address);

    if (netflow->options.on_template == NULL)
        return;
    say(netflow, line,
        snprintf(line, sizeof(line),
                 "template %u of %.*s port %u, version %u, domain %u: %s, %u fields, records of %s%u octets",
                 template->id, (int)length, address, domain->port, domain->version, (unsigned)domain->id,
                 show_kind(definition), definition->field_count, definition->variable ? "at least " : "",
                 (unsigned)definition->record_min));
    for (unsigned i = 0; i < definition->field_count; i++)
        say_field(netflow, domain, i, definition);
}
