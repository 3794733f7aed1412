/* SPDX-License-Identifier: BSD-2-Clause */
/* Both directions of the bodies that query.h describes. Everything read here comes from outside. */
#include "plugins/common/query.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "flow/custom.h"

enum field_id query_field(const char *name, size_t length)
{
    for (unsigned id = 0; id < FIELD_COUNT; id++)
        if (strlen(field_table[id].json) == length && memcmp(field_table[id].json, name, length) == 0)
            return (enum field_id)id;
    return FIELD_COUNT;
}

static enum field_id read_field(struct cursor *c)
{
    size_t length = cursor_u8(c);
    const uint8_t *name = cursor_take(c, length);

    return name == NULL ? FIELD_COUNT : query_field((const char *)name, length);
}

/* A value has the length that its field's type asks for. */
static bool value_fits(enum field_id field, size_t length)
{
    switch (field_table[field].type) {
    case FIELD_TYPE_ADDRESS:
        return length == 16;
    case FIELD_TYPE_STRING:
        return length <= flow_string_max;
    default:
        return length == 8;
    }
}

int query_match_read(struct query_match *match, const uint8_t *body, size_t bytes, struct error *error)
{
    struct cursor c = cursor_over(body, bytes);
    size_t count;

    *match = (struct query_match){.values = NULL};
    match->field_count = cursor_u8(&c);
    if (match->field_count == 0 || match->field_count > query_fields_max)
        return error_set(error, "a query has 1 to %d fields", query_fields_max);
    for (unsigned i = 0; i < match->field_count; i++) {
        match->fields[i] = (uint16_t)read_field(&c);
        if (match->fields[i] == FIELD_COUNT)
            return error_set(error, "field %u of the query is not known", i + 1);
    }
    match->query_count = cursor_be16(&c);
    count = (size_t)match->query_count * match->field_count;
    if (match->query_count == 0 || match->query_count > queries_max || count * 2 > cursor_left(&c))
        return error_set(error, "a request has 1 to %d queries", queries_max);
    match->values = calloc(count, sizeof(*match->values));
    if (match->values == NULL)
        return error_set(error, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct query_value *value = &match->values[i];

        value->length = cursor_be16(&c);
        if (value->length == query_any)
            continue;
        value->bytes = cursor_take(&c, value->length);
        if (!c.failed && !value_fits(match->fields[i % match->field_count], value->length))
            return error_set(error, "a value of %u bytes for '%s'", value->length,
                             field_table[match->fields[i % match->field_count]].json);
    }
    if (c.failed || cursor_left(&c) > 0)
        return error_set(error, "the request's length does not fit its contents");
    return 0;
}

uint8_t *query_match_write(const struct query_match *match, size_t *bytes)
{
    size_t count = (size_t)match->query_count * match->field_count;
    size_t need = 1 + match->field_count * (size_t)256 + 2 + 2 * count;
    uint8_t *body, *at;

    for (size_t i = 0; i < count; i++)
        need += match->values[i].length == query_any ? 0 : match->values[i].length;
    body = need > frame_request_max ? NULL : malloc(need);
    if (body == NULL)
        return NULL;
    at = body;
    *at++ = (uint8_t)match->field_count;
    for (unsigned i = 0; i < match->field_count; i++) {
        const char *name = field_table[match->fields[i]].json;
        size_t length = strlen(name);

        *at++ = (uint8_t)length;
        memcpy(at, name, length);
        at += length;
    }
    store_be16(at, (uint16_t)match->query_count);
    at += 2;
    for (size_t i = 0; i < count; i++) {
        const struct query_value *value = &match->values[i];

        store_be16(at, value->length);
        at += 2;
        if (value->length == query_any || value->length == 0)
            continue;
        memcpy(at, value->bytes, value->length);
        at += value->length;
    }
    *bytes = (size_t)(at - body);
    return body;
}

void query_match_free(struct query_match *match)
{
    free(match->values);
    match->values = NULL;
}

size_t query_layout_write(const struct layout *layout, uint8_t *out)
{
    uint8_t *at = out;

    store_be64(at, layout->fingerprint);
    store_be16(at + 8, layout->key_bytes);
    store_be16(at + 10, layout->value_count);
    store_be16(at + 12, layout->body_bytes);
    store_be16(at + 14, layout->slot_count);
    at += 16;
    for (unsigned i = 0; i < layout->slot_count; i++) {
        const struct layout_slot *slot = &layout->slots[i];
        const char *name = field_table[slot->field].json;
        size_t length = strlen(name);

        store_be16(at, slot->offset);
        at[2] = slot->bytes;
        at[3] = slot->type;
        at[4] = slot->role;
        at[5] = (uint8_t)length;
        memcpy(at + 6, name, length);
        at += 6 + length;
    }
    return (size_t)(at - out);
}

/* A slot of the other end, as one of ours; false when it lies outside the row. */
static bool place_slot(struct layout *layout, struct layout_slot *slot)
{
    bool key = slot->role == FIELD_ROLE_KEY || slot->role == FIELD_ROLE_BIN;
    unsigned bytes = key ? field_type_bytes(field_table[slot->field].type) : 8;
    unsigned start = key ? 0 : layout->key_bytes;
    unsigned end = key ? layout->key_bytes : layout->body_bytes;

    return slot->bytes == bytes && slot->offset >= start && slot->offset + bytes <= end && slot->offset % bytes == 0;
}

/* The field of a slot. A name that is not known may be a custom primitive of the daemon: then it is one here, too. */
static enum field_id read_slot_field(struct cursor *c, const struct layout_slot *slot)
{
    size_t length = cursor_u8(c);
    const char *name = (const char *)cursor_take(c, length);
    enum field_id field = name != NULL ? query_field(name, length) : FIELD_COUNT;

    if (field == FIELD_COUNT && name != NULL && slot->role == FIELD_ROLE_KEY)
        field = custom_field_learn(name, length, slot->type);
    return field;
}

static int read_slot(struct layout *layout, struct cursor *c, unsigned *unknown, struct error *error)
{
    struct layout_slot slot = {.offset = cursor_be16(c)};
    enum field_id field;

    slot.bytes = cursor_u8(c);
    slot.type = cursor_u8(c);
    slot.role = cursor_u8(c);
    field = read_slot_field(c, &slot);
    if (c->failed)
        return error_set(error, "the answer's layout is cut short");
    if (field == FIELD_COUNT || field_table[field].type != slot.type || field_table[field].role != slot.role ||
        slot.role == FIELD_ROLE_PURGE) {
        (*unknown)++;
        return 0;
    }
    slot.field = (uint16_t)field;
    if (field_set_has(&layout->fields, field) || !place_slot(layout, &slot))
        return error_set(error, "the answer's layout has no sense at '%s'", field_table[field].json);
    if (slot.type == FIELD_TYPE_STRING) {
        if (layout->string_count == layout_strings_max)
            return error_set(error, "the answer's layout has too many texts");
        layout->string_offsets[layout->string_count++] = slot.offset;
    }
    if (slot.role == FIELD_ROLE_BIN)
        layout->bin_offset = (int16_t)slot.offset;
    field_set_add(&layout->fields, field);
    layout->slots[layout->slot_count++] = slot;
    return 0;
}

int query_layout_read(struct layout *layout, const uint8_t *body, size_t bytes, unsigned *unknown, struct error *error)
{
    struct cursor c = cursor_over(body, bytes);
    unsigned slots;

    *unknown = 0;
    memset(layout, 0, sizeof(*layout));
    layout->bin_offset = -1;
    layout->fingerprint = cursor_be64(&c);
    layout->key_bytes = cursor_be16(&c);
    layout->value_count = cursor_be16(&c);
    layout->body_bytes = cursor_be16(&c);
    slots = cursor_be16(&c);
    if (c.failed || layout->key_bytes > layout_key_max || layout->key_bytes % 8 != 0 || layout->value_count < 2 ||
        layout->value_count > layout_values_max || layout->body_bytes != layout->key_bytes + 8 * layout->value_count)
        return error_set(error, "the answer's layout has no sense");
    for (unsigned i = 0; i < slots; i++)
        if (read_slot(layout, &c, unknown, error) < 0)
            return -1;
    if (layout_find(layout, FIELD_PACKETS) == NULL || layout_find(layout, FIELD_BYTES) == NULL ||
        layout_find(layout, FIELD_PACKETS)->offset != layout->key_bytes ||
        layout_find(layout, FIELD_BYTES)->offset != layout->key_bytes + 8)
        return error_set(error, "the answer's layout has no packets and bytes where they belong");
    if (layout->bin_offset >= 0)
        field_set_add(&layout->fields, FIELD_STAMP_UPDATED);
    return 0;
}

int query_strings_read(struct intern *intern, const uint8_t *body, size_t bytes, struct error *error)
{
    struct cursor c = cursor_over(body, bytes);
    uint32_t id = cursor_be32(&c);
    uint32_t count = cursor_be32(&c);

    for (; count > 0 && !c.failed; count--, id++) {
        uint16_t length = cursor_be16(&c);
        const uint8_t *text = cursor_take(&c, length);

        if (c.failed || length == 0 || length > flow_string_max || intern_put(intern, (const char *)text, length) != id)
            return error_set(error, "the answer's texts are out of order");
    }
    return c.failed || cursor_left(&c) > 0 ? error_set(error, "the answer's texts are cut short") : 0;
}
