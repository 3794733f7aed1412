/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that look at more than one key, or at a key in the light of the daemon and the plugin. Each rule is a
 * function, and all of them are in the table at the end; a message blames the line that wrote the setting.
 */
#include "config/load.h"

#include <stdlib.h>

static bool is_type(const struct settings *plugin, const char *type)
{
    return strcmp(plugin->type, type) == 0;
}

/* The line to blame for a setting of plugin `i`. */
static const struct load_line *blame(const struct config *config, unsigned i, enum key_id id)
{
    return load_writer(config, i + 1, id);
}

static void check_aggregate(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        struct settings *plugin = &config->plugins[i];

        if (plugin->set[KEY_aggregate])
            continue;
        field_set_add(&plugin->aggregate.fields, FIELD_SRC_HOST);
        load_message(config, LOG_LEVEL_WARN, NULL, "plugin '%s' has no 'aggregate'; using src_host", plugin->name);
    }
}

/* A primitive that no record of this daemon can have would only be empty; pmacct goes on too. */
static void check_primitives(struct config *config)
{
    enum daemon_mask daemon = config->store->daemon;

    for (unsigned i = 0; i < config->plugin_count; i++) {
        const char *last = "";

        for (unsigned id = 0; id < FIELD_COUNT; id++) {
            const struct field *field = &field_table[id];

            if (!field_set_has(&config->plugins[i].aggregate.fields, id) || field->keyword[0] == '\0')
                continue;
            if ((field->sources & daemon) != 0 || strcmp(field->keyword, last) == 0)
                continue;
            last = field->keyword;
            load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_aggregate),
                         "primitive '%s' has no source in %s yet: it will be empty", field->keyword,
                         key_daemon_name(daemon));
        }
    }
}

static void check_daemonize(struct config *config)
{
    if (!config->core.daemonize)
        return;
    for (unsigned i = 0; i < config->plugin_count; i++)
        if (is_type(&config->plugins[i], "print") && config->plugins[i].print_output_file == NULL)
            load_message(config, LOG_LEVEL_ERROR, load_writer(config, 0, KEY_daemonize),
                         "'daemonize' leaves plugin '%s' no standard output; set print_output_file",
                         config->plugins[i].name);
}

static void check_sampling(struct config *config)
{
    if (!config->core.set[KEY_ext_sampling_rate])
        return;
    for (unsigned i = 0; i < config->plugin_count; i++) {
        if (!config->plugins[i].set[KEY_sampling_rate])
            continue;
        load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_sampling_rate),
                     "'sampling_rate' and '%s' exclude each other",
                     load_writer(config, 0, KEY_ext_sampling_rate)->parsed.key);
        return;
    }
}

static void check_savefile(struct config *config)
{
    static const enum key_id live[] = {KEY_port,     KEY_listen_ip, KEY_tcp_port,
                                       KEY_tls_port, KEY_dtls_port, KEY_pcap_interface,
                                       KEY_pcap_interfaces_map};

    if (!config->core.set[KEY_pcap_savefile])
        return;
    for (unsigned i = 0; i < array_length(live); i++) {
        const struct load_line *line = load_writer(config, 0, live[i]);

        if (line != NULL && (line->key->daemons & config->store->daemon) != 0)
            load_message(config, LOG_LEVEL_ERROR, line, "'%s' and 'pcap_savefile' exclude each other",
                         line->parsed.key);
    }
}

/* Whether a choice is this word of its range; `true` is an old way to write `file`. */
static bool source_is(enum key_id id, int choice, const char *word)
{
    const char *at = NULL, *found;
    size_t length;
    int position = 0;

    for (unsigned i = 0; i < key_count; i++)
        if (key_table[i].setting == (int)id)
            at = key_table[i].range;
    while (at != NULL && key_next_word(&at, '|', &found, &length)) {
        if (position++ != choice)
            continue;
        return (length == strlen(word) && memcmp(found, word, length) == 0) ||
               (strcmp(word, "file") == 0 && length == 4 && memcmp(found, "true", 4) == 0);
    }
    return false;
}

static void check_devices(struct config *config)
{
    const struct load_line *map = load_writer(config, 0, KEY_pcap_interfaces_map);

    if (config->store->daemon != DAEMON_PMACCTD)
        return;
    if (map != NULL && load_writer(config, 0, KEY_pcap_interface) != NULL)
        load_message(config, LOG_LEVEL_ERROR, map, "'pcap_interfaces_map' and 'pcap_interface' exclude each other");
    if (map != NULL && config->core.set[KEY_capture_direction])
        load_message(config, LOG_LEVEL_ERROR, load_writer(config, 0, KEY_capture_direction),
                     "'pcap_direction' holds for pcap_interface; pcap_interfaces_map tells it for each device");
    if (map == NULL && config->core.pcap_ifindex != 0 && !config->core.set[KEY_capture_direction] &&
        (config->core.pcap_interface == NULL || strcmp(config->core.pcap_interface, "any") != 0))
        load_message(config, LOG_LEVEL_NOTICE, load_writer(config, 0, KEY_pcap_ifindex),
                     "'pcap_ifindex' without 'pcap_direction': whether a packet came in or goes out is not known, so "
                     "in_iface and out_iface stay 0");
}

/* Primitives that come from a file that must be named. */
static void check_sources(struct config *config)
{
    static const struct {
        enum field_id field;
        enum key_id key;
        const char *name;
    } sources[] = {
        {FIELD_SRC_HOST_COUNTRY, KEY_geoip_file, "geoipv2_file"},
        {FIELD_DST_HOST_COUNTRY, KEY_geoip_file, "geoipv2_file"},
        {FIELD_SRC_HOST_POCODE, KEY_geoip_file, "geoipv2_file"},
        {FIELD_DST_HOST_POCODE, KEY_geoip_file, "geoipv2_file"},
        {FIELD_SRC_HOST_LAT, KEY_geoip_file, "geoipv2_file"},
        {FIELD_DST_HOST_LAT, KEY_geoip_file, "geoipv2_file"},
        {FIELD_SRC_AS_NAME, KEY_geoip_as_file, "geoipv2_as_file"},
        {FIELD_DST_AS_NAME, KEY_geoip_as_file, "geoipv2_as_file"},
    };

    for (unsigned i = 0; i < config->plugin_count; i++)
        for (unsigned s = 0; s < array_length(sources); s++)
            if (field_set_has(&config->plugins[i].aggregate.fields, sources[s].field) &&
                !config->core.set[sources[s].key])
                load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_aggregate),
                             "primitive '%s' of plugin '%s' needs '%s': without it, it will be empty",
                             field_table[sources[s].field].keyword, config->plugins[i].name, sources[s].name);
}

/* `file` without a file, and `mask` without a mask, would give zeroes in silence. */
static void check_networks(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        const struct settings *plugin = &config->plugins[i];
        const struct field_set *fields = &plugin->aggregate.fields;
        bool shows_as = field_set_has(fields, FIELD_SRC_AS) || field_set_has(fields, FIELD_DST_AS);
        bool shows_net = field_set_has(fields, FIELD_SRC_NET) || field_set_has(fields, FIELD_DST_NET) ||
                         field_set_has(fields, FIELD_SRC_MASK) || field_set_has(fields, FIELD_DST_MASK);
        bool as_set = shows_as && config->core.set[KEY_as_source], net_set = shows_net && plugin->set[KEY_net_source];
        bool as_file = as_set && source_is(KEY_as_source, config->core.as_source, "file");
        bool net_file = net_set && source_is(KEY_net_source, plugin->net_source, "file");
        bool net_mask = net_set && source_is(KEY_net_source, plugin->net_source, "mask");

        if ((as_file || net_file) && plugin->networks_file == NULL)
            load_message(config, LOG_LEVEL_ERROR,
                         net_file ? blame(config, i, KEY_net_source) : load_writer(config, 0, KEY_as_source),
                         "plugin '%s' takes networks or AS numbers from a file and has no 'networks_file'",
                         plugin->name);
        if (shows_as && !config->core.set[KEY_as_source] && (config->store->daemon & (DAEMON_PMACCTD | DAEMON_UACCTD)))
            load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_aggregate),
                         "plugin '%s' asks for AS numbers, and packets have none; '%s_as: file' takes them from "
                         "networks_file",
                         plugin->name, key_daemon_name(config->store->daemon));
        if (net_mask && plugin->networks_mask == 0)
            load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_net_source),
                         "plugin '%s' takes networks from a mask and has no 'networks_mask'", plugin->name);
    }
}

/* The line of a key that counts for this daemon, or NULL when it is not set. */
static const struct load_line *listener(const struct config *config, enum key_id id)
{
    return config->store->daemon == DAEMON_NFACCTD ? load_writer(config, 0, id) : NULL;
}

/* TCP and TLS share one space of ports, UDP and DTLS the other. The port of UDP has a default that the daemon knows. */
static void check_ports(struct config *config)
{
    const struct settings *core = &config->core;

    if (listener(config, KEY_tls_port) != NULL && core->tls_port == core->tcp_port)
        load_message(config, LOG_LEVEL_ERROR, listener(config, KEY_tls_port),
                     "'nfacctd_tls_port' and 'nfacctd_tcp_port' are one port; expected one for each");
    if (listener(config, KEY_dtls_port) != NULL && core->dtls_port == (core->port != 0 ? core->port : 2100))
        load_message(config, LOG_LEVEL_ERROR, listener(config, KEY_dtls_port),
                     "'nfacctd_dtls_port' is the port of plain NetFlow too; expected one for each");
}

static void check_tls(struct config *config)
{
    static const enum key_id ports[] = {KEY_tls_port, KEY_dtls_port};
    const struct settings *core = &config->core;

    for (unsigned i = 0; i < array_length(ports); i++) {
        const struct load_line *line = listener(config, ports[i]);

        if (line != NULL && core->tls_path == NULL)
            load_message(config, LOG_LEVEL_ERROR, line, "'%s' needs tls_path, the directory of key and certificates",
                         line->parsed.key);
    }
    if (listener(config, KEY_tls_peer_names) != NULL && !core->tls_verify)
        load_message(config, LOG_LEVEL_ERROR, listener(config, KEY_tls_peer_names),
                     "'nfacctd_tls_peer_names' needs 'nfacctd_tls_verify: true'; else no certificate is looked at");
}

/* The one key of pmacct's whose meaning here is another one. */
static void check_connections(struct config *config)
{
    if (listener(config, KEY_asa_bi_flow) != NULL && config->core.asa_bi_flow)
        load_message(config, LOG_LEVEL_NOTICE, listener(config, KEY_asa_bi_flow),
                     "'tmp_asa_bi_flow' makes a record of each direction; in pmacct it puts the responder's bytes "
                     "into packets");
}

/* Length of a bin in seconds; of a month the shortest. */
static uint64_t bin_seconds(const struct time_bins *bins)
{
    static const uint64_t seconds[] = {[TIME_UNIT_SECOND] = 1,     [TIME_UNIT_MINUTE] = 60,
                                       [TIME_UNIT_HOUR] = 3600,    [TIME_UNIT_DAY] = 86400,
                                       [TIME_UNIT_WEEK] = 7 * 86400, [TIME_UNIT_MONTH] = 28 * 86400};

    return bins->count * seconds[bins->unit];
}

static void check_history(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        const struct settings *plugin = &config->plugins[i];
        const struct time_bins *bins = &plugin->history;

        if (bins->count == 0)
            continue;
        if (bins->unit == TIME_UNIT_SECOND && bins->count > 60 && bins->count % 60 != 0)
            load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_history),
                         "'history' of plugin '%s' is %u s; expected less than 60 s or whole minutes", plugin->name,
                         bins->count);
        if (plugin->history_offset >= bin_seconds(bins))
            load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_history_offset),
                         "'history_offset' of plugin '%s' is not smaller than the history", plugin->name);
    }
}

/* A flow spread over bins has no first and last time in each of them, so pmacct refuses it with stitching too. */
static void check_pro_rating(struct config *config)
{
    if (config->store->daemon != DAEMON_NFACCTD)
        return;
    for (unsigned i = 0; i < config->plugin_count; i++) {
        const struct settings *plugin = &config->plugins[i];

        if (!plugin->pro_rating)
            continue;
        if (plugin->stitching)
            load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_pro_rating),
                         "'nfacctd_pro_rating' and 'nfacctd_stitching' of plugin '%s' exclude each other",
                         plugin->name);
        if (plugin->history.count == 0)
            load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_pro_rating),
                         "'nfacctd_pro_rating' of plugin '%s' does nothing without a history", plugin->name);
        if (config->core.time_new)
            load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_pro_rating),
                         "'nfacctd_pro_rating' of plugin '%s' does nothing with 'nfacctd_time_new: true', which sets "
                         "the times of flows aside", plugin->name);
    }
}

/* Letters after % that a path may have: those that name a time down to the second. */
static void check_path_variables(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        const char *path = config->plugins[i].print_output_file;
        unsigned count = 0;

        if (!is_type(&config->plugins[i], "print"))
            continue;
        for (const char *p = path; p != NULL && (p = strchr(p, '%')) != NULL;) {
            if (p[1] == '\0' || strchr("dHmMwWYsSz", p[1]) == NULL) {
                load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_print_output_file),
                             "'%%%.1s' in print_output_file is not a variable; expected one of d H m M w W Y s S z",
                             p + 1);
                break;
            }
            p += 2;
            if (++count > 32) {
                load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_print_output_file),
                             "print_output_file has more than 32 variables");
                break;
            }
        }
    }
}

static void check_latest_file(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        struct settings *plugin = &config->plugins[i];
        const char *file = plugin->print_output_file;

        if (!is_type(plugin, "print") || plugin->print_latest_file == NULL)
            continue;
        if (strchr(plugin->print_latest_file, '%') != NULL) {
            load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_print_latest_file),
                         "'print_latest_file' cannot have variables of time");
        } else if (file == NULL || strpbrk(file, "%$") == NULL) {
            load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_print_latest_file),
                         "disabling print_latest_file of plugin '%s': print_output_file has no variables",
                         plugin->name);
            plugin->print_latest_file = NULL;
            plugin->set[KEY_print_latest_file] = false;
        }
    }
}

/* In sfacctd: vxlan,PORT, one layer. */
static void check_tunnel(struct config *config)
{
    const char *tunnel = config->core.tunnel_0, *port;
    unsigned long number;
    char *end;

    if (tunnel == NULL || config->store->daemon != DAEMON_SFACCTD)
        return;
    port = strncmp(tunnel, "vxlan,", 6) == 0 ? tunnel + 6 + strspn(tunnel + 6, " \t") : "";
    number = strtoul(port, &end, 10);
    if (*port < '0' || *port > '9' || *end != '\0' || number == 0 || number > 65535)
        load_message(config, LOG_LEVEL_ERROR, load_writer(config, 0, KEY_tunnel_0),
                     "'tunnel_0' is '%.60s'; expected vxlan,PORT", tunnel);
}

/* A path of a UNIX socket must fit into sockaddr_un, which holds 108 bytes with the NUL. */
static void check_sockets(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        const struct settings *plugin = &config->plugins[i];

        if (!is_type(plugin, "memory"))
            continue;
        if (strlen(plugin->imt_path) > 107)
            load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_imt_path),
                         "'imt_path' is longer than the 107 bytes that a socket can have");
        for (unsigned j = 0; j < i; j++)
            if (is_type(&config->plugins[j], "memory") && strcmp(config->plugins[j].imt_path, plugin->imt_path) == 0)
                load_message(config, LOG_LEVEL_ERROR, blame(config, i, KEY_imt_path),
                             "plugins '%s' and '%s' have one imt_path, '%.60s'; expected one for each",
                             config->plugins[j].name, plugin->name, plugin->imt_path);
    }
    if (config->core.control_path != NULL && strlen(config->core.control_path) > 107)
        load_message(config, LOG_LEVEL_ERROR, load_writer(config, 0, KEY_control_path),
                     "'control_path' is longer than the 107 bytes that a socket can have");
}

static void check_output_files(struct config *config)
{
    for (unsigned i = 0; i < config->plugin_count; i++) {
        const char *file = config->plugins[i].print_output_file;

        if (!is_type(&config->plugins[i], "print") || file == NULL)
            continue;
        for (unsigned j = 0; j < i; j++) {
            const struct settings *other = &config->plugins[j];

            if (is_type(other, "print") && other->print_output_file != NULL &&
                strcmp(other->print_output_file, file) == 0)
                load_message(config, LOG_LEVEL_WARN, blame(config, i, KEY_print_output_file),
                             "plugins '%s' and '%s' write to one file", other->name, config->plugins[i].name);
        }
    }
}

static void check_secrets(struct config *config)
{
    const struct config_store *store = config->store;

    if (!store->file_mode_known || (store->file_mode & 0004) == 0)
        return;
    for (unsigned i = 0; i < store->line_count; i++) {
        const struct load_line *line = &store->lines[i];

        if (line->flag || line->key == NULL || line->key->type != KEY_TYPE_SECRET)
            continue;
        load_message(config, LOG_LEVEL_WARN, line, "this file holds a password and everybody may read it (mode %04o)",
                     store->file_mode);
        return;
    }
}

static void (*const rules[])(struct config *config) = {
    check_aggregate,  check_primitives,     check_daemonize,   check_sampling, check_savefile, check_ports,
    check_devices,    check_sources,        check_networks,
    check_tls,        check_connections,    check_history,
    check_pro_rating, check_path_variables, check_latest_file, check_tunnel,   check_sockets,  check_output_files,
    check_secrets,
};

void check_run(struct config *config)
{
    for (unsigned i = 0; i < array_length(rules); i++)
        rules[i](config);
}
