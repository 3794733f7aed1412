/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_interfaces_map: what is read, what is refused and with which words, and its limits.
 */
#include "map/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"

static struct device_rows rows;

static int parse(const char *text, struct error *error)
{
    memset(&rows, 0xee, sizeof(rows)); /* the caller need not clear it */
    return device_rows_parse(&rows, "map", text, strlen(text), error);
}

static bool row_is(unsigned i, const char *name, uint32_t number, enum frame_direction direction)
{
    return i < rows.count && strcmp(rows.rows[i].name, name) == 0 && rows.rows[i].number == number &&
           rows.rows[i].direction == direction;
}

static void test_read(void)
{
    struct error error = {""};

    ok(parse("ifname=eth0\n", &error) == 0 && rows.count == 1 && row_is(0, "eth0", 0, FRAME_UNKNOWN),
       "a device alone: no number, no direction");
    ok(parse("! two devices\n\n# by number\nifname=eth0 ifindex=100\r\n"
             "\tifindex=4294967295   ifname=eth1.20 direction=out  # uplink\n",
             &error) == 0 && rows.count == 2,
       "comments, blanks, keys in any order: %s", error.text);
    ok(row_is(0, "eth0", 100, FRAME_UNKNOWN) && row_is(1, "eth1.20", UINT32_MAX, FRAME_OUT), "each has its own");
    ok(parse("ifname=eth0 direction=in ifindex=1\nifname=eth0 direction=out ifindex=2", &error) == 0 &&
           rows.count == 2 && row_is(0, "eth0", 1, FRAME_IN) && row_is(1, "eth0", 2, FRAME_OUT),
       "a device once for each direction");
    ok(parse("ifname=eth0 ifindex=7\nifname=eth1 ifindex=7\n", &error) == 0 && rows.count == 2,
       "two devices may have one number");
    ok(parse("ifname=abcdefghijklmno", &error) == 0 && row_is(0, "abcdefghijklmno", 0, FRAME_UNKNOWN),
       "a name of fifteen characters, without the end of the line");
    ok(parse("ifname='a b'", &error) == 0 && row_is(0, "a b", 0, FRAME_UNKNOWN), "quotes keep blanks");
}

static void test_refused(void)
{
    static const struct {
        const char *text, *phrase;
    } cases[] = {
        {"", "map: no device in it"},
        {"# nothing\n\n", "map: no device in it"},
        {"ifindex=1\n", "map:1: 'ifname' is missing, expected ifname=DEVICE [ifindex=NUMBER] [direction=in|out]"},
        {"ifname=eth0\nifname=\n", "map:2: 'ifname' is '', expected the name of a device, up to 15 characters"},
        {"ifname=abcdefghijklmnop", "map:1: 'ifname' is 'abcdefghijklmnop', expected the name of a device, up to 15 "
                                    "characters"},
        {"ifname=eth0 ifindex=0", "map:1: 'ifindex' is '0', expected 1 to 4294967295"},
        {"ifname=eth0 ifindex=4294967296", "map:1: 'ifindex' is '4294967296', expected 1 to 4294967295"},
        {"ifname=eth0 ifindex=-1", "map:1: 'ifindex' is '-1', expected 1 to 4294967295"},
        {"ifname=eth0 ifindex=1x", "map:1: 'ifindex' is '1x', expected 1 to 4294967295"},
        {"ifname=eth0 ifindex=", "map:1: 'ifindex' is '', expected 1 to 4294967295"},
        {"ifname=eth0 direction=both", "map:1: 'direction' is 'both', expected in or out"},
        {"ifname=eth0 direction=IN", "map:1: 'direction' is 'IN', expected in or out"},
        {"ifname=eth0 ifname=eth1", "map:1: 'ifname' comes twice in this line"},
        {"ifname=eth0 direction=in direction=out", "map:1: 'direction' comes twice in this line"},
        {"ifname=eth0\n\nifname=eth0\n", "map:3: device 'eth0' comes twice for one direction"},
        {"ifname=eth0 direction=in\nifname=eth0 direction=in ifindex=2\n",
         "map:2: device 'eth0' comes twice for one direction"},
        {"ifname=eth0 direction=in\nifname=eth0\n", "map:2: device 'eth0' comes twice for one direction"},
        {"ifname=eth0\nifname=eth0 direction=out\n", "map:2: device 'eth0' comes twice for one direction"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};

        ok(parse(cases[i].text, &error) < 0, "case %u is refused", i);
        is_text(error.text, cases[i].phrase, "and it says why");
    }
}

/* Words that are none, or another key: the nearest one is named, or all of them. */
static void test_keys(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {{"ifnam=eth0", "'ifname'"},
                 {"ifname=eth0 ifidx=1", "'ifindex'"},
                 {"ifname=eth0 diretion=in", "'direction'"},
                 {"ifname=eth0 promiscuous=1", "ifname, ifindex or direction"},
                 {"eth0", "eth0"}};

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};

        ok(parse(cases[i].text, &error) < 0 && strncmp(error.text, "map:1: ", 7) == 0 &&
               strstr(error.text, cases[i].part) != NULL,
           "'%s': %s", cases[i].text, error.text);
    }
}

static void test_limits(void)
{
    static char text[devices_max * 40], line[2000];
    struct error error = {""};
    size_t used = 0;

    for (unsigned i = 0; i < devices_max; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "ifname=eth%u ifindex=%u\n", i, i + 1);
    ok(parse(text, &error) == 0 && rows.count == devices_max && row_is(63, "eth63", 64, FRAME_UNKNOWN),
       "64 devices are as many as there may be");
    snprintf(text + used, sizeof(text) - used, "ifname=one_more");
    ok(parse(text, &error) < 0 && strcmp(error.text, "map:65: more than 64 rows") == 0, "65 are not: %s", error.text);
    memset(line, ' ', sizeof(line) - 1);
    memcpy(line, "ifname=eth0", 11);
    memcpy(line + sizeof(line) - 12, "ifindex=10\n", 11);
    ok(parse(line, &error) < 0 && strncmp(error.text, "map:1: ", 7) == 0, "a line may be too long: %s", error.text);
    ok(device_rows_parse(&rows, "map", "ifname=e\0h0", 11, &error) < 0, "a NUL is no text: %s", error.text);
}

static void test_file(void)
{
    char path[] = "/tmp/test_devices.XXXXXX";
    int fd = mkstemp(path);
    struct error error = {""};

    ok(fd >= 0 && write(fd, "ifname=lo ifindex=1\n", 20) == 20, "a file");
    ok(device_rows_load(&rows, path, &error) == 0 && rows.count == 1 && row_is(0, "lo", 1, FRAME_UNKNOWN), "is read");
    ok(write(fd, "x\n", 2) == 2 && device_rows_load(&rows, path, &error) < 0 && strstr(error.text, path) != NULL &&
           strstr(error.text, ":2: ") != NULL,
       "what is wrong in it is told with file and line: %s", error.text);
    close(fd);
    unlink(path);
    ok(device_rows_load(&rows, path, &error) < 0 && strstr(error.text, path) != NULL &&
           strstr(error.text, "interfaces map") != NULL,
       "a missing one by its name: %s", error.text);
    ok(device_rows_load(&rows, "/tmp", &error) < 0 && error.text[0] != '\0', "a folder is no map: %s", error.text);
}

int main(void)
{
    plan_none();
    test_read();
    test_refused();
    test_keys();
    test_limits();
    test_file();
    return done_testing();
}
