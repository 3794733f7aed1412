/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key `preprocess`: which rows of a purge are worth delivering, by their counters. Rows that are left out are
 * counted by the caller.
 */
#ifndef PLUGINS_COMMON_PREPROCESS_H
#define PLUGINS_COMMON_PREPROCESS_H

#include "flow/layout.h"

#define preprocess_checks_max 8

struct preprocess {
    struct preprocess_check {
        uint8_t kind; /* row of the table in preprocess.c */
        uint64_t limit;
    } checks[preprocess_checks_max];
    unsigned count;        /* 0: every row is kept */
    bool all;              /* all checks must pass; else one is enough */
    uint16_t flows_offset; /* of `flows` in the body */
};

/*
 * Reads "minp=10, maxb=500": minp minf minb keep a row with that much or more packets, flows, bytes; maxp maxf maxb
 * keep one with less; minbpp and minppf compare bytes per packet and packets per flow. NULL gives no checks. A check
 * of flows wants `flows` in the aggregate. Returns 0 or -1.
 */
int preprocess_parse(struct preprocess *preprocess, const char *list, bool all, const struct layout *layout,
                     struct error *error);

/* True when the row is to be delivered. */
bool preprocess_keeps(const struct preprocess *preprocess, const struct layout *layout, const uint8_t *body);

#endif
