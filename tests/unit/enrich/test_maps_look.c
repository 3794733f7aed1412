/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Databases that are replaced are read again by themselves: a look finds that the file is another one, and only then.
 * A broken one keeps the old; it is told once and not at every look, and once more when somebody asks. Other maps are
 * not looked at.
 */
#include "enrich/maps.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "enrich/geoip.h"
#include "lib/tap.h"

static char folder[] = "/tmp/flowledger-look-XXXXXX";
static char database[64], ports[64];

static void give_up(const char *why)
{
    ok(false, "%s", why);
    exit(done_testing());
}

static void rename_to(const char *fresh, const char *path)
{
    if (rename(fresh, path) < 0)
        give_up("cannot rename a file of this test");
}

static void write_file(const char *path, const char *text)
{
    char fresh[80];
    FILE *file;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    file = fopen(fresh, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        give_up("cannot write the files of this test");
    rename_to(fresh, path);
}

/* A database that says where 192.0.2.0/24 is. */
static void write_database(const char *country)
{
    const char *source = getenv("SRC");
    char command[512], fresh[80];

    snprintf(fresh, sizeof(fresh), "%s.new", database);
    snprintf(command, sizeof(command),
             "echo '{\"network\": \"192.0.2.0/24\", \"data\": {\"country\": {\"iso_code\": \"%s\"}}}' |"
             " python3 '%s/tests/lib/make_mmdb.py' json '%s'",
             country, source != NULL ? source : ".", fresh);
    if (system(command) != 0)
        give_up("make_mmdb.py failed");
    rename_to(fresh, database);
}

/* -- */

struct told {
    unsigned read, refused;
    char path[64], trouble[256];
};

static void on_news(void *context, const struct maps_news *news)
{
    struct told *told = context;

    snprintf(told->path, sizeof(told->path), "%s", news->path);
    if (news->trouble == NULL) {
        told->read++;
        return;
    }
    told->refused++;
    snprintf(told->trouble, sizeof(told->trouble), "%s", news->trouble);
}

/* What is read by now, with a wait if something must come. */
static struct told take(struct maps *maps, int wait_ms)
{
    struct pollfd done = {.fd = maps_fd(maps), .events = POLLIN};
    struct told told = {0};

    if (poll(&done, 1, wait_ms) > 0)
        maps_take(maps, on_news, &told);
    return told;
}

/* A look that must find something takes at most ten seconds; one that must not is given a twentieth. */
static struct told look(struct maps *maps, bool finds)
{
    maps_look(maps);
    return take(maps, finds ? 10000 : 50);
}

static bool country_is(const struct map *map, const char *want)
{
    struct field_set fields = {{0}};
    struct address address;
    struct flow flow;

    flow_clear(&flow);
    address_parse("192.0.2.1", &address);
    flow_set_src_host(&flow, address);
    field_set_add(&fields, FIELD_SRC_HOST_COUNTRY);
    geoip_fill(map->current, NULL, &fields, &flow);
    return flow_has(&flow, FIELD_SRC_HOST_COUNTRY) && flow.src_host_country.length == strlen(want) &&
           memcmp(flow.src_host_country.data, want, strlen(want)) == 0;
}

static void check_replaced(struct maps *maps, const struct map *map)
{
    struct told told = look(maps, false);

    ok(told.read + told.refused == 0, "the same file is not read again");
    write_database("JP");
    ok(country_is(map, "CH"), "without a look the old database is in force");
    told = look(maps, true);
    ok(told.read == 1 && told.refused == 0, "a look reads the new one");
    is_text(told.path, database, "and tells which");
    ok(country_is(map, "JP"), "which is in force then");
    told = look(maps, false);
    ok(told.read + told.refused == 0, "the next look finds nothing new");
    write_file(ports, "443\n");
    told = look(maps, false);
    ok(told.read + told.refused == 0, "a list that changed is no concern of it");
    if (unlink(database) < 0)
        give_up("cannot remove a file of this test");
    told = look(maps, false);
    ok(told.read + told.refused == 0 && country_is(map, "JP"), "a file that is gone leaves the database in force");
}

static void check_broken(struct maps *maps, const struct map *map)
{
    struct told told;

    write_file(database, "no database at all");
    told = look(maps, true);
    ok(told.refused == 1 && strstr(told.trouble, database) != NULL, "a broken file is told of: %s", told.trouble);
    ok(country_is(map, "JP"), "and leaves the old one in force");
    told = look(maps, true);
    ok(told.refused == 0, "the next look does not repeat it");
    maps_reload(maps, false);
    told = take(maps, 10000);
    ok(told.refused == 1 && told.read == 1, "somebody who asks is told again, and gets the list");
    told = look(maps, true);
    ok(told.refused == 0, "a look after that keeps silent");
    write_database("KE");
    told = look(maps, true);
    ok(told.read == 1 && country_is(map, "KE"), "a good one is read by itself");
    write_file(database, "no database at all");
    told = look(maps, true);
    ok(told.refused == 1, "and the same mistake after it is told again");
    write_database("KE");
    told = look(maps, true);
    ok(told.read == 1, "as it is mended");
}

/* A look in the middle of a reload has nothing to do; one reading at a time. */
static void check_together(struct maps *maps, const struct map *map)
{
    struct told told;

    write_database("NO");
    maps_reload(maps, false);
    maps_look(maps);
    told = take(maps, 10000);
    ok(told.read == 2, "a look during a reload begins nothing");
    told = take(maps, 50);
    ok(told.read + told.refused == 0 && country_is(map, "NO"), "as the reload has read it");
    write_database("IS");
    maps_look(maps);
    maps_reload(maps, false);
    told = take(maps, 10000);
    ok(told.read == 1, "a reload during a look waits for it");
    told = take(maps, 10000);
    ok(told.read == 2 && country_is(map, "IS"), "and is done then");
    told = look(maps, false);
    ok(told.read + told.refused == 0, "after which there is nothing new");
}

int main(void)
{
    struct error error = {""};
    struct map *map;
    struct maps *maps;

    if (system("python3 -c '' 2>/dev/null") != 0)
        skip_all("needs python3");
    if (mkdtemp(folder) == NULL)
        give_up("cannot make a folder");
    snprintf(database, sizeof(database), "%s/geo.mmdb", folder);
    snprintf(ports, sizeof(ports), "%s/ports", folder);
    write_database("CH");
    write_file(ports, "53\n");
    maps = maps_new(DAEMON_NFACCTD, &error);
    map = maps != NULL ? maps_open(maps, MAP_GEOIP, database, &error) : NULL;
    if (map == NULL || maps_open(maps, MAP_PORTS, ports, &error) == NULL)
        give_up(error.text);
    ok(country_is(map, "CH"), "the database of the start");
    check_replaced(maps, map);
    check_broken(maps, map);
    check_together(maps, map);
    maps_free(maps);
    unlink(database);
    unlink(ports);
    ok(rmdir(folder) == 0, "nothing is left");
    return done_testing();
}
