/* SPDX-License-Identifier: BSD-2-Clause */
/* What the supervisor looks for in memory.so. */
#include "plugins/common/runner.h"
#include "plugins/memory/memory.h"

static const struct plugin_ops memory_ops = {
    .name = "memory",
    .kind = PLUGIN_SINK,
    .open = memory_open,
    .close = memory_close,
};

static int run(const struct plugin_start *start)
{
    return runner_run(start, &memory_ops);
}

const struct plugin_descriptor plugin_descriptor = {.name = "memory", .abi = plugin_abi, .run = run};
