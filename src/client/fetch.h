/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that a daemon answers on its control socket (or a memory plugin on its own): the ledger, the exporters. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include "client/options.h"
#include "client/output.h"

/* Makes the text readable; -1 with a phrase when it is not what it should be, and then nothing has been written. */
typedef int fetch_report_fn(const struct client_options *options, const char *text, size_t length,
                            struct output *output, struct error *error);

/* The socket named, else the first that is there. */
const char *fetch_path(const struct client_options *options);

/* The text that a socket answers: the caller's to free. NULL with a phrase. */
char *fetch_text(const char *path, uint16_t command, size_t *length, struct error *error);

/*
 * Asks `command` of the socket named, else of the first that is there, and writes the answer: through `report`, or as
 * it is when JSON is asked for. Returns the exit status.
 */
int fetch_show(const struct client_options *options, uint16_t command, fetch_report_fn *report);

#endif
