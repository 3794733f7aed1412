/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client: reads the tables of memory plugins, clears them, shows a daemon's books (status), what flows now (top),
 * who sends what (exporters, templates), and makes it read its maps again (reload). It speaks pmacct's command line; the protocol is our own (base/frame.h,
 * plugins/common/query.h).
 */
#include <signal.h>
#include <stdio.h>

#include "client/exporters.h"
#include "client/options.h"
#include "client/reload.h"
#include "client/show.h"
#include "client/status.h"
#include "client/top.h"

static int run(const struct client_options *options)
{
    switch (options->action) {
    case CLIENT_TABLE:
    case CLIENT_MATCH:
        return show_rows(options);
    case CLIENT_COUNTERS:
        return show_counters(options);
    case CLIENT_BUCKETS:
        return show_buckets(options);
    case CLIENT_STATUS:
        return status_show(options);
    case CLIENT_CLASSES:
        return show_classes(options);
    case CLIENT_PRIMITIVES:
        return show_primitives(options);
    case CLIENT_AGE:
        return show_age(options);
    case CLIENT_CLEAR:
        return show_clear(options);
    case CLIENT_TOP:
        return options->top_frames > 0 ? top_batch(options) : screen_run(options);
    case CLIENT_EXPORTERS:
    case CLIENT_TEMPLATES:
        return exporters_show(options);
    case CLIENT_RELOAD:
        return reload_maps(options);
    case CLIENT_VERSION:
        printf("pmacct, client of the memory plugin, flowledger %s\n", PACKAGE_VERSION);
        return 0;
    default:
        printf("pmacct, client of the memory plugin, flowledger %s\n%s", PACKAGE_VERSION, client_usage);
        return 0;
    }
}

int main(int argc, char **argv)
{
    struct client_options options;
    struct error error = {""};
    bool usage;

    signal(SIGPIPE, SIG_IGN);
    if (client_options_parse(&options, argc, argv, &usage, &error) < 0) {
        fputs(error.text, stderr);
        if (usage)
            fprintf(stderr, "%s", client_usage);
        return 1;
    }
    fputs(options.notes, stderr);
    return run(&options);
}
