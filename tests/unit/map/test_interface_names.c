/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interface names maps: the grammar and its errors, which row wins, and that the index finds the same row as a walk
 * over all of them does, for random maps and records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"
#include "map/interface_names.h"

#define absent UINT32_MAX

static struct field_set both;

static struct interface_names *parse(const char *text, struct error *error)
{
    return interface_names_parse("t.map", text, strlen(text), error);
}

static struct flow record(const char *exporter, uint32_t in, uint32_t out)
{
    static struct flow flow;
    struct address address;

    flow_clear(&flow);
    if (address_parse(exporter, &address))
        flow_set_peer_src_ip(&flow, address);
    if (in != absent)
        flow_set_in_iface(&flow, in);
    if (out != absent)
        flow_set_out_iface(&flow, out);
    return flow;
}

static bool is_span(const struct flow *flow, enum field_id id, struct span span, const char *want)
{
    if (want == NULL)
        return !flow_has(flow, id);
    return flow_has(flow, id) && span.length == strlen(want) && memcmp(span.data, want, span.length) == 0;
}

/* Both names of a record; NULL: none. */
static bool names_are(const struct interface_names *map, const char *exporter, uint32_t in, uint32_t out,
                      const char *in_name, const char *out_name)
{
    struct flow flow = record(exporter, in, out);
    bool set = interface_names_fill(map, &both, &flow);

    return set == (in_name != NULL || out_name != NULL) &&
           is_span(&flow, FIELD_IN_IFACE_NAME, flow.in_iface_name, in_name) &&
           is_span(&flow, FIELD_OUT_IFACE_NAME, flow.out_iface_name, out_name);
}

static void check_rows(void)
{
    static const struct {
        const char *exporter;
        uint32_t in, out;
        const char *in_name, *out_name, *note;
    } cases[] = {
        {"192.0.2.1", 1, 2, "ge-0/0/1", "uplink to the north", "numbers of one exporter; quotes keep blanks"},
        {"192.0.2.1", 3, absent, NULL, NULL, "a number that no row names"},
        {"192.0.2.1", absent, 1, NULL, "ge-0/0/1", "a record that tells one interface"},
        {"192.0.2.1", absent, absent, NULL, NULL, "and one that tells none"},
        {"192.0.2.2", 1, 2, "site 1", "any 2", "a prefix; and a row without ip"},
        {"192.0.2.2", 9, 7, "nine", "seven", "the row that comes first wins, be it the shorter prefix"},
        {"192.0.2.9", 9, 7, "nine", "seven", "or the longer one"},
        {"192.0.3.1", 1, 2, "sixteen", "any 2", "a shorter prefix"},
        {"198.51.100.1", 1, 2, NULL, "any 2", "an exporter of no row"},
        {"", 1, 2, NULL, "any 2", "a capture without exporters fits rows without ip"},
        {"2001:db8::1", 1, 0, "six", "zero", "IPv6; 0 is a number, too"},
        {"2001:db9::1", 4294967295u - 1, 0, "large", NULL, "the exporter's prefix does not hold it; a large number"},
    };
    struct error error = {""};
    struct interface_names *map = parse("! names\n"
                                        "\n"
                                        "ip=192.0.2.1 index=1 name=ge-0/0/1\n"
                                        "  name='uplink to the north'\tindex=2  ip=192.0.2.1/32 # north\r\n"
                                        "ip=192.0.2.1 index=2 name=second\n"
                                        "ip=192.0.0.0/16 index=9 name=nine\n"
                                        "ip=192.0.2.0/24 index=9 name=ninth\n"
                                        "ip=192.0.2.0/24 index=7 name=seven\n"
                                        "ip=192.0.0.0/16 index=7 name=seventh\n"
                                        "ip=192.0.2.0/24 index=1 name='site 1'\n"
                                        "ip=192.0.77.1/16 index=1 name=sixteen\n"
                                        "ip=2001:db8::/32 index=0 name=zero\n"
                                        "ip=2001:db8::/32 index=1 name=six\n"
                                        "index=4294967294 name=large\n"
                                        "index=2 name='any 2'",
                                        &error);

    if (!ok(map != NULL, "a map with comments, blanks, quotes and no newline at its end is read")) {
        printf("# %s\n", error.text);
        return;
    }
    is_u64(interface_names_count(map), 13, "it has its rows");
    is_u64(interface_names_with_exporter(map), 11, "of which so many ask for an exporter");
    for (unsigned i = 0; i < array_length(cases); i++)
        ok(names_are(map, cases[i].exporter, cases[i].in, cases[i].out, cases[i].in_name, cases[i].out_name), "%s",
           cases[i].note);
    interface_names_free(map);
    interface_names_free(NULL);
}

static void check_wants(void)
{
    struct error error;
    struct interface_names *map = parse("index=1 name=one\nindex=2 name=two", &error);
    struct flow flow = record("192.0.2.1", 1, 2);
    struct field_set wants = {{0}};

    interface_names_needs(&wants);
    ok(field_set_is_empty(&wants) && !interface_names_fill(map, &wants, &flow), "nobody asks: nothing is set");
    field_set_add(&wants, FIELD_OUT_IFACE_NAME);
    interface_names_needs(&wants);
    ok(field_set_has(&wants, FIELD_OUT_IFACE) && field_set_has(&wants, FIELD_PEER_SRC_IP) &&
           !field_set_has(&wants, FIELD_IN_IFACE),
       "one name is asked for: that interface is needed");
    flow_set_out_iface_name(&flow, (struct span){"told", 4});
    flow_set_in_iface_name(&flow, (struct span){"told", 4});
    ok(interface_names_fill(map, &wants, &flow) &&
           is_span(&flow, FIELD_OUT_IFACE_NAME, flow.out_iface_name, "two") &&
           is_span(&flow, FIELD_IN_IFACE_NAME, flow.in_iface_name, "told"),
       "what the exporter told is replaced, and no more than what is asked for is touched");
    flow = record("192.0.2.1", 5, 6);
    flow_set_out_iface_name(&flow, (struct span){"told", 4});
    ok(!interface_names_fill(map, &both, &flow) && is_span(&flow, FIELD_OUT_IFACE_NAME, flow.out_iface_name, "told"),
       "where no row fits, it stays");
    interface_names_free(map);
    map = parse("", &error);
    ok(map != NULL && interface_names_count(map) == 0 && !interface_names_fill(map, &both, &flow),
       "an empty map names nothing");
    interface_names_free(map);
}

static void check_errors(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"index=1 name=a\nindex=x name=b", "t.map:2: 'index' is 'x', expected the number of an interface"},
        {"index=4294967296 name=a", "'index' is '4294967296'"},
        {"index=-1 name=a", "'index' is '-1'"},
        {"index= name=a", "'index' is ''"},
        {"index=1 name=", "'name' has 0 bytes, expected 1 to 255"},
        {"index=1 name='a\x01'", "'name' holds a control character (1)"},
        {"index=1", "t.map:1: 'name' is missing, expected [ip=ADDRESS] index=NUMBER name=TEXT"},
        {"name=a", "'index' is missing"},
        {"ip=192.0.2.1", "'index' is missing"},
        {"index=1 name=a index=2", "'index' comes twice in this line"},
        {"ip=router1 index=1 name=a", "'ip' is 'router1'"},
        {"ip=192.0.2.0/33 index=1 name=a", "'ip' is '192.0.2.0/33'"},
        {"indx=1 name=a", "unknown key 'indx', did you mean 'index'?"},
        {"vlan=1 name=a", "unknown key 'vlan', expected ip, index or name"},
        {"1 eth0", "'1' is not of the form key=value"},
    };
    static char longest[4096] = "index=1 name=";
    struct interface_names *map;
    struct error error;

    for (unsigned i = 0; i < array_length(cases); i++) {
        error.text[0] = '\0';
        ok(parse(cases[i].text, &error) == NULL && strstr(error.text, cases[i].part) != NULL, "%s", cases[i].part);
        if (strstr(error.text, cases[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
    memset(longest + 13, 'n', 256);
    ok(parse(longest, &error) == NULL && strstr(error.text, "'name' has 256 bytes") != NULL, "a name that is too long");
    longest[13 + 255] = '\0';
    map = parse(longest, &error);
    ok(map != NULL, "and one that is not");
    interface_names_free(map);
    memset(longest, ' ', sizeof(longest));
    ok(interface_names_parse("t.map", longest, sizeof(longest), &error) == NULL &&
           strstr(error.text, "t.map:1: ") != NULL,
       "a line that is too long is told: %s", error.text);
    ok(interface_names_load("/nonexistent/names.map", &error) == NULL &&
           strstr(error.text, "/nonexistent/names.map") != NULL,
       "a missing file is told by name");
}

static void check_file(void)
{
    char path[] = "/tmp/flowledger-names-XXXXXX";
    struct error error = {""};
    struct interface_names *map;
    FILE *file = fdopen(mkstemp(path), "w");

    fputs("ip=192.0.2.1 index=1 name=one\nindex=2 nam=two\n", file);
    fclose(file);
    ok(interface_names_load(path, &error) == NULL && strstr(error.text, path) != NULL &&
           strstr(error.text, ":2: unknown key 'nam', did you mean 'name'?") != NULL,
       "an error names file and line");
    file = fopen(path, "w");
    fputs("ip=192.0.2.1 index=1 name=one\n", file);
    fclose(file);
    map = interface_names_load(path, &error);
    ok(map != NULL && names_are(map, "192.0.2.1", 1, 1, "one", "one"), "a map is read from a file");
    interface_names_free(map);
    unlink(path);
}

#define random_rows 60

struct random_row {
    uint8_t net[4];
    unsigned length; /* 0: no ip */
    uint32_t index;
};

static uint32_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static const struct random_row *walk(const struct random_row rows[random_rows], const uint8_t octets[4], uint32_t index)
{
    uint32_t exporter = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];

    for (unsigned i = 0; i < random_rows; i++) {
        const uint8_t *n = rows[i].net;
        uint32_t net = (uint32_t)n[0] << 24 | (uint32_t)n[1] << 16 | (uint32_t)n[2] << 8 | n[3];

        if (rows[i].index == index && (rows[i].length == 0 || (net ^ exporter) >> (32 - rows[i].length) == 0))
            return &rows[i];
    }
    return NULL;
}

/* A map of random rows, few addresses and few numbers, so that many rows compete; returns the differences. */
static unsigned compare_random(uint64_t seed)
{
    struct random_row rows[random_rows];
    char text[random_rows * 64], name[16];
    unsigned at = 0, wrong = 0;
    struct interface_names *map;
    struct error error;
    uint64_t state = seed;

    for (unsigned i = 0; i < random_rows; i++) {
        struct random_row *row = &rows[i];

        *row = (struct random_row){{10, (uint8_t)(next(&state) & 1), (uint8_t)(next(&state) & 3),
                                    (uint8_t)(next(&state) & 7)}, next(&state) % 5 * 8, next(&state) % 6};
        if (row->length != 0)
            at += (unsigned)snprintf(text + at, sizeof(text) - at, "ip=%u.%u.%u.%u/%u ", row->net[0], row->net[1],
                                     row->net[2], row->net[3], row->length);
        at += (unsigned)snprintf(text + at, sizeof(text) - at, "index=%u name=row%u\n", row->index, i);
    }
    map = parse(text, &error);
    for (unsigned i = 0; map != NULL && i < 500; i++) {
        uint8_t octets[4] = {(uint8_t)(10 + next(&state) % 2), (uint8_t)(next(&state) & 1), (uint8_t)(next(&state) & 3),
                             (uint8_t)(next(&state) & 7)};
        struct flow flow = record("", next(&state) % 7, absent);
        const struct random_row *want = walk(rows, octets, flow.in_iface);
        struct address address;

        address_set_ipv4(&address, octets);
        flow_set_peer_src_ip(&flow, address);
        interface_names_fill(map, &both, &flow);
        if (want != NULL)
            snprintf(name, sizeof(name), "row%u", (unsigned)(want - rows));
        wrong += !is_span(&flow, FIELD_IN_IFACE_NAME, flow.in_iface_name, want == NULL ? NULL : name);
    }
    interface_names_free(map);
    return map == NULL ? 1 : wrong;
}

static void check_random(void)
{
    unsigned wrong = 0;

    for (uint64_t seed = 1; seed <= 400; seed++)
        wrong += compare_random(seed);
    is_u64(wrong, 0, "the index finds what a walk over the rows finds, 200 000 times");
}

int main(void)
{
    plan_none();
    field_set_add(&both, FIELD_IN_IFACE_NAME);
    field_set_add(&both, FIELD_OUT_IFACE_NAME);
    check_rows();
    check_wants();
    check_errors();
    check_file();
    check_random();
    return done_testing();
}
