/* SPDX-License-Identifier: BSD-2-Clause */
/* A memory plugin without daemon, ring and runner: a layout, a table and a loop, for tests that ask it. */
#ifndef TESTS_LIB_MEMORY_FIXTURE_H
#define TESTS_LIB_MEMORY_FIXTURE_H

#include "plugins/common/table.h"
#include "plugins/plugin.h"

struct memory_fixture {
    struct settings settings;
    struct layout layout;
    struct ledger *ledger;
    struct plugin_start start;
    struct plugin plugin;
};

/* `aggregate` as in a configuration. False on failure. The socket is not opened; `path` may be NULL. */
bool memory_fixture_open(struct memory_fixture *fixture, const char *aggregate, const char *path,
                         uint64_t budget_bytes);
void memory_fixture_close(struct memory_fixture *fixture);

/*
 * Adds a record from 10.x.x.`n` to 192.0.2.1 with port `n`, protocol 6 and class "class<n % 3>" where the layout has
 * them.
 */
void memory_fixture_add(struct memory_fixture *fixture, uint32_t n, uint64_t packets, uint64_t bytes);

#endif
