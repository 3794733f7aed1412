/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: every flag of each daemon, actions, errors, and that flags and a file mean the same. */
#include "config/options.h"

#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"
#include "lib/tap.h"

#include <stdlib.h>

/* Splits a command line at blanks; \x1f stands for a blank inside of an argument. */
static int parse(const char *line, enum daemon_mask daemon, struct options *options, struct error *error, char *room)
{
    static char *argv[64];
    int argc = 0;

    snprintf(room, 1024, "%s", line);
    for (char *p = room; *p != '\0' && argc < 63;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p != '\0')
            *p++ = '\0';
    }
    argv[argc] = NULL;
    for (int i = 0; i < argc; i++)
        for (char *p = argv[i]; *p != '\0'; p++)
            if (*p == '\x1f')
                *p = ' ';
    return options_parse(argc, argv, daemon, options, error);
}

static void lines(enum daemon_mask daemon, const char *line, const char *want)
{
    struct options options;
    struct error error = {""};
    char room[1024], got[1024] = "";
    size_t used = 0;

    if (parse(line, daemon, &options, &error, room) < 0)
        printf("# %s\n", error.text);
    for (unsigned i = 0; i < options.line_count; i++)
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%s", i == 0 ? "" : "|", options.lines[i]);
    is_text(got, want, "%s", line);
    options_free(&options);
}

static void fails(enum daemon_mask daemon, const char *line, const char *part)
{
    struct options options;
    struct error error = {""};
    char room[1024];

    ok(parse(line, daemon, &options, &error, room) < 0 && strstr(error.text, part) != NULL, "%s: %s", line, error.text);
    options_free(&options);
}

static void acts(const char *line, enum options_action action)
{
    struct options options;
    struct error error = {""};
    char room[1024];

    ok(parse(line, DAEMON_SFACCTD, &options, &error, room) == 0 && options.action == action, "%s", line);
    options_free(&options);
}

/* A flag and the line of a file that it stands for. */
static const struct pair {
    enum daemon_mask daemon;
    const char *flags, *text;
} pairs[] = {
    {DAEMON_SFACCTD, "x -P print[a],memory[b] -c src_host,dst_host",
     "plugins: print[a],memory[b]\naggregate: src_host,dst_host\n"},
    {DAEMON_SFACCTD, "x -l 7000 -L 127.0.0.1", "sfacctd_port: 7000\nsfacctd_ip: 127.0.0.1\n"},
    {DAEMON_NFACCTD, "x -l 7000 -L ::1", "nfacctd_port: 7000\nnfacctd_ip: ::1\n"},
    {DAEMON_SFACCTD, "x -I /tmp/a.pcap -W -Z 3 -Y 0",
     "pcap_savefile: /tmp/a.pcap\npcap_savefile_wait: true\npcap_savefile_delay: 3\npcap_savefile_replay: 0\n"},
    {DAEMON_SFACCTD, "x -R", "sfacctd_renormalize: true\n"},
    {DAEMON_PMACCTD, "x -R", "pmacctd_renormalize: true\n"},
    {DAEMON_SFACCTD, "x -P print -O csv -o /tmp/x -A -E ; -M -u -r 30",
     "plugins: print\nprint_output: csv\nprint_output_file: /tmp/x\nprint_output_file_append: true\n"
     "print_output_separator: ;\nprint_markers: true\nprint_num_protos: true\nsql_refresh_time: 30\n"},
    {DAEMON_SFACCTD, "x -P print -E \x1f", "plugins: print\nprint_output_separator: \\s\n"},
    {DAEMON_SFACCTD, "x -P print -E \t", "plugins: print\nprint_output_separator: \\t\n"},
    {DAEMON_SFACCTD, "x -p /tmp/i -b 11 -m 12 -s 13",
     "imt_path: /tmp/i\nimt_buckets: 11\nimt_mem_pools_number: 12\nimt_mem_pools_size: 13\n"},
    {DAEMON_SFACCTD, "x -D -d -S daemon -F /tmp/pid",
     "daemonize: true\ndebug: true\nsyslog: daemon\npidfile: /tmp/pid\n"},
    {DAEMON_SFACCTD, "x -n /tmp/n -t /tmp/t", "networks_file: /tmp/n\nports_file: /tmp/t\n"},
    {DAEMON_PMACCTD, "x -i eth0 -w -N -z -L 256",
     "pcap_interface: eth0\npcap_interface_wait: true\npromisc: false\npmacctd_nonroot: true\nsnaplen: 256\n"},
    {DAEMON_UACCTD, "x -g 5 -L 256", "uacctd_group: 5\nsnaplen: 256\n"},
};

static char *settings_text(const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    config_dump(config, out);
    fprintf(out, "%u messages, %u errors\n", config->message_count, config->error_count);
    fclose(out);
    return text;
}

static void pairwise(void)
{
    for (unsigned i = 0; i < array_length(pairs); i++) {
        struct config_source by_flags = {.daemon = pairs[i].daemon}, by_file = {.daemon = pairs[i].daemon, .path = "f"};
        struct options options;
        struct error error = {""};
        struct config *flags, *file;
        char room[1024], *a, *b;

        ok(parse(pairs[i].flags, pairs[i].daemon, &options, &error, room) == 0, "%s %s", pairs[i].flags, error.text);
        by_flags.extra = (const char *const *)options.lines;
        by_flags.extra_count = options.line_count;
        flags = config_new(&by_flags);
        file = config_parse_text(&by_file, pairs[i].text, strlen(pairs[i].text));
        a = settings_text(flags);
        b = settings_text(file);
        is_text(a, b, "flags and file are equal: %s", pairs[i].flags);
        free(a);
        free(b);
        config_free(flags);
        config_free(file);
        options_free(&options);
    }
}

int main(void)
{
    struct options options;
    struct error error;
    char room[1024], *help = NULL;
    size_t size;
    FILE *out;

    plan_none();
    lines(DAEMON_PMACCTD, "x -P print src net 10.0.0.0/8", "plugins: print|pcap_filter: src net 10.0.0.0/8");
    lines(DAEMON_SFACCTD, "x", "");
    lines(DAEMON_SFACCTD, "x -f /tmp/conf -d", "debug: true");
    ok(parse("x -f /tmp/conf", DAEMON_SFACCTD, &options, &error, room) == 0, "-f");
    is_text(options.path, "/tmp/conf", "is the path");
    options_free(&options);
    acts("x", OPTIONS_RUN);
    acts("x --check -f y", OPTIONS_CHECK);
    acts("x -T config", OPTIONS_CHECK);
    acts("x -T setup", OPTIONS_SETUP);
    acts("x --dump-config", OPTIONS_DUMP);
    acts("x --show-layout", OPTIONS_LAYOUT);
    acts("x -a", OPTIONS_PRIMITIVES);
    acts("x --list-primitives", OPTIONS_PRIMITIVES);
    acts("x -V", OPTIONS_VERSION);
    acts("x --version", OPTIONS_VERSION);
    acts("x -h", OPTIONS_HELP);
    acts("x --help", OPTIONS_HELP);
    fails(DAEMON_SFACCTD, "x -x", "unknown flag -x");
    fails(DAEMON_SFACCTD, "x -i eth0", "unknown flag -i");
    fails(DAEMON_SFACCTD, "x --chek", "did you mean --check?");
    fails(DAEMON_SFACCTD, "x --zzzzzzzz", "unknown flag --zzzzzzzz");
    fails(DAEMON_SFACCTD, "x --check=1", "takes no value");
    fails(DAEMON_SFACCTD, "x -P", "-P needs a value");
    fails(DAEMON_SFACCTD, "x -T all", "config or setup");
    fails(DAEMON_SFACCTD, "x word", "unexpected argument 'word'");
    fails(DAEMON_PMACCTD, "x -f y tcp", "does not go with -f");
    fails(DAEMON_SFACCTD, "x --decode y", "unknown flag --decode");
    fails(DAEMON_NFACCTD, "x --decode", "flag --decode needs a value");
    ok(parse("x --decode /tmp/a.pcap -d", DAEMON_NFACCTD, &options, &error, room) == 0 &&
           options.action == OPTIONS_DECODE, "--decode of nfacctd");
    is_text(options.decode, "/tmp/a.pcap", "is the file or the port");
    is_u64(options.line_count, 1, "and flags go with it");
    options_free(&options);
    ok(parse("x --decode=2100", DAEMON_NFACCTD, &options, &error, room) == 0, "--decode=");
    is_text(options.decode, "2100", "the same with a sign of equality");
    options_free(&options);
    pairwise();
    out = open_memstream(&help, &size);
    options_usage(DAEMON_SFACCTD, out);
    fclose(out);
    ok(strstr(help, "  -l PORT") != NULL && strstr(help, "--dump-config") != NULL, "the usage lists flags and actions");
    ok(strstr(help, "DEVICE") == NULL && strstr(help, "decode") == NULL, "of this daemon only");
    free(help);
    out = open_memstream(&help, &size);
    options_usage(DAEMON_NFACCTD, out);
    fclose(out);
    ok(strstr(help, "  --decode WHAT       write every") != NULL, "nfacctd has --decode too");
    free(help);
    return done_testing();
}
