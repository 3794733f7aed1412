/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of information elements: what NetFlow v9 and IPFIX templates name by a number. IANA's registry
 * (RFC 7012) and those of the usual enterprises, a row each in elements.def. The reverse elements of RFC 5103
 * (enterprise 29305) are made from IANA's rows. Who wants a number's name, or the number of a name, asks here.
 */
#ifndef FLOW_ELEMENT_H
#define FLOW_ELEMENT_H

#include "base/base.h"

/* Abstract data types, in the numbering of RFC 5610, section 3.1 (informationElementDataType). */
enum element_type {
    ELEMENT_OCTETS,
    ELEMENT_U8,
    ELEMENT_U16,
    ELEMENT_U32,
    ELEMENT_U64,
    ELEMENT_I8,
    ELEMENT_I16,
    ELEMENT_I32,
    ELEMENT_I64,
    ELEMENT_F32,
    ELEMENT_F64,
    ELEMENT_BOOLEAN,
    ELEMENT_MAC,
    ELEMENT_STRING,
    ELEMENT_SECONDS,
    ELEMENT_MILLISECONDS,
    ELEMENT_MICROSECONDS,
    ELEMENT_NANOSECONDS,
    ELEMENT_IPV4,
    ELEMENT_IPV6,
    ELEMENT_BASIC_LIST,
    ELEMENT_SUB_TEMPLATE_LIST,
    ELEMENT_SUB_TEMPLATE_MULTI_LIST,
    ELEMENT_TYPE_COUNT
};

/* What a number means; RFC 5610, section 3.2 (informationElementSemantics). */
enum element_semantics {
    ELEMENT_SEMANTICS_DEFAULT,
    ELEMENT_SEMANTICS_QUANTITY,
    ELEMENT_SEMANTICS_TOTAL_COUNTER,
    ELEMENT_SEMANTICS_DELTA_COUNTER,
    ELEMENT_SEMANTICS_IDENTIFIER,
    ELEMENT_SEMANTICS_FLAGS,
    ELEMENT_SEMANTICS_LIST,
    ELEMENT_SEMANTICS_SNMP_COUNTER,
    ELEMENT_SEMANTICS_SNMP_GAUGE
};

#define element_enterprise_reverse 29305u /* RFC 5103, section 6.1: the same element, for the other direction */

struct element {
    uint32_t enterprise; /* private enterprise number; 0 is IANA's registry, and the plain numbers of NetFlow v9 */
    uint16_t id;
    uint8_t type;      /* enum element_type */
    uint8_t semantics; /* enum element_semantics */
    const char *name;
    const char *units; /* as IANA writes them: "octets", "milliseconds"; "" is none */
};

/*
 * The element, or NULL when it is unknown. Rows live as long as the process. A reverse element lives in a table of its
 * own that is written at most once per element; a process with several threads asks from one of them.
 */
const struct element *element_find(uint32_t enterprise, uint32_t id);

/* The element of that name, upper and lower case alike; NULL when there is none. A name that several enterprises use is
 * IANA's, then that of the lowest enterprise number. "enterprise:name" with a number chooses one. */
const struct element *element_by_name(const char *name);

/* The name that looks most like `word`, or NULL when none is near. */
const char *element_nearest(const char *word);

/* All of them in turn, reverse ones apart: NULL after the last. */
const struct element *element_at(unsigned index);

#endif
