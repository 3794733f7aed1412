/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/plan.h"

#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "base/time.h"
#include "net/socket.h"

#define receive_buffer_default (4u * 1024 * 1024) /* a tenth of a second of some 30 000 datagrams; less is no error */
#define rest_datagrams_max 1000000 /* more than a socket holds: they may go on coming */
#define ring_bytes_default (4 * 1024 * 1024) /* stays in the cache, and holds some 10 ms of the highest rates seen */

/* A bin is made from when the flow began, where the protocol tells it, unless the arrival is asked for. */
static enum field_id base_time(const struct plan *plan, const struct config *config)
{
    bool told = plan->daemon != NULL && plan->daemon->mask == DAEMON_NFACCTD;

    return told && !config->core.time_new ? FIELD_TIMESTAMP_START : FIELD_TIMESTAMP_ARRIVAL;
}

int plan_layouts(struct plan *plan, const struct config *config, struct error *error)
{
    plan->count = config->plugin_count;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct settings *settings = &config->plugins[i];
        struct layout_options options = {
            .history = settings->history.count > 0,
            .stitching = settings->stitching,
            .base_time = base_time(plan, config),
        };

        if (layout_compile(&plan->layouts[i], &settings->aggregate, &options, error) < 0)
            return error_wrap(error, "plugin %s[%s]", settings->type, settings->name);
    }
    return 0;
}

static void name_on_ledger(struct ledger_plugin *block, const struct settings *settings)
{
    snprintf(block->name, sizeof(block->name), "%s", settings->name);
    snprintf(block->type, sizeof(block->type), "%s", settings->type);
}

/* What pmacct's line of statistics calls the input of a packet daemon. */
static void name_source(struct ledger *ledger, const struct daemon *daemon, const struct settings *core)
{
    const char *name = core->pcap_interface != NULL ? core->pcap_interface : "all";

    if (daemon->decoder->frame == NULL)
        return;
    if (core->pcap_savefile != NULL)
        name = "file";
    else if (daemon->mask == DAEMON_UACCTD)
        name = "nflog";
    else if (core->pcap_interfaces_map != NULL)
        name = "map";
    snprintf(ledger->source, sizeof(ledger->source), "%s", name);
    ledger->source_number = if_nametoindex(name);
}

/* A savefile has one order, and one lane keeps it; an NFLOG group has one listener. */
static unsigned count_lanes(const struct settings *core, const struct daemon *daemon)
{
    long processors;

    if (core->pcap_savefile != NULL || daemon->mask == DAEMON_UACCTD)
        return 1;
    if (core->lanes > 0)
        return (unsigned)min_u64((uint64_t)core->lanes, ledger_lanes_max);
    processors = sysconf(_SC_NPROCESSORS_ONLN); /* the other half is for the plugins */
    return (unsigned)min_u64(max_u64(processors > 0 ? (uint64_t)processors / 2 : 1, 1), ledger_lanes_max);
}

static int make_rings(struct plan *plan, unsigned plugin, const struct settings *settings, struct error *error)
{
    bool given = settings_is_set(settings, KEY_plugin_pipe_size);
    size_t bytes = given ? settings->plugin_pipe_size : ring_bytes_default;
    const struct layout *layout = &plan->layouts[plugin];

    for (unsigned lane = 0; lane < plan->lane_count; lane++) {
        plan->rings[plugin][lane] =
            ring_create(max_u64(bytes, 4 * layout_record_max(layout)), layout->fingerprint, error);
        if (plan->rings[plugin][lane] == NULL)
            return error_wrap(error, "plugin %s[%s]", settings->type, settings->name);
    }
    return 0;
}

int plan_make(struct plan *plan, const struct daemon *daemon, const struct config *config, struct ledger *ledger,
              struct error *error)
{
    snprintf(ledger->daemon, sizeof(ledger->daemon), "%s", daemon->name);
    snprintf(ledger->name, sizeof(ledger->name), "%s", config->core.name);
    name_source(ledger, daemon, &config->core);
    ledger->supervisor_pid = (uint32_t)getpid();
    ledger->started_ns = time_wall_ns();
    plan->lane_count = count_lanes(&config->core, daemon);
    ledger->lane_count = plan->lane_count;
    plan->daemon = daemon;
    plan->port = config->core.port != 0 ? (uint16_t)config->core.port : daemon->port;
    if (plan_layouts(plan, config, error) < 0)
        return -1;
    for (unsigned lane = 0; lane < plan->lane_count && daemon->decoder->describe != NULL; lane++)
        if ((plan->boards[lane] = board_create(error)) == NULL)
            return -1;
    ledger->plugin_count = plan->count;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct settings *settings = &config->plugins[i];

        name_on_ledger(&ledger->plugins[i], settings);
        if (make_rings(plan, i, settings, error) < 0)
            return -1;
        plan->targets[i] = (struct emit_target){settings, &plan->layouts[i], plan->rings[i], &ledger->plugins[i],
                                                ledger->started_ns};
    }
    return 0;
}

int plan_listen(struct plan *plan, const struct settings *core, struct error *warning, struct error *error)
{
    struct socket_options options = {
        .address = core->listen_ip,
        .port = plan->port,
        .interface = core->listen_interface,
        .groups = core->mcast_groups,
        .ipv6_only = core->ipv6_only,
        .buffer_bytes = core->pipe_size != 0 ? core->pipe_size : receive_buffer_default,
    };
    uint64_t got;

    if (core->pcap_savefile != NULL || plan->daemon->port == 0)
        return 0;
    if (socket_listen_group(&options, plan->sockets, plan->lane_count, &got, error) < 0)
        return -1;
    plan->socket_count = plan->lane_count;
    if (core->pipe_size > got)
        error_set(warning, "asked for a receive buffer of %llu bytes, the kernel gives %llu; raise net.core.rmem_max",
                  (unsigned long long)core->pipe_size, (unsigned long long)got);
    return 0;
}

void plan_count_rest(const struct plan *plan, unsigned lane, uint64_t *counters)
{
    const struct socket_datagram *datagrams;
    struct socket_receiver *receiver;
    uint64_t dropped, left = 0;
    unsigned count;

    if (lane >= plan->socket_count || plan->sockets[lane] < 0)
        return;
    receiver = socket_receiver_new(plan->sockets[lane],
                                   counters[INPUT_datagrams_kernel_dropped] + counters[INPUT_datagrams_at_stop]);
    if (receiver == NULL)
        return;
    counter_add(&counters[INPUT_datagrams_kernel_dropped], socket_final_drops(receiver));
    while (left < rest_datagrams_max && (count = socket_receive(receiver, &datagrams, &dropped)) > 0)
        left += count;
    counter_add(&counters[INPUT_datagrams_at_stop], left);
    socket_receiver_free(receiver);
}

void plan_close_sockets(struct plan *plan, unsigned lane)
{
    for (unsigned i = 0; i < plan->socket_count; i++) {
        if (i == lane || plan->sockets[i] < 0)
            continue;
        close(plan->sockets[i]);
        plan->sockets[i] = -1;
    }
}

void plan_free(struct plan *plan)
{
    plan_close_sockets(plan, ledger_lanes_max);
    for (unsigned i = 0; i < plan->count; i++)
        for (unsigned lane = 0; lane < plan->lane_count; lane++)
            ring_free(plan->rings[i][lane]);
    for (unsigned lane = 0; lane < plan->lane_count; lane++)
        board_free(plan->boards[lane]);
}
