/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a conversation's application. nDPI tells two numbers, of a protocol and of what runs over it; their
 * names are joined as pmacct writes them: "DNS/Google", "Unknown/DNS". Each pair has one verdict that stays, so that a
 * conversation that has been looked at costs no memory.
 */
#ifndef CLASSIFY_NDPI_VERDICT_H
#define CLASSIFY_NDPI_VERDICT_H

#include <ndpi/ndpi_api.h>

#include "flow/flow.h"

/* What the `state` of a conversation points to. */
struct verdict {
    struct span name;
    bool final;  /* nothing will be added: packets need not be looked at */
    bool shared; /* it belongs to many conversations, and stays */
};

struct verdicts;

/* The names are those of `ndpi`, which must live as long. NULL when out of memory. */
struct verdicts *verdicts_new(struct ndpi_detection_module_struct *ndpi);
void verdicts_free(struct verdicts *verdicts); /* NULL is fine */

/* The final verdict about a pair, "unknown" where nDPI knows neither; it lives as long as the verdicts. Never NULL. */
struct verdict *verdict_of(struct verdicts *verdicts, ndpi_protocol protocol);

/* Whether nDPI knows anything. */
static inline bool verdict_known(ndpi_protocol protocol)
{
    return protocol.app_protocol != NDPI_PROTOCOL_UNKNOWN || protocol.master_protocol != NDPI_PROTOCOL_UNKNOWN;
}

#endif
