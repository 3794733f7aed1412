/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the configuration comes down to: one struct for the core and one for each plugin, with a member for every key
 * that works. The members are made from the SETTING rows of the two tables of keys, so none is declared here by hand.
 * Readers need nothing else of config/: who fills it is config.h.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/base.h"
#include "base/time.h"
#include "flow/field.h"

/* How each type of key is kept. Texts belong to the struct config that made them; NULL is unset. */
#define SETTING_STORAGE_BOOL bool
#define SETTING_STORAGE_NUMBER uint64_t
#define SETTING_STORAGE_SIGNED int64_t
#define SETTING_STORAGE_BYTES uint64_t
#define SETTING_STORAGE_SECONDS uint64_t
#define SETTING_STORAGE_OCTAL uint64_t
#define SETTING_STORAGE_PORT uint64_t
#define SETTING_STORAGE_PERIOD struct time_bins
#define SETTING_STORAGE_ROUNDOFF const char *
#define SETTING_STORAGE_TEXT const char *
#define SETTING_STORAGE_SECRET const char *
#define SETTING_STORAGE_PATH const char *
#define SETTING_STORAGE_ADDRESS const char *
#define SETTING_STORAGE_ADDRESSES const char *
#define SETTING_STORAGE_ENDPOINT const char *
#define SETTING_STORAGE_WORD const char *
#define SETTING_STORAGE_CHOICE int
#define SETTING_STORAGE_SEPARATOR char
#define SETTING_STORAGE_AGGREGATE struct aggregate

#define SECTION(...)
#define KEY(...)

enum key_id {
#define SETTING(member, ...) KEY_##member,
#include "config/keys_global.def"
#include "config/keys_plugin.def"
#undef SETTING
    KEY_SETTING_COUNT
};

/*
 * Numbers that are unset are 0 unless the key has a default. `history` is complete but for its anchor: letters of
 * history_roundoff, history_offset and timestamps_utc are worked into it; count 0 is off.
 */
struct settings {
    char name[64]; /* of the plugin; core: the daemon's proc_name */
    char type[16]; /* memory, print ...; core: "core" */
#define SETTING(member, spellings, type, ...) SETTING_STORAGE_##type member;
#include "config/keys_global.def"
#include "config/keys_plugin.def"
#undef SETTING
    bool set[KEY_SETTING_COUNT]; /* the configuration says it; else the member has its default */
};

#undef SECTION
#undef KEY

/* True when the configuration sets the key, even to its default. Unset is not zero. */
bool settings_is_set(const struct settings *settings, enum key_id id);

/* Puts the default of every key into `settings` and clears all else. */
void settings_init(struct settings *settings);

struct config;

/*
 * Makes the custom primitives of the configuration whose lines are known, after those of the one before are forgotten.
 * Errors are messages of the configuration.
 */
void settings_load_primitives(struct config *config);

/* Works the keys that describe time bins into `history`; the last step of loading. */
void settings_resolve(struct settings *settings);

#endif
