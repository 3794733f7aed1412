/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of lines: what a line is, what a word is, what is refused and where, and numbers. */
#include "base/rows.h"
#include "lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/flowledger-rows-XXXXXX";
static const struct rows_kind kind = {"test file", 4096, 40};

static void check_lines(void)
{
    static const char text[] = "first\n\n  second \t \r\n! comment\n   # another\nlast";
    static const struct {
        const char *line;
        unsigned long number;
    } wanted[] = {{"first", 1}, {"second", 3}, {"last", 6}};
    struct rows_reader reader;
    struct error error = {""};
    char *line;

    ok(rows_parse(&reader, "t", text, strlen(text), &kind, &error) == 0 && rows_left(&reader) == strlen(text),
       "a text is taken");
    for (unsigned i = 0; i < array_length(wanted); i++) {
        ok(rows_line(&reader, &line, &error) == 1, "there is line %u", i);
        is_text(line, wanted[i].line, "without blanks around it");
        is_u64(reader.line, wanted[i].number, "and with its number");
    }
    ok(rows_line(&reader, &line, &error) == 0 && rows_line(&reader, &line, &error) == 0, "then there is none");
    is_u64(rows_left(&reader), 0, "and nothing is left");
    error_set(&error, "wrong");
    rows_fail(&reader, &error);
    is_text(error.text, "t:6: wrong", "a phrase gets file and line");
    rows_free(&reader);
    rows_free(&reader);
    ok(rows_parse(&reader, "t", NULL, 0, &kind, &error) == 0 && rows_line(&reader, &line, &error) == 0,
       "an empty text has no line");
    rows_free(&reader);
}

static void check_refused(void)
{
    static const struct {
        const char *text;
        size_t size;
        const char *phrase;
    } cases[] = {
        {"a\n12345678901234567890123456789012345678901\n", 44, "t:2: the line is longer than 40 bytes"},
        {"a\nb\n!\0c\n", 8, "t:3: the line holds a NUL"},
    };
    static char large[5000];
    struct rows_reader reader;
    struct error error;

    for (unsigned i = 0; i < array_length(cases); i++) {
        int got = 1;
        char *line;

        rows_parse(&reader, "t", cases[i].text, cases[i].size, &kind, &error);
        while (got > 0)
            got = rows_line(&reader, &line, &error);
        ok(got < 0, "line %u is refused", i);
        is_text(error.text, cases[i].phrase, "by its number");
        rows_free(&reader);
    }
    ok(rows_parse(&reader, "t", large, sizeof(large), &kind, &error) < 0 &&
           strstr(error.text, "the test file 't' is larger than 4096 bytes") != NULL,
       "a text that is too large: %s", error.text);
    rows_free(&reader);
}

static void check_words(void)
{
    static const struct {
        const char *line, *words[4];
    } cases[] = {
        {"a  b\tc", {"a", "b", "c"}},
        {"filter='src net 10.0.0.0/8' x=1", {"filter=src net 10.0.0.0/8", "x=1"}},
        {"a ! b", {"a"}},
        {"a #b", {"a"}},
        {"a!b c#d", {"a!b", "c#d"}},
        {"'a b'c' d'", {"a bc d"}},
        {"''", {""}},
        {"", {NULL}},
        {"   ", {NULL}},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        char line[80], *at = line, *word = line;
        struct error error;
        bool good = true;

        snprintf(line, sizeof(line), "%s", cases[i].line);
        for (unsigned j = 0; good && word != NULL; j++) {
            if (rows_word(&at, &word, &error) <= 0)
                word = NULL;
            good = word == NULL ? cases[i].words[j] == NULL
                                : cases[i].words[j] != NULL && strcmp(word, cases[i].words[j]) == 0;
        }
        ok(good, "the words of \"%s\"", cases[i].line);
    }
}

static void check_open_quote(void)
{
    char line[] = "set_label='no end in=1", *at = line, *word;
    struct error error;

    ok(rows_word(&at, &word, &error) < 0 && strstr(error.text, "is not closed") != NULL,
       "a quote that is not closed is an error: %s", error.text);
}

static void check_mark(void)
{
    static const char text[] = "\xef\xbb\xbf" "first\n";
    struct rows_reader reader;
    struct error error;
    char *line;

    ok(rows_parse(&reader, "t", text, sizeof(text) - 1, &kind, &error) == 0 &&
           rows_line(&reader, &line, &error) > 0 && strcmp(line, "first") == 0,
       "a byte order mark is passed over");
    rows_free(&reader);
}

static void check_pairs(void)
{
    static const struct {
        const char *name;
        int other;
    } keys[] = {{"in", 1}, {"out", 2}, {"bgp_nexthop", 3}};
    char pair[] = "key=value=more", alone[] = "alone", *value;
    struct error error;

    ok(rows_pair(pair, &value, &error) == 0 && strcmp(pair, "key") == 0 && strcmp(value, "value=more") == 0,
       "a pair is cut at its first =");
    ok(rows_pair(alone, &value, &error) < 0, "a word without one is none");
    is_text(error.text, "'alone' is not of the form key=value", "which is told");
    is_u64((uint64_t)rows_key("out", keys, 3, sizeof(keys[0]), "in", &error), 1, "a key is found");
    ok(rows_key("bgp_nexhop", keys, 3, sizeof(keys[0]), "in", &error) < 0, "one with a slip is not");
    is_text(error.text, "unknown key 'bgp_nexhop', did you mean 'bgp_nexthop'?", "but what was meant is told");
    ok(rows_key("zzzzzz", keys, 3, sizeof(keys[0]), "in or out", &error) < 0, "nor one that is like none");
    is_text(error.text, "unknown key 'zzzzzz', expected in or out", "and then all are told");
}

static void check_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t most;
        bool good;
        uint64_t number;
    } cases[] = {
        {"0", 0, true, 0},       {"00017", 17, true, 17},  {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},    {"99999999999999999999999", UINT64_MAX, false, 0},
        {"256", 255, false, 0},  {"", 9, false, 0},        {"-1", 9, false, 0},
        {"+1", 9, false, 0},     {" 1", 9, false, 0},      {"1 ", 9, false, 0},
        {"0x1", 9, false, 0},    {"\xb1", 9, false, 0},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        uint64_t number = 0;
        bool good = rows_number(cases[i].text, cases[i].most, &number);

        ok(good == cases[i].good && (!good || number == cases[i].number), "number \"%s\" up to %llu", cases[i].text,
           (unsigned long long)cases[i].most);
    }
}

static void check_files(void)
{
    struct rows_reader reader;
    struct error error = {""};
    char *line = NULL, pipe_path[64];
    FILE *file = fopen(path, "w");

    fputs("one\ntwo\n", file);
    fclose(file);
    ok(rows_load(&reader, path, &kind, &error) == 0 && rows_line(&reader, &line, &error) == 1 &&
           strcmp(line, "one") == 0,
       "a file is read");
    rows_free(&reader);
    ok(rows_load(&reader, "/dev/null", &kind, &error) == 0 && rows_line(&reader, &line, &error) == 0,
       "/dev/null is an empty one");
    rows_free(&reader);
    ok(rows_load(&reader, "/tmp", &kind, &error) < 0, "a directory is none");
    is_text(error.text, "the test file '/tmp' is not a regular file", "which is told");
    rows_free(&reader);
    snprintf(pipe_path, sizeof(pipe_path), "%s.pipe", path);
    if (mkfifo(pipe_path, 0600) == 0)
        ok(rows_load(&reader, pipe_path, &kind, &error) < 0, "a pipe is not waited for: %s", error.text);
    rows_free(&reader);
    unlink(pipe_path);
    if (truncate(path, 5000) == 0)
        ok(rows_load(&reader, path, &kind, &error) < 0 && strstr(error.text, "larger than 4096") != NULL,
           "a file that is too large: %s", error.text);
    rows_free(&reader);
    unlink(path);
    ok(rows_load(&reader, path, &kind, &error) < 0 && strstr(error.text, "No such file") != NULL,
       "a missing file: %s", error.text);
    rows_free(&reader);
}

int main(void)
{
    plan_none();
    close(mkstemp(path));
    check_lines();
    check_refused();
    check_words();
    check_open_quote();
    check_mark();
    check_pairs();
    check_numbers();
    check_files();
    return done_testing();
}
