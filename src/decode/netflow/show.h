/* SPDX-License-Identifier: BSD-2-Clause */
/* What show.c, show_value.c and describe.c share: names of fields, and values of one field as JSON. */
#ifndef DECODE_NETFLOW_SHOW_H
#define DECODE_NETFLOW_SHOW_H

#include "decode/netflow/document.h"
#include "decode/netflow/private.h"

#define show_name_max 300 /* a name of names_text_max octets and a number behind it */

/* A field's name: of the registry, learnt from the exporter, or "PEN.ID"; and its enum element_type. */
struct show_name {
    char text[show_name_max];
    size_t length;
    unsigned type;
    bool known;
};

void show_name(const struct domain *domain, uint32_t enterprise, unsigned id, struct show_name *name);

/* A value that is no list, inside an item; hexadecimal where the size does not fit the type. */
void show_value(struct document *json, unsigned type, const uint8_t *bytes, uint32_t size);

/* "template" or "options template"; "data" or "options" of a record's kind. */
const char *show_kind(const struct definition *definition);

#endif
