/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling maps: the grammar and its errors, which row wins, and that the index finds the same row as a walk over all
 * of them does, for random maps and records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/tap.h"
#include "map/sampling.h"

#define absent UINT32_MAX

static char path[] = "/tmp/flowledger-sampling-XXXXXX";

static struct sampling_map *parse(const char *text, struct error *error)
{
    return sampling_map_parse("t.map", text, strlen(text), error);
}

static struct flow record(const char *exporter, uint32_t in, uint32_t out)
{
    struct address address;
    struct flow flow;

    flow_clear(&flow);
    if (address_parse(exporter, &address))
        flow_set_peer_src_ip(&flow, address);
    if (in != absent)
        flow_set_in_iface(&flow, in);
    if (out != absent)
        flow_set_out_iface(&flow, out);
    return flow;
}

/* The second time from memory. */
static uint32_t rate(struct sampling_map *map, const char *exporter, uint32_t in, uint32_t out)
{
    struct flow flow = record(exporter, in, out);
    uint32_t first = sampling_map_rate(map, &flow), second = sampling_map_rate(map, &flow);

    return first == second ? first : absent;
}

static void check_rows(void)
{
    static const struct {
        const char *exporter;
        uint32_t in, out, rate;
        const char *name;
    } cases[] = {
        {"192.0.2.1", 1, 2, 1000, "a row without interfaces holds for all of them"},
        {"192.0.2.1", absent, absent, 1000, "and for a record that tells none"},
        {"192.0.2.2", 7, 1, 4096, "in= is the input interface"},
        {"192.0.2.2", 1, 7, 10, "and not the output; a later row of the same exporter holds"},
        {"192.0.2.2", 1, 8, 20, "out= is the output interface"},
        {"192.0.2.2", 7, 8, 4096, "the first of two rows that fit wins"},
        {"192.0.2.2", 3, 3, 0, "no row fits: nothing"},
        {"192.0.2.2", absent, absent, 0, "a record that tells no interface fits no row that asks for one"},
        {"192.0.2.3", 5, 6, 30, "in= and out= in one row are both needed"},
        {"192.0.2.3", 5, 7, 0, "one of them is not enough"},
        {"192.0.2.4", 9, 1, 50, "a minus: any other interface"},
        {"192.0.2.4", 1, 1, 60, "but not this one"},
        {"192.0.2.4", absent, 1, 60, "and not a record without one"},
        {"198.51.100.9", 1, 1, 70, "a prefix holds its exporters"},
        {"198.51.101.9", 1, 1, 80, "a shorter one around it comes after"},
        {"198.51.102.1", 1, 1, 80, "a longer prefix does not win by its length when its row comes later"},
        {"198.51.102.1", 4, 1, 85, "but it does by an earlier row"},
        {"203.0.113.1", 0, 0, 0, "an exporter of no row"},
        {"203.0.113.2", 0, 1, 90, "0 is an interface number like others"},
        {"2001:db8::1", 1, 1, 100, "an IPv6 address"},
        {"2001:db8:1::1", 1, 1, 110, "an IPv6 prefix"},
        {"2001:db9::1", 1, 1, 0, "and what is outside of it"},
        {"", 1, 1, 0, "a record without an exporter"},
    };
    struct error error = {""};
    struct sampling_map *map = parse("! rates\n"
                                     "# by exporter\n"
                                     "\n"
                                     "id=1000  ip=192.0.2.1\n"
                                     "  id=4096\tip=192.0.2.2  in=7  ! uplink\r\n"
                                     "in=1 out=7 ip=192.0.2.2 id=10\n"
                                     "id=20 ip='192.0.2.2' out=8\n"
                                     "id=30 ip=192.0.2.3 in=5 out=6\n"
                                     "id=31 ip=192.0.2.3 in=5 out=6\n"
                                     "id=50 ip=192.0.2.4 in=-1\n"
                                     "id=60 ip=192.0.2.4\n"
                                     "id=70 ip=198.51.100.0/24\n"
                                     "id=85 ip=198.51.102.1/32 in=4\n"
                                     "id=80 ip=198.51.100.77/16\n"
                                     "id=86 ip=198.51.102.0/24\n"
                                     "id=90 ip=203.0.113.2 in=0\n"
                                     "id=100 ip=2001:db8::1\n"
                                     "id=110 ip=2001:db8::/32",
                                     &error);

    ok(map != NULL, "a map with comments, blanks, quotes and no newline at its end is read");
    if (map == NULL) {
        printf("# %s\n", error.text);
        return;
    }
    is_u64(sampling_map_count(map), 15, "it has its rows");
    for (unsigned i = 0; i < array_length(cases); i++)
        is_u64(rate(map, cases[i].exporter, cases[i].in, cases[i].out), cases[i].rate, "%s", cases[i].name);
    sampling_map_free(map);
    sampling_map_free(NULL);
}

static void check_whole_families(void)
{
    struct error error;
    struct sampling_map *map = parse("id=4 ip=0.0.0.0/0\n", &error);

    ok(rate(map, "203.0.113.1", 1, 1) == 4 && rate(map, "2001:db8::1", 1, 1) == 0,
       "0.0.0.0/0 is all of IPv4 and none of IPv6");
    sampling_map_free(map);
    map = parse("id=6 ip=::/0\n", &error);
    ok(rate(map, "203.0.113.1", 1, 1) == 0 && rate(map, "2001:db8::1", 1, 1) == 6, "::/0 the other way round");
    ok(rate(map, "", 1, 1) == 0, "and not a record without an exporter");
    sampling_map_free(map);
    map = parse("id=6 ip=::/3\n", &error);
    ok(rate(map, "1001:db8::1", 1, 1) == 6 && rate(map, "e001:db8::1", 1, 1) == 0, "a part of IPv6 from its start");
    sampling_map_free(map);
    map = parse("", &error);
    ok(map != NULL && sampling_map_count(map) == 0 && rate(map, "192.0.2.1", 1, 1) == 0, "an empty map tells nothing");
    sampling_map_free(map);
}

static void check_errors(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"id=1 ip=192.0.2.1\nid=0 ip=192.0.2.2\n", "t.map:2: 'id' is '0', expected a sampling rate of 1 to 4294967295"},
        {"id=4294967296 ip=192.0.2.1", "t.map:1: 'id' is '4294967296'"},
        {"id=-5 ip=192.0.2.1", "'id' is '-5'"},
        {"id= ip=192.0.2.1", "'id' is ''"},
        {"id=10x ip=192.0.2.1", "'id' is '10x'"},
        {"id=1 ip=router1", "'ip' is 'router1', expected an address or a prefix"},
        {"id=1 ip=-192.0.2.1", "'ip' is '-192.0.2.1'"},
        {"id=1 ip=192.0.2.0/33", "'ip' has the prefix length '33', expected 0 to 32"},
        {"id=1 ip=2001:db8::/129", "expected 0 to 128"},
        {"id=1 ip=192.0.2.0/", "'ip' has the prefix length ''"},
        {"id=1 ip=192.0.2.0/ 24", "'ip' has the prefix length ''"},
        {"id=1 ip=192.0.2.1 in=eth0", "'in' is 'eth0', expected an interface number"},
        {"id=1 ip=192.0.2.1 in=--1", "'in' is '--1'"},
        {"id=1 ip=192.0.2.1 out=4294967296", "'out' is '4294967296'"},
        {"id=1 in=5", "'ip' is missing, expected id=RATE ip=ADDRESS [in=NUMBER] [out=NUMBER]"},
        {"ip=192.0.2.1", "'id' is missing"},
        {"id=1 ip=192.0.2.1 id=2", "'id' comes twice in this line"},
        {"id=1 ip=192.0.2.1 vlan=5", "unknown key 'vlan', expected id, ip, in or out"},
        {"id=1 ip=192.0.2.1 ouut=5", "unknown key 'ouut', did you mean 'out'?"},
        {"id=1 ip=192.0.2.1 filter='src net 192.0.2.0/24'", "unknown key 'filter'"},
        {"192.0.2.1", "'192.0.2.1' is not of the form key=value"},
        {"id=1|2 ip=192.0.2.1", "'id' is '1|2'"},
    };
    static char longest[4096];
    struct error error;

    for (unsigned i = 0; i < array_length(cases); i++) {
        error.text[0] = '\0';
        ok(parse(cases[i].text, &error) == NULL && strstr(error.text, cases[i].part) != NULL, "%s", cases[i].part);
        if (strstr(error.text, cases[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
    memset(longest, ' ', sizeof(longest));
    ok(sampling_map_parse("t.map", longest, sizeof(longest), &error) == NULL &&
           strstr(error.text, "t.map:1: the line is longer than 2048 bytes") != NULL,
       "a line that is too long is told");
    ok(sampling_map_parse("t.map", "\nid=1\0", 6, &error) == NULL && strstr(error.text, "t.map:2: ") != NULL,
       "and so is a NUL");
}

static void check_files(void)
{
    struct error error = {""};
    struct sampling_map *map;
    FILE *file = fopen(path, "w");

    fputs("id=512 ip=192.0.2.1\n", file);
    fclose(file);
    map = sampling_map_load(path, &error);
    ok(map != NULL && rate(map, "192.0.2.1", 1, 1) == 512, "a map is read from a file");
    sampling_map_free(map);
    file = fopen(path, "a");
    fputs("id=512 ip=192.0.2\n", file);
    fclose(file);
    ok(sampling_map_load(path, &error) == NULL && strstr(error.text, path) != NULL && strstr(error.text, ":2: 'ip' is"),
       "an error names file and line");
    unlink(path);
    ok(sampling_map_load(path, &error) == NULL && strstr(error.text, path) != NULL, "a missing file is told by name");
    ok(sampling_map_load("/tmp", &error) == NULL && strstr(error.text, "not a regular file") != NULL,
       "a folder is no map");
}

/* -- the index against a walk -- */

struct plain_row {
    struct address net;
    unsigned length, rate;
    uint32_t in, out; /* absent: not asked */
    bool other_in, other_out;
};

static uint64_t state = 88172645463325252;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* Few bits in few places, so that prefixes are inside of one another and equal ones are usual. */
static struct address draw_address(void)
{
    uint8_t octets[16] = {0x20, 0x01};
    struct address address;

    if (draw(2) == 0) {
        octets[0] = (uint8_t)(192 + draw(2));
        octets[2] = (uint8_t)draw(3);
        octets[3] = (uint8_t)draw(4);
        address_set_ipv4(&address, octets);
    } else {
        octets[2] = (uint8_t)draw(2);
        octets[15] = (uint8_t)draw(4);
        address_set_ipv6(&address, octets);
    }
    return address;
}

static struct plain_row draw_row(unsigned rate_drawn)
{
    static const uint8_t lengths[2][6] = {{0, 20, 24, 120, 127, 128}, {0, 8, 16, 24, 31, 32}};
    struct plain_row row = {.net = draw_address(), .rate = rate_drawn};

    row.length = lengths[address_is_ipv4(&row.net)][draw(8) < 4 ? 5 : draw(6)];
    row.in = draw(2) == 0 ? absent : draw(4);
    row.out = draw(3) != 0 ? absent : draw(4);
    row.other_in = row.in != absent && draw(6) == 0;
    row.other_out = row.out != absent && draw(6) == 0;
    return row;
}

static void write_row(FILE *out, const struct plain_row *row)
{
    char text[address_text_max];
    size_t length = address_format(&row->net, text);

    fprintf(out, "id=%u ip=%.*s/%u", row->rate, (int)length, text, row->length);
    if (row->in != absent)
        fprintf(out, " in=%s%u", row->other_in ? "-" : "", row->in);
    if (row->out != absent)
        fprintf(out, " out=%s%u", row->other_out ? "-" : "", row->out);
    fputc('\n', out);
}

static bool one_fits(uint32_t asked, bool other, bool told, uint32_t number)
{
    return asked == absent || (told && (asked == number) != other);
}

static uint32_t walk(const struct plain_row *rows, unsigned count, const struct flow *flow)
{
    for (unsigned i = 0; i < count; i++) {
        struct address net = rows[i].net, exporter = flow->peer_src_ip;

        address_mask(&net, rows[i].length);
        address_mask(&exporter, rows[i].length);
        if (address_is_ipv4(&rows[i].net) == address_is_ipv4(&flow->peer_src_ip) && address_equal(&net, &exporter) &&
            one_fits(rows[i].in, rows[i].other_in, flow_has(flow, FIELD_IN_IFACE), flow->in_iface) &&
            one_fits(rows[i].out, rows[i].other_out, flow_has(flow, FIELD_OUT_IFACE), flow->out_iface))
            return rows[i].rate;
    }
    return 0;
}

static void check_index(void)
{
    struct plain_row rows[64];
    unsigned wrong = 0, broken = 0, found = 0;

    for (unsigned round = 0; round < 400; round++) {
        unsigned count = 1 + draw(array_length(rows));
        struct sampling_map *map;
        struct error error;
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        for (unsigned i = 0; i < count; i++) {
            rows[i] = draw_row(i + 1);
            write_row(out, &rows[i]);
        }
        fclose(out);
        map = sampling_map_parse("random", text, size, &error);
        free(text);
        if (map == NULL) {
            printf("# %s\n", error.text);
            broken++;
            continue;
        }
        for (unsigned i = 0; i < 200; i++) {
            struct flow flow = record("", draw(5) == 0 ? absent : draw(5), draw(5) == 0 ? absent : draw(5));
            uint32_t want;

            flow_set_peer_src_ip(&flow, draw_address());
            want = walk(rows, count, &flow);
            wrong += sampling_map_rate(map, &flow) != want;
            found += want != 0;
        }
        sampling_map_free(map);
    }
    is_u64(broken, 0, "400 random maps are read");
    ok(found > 10000 && found < 79000, "of 80000 random records %u find a row", found);
    is_u64(wrong, 0, "each finds the row that a walk finds");
}

/* The number is for the reader: a test must not fail because a machine is busy. */
static void check_size(void)
{
    struct sampling_map *map;
    struct error error;
    struct timespec start, end;
    struct flow flows[2] = {record("10.0.100.7", 77, 1), record("203.0.113.1", 77, 1)};
    uint64_t sums[2] = {0, 0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (unsigned i = 0; i < 100000; i++)
        fprintf(out, "id=%u ip=10.0.%u.%u in=%u\n", i + 1, (i >> 8) & 255, i & 255, 76 + (i >> 16));
    fclose(out);
    map = sampling_map_parse("large", text, size, &error);
    free(text);
    ok(map != NULL && sampling_map_count(map) == 100000, "100000 rows are read");
    for (unsigned which = 0; which < 2; which++) {
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (unsigned i = 0; i < 100000; i++)
            sums[which] += sampling_map_rate(map, &flows[which]);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("# %s: %.1f ns a record\n", which == 0 ? "an exporter of the map" : "another",
               ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / 100000);
    }
    is_u64(sums[0], (65536 + 100 * 256 + 7 + 1) * UINT64_C(100000), "its exporter has the rate of its row");
    is_u64(sums[1], 0, "an exporter of none has none");
    sampling_map_free(map);
}

int main(void)
{
    plan_none();
    close(mkstemp(path));
    check_rows();
    check_whole_families();
    check_errors();
    check_files();
    check_index();
    check_size();
    return done_testing();
}
