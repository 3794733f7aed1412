/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps that are read again while records go through them: a thousand reloads, no record without its tag, its network
 * and its port, each map whole; a broken file keeps the old one, and what a reload must tell is told.
 */
#include "enrich/maps.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "enrich/view.h"
#include "lib/tap.h"

#define reloads 1000
#define records_between 50

static char folder[] = "/tmp/flowledger-maps-XXXXXX";

static void give_up(const char *why)
{
    ok(false, "%s", why);
    exit(done_testing());
}

/* It stays as it is: settings point to it. */
static const char *path_of(const char *name)
{
    static const char *const names[] = {"tags", "networks", "ports", "nothing"};
    static char paths[array_length(names)][128];
    unsigned i = 0;

    while (strcmp(names[i], name) != 0)
        i++;
    snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, name);
    return paths[i];
}

static void write_file(const char *path, const char *text)
{
    char fresh[160];
    FILE *file;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    file = fopen(fresh, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0 || rename(fresh, path) < 0)
        give_up("cannot write the files of this test");
}

struct told {
    unsigned read, refused;
    char trouble[256];
};

static void on_news(void *context, const struct maps_news *news)
{
    struct told *told = context;

    if (news->trouble == NULL) {
        told->read++;
        return;
    }
    told->refused++;
    snprintf(told->trouble, sizeof(told->trouble), "%s", news->trouble);
}

static bool is_done(struct maps *maps, int wait_ms)
{
    struct pollfd done = {.fd = maps_fd(maps), .events = POLLIN};

    return poll(&done, 1, wait_ms) > 0;
}

static void reload(struct maps *maps, struct told *told)
{
    memset(told, 0, sizeof(*told));
    maps_reload(maps, false);
    if (!is_done(maps, 10000))
        give_up("a reload takes longer than ten seconds");
    maps_take(maps, on_news, told);
}

static struct settings settings;
static struct field_set needs;

static struct view *open_view(struct maps *maps)
{
    static struct view view;
    struct settings core;
    struct field_set wants = {{0}};
    struct error error;

    settings_init(&settings);
    settings_init(&core);
    settings.pre_tag_map = path_of("tags");
    settings.networks_file = path_of("networks");
    settings.ports_file = path_of("ports");
    field_set_add(&wants, FIELD_TAG);
    field_set_add(&wants, FIELD_SRC_AS);
    field_set_add(&wants, FIELD_DST_PORT);
    core.as_source = 3; /* file */
    core.set[KEY_as_source] = true;
    if (view_init(&view, &settings, &core, DAEMON_NFACCTD, &wants, maps, &needs, &error) < 0)
        give_up(error.text);
    return &view;
}

static void make_flow(struct flow *flow, uint16_t port)
{
    struct address address;

    flow_clear(flow);
    address_parse("192.0.2.1", &address);
    flow_set_peer_src_ip(flow, address);
    address_parse("198.51.100.7", &address);
    flow_set_src_host(flow, address);
    flow_set_in_iface(flow, 3);
    flow_set_dst_port(flow, port);
    flow_set_proto(flow, 6);
}

/* What one record gets: the number of the generation of each map, all the same unless they were swapped apart. */
static bool look(const struct view *view, unsigned *generation)
{
    static struct flow flow;
    static struct flow_image image;

    make_flow(&flow, 443);
    image.made = false;
    view_tag(view, &flow, &image);
    view_finish(view, &flow);
    if (!flow_has(&flow, FIELD_TAG) || !flow_has(&flow, FIELD_SRC_AS) || flow.dst_port != 443)
        return false;
    *generation = flow.src_as;
    return flow.tag == flow.src_as;
}

static void write_generation(unsigned number)
{
    char text[160];

    snprintf(text, sizeof(text), "set_tag=%u ip=192.0.2.1 in=3\nset_tag=1 ip=0.0.0.0/0\n", number);
    write_file(path_of("tags"), text);
    snprintf(text, sizeof(text), "%u,198.51.100.0/24\n1,0.0.0.0/0\n", number);
    write_file(path_of("networks"), text);
}

static void check_reloads(struct maps *maps, const struct view *view)
{
    unsigned bad = 0, generation = 0, last = 0;
    struct told told;
    uint64_t records = 0;

    for (unsigned i = 1; i <= reloads; i++) {
        write_generation(10 + i);
        memset(&told, 0, sizeof(told));
        maps_reload(maps, false);
        do {
            for (unsigned n = 0; n < records_between; n++, records++)
                bad += !look(view, &generation);
        } while (!is_done(maps, 0));
        maps_take(maps, on_news, &told);
        bad += told.read != 3 || told.refused != 0;
        bad += !look(view, &generation) || generation != 10 + i || generation <= last;
        last = generation;
    }
    is_u64(bad, 0, "%u reloads under way with %llu records: each saw all of one generation, and the new one after it",
           reloads, (unsigned long long)records);
}

static void check_refusal(struct maps *maps, const struct view *view)
{
    unsigned generation;
    struct told told;

    write_file(path_of("tags"), "set_tag=9 ip=192.0.2.1 in=3\nset_tagg=1 ip=192.0.2.2\n");
    reload(maps, &told);
    is_u64(told.refused, 1, "a broken map is refused");
    is_u64(told.read, 2, "the others are read");
    ok(strstr(told.trouble, "tags:2") != NULL && strstr(told.trouble, "set_tag") != NULL,
       "the phrase has file, line and the nearest key: %s", told.trouble);
    ok(look(view, &generation), "and the old one goes on");
    unlink(path_of("tags"));
    reload(maps, &told);
    ok(told.refused == 1 && look(view, &generation), "so it does when the file is gone");
}

/* Asked for twice during one reload: done once more, and everything is told. */
static void check_twice(struct maps *maps)
{
    struct told told = {0, 0, ""};

    write_generation(7);
    maps_reload(maps, false);
    maps_reload(maps, false);
    maps_reload(maps, true);
    while (is_done(maps, 500))
        maps_take(maps, on_news, &told);
    is_u64(told.read, 6, "a reload asked for during a reload is done afterwards, once");
}

int main(void)
{
    struct error error;
    struct maps *maps;
    struct view *view;
    struct map *map;
    char command[64];

    plan_none();
    if (mkdtemp(folder) == NULL)
        give_up("cannot make a folder");
    write_generation(2);
    write_file(path_of("ports"), "443\n53\n");
    maps = maps_new(DAEMON_NFACCTD, &error);
    view = open_view(maps);
    is_u64(maps_count(maps), 3, "three maps are open");
    map = maps_open(maps, MAP_NETWORKS, path_of("networks"), &error);
    ok(map == view->networks_file && maps_count(maps) == 3, "the same file is not read twice");
    ok(maps_open(maps, MAP_PRE_TAG, path_of("nothing"), &error) == NULL && strstr(error.text, "nothing") != NULL,
       "a missing one is told by name");
    check_reloads(maps, view);
    check_refusal(maps, view);
    check_twice(maps);
    maps_reload(maps, false);
    maps_free(maps); /* in the middle of it */
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ok(system(command) == 0, "cleaned up");
    return done_testing();
}
