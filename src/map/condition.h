/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The match keys of maps as a table: what a key is called, what it asks of a record, and how its value is written. Each
 * kind of map has a table of its own; how values are read is here, once.
 */
#ifndef MAP_CONDITION_H
#define MAP_CONDITION_H

#include "map/rules.h"

/* How a value is written. A minus before it, where the key allows one, turns the condition round. */
enum condition_form {
    CONDITION_NUMBER,        /* decimal, up to `most` */
    CONDITION_HEXADECIMAL,   /* with 0x before it or not, up to `most` */
    CONDITION_BOOLEAN,       /* true or false */
    CONDITION_ADDRESS,       /* an address without a length */
    CONDITION_PREFIX,        /* an address or a prefix */
    CONDITION_NO_PREFIX,     /* the same, where there are no exporters: such a row never fits, as in pmacct */
    CONDITION_MAC,
    CONDITION_PROTOCOL,      /* a name or a number */
    CONDITION_DISTINGUISHER, /* see distinguisher.h */
    CONDITION_ROA,           /* one of the letters of a validation state */
    CONDITION_COMMUNITIES,   /* up to 16, comma separated */
    CONDITION_SORT,          /* flow, event, option, flow-ipv4 ...: NetFlow's sample_type */
    CONDITION_SAMPLE,        /* ENTERPRISE:FORMAT: that of sFlow */
    CONDITION_FILTER,
    CONDITION_FORM_COUNT
};

struct condition_key {
    const char *name; /* first: rows_key */
    uint8_t daemons;  /* enum daemon_mask: those for which the row is; a name may come several times */
    uint8_t form;     /* enum condition_form */
    uint8_t absent;   /* enum rules_absent */
    bool minus;       /* allowed */
    uint16_t subject, other_subject;
    uint64_t most;
    const char *expected; /* for phrases, where the form alone says too little; or NULL */
};

/*
 * Reads a value. 1: a condition was made, whose text is borrowed from `value` and whose filter is the caller's, to
 * give on or to free; 0: there is nothing to ask; -1: a phrase that names key and value.
 */
int condition_read(const struct condition_key *key, const char *value, struct rules_condition *condition,
                   struct error *error);

/* The row of a name for this daemon, or NULL. */
const struct condition_key *condition_find(const struct condition_key *keys, unsigned count, const char *name,
                                           enum daemon_mask daemon);

/* Adds the fields that the keys ask for, as far as records of the daemon tell them. Filters need more: flow/image.h. */
void condition_fields(const struct condition_key *keys, unsigned count, enum daemon_mask daemon,
                      struct field_set *fields);

#endif
