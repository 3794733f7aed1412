/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps and databases of a collector: what files they are, what they were made into, and how they are read again.
 * A reload makes every new object beside the old one on a thread of its own; the owner's thread then swaps them all in
 * one go, between two batches, so that no record waits and none sees half a map. What cannot be read keeps what is
 * there. Who asks for the same file shares one object, but for maps that records change.
 */
#ifndef ENRICH_MAPS_H
#define ENRICH_MAPS_H

#include "base/error.h"
#include "flow/field.h"

enum map_kind {
    MAP_ALLOW,
    MAP_SAMPLING,
    MAP_PRE_TAG,
    MAP_FLOW_TO_RD,
    MAP_INTERFACE_NAMES,
    MAP_NETWORKS,
    MAP_PORTS,
    MAP_PROTOS,
    MAP_TOS,
    MAP_GEOIP,
    MAP_KIND_COUNT
};

struct map {
    enum map_kind kind;
    const char *path; /* the configuration's */
    void *current;    /* what the kind's functions made: struct networks and so on; never NULL */
};

struct maps;

/* What became of a file; texts are valid during the call. */
struct maps_news {
    const char *path;
    const char *holds;   /* "12 entries", or what database it is */
    const char *trouble; /* why the old one stays; NULL: it was read */
    const char *notice;  /* something to be known of the new one, or NULL */
};
typedef void maps_news_fn(void *context, const struct maps_news *news);

/* NULL with a phrase on failure. */
struct maps *maps_new(enum daemon_mask daemon, struct error *error);
/* Frees all maps; at the end of a process only: a reload that does not end soon is left to itself, and so are they. */
void maps_free(struct maps *maps);

/*
 * The map of a file, read now if nobody has asked for it before. It stays at its place as long as `maps`; only
 * `current` changes. NULL with a phrase that names the file, and the line where one is to blame.
 */
struct map *maps_open(struct maps *maps, enum map_kind kind, const char *path, struct error *error);
/* Of all calls of maps_reload, how many have been carried out and taken. */
uint64_t maps_done(const struct maps *maps);
/* Maps whose last reading was refused; allow files only, where maps_reload reads no others. */
unsigned maps_old(const struct maps *maps, bool allow_only);
unsigned maps_count(const struct maps *maps);
void maps_each(const struct maps *maps, maps_news_fn *fn, void *context);

/*
 * Begins to read again: all maps, or those for which `allow_only` says so (maps_refresh: false still reads allow
 * files). Asked for during a reload, it is done once more afterwards.
 */
void maps_reload(struct maps *maps, bool allow_only);
/* Begins to read again those databases whose file is another one now. To be called every so often. */
void maps_look(struct maps *maps);

/* Readable when a reload is done: then call maps_take, which swaps and tells what became of each. */
int maps_fd(const struct maps *maps);
void maps_take(struct maps *maps, maps_news_fn *fn, void *context);

#endif
