/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's queries: each sends one request and prints its answer. They return the exit status. */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

#include "client/options.h"

int show_rows(const struct client_options *options);       /* -s -M */
int show_counters(const struct client_options *options);   /* -N */
int show_classes(const struct client_options *options);    /* -C */
int show_primitives(const struct client_options *options); /* -U */
int show_buckets(const struct client_options *options);    /* -t */
int show_age(const struct client_options *options);        /* -i */
int show_clear(const struct client_options *options);      /* -e */

/*
 * The body that -c and DATA make, from malloc; NULL with a phrase. For a name that is not known the daemon is asked for
 * its fields first: custom primitives and information elements are known to it only.
 */
uint8_t *show_request(const struct client_options *options, size_t *bytes, struct error *error);

/* What the request asks to do beside reading: flags of plugins/common/query.h. */
uint32_t show_flags(const struct client_options *options);

/* The phrase on stderr, with a newline; returns 1, the exit status. */
int show_failure(const char *phrase);

#endif
