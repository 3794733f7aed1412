/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the templates file, read. Its form is told in persist.c. */
#ifndef DECODE_NETFLOW_TEMPLATES_LINE_H
#define DECODE_NETFLOW_TEMPLATES_LINE_H

#include "decode/netflow/private.h"

/* Members of a line, in `have` as 1 << its number. */
enum templates_member {
    MEMBER_FORMAT,
    MEMBER_EXPORTER,
    MEMBER_PORT,
    MEMBER_VERSION,
    MEMBER_DOMAIN,
    MEMBER_ID,
    MEMBER_KIND,
    MEMBER_SCOPE_COUNT,
    MEMBER_FIELDS,
    MEMBER_FIRST_SEEN,
    MEMBER_LAST_SEEN,
    MEMBER_SAMPLER,
    MEMBER_ADDRESS,
    MEMBER_SYSTEM_INIT,
    MEMBER_COUNT
};

struct templates_line {
    uint32_t have;
    uint64_t number[MEMBER_COUNT]; /* of those that are numbers */
    struct address exporter, address;
    enum template_kind kind;
    struct sampler_row sampler;
    unsigned field_count;
    struct template_field fields[template_fields_max];
};

/* Reads one line without its newline. Returns 0, or -1 with a phrase that says what was expected and where. */
int templates_line_read(struct templates_line *line, const char *text, size_t length, struct error *error);

static inline bool templates_line_has(const struct templates_line *line, enum templates_member member)
{
    return line->have >> member & 1;
}

#endif
