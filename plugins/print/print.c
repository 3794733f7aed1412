/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin `print`: rows to standard output or to files, as columns, CSV or JSON. instance.c takes it from the
 * configuration, writer.c delivers batches, delivery.c knows files. It is the example of plugins/README.md.
 */
#include "plugins/common/runner.h"
#include "plugins/print/writer.h"

static void print_close(struct plugin *plugin)
{
    print_release(plugin->state);
    plugin->state = NULL;
}

static const struct plugin_ops print_ops = {
    .name = "print",
    .kind = PLUGIN_SINK,
    .sink = &print_sink,
    .open = print_instance,
    .close = print_close,
};

static int print_run(const struct plugin_start *start)
{
    return runner_run(start, &print_ops);
}

const struct plugin_descriptor plugin_descriptor = {
    .name = "print",
    .abi = plugin_abi,
    .run = print_run,
};
