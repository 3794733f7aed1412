/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/roles.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "core/collector.h"
#include "core/module.h"
#include "plugins/plugin.h"

static void be_nice(const struct settings *settings)
{
    if (settings->proc_priority != 0 && setpriority(PRIO_PROCESS, 0, (int)settings->proc_priority) < 0)
        log_warn("cannot set the priority %d: %s", (int)settings->proc_priority, strerror(errno));
}

/*
 * What is the supervisor's alone is let go of, so that its sockets end with it and a client sees its answer end. What
 * a child has to say before it is ready goes up as a phrase, so it needs no terminal to hold open.
 */
static void leave_supervisor(struct role *role)
{
    server_leave(role->control);
    loop_free(role->loop);
    close(role->signal_fd);
    if (role->config->core.daemonize)
        process_leave_terminal();
    log_started();
}

/* Only where there are several does a collector have a number, for people and in the log. */
static void name_collector(const struct role *role)
{
    const struct settings *settings = &role->config->core;
    char type[24];

    if (role->plan->lane_count == 1) {
        process_title("%s: collector [%s]", role->daemon->name, settings->name);
        return;
    }
    process_title("%s: collector %u [%s]", role->daemon->name, role->number, settings->name);
    snprintf(type, sizeof(type), "core lane %u", role->number);
    log_identity(settings->name[0] != '\0' ? settings->name : "default", type);
}

int role_collector(void *context, int control_fd)
{
    struct role *role = context;
    const struct settings *settings = &role->config->core;
    struct collector_start start = {
        .daemon = role->daemon,
        .settings = settings,
        .ledger = role->ledger,
        .targets = role->plan->targets,
        .target_count = role->plan->count,
        .lane = role->number,
        .board = role->plan->boards[role->number],
        .socket_fd = role->plan->socket_count > 0 ? role->plan->sockets[role->number] : -1,
        .control_fd = control_fd,
        .progress = !settings->daemonize && isatty(STDERR_FILENO),
    };

    leave_supervisor(role);
    plan_close_sockets(role->plan, role->number);
    name_collector(role);
    be_nice(settings);
    return collector_run(&start);
}

/* pidfile-TYPE-NAME beside the daemon's own. Returns a descriptor, -1 without a pid file, -2 with a phrase. */
static int plugin_pidfile(const struct settings *core, const struct settings *settings, char *path, size_t size,
                          struct error *error)
{
    int fd;

    if (core->pidfile == NULL)
        return -1;
    if (snprintf(path, size, "%s-%s-%s", core->pidfile, settings->type, settings->name) >= (int)size) {
        error_set(error, "the path of the pid file is too long");
        return -2;
    }
    fd = process_pidfile(path, error);
    return fd < 0 ? -2 : fd;
}

int role_plugin(void *context, int control_fd)
{
    struct role *role = context;
    const struct settings *settings = &role->config->plugins[role->number];
    struct plugin_start start = {
        .settings = settings,
        .layout = role->plan->targets[role->number].layout,
        .rings = role->plan->rings[role->number],
        .ring_count = role->plan->lane_count,
        .ledger = role->ledger,
        .block = &role->ledger->plugins[role->number],
        .control_fd = control_fd,
        .started_ns = role->ledger->started_ns,
        .replay = role->config->core.pcap_savefile != NULL,
    };
    const struct plugin_descriptor *descriptor;
    char pid_path[4096];
    struct error error;
    int pidfile, status;

    leave_supervisor(role);
    plan_close_sockets(role->plan, ledger_lanes_max); /* a plugin that still delivers does not hold the port */
    process_title("%s: %s[%s]", role->daemon->name, settings->type, settings->name);
    log_identity(settings->name, settings->type);
    be_nice(settings);
    descriptor = module_open(settings->type, settings->plugin_directory, &error);
    pidfile = -2;
    if (descriptor != NULL)
        pidfile = plugin_pidfile(&role->config->core, settings, pid_path, sizeof(pid_path), &error);
    if (pidfile == -2) {
        process_report(control_fd, PLUGIN_REPORT_FAILED, error.text);
        return 1;
    }
    status = descriptor->run(&start);
    if (pidfile >= 0)
        process_pidfile_remove(pid_path, pidfile);
    return status;
}
