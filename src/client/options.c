/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the command line by a table; see options.h. Checks come in the order in which pmacct makes them. */
#include "client/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugins/common/encode.h"

#define default_path "/tmp/collect.pipe"

const char client_usage[] =
    "Usage: pmacct [query]\n"
    "       pmacct status [-p PATH] [-O json]\n"
    "       pmacct top [-p PATH] [-n bytes|packets|flows] [-d SECONDS] [--batch FRAMES]\n"
    "       pmacct exporters [ADDRESS] [-p PATH] [-O json]   who sends NetFlow and IPFIX: loss, sampling, clocks\n"
    "       pmacct templates [ADDRESS] [-p PATH] [-O json]   what their templates say\n"
    "       pmacct reload [-p PATH]                          makes a daemon read its maps again, and waits for it\n"
    "\n"
    "Queries:\n"
    "  -s, --show                 all rows of the table\n"
    "  -N, --counters DATA        counters of what matches DATA (needs -c)\n"
    "  -M, --match DATA           rows that match DATA (needs -c)\n"
    "  -c, --fields LIST          the primitives that DATA refers to, in its order, comma separated\n"
    "  -n, --counter bytes|packets|flows|all\n"
    "                             which counter -N prints; all prints: packets bytes flows rows\n"
    "  -S, --sum                  one sum over all the queries of -N\n"
    "  -T, --top bytes|packets|flows[,N]\n"
    "                             largest first, the first N only (with -s and -M)\n"
    "  -a, --all-columns          columns of all primitives, also of those that are not aggregated\n"
    "  -e, --clear                empty the table (after the query, when there is one)\n"
    "  -r, --reset                set the counters of the rows that were read to zero, in the same step\n"
    "                             (with -s, -N, -M)\n"
    "  -i, --age                  seconds since the table was last emptied, or never\n"
    "  -l, --lock                 accepted; every answer is one moment of the table\n"
    "  -t, --buckets              how the rows spread over hash buckets\n"
    "  -C, --classes              the classes in the table\n"
    "  -U, --primitives           the custom primitives\n"
    "  -p, --path PATH            the socket of the memory plugin (default " default_path ")\n"
    "  -O, --output formatted|csv|json|event_formatted|event_csv\n"
    "  -E, --separator C          between CSV fields: one character, \\t or \\s\n"
    "  -I, --epoch                times in seconds since 1970\n"
    "  -u, --numbers              IP protocols as numbers\n"
    "  -0, --utc                  times in UTC\n"
    "  -V, --version\n"
    "  -h, --help\n"
    "\n"
    "DATA: values joined by ',' in the order of -c; '*' fits anything; ';' separates queries;\n"
    "      'file:PATH' reads one query from each line. Times are YYYY-MM-DDTHH:MM:SS[.uuuuuu].\n";

static const struct option long_options[] = {
    {"show", no_argument, NULL, 's'},        {"counters", required_argument, NULL, 'N'},
    {"match", required_argument, NULL, 'M'}, {"fields", required_argument, NULL, 'c'},
    {"counter", required_argument, NULL, 'n'}, {"sum", no_argument, NULL, 'S'},
    {"top", required_argument, NULL, 'T'},   {"all-columns", no_argument, NULL, 'a'},
    {"clear", no_argument, NULL, 'e'},       {"reset", no_argument, NULL, 'r'},
    {"age", no_argument, NULL, 'i'},         {"lock", no_argument, NULL, 'l'},
    {"buckets", no_argument, NULL, 't'},     {"classes", no_argument, NULL, 'C'},
    {"primitives", no_argument, NULL, 'U'},  {"path", required_argument, NULL, 'p'},
    {"output", required_argument, NULL, 'O'}, {"separator", required_argument, NULL, 'E'},
    {"epoch", no_argument, NULL, 'I'},       {"numbers", no_argument, NULL, 'u'},
    {"utc", no_argument, NULL, '0'},         {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},        {"interval", required_argument, NULL, 'd'},
    {"batch", required_argument, NULL, 'B'}, {NULL, 0, NULL, 0},
};

/* Flags that say what to do; at most one of these may be given. */
static const struct {
    char flag;
    enum client_action action;
} exclusive[] = {
    {'s', CLIENT_TABLE}, {'t', CLIENT_BUCKETS}, {'N', CLIENT_COUNTERS}, {'M', CLIENT_MATCH}, {'C', CLIENT_CLASSES},
};

static const char *const counter_names[] = {"bytes", "packets", "flows", "all"};
static const char *const format_names[] = {"formatted", "csv", "json", "event_formatted", "event_csv"};

static int find_word(const char *word, size_t length, const char *const names[], unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
            return (int)i;
    return -1;
}

static void note(struct client_options *options, const char *format, ...) printf_like(2, 3);
static void note(struct client_options *options, const char *format, ...)
{
    size_t used = strlen(options->notes);
    va_list args;

    va_start(args, format);
    vsnprintf(options->notes + used, sizeof(options->notes) - used, format, args);
    va_end(args);
}

static int parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *number)
{
    char *end;

    *number = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *number >= min && *number <= max ? 0 : -1;
}

static int parse_sort(struct client_options *options, const char *argument, struct error *error)
{
    size_t length = strcspn(argument, ",");
    int counter = find_word(argument, length, counter_names, 3);
    unsigned long count;

    if (counter < 0) {
        note(options, "WARN: -T, ignoring unknown counter type: %.64s.\n", argument);
        return 0;
    }
    options->sorted = true;
    options->sort_by = (enum client_counter)counter;
    if (argument[length] == '\0')
        return 0;
    if (parse_number(argument + length + 1, 0, 1000000000, &count) < 0)
        return error_set(error, "ERROR: -T, '%.64s' is not a number of rows\n  Exiting...\n", argument + length + 1);
    options->sort_count = count;
    return 0;
}

static int parse_separator(struct client_options *options, const char *argument, struct error *error)
{
    if (strcmp(argument, "\\t") == 0)
        options->separator = '\t';
    else if (strcmp(argument, "\\s") == 0)
        options->separator = ' ';
    else if (strlen(argument) == 1)
        options->separator = argument[0];
    else
        return error_set(error, "ERROR: -E option expects a single char as separator\n  Exiting...\n");
    return 0;
}

/* Flags with a value of some form. */
static int parse_value(struct client_options *options, int flag, const char *argument, struct error *error)
{
    unsigned long number;
    int word;

    switch (flag) {
    case 'n':
        word = find_word(argument, strlen(argument), counter_names, array_length(counter_names));
        if (word < 0)
            note(options, "WARN: -n, ignoring unknown counter type: %.64s.\n", argument);
        else
            options->counter = (enum client_counter)word;
        return 0;
    case 'O':
        word = find_word(argument, strlen(argument), format_names, array_length(format_names));
        if (word < 0)
            note(options, "WARN: -O, ignoring unknown output value: '%.64s'.\n", argument);
        else
            options->format = word;
        options->json_asked = word == ENCODE_JSON;
        return 0;
    case 'T':
        return parse_sort(options, argument, error);
    case 'E':
        return parse_separator(options, argument, error);
    case 'd':
    case 'B':
        if (parse_number(argument, 1, flag == 'd' ? 3600 : 1000000, &number) < 0)
            return error_set(error, "ERROR: '%.64s' is not a number that %s takes\n  Exiting...\n", argument,
                             flag == 'd' ? "-d" : "--batch");
        *(flag == 'd' ? &options->top_seconds : &options->top_frames) = (unsigned)number;
        return 0;
    case 'p':
        options->path = argument;
        options->path_given = true;
        return 0;
    default:
        options->fields = argument;
        return 0;
    }
}

static void parse_switch(struct client_options *options, int flag)
{
    const struct {
        char flag;
        bool *value;
    } switches[] = {
        {'S', &options->sum},         {'a', &options->all_columns}, {'e', &options->clear},
        {'r', &options->reset},       {'l', &options->lock},        {'I', &options->epoch},
        {'u', &options->protocols_as_numbers}, {'0', &options->utc},
    };

    for (unsigned i = 0; i < array_length(switches); i++)
        if (switches[i].flag == flag)
            *switches[i].value = true;
}

static int check(struct client_options *options, unsigned chosen, bool *usage, struct error *error)
{
    if (chosen > 1)
        return error_set(error, "ERROR: -s, -t, -N, -M and -C options are each mutually exclusive.\n");
    *usage = true;
    if (options->reset && options->action != CLIENT_TABLE && options->action != CLIENT_MATCH &&
        options->action != CLIENT_COUNTERS)
        return error_set(error, "ERROR: -r selected but either -N or -M has not been specified.\n  Exiting...\n\n");
    if ((options->action == CLIENT_MATCH || options->action == CLIENT_COUNTERS) && options->fields == NULL)
        return error_set(error,
                         "ERROR: -N or -M selected but -c has not been specified or is invalid.\n  Exiting...\n\n");
    if (options->action == CLIENT_NOTHING && options->clear)
        options->action = CLIENT_CLEAR;
    if (options->action == CLIENT_NOTHING)
        return error_set(error, "ERROR: no options specified. Either -s, -e, -t, -M, -N or -C must be supplied. \n"
                                "  Exiting...\n\n");
    if (options->clear && options->action != CLIENT_CLEAR && options->action != CLIENT_TABLE &&
        options->action != CLIENT_MATCH && options->action != CLIENT_COUNTERS)
        return error_set(error, "ERROR: -e goes alone or with -s, -N or -M.\n  Exiting...\n\n");
    return 0;
}

/* The flag as it was written: a letter, which may stand among others, or a word. */
static int bad_flag(bool value_missing, const char *written, struct error *error)
{
    char letter[2] = {(char)optopt, '\0'};
    const char *name = strncmp(written, "--", 2) == 0 ? written : letter;

    if (value_missing)
        return error_set(error, "ERROR: parameter %.64s needs a value\n  Exiting...\n\n", name);
    return error_set(error, "ERROR: parameter %.64s unknown! \n  Exiting...\n\n", name);
}

/* The first word, when it is one of ours. */
static enum client_action sub_command(int argc, char **argv)
{
    static const struct {
        const char *word;
        enum client_action action;
    } words[] = {{"status", CLIENT_STATUS}, {"top", CLIENT_TOP}, {"exporters", CLIENT_EXPORTERS},
                 {"templates", CLIENT_TEMPLATES}, {"reload", CLIENT_RELOAD}};

    for (unsigned i = 0; i < array_length(words) && argc > 1; i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return words[i].action;
    return CLIENT_NOTHING;
}

int client_options_parse(struct client_options *options, int argc, char **argv, bool *usage, struct error *error)
{
    enum client_action command = sub_command(argc, argv);
    unsigned chosen = 0;
    int flag;

    *usage = false;
    *options = (struct client_options){.path = default_path, .top_seconds = 2, .separator = ','};
    optind = command != CLIENT_NOTHING ? 2 : 1;
    opterr = 0;
    while ((flag = getopt_long(argc, argv, ":sN:M:n:Sc:T:erltCUiap:O:E:Iu0Vhd:", long_options, NULL)) != -1) {
        for (unsigned i = 0; i < array_length(exclusive); i++) {
            if (exclusive[i].flag != flag)
                continue;
            options->action = exclusive[i].action;
            chosen++;
        }
        switch (flag) {
        case 'h':
        case 'V':
            options->action = flag == 'h' ? CLIENT_HELP : CLIENT_VERSION;
            return 0;
        case 'N':
        case 'M':
            options->data = optarg;
            break;
        case 'U':
        case 'i':
            if (chosen == 0)
                options->action = flag == 'U' ? CLIENT_PRIMITIVES : CLIENT_AGE;
            break;
        case '?':
        case ':':
            *usage = true;
            return bad_flag(flag == ':', argv[optind - 1], error);
        default:
            if (optarg != NULL && parse_value(options, flag, optarg, error) < 0)
                return -1;
            parse_switch(options, flag);
            break;
        }
    }
    if (optind + 1 == argc && (command == CLIENT_EXPORTERS || command == CLIENT_TEMPLATES))
        options->exporter = argv[optind++];
    if (optind < argc) {
        *usage = true;
        return error_set(error, "ERROR: '%.64s' is not a flag\n  Exiting...\n\n", argv[optind]);
    }
    if (command != CLIENT_NOTHING) {
        options->action = command;
        return 0;
    }
    return check(options, chosen, usage, error);
}
