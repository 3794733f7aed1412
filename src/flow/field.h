/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of each field, as data: the rows of fields.def with the offset of their member in struct flow.
 * Everybody who treats "all fields alike" (layout, encoders, help, tests) walks this table; nobody else names fields.
 */
#ifndef FLOW_FIELD_H
#define FLOW_FIELD_H

#include "base/base.h"
#include "base/error.h"

enum field_id {
#define FIELD(id, ...) FIELD_##id,
#include "flow/fields.def"
#undef FIELD
    FIELD_COUNT
};

/* How a value is stored and written. Code exists per type, never per field. */
enum field_type {
    FIELD_TYPE_U8,
    FIELD_TYPE_U16,
    FIELD_TYPE_U32,
    FIELD_TYPE_U64,
    FIELD_TYPE_ADDRESS,     /* struct address */
    FIELD_TYPE_MAC,         /* uint64_t, the 48 bits in host order */
    FIELD_TYPE_ETHERTYPE,   /* uint16_t, written in hexadecimal */
    FIELD_TYPE_PROTOCOL,    /* uint8_t, written as a name */
    FIELD_TYPE_FLAGS,       /* uint64_t, TCP flags */
    FIELD_TYPE_FLAGS_TEXT,  /* the same, a string in JSON */
    FIELD_TYPE_NUMBER_TEXT, /* uint32_t, a string in JSON */
    FIELD_TYPE_LETTER,      /* one character, 0 is absent */
    FIELD_TYPE_RD,          /* uint64_t, route distinguisher of RFC 4364 in host order */
    FIELD_TYPE_RD_ORIGIN,   /* uint8_t: 0 unknown, 1 flow, 2 bgp, 3 bmp, 4 map */
    FIELD_TYPE_REAL,        /* double */
    FIELD_TYPE_TIME,        /* int64_t, nanoseconds since 1970 UTC */
    FIELD_TYPE_SECONDS,     /* int64_t, seconds since 1970 UTC */
    FIELD_TYPE_COUNTER,     /* uint64_t */
    FIELD_TYPE_STRING,      /* struct span in a flow, an intern id (uint32_t) in a key */
    FIELD_TYPE_U64_TEXT,    /* uint64_t, a string in JSON */
    FIELD_TYPE_I64,         /* int64_t */
    FIELD_TYPE_HEXADECIMAL, /* uint64_t, written in hexadecimal without a prefix */
    FIELD_TYPE_BOOLEAN,     /* uint64_t, 1 is true and all else is not */
    FIELD_TYPE_CUSTOM,      /* a custom row before it is defined: sixteen bytes that nobody asks for */
    FIELD_TYPE_COUNT
};

/* What a field is in an aggregate: part of the key, or how two values of it merge. */
enum field_role {
    FIELD_ROLE_KEY,
    FIELD_ROLE_SUM,
    FIELD_ROLE_OR,
    FIELD_ROLE_MIN,
    FIELD_ROLE_MAX,
    FIELD_ROLE_LAST,
    FIELD_ROLE_BIN,  /* part of the key, computed by the fold: start of the time bin */
    FIELD_ROLE_PURGE /* not stored: the time of the purge */
};

enum field_section {
    FIELD_SECTION_L2,
    FIELD_SECTION_L3,
    FIELD_SECTION_L4,
    FIELD_SECTION_BGP,
    FIELD_SECTION_NAT,
    FIELD_SECTION_TUNNEL,
    FIELD_SECTION_MPLS,
    FIELD_SECTION_MISC,
    FIELD_SECTION_TIME,
    FIELD_SECTION_COUNTERS,
    FIELD_SECTION_COUNT
};

enum daemon_mask {
    DAEMON_PMACCTD = 1,
    DAEMON_UACCTD = 2,
    DAEMON_NFACCTD = 4,
    DAEMON_SFACCTD = 8,
    DAEMON_ALL = 15,
    DAEMON_HIDDEN = 16, /* accepted or written, not listed by -a */
    DAEMON_NO_SOURCE = 0
};

struct field {
    const char *keyword; /* "" when it cannot be asked for by name */
    const char *json;
    const char *title; /* NULL: no column in CSV and formatted output */
    const char *sql;
    const char *help;
    enum field_type type;
    enum field_role role;
    enum field_section section;
    uint16_t flow_offset; /* of the member in struct flow */
    uint16_t flow_bytes;  /* size of that member */
    uint16_t width;       /* of the formatted column */
    uint16_t json_rank;
    uint16_t csv_rank;
    uint8_t daemons; /* enum daemon_mask: who lists it */
    uint8_t sources; /* enum daemon_mask: who fills it in today */
    bool raw;        /* STRING: the flow has any bytes, records and outputs their hexadecimal digits */
};

/* For reading only: nobody but field_define() and field_undefine() writes to it, before the processes are forked. */
extern struct field field_table[FIELD_COUNT];
extern const char *const field_section_name[FIELD_SECTION_COUNT];

#define FIELD_WORDS ((FIELD_COUNT + 63) / 64)

/* A set of fields, a bit each. */
struct field_set {
    uint64_t words[FIELD_WORDS];
};

static inline void field_set_add(struct field_set *set, enum field_id id)
{
    set->words[id / 64] |= UINT64_C(1) << (id % 64);
}

static inline bool field_set_has(const struct field_set *set, enum field_id id)
{
    return (set->words[id / 64] >> (id % 64)) & 1;
}

static inline void field_set_remove(struct field_set *set, enum field_id id)
{
    set->words[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

static inline void field_set_merge(struct field_set *into, const struct field_set *from)
{
    for (unsigned i = 0; i < FIELD_WORDS; i++)
        into->words[i] |= from->words[i];
}

bool field_set_is_empty(const struct field_set *set);

/* Bytes of a value of this type in a key or a value slot: 1, 2, 4, 8 or 16. */
unsigned field_type_bytes(enum field_type type);

/* What `aggregate` says, parsed: primitives, sums, custom primitives, elements by their names. See aggregate.c. */
struct aggregate {
    struct field_set fields;
    bool sum; /* one of sum_host, sum_net, sum_as, sum_port, sum_mac: each record counts for both of its ends */
    enum field_id sum_source, sum_destination; /* the pair of a sum; the source field is the one that is reported */
};

/*
 * Adds the word `keyword` (lower case) to the aggregate. An unknown one, or a sum beside the field it sums, is an
 * error whose phrase names the nearest word. The name of an element takes a custom field. Returns 0 or -1.
 */
int aggregate_add(struct aggregate *aggregate, const char *keyword, struct error *error);

/* The whole value of the key `aggregate`: comma separated, blanks and case ignored. Returns 0 or -1. */
int aggregate_parse(struct aggregate *aggregate, const char *list, struct error *error);

/* The row of a keyword (lower case), the first of them if several come together; FIELD_COUNT when there is none. */
enum field_id field_find(const char *keyword);

/* What is said of a custom field when it is defined. Texts are copied. */
struct field_definition {
    const char *name; /* JSON name, column, and in lower case the keyword; at most field_name_max bytes */
    const char *help;
    enum field_type type;
    bool raw;
    uint8_t daemons; /* enum daemon_mask: who lists it and fills it in */
};

#define field_name_max 64u
#define field_custom_count (FIELD_CUSTOM_31 - FIELD_CUSTOM_0 + 1)

/* Makes `id`, FIELD_CUSTOM_0 to FIELD_CUSTOM_31, a field like others; or takes that back. Not with several threads. */
void field_define(enum field_id id, const struct field_definition *definition);
void field_undefine(enum field_id id);

#endif
