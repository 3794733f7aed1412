/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way: from the wire to the body of a plugin's layout, without a struct record between. A program of run.c is
 * taken for each plugin with its destinations moved into the body; what a record of this template cannot give, but the
 * message can (exporter, versions, times), stands in an image of the body that is made once per set.
 *
 * It is taken when the template needs no finishing step, and the output (collector.c) allows it for all plugins.
 */
#include <stdlib.h>

#include "decode/netflow/private.h"

/* Where a field of struct flow goes in the body; no_port: nowhere. */
static uint16_t place_of(const struct layout *layout, uint16_t flow_offset, unsigned *copies)
{
    uint16_t place = no_port;

    for (unsigned i = 0; i < layout->copy_end[0][4]; i++) {
        if (layout->copies[0][i].from != flow_offset)
            continue;
        place = layout->copies[0][i].to;
        (*copies)++;
    }
    return place;
}

/* The op for this layout; kind OP_END when the plugin has no use for it. *copies: how many it makes. */
static struct op move_op(const struct layout *layout, struct op op, unsigned *copies)
{
    uint16_t place = op.to >= sizeof(struct flow) ? no_port : place_of(layout, op.to, copies);

    if (op.kind == OP_VARIABLE)
        return op;
    if (place == no_port)
        op.kind = OP_END;
    op.to = place;
    return op;
}

static uint16_t port_place(const struct layout *layout, enum field_id field)
{
    unsigned copies = 0;

    return place_of(layout, field_table[field].flow_offset, &copies);
}

static bool make(const struct layout *layout, const struct definition *definition, struct direct *direct,
                 unsigned (*join)(struct op *ops, unsigned count))
{
    unsigned count = 0, copies = 0;

    direct->ops = malloc((definition->op_count + 1u) * sizeof(struct op));
    if (direct->ops == NULL)
        return false;
    for (unsigned i = 0; i < definition->op_count; i++) {
        unsigned of_this = 0;
        struct op op = move_op(layout, definition->ops[i], &of_this);

        if (of_this > 1)
            return false; /* one field in two places: a base time and its likes */
        copies += of_this;
        if (op.kind != OP_END)
            direct->ops[count++] = op;
    }
    count = join(direct->ops, count);
    direct->ops[count] = definition->ops[definition->op_count]; /* OP_END */
    direct->covers = copies == layout->copy_end[0][4];
    direct->ports[0] = port_place(layout, FIELD_SRC_PORT);
    direct->ports[1] = port_place(layout, FIELD_DST_PORT);
    direct->checks_ports = definition->checks_ports && (direct->ports[0] != no_port || direct->ports[1] != no_port);
    return true;
}

/* The protocol must be one octet at a fixed place, if anybody asks it about ports. */
static bool find_protocol(struct definition *definition)
{
    for (unsigned i = 0; i < definition->op_count; i++) {
        const struct op *op = &definition->ops[i];

        if (op->kind == OP_VARIABLE)
            break;
        if (op->to == field_table[FIELD_PROTO].flow_offset) {
            definition->proto_at = op->from;
            return op->kind == OP_U8;
        }
    }
    return !definition->checks_ports;
}

static bool is_possible(const struct netflow *netflow, struct definition *definition)
{
    if (netflow->output.target_count == 0 || definition->kind != TEMPLATE_DATA || definition->finishers != 0 ||
        netflow->options.on_record != NULL)
        return false;
    for (unsigned i = 0; i < definition->op_count; i++)
        if (definition->ops[i].kind == OP_VARIABLE_LOOK) /* their values have many forms: run.c */
            return false;
    return find_protocol(definition);
}

void direct_compile(const struct netflow *netflow, struct definition *definition,
                    unsigned (*join)(struct op *ops, unsigned count))
{
    _Static_assert(offsetof(struct record, flow) == 0, "destinations of ops count from the flow");

    if (!is_possible(netflow, definition))
        return;
    definition->direct = calloc(netflow->output.target_count, sizeof(*definition->direct));
    definition->direct_count = definition->direct == NULL ? 0 : netflow->output.target_count;
    for (unsigned i = 0; i < definition->direct_count; i++) {
        if (!make(netflow->output.targets[i], definition, &definition->direct[i], join)) {
            direct_free(definition);
            return;
        }
    }
    definition->bytes += (uint32_t)(definition->direct_count *
                                    (sizeof(struct direct) + (definition->op_count + 1u) * sizeof(struct op)));
}

void direct_free(struct definition *definition)
{
    for (unsigned i = 0; i < definition->direct_count; i++)
        free(definition->direct[i].ops);
    free(definition->direct);
    definition->direct = NULL;
    definition->direct_count = 0;
}
