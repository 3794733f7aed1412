/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a map as one indexed set: which is the first row, from a given one on, that fits a record? It costs as
 * much with a hundred thousand rows as with ten, as long as they ask for the same things.
 *
 * A row is a list of conditions that must all hold. Rows that ask for the same subjects with plain equality or by
 * prefix are of one *shape*, and a shape is one look into a hash table that all shapes share. A prefix is made an
 * equality, too: the record's address is resolved to the longest prefix of the map that holds it, and to those above.
 * What cannot be hashed (a minus, communities, a filter) is looked at only for the rows that the rest has found.
 *
 * Rows are added, then compiled once; after that nothing changes but what is remembered of the last records. For one
 * thread. Everything that a file can ask for is bounded: a set that would be slow is refused.
 */
#ifndef MAP_RULES_H
#define MAP_RULES_H

#include "flow/image.h"
#include "map/flow_filter.h"
#include "map/subject.h"
#include "net/prefix.h"

#define rules_rows_max (1u << 20)
#define rules_conditions_max 64u /* of a row */
#define rules_none UINT32_MAX    /* no row */

enum rules_operator {
    RULES_EQUAL,       /* `number` */
    RULES_PREFIX,      /* an address in `prefix` */
    RULES_COMMUNITIES, /* any of the comma-separated `text` is among the record's; a dot in it is any character */
    RULES_FILTER,      /* `filter` */
    RULES_NEVER        /* no record at all */
};

/* How a record that does not tell the subject is taken. */
enum rules_absent {
    RULES_ABSENT_OTHER, /* it equals nothing, so that a minus fits */
    RULES_ABSENT_ZERO,  /* it is 0 */
    RULES_ABSENT_NEVER  /* it fits no condition, with or without a minus */
};

struct rules_condition {
    uint16_t subject;
    uint16_t other_subject; /* EQUAL: this one is as good as `subject`; SUBJECT_NONE: there is none */
    uint8_t operator;       /* enum rules_operator */
    uint8_t absent;         /* enum rules_absent; the same for all rows of a subject */
    bool negated;
    uint64_t number;
    struct prefix prefix;        /* settled */
    const char *text;            /* copied */
    struct flow_filter *filter;  /* taken over by rules_add */
};

/*
 * What a row gives. The kind is the caller's, 0 to 3: whether the value says it all, or what there is to look up by the
 * row's number, which costs one more miss of the cache.
 */
struct rules_hit {
    uint32_t row;
    uint8_t kind;
    uint64_t value;
};

struct rules;

/* NULL when memory is short. */
struct rules *rules_new(void);
void rules_free(struct rules *rules);

/*
 * Adds a row; rows are numbered from 0 in this order. Two conditions of one subject are fine. Filters are taken, also
 * when it fails. 0, or -1 with a phrase.
 */
int rules_add(struct rules *rules, uint64_t value, uint8_t kind, const struct rules_condition *conditions,
              unsigned count, struct error *error);
/* Gives a row that was added another value and kind; before rules_compile. */
void rules_set(struct rules *rules, uint32_t row, uint64_t value, uint8_t kind);
uint32_t rules_count(const struct rules *rules);

/* Once, after the last row. -1 with a phrase, and *row the one that was too much (or rules_none). */
int rules_compile(struct rules *rules, uint32_t *row, struct error *error);

/* A new record. It and the image must stay as they are until the next one. `image` may be NULL without filters. */
void rules_start(struct rules *rules, const struct flow *flow, struct flow_image *image);

/* The first row of number `from` or more that fits. False when there is none. */
bool rules_find(struct rules *rules, uint32_t from, struct rules_hit *hit);

/* Records that filters could not be asked for, and why (or NULL): see flow_filter_misfits. */
uint64_t rules_misfits(const struct rules *rules, const char **phrase);

#endif
