/* SPDX-License-Identifier: BSD-2-Clause */
/* The one main loop of all plugins: rings in, fold, table or record(), purge timer, orders of the supervisor. */
#ifndef PLUGINS_COMMON_RUNNER_H
#define PLUGINS_COMMON_RUNNER_H

#include "plugins/plugin.h"

/*
 * Runs the plugin until it is told to stop and has delivered. Returns the exit status: 0; 1 when rows were lost or it
 * could not start; 3 when a ring is damaged.
 */
int runner_run(const struct plugin_start *start, const struct plugin_ops *ops);

#endif
