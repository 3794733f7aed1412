/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLIENT_RELOAD_H
#define CLIENT_RELOAD_H

#include "client/options.h"

/* Makes a daemon read its maps again, waits until it has, and says how it went. Returns the exit status. */
int reload_maps(const struct client_options *options);

#endif
