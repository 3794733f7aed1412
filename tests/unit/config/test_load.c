/* SPDX-License-Identifier: BSD-2-Clause */
/* Scoping and precedence: who gets which value, in which order, and what is said of it. */
#include "config/config.h"

#include "lib/tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config *load_with(const char *text, const char *const *extra, unsigned extra_count)
{
    struct config_source source = {
        .daemon = DAEMON_SFACCTD, .path = text == NULL ? NULL : "t.conf", .extra = extra, .extra_count = extra_count};

    return text == NULL ? config_new(&source) : config_parse_text(&source, text, strlen(text));
}

static struct config *load_text(const char *text)
{
    return load_with(text, NULL, 0);
}

static bool says(const struct config *config, enum log_level level, unsigned line, const char *part)
{
    for (unsigned i = 0; i < config->message_count; i++)
        if (config->messages[i].level == level && config->messages[i].line == line &&
            strstr(config->messages[i].text, part) != NULL)
            return true;
    for (unsigned i = 0; i < config->message_count; i++)
        printf("# %d line %u: %s\n", (int)config->messages[i].level, config->messages[i].line,
               config->messages[i].text);
    return false;
}

static bool mentions_line(const struct config *config, unsigned line)
{
    for (unsigned i = 0; i < config->message_count; i++)
        if (config->messages[i].line == line)
            return true;
    return false;
}

static unsigned count_level(const struct config *config, enum log_level level)
{
    unsigned count = 0;

    for (unsigned i = 0; i < config->message_count; i++)
        count += config->messages[i].level == level;
    return count;
}

static void scoping(void)
{
    struct config *config = load_text("plugins: print[a], print[b], memory[c]\n"
                                      "aggregate: src_host\n"
                                      "aggregate[b]: dst_host\n"
                                      "print_refresh_time: 10\n"
                                      "print_refresh_time[b]: 20\n"
                                      "kafka_max_writers: 3\n");

    is_u64(config->error_count, 0, "no errors");
    is_u64(config->plugin_count, 3, "three plugins");
    is_text(config->plugins[2].name, "c", "their names");
    is_text(config->plugins[2].type, "memory", "their types");
    is_text(config->core.type, "core", "the type of the core");
    is_text(config->core.name, "default", "the name of the core");
    ok(field_set_has(&config->plugins[0].aggregate.fields, FIELD_SRC_HOST), "a has the global aggregate");
    ok(field_set_has(&config->plugins[1].aggregate.fields, FIELD_DST_HOST), "b has its own");
    ok(!field_set_has(&config->plugins[1].aggregate.fields, FIELD_SRC_HOST), "and only its own");
    is_u64(config->plugins[0].refresh_time, 10, "a refreshes as all");
    is_u64(config->plugins[1].refresh_time, 20, "b refreshes for itself");
    is_u64(config->core.refresh_time, 10, "the core knows the global value");
    is_u64(config->plugins[0].max_writers, 3, "another plugin's spelling writes the shared member");
    ok(settings_is_set(&config->plugins[0], KEY_max_writers), "what is set is known as set");
    ok(!settings_is_set(&config->plugins[0], KEY_startup_delay), "what is not is not");
    config_free(config);
}

static void order(void)
{
    static const char *const extra[] = {"print_refresh_time: 7", "plugins: print[x], print[b]"};
    struct config *config = load_text("plugins: print[a], print[b]\n"
                                      "aggregate: src_host\n"
                                      "print_refresh_time[b]: 20\n"
                                      "print_refresh_time: 10\n"
                                      "sql_refresh_time: 11\n"
                                      "print_history: 5m\n"
                                      "print_history: 5m\n");

    is_u64(config->plugins[1].refresh_time, 11, "a later global line overrides a named one");
    ok(says(config, LOG_LEVEL_NOTICE, 4, "overrides 'print_refresh_time[b]' of line 3"), "and it is said");
    ok(says(config, LOG_LEVEL_WARN, 5, "same setting as 'print_refresh_time' of line 4"), "a shared member is said");
    ok(says(config, LOG_LEVEL_WARN, 7, "duplicate key 'print_history'"), "a duplicate is said");
    is_u64(config->error_count, 0, "none is an error");
    config_free(config);

    config = load_with("plugins: print[a], print[b]\naggregate: src_host\nprint_refresh_time: 5\n"
                       "print_refresh_time[b]: 20\n",
                       extra, 2);
    is_u64(config->plugin_count, 2, "plugins of the command line");
    is_text(config->plugins[0].name, "x", "win over those of the file");
    is_u64(config->plugins[1].refresh_time, 7, "flags win over a named line");
    ok(says(config, LOG_LEVEL_NOTICE, 0, "for all plugins overrides 'print_refresh_time[b]' of line 4"), "it is said");
    is_u64(config->error_count, 0, "no errors");
    config_free(config);

    config = load_with(NULL, extra, 1);
    is_u64(config->plugin_count, 1, "flags alone start a memory plugin");
    is_text(config->plugins[0].name, "default_memory", "with its default name");
    is_u64(config->plugins[0].refresh_time, 7, "and the flags' values");
    ok(count_level(config, LOG_LEVEL_WARN) == 2, "two warnings: no plugin, no aggregate");
    is_text(config->messages[0].file, "command line", "the source is the command line");
    config_free(config);
}

static void plugin_lists(void)
{
    struct config *config = load_text("plugins: Print, print[foo] , memory [m x],print[foo]\n"
                                      "plugins: memory[late]\n"
                                      "aggregate: none\nprint_output_file[foo]: /tmp/foo\n");

    is_u64(config->plugin_count, 3, "an unnamed plugin does not hide the names after it");
    is_text(config->plugins[0].name, "default_print", "unnamed");
    is_text(config->plugins[1].print_output_file, "/tmp/foo", "its key reaches a named one");
    ok(says(config, LOG_LEVEL_WARN, 1, "another plugin is called 'foo'"), "a name twice is said");
    ok(says(config, LOG_LEVEL_WARN, 2, "only the first one counts"), "plugins twice is said");
    is_u64(config->error_count, 0, "no errors");
    config_free(config);

    config = load_text("plugins: kafka[k], prnt[p], print[a\naggregate[k]: src_host\nkafka_topic[k]: x\nsql_db: y\n"
                       "aggregate[p]: src_host\n");
    ok(says(config, LOG_LEVEL_ERROR, 1, "plugin type 'kafka' is not available in this version"), "not built yet");
    ok(says(config, LOG_LEVEL_ERROR, 1, "unknown plugin type 'prnt'; did you mean 'print'?"), "unknown type");
    ok(says(config, LOG_LEVEL_ERROR, 1, "'print[a' is not a plugin"), "brackets");
    is_u64(config->error_count, 3, "their keys are no errors on top");
    config_free(config);

    config = load_text("plugins: mongodb[m]\nmongo_host: x\naggregate: none\n");
    is_u64(config->error_count, 0, "mongodb is left out");
    is_text(config->plugins[0].type, "memory", "and memory starts in its place");
    config_free(config);
}

static void names(void)
{
    struct config *config = load_text("plugins: print[inbound]\naggregate[inbond]: src_host\naggregate[inbound]: none\n"
                                      "daemonize[inbound]: false\naggregate_filter: net 10.0.0.0/8\n"
                                      "aggregat: src_host\nzzzzzzzzzzzzzzzzz: 1\n");

    ok(says(config, LOG_LEVEL_ERROR, 2, "no plugin is called 'inbond'; did you mean 'inbound'?"), "a wrong name");
    ok(says(config, LOG_LEVEL_WARN, 4, "key 'daemonize' is global"), "a global key with a name");
    ok(says(config, LOG_LEVEL_ERROR, 5, "needs a plugin name"), "a named key without one");
    ok(says(config, LOG_LEVEL_ERROR, 6, "unknown key 'aggregat'; did you mean 'aggregate'?"), "an unknown key");
    ok(says(config, LOG_LEVEL_ERROR, 7, "unknown key 'zzzzzzzzzzzzzzzzz'"), "one that is near nothing");
    is_u64(config->error_count, 4, "all errors at one time");
    config_free(config);

    config = load_text("aggregat: src_host\naggregate[x]: none\nconfig_strict: false\n");
    is_u64(config->error_count, 0, "config_strict: false makes no errors of them");
    ok(says(config, LOG_LEVEL_WARN, 1, "unknown key"), "but warnings");
    ok(says(config, LOG_LEVEL_WARN, 2, "no plugin is called"), "of names too");
    config_free(config);
}

static void statuses(void)
{
    struct config *config = load_text("plugins: memory[m]\naggregate: none\nbgp_daemon: true\n"
                                      "bgp_daemon_max_peers: 100\n"
                                      "sql_db: x\nsfacctd_kafka_broker_port: 9092\nnfprobe_receiver: 1.2.3.4:5\n"
                                      "imt_buckets: 1000\nimt_buckets[m]: 1000\nnfacctd_disable_checks: false\n"
                                      "mongo_host: h\nsfacctd_zmq_address: /tmp/n\nuacctd_group: 5\nsfacctd_kafka_topic: t\n");

    ok(says(config, LOG_LEVEL_ERROR, 3, "key 'bgp_daemon' is not supported yet: Start the BGP"), "changes results");
    ok(says(config, LOG_LEVEL_DEBUG, 4, "makes no difference"), "keys of a protocol that does not run");
    ok(says(config, LOG_LEVEL_DEBUG, 5, "makes no difference"), "keys of a plugin that does not run");
    ok(says(config, LOG_LEVEL_NOTICE, 6, "is its default"), "a default is no error");
    ok(says(config, LOG_LEVEL_NOTICE, 8, "needs no setting: the table grows"), "a key without effect");
    ok(!mentions_line(config, 9), "is told once");
    ok(says(config, LOG_LEVEL_NOTICE, 10, "is now called"), "an old name");
    ok(says(config, LOG_LEVEL_WARN, 11, "is ignored: MongoDB"), "an old name without successor");
    ok(says(config, LOG_LEVEL_ERROR, 12, "zmq_address"), "an input that is not there yet");
    ok(says(config, LOG_LEVEL_DEBUG, 13, "makes no difference"), "keys of another daemon");
    is_u64(config->error_count, 3, "three errors");
    config_free(config);
}

static void values(void)
{
    struct config *config = load_text("\xef\xbb\xbfplugins: print[p]\r\nsfacctd_port: 10s\r\nprint_history: 1h\r\n"
                                      "print_history_roundoff: mh\r\nprint_history_offset: 600\r\n"
                                      "timestamps_utc: true\r\naggregate: src_host\r\nlogfile:\r\n"
                                      "print_preprocess_type: ALL\nnfacctd_ignore_exporter_address: true");
    const struct settings *plugin = &config->plugins[0];

    ok(says(config, LOG_LEVEL_ERROR, 2, "key 'sfacctd_port': value '10s' is not valid; expected a port in 1..65535"),
       "digits and junk are no number");
    ok(says(config, LOG_LEVEL_ERROR, 8, "the value is missing"), "an empty value");
    is_u64(config->error_count, 2, "nothing else is wrong");
    is_u64(config->core.port, 0, "a wrong value leaves the default");
    ok(plugin->history.count == 1 && plugin->history.unit == TIME_UNIT_HOUR, "history");
    ok(plugin->history.round_minutes && plugin->history.round_hours && !plugin->history.round_week, "its letters");
    ok(plugin->history.utc && plugin->history.offset_seconds == 600, "its zone and offset");
    is_u64((uint64_t)plugin->preprocess_type, 1, "all");
    ok(config->core.ignore_exporter_address, "the last line needs no newline, and any daemon's spelling will do");
    is_u64(plugin->refresh_time, 60, "defaults are filled in");
    is_u64(plugin->files_umask, 077, "octal");
    is_text(plugin->imt_path, "/tmp/collect.pipe", "texts too");
    is_u64((uint64_t)plugin->print_output_separator, ',', "and characters");
    ok(config->core.pcap_savefile_replay == 1, "and those that are true");
    ok(plugin->logfile == NULL, "unset texts are NULL");
    config_free(config);
}

/* Keys of one daemon only, and what they are when nothing is said. */
static void netflow_keys(void)
{
    static const char text[] = "plugins: print[p]\naggregate: none\nsfacctd_lanes: 0\nnfacctd_hold_bytes: 2M\n"
                               "dtls_path: /x\nnfacctd_dtls_port: 4740\nnfacctd_biflow: ignore\n"
                               "nfacctd_templates_key: address_port\nnfacctd_unknown_sampling_rate: drop\n"
                               "nfacctd_pro_rating: true\nprint_history: 1m\ntmp_asa_bi_flow: true\n"
                               "nfacctd_stitching: true\n";
    struct config_source source = {.daemon = DAEMON_NFACCTD, .path = "t.conf"};
    struct config *config = config_parse_text(&source, "aggregate: none\n", 16);
    const struct settings *core = &config->core;

    ok(core->lanes == 1 && core->port == 0 && core->tcp_port == 0 && core->tls_port == 0 && core->dtls_port == 0,
       "one lane, no ports");
    ok(core->template_memory_limit == UINT64_C(64) << 20 && core->exporter_templates_max == 1024 &&
           core->template_lifetime == 86400, "limits of templates");
    ok(core->hold_bytes == UINT64_C(16) << 20 && core->hold_seconds == 300, "limits of what waits");
    ok(core->templates_key == 0 && core->biflow == 0 && core->unknown_sampling_rate == 0, "first choices");
    ok(core->tls_verify && core->tls_path == NULL && core->tls_peer_names == NULL && core->templates_file == NULL &&
           core->aggregate_primitives == NULL, "peers are verified, no files");
    ok(!core->account_options && !core->disable_opt_scope_check && !core->time_secs && !core->time_new &&
           !core->asa_bi_flow && !config->plugins[0].pro_rating, "and all else is off");
    config_free(config);

    config = config_parse_text(&source, text, sizeof(text) - 1);
    core = &config->core;
    ok(core->lanes == 0 && settings_is_set(core, KEY_lanes), "an explicit 0 is told from unset");
    is_u64(core->hold_bytes, UINT64_C(2) << 20, "bytes with a letter");
    is_text(core->tls_path, "/x", "pmacct's name of the directory");
    ok(core->templates_key == 1 && core->biflow == 2 && core->unknown_sampling_rate == 1, "choices by position");
    ok(says(config, LOG_LEVEL_NOTICE, 12, "'tmp_asa_bi_flow' makes a record of each direction"), "what is different");
    ok(says(config, LOG_LEVEL_ERROR, 10, "'nfacctd_stitching' of plugin 'p' exclude each other"), "pro-rating");
    is_u64(config->error_count, 1, "nothing else is wrong");
    config_free(config);

    source.daemon = DAEMON_SFACCTD;
    config = config_parse_text(&source, text, sizeof(text) - 1);
    is_u64(config->error_count, 0, "in sfacctd nothing of it is wrong");
    ok(says(config, LOG_LEVEL_DEBUG, 6, "makes no difference here"), "it makes no difference there");
    is_u64(count_level(config, LOG_LEVEL_NOTICE), 0, "and is not talked about");
    is_u64(config->core.lanes, 0, "but for what both have");
    config_free(config);
}

/* A password in a file that everybody may read. */
static void secrets(void)
{
    char path[] = "/tmp/flowledger-config-XXXXXX";
    static const char text[] = "plugins: memory\naggregate: none\nsql_passwd: hidden\n";
    struct config_source source = {.daemon = DAEMON_SFACCTD, .path = path};
    struct config *config;
    char *dump = NULL;
    size_t size;
    FILE *out;
    int fd = mkstemp(path);

    ok(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && fchmod(fd, 0644) == 0, "a file");
    config = config_new(&source);
    ok(says(config, LOG_LEVEL_WARN, 3, "everybody may read it (mode 0644)"), "mode 0644 is warned of");
    out = open_memstream(&dump, &size);
    config_dump(config, out);
    fclose(out);
    ok(strstr(dump, "sql_passwd: ***") != NULL && strstr(dump, "hidden") == NULL, "the dump does not show it");
    free(dump);
    config_free(config);
    fchmod(fd, 0600);
    config = config_new(&source);
    is_u64(count_level(config, LOG_LEVEL_WARN), 0, "mode 0600 is not");
    config_free(config);
    close(fd);
    unlink(path);
}

static void bounds(void)
{
    size_t size = 70000;
    char *text = malloc(3 * size);
    struct config_source source = {.daemon = DAEMON_SFACCTD, .path = "big"};
    struct config *config;

    memset(text, 'a', size);
    text[size] = '\n';
    config = config_parse_text(&source, text, size + 1);
    ok(says(config, LOG_LEVEL_ERROR, 1, "longer than"), "a line that is too long");
    config_free(config);

    for (size_t i = 0; i < size; i++)
        memcpy(text + 3 * i, "x:\n", 3);
    config = config_parse_text(&source, text, 3 * size);
    ok(config->message_count <= 1000, "messages are bounded");
    ok(strstr(config->messages[config->message_count - 1].text, "more messages") != NULL, "and it is said");
    config_free(config);

    config = config_parse_text(&source, "plugins: pr\0int\n", 16);
    ok(says(config, LOG_LEVEL_ERROR, 1, "NUL"), "a NUL byte");
    config_free(config);
    free(text);
}

static void files(void)
{
    struct config_source source = {.daemon = DAEMON_SFACCTD, .path = "/nonexistent/x.conf"};
    struct config *config = config_new(&source);

    ok(config->error_count == 1 && says(config, LOG_LEVEL_ERROR, 0, "not found"), "a missing file");
    config_free(config);
    source.path = "/dev/null";
    config = config_new(&source);
    ok(config->error_count == 1 && says(config, LOG_LEVEL_ERROR, 0, "not a regular file"), "a device");
    config_free(config);
    source.path = "/";
    config = config_new(&source);
    ok(config->error_count == 1 && says(config, LOG_LEVEL_ERROR, 0, "not a regular file"), "a directory");
    config_free(config);
}

int main(void)
{
    plan_none();
    scoping();
    order();
    plugin_lists();
    names();
    statuses();
    values();
    netflow_keys();
    secrets();
    bounds();
    files();
    return done_testing();
}
