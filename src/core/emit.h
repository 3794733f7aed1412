/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a decoded, enriched flow to the plugins: for each view (enrich/view.h) its tags, for each plugin, is it for you
 * (filters, sampling), then networks and lists, then projection into its ring. One emitter per lane. Counters gather
 * in the emitter and go to the ledger once per batch, in emit_publish.
 */
#ifndef CORE_EMIT_H
#define CORE_EMIT_H

#include "base/ledger.h"
#include "config/settings.h"
#include "enrich/maps.h"
#include "flow/layout.h"
#include "ring/ring.h"

struct emit_target { /* one plugin, as the collectors see it; filled in by the supervisor before the fork */
    const struct settings *settings;
    const struct layout *layout;
    struct ring *const *rings; /* one per lane */
    struct ledger_plugin *block;
    int64_t started_ns; /* of the daemon: anchor of time bins */
};

struct emit_options {
    unsigned lane;
    bool wait; /* for file input: a full ring is waited for instead of dropping */
    enum daemon_mask daemon;
    const struct settings *core;
    struct maps *maps; /* the plugins' maps are opened in it, and read from it */
};

struct emitter;

/* For this lane's rings and counters. NULL with a phrase on failure, also of a map that cannot be read. */
struct emitter *emitter_new(const struct emit_target *targets, unsigned count, const struct emit_options *options,
                            struct error *error);
void emitter_free(struct emitter *emitter);

/* All fields that some plugin asks for, or that its maps and filters need. */
struct field_set emitter_needs(const struct emitter *emitter);

/* Gives the flow to every plugin. `flow` may be changed (tags of a plugin). */
void emit_flow(struct emitter *emitter, struct flow *flow);

/* What there is to say of the plugins' filters: at the start, or at the end of what they met. */
void emitter_tell(const struct emitter *emitter, bool start, void (*say)(const char *plugin, const char *text));

/*
 * Whether nothing stands between a decoder and the rings of any plugin (no tag, no text in a key, no record for both
 * ends): then bodies may be given as they are. emitter_layout is that of a target, by its number.
 */
bool emitter_is_plain(const struct emitter *emitter);
const struct layout *emitter_layout(const struct emitter *emitter, unsigned target);
/* `count` bodies of that layout, one after another. */
void emit_bodies(struct emitter *emitter, unsigned target, const uint8_t *bodies, unsigned count);

/* Makes what was written visible, wakes who sleeps, and brings the counters up to date. */
void emit_publish(struct emitter *emitter);

/* Writes END to every ring, waiting for room if need be up to `timeout_ms`, and publishes. */
void emit_end(struct emitter *emitter, int timeout_ms);

#endif
