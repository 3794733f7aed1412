/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One decoded flow record, as decoders fill it in and enrichers complete it, inside the collector process. Members
 * come from fields.def, one each: host byte order, 16-byte addresses, int64 nanoseconds UTC. A member without its bit
 * in `have` is undefined, so a new record clears the bits and nothing else; "absent" and "zero" stay different until
 * the output. A flow never crosses a process: its projection does (layout.h).
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "flow/field.h"
#include "net/address.h"
#include "net/frame.h"

/* Borrowed bytes, valid until the next record is decoded. Not terminated by a NUL. */
struct span {
    const char *data;
    uint32_t length;
};

typedef uint8_t flow_type_U8;
typedef uint16_t flow_type_U16;
typedef uint32_t flow_type_U32;
typedef uint64_t flow_type_U64;
typedef struct address flow_type_ADDRESS;
typedef uint64_t flow_type_MAC;
typedef uint16_t flow_type_ETHERTYPE;
typedef uint8_t flow_type_PROTOCOL;
typedef uint64_t flow_type_FLAGS;
typedef uint64_t flow_type_FLAGS_TEXT;
typedef uint32_t flow_type_NUMBER_TEXT;
typedef char flow_type_LETTER;
typedef uint64_t flow_type_RD;
typedef uint8_t flow_type_RD_ORIGIN;
typedef double flow_type_REAL;
typedef int64_t flow_type_TIME;
typedef int64_t flow_type_SECONDS;
typedef uint64_t flow_type_COUNTER;
typedef struct span flow_type_STRING;
typedef struct span flow_type_CUSTOM; /* or any other value, in the same sixteen bytes: see flow_set_custom_number */

/* What maps may ask of a record and no output shows. A decoder sets it once for all records of a kind. */
struct flow_traits {
    uint16_t set_id;      /* NetFlow v9, IPFIX: of the data set */
    uint16_t engine_type; /* NetFlow v5, v6, v8: flow_engine_told and the type; 0: not told */
    uint32_t sample_type; /* sFlow: enterprise << 12 | format of the sample */
    bool options;         /* a record of option data */
    bool two_way;         /* made of a record with counters of both directions */
};

#define flow_engine_told 256u

/* Whoever makes one zeroes it, once; flow_clear then begins each record. */
struct flow {
    struct field_set have;
    bool discard; /* told of as discarded by a switch: no traffic, and only for plugins that ask for drop_reason */
    struct flow_traits traits;
    const struct frame *frame; /* the packet that this record is, where it is one (pmacctd, uacctd), or NULL */
#define FIELD(id, member, keyword, json, title, sql, width, type, ...) flow_type_##type member;
#include "flow/fields.def"
#undef FIELD
};

/* flow_set_src_host(flow, value) and so on: writes the member and marks it present. */
#define FIELD(id, member, keyword, json, title, sql, width, type, ...)                    \
    static inline void flow_set_##member(struct flow *flow, flow_type_##type value)        \
    {                                                                                      \
        flow->member = value;                                                              \
        flow->have.words[FIELD_##id / 64] |= UINT64_C(1) << (FIELD_##id % 64);             \
    }
#include "flow/fields.def"
#undef FIELD

/* The custom fields stand one behind the other, in the order of their ids. */
_Static_assert(sizeof(struct span) == 16 && sizeof(struct address) == 16 &&
                   offsetof(struct flow, custom_31) == offsetof(struct flow, custom_0) + 31 * sizeof(struct span),
               "custom fields are an array");

static inline void flow_set_custom(struct flow *flow, enum field_id id, const void *value, size_t bytes)
{
    size_t place = (size_t)id - FIELD_CUSTOM_0;

    memcpy((uint8_t *)flow + offsetof(struct flow, custom_0) + sizeof(struct span) * place, value, bytes);
    flow->have.words[id / 64] |= UINT64_C(1) << (id % 64);
}

/* `id` is that of a struct custom_field, whose semantics say which of the four is right (custom_store). */
static inline void flow_set_custom_number(struct flow *flow, enum field_id id, uint64_t number)
{
    flow_set_custom(flow, id, &number, sizeof(number));
}

static inline void flow_set_custom_real(struct flow *flow, enum field_id id, double real)
{
    flow_set_custom(flow, id, &real, sizeof(real));
}

static inline void flow_set_custom_address(struct flow *flow, enum field_id id, const struct address *address)
{
    flow_set_custom(flow, id, address, sizeof(*address));
}

static inline void flow_set_custom_span(struct flow *flow, enum field_id id, const char *data, uint32_t length)
{
    struct span span = {data, length};

    flow_set_custom(flow, id, &span, sizeof(span));
}

static inline void flow_clear(struct flow *flow)
{
    for (unsigned i = 0; i < FIELD_WORDS; i++)
        flow->have.words[i] = 0;
    flow->discard = false;
    flow->frame = NULL;
}

static inline bool flow_has(const struct flow *flow, enum field_id id)
{
    return field_set_has(&flow->have, id);
}

/* Longest text that a STRING member may carry, bytes; decoders cut longer ones and count them. */
#define flow_string_max 1024

#endif
