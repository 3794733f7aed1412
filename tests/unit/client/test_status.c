/* SPDX-License-Identifier: BSD-2-Clause */
/* links: src/client */
/* The ledger as the daemon writes it, read as JSON and reported; and texts that are none. */
#include "client/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ledger.h"
#include "tests/lib/tap.h"

/* The report of a text, from malloc; NULL when there is none. */
static char *report_of(const char *json, size_t length, struct error *error)
{
    char path[] = "/tmp/test_status.XXXXXX", *text = calloc(1, 65536);
    int fd = mkstemp(path), result;
    struct output output;

    unlink(path);
    output_open(&output, fd, 4096);
    result = status_report(json, length, &output, error);
    output_close(&output);
    if (pread(fd, text, 65535, 0) < 0 || result < 0) {
        ok(text[0] == '\0', "nothing is written of what is no ledger");
        free(text);
        text = NULL;
    }
    close(fd);
    return text;
}

static void test_bad(void)
{
    static const char *const bad[] = {"", "{", "[1,", "{\"a\"}", "{\"a\":}", "\"", "\"\\", "tru", "[1 2]", "{}x",
                                      "{1:2}", "[]", "7", "{\"a\": \"\\u0000\"}"};
    struct error error = {""};
    size_t deep_length = 100000;
    char *deep = malloc(deep_length);

    for (unsigned i = 0; i < array_length(bad); i++) {
        char *copy = malloc(max_u64(strlen(bad[i]), 1)); /* so that a read past the end is seen */

        memcpy(copy, bad[i], strlen(bad[i]));
        ok(report_of(copy, strlen(bad[i]), &error) == NULL && error.text[0] != '\0', "no ledger: %s", bad[i]);
        free(copy);
    }
    memset(deep, '[', deep_length);
    ok(report_of(deep, deep_length, &error) == NULL, "nested too deep");
    free(deep);
}

/* Members of other types than expected, texts that are not for a terminal, numbers beyond 63 bits. */
static void test_odd(void)
{
    static const char odd[] = "{\"daemon\": \"\\u001b[2Jx\", \"name\": 5, \"now\": -7, \"plugins\": [{\"plugin\": 3, \"name\": "
                              "\"caf\xe9\"}, 4, null], \"exporters\": {\"a\": 1}, \"balance\": [[]], \"input\": "
                              "{\"datagrams_received\": 18446744073709551615, \"samples_seen\": 12, \"new\\nthing_lost\": "
                              "1.5e300, \"records_decoded\": \"7\"}}";
    struct error error = {""};
    char *text = report_of(odd, sizeof(odd) - 1, &error);

    ok(text != NULL, "an odd ledger is shown: %s", error.text);
    if (text == NULL)
        return;
    ok(strchr(text, '\x1b') == NULL && strstr(text, "\\x1b[2Jx") != NULL, "an escape does not get to the terminal");
    ok(strstr(text, "caf?") != NULL, "nor another encoding");
    ok(strstr(text, " 18,446,744,073,709,551,615  datagrams") != NULL, "64 bits");
    ok(strstr(text, " 12  samples") != NULL, "small numbers beside large ones");
    ok(strstr(text, "!") != NULL && strstr(text, "new\\x0athing_lost") != NULL, "a loss that this client does not know");
    free(text);
}

static unsigned widest_line(const char *text)
{
    size_t widest = 0;

    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n')
        widest = max_u64(widest, strcspn(text, "\n"));
    return (unsigned)widest;
}

static void test_report(void)
{
    struct error error = {""};
    struct ledger *ledger = ledger_create(&error);
    char *json, *text;

    snprintf(ledger->daemon, sizeof(ledger->daemon), "sfacctd");
    snprintf(ledger->name, sizeof(ledger->name), "de\"fault");
    ledger->lane_count = 1;
    ledger->plugin_count = 1;
    ledger->lanes[0].input[INPUT_datagrams_received] = 1234567;
    ledger->lanes[0].input[INPUT_datagrams_decoded] = 1234567;
    ledger->lanes[0].input[INPUT_datagrams_kernel_dropped] = 42;
    ledger->lanes[0].input[INPUT_datagrams_denied] = 11;
    for (unsigned i = 0; i < INPUT_COUNTERS; i++)
        ledger->lanes[0].input[i] += UINT64_C(1000000000) * (i > INPUT_datagrams_denied);
    snprintf(ledger->plugins[0].name, sizeof(ledger->plugins[0].name), "m1");
    snprintf(ledger->plugins[0].type, sizeof(ledger->plugins[0].type), "memory");
    ledger->plugins[0].state = LEDGER_PLUGIN_RUNNING;
    ledger->plugins[0].emit[0][EMIT_records_dropped_ring_full] = 7;
    ledger->exporters[5] = (struct ledger_exporter){.used = 1, .domain = 3, .version = 5, .datagrams = 99, .lost = 4};
    memcpy(ledger->exporters[5].agent, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01", 16);
    json = ledger_json(ledger, INT64_C(90061) * 1000000000);
    text = report_of(json, strlen(json), &error);
    ok(text != NULL, "the daemon's ledger is JSON: %s", error.text);
    if (text != NULL) {
        ok(strstr(text, "sfacctd (de\"fault)  up 1 d 01:01:01") != NULL, "who and since when");
        ok(strstr(text, "         1,234,567  datagrams\n") != NULL, "what came in");
        ok(strstr(text, "  !             42  datagrams_kernel_dropped\n") != NULL, "what was lost");
        ok(strstr(text, "because the socket buffer was full\n") != NULL, "and why");
        ok(strstr(text, "  !              7  records_dropped_ring_full of m1\n") != NULL, "and in a plugin");
        ok(strstr(text, "  -             11  datagrams_denied\n") != NULL, "what was left out");
        ok(strstr(text, "  ! 192.0.2.1") != NULL, "an exporter with losses");
        ok(strstr(text, "RESTARTS") == NULL, "a column that would be empty is left out");
        ok(strstr(text, "Plugin memory[m1]  running") != NULL, "the plugin");
        ok(strstr(text, "purges_failed") == NULL, "counters that are zero are not shown");
        ok(strstr(text, "! 7 records lost in this daemon") != NULL, "the sum");
        ok(strstr(text, "emit[m1]:") != NULL, "a sum that does not balance");
        is_u64(widest_line(text) <= 100, true, "no line is longer than 100 columns: %u", widest_line(text));
        free(text);
    }
    free(json);
    ledger_free(ledger);
}

/* Several lanes, and what NetFlow exporters have more than sFlow ones. */
static void test_lanes(void)
{
    struct error error = {""};
    struct ledger *ledger = ledger_create(&error);
    char *json, *text;

    snprintf(ledger->daemon, sizeof(ledger->daemon), "nfacctd");
    ledger->lane_count = 3;
    ledger->lanes[0].pid = 4711;
    ledger->lanes[2].restarts = 2;
    ledger->lanes[2].input[INPUT_datagrams_received] = 777;
    ledger->lanes[2].input[INPUT_datagrams_kernel_dropped] = 5;
    ledger->exporters[9] =
        (struct ledger_exporter){.used = 1, .version = 10, .lane = 2, .templates = 6, .clock_skew_ns = -1500000000};
    memcpy(ledger->exporters[9].agent, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x02", 16);
    json = ledger_json(ledger, INT64_C(90061) * 1000000000);
    text = report_of(json, strlen(json), &error);
    ok(text != NULL, "the ledger of three lanes: %s", error.text);
    if (text != NULL) {
        ok(strstr(text, ", 3 collectors") != NULL, "how many there are");
        ok(strstr(text, "       0        4711         0 ") != NULL, "a lane and its process");
        ok(strstr(text, "  !    2           0         2             777               5 ") != NULL, "one with drops");
        ok(strstr(text, "AGENT      DOMAIN  LANE") != NULL, "which exporter is where");
        ok(strstr(text, "AGENT      DOMAIN  TEMPLATES     CLOCK\n") != NULL, "templates and clocks");
        ok(strstr(text, "          6  -1.500 s\n") != NULL, "a clock that is late");
        is_u64(widest_line(text) <= 100, true, "no line is longer than 100 columns: %u", widest_line(text));
        free(text);
    }
    free(json);
    ledger_free(ledger);
}

int main(void)
{
    plan_none();
    test_lanes();
    test_bad();
    test_odd();
    test_report();
    return done_testing();
}
