/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as one JSON object with every element by its name, for --decode: what an operator looks at to see what an
 * exporter sends. Lists (RFC 6313) are followed four deep; deeper ones, and those that do not hold what they announce,
 * are shown in hexadecimal. Each step of a list takes at least one octet of it, so the work is bounded by the record.
 */
#include "decode/netflow/show.h"

#include <stdio.h>
#include <stdlib.h>

#include "flow/element.h"

#define show_bytes_max (1u << 20)
#define list_depth_max 4
#define template_id_least 256 /* RFC 7011 section 3.4.1; free places of a table have 0 */

struct show {
    char text[show_bytes_max];
};

int show_open(struct netflow *netflow, struct error *error)
{
    if (netflow->options.on_record == NULL)
        return 0;
    netflow->show = malloc(sizeof(*netflow->show));
    return netflow->show == NULL ? error_set(error, "out of memory") : 0;
}

void show_close(struct netflow *netflow)
{
    free(netflow->show);
    netflow->show = NULL;
}

/* Where we are: lists are looked up in the templates of a domain. */
struct place {
    struct document *json;
    const struct domain *domain;
    unsigned depth;
};

static void show_fields(struct place place, struct field_walk *walk, bool scope);

/* ---- lists ---- */

static void semantic(struct document *json, unsigned number)
{
    static const char *const names[] = {"noneOf", "exactlyOneOf", "oneOrMoreOf", "allOf", "ordered"};

    if (number < array_length(names))
        document_member_text(json, "semantic", names[number]);
    else if (number == 255)
        document_member_text(json, "semantic", "undefined");
    else
        document_member_number(json, "semantic", number);
}

/* Octets of a list that could not be taken apart. */
static void show_rest(struct document *json, struct cursor rest)
{
    document_item(json, "octets", strlen("octets"));
    document_hex(json, rest.at, cursor_left(&rest));
    document_done(json);
}

/* The records of a template, to the end of `records`; false when they do not end there. */
static bool show_records(struct place place, const struct definition *definition, struct cursor *records)
{
    document_open(place.json, "records", '[');
    while (cursor_left(records) >= definition->record_min) {
        struct field_walk walk = field_walk_over(definition, records->at, cursor_left(records));

        document_open(place.json, NULL, '{');
        show_fields(place, &walk, true);
        show_fields(place, &walk, false);
        document_close(place.json);
        if (walk.cursor.failed)
            break;
        *records = walk.cursor;
    }
    document_close(place.json);
    return cursor_left(records) == 0;
}

static void show_template_records(struct place place, unsigned id, struct cursor records)
{
    const struct template *template = id < template_id_least ? NULL : template_find(place.domain, id);

    document_member_number(place.json, "template", id);
    if (template == NULL || !show_records(place, template->definition, &records))
        show_rest(place.json, records);
}

static void show_value_at(struct place place, const char *name, size_t name_length, unsigned type,
                          const uint8_t *bytes, uint32_t size);

/* semantic 1, element 2, length 2 [, enterprise 4], values (RFC 6313 section 4.5.1) */
static void show_basic_list(struct place place, struct cursor list)
{
    unsigned number = cursor_u8(&list), id = cursor_be16(&list), length = cursor_be16(&list);
    uint32_t enterprise = id & 0x8000 ? cursor_be32(&list) : 0;
    struct show_name name;

    show_name(place.domain, enterprise, id & 0x7fff, &name);
    semantic(place.json, number);
    document_item(place.json, "element", strlen("element"));
    document_string(place.json, name.text, name.length);
    document_done(place.json);
    document_open(place.json, "values", '[');
    while (cursor_left(&list) > 0 && length > 0) {
        struct cursor before = list;
        uint32_t size = length == template_variable ? field_variable_length(&list) : length;
        const uint8_t *bytes = cursor_take(&list, size);

        if (list.failed) {
            list = before;
            break;
        }
        show_value_at(place, NULL, 0, name.type, bytes, size);
    }
    document_close(place.json);
    if (cursor_left(&list) > 0)
        show_rest(place.json, list);
}

/* semantic 1, template 2, records (RFC 6313 section 4.5.2) */
static void show_sub_template_list(struct place place, struct cursor list)
{
    semantic(place.json, cursor_u8(&list));
    show_template_records(place, cursor_be16(&list), list);
}

/* semantic 1, then entries of template 2, length 2 with these four, records (RFC 6313 section 4.5.3) */
static void show_multi_list(struct place place, struct cursor list)
{
    semantic(place.json, cursor_u8(&list));
    document_open(place.json, "entries", '[');
    while (cursor_left(&list) >= 4) {
        struct cursor before = list;
        unsigned id = cursor_be16(&list), length = cursor_be16(&list);

        if (length < 4 || length - 4 > cursor_left(&list)) {
            list = before;
            break;
        }
        document_open(place.json, NULL, '{');
        show_template_records(place, id, cursor_sub(&list, length - 4));
        document_close(place.json);
    }
    document_close(place.json);
    if (cursor_left(&list) > 0)
        show_rest(place.json, list);
}

static const struct {
    void (*show)(struct place place, struct cursor list);
    uint32_t least; /* octets before the first value */
} lists[ELEMENT_TYPE_COUNT] = {
    [ELEMENT_BASIC_LIST] = {show_basic_list, 5},
    [ELEMENT_SUB_TEMPLATE_LIST] = {show_sub_template_list, 3},
    [ELEMENT_SUB_TEMPLATE_MULTI_LIST] = {show_multi_list, 1},
};

/* ---- fields ---- */

static void show_value_at(struct place place, const char *name, size_t name_length, unsigned type,
                          const uint8_t *bytes, uint32_t size)
{
    bool list = type < ELEMENT_TYPE_COUNT && lists[type].show != NULL && size >= lists[type].least;

    /* An enterprise's number makes a basic list's head four octets longer. */
    if (list && type == ELEMENT_BASIC_LIST && bytes[1] & 0x80 && size < lists[type].least + 4)
        list = false;
    if (list && place.depth < list_depth_max) {
        char text[show_name_max + 1];

        if (name != NULL)
            memcpy(text, name, name_length);
        text[name_length] = 0;
        document_open(place.json, name == NULL ? NULL : text, '{');
        place.depth++;
        lists[type].show(place, cursor_over(bytes, size));
        document_close(place.json);
        return;
    }
    document_item(place.json, name, name_length);
    show_value(place.json, type, bytes, size);
    document_done(place.json);
}

/* How often the element of a field stands before it, among the scope fields or among the others. */
static unsigned copies_before(const struct definition *definition, unsigned index)
{
    const struct template_field *fields = definition->fields;
    unsigned first = index < definition->scope_count ? 0 : definition->scope_count, copies = 0;

    for (unsigned i = first; i < index; i++)
        copies += fields[i].id == fields[index].id && fields[i].enterprise == fields[index].enterprise;
    return copies;
}

/* The scope fields, or all that follow. */
static void show_fields(struct place place, struct field_walk *walk, bool scope)
{
    struct field_value value;
    unsigned end = scope ? walk->definition->scope_count : walk->definition->field_count;

    while (walk->index < end && field_walk_next(walk, &value)) {
        struct show_name name;
        unsigned copies = copies_before(walk->definition, value.index);

        show_name(place.domain, value.field->enterprise, value.field->id, &name);
        if (copies > 0)
            name.length += (size_t)snprintf(name.text + name.length, sizeof(name.text) - name.length, "#%u",
                                            copies + 1);
        show_value_at(place, name.text, name.length, name.type, value.bytes, value.size);
    }
}

static void show_head(struct document *json, const struct netflow *netflow, const struct definition *definition,
                      unsigned template_id)
{
    const struct message *message = &netflow->message;

    document_member_address(json, "exporter", &netflow->domain->agent);
    document_member_number(json, "source_port", message->origin->source_port);
    document_member_number(json, "version", message->version);
    document_member_number(json, "domain", message->domain_id);
    document_member_number(json, "template", template_id);
    document_member_number(json, "sequence", message->sequence);
    document_member_time(json, "export_time", message->export_ns, 3);
    document_member_text(json, "kind", show_kind(definition));
}

void show_record(struct netflow *netflow, const struct definition *definition, unsigned template_id,
                 const uint8_t *bytes, size_t size)
{
    struct field_walk walk = field_walk_over(definition, bytes, size);
    struct document json;
    struct place place = {&json, netflow->domain, 0};

    if (netflow->show == NULL)
        return;
    document_begin(&json, netflow->show->text, sizeof(netflow->show->text));
    document_open(&json, NULL, '{');
    show_head(&json, netflow, definition, template_id);
    if (definition->scope_count > 0) {
        document_open(&json, "scope", '{');
        show_fields(place, &walk, true);
        document_close(&json);
    }
    document_open(&json, "record", '{');
    show_fields(place, &walk, false);
    document_close(&json);
    if (json.truncated)
        document_member_reserved(&json, "truncated", true);
    size = document_end(&json);
    netflow->options.on_record(netflow->options.text_context, netflow->show->text, size);
}
