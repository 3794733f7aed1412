/* SPDX-License-Identifier: BSD-2-Clause */
/* What all daemons do with their command line: the actions that only print, then the daemon itself. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "config/options.h"
#include "core/plan.h"
#include "core/selection.h"
#include "core/supervisor.h"
#include "enrich/maps.h"
#include "map/devices.h"

static void print_version(const struct daemon *daemon)
{
    struct utsname host;

    printf("%s, %s %s", daemon->title, daemon->name, PACKAGE_VERSION);
    if (uname(&host) == 0)
        printf(" (%s %s)", host.sysname, host.machine);
    putchar('\n');
}

/* -a: every primitive of this daemon under its section, and what has no source yet marked so. */
static void print_primitives(const struct daemon *daemon)
{
    print_version(daemon);
    for (unsigned section = 0; section < FIELD_SECTION_COUNT; section++) {
        const char *last = "";
        bool any = false;

        for (unsigned id = 0; id < FIELD_COUNT; id++) {
            const struct field *field = &field_table[id];

            if (field->section != section || !(field->daemons & daemon->mask) || (field->daemons & DAEMON_HIDDEN) ||
                strcmp(field->keyword, last) == 0)
                continue;
            if (!any)
                printf("\n%s\n", field_section_name[section]);
            any = true;
            last = field->keyword;
            printf("%-32s : %s%s\n", field->keyword, field->help,
                   field->sources & daemon->mask ? "" : " (no source yet: stays empty)");
        }
    }
    if (daemon->mask & DAEMON_NFACCTD)
        printf("\nNames of information elements work too: ingressVRFID, 9:applicationCategoryName ...\n");
}

static void print_messages(const struct config *config, bool all)
{
    char text[2048];

    for (unsigned i = 0; i < config->message_count; i++)
        if (all || config->messages[i].level <= LOG_LEVEL_NOTICE)
            log_write(config->messages[i].level, "%s", config_message_text(&config->messages[i], text, sizeof(text)));
}

/* The files that settings name and a start would read. Of a plugin: those of its view. */
static const struct map_file {
    enum map_kind kind;
    bool plugin;
    size_t offset; /* of the path in struct settings */
} map_files[] = {
    {MAP_ALLOW, false, offsetof(struct settings, allow_file)},
    {MAP_SAMPLING, false, offsetof(struct settings, sampling_map)},
    {MAP_FLOW_TO_RD, false, offsetof(struct settings, flow_to_rd_map)},
    {MAP_INTERFACE_NAMES, false, offsetof(struct settings, interface_names_map)},
    {MAP_GEOIP, false, offsetof(struct settings, geoip_file)},
    {MAP_GEOIP, false, offsetof(struct settings, geoip_as_file)},
    {MAP_PRE_TAG, true, offsetof(struct settings, pre_tag_map)},
    {MAP_NETWORKS, true, offsetof(struct settings, networks_file)},
    {MAP_PORTS, true, offsetof(struct settings, ports_file)},
    {MAP_PROTOS, true, offsetof(struct settings, protos_file)},
    {MAP_TOS, true, offsetof(struct settings, tos_file)},
};

static const char *path_in(const struct settings *settings, const struct map_file *file)
{
    return *(const char *const *)((const char *)settings + file->offset);
}

/* Whether a plugin before this one has named the same file, which is told of once. */
static bool is_named_before(const struct config *config, const struct map_file *file, unsigned plugin)
{
    const char *path = path_in(&config->plugins[plugin], file);

    for (unsigned p = 0; p < plugin; p++) {
        const char *other = path_in(&config->plugins[p], file);

        if (path != NULL && other != NULL && strcmp(path, other) == 0)
            return true;
    }
    return false;
}

static unsigned check_map_file(struct maps *maps, const struct map_file *file, const struct settings *settings)
{
    const char *path = path_in(settings, file);
    struct error error;

    if (path == NULL || maps_open(maps, file->kind, path, &error) != NULL)
        return 0;
    log_error("%s", error.text);
    return 1;
}

/* The map of devices is the input's own. */
static unsigned check_devices(const struct settings *core)
{
    struct device_rows rows;
    struct error error;

    if (core->pcap_interfaces_map == NULL || device_rows_load(&rows, core->pcap_interfaces_map, &error) == 0)
        return 0;
    log_error("%s", error.text);
    return 1;
}

/* All maps, and all that is wrong with them. Returns how many are bad. */
static unsigned check_maps(const struct daemon *daemon, const struct config *config)
{
    struct error error;
    struct maps *maps = maps_new(daemon->mask, &error);
    unsigned bad = 0;

    if (maps == NULL) {
        log_error("%s", error.text);
        return 1;
    }
    for (unsigned i = 0; i < array_length(map_files); i++) {
        if (!map_files[i].plugin)
            bad += check_map_file(maps, &map_files[i], &config->core);
        for (unsigned p = 0; map_files[i].plugin && p < config->plugin_count; p++)
            if (!is_named_before(config, &map_files[i], p))
                bad += check_map_file(maps, &map_files[i], &config->plugins[p]);
    }
    maps_free(maps);
    return bad + check_devices(&config->core);
}

/* Filters are a language of their own, which config/ does not know; what is wrong with one is an error all the same. */
static void check_filters(struct config *config)
{
    struct error error;

    for (unsigned p = 0; p < config->plugin_count; p++) {
        int key = selection_check(&config->plugins[p], &error);

        if (key >= 0)
            config_blame(config, p, (enum key_id)key, error.text);
    }
}

static int check(const struct daemon *daemon, const struct config *config, const char *path)
{
    unsigned bad = config->error_count;

    print_messages(config, true);
    if (bad == 0)
        bad = check_maps(daemon, config);
    if (bad > 0) {
        printf("%s: %u error%s\n", path ? path : "command line", bad, bad == 1 ? "" : "s");
        return 1;
    }
    printf("%s: good\n", path ? path : "command line");
    return 0;
}

static int show_layouts(const struct daemon *daemon, const struct config *config)
{
    static struct plan plan;
    struct error error;
    char text[8192];

    plan.daemon = daemon;
    if (plan_layouts(&plan, config, &error) < 0) {
        log_error("%s", error.text);
        return 1;
    }
    for (unsigned i = 0; i < plan.count; i++) {
        layout_describe(&plan.layouts[i], text, sizeof(text));
        printf("%s[%s]: %s", config->plugins[i].type, config->plugins[i].name, text);
    }
    return 0;
}

static int run(const struct daemon *daemon, struct config *config, const char *path, bool dry_run)
{
    const struct settings *core = &config->core;
    struct log_targets targets = {
        .file = core->logfile,
        .syslog = core->syslog,
        .syslog_ident = core->syslog_ident,
        .stderr_timestamp = core->log_stderr_tstamp,
        .debug = core->debug,
    };
    struct error error;
    int pidfile = -1, status;

    if (log_open(&targets, &error) < 0) {
        log_error("%s", error.text);
        return 1;
    }
    if (!core->daemonize) /* from its first word on a signal to stop is an order, not an end */
        supervisor_hold_signals();
    log_identity(core->name[0] != '\0' ? core->name : "default", "core");
    log_info("%s, %s %s", daemon->title, daemon->name, PACKAGE_VERSION);
    if (path != NULL)
        log_info("Reading configuration file '%s'.", path);
    else
        log_info("Reading configuration from cmdline.");
    print_messages(config, core->debug);
    if (config->error_count > 0) {
        log_error("%u error%s in the configuration; nothing was started (try: %s --check)", config->error_count,
                  config->error_count == 1 ? "" : "s", daemon->name);
        return 1;
    }
    if (core->daemonize && process_detach(&error) < 0) {
        log_error("%s", error.text);
        return 1;
    }
    supervisor_hold_signals();
    if (core->pidfile != NULL && (pidfile = process_pidfile(core->pidfile, &error)) < 0) {
        log_error("%s", error.text);
        return 1;
    }
    status = supervisor_run(daemon, config, dry_run);
    if (pidfile >= 0)
        process_pidfile_remove(core->pidfile, pidfile);
    return status;
}

static int act(const struct daemon *daemon, const struct options *options)
{
    struct config_source source = {daemon->mask, options->path, (const char *const *)options->lines,
                                   options->line_count};
    struct config *config = config_new(&source);
    int status = 0;

    if (config == NULL) {
        fputs("out of memory\n", stderr);
        return 1;
    }
    check_filters(config);
    switch (options->action) {
    case OPTIONS_CHECK:
        status = check(daemon, config, options->path);
        break;
    case OPTIONS_DUMP:
        print_messages(config, false);
        config_dump(config, stdout);
        status = config->error_count > 0;
        break;
    case OPTIONS_LAYOUT:
        print_messages(config, false);
        status = config->error_count > 0 ? 1 : show_layouts(daemon, config);
        break;
    default:
        status = run(daemon, config, options->path, options->action == OPTIONS_SETUP);
        break;
    }
    config_free(config);
    return status;
}

int daemon_main(const struct daemon *daemon, int argc, char **argv)
{
    struct options options;
    struct error error;
    int status = 0;

    process_title_init(argc, argv);
    if (options_parse(argc, argv, daemon->mask, &options, &error) < 0) {
        fprintf(stderr, "%s: %s\n", daemon->name, error.text);
        options_usage(daemon->mask, stdout);
        status = 1;
    } else if (options.action == OPTIONS_VERSION) {
        print_version(daemon);
    } else if (options.action == OPTIONS_HELP) {
        options_usage(daemon->mask, stdout);
    } else if (options.action == OPTIONS_PRIMITIVES) {
        print_primitives(daemon);
    } else if (options.action == OPTIONS_DECODE && daemon->decode != NULL) {
        status = daemon->decode(options.decode);
    } else {
        status = act(daemon, &options);
    }
    options_free(&options);
    return fflush(stdout) == 0 ? status : 1;
}
