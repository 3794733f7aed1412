/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a definition to its program. Two tables say what to do: mapping.def, which element gives which field or part,
 * and finish_table, which steps make fields of parts. What no plugin asks for gets no op, so that a record of thirty
 * fields of which six are aggregated costs six moves.
 *
 * Offsets are proved here once: a field before the first one of variable length lies within record_min octets; after
 * that, each variable field knows how many octets the rest takes at least, and run.c looks once per such field.
 */
#include <stdlib.h>

#include "decode/netflow/finish.h"
#include "decode/netflow/private.h"
#include "flow/custom.h"
#include "flow/element.h"

enum which { LAST, FIRST, TWICE_FIRST };
enum { TARGET_PARTS = FIELD_COUNT, TARGET_COUNT = FIELD_COUNT + PART_COUNT };

#define no_field UINT16_MAX

static const struct mapping {
    uint32_t enterprise;
    uint16_t id;
    uint16_t target; /* a field, or TARGET_PARTS + a part */
    uint8_t rank;    /* of the elements of one target that a template has, the lowest rank gives it */
    uint8_t which;   /* copy of an element that a template has several times */
} mapping_table[] = {
#define MAP_FIELD(field, enterprise, id, rank, which) {enterprise, id, FIELD_##field, rank, which},
#define MAP_PART(part, enterprise, id, rank, which) {enterprise, id, TARGET_PARTS + PART_##part, rank, which},
#include "decode/netflow/mapping.def"
#undef MAP_FIELD
#undef MAP_PART
};

/* Where a part stands in struct record, and of what kind it is. */
enum part_kind { PART_KIND_NUMBER, PART_KIND_ADDRESS, PART_KIND_BYTES };
static const struct part_row {
    uint16_t offset;
    uint8_t kind;
} part_table[PART_COUNT] = {
#define PART(id, kind) {offsetof(struct record, parts.id), PART_KIND_##kind},
#include "decode/netflow/parts.def"
#undef PART
};

/* An address whose two families are in one template is chosen per record, by a finishing step. */
static const struct family_row {
    uint16_t field, ipv4, ipv6; /* the field and the two parts */
} family_table[] = {
    {FIELD_SRC_HOST, PART_SRC_IPV4, PART_SRC_IPV6},
    {FIELD_DST_HOST, PART_DST_IPV4, PART_DST_IPV6},
};

/* Elements of which a template of traffic has at least one; without them it tells of events. */
static const uint16_t counter_elements[] = {1, 23, 85, 104, 231, 232, 315, 352};

struct choice {
    uint16_t index; /* of the field in the template, or no_field */
    uint8_t rank;
};

struct compilation {
    const struct netflow *netflow;
    struct definition *definition;
    struct choice choices[TARGET_COUNT];
    struct field_set wants;
    uint64_t parts_wanted[2];
    uint16_t op_room;
    uint16_t base[template_fields_max];   /* offset of a field from its base */
    uint16_t rest[template_fields_max];   /* least octets after it */
};

static bool is_repeated(const struct definition *definition, unsigned index)
{
    const struct template_field *field = &definition->fields[index];

    for (unsigned i = definition->scope_count; i < definition->field_count; i++)
        if (i != index && definition->fields[i].id == field->id &&
            definition->fields[i].enterprise == field->enterprise)
            return true;
    return false;
}

/* Octets that a value of this destination may have on the wire. */
static bool size_fits(unsigned target, unsigned length)
{
    enum field_type type;

    if (length == 0)
        return false;
    if (length == template_variable)
        return true; /* looked at in each record */
    if (target >= TARGET_PARTS) {
        uint8_t kind = part_table[target - TARGET_PARTS].kind;
        return kind != PART_KIND_ADDRESS || length == 4 || length == 16;
    }
    type = field_table[target].type;
    switch (type) {
    case FIELD_TYPE_ADDRESS:
        return length == 4 || length == 16;
    case FIELD_TYPE_MAC:
        return length == 6;
    case FIELD_TYPE_REAL:
        return length == 4 || length == 8;
    default:
        return true;
    }
}

static void offer(struct compilation *c, const struct mapping *mapping, unsigned index)
{
    struct choice *choice = &c->choices[mapping->target];

    if (!size_fits(mapping->target, c->definition->fields[index].length))
        return;
    if (mapping->which == TWICE_FIRST && !is_repeated(c->definition, index))
        return;
    if (choice->index != no_field && (mapping->rank > choice->rank ||
                                      (mapping->rank == choice->rank && mapping->which != LAST)))
        return;
    choice->index = (uint16_t)index;
    choice->rank = mapping->rank;
}

/* In IPFIX ids from 32768 on belong to enterprises; in v9 they are plain numbers, which mapping.def gives as such. */
static void choose(struct compilation *c)
{
    const struct definition *definition = c->definition;

    for (unsigned target = 0; target < TARGET_COUNT; target++)
        c->choices[target].index = no_field;
    for (unsigned i = definition->scope_count; i < definition->field_count; i++)
        for (unsigned m = 0; m < array_length(mapping_table); m++)
            if (mapping_table[m].id == definition->fields[i].id &&
                mapping_table[m].enterprise == definition->fields[i].enterprise)
                offer(c, &mapping_table[m], i);
    for (unsigned i = 0; i < array_length(family_table); i++) {
        const struct family_row *row = &family_table[i];
        struct choice *ipv4 = &c->choices[TARGET_PARTS + row->ipv4], *ipv6 = &c->choices[TARGET_PARTS + row->ipv6];

        if (ipv4->index != no_field && ipv6->index != no_field)
            c->choices[row->field].index = no_field;
        else
            ipv4->index = ipv6->index = no_field;
    }
}

static bool has_part(const struct compilation *c, enum part_id part)
{
    return c->choices[TARGET_PARTS + part].index != no_field;
}

static bool step_is_due(const struct compilation *c, const struct finish_row *row)
{
    bool has = row->part_count == 0, wanted = row->give_count == 0;

    for (unsigned i = 0; i < row->part_count && !has; i++)
        has = has_part(c, row->parts[i]);
    for (unsigned i = 0; i < row->give_count && !wanted; i++)
        wanted = field_set_has(&c->wants, row->gives[i]);
    return has && wanted;
}

static void choose_steps(struct compilation *c)
{
    c->wants = c->netflow->output.wants;
    finish_mirror(c->netflow, c->definition, &c->wants);
    for (unsigned s = 0; s < finish_count; s++) {
        const struct finish_row *row = &finish_table[s];

        if (!step_is_due(c, row))
            continue;
        c->definition->finishers |= UINT32_C(1) << s;
        for (unsigned i = 0; i < row->part_count; i++)
            if (has_part(c, row->parts[i]))
                c->parts_wanted[row->parts[i] / 64] |= UINT64_C(1) << (row->parts[i] % 64);
        for (unsigned i = 0; i < row->need_count; i++)
            field_set_add(&c->wants, row->needs[i]);
    }
    if (field_set_has(&c->wants, FIELD_SRC_PORT) || field_set_has(&c->wants, FIELD_DST_PORT))
        field_set_add(&c->wants, FIELD_PROTO); /* run.c asks it whether there are ports */
    field_set_add(&c->wants, FIELD_PACKETS);
    field_set_add(&c->wants, FIELD_BYTES);
}

static void measure(struct compilation *c)
{
    const struct definition *definition = c->definition;
    unsigned offset = 0, rest = 0;

    for (unsigned i = 0; i < definition->field_count; i++) {
        c->base[i] = (uint16_t)offset;
        offset = definition->fields[i].length == template_variable ? 0 : offset + definition->fields[i].length;
    }
    for (unsigned i = definition->field_count; i-- > 0;) {
        c->rest[i] = (uint16_t)rest;
        rest += definition->fields[i].length == template_variable ? 1 : definition->fields[i].length;
    }
}

/* Moves that need no look at the value. */
static uint8_t plain_number(unsigned size, unsigned width)
{
    static const struct {
        uint8_t size, width, kind;
    } rows[] = {{1, 1, OP_U8}, {2, 2, OP_U16}, {4, 4, OP_U32}, {8, 8, OP_U64}, {4, 8, OP_U32_U64}, {2, 4, OP_U16_U32}};

    for (unsigned i = 0; i < array_length(rows); i++)
        if (rows[i].size == size && rows[i].width == width)
            return rows[i].kind;
    return OP_NUMBER;
}

static uint8_t address_kind(unsigned size)
{
    return size == 4 ? OP_IPV4 : OP_IPV6;
}

/* The op for a field of struct flow. */
static struct op field_op(enum field_id field, const struct template_field *from)
{
    const struct field *row = &field_table[field];
    struct op op = {.width = (uint8_t)row->flow_bytes, .size = from->length,
                    .to = (uint16_t)(offsetof(struct record, flow) + row->flow_offset)};
    const struct element *element;

    switch (row->type) {
    case FIELD_TYPE_ADDRESS:
        op.kind = address_kind(from->length);
        break;
    case FIELD_TYPE_MAC:
        op.kind = OP_MAC;
        break;
    case FIELD_TYPE_STRING:
        op.kind = OP_TEXT;
        break;
    case FIELD_TYPE_REAL:
        op.kind = OP_REAL;
        break;
    case FIELD_TYPE_TIME:
        element = element_find(from->enterprise, from->id);
        op.kind = OP_TIME;
        op.width = element != NULL ? element->type : ELEMENT_MILLISECONDS;
        break;
    case FIELD_TYPE_FLAGS:
    case FIELD_TYPE_FLAGS_TEXT: /* the low octet: pmacct's eight flags */
        op.kind = OP_FLAGS;
        break;
    default:
        op.kind = plain_number(from->length, op.width);
        break;
    }
    return op;
}

static struct op part_op(enum part_id part, const struct template_field *from)
{
    const struct part_row *row = &part_table[part];
    struct op op = {.width = 8, .size = from->length, .to = row->offset};

    if (row->kind == PART_KIND_NUMBER)
        op.kind = plain_number(from->length, 8);
    else
        op.kind = row->kind == PART_KIND_ADDRESS ? address_kind(from->length) : OP_BYTES;
    return op;
}

/* The op of a custom primitive; kind OP_END when an element of this length cannot give it. */
static struct op custom_op(const struct custom_field *custom, const struct template_field *from)
{
    struct op op = {.kind = OP_END, .width = 8, .size = from->length,
                    .to = (uint16_t)(offsetof(struct record, flow) + field_table[custom->field].flow_offset)};
    const struct element *element;
    unsigned length = from->length;

    switch (custom->semantics) {
    case CUSTOM_UNSIGNED:
    case CUSTOM_HEXADECIMAL:
    case CUSTOM_BOOLEAN:
        op.kind = plain_number(length, 8);
        break;
    case CUSTOM_SIGNED:
        op.kind = OP_SIGNED;
        break;
    case CUSTOM_ADDRESS:
        op.kind = length == 4 || length == 16 || length == template_variable ? address_kind(length) : OP_END;
        break;
    case CUSTOM_MAC:
        op.kind = length == 6 || length == template_variable ? OP_MAC : OP_END;
        break;
    case CUSTOM_TEXT:
        op.kind = OP_TEXT;
        break;
    case CUSTOM_RAW:
        op.kind = OP_BYTES;
        break;
    case CUSTOM_REAL:
        op.kind = length == 4 || length == 8 || length == template_variable ? OP_REAL : OP_END;
        break;
    case CUSTOM_TIME:
        element = element_find(from->enterprise, from->id);
        op.kind = OP_TIME;
        op.width = element != NULL ? element->type : ELEMENT_MILLISECONDS;
        break;
    default:
        break;
    }
    return op;
}

/*
 * Adds an op for a field of the template. A variable field moves the base, in its last op; the ones before it look
 * without moving (OP_VARIABLE_LOOK).
 */
static int add_op(struct compilation *c, unsigned index, struct op op)
{
    struct definition *definition = c->definition;
    bool variable = definition->fields[index].length == template_variable;

    if (definition->op_count + 2 > c->op_room) {
        uint16_t room = (uint16_t)(2 * c->op_room + 16);
        struct op *grown = realloc(definition->ops, room * sizeof(*grown));

        if (grown == NULL)
            return -1;
        definition->ops = grown;
        c->op_room = room;
    }
    op.from = c->base[index];
    if (variable) {
        op.inner = op.kind;
        op.kind = op.inner == OP_END ? OP_VARIABLE : OP_VARIABLE_LOOK;
        op.size = c->rest[index];
    }
    definition->ops[definition->op_count++] = op;
    return 0;
}

/* Every target that is wanted and that this field of the template gives. */
static int add_ops_of(struct compilation *c, unsigned index)
{
    struct definition *definition = c->definition;
    const struct template_field *field = &definition->fields[index];

    for (unsigned target = 0; target < TARGET_COUNT; target++) {
        enum part_id part = (enum part_id)(target - TARGET_PARTS);

        if (c->choices[target].index != index)
            continue;
        if (target < TARGET_PARTS) {
            if (!field_set_has(&c->wants, (enum field_id)target))
                continue;
            field_set_add(&definition->have, (enum field_id)target);
            if (add_op(c, index, field_op((enum field_id)target, field)) < 0)
                return -1;
        } else if (c->parts_wanted[part / 64] >> (part % 64) & 1) {
            definition->parts_have[part / 64] |= UINT64_C(1) << (part % 64);
            if (add_op(c, index, part_op(part, field)) < 0)
                return -1;
        }
    }
    return 0;
}

static unsigned occurrence_of(const struct definition *definition, unsigned index)
{
    unsigned count = 0;

    for (unsigned i = definition->scope_count; i < index; i++)
        count += definition->fields[i].id == definition->fields[index].id &&
                 definition->fields[i].enterprise == definition->fields[index].enterprise;
    return count;
}

static int add_custom_ops_of(struct compilation *c, unsigned index)
{
    struct definition *definition = c->definition;
    const struct template_field *field = &definition->fields[index];

    for (unsigned i = 0; i < custom_field_count(); i++) {
        const struct custom_field *custom = custom_field_at(i);
        struct op op;

        if (custom->enterprise != field->enterprise || custom->element != field->id || field->length == 0 ||
            !field_set_has(&c->wants, custom->field) || occurrence_of(definition, index) != custom->occurrence ||
            (custom->length != 0 && custom->length != field->length))
            continue;
        op = custom_op(custom, field);
        if (op.kind == OP_END)
            continue;
        field_set_add(&definition->have, custom->field);
        if (add_op(c, index, op) < 0)
            return -1;
    }
    return 0;
}

static bool is_event(const struct definition *definition)
{
    for (unsigned i = definition->scope_count; i < definition->field_count; i++)
        for (unsigned e = 0; e < array_length(counter_elements); e++)
            if (definition->fields[i].id == counter_elements[e] &&
                (definition->fields[i].enterprise == 0 || definition->fields[i].enterprise == enterprise_reverse))
                return false;
    return true;
}

static int add_all_ops(struct compilation *c)
{
    struct definition *definition = c->definition;

    for (unsigned i = 0; i < definition->field_count; i++) {
        if (i >= definition->scope_count && (add_ops_of(c, i) < 0 || add_custom_ops_of(c, i) < 0))
            return -1;
        if (definition->fields[i].length == template_variable && add_op(c, i, (struct op){.kind = OP_END}) < 0)
            return -1;
    }
    return 0;
}

/* Two moves of one kind take one step of run.c, whose cost is not the move but the step. Returns the new count. */
static unsigned join_moves(struct op *ops, unsigned op_count)
{
    static const uint8_t twice[OP_END] = {
        [OP_U16] = OP_U16_TWICE, [OP_U32] = OP_U32_TWICE,   [OP_U64] = OP_U64_TWICE, [OP_U32_U64] = OP_U32_U64_TWICE,
        [OP_IPV4] = OP_IPV4_TWICE, [OP_IPV6] = OP_IPV6_TWICE,
    };
    unsigned count = 0;

    for (unsigned i = 0; i < op_count; i++) {
        struct op op = ops[i];
        bool joined = false;

        /* Not beyond the last variable field: the base is another one before it. */
        for (unsigned k = count; k-- > 0 && twice[op.kind] != 0 && ops[k].kind != OP_VARIABLE && !joined;) {
            struct op *before = &ops[k];

            if (before->kind != op.kind)
                continue;
            before->kind = twice[op.kind];
            before->from_2 = op.from;
            before->to_2 = op.to;
            joined = true;
        }
        if (!joined)
            ops[count++] = op;
    }
    return count;
}

/* The end: how many octets of the record follow the last variable field. */
static int add_end(struct compilation *c)
{
    struct definition *definition = c->definition;
    struct op *fitted;
    unsigned tail = 0;

    for (unsigned i = definition->field_count; i-- > 0 && definition->fields[i].length != template_variable;)
        tail += definition->fields[i].length;
    if (definition->ops == NULL && (definition->ops = malloc(sizeof(struct op))) == NULL)
        return -1;
    definition->ops[definition->op_count] = (struct op){.kind = OP_END, .size = (uint16_t)tail};
    direct_compile(c->netflow, definition, join_moves);
    definition->op_count = (uint16_t)join_moves(definition->ops, definition->op_count);
    definition->ops[definition->op_count] = (struct op){.kind = OP_END, .size = (uint16_t)tail};
    fitted = realloc(definition->ops, (definition->op_count + 1u) * sizeof(*fitted));
    definition->ops = fitted != NULL ? fitted : definition->ops;
    definition->bytes += (uint32_t)((definition->op_count + 1u) * sizeof(*fitted));
    return 0;
}

int definition_compile(const struct netflow *netflow, struct definition *definition)
{
    struct compilation *c = calloc(1, sizeof(*c));
    int result;

    if (c == NULL)
        return -1;
    c->netflow = netflow;
    c->definition = definition;
    measure(c);
    choose(c);
    choose_steps(c);
    definition->event = is_event(definition);
    definition->two_way = finish_is_two_way(definition, true);
    result = add_all_ops(c);
    definition->checks_ports = field_set_has(&definition->have, FIELD_PROTO) &&
                               (field_set_has(&definition->have, FIELD_SRC_PORT) ||
                                field_set_has(&definition->have, FIELD_DST_PORT));
    if (result == 0)
        result = add_end(c);
    if (result < 0) {
        free(definition->ops);
        definition->ops = NULL;
    }
    free(c);
    return result;
}
