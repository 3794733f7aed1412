/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table of flags for all daemons: which daemon has it, which key it stands for, and what the usage says of it. The
 * string for getopt, the lines and the usage are made from it.
 */
#include "config/options.h"

#include "config/keys.h"

#include <getopt.h>
#include <stdlib.h>

#define PACKET (DAEMON_PMACCTD | DAEMON_UACCTD)
#define FLOW (DAEMON_NFACCTD | DAEMON_SFACCTD)

/* A flag with `argument` takes one, which is the value of the key unless `value` is given. */
static const struct flag {
    char letter;
    uint8_t daemons;
    const char *argument;
    const char *key;
    const char *value;
    const char *help;
} flags[] = {
    {'f', DAEMON_ALL, "FILE", NULL, NULL, "read this configuration file"},
    {'P', DAEMON_ALL, "LIST", "plugins", NULL, "plugins to start, as type[name], joined by commas"},
    {'c', DAEMON_ALL, "LIST", "aggregate", NULL, "primitives to aggregate by, joined by commas (see -a)"},
    {'l', FLOW, "PORT", "nfacctd_port", NULL, "UDP port to listen on"},
    {'L', FLOW, "ADDRESS", "nfacctd_ip", NULL, "address to listen on"},
    {'i', DAEMON_PMACCTD, "DEVICE", "pcap_interface", NULL, "device to capture from"},
    {'w', DAEMON_PMACCTD, NULL, "pcap_interface_wait", "true", "wait for the device to come up"},
    {'N', DAEMON_PMACCTD, NULL, "promisc", "false", "no promiscuous mode"},
    {'z', DAEMON_PMACCTD, NULL, "pmacctd_nonroot", "true", "do not insist on being root"},
    {'g', DAEMON_UACCTD, "GROUP", "uacctd_group", NULL, "NFLOG group"},
    {'L', PACKET, "BYTES", "snaplen", NULL, "bytes captured of each packet"},
    {'I', FLOW | DAEMON_PMACCTD, "FILE", "pcap_savefile", NULL, "read this capture file instead of the network"},
    {'W', FLOW | DAEMON_PMACCTD, NULL, "pcap_savefile_wait", "true", "stay alive at the end of the capture file"},
    {'Z', FLOW | DAEMON_PMACCTD, "SECONDS", "pcap_savefile_delay", NULL, "sleep before the capture file is read"},
    {'Y', FLOW | DAEMON_PMACCTD, "TIMES", "pcap_savefile_replay", NULL, "passes over the capture file, 0 is endless"},
    {'R', DAEMON_ALL, NULL, "sfacctd_renormalize", "true", "multiply counters by the sampling rate"},
    {'n', DAEMON_ALL, "FILE", "networks_file", NULL, "networks file"},
    {'t', DAEMON_ALL, "FILE", "ports_file", NULL, "ports file"},
    {'O', DAEMON_ALL, "FORMAT", "print_output", NULL, "print: formatted, csv, json, event_formatted, event_csv"},
    {'o', DAEMON_ALL, "FILE", "print_output_file", NULL, "print: file to write"},
    {'A', DAEMON_ALL, NULL, "print_output_file_append", "true", "print: append to files"},
    {'E', DAEMON_ALL, "CHARACTER", "print_output_separator", NULL, "print: separator of CSV"},
    {'M', DAEMON_ALL, NULL, "print_markers", "true", "print: mark where purges begin and end"},
    {'u', DAEMON_ALL, NULL, "print_num_protos", "true", "protocols as numbers"},
    {'r', DAEMON_ALL, "SECONDS", "sql_refresh_time", NULL, "interval between purges"},
    {'p', DAEMON_ALL, "PATH", "imt_path", NULL, "memory: socket for the client"},
    {'b', DAEMON_ALL, "NUMBER", "imt_buckets", NULL, "memory: accepted, needs no setting"},
    {'m', DAEMON_ALL, "NUMBER", "imt_mem_pools_number", NULL, "memory: accepted, needs no setting"},
    {'s', DAEMON_ALL, "BYTES", "imt_mem_pools_size", NULL, "memory: accepted, needs no setting"},
    {'D', DAEMON_ALL, NULL, "daemonize", "true", "go to the background"},
    {'d', DAEMON_ALL, NULL, "debug", "true", "write DEBUG lines"},
    {'S', DAEMON_ALL, "FACILITY", "syslog", NULL, "log to syslog"},
    {'F', DAEMON_ALL, "FILE", "pidfile", NULL, "write the process id to this file"},
    {'T', DAEMON_ALL, "WHAT", NULL, NULL, "try `config` (read it) or `setup` (start everything), then exit"},
    {'a', DAEMON_ALL, NULL, NULL, NULL, "list the primitives and exit"},
    {'V', DAEMON_ALL, NULL, NULL, NULL, "show the version and exit"},
    {'h', DAEMON_ALL, NULL, NULL, NULL, "show this and exit"},
};

static const struct {
    const char *name;
    uint8_t daemons;
    const char *argument;
    enum options_action action;
    const char *help;
} actions[] = {
    {"check", DAEMON_ALL, NULL, OPTIONS_CHECK, "read the configuration, tell what is wrong, exit"},
    {"decode", DAEMON_NFACCTD, "WHAT", OPTIONS_DECODE,
     "write every record of a capture file, or of a UDP port, with every element by name as a line of JSON"},
    {"dump-config", DAEMON_ALL, NULL, OPTIONS_DUMP, "write the configuration in effect and exit"},
    {"show-layout", DAEMON_ALL, NULL, OPTIONS_LAYOUT, "write the layout of each plugin's records and exit"},
    {"list-primitives", DAEMON_ALL, NULL, OPTIONS_PRIMITIVES, "the same as -a"},
    {"version", DAEMON_ALL, NULL, OPTIONS_VERSION, "the same as -V"},
    {"help", DAEMON_ALL, NULL, OPTIONS_HELP, "the same as -h"},
};

enum {
    flag_letters_max = 2 * array_length(flags) + 2,
    first_action = 256 /* beyond all letters */
};

static const struct flag *find_flag(int letter, enum daemon_mask daemon)
{
    for (unsigned i = 0; i < array_length(flags); i++)
        if (flags[i].letter == letter && (flags[i].daemons & daemon) != 0)
            return &flags[i];
    return NULL;
}

static int add_line(struct options *options, const char *key, const char *value, struct error *error)
{
    char **more = realloc(options->lines, (options->line_count + 1) * sizeof(*more));

    if (more == NULL)
        return error_set(error, "out of memory");
    options->lines = more;
    if (asprintf(&more[options->line_count], "%s: %s", key, value) < 0)
        return error_set(error, "out of memory");
    options->line_count++;
    return 0;
}

static int take_try(struct options *options, const char *what, struct error *error)
{
    if (strcmp(what, "config") == 0)
        options->action = OPTIONS_CHECK;
    else if (strcmp(what, "setup") == 0)
        options->action = OPTIONS_SETUP;
    else
        return error_set(error, "-T takes config or setup, not '%.40s'", what);
    return 0;
}

static int take_flag(struct options *options, const struct flag *flag, enum daemon_mask daemon, const char *argument,
                     struct error *error)
{
    const char *value = flag->value != NULL ? flag->value : argument;
    char name[key_name_max];

    switch (flag->letter) {
    case 'f':
        options->path = argument;
        return 0;
    case 'T':
        return take_try(options, argument, error);
    case 'a':
        options->action = OPTIONS_PRIMITIVES;
        return 0;
    case 'V':
        options->action = OPTIONS_VERSION;
        return 0;
    case 'h':
        options->action = OPTIONS_HELP;
        return 0;
    case 'E':
        /* The blanks around a value in a line do not count, so those that are the value are spelled. */
        if (strcmp(value, " ") == 0 || strcmp(value, "\t") == 0)
            value = *value == ' ' ? "\\s" : "\\t";
        break;
    default:
        break;
    }
    return add_line(options, key_spelling(key_find(flag->key), daemon, name), value, error);
}

/* The words after the flags are pmacctd's capture filter; the others take none. */
static int take_words(struct options *options, enum daemon_mask daemon, char **words, struct error *error)
{
    char *filter = NULL;
    size_t size;
    FILE *out;
    int result;

    if (*words == NULL)
        return 0;
    if (daemon != DAEMON_PMACCTD)
        return error_set(error, "unexpected argument '%.60s'", *words);
    if (options->path != NULL)
        return error_set(error, "a filter on the command line does not go with -f; use pcap_filter in the file");
    out = open_memstream(&filter, &size);
    if (out == NULL)
        return error_set(error, "out of memory");
    for (char **word = words; *word != NULL; word++)
        fprintf(out, "%s%s", word == words ? "" : " ", *word);
    result = fclose(out) == 0 ? add_line(options, "pcap_filter", filter, error) : error_set(error, "out of memory");
    free(filter);
    return result;
}

/* What getopt did not like, as a phrase. */
static int wrong_flag(enum daemon_mask daemon, int result, char **argv, struct error *error)
{
    struct nearest nearest;
    const char *word = argv[optind - 1];

    if (result == ':' && find_flag(optopt, daemon) != NULL)
        return error_set(error, "flag -%c needs a value", optopt);
    if (result == ':')
        return error_set(error, "flag %.60s needs a value", word);
    if (optopt != 0 && strncmp(word, "--", 2) != 0)
        return error_set(error, "unknown flag -%c", optopt);
    word += strspn(word, "-");
    if (strchr(word, '=') != NULL)
        return error_set(error, "flag --%.60s takes no value", word);
    nearest_start(&nearest, word);
    for (unsigned i = 0; i < array_length(actions); i++)
        if ((actions[i].daemons & daemon) != 0)
            nearest_offer(&nearest, actions[i].name);
    if (nearest_result(&nearest) != NULL)
        return error_set(error, "unknown flag --%.60s; did you mean --%s?", word, nearest_result(&nearest));
    return error_set(error, "unknown flag --%.60s", word);
}

/* What getopt asks for: the letters of this daemon's flags, a colon behind each that takes a value. */
static void getopt_letters(enum daemon_mask daemon, char letters[flag_letters_max])
{
    size_t used = 0;

    letters[used++] = ':';
    for (unsigned i = 0; i < array_length(flags); i++) {
        if ((flags[i].daemons & daemon) == 0)
            continue;
        letters[used++] = flags[i].letter;
        if (flags[i].argument != NULL)
            letters[used++] = ':';
    }
    letters[used] = '\0';
}

/* And the long names; `val` leads back to the table. Ended by a row of zeros. */
static void getopt_names(enum daemon_mask daemon, struct option names[array_length(actions) + 1])
{
    unsigned used = 0;

    for (unsigned i = 0; i < array_length(actions); i++) {
        if ((actions[i].daemons & daemon) == 0)
            continue;
        names[used++] = (struct option){.name = actions[i].name,
                                        .has_arg = actions[i].argument != NULL ? required_argument : no_argument,
                                        .val = first_action + (int)i};
    }
    names[used] = (struct option){.name = NULL};
}

int options_parse(int argc, char **argv, enum daemon_mask daemon, struct options *options, struct error *error)
{
    char letters[flag_letters_max];
    struct option names[array_length(actions) + 1];
    int result;

    memset(options, 0, sizeof(*options));
    getopt_letters(daemon, letters);
    getopt_names(daemon, names);
    optind = 0; /* a fresh start, for tests call this more than once */
    opterr = 0;
    while ((result = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        if (result >= first_action) {
            options->action = actions[result - first_action].action;
            if (options->action == OPTIONS_DECODE)
                options->decode = optarg;
        } else if (result == ':' || result == '?') {
            return wrong_flag(daemon, result, argv, error);
        } else if (take_flag(options, find_flag(result, daemon), daemon, optarg, error) < 0) {
            return -1;
        }
    }
    return take_words(options, daemon, argv + optind, error);
}

void options_free(struct options *options)
{
    for (unsigned i = 0; i < options->line_count; i++)
        free(options->lines[i]);
    free(options->lines);
    memset(options, 0, sizeof(*options));
}

void options_usage(enum daemon_mask daemon, FILE *out)
{
    fprintf(out, "usage: %s [flags]%s\n\n", key_daemon_name(daemon),
            daemon == DAEMON_PMACCTD ? " [capture filter, without -f]" : "");
    for (unsigned i = 0; i < array_length(flags); i++) {
        const struct flag *flag = &flags[i];

        if ((flag->daemons & daemon) != 0)
            fprintf(out, "  -%c %-10s %s\n", flag->letter, flag->argument != NULL ? flag->argument : "", flag->help);
    }
    fputc('\n', out);
    for (unsigned i = 0; i < array_length(actions); i++) {
        const char *argument = actions[i].argument != NULL ? actions[i].argument : "";

        if ((actions[i].daemons & daemon) != 0)
            fprintf(out, "  --%s %-*s %s\n", actions[i].name, 16 - (int)strlen(actions[i].name), argument,
                    actions[i].help);
    }
    fputs("\nFlags are short for keys and win over the file. All keys: flowledger-keys(5).\n", out);
}
