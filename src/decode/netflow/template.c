/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates in two halves. A definition is what a template says, with the program made of it; equal ones are kept once,
 * however many exporters send them, so ten thousand routers of one make cost one program. A template is an identifier
 * of one domain that refers to a definition, with its times; a domain keeps its own in a small hash by identifier.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "decode/netflow/private.h"

#define room_first 8 /* places of a domain's first table; a power of two */

/* ---- definitions ---- */

static uint64_t definition_hash(unsigned version, unsigned kind, unsigned scope_count, unsigned field_count,
                                const struct template_field *fields)
{
    static struct hash_seed seed;
    uint64_t head;

    if (seed.b == 0)
        seed = hash_seed_new();
    head = (uint64_t)version << 48 | (uint64_t)kind << 40 | (uint64_t)scope_count << 20 | field_count;
    return hash_words(fields, field_count, seed) ^ hash_fold(head ^ seed.a, seed.b);
}

static bool definition_is(const struct definition *definition, uint64_t hash, unsigned version, unsigned kind,
                          unsigned scope_count, unsigned field_count, const struct template_field *fields)
{
    return definition->hash == hash && definition->version == version && definition->kind == kind &&
           definition->scope_count == scope_count && definition->field_count == field_count &&
           memcmp(definition->fields, fields, field_count * sizeof(*fields)) == 0;
}

static bool may_take(struct netflow *netflow, size_t bytes)
{
    return netflow->template_bytes + bytes <= netflow->options.template_bytes_max;
}

static void measure(struct definition *definition)
{
    for (unsigned i = 0; i < definition->field_count; i++) {
        if (definition->fields[i].length == template_variable) {
            definition->variable = true;
            definition->record_min++;
        } else {
            definition->record_min += definition->fields[i].length;
        }
    }
}

static void definition_free(struct definition *definition)
{
    direct_free(definition);
    free(definition->ops);
    free(definition);
}

struct definition *definition_intern(struct netflow *netflow, uint8_t version, enum template_kind kind,
                                     unsigned scope_count, unsigned field_count, const struct template_field *fields)
{
    uint64_t hash = definition_hash(version, kind, scope_count, field_count, fields);
    struct definition **chain = &netflow->definitions[hash % definition_slots];
    struct definition *definition;
    bool limited = version >= 9; /* the fixed ones are there before any exporter is */
    size_t bytes = sizeof(*definition) + field_count * sizeof(*fields);

    for (definition = *chain; definition != NULL; definition = definition->next) {
        if (definition_is(definition, hash, version, kind, scope_count, field_count, fields)) {
            definition->references++;
            return definition;
        }
    }
    if (limited && !may_take(netflow, bytes))
        return NULL;
    definition = calloc(1, bytes);
    if (definition == NULL)
        return NULL;
    definition->hash = hash;
    definition->references = 1;
    definition->version = version;
    definition->kind = (uint8_t)kind;
    definition->scope_count = (uint16_t)scope_count;
    definition->field_count = (uint16_t)field_count;
    memcpy(definition->fields, fields, field_count * sizeof(*fields));
    measure(definition);
    if (definition_compile(netflow, definition) < 0) {
        free(definition);
        return NULL;
    }
    definition->bytes = limited ? definition->bytes + (uint32_t)bytes : 0;
    if (limited && !may_take(netflow, definition->bytes)) { /* how long its programs are was not known before */
        definition_free(definition);
        return NULL;
    }
    netflow->template_bytes += definition->bytes;
    definition->next = *chain;
    *chain = definition;
    return definition;
}

void definition_release(struct netflow *netflow, struct definition *definition)
{
    struct definition **link;

    if (definition == NULL || --definition->references > 0)
        return;
    link = &netflow->definitions[definition->hash % definition_slots];
    while (*link != definition)
        link = &(*link)->next;
    *link = definition->next;
    netflow->template_bytes -= definition->bytes;
    definition_free(definition);
}

/* ---- a domain's table: open addressing, linear, identifiers are never 0 ---- */

static unsigned place_of(const struct domain *domain, unsigned id)
{
    return (id * 0x9e37u >> 3) & (domain->template_room - 1u);
}

struct template *template_find(const struct domain *domain, unsigned id)
{
    if (domain->template_room == 0)
        return NULL;
    for (unsigned place = place_of(domain, id);; place = (place + 1) & (domain->template_room - 1u)) {
        struct template *template = &domain->templates[place];

        if (template->id == id)
            return template;
        if (template->id == 0)
            return NULL;
    }
}

static struct template *free_place(struct domain *domain, unsigned id)
{
    unsigned place = place_of(domain, id);

    while (domain->templates[place].id != 0)
        place = (place + 1) & (domain->template_room - 1u);
    return &domain->templates[place];
}

/* Tables stay at most three quarters full, so that a look always ends. */
static bool make_room(struct netflow *netflow, struct domain *domain)
{
    struct template *old = domain->templates;
    unsigned old_room = domain->template_room, room = old_room == 0 ? room_first : 2 * old_room;
    size_t grown = (room - old_room) * sizeof(*old);

    if (4u * (domain->template_count + 1u) <= 3u * old_room)
        return true;
    if (!may_take(netflow, grown))
        return false;
    domain->templates = calloc(room, sizeof(*old));
    if (domain->templates == NULL) {
        domain->templates = old;
        return false;
    }
    domain->template_room = room;
    for (unsigned i = 0; i < old_room; i++)
        if (old[i].id != 0)
            *free_place(domain, old[i].id) = old[i];
    netflow->template_bytes += grown;
    free(old);
    return true;
}

/* The exporter's row stands for all its ports and sessions. */
static void tell_count(const struct domain *domain)
{
    uint64_t count = 0;

    for (const struct domain *sibling = domain->exporter->state; sibling != NULL; sibling = sibling->sibling)
        count += sibling->template_count;
    counter_set(&domain->exporter->row->templates, count);
}

static bool store_new(struct netflow *netflow, struct domain *domain, unsigned id, struct definition *definition,
                      int64_t now_ns)
{
    struct template *template;

    if (domain->template_count >= netflow->options.exporter_templates_max || !make_room(netflow, domain)) {
        netflow_count(netflow, INPUT_templates_refused);
        definition_release(netflow, definition);
        return false;
    }
    template = free_place(domain, id);
    *template = (struct template){.id = (uint16_t)id, .first_ns = now_ns, .last_ns = now_ns, .used_ns = now_ns,
                                  .definition = definition};
    domain->template_count++;
    return true;
}

bool template_store(struct netflow *netflow, struct domain *domain, unsigned id, struct definition *definition,
                    int64_t now_ns)
{
    struct template *template = template_find(domain, id);

    if (template == NULL) {
        if (!store_new(netflow, domain, id, definition, now_ns))
            return false;
        template = template_find(domain, id);
    } else if (template->definition == definition) {
        definition_release(netflow, definition);
        template->refreshes++;
        template->last_ns = now_ns;
        return true;
    } else {
        definition_release(netflow, template->definition);
        template->definition = definition;
        template->changes++;
        template->last_ns = now_ns;
        netflow_count(netflow, INPUT_templates_changed);
    }
    tell_count(domain);
    netflow->templates_changed = true;
    if (netflow->options.on_template != NULL)
        show_template(netflow, domain, template);
    return true;
}

/* Takes one out and moves up those of its run that it kept from their place. */
static void remove_at(struct netflow *netflow, struct domain *domain, unsigned hole)
{
    unsigned mask = domain->template_room - 1u;

    definition_release(netflow, domain->templates[hole].definition);
    for (unsigned at = (hole + 1) & mask; domain->templates[at].id != 0; at = (at + 1) & mask) {
        unsigned home = place_of(domain, domain->templates[at].id);

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            domain->templates[hole] = domain->templates[at];
            hole = at;
        }
    }
    domain->templates[hole] = (struct template){0};
    domain->template_count--;
    tell_count(domain);
    netflow->templates_changed = true;
}

void template_forget(struct netflow *netflow, struct domain *domain, unsigned id, enum template_kind kind)
{
    if (id != 0) {
        struct template *template = template_find(domain, id);

        if (template == NULL)
            return;
        remove_at(netflow, domain, (unsigned)(template - domain->templates));
        netflow_count(netflow, INPUT_templates_withdrawn);
        return;
    }
    for (unsigned i = 0; i < domain->template_room;) {
        if (domain->templates[i].id != 0 && domain->templates[i].definition->kind == kind) {
            remove_at(netflow, domain, i); /* another one may stand here now */
            netflow_count(netflow, INPUT_templates_withdrawn);
        } else {
            i++;
        }
    }
}

void templates_expire(struct netflow *netflow, struct domain *domain, int64_t now_ns)
{
    int64_t oldest_ns = now_ns - netflow->options.template_lifetime_ns;

    if (netflow->options.template_lifetime_ns == 0 || domain->session != 0)
        return;
    for (unsigned i = 0; i < domain->template_room;) {
        const struct template *template = &domain->templates[i];

        if (template->id != 0 && template->last_ns < oldest_ns && template->used_ns < oldest_ns) {
            remove_at(netflow, domain, i);
            netflow_count(netflow, INPUT_templates_expired);
        } else {
            i++;
        }
    }
}

void templates_free(struct netflow *netflow, struct domain *domain)
{
    for (unsigned i = 0; i < domain->template_room; i++)
        if (domain->templates[i].id != 0)
            definition_release(netflow, domain->templates[i].definition);
    netflow->template_bytes -= domain->template_room * sizeof(*domain->templates);
    free(domain->templates);
    domain->templates = NULL;
    domain->template_room = domain->template_count = 0;
    tell_count(domain);
}
