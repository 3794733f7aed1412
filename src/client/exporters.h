/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pmacct exporters` and `pmacct templates`: who sends NetFlow and IPFIX, what their templates say, which sampling
 * rates are known; for a person, or as the JSON that the daemon sent. Returns the exit status.
 */
#ifndef CLIENT_EXPORTERS_H
#define CLIENT_EXPORTERS_H

#include "client/options.h"
#include "client/output.h"

int exporters_show(const struct client_options *options);

/*
 * The report alone, of a description in JSON, which may be anything: -1 with a phrase when it is none, and then
 * nothing has been written. `only` is the address of an exporter, or NULL: all.
 */
int exporters_report(const char *json, size_t length, const char *only, bool templates, struct output *output,
                     struct error *error);

#endif
