/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GeoIP: databases that tests/lib/make_mmdb.py writes, in all sizes of nodes and for both versions of IP, give what is
 * in them, the first time and from memory; what makes no sense stays absent; files that are replaced, overwritten or
 * broken. Where mmdblookup is installed it is asked the same questions.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrich/geoip.h"
#include "lib/tap.h"

#define absent 1000.0 /* no latitude */

static char folder[] = "/tmp/flowledger-geoip-XXXXXX";

/* What the script puts into its samples. NULL and `absent`: not told. */
struct sample {
    const char *address, *country, *pocode;
    double latitude, longitude;
    const char *note;
};

static const struct sample cities[] = {
    {"192.0.2.0", "CH", "8001", 47.3682, 8.5671, "the first address of a network"},
    {"192.0.2.255", "CH", "8001", 47.3682, 8.5671, "and its last"},
    {"192.0.3.0", NULL, NULL, absent, absent, "an address of no network"},
    {"198.51.100.76", "JP", "100-0001", 35.6897, 139.6895, "a network smaller than what is remembered at once"},
    {"198.51.100.77", "KE", NULL, -1.2841, 36.8155, "a single address inside of it, without a postal code"},
    {"198.51.100.78", "JP", "100-0001", 35.6897, 139.6895, "its neighbour"},
    {"198.51.100.200", "AR", "C1000", absent, absent, "a record without a location"},
    {"203.0.113.1", NULL, NULL, 0, -0.5, "a location without a country; 0 is a latitude"},
    {"203.0.113.9", NULL, NULL, absent, absent, "values of wrong types, lengths and ranges"},
    {"203.0.113.17", NULL, NULL, absent, absent, "no letters, an empty text, an array for a map"},
    {"203.0.113.25", NULL, NULL, absent, absent, "a record that is no map"},
    {"2001:db8::1", "NO", "0010", 59.9127, 10.7461, "an IPv6 address"},
    {"2001:db8:0:1:2::9", "IS", "101", 64.1355, -21.8954, "a longer IPv6 prefix inside"},
    {"2001:db8:0:1:3::9", "NO", "0010", 59.9127, 10.7461, "and beside it"},
    {"2001:db9::1", NULL, NULL, absent, absent, "an IPv6 address of no network"},
    {"2002:c000:201::1", NULL, NULL, absent, absent, "6to4, where the database has no aliases"},
    {"ff02::1", NULL, NULL, absent, absent, "a multicast group"},
    {"::", NULL, NULL, absent, absent, "the unspecified address"},
};

static char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* Runs the script; its words are ours. */
static bool make(const char *kind, const char *name, const char *more)
{
    const char *source = getenv("SRC");
    char command[1024];

    snprintf(command, sizeof(command), "python3 '%s/tests/lib/make_mmdb.py' %s '%s' %s", source ? source : ".", kind,
             path_of(name), more);
    return system(command) == 0;
}

static struct geoip *open_made(const char *name)
{
    struct error error = {""};
    struct geoip *geoip = geoip_open(path_of(name), &error);

    if (geoip == NULL)
        printf("# %s\n", error.text);
    return geoip;
}

static const struct field_set *all_fields(void)
{
    static const enum field_id ids[] = {FIELD_SRC_HOST_COUNTRY, FIELD_DST_HOST_COUNTRY, FIELD_SRC_HOST_POCODE,
                                        FIELD_DST_HOST_POCODE,  FIELD_SRC_HOST_LAT,     FIELD_SRC_HOST_LON,
                                        FIELD_DST_HOST_LAT,     FIELD_DST_HOST_LON,     FIELD_SRC_AS_NAME,
                                        FIELD_DST_AS_NAME};
    static struct field_set set;

    for (unsigned i = 0; i < array_length(ids); i++)
        field_set_add(&set, ids[i]);
    return &set;
}

static struct flow flow_between(const char *source, const char *destination)
{
    static struct flow flow;
    struct address address;

    flow_clear(&flow);
    if (address_parse(source, &address))
        flow_set_src_host(&flow, address);
    if (address_parse(destination, &address))
        flow_set_dst_host(&flow, address);
    return flow;
}

static bool has_text(const struct flow *flow, enum field_id id, struct span span, const char *want)
{
    if (want == NULL)
        return !flow_has(flow, id);
    return flow_has(flow, id) && span.length == strlen(want) && memcmp(span.data, want, span.length) == 0;
}

static bool has_real(const struct flow *flow, enum field_id id, double got, double want)
{
    if (want == absent)
        return !flow_has(flow, id);
    return flow_has(flow, id) && fabs(got - want) < 1e-9;
}

static bool source_is(const struct flow *flow, const struct sample *sample)
{
    return has_text(flow, FIELD_SRC_HOST_COUNTRY, flow->src_host_country, sample->country) &&
           has_text(flow, FIELD_SRC_HOST_POCODE, flow->src_host_pocode, sample->pocode) &&
           has_real(flow, FIELD_SRC_HOST_LAT, flow->src_host_lat, sample->latitude) &&
           has_real(flow, FIELD_SRC_HOST_LON, flow->src_host_lon, sample->longitude);
}

static bool destination_is(const struct flow *flow, const struct sample *sample)
{
    return has_text(flow, FIELD_DST_HOST_COUNTRY, flow->dst_host_country, sample->country) &&
           has_text(flow, FIELD_DST_HOST_POCODE, flow->dst_host_pocode, sample->pocode) &&
           has_real(flow, FIELD_DST_HOST_LAT, flow->dst_host_lat, sample->latitude) &&
           has_real(flow, FIELD_DST_HOST_LON, flow->dst_host_lon, sample->longitude);
}

/* Every sample as either end, beside every other: so each is found fresh, remembered, and after a split. */
static void check_pairs(struct geoip *geoip, bool ipv6, const char *name)
{
    unsigned count = ipv6 ? array_length(cities) : 11, wrong = 0;

    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < count; j++) {
            struct flow flow = flow_between(cities[i].address, cities[j].address);

            geoip_fill(geoip, NULL, all_fields(), &flow);
            wrong += !source_is(&flow, &cities[i]) || !destination_is(&flow, &cities[j]);
        }
    }
    is_u64(wrong, 0, "%s: every sample beside every other", name);
}

static void check_cities(void)
{
    struct geoip *geoip;

    ok(make("city", "city", ""), "the script makes a database of cities");
    geoip = open_made("city");
    if (!ok(geoip != NULL, "it is opened"))
        return;
    for (unsigned i = 0; i < array_length(cities); i++) {
        struct flow flow = flow_between(cities[i].address, "");

        geoip_fill(geoip, NULL, all_fields(), &flow);
        ok(source_is(&flow, &cities[i]) && !flow_has(&flow, FIELD_DST_HOST_COUNTRY) &&
               !flow_has(&flow, FIELD_SRC_AS_NAME),
           "%s: %s", cities[i].address, cities[i].note);
    }
    check_pairs(geoip, true, "28 bits, IPv6");
    geoip_free(geoip);
    geoip_free(NULL);
}

static void check_forms(void)
{
    static const struct {
        const char *words, *name;
        bool ipv6;
    } forms[] = {
        {"--record-size 24", "24 bits, IPv6", true},
        {"--record-size 32", "32 bits, IPv6", true},
        {"--record-size 24 --ip-version 4", "24 bits, IPv4", false},
        {"--record-size 28 --ip-version 4", "28 bits, IPv4", false},
        {"--record-size 32 --ip-version 4", "32 bits, IPv4", false},
    };

    for (unsigned i = 0; i < array_length(forms); i++) {
        struct geoip *geoip = make("city", "form", forms[i].words) ? open_made("form") : NULL;
        struct flow flow = flow_between("2001:db8::1", "192.0.2.1");

        if (!ok(geoip != NULL, "%s: made and opened", forms[i].name))
            continue;
        check_pairs(geoip, forms[i].ipv6, forms[i].name);
        geoip_fill(geoip, NULL, all_fields(), &flow);
        ok(flow_has(&flow, FIELD_SRC_HOST_COUNTRY) == forms[i].ipv6 && flow_has(&flow, FIELD_DST_HOST_COUNTRY),
           "%s: an IPv6 address beside an IPv4 one", forms[i].name);
        geoip_free(geoip);
    }
}

static void check_aliases(void)
{
    struct geoip *geoip = make("country", "aliases", "--aliases") ? open_made("aliases") : NULL;
    struct flow flow = flow_between("2002:c000:201::1", "198.51.100.77");

    if (!ok(geoip != NULL, "a database with aliases"))
        return;
    geoip_fill(geoip, NULL, all_fields(), &flow);
    ok(has_text(&flow, FIELD_SRC_HOST_COUNTRY, flow.src_host_country, "CH"), "a 6to4 address is where its IPv4 one is");
    ok(has_text(&flow, FIELD_DST_HOST_COUNTRY, flow.dst_host_country, "KE"), "a country without more");
    ok(!flow_has(&flow, FIELD_SRC_HOST_LAT) && !flow_has(&flow, FIELD_SRC_HOST_POCODE), "knows no more");
    geoip_free(geoip);
}

static void check_as_names(void)
{
    struct geoip *places = open_made("city"), *as = make("asn", "asn", "") ? open_made("asn") : NULL;
    struct flow flow = flow_between("192.0.2.1", "198.51.100.1");

    if (!ok(places != NULL && as != NULL, "a database of ASes beside one of cities"))
        return;
    geoip_fill(places, as, all_fields(), &flow);
    ok(has_text(&flow, FIELD_SRC_AS_NAME, flow.src_as_name, "Example Telecom AG") &&
           has_text(&flow, FIELD_DST_AS_NAME, flow.dst_as_name, "Beispielnetz \xc3\x84\xc3\x96\xc3\x9c"),
       "names of ASes come from the one");
    ok(has_text(&flow, FIELD_SRC_HOST_COUNTRY, flow.src_host_country, "CH"), "and countries from the other");
    ok(!flow_has(&flow, FIELD_SRC_AS) && !flow_has(&flow, FIELD_DST_AS), "numbers of ASes are not taken");
    flow = flow_between("203.0.113.1", "203.0.113.200");
    geoip_fill(NULL, as, all_fields(), &flow);
    ok(!flow_has(&flow, FIELD_SRC_AS_NAME), "an AS without a name has none");
    ok(!flow_has(&flow, FIELD_DST_AS_NAME), "nor has one with more than may be stored");
    flow = flow_between("2001:db8::1", "");
    geoip_fill(as, NULL, all_fields(), &flow);
    ok(has_text(&flow, FIELD_SRC_AS_NAME, flow.src_as_name, "Six, \"quoted\" Ltd"),
       "without a second database the first one is asked for the name");
    geoip_fill(NULL, NULL, all_fields(), &flow);
    geoip_free(places);
    geoip_free(as);
}

static void check_wants(void)
{
    struct geoip *geoip = open_made("city");
    struct field_set wants = {{0}};
    struct flow flow = flow_between("192.0.2.1", "198.51.100.1");

    geoip_needs(&wants);
    ok(field_set_is_empty(&wants), "nobody asks: nothing is needed");
    geoip_fill(geoip, geoip, &wants, &flow);
    ok(!flow_has(&flow, FIELD_SRC_HOST_COUNTRY) && !flow_has(&flow, FIELD_SRC_AS_NAME), "and nothing is set");
    field_set_add(&wants, FIELD_DST_HOST_LON);
    geoip_needs(&wants);
    ok(field_set_has(&wants, FIELD_DST_HOST) && !field_set_has(&wants, FIELD_SRC_HOST), "one end is asked for");
    geoip_fill(geoip, geoip, &wants, &flow);
    ok(has_real(&flow, FIELD_DST_HOST_LON, flow.dst_host_lon, 139.6895) && !flow_has(&flow, FIELD_DST_HOST_LAT) &&
           !flow_has(&flow, FIELD_DST_HOST_COUNTRY) && !flow_has(&flow, FIELD_SRC_HOST_LON),
       "and no more than that field is set");
    field_set_add(&wants, FIELD_SRC_AS_NAME);
    geoip_needs(&wants);
    ok(field_set_has(&wants, FIELD_SRC_HOST), "the name of an AS needs its end, too");
    geoip_free(geoip);
}

static struct address random_address(uint64_t *state)
{
    uint8_t octets[16] = {0x2a, 0};
    struct address address;
    uint64_t bits;

    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    bits = *state >> 16;
    octets[2] = (uint8_t)(bits >> 40 & 1);
    octets[3] = (uint8_t)(bits >> 32);
    octets[4] = (uint8_t)(bits >> 24 & 3);
    if (bits >> 45 & 1) {
        address_set_ipv6(&address, octets);
    } else {
        uint8_t four[4] = {(uint8_t)(1 + (bits & 1)), (uint8_t)(bits >> 1), (uint8_t)(bits >> 9),
                           (uint8_t)(bits >> 17)};

        address_set_ipv4(&address, four);
    }
    return address;
}

/* One that remembers against one that has just been opened, over a database of some hundred prefixes. */
static void check_memory(void)
{
    struct geoip *geoip = make("random", "random", "--networks 400") ? open_made("random") : NULL;
    unsigned known = 0, different = 0;
    uint64_t state = 1;

    if (!ok(geoip != NULL, "a database of many prefixes"))
        return;
    for (unsigned i = 0; i < 200000; i++) {
        struct flow one, other;

        flow_clear(&one);
        flow_set_src_host(&one, random_address(&state));
        flow_set_dst_host(&one, random_address(&state));
        other = one;
        geoip_fill(geoip, NULL, all_fields(), &one);
        known += flow_has(&one, FIELD_SRC_HOST_COUNTRY);
        if (i % 100 == 0) {
            struct geoip *fresh = open_made("random");

            geoip_fill(fresh, NULL, all_fields(), &other);
            different += memcmp(&one.have, &other.have, sizeof(one.have)) != 0 ||
                         (flow_has(&one, FIELD_SRC_HOST_LAT) && one.src_host_lat != other.src_host_lat) ||
                         (flow_has(&one, FIELD_DST_HOST_POCODE) &&
                          memcmp(one.dst_host_pocode.data, other.dst_host_pocode.data, 5) != 0);
            geoip_free(fresh);
        }
    }
    ok(known > 20000 && known < 180000, "some addresses are known (%u), some are not", known);
    is_u64(different, 0, "what is remembered is what would be found");
    geoip_free(geoip);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void check_files(void)
{
    struct geoip *geoip = make("city", "file", "") ? open_made("file") : NULL;
    struct flow flow = flow_between("198.51.100.77", "192.0.2.9");
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000, .tv_nsec = 7}};
    char text[128];

    if (!ok(geoip != NULL && !geoip_changed(geoip), "a file that was just read has not changed"))
        return;
    geoip_describe(geoip, text, sizeof(text));
    ok(strstr(text, "Test-City of 2026-01-01, IPv6, ") == text, "it tells what it is: %s", text);
    geoip_describe(geoip, text, 10);
    is_text(text, "Test-City", "cut to the room that there is");
    utimensat(AT_FDCWD, path_of("file"), times, 0);
    ok(geoip_changed(geoip), "another time of modification is a change");
    write_file(path_of("file"), "", 0);
    geoip_fill(geoip, NULL, all_fields(), &flow);
    ok(has_text(&flow, FIELD_SRC_HOST_COUNTRY, flow.src_host_country, "KE") &&
           has_text(&flow, FIELD_DST_HOST_POCODE, flow.dst_host_pocode, "8001"),
       "a file that is emptied while it is used does no harm");
    ok(geoip_changed(geoip), "and is a change");
    unlink(path_of("file"));
    ok(!geoip_changed(geoip), "a file that is gone is none");
    geoip_free(geoip);
    geoip = open_made("city");
    make("city", "new", "");
    ok(rename(path_of("new"), path_of("city")) == 0 && geoip_changed(geoip), "an equal file in its place is a change");
    geoip_free(geoip);
}

static void check_errors(void)
{
    static const struct {
        const char *name, *part;
    } cases[] = {
        {"missing", "cannot read: No such file or directory"},
        {"folder", "not a regular file"},
        {"empty", "not a database that can be used"},
        {"text", "not a database that can be used"},
        {"half", "not a database that can be used"},
        {"pipe", "not a regular file"},
    };
    struct error error;
    char bytes[1000];
    FILE *file = fopen(path_of("city"), "r");

    ok(fread(bytes, 1, sizeof(bytes), file) == sizeof(bytes), "a part of a database is read");
    fclose(file);
    write_file(path_of("half"), bytes, sizeof(bytes));
    write_file(path_of("empty"), "", 0);
    write_file(path_of("text"), "192.0.2.0/24 CH\n", 16);
    mkdir(path_of("folder"), 0700);
    mkfifo(path_of("pipe"), 0600);
    for (unsigned i = 0; i < array_length(cases); i++) {
        error.text[0] = '\0';
        ok(geoip_open(path_of(cases[i].name), &error) == NULL && strstr(error.text, cases[i].part) != NULL &&
               strstr(error.text, path_of(cases[i].name)) != NULL,
           "%s: %s", cases[i].name, error.text);
    }
    ok(geoip_from_memory("here", "x", 1, &error) == NULL && strstr(error.text, "'here'") != NULL,
       "octets that are no database: %s", error.text);
}

/* The value that mmdblookup prints first, without its type; empty when it finds none. */
static void ask_witness(const char *address, const char *path, char *out, size_t size)
{
    char command[512], line[256];
    FILE *pipe;

    out[0] = '\0';
    snprintf(command, sizeof(command), "mmdblookup -f '%s' -i %s %s 2>/dev/null", path_of("city"), address, path);
    pipe = popen(command, "r");
    while (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL) {
        char *end = strrchr(line, '<'), *start = line + strspn(line, " \"");

        if (end == NULL || out[0] != '\0')
            continue;
        while (end > start && (end[-1] == ' ' || end[-1] == '"'))
            end--;
        *end = '\0';
        snprintf(out, size, "%s", start);
    }
    if (pipe != NULL)
        pclose(pipe);
}

static void check_witness(void)
{
    struct geoip *geoip = open_made("city");
    char country[64], latitude[64];
    unsigned same = 0, asked = 0;

    if (system("mmdblookup --version >/dev/null 2>&1") != 0) {
        ok(true, "mmdblookup compares # SKIP mmdblookup is not here");
        geoip_free(geoip);
        return;
    }
    for (unsigned i = 0; i < array_length(cities); i++) {
        struct flow flow = flow_between("", cities[i].address);

        if (cities[i].country == NULL)
            continue;
        geoip_fill(geoip, NULL, all_fields(), &flow);
        ask_witness(cities[i].address, "country iso_code", country, sizeof(country));
        ask_witness(cities[i].address, "location latitude", latitude, sizeof(latitude));
        asked++;
        same += has_text(&flow, FIELD_DST_HOST_COUNTRY, flow.dst_host_country, country) &&
                (latitude[0] == '\0' ? !flow_has(&flow, FIELD_DST_HOST_LAT)
                                     : fabs(flow.dst_host_lat - strtod(latitude, NULL)) < 1e-5);
    }
    is_u64(same, asked, "mmdblookup says the same");
    geoip_free(geoip);
}

int main(void)
{
    char command[128];

    plan_none();
    if (system("python3 -c '' >/dev/null 2>&1") != 0)
        skip_all("python3 is not here, and writes the databases");
    if (mkdtemp(folder) == NULL)
        skip_all("no temporary folder");
    check_cities();
    check_forms();
    check_aliases();
    check_as_names();
    check_wants();
    check_memory();
    check_witness();
    check_files();
    check_errors();
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ok(system(command) == 0, "the temporary folder is removed");
    return done_testing();
}
