/* SPDX-License-Identifier: BSD-2-Clause */
/* A text that a daemon answers on its control socket (or a memory plugin on its own): the ledger, the exporters. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include "client/options.h"

/* The socket named, else the first that is there of the daemons' and a memory plugin's. */
const char *fetch_path(const struct client_options *options);

/* The whole text of the answer to `command`, from malloc; NULL with pmacct's kind of phrase. */
char *fetch_text(const char *path, uint16_t command, size_t *length, struct error *error);

#endif
