/* SPDX-License-Identifier: BSD-2-Clause */
#include "enrich/maps.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "enrich/geoip.h"
#include "map/allow.h"
#include "map/flow_to_rd.h"
#include "map/interface_names.h"
#include "map/lists.h"
#include "map/networks.h"
#include "map/pre_tag.h"
#include "map/sampling.h"

#define maps_max 256
#define end_wait_ms 200

struct maps {
    enum daemon_mask daemon;
    unsigned count;
    struct map maps[maps_max];
    struct fresh { /* what the thread has made; its own until it writes to `fd` */
        bool asked;
        void *object;
        struct error error;
    } fresh[maps_max];
    struct error told[maps_max]; /* why a database was refused last, so that looking at it again does not repeat it */
    bool looking;                /* nobody has asked for this reload */
    int fd;
    pthread_t thread;
    bool running;             /* the thread is there, or was and has not been joined */
    bool again[maps_max]; /* asked for during a reload */
    bool any_again;
    bool old[maps_max];             /* refused at its last reading */
    uint64_t orders, begun, done;   /* calls of maps_reload: all, before the reading under way began, carried out */
};

/* -- kinds: one row for each, and the differences between their functions -- */

struct kind {
    void *(*load)(const char *path, enum daemon_mask daemon, struct error *error);
    void (*free)(void *object);
    unsigned (*count)(const void *object);                        /* of its entries; or NULL, and then: */
    void (*describe)(const void *object, char *out, size_t size); /* for the log */
    const char *(*notice)(const void *object, enum daemon_mask daemon); /* or NULL */
    bool (*changed)(const void *object); /* the file at its path is another one now; or NULL: nobody looks */
    bool remembers;                      /* records change it (tags that count up): each who asks gets one of its own */
};

/* A loader that needs the path only, its free and its count, with the types that the table has. */
#define PLAIN_KIND(name, type, load_fn, free_fn, count_fn)                                        \
    static void *load_##name(const char *path, enum daemon_mask daemon, struct error *error)      \
    {                                                                                             \
        (void)daemon;                                                                             \
        return load_fn(path, error);                                                              \
    }                                                                                             \
    static void free_##name(void *object)                                                         \
    {                                                                                             \
        free_fn((type *)object);                                                                  \
    }                                                                                             \
    static unsigned count_##name(const void *object)                                              \
    {                                                                                             \
        return (unsigned)count_fn((const type *)object);                                          \
    }

PLAIN_KIND(allow, struct allow, allow_load, allow_free, allow_count)
PLAIN_KIND(sampling, struct sampling_map, sampling_map_load, sampling_map_free, sampling_map_count)
PLAIN_KIND(flow_to_rd, struct flow_to_rd_map, flow_to_rd_map_load, flow_to_rd_map_free, flow_to_rd_map_count)
PLAIN_KIND(interface_names, struct interface_names, interface_names_load, interface_names_free, interface_names_count)
PLAIN_KIND(networks, struct networks, networks_load, networks_free, networks_count)
PLAIN_KIND(ports, struct list, list_load_ports, list_free, list_count)
PLAIN_KIND(protos, struct list, list_load_protos, list_free, list_count)
PLAIN_KIND(tos, struct list, list_load_tos, list_free, list_count)

static void *load_pre_tag(const char *path, enum daemon_mask daemon, struct error *error)
{
    return pre_tag_map_load(path, daemon, error);
}

static void free_pre_tag(void *object)
{
    pre_tag_map_free(object);
}

static unsigned count_pre_tag(const void *object)
{
    return pre_tag_map_count(object);
}

static const char *notice_interface_names(const void *object, enum daemon_mask daemon)
{
    bool exporters = (daemon & (DAEMON_PMACCTD | DAEMON_UACCTD)) == 0;

    return exporters || interface_names_with_exporter(object) == 0
               ? NULL
               : "packets have no exporter, rows with 'ip' never fit";
}

static const char *notice_pre_tag(const void *object, enum daemon_mask daemon)
{
    (void)daemon;
    return pre_tag_map_notice(object);
}

static void *load_geoip(const char *path, enum daemon_mask daemon, struct error *error)
{
    (void)daemon;
    return geoip_open(path, error);
}

static void free_geoip(void *object)
{
    geoip_free(object);
}

static void describe_geoip(const void *object, char *out, size_t size)
{
    geoip_describe(object, out, size);
}

static bool changed_geoip(const void *object)
{
    return geoip_changed(object);
}

static const struct kind kinds[MAP_KIND_COUNT] = {
    [MAP_ALLOW] = {.load = load_allow, .free = free_allow, .count = count_allow},
    [MAP_SAMPLING] = {.load = load_sampling, .free = free_sampling, .count = count_sampling},
    [MAP_PRE_TAG] = {.load = load_pre_tag, .free = free_pre_tag, .count = count_pre_tag, .notice = notice_pre_tag,
                     .remembers = true},
    [MAP_FLOW_TO_RD] = {.load = load_flow_to_rd, .free = free_flow_to_rd, .count = count_flow_to_rd},
    [MAP_INTERFACE_NAMES] = {.load = load_interface_names, .free = free_interface_names,
                             .count = count_interface_names, .notice = notice_interface_names},
    [MAP_NETWORKS] = {.load = load_networks, .free = free_networks, .count = count_networks},
    [MAP_PORTS] = {.load = load_ports, .free = free_ports, .count = count_ports},
    [MAP_PROTOS] = {.load = load_protos, .free = free_protos, .count = count_protos},
    [MAP_TOS] = {.load = load_tos, .free = free_tos, .count = count_tos},
    [MAP_GEOIP] = {.load = load_geoip, .free = free_geoip, .describe = describe_geoip, .changed = changed_geoip},
};

/* -- the maps -- */

struct maps *maps_new(enum daemon_mask daemon, struct error *error)
{
    struct maps *maps = calloc(1, sizeof(*maps));

    if (maps == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    maps->daemon = daemon;
    maps->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (maps->fd < 0) {
        error_errno(error, errno, "cannot make an eventfd");
        free(maps);
        return NULL;
    }
    return maps;
}

static void forget_fresh(struct maps *maps)
{
    for (unsigned i = 0; i < maps->count; i++) {
        if (maps->fresh[i].object != NULL)
            kinds[maps->maps[i].kind].free(maps->fresh[i].object);
        maps->fresh[i].object = NULL;
        maps->fresh[i].asked = false;
    }
}

void maps_free(struct maps *maps)
{
    struct pollfd done;

    if (maps == NULL)
        return;
    done = (struct pollfd){.fd = maps->fd, .events = POLLIN};
    if (maps->running && poll(&done, 1, end_wait_ms) <= 0) {
        pthread_detach(maps->thread); /* it may wait for DNS for minutes; what it has ends with the process */
        return;
    }
    if (maps->running)
        pthread_join(maps->thread, NULL);
    forget_fresh(maps);
    for (unsigned i = 0; i < maps->count; i++)
        kinds[maps->maps[i].kind].free(maps->maps[i].current);
    close(maps->fd);
    free(maps);
}

struct map *maps_open(struct maps *maps, enum map_kind kind, const char *path, struct error *error)
{
    struct map *map;

    for (unsigned i = 0; i < maps->count; i++)
        if (maps->maps[i].kind == kind && !kinds[kind].remembers && strcmp(maps->maps[i].path, path) == 0)
            return &maps->maps[i];
    if (maps->count == maps_max) {
        error_set(error, "more than %u maps", maps_max);
        return NULL;
    }
    map = &maps->maps[maps->count];
    map->current = kinds[kind].load(path, maps->daemon, error);
    if (map->current == NULL)
        return NULL;
    map->kind = kind;
    map->path = path;
    maps->count++;
    return map;
}

static void tell(const struct maps *maps, const struct map *map, const char *trouble, maps_news_fn *fn, void *context)
{
    const struct kind *kind = &kinds[map->kind];
    struct maps_news news = {.path = map->path, .trouble = trouble};
    char holds[160];

    if (kind->count != NULL)
        snprintf(holds, sizeof(holds), "%u entries", kind->count(map->current));
    else
        kind->describe(map->current, holds, sizeof(holds));
    news.holds = holds;
    if (kind->notice != NULL && trouble == NULL)
        news.notice = kind->notice(map->current, maps->daemon);
    fn(context, &news);
}

uint64_t maps_done(const struct maps *maps)
{
    return maps->done;
}

unsigned maps_old(const struct maps *maps, bool allow_only)
{
    unsigned old = 0;

    for (unsigned i = 0; i < maps->count; i++)
        old += maps->old[i] && (!allow_only || maps->maps[i].kind == MAP_ALLOW);
    return old;
}

unsigned maps_count(const struct maps *maps)
{
    return maps->count;
}

void maps_each(const struct maps *maps, maps_news_fn *fn, void *context)
{
    for (unsigned i = 0; i < maps->count; i++)
        tell(maps, &maps->maps[i], NULL, fn, context);
}

/* -- reading again -- */

static void *read_all(void *context)
{
    struct maps *maps = context;

    for (unsigned i = 0; i < maps->count; i++) {
        struct fresh *fresh = &maps->fresh[i];

        if (fresh->asked)
            fresh->object = kinds[maps->maps[i].kind].load(maps->maps[i].path, maps->daemon, &fresh->error);
    }
    while (eventfd_write(maps->fd, 1) < 0 && errno == EINTR)
        ;
    return NULL;
}

/* Reads on this thread when there can be no other: late is better than not. */
static void start_reading(struct maps *maps)
{
    maps->begun = maps->orders;
    maps->running = pthread_create(&maps->thread, NULL, read_all, maps) == 0;
    if (!maps->running)
        read_all(maps);
}

static bool is_busy(const struct maps *maps)
{
    for (unsigned i = 0; i < maps->count; i++)
        if (maps->fresh[i].asked)
            return true;
    return false;
}

static void ask(struct maps *maps, const bool wanted[maps_max])
{
    bool busy = is_busy(maps), any = false;

    for (unsigned i = 0; i < maps->count; i++) {
        if (!wanted[i])
            continue;
        any = true;
        if (busy)
            maps->again[i] = maps->any_again = true;
        else
            maps->fresh[i].asked = true;
    }
    if (any && !busy)
        start_reading(maps);
    else if (!any && !busy)
        maps->done = maps->orders;
}

void maps_reload(struct maps *maps, bool allow_only)
{
    bool wanted[maps_max];

    for (unsigned i = 0; i < maps->count; i++)
        wanted[i] = !allow_only || maps->maps[i].kind == MAP_ALLOW;
    maps->looking = false;
    maps->orders++;
    ask(maps, wanted);
}

void maps_look(struct maps *maps)
{
    bool wanted[maps_max];

    for (unsigned i = 0; i < maps->count; i++) {
        const struct kind *kind = &kinds[maps->maps[i].kind];

        wanted[i] = kind->changed != NULL && kind->changed(maps->maps[i].current);
    }
    if (is_busy(maps)) /* the next look comes */
        return;
    maps->looking = true;
    ask(maps, wanted);
}

int maps_fd(const struct maps *maps)
{
    return maps->fd;
}

void maps_take(struct maps *maps, maps_news_fn *fn, void *context)
{
    bool again[maps_max];
    eventfd_t done;

    if (eventfd_read(maps->fd, &done) < 0)
        return;
    if (maps->running)
        pthread_join(maps->thread, NULL);
    maps->running = false;
    for (unsigned i = 0; i < maps->count; i++) {
        struct fresh *fresh = &maps->fresh[i];
        struct map *map = &maps->maps[i];

        if (!fresh->asked)
            continue;
        fresh->asked = false;
        maps->old[i] = fresh->object == NULL;
        if (fresh->object != NULL) {
            kinds[map->kind].free(map->current);
            map->current = fresh->object;
            fresh->object = NULL;
            maps->told[i].text[0] = '\0';
            tell(maps, map, NULL, fn, context);
        } else if (!maps->looking || strcmp(maps->told[i].text, fresh->error.text) != 0) {
            maps->told[i] = fresh->error;
            tell(maps, map, fresh->error.text, fn, context);
        }
    }
    maps->looking = false;
    maps->done = maps->begun;
    if (!maps->any_again)
        return;
    memcpy(again, maps->again, sizeof(again));
    memset(maps->again, 0, sizeof(maps->again));
    maps->any_again = false;
    ask(maps, again);
}
