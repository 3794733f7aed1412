/* SPDX-License-Identifier: BSD-2-Clause */
/* One instance of print and its writers: instance.c knows the configuration, writer.c delivers batches. */
#ifndef PLUGINS_PRINT_WRITER_H
#define PLUGINS_PRINT_WRITER_H

#include "plugins/common/encode.h"
#include "plugins/common/name.h"
#include "plugins/plugin.h"
#include "plugins/print/delivery.h"

#define print_latest_places 16384
#define print_latest_window 8 /* places in which a link may be; the one of the oldest bin makes room */

/* One instance. Made before the first writer; `shared` and `latest_seconds` are used under the lock of shared. */
struct print {
    const struct settings *settings;
    const struct layout *layout;
    struct time_bins bins;
    struct encode_options options;
    struct name *file;   /* NULL: stdout */
    struct name *latest; /* NULL: none */
    char marker_id[128]; /* NAME/PID */
    struct delivery_shared shared;
    struct {
        uint64_t hash; /* of the link; 0: free */
        int64_t seconds;
    } latest_seconds[print_latest_places]; /* where links point: never back to an older bin */
    unsigned users;                        /* the plugin and its writers; main thread */
};

/* plugin_ops.open: makes the instance, plugin->state. */
int print_instance(struct plugin *plugin, struct error *error);
/* The plugin or a writer lets go of it; the last one frees it. NULL is fine. */
void print_release(struct print *print);

extern const struct sink_ops print_sink;

#endif
