/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Custom primitives: fields that the configuration makes. Two ways lead here: a line of an `aggregate_primitives` file,
 * and the name of an information element as a word of `aggregate`. Each takes one of the rows CUSTOM_0 to CUSTOM_31 of
 * fields.def and fills in what the table says of it (field_define), so that all the rest treats it as any other field.
 *
 * They are made while the configuration is read, before any other process is forked, and do not change afterwards. A
 * decoder goes through custom_field_at() when it compiles a template, and fills a flow with the setter that
 * custom_store() of the semantics names:
 *
 *   CUSTOM_STORE_NUMBER   flow_set_custom_number    UNSIGNED, HEXADECIMAL; SIGNED: as uint64_t, extended with its sign;
 *                                                   MAC: 48 bits in host order; TIME: nanoseconds since 1970 UTC;
 *                                                   BOOLEAN: as on the wire, 1 is true, all else is not
 *   CUSTOM_STORE_REAL     flow_set_custom_real      REAL
 *   CUSTOM_STORE_ADDRESS  flow_set_custom_address   ADDRESS
 *   CUSTOM_STORE_SPAN     flow_set_custom_span      TEXT: trimmed of trailing NULs; RAW: the bytes as they are
 */
#ifndef FLOW_CUSTOM_H
#define FLOW_CUSTOM_H

#include "base/error.h"
#include "flow/element.h"
#include "flow/field.h"

#define custom_fields_max 32u
#define custom_name_max 64u
#define custom_pointers_max 8u

enum custom_semantics {
    CUSTOM_UNSIGNED,
    CUSTOM_SIGNED,
    CUSTOM_HEXADECIMAL,
    CUSTOM_ADDRESS,
    CUSTOM_MAC,
    CUSTOM_TEXT,
    CUSTOM_RAW,
    CUSTOM_REAL,
    CUSTOM_TIME,
    CUSTOM_BOOLEAN,
    CUSTOM_SEMANTICS_COUNT
};

enum custom_store { CUSTOM_STORE_NUMBER, CUSTOM_STORE_REAL, CUSTOM_STORE_ADDRESS, CUSTOM_STORE_SPAN };

/* Where in a packet the value begins: `packet_ptr` of a primitives file. */
enum custom_layer {
    CUSTOM_LAYER_PACKET,
    CUSTOM_LAYER_MAC,
    CUSTOM_LAYER_VLAN,
    CUSTOM_LAYER_MPLS,
    CUSTOM_LAYER_L3,
    CUSTOM_LAYER_L4,
    CUSTOM_LAYER_PAYLOAD,
    CUSTOM_LAYER_COUNT
};

struct custom_pointer {
    uint8_t layer;         /* enum custom_layer */
    bool protocol_matters; /* only packets whose layer has this protocol */
    uint16_t protocol;     /* EtherType, IP protocol or port, as the layer has it */
    uint16_t offset;       /* bytes from the beginning of the layer */
};

struct custom_field {
    enum field_id field; /* given by custom_field_add */
    uint32_t enterprise; /* 0: IANA's elements, and the plain numbers of NetFlow v9 */
    uint16_t element;    /* 0: no element, see pointers */
    uint16_t length;     /* bytes of the value on the wire; 0: any */
    uint8_t occurrence;  /* 0: first copy of a repeated element */
    bool by_name;        /* the name of an element in `aggregate`: a number is a number in JSON, not a string */
    enum custom_semantics semantics;
    char name[custom_name_max + 1]; /* as the outputs write it */
    uint8_t pointer_count;
    struct custom_pointer pointers[custom_pointers_max];
};

unsigned custom_field_count(void);

/* The row, `index` below custom_field_count(). Valid until custom_fields_start(). */
const struct custom_field *custom_field_at(unsigned index);

/* The custom field of that name, upper and lower case alike, or NULL. */
const struct custom_field *custom_field_by_name(const char *name);

/* How the value of these semantics is kept in struct flow, hence which setter fills it. */
enum custom_store custom_store(enum custom_semantics semantics);

/* Semantics of an element that is asked for by its name, from its type (enum element_type). */
enum custom_semantics custom_semantics_of(unsigned element_type);

/*
 * Takes the next free row for a copy of `row` and writes its id to row->field. Fails when all are taken, or the name is
 * empty, not of letters, digits, '_', '-', '.', ':', or is that of a field. Returns 0 or -1.
 */
int custom_field_add(struct custom_field *row, struct error *error);

/*
 * Finds or makes the field of the information element of that name. Returns 0, -1 with a phrase when it cannot be one,
 * or 1 without a phrase when no element has that name.
 */
int custom_field_for_element(const char *name, enum field_id *field, struct error *error);

/*
 * A custom field that another process has defined: the client meets it in the answer of a daemon. `name` is not ended
 * by a NUL, `type` is an enum field_type. Returns its id, or FIELD_COUNT when it can be none or there is no room.
 */
enum field_id custom_field_learn(const char *name, size_t length, unsigned type);

/*
 * Reads an `aggregate_primitives` file: key=value rows, blank lines, comments with ! or #. All of it or nothing: on any
 * error it adds no field and the phrase has file, line and what is expected there. Returns 0 or -1.
 */
int custom_fields_load(const char *path, struct error *error);

/* Takes back all but the first `count` of them. */
void custom_fields_cut(unsigned count);

/*
 * Begins a configuration of this daemon (enum daemon_mask): forgets all custom fields. Only nfacctd can fill elements,
 * so the others do not know their names. Never after the processes were forked.
 */
void custom_fields_start(unsigned daemon);

/* True when names of elements are words of `aggregate` in this daemon; so until custom_fields_start() is called. */
bool custom_elements_known(void);

#endif
