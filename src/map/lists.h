/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of what is to be told apart: ports (ports_file), IP protocols (protos_file), values of ToS (tos_file), a number
 * a line, protocols also by name. All others become one value, so that a few interesting ones do not drown: ports 0,
 * protocols and ToS 255. A line that begins with ! or # is a comment. All of a file or nothing of it.
 */
#ifndef MAP_LISTS_H
#define MAP_LISTS_H

#include "base/error.h"
#include "flow/flow.h"

enum list_kind { LIST_PORTS, LIST_PROTOS, LIST_TOS };

struct list {
    unsigned count;       /* different numbers */
    uint64_t words[1024]; /* a bit each */
};

/*
 * Reads a file, or `size` bytes of text that `name` stands for in phrases. The caller frees the list. NULL with a
 * phrase that names file and line when it cannot be used.
 */
struct list *list_load_ports(const char *path, struct error *error);
struct list *list_load_protos(const char *path, struct error *error);
struct list *list_load_tos(const char *path, struct error *error);
struct list *list_parse(enum list_kind kind, const char *name, const char *text, size_t size, struct error *error);
void list_free(struct list *list);

static inline unsigned list_count(const struct list *list)
{
    return list->count;
}

static inline bool list_has(const struct list *list, uint16_t number)
{
    return list->words[number / 64] >> number % 64 & 1;
}

#define list_no_port 0
#define list_no_proto 255
#define list_no_tos 255

/*
 * What the lists, each of them or NULL, make of a record. With `dscp` the numbers of `tos` are those of DSCP, and tos
 * becomes the DSCP here: it could not be told from list_no_tos later. Without `tos` nothing is done about DSCP.
 */
void lists_apply(const struct list *ports, const struct list *protos, const struct list *tos, bool dscp,
                 struct flow *flow);

#endif
