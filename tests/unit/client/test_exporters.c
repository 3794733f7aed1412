/* SPDX-License-Identifier: BSD-2-Clause */
/* links: src/client */
/* `pmacct exporters` and `pmacct templates` of texts made by hand, good ones and ones that no daemon of ours sends. */
#include "client/exporters.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"

static char shown[65536];

/* The report's text in `shown`; its result. */
static int report(const char *json, const char *only, bool templates)
{
    char path[] = "/tmp/test_exporters.XXXXXX";
    struct error error = {""};
    struct output output;
    int fd = mkstemp(path), result;
    ssize_t length;

    unlink(path);
    if (fd < 0 || output_open(&output, fd, 4096) < 0)
        skip_all("no temporary file");
    result = exporters_report(json, strlen(json), only, templates, &output, &error);
    ok(output_close(&output) == 0, "written");
    length = pread(fd, shown, sizeof(shown) - 1, 0);
    shown[length > 0 ? length : 0] = '\0';
    close(fd);
    return result;
}

static bool says(const char *text)
{
    bool found = strstr(shown, text) != NULL;

    if (!found)
        printf("# not found: %s in %.400s\n", text, shown);
    return found;
}

static const char good[] =
    "{\"lanes\":[{\"exporters\":[{\"exporter\":\"192.0.2.1\",\"version\":9,\"domain\":7,\"records\":12,\"lost\":3,"
    "\"records_lost\":4,\"held\":1,\"clock_skew_ms\":-25,\"last_seen\":\"2026-11-20T10:00:00.000Z\",\"samples\":true,"
    "\"sampling\":[{\"scope\":\"sampler\",\"id\":1,\"rate\":1000}],\"templates\":[{\"id\":256,\"kind\":\"data\","
    "\"record_bytes_min\":21,\"variable\":true,\"records\":5,\"unknown_elements\":2,\"fields\":[{\"name\":"
    "\"sourceIPv4Address\",\"element\":8,\"enterprise\":0,\"length\":4},{\"name\":\"interfaceName\",\"element\":82,"
    "\"enterprise\":0,\"length\":\"variable\"}]}]},{\"exporter\":\"192.0.2.2\",\"version\":10,\"samples\":true}],"
    "\"truncated\":true}]}";

int main(void)
{
    static const char *const strange[] = {
        "{\"lanes\":[]}", "{\"lanes\":[1,null,\"x\",{\"exporters\":7}]}", "{\"lanes\":[{\"exporters\":[null,1,[]]}]}",
        "{\"lanes\":[{\"exporters\":[{\"exporter\":5,\"templates\":{},\"sampling\":\"no\"}]}]}",
        "{\"lanes\":[{\"exporters\":[{\"exporter\":\"\\u001b[31m\",\"templates\":[3,{\"fields\":[null,{\"length\":[]}]}]}]}]}",
    };

    plan_none();
    is_u64((uint64_t)report(good, NULL, false), 0, "exporters");
    ok(says("192.0.2.1 "), "the first");
    ok(says(" 12         7      1        2"), "records, both kinds of loss together, waiting, unknown elements");
    ok(says("-25  2026-11-20T10:00:00.000Z  sampler 1: 1/1000\n"), "a clock that is late, the rate");
    ok(says("rate not known"), "a second that has not told its rate");
    ok(says("(there are more"), "what did not fit is told");
    is_u64((uint64_t)report(good, "192.0.2.2", false), 0, "one alone");
    ok(says("192.0.2.2 ") && strstr(shown, "192.0.2.1 ") == NULL, "is alone");
    is_u64((uint64_t)report(good, "198.51.100.1", false), 0, "a stranger");
    ok(says("nothing from this exporter yet"), "is told so");
    is_u64((uint64_t)report(good, NULL, true), 0, "templates");
    ok(says("192.0.2.1 version 9 domain 7 template 256, data\n") && says("at least 21 octets a record, 5 records"), "one");
    ok(says("0.8     sourceIPv4Address                        4\n") && says("variable\n"), "its fields and their lengths");
    ok(report("", NULL, false) == -1 && shown[0] == '\0', "nothing is an error, and nothing is written");
    ok(report("[]", NULL, false) == -1 && report("{\"lanes\":3}", NULL, true) == -1, "so is what is no list");
    for (unsigned i = 0; i < array_length(strange); i++) {
        ok(report(strange[i], NULL, i % 2 == 0) == 0, "a strange answer %u is shown or passed over", i);
        ok(strchr(shown, 0x1b) == NULL, "and does not reach the terminal");
        ok(report(strange[i], NULL, i % 2 != 0) == 0, "the other way too");
    }
    return done_testing();
}
