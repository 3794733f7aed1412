/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines and their file: valid JSON whatever the texts are, bounds, rotation, a disk that is full, two writers. */
#include "fixture.h"

#include "dissect/output.h"
#include "dissect/record.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct record record;
static char buffer[fixture_output_max];

static void begin(void)
{
    static struct dissector_conversation conversation = {.proto = 17, .ports = {1, 2}};
    struct dissector_transaction transaction = {.start_ns = fixture_start_ns, .status = "ok"};

    record_begin(&record, "t", &conversation, &transaction, true);
}

static const char *end(void)
{
    static char text[record_line_max + 1];

    record_end(&record);
    memcpy(text, record.line, record.used);
    text[record.used] = '\0';
    return text;
}

static void is_escaped(const char *text, size_t length, const char *want, const char *name)
{
    char whole[4096];

    begin();
    record_text(&record, "x", text, length);
    snprintf(whole, sizeof(whole), "\"t\": {\"x\": \"%s\"}}", want);
    is_text(strstr(end(), "\"t\": {"), whole, "%s", name);
}

static void test_texts(void)
{
    is_escaped("plain", 5, "plain", "plain");
    is_escaped("a\"b\\c", 5, "a\\\"b\\\\c", "quote and backslash");
    is_escaped("\0\n\x1b[31m\x7f", 8, "\\u0000\\u000a\\u001b[31m\\u007f", "control characters");
    is_escaped("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "UTF-8 stays");
    is_escaped("\xc2\x9b", 2, "\\u009b", "control characters of Latin 1");
    is_escaped("\xff\xc0\xaf", 3, "\\ufffd\\ufffd\\ufffd", "overlong and impossible bytes");
    is_escaped("\xed\xa0\x80", 3, "\\ufffd\\ufffd\\ufffd", "half of a surrogate pair");
    is_escaped("\xf4\x90\x80\x80", 4, "\\ufffd\\ufffd\\ufffd\\ufffd", "beyond Unicode");
    is_escaped("x\xe2\x82", 3, "x\\ufffd\\ufffd", "cut in a character");
}

static void test_structure(void)
{
    begin();
    record_number(&record, "n", UINT64_MAX);
    record_flag(&record, "f", true);
    record_open(&record, "list", '[');
    record_text(&record, NULL, "a", 1);
    record_open(&record, NULL, '{');
    record_number(&record, "m", 0);
    record_close(&record);
    record_number(&record, NULL, 7);
    record_close(&record);
    record_open(&record, "open", '{');
    is_text(strstr(end(), "\"t\": {"),
            "\"t\": {\"n\": 18446744073709551615, \"f\": true, \"list\": [\"a\", {\"m\": 0}, 7], \"open\": {}}}",
            "objects and lists; what is left open is closed");
    begin();
    for (unsigned i = 0; i < 20; i++)
        record_open(&record, "o", '{');
    record_number(&record, "in", 1);
    for (unsigned i = 0; i < 19; i++)
        record_close(&record);
    record_number(&record, "out", 2);
    const char *line = end();
    ok(strstr(line, "\"in\"") == NULL && strstr(line, "\"out\": 2") != NULL && strstr(line, "\"cut\": true}") != NULL,
       "too deep is left out, and told");
    begin();
    for (unsigned i = 0; i < 100; i++)
        record_close(&record);
    record_number(&record, "n", 1);
    ok(strstr(end(), "\"n\": 1}") != NULL, "closing what is not open does no harm");
}

static void test_bounds(void)
{
    static char text[5000];
    const char *line;

    memset(text, 'x', sizeof(text));
    begin();
    record_text(&record, "long", text, sizeof(text));
    line = end();
    is_u64(strlen(fixture_member(line, "long")) >= 500, 1, "a long text is cut");
    ok(strstr(line, "x\"}, \"cut\": true}") != NULL, "and the line says so");
    memset(text, '\1', sizeof(text));
    begin();
    record_open(&record, "list", '[');
    for (unsigned i = 0; i < 1000; i++)
        record_text(&record, NULL, text, i % 1100);
    line = end();
    ok(strlen(line) <= record_line_max, "a line has an end");
    static const char last[] = "\"]}, \"cut\": true}";
    is_text(line + strlen(line) - strlen(last), last, "which is that of JSON");
    /* A character of two bytes in the place of the cut. */
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    begin();
    record_text(&record, "x", text + 1, 2000);
    ok(strstr(end(), "\\ufffd\"") == NULL, "a character is not cut in two");
}

static size_t read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    size_t size = 0;

    if (file != NULL) {
        size = fread(buffer, 1, sizeof(buffer) - 1, file);
        fclose(file);
    }
    buffer[size] = '\0';
    return size;
}

static void test_file(void)
{
    char path[128], other[160], deep[160];
    struct error error = {""};
    struct output *output;
    struct stat status;

    snprintf(path, sizeof(path), "/tmp/dissect-output-%ld", (long)getpid());
    snprintf(other, sizeof(other), "%s.1", path);
    snprintf(deep, sizeof(deep), "%s.d/a/lines.json", path);
    output = output_new(path, 027, &error);
    ok(output != NULL && stat(path, &status) == 0, "the file is there at once");
    is_u64(status.st_mode & 0777, 0640, "its mode is by the umask");
    output_line(output, "one", 3);
    is_u64(read_file(path), 0, "a line waits for the end of the batch");
    output_flush(output);
    read_file(path);
    is_text(buffer, "one\n", "then it is written");
    rename(path, other);
    output_line(output, "two", 3);
    output_reopen(output);
    output_line(output, "three", 5);
    output_flush(output);
    read_file(other);
    is_text(buffer, "one\ntwo\n", "rotation: the old file is whole");
    read_file(path);
    is_text(buffer, "three\n", "and the new one begins");
    is_u64(output_lines(output), 3, "three lines");
    output_free(output);
    output = output_new(path, 027, &error);
    output_line(output, "four", 4);
    output_free(output);
    read_file(path);
    is_text(buffer, "three\nfour\n", "appended to after a restart; the last line is not forgotten");
    unlink(path);
    if (symlink(other, path) == 0)
        ok(output_new(path, 027, &error) == NULL && strstr(error.text, "not a regular file") != NULL, "a link: %s",
           error.text);
    unlink(path);
    unlink(other);
    ok(output_new("/proc/no/such", 027, &error) == NULL && error.text[0] != '\0', "a path that cannot be: %s",
       error.text);
    output = output_new(deep, 027, &error);
    ok(output != NULL, "directories are made");
    output_free(output);
    unlink(deep);
    snprintf(deep, sizeof(deep), "%s.d/a", path);
    rmdir(deep);
    snprintf(deep, sizeof(deep), "%s.d", path);
    rmdir(deep);
}

/* A limit on the file's size stands for a disk that is full: the first line fits, half of the second does. */
static void test_full_disk(void)
{
    struct rlimit unlimited, small = {.rlim_cur = 150, .rlim_max = RLIM_INFINITY};
    struct error error = {""};
    struct output *output;
    char path[128], line[100];

    snprintf(path, sizeof(path), "/tmp/dissect-full-%ld", (long)getpid());
    memset(line, 'x', sizeof(line));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &unlimited);
    small.rlim_max = unlimited.rlim_max;
    output = output_new(path, 077, &error);
    setrlimit(RLIMIT_FSIZE, &small);
    for (unsigned i = 0; i < 3; i++)
        output_line(output, line, sizeof(line));
    output_flush(output);
    setrlimit(RLIMIT_FSIZE, &unlimited);
    is_u64(read_file(path), 101, "no half of a line stays");
    is_u64(output_lost(output), 2, "two lines are lost");
    is_u64(output_lines(output), 1, "one was written");
    output_line(output, "more", 4);
    output_flush(output);
    is_u64(read_file(path), 106, "when there is room again it goes on");
    output_free(output);
    unlink(path);
}

/* Two processes (lanes) append to one file: every line is whole. */
static void test_two_writers(void)
{
    char path[128], line[200];
    unsigned whole = 0, odd = 0;
    struct error error = {""};

    snprintf(path, sizeof(path), "/tmp/dissect-two-%ld", (long)getpid());
    unlink(path);
    fflush(NULL);
    for (unsigned child = 0; child < 2; child++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct output *output = output_new(path, 077, &error);

            memset(line, child ? 'b' : 'a', sizeof(line));
            for (unsigned i = 0; i < 2000; i++) {
                output_line(output, line, 50 + i % 100);
                if (i % 7 == 0)
                    output_flush(output);
            }
            output_free(output);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    read_file(path);
    for (char *at = buffer, *next; (next = strchr(at, '\n')) != NULL; at = next + 1) {
        size_t length = (size_t)(next - at);
        bool good = length >= 50 && length < 150 && strspn(at, at[0] == 'a' ? "a" : "b") == length;

        whole += good;
        odd += !good;
    }
    ok(whole == 4000 && odd == 0, "two writers: %u whole lines, %u odd ones", whole, odd);
    unlink(path);
}

int main(void)
{
    plan_none();
    test_texts();
    test_structure();
    test_bounds();
    test_file();
    test_full_disk();
    test_two_writers();
    return done_testing();
}
