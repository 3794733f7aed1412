/* SPDX-License-Identifier: BSD-2-Clause */
#include "classify/ndpi/verdict.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
    struct verdict verdict;
    char text[];
};

struct verdicts {
    struct ndpi_detection_module_struct *ndpi;
    struct verdict unknown;
    uint32_t protocols; /* that nDPI has */
    struct row **rows;  /* by both numbers, made when a pair comes for the first time */
};

struct verdicts *verdicts_new(struct ndpi_detection_module_struct *ndpi)
{
    struct verdicts *verdicts = calloc(1, sizeof(*verdicts));

    if (verdicts == NULL)
        return NULL;
    verdicts->ndpi = ndpi;
    verdicts->unknown = (struct verdict){{"unknown", 7}, true, true};
    verdicts->protocols = ndpi_get_num_supported_protocols(ndpi);
    verdicts->rows = calloc((size_t)verdicts->protocols * verdicts->protocols, sizeof(*verdicts->rows));
    if (verdicts->rows == NULL) {
        free(verdicts);
        return NULL;
    }
    return verdicts;
}

void verdicts_free(struct verdicts *verdicts)
{
    if (verdicts == NULL)
        return;
    for (size_t i = 0; i < (size_t)verdicts->protocols * verdicts->protocols; i++)
        free(verdicts->rows[i]);
    free(verdicts->rows);
    free(verdicts);
}

static struct row *make_row(struct verdicts *verdicts, ndpi_protocol protocol)
{
    const char *over = ndpi_get_proto_name(verdicts->ndpi, protocol.master_protocol);
    const char *name = ndpi_get_proto_name(verdicts->ndpi, protocol.app_protocol);
    size_t length = strlen(over) + 1 + strlen(name);
    struct row *row = malloc(sizeof(*row) + length + 1);

    if (row == NULL)
        return NULL;
    snprintf(row->text, length + 1, "%s/%s", over, name);
    row->verdict = (struct verdict){{row->text, (uint32_t)length}, true, true};
    return row;
}

struct verdict *verdict_of(struct verdicts *verdicts, ndpi_protocol protocol)
{
    struct row **row;

    if (!verdict_known(protocol) || protocol.master_protocol >= verdicts->protocols ||
        protocol.app_protocol >= verdicts->protocols)
        return &verdicts->unknown;
    row = &verdicts->rows[(size_t)protocol.master_protocol * verdicts->protocols + protocol.app_protocol];
    if (*row == NULL)
        *row = make_row(verdicts, protocol);
    return *row != NULL ? &(*row)->verdict : &verdicts->unknown;
}
