/* SPDX-License-Identifier: BSD-2-Clause */
/* links: src/client */
/* The client's command line: which flags go together, pmacct's texts, defaults and long names. */
#include "client/options.h"

#include "plugins/common/encode.h"
#include "tests/lib/tap.h"

#define exclusion "ERROR: -s, -t, -N, -M and -C options are each mutually exclusive.\n"
#define nothing_asked                                                                                                  \
    "ERROR: no options specified. Either -s, -e, -t, -M, -N or -C must be supplied. \n  Exiting...\n\n"
#define no_fields "ERROR: -N or -M selected but -c has not been specified or is invalid.\n  Exiting...\n\n"
#define no_reset "ERROR: -r selected but either -N or -M has not been specified.\n  Exiting...\n\n"

static struct client_options options;
static bool usage;

static const char *parse(const char *const words[])
{
    static struct error error;
    char *argv[16] = {"pmacct"};
    int argc = 1;

    error.text[0] = '\0';
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)words[argc - 1];
    client_options_parse(&options, argc, argv, &usage, &error);
    return error.text;
}

#define words(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_refusals(void)
{
    static const struct {
        const char *arguments[6];
        const char *want;
        bool usage;
    } rows[] = {
        {{"-s", "-N", "x"}, exclusion, false},
        {{"-s", "-t"}, exclusion, false},
        {{"-M", "x", "-C"}, exclusion, false},
        {{"-N", "x", "-M", "x"}, exclusion, false},
        {{"-O", "json"}, nothing_asked, true},
        {{"-c", "src_host"}, nothing_asked, true},
        {{"-T", "bytes"}, nothing_asked, true},
        {{"-N", "1.2.3.4"}, no_fields, true},
        {{"-M", "1.2.3.4"}, no_fields, true},
        {{"-r"}, no_reset, true},
        {{"-r", "-t"}, no_reset, true},
        {{"-s", "-E", "ab"}, "ERROR: -E option expects a single char as separator\n  Exiting...\n", false},
        {{"-Z"}, "ERROR: parameter Z unknown! \n  Exiting...\n\n", true},
        {{"-s", "word"}, "ERROR: 'word' is not a flag\n  Exiting...\n\n", true},
        {{"-s", "-T", "bytes,x"}, "ERROR: -T, 'x' is not a number of rows\n  Exiting...\n", false},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        is_text(parse(rows[i].arguments), rows[i].want, "refused: %s %s", rows[i].arguments[0],
                rows[i].arguments[1] ? rows[i].arguments[1] : "");
        ok(usage == rows[i].usage, "usage %s", rows[i].usage ? "follows" : "does not follow");
    }
    is_text(parse(words("-s", "-n", "foo")), "", "an unknown counter is a warning");
    is_text(options.notes, "WARN: -n, ignoring unknown counter type: foo.\n", "with pmacct's text");
    parse(words("-s", "-O", "xml"));
    is_text(options.notes, "WARN: -O, ignoring unknown output value: 'xml'.\n", "an unknown format too");
    parse(words("-s", "-T", "foo"));
    ok(!options.sorted && options.notes[0] != '\0', "an unknown order too");
}

static void test_values(void)
{
    is_text(parse(words("-s")), "", "-s");
    is_text(options.path, "/tmp/collect.pipe", "default path");
    ok(options.separator == ',' && options.format == ENCODE_FORMATTED && !options.reset, "defaults");
    parse(words("-s", "-T", "packets,7", "-O", "csv", "-E", "\\t", "-a", "-I", "-u", "-0", "-l", "-r"));
    ok(options.action == CLIENT_TABLE && options.sorted && options.sort_by == CLIENT_PACKETS && options.sort_count == 7,
       "-T");
    ok(options.format == ENCODE_CSV && options.separator == '\t', "-O -E");
    ok(options.all_columns && options.epoch && options.protocols_as_numbers && options.utc && options.lock &&
           options.reset, "switches");
    parse(words("--counters", "a;b", "--fields", "src_host", "--counter", "all", "--sum", "--path", "x"));
    ok(options.action == CLIENT_COUNTERS && options.counter == CLIENT_ALL && options.sum, "long names");
    is_text(options.data, "a;b", "DATA");
    is_text(options.fields, "src_host", "-c");
    parse(words("-e"));
    ok(options.action == CLIENT_CLEAR, "-e alone");
    parse(words("-e", "-s"));
    ok(options.action == CLIENT_TABLE && options.clear, "-e with a query");
    parse(words("-i"));
    ok(options.action == CLIENT_AGE, "-i");
    parse(words("-U"));
    ok(options.action == CLIENT_PRIMITIVES, "-U");
    parse(words("-h", "-s"));
    ok(options.action == CLIENT_HELP, "-h");
    parse(words("status", "-p", "y", "-O", "json"));
    ok(options.action == CLIENT_STATUS && options.path_given && options.json_asked, "status");
    parse(words("top", "-n", "packets", "-d", "5", "--batch", "3"));
    ok(options.action == CLIENT_TOP && options.counter == CLIENT_PACKETS && options.top_seconds == 5 &&
           options.top_frames == 3, "top");
}

int main(void)
{
    plan_none();
    test_refusals();
    test_values();
    return done_testing();
}
