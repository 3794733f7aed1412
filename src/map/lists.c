/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/lists.h"

#include <stdlib.h>

#include "base/nearest.h"
#include "base/rows.h"
#include "net/names.h"

static int read_port(const char *text, uint64_t *number, struct error *error)
{
    if (rows_number(text, UINT16_MAX, number))
        return 0;
    return error_set(error, "'%.40s' is not a port, 0 to 65535", text);
}

static int read_proto(const char *text, uint64_t *number, struct error *error)
{
    int found = names_protocol_number(text);
    struct nearest nearest;

    *number = (uint64_t)(found < 0 ? 0 : found);
    if (found >= 0)
        return 0;
    nearest_start(&nearest, text);
    for (unsigned i = 0; i <= UINT8_MAX; i++)
        if (names_protocol((uint8_t)i) != NULL)
            nearest_offer(&nearest, names_protocol((uint8_t)i));
    if (nearest_result(&nearest) != NULL)
        return error_set(error, "'%.40s' is not a protocol, did you mean '%s'?", text, nearest_result(&nearest));
    return error_set(error, "'%.40s' is not a protocol, a name or 0 to 255", text);
}

static int read_tos(const char *text, uint64_t *number, struct error *error)
{
    if (rows_number(text, UINT8_MAX, number))
        return 0;
    return error_set(error, "'%.40s' is not a value of ToS, 0 to 255", text);
}

static const struct {
    struct rows_kind file;
    int (*read)(const char *text, uint64_t *number, struct error *error); /* at most UINT16_MAX */
} kinds[] = {
    [LIST_PORTS] = {{"ports file", 16 << 20, 255}, read_port},
    [LIST_PROTOS] = {{"protocols file", 16 << 20, 255}, read_proto},
    [LIST_TOS] = {{"ToS file", 16 << 20, 255}, read_tos},
};

static void add(struct list *list, uint16_t number)
{
    list->count += !list_has(list, number);
    list->words[number / 64] |= UINT64_C(1) << number % 64;
}

/* `got` is what rows_load or rows_parse returned. */
static struct list *read_lines(enum list_kind kind, struct rows_reader *reader, int got, struct error *error)
{
    struct list *list = calloc(1, sizeof(*list));
    uint64_t number;
    char *line;

    if (list == NULL)
        got = error_set(error, "out of memory");
    while (got == 0 && (got = rows_line(reader, &line, error)) > 0) {
        got = kinds[kind].read(line, &number, error) < 0 ? rows_fail(reader, error) : 0;
        if (got == 0)
            add(list, (uint16_t)number);
    }
    rows_free(reader);
    if (got == 0)
        return list;
    free(list);
    return NULL;
}

static struct list *load(enum list_kind kind, const char *path, struct error *error)
{
    struct rows_reader reader;
    int got = rows_load(&reader, path, &kinds[kind].file, error);

    return read_lines(kind, &reader, got, error);
}

struct list *list_load_ports(const char *path, struct error *error)
{
    return load(LIST_PORTS, path, error);
}

struct list *list_load_protos(const char *path, struct error *error)
{
    return load(LIST_PROTOS, path, error);
}

struct list *list_load_tos(const char *path, struct error *error)
{
    return load(LIST_TOS, path, error);
}

struct list *list_parse(enum list_kind kind, const char *name, const char *text, size_t size, struct error *error)
{
    struct rows_reader reader;
    int got = rows_parse(&reader, name, text, size, &kinds[kind].file, error);

    return read_lines(kind, &reader, got, error);
}

void list_free(struct list *list)
{
    free(list);
}

void lists_apply(const struct list *ports, const struct list *protos, const struct list *tos, bool dscp,
                 struct flow *flow)
{
    if (ports != NULL && flow_has(flow, FIELD_SRC_PORT) && !list_has(ports, flow->src_port))
        flow->src_port = list_no_port;
    if (ports != NULL && flow_has(flow, FIELD_DST_PORT) && !list_has(ports, flow->dst_port))
        flow->dst_port = list_no_port;
    if (protos != NULL && flow_has(flow, FIELD_PROTO) && !list_has(protos, flow->proto))
        flow->proto = list_no_proto;
    if (tos != NULL && flow_has(flow, FIELD_TOS)) {
        uint8_t value = (uint8_t)(dscp ? flow->tos >> 2 : flow->tos);

        flow->tos = list_has(tos, value) ? value : list_no_tos;
    }
}
