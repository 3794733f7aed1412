/* SPDX-License-Identifier: BSD-2-Clause */
/* Allow files: prefixes of both families, comments, errors that name the line, memory of verdicts. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"
#include "map/allow.h"

static char path[] = "/tmp/flowledger-allow-XXXXXX";

static struct allow *load(const char *text, struct error *error)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    return allow_load(path, error);
}

static bool has(struct allow *allow, const char *text)
{
    struct address address;

    address_parse(text, &address);
    return allow_has(allow, &address) && allow_has(allow, &address); /* the second time from memory */
}

int main(void)
{
    struct error error;
    struct allow *allow;

    plan_none();
    close(mkstemp(path));
    allow = load("! who may send\n192.0.2.0/24\n\n  198.51.100.7  \n# six\n2001:db8::/32\n", &error);
    ok(allow != NULL, "a file with comments and blanks is read");
    is_u64(allow_count(allow), 3, "it has three rows");
    ok(has(allow, "192.0.2.255") && !has(allow, "192.0.3.0"), "an IPv4 prefix holds what it should");
    ok(has(allow, "198.51.100.7") && !has(allow, "198.51.100.8"), "a host is itself");
    ok(has(allow, "2001:db8:ffff::1") && !has(allow, "2001:db9::1"), "an IPv6 prefix holds what it should");
    allow_free(allow);
    allow = load("", &error);
    ok(allow != NULL && !has(allow, "192.0.2.1"), "an empty file lets nobody in");
    allow_free(allow);
    allow = load("0.0.0.0/0\n", &error);
    ok(has(allow, "203.0.113.1") && !has(allow, "2001:db8::1"), "0.0.0.0/0 is all of IPv4 and none of IPv6");
    allow_free(allow);
    ok(load("192.0.2.1\n192.0.2.0/33\n", &error) == NULL && strstr(error.text, ":2: '33'") != NULL,
       "a bad length names its line");
    ok(load("router.example\n", &error) == NULL && strstr(error.text, ":1: 'router.example'") != NULL,
       "a name is no address, and is told so");
    unlink(path);
    ok(allow_load(path, &error) == NULL && strstr(error.text, path) != NULL, "a missing file is told by name");
    return done_testing();
}
