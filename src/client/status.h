/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `pmacct status`: the ledger of a daemon, for a person or as the JSON that the daemon sent. Returns the exit status.
 */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "client/options.h"
#include "client/output.h"

int status_show(const struct client_options *options);

/*
 * The report alone, of a ledger in JSON, which may be anything: -1 with a phrase when it is no ledger, and then
 * nothing has been written.
 */
int status_report(const char *json, size_t length, struct output *output, struct error *error);

#endif
