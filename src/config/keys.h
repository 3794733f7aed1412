/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of keys as data: one struct key for each row of keys_global.def and keys_plugin.def, found by any of its
 * spellings, and the names that older configurations carry (keys_old.def). Everybody who treats all keys alike (the
 * loader, the dump, keys(5), the tests) walks this table; nobody else names keys.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "base/nearest.h"
#include "flow/field.h"

enum key_type {
    KEY_TYPE_BOOL,
    KEY_TYPE_NUMBER,
    KEY_TYPE_SIGNED,
    KEY_TYPE_BYTES,
    KEY_TYPE_SECONDS,
    KEY_TYPE_OCTAL,
    KEY_TYPE_PORT,
    KEY_TYPE_PERIOD,   /* 5m, 1h: count and unit of struct time_bins */
    KEY_TYPE_ROUNDOFF, /* letters of m h d w M */
    KEY_TYPE_TEXT,
    KEY_TYPE_SECRET, /* never shown */
    KEY_TYPE_PATH,
    KEY_TYPE_ADDRESS,
    KEY_TYPE_ADDRESSES, /* comma list; `range` is how many at most */
    KEY_TYPE_ENDPOINT,  /* host:port */
    KEY_TYPE_WORD,      /* one of `range`, kept as text */
    KEY_TYPE_CHOICE,    /* one of `range`, kept as its position */
    KEY_TYPE_SEPARATOR, /* one character, \t or \s */
    KEY_TYPE_AGGREGATE,
    KEY_TYPE_COUNT
};

enum key_scope { KEY_SCOPE_GLOBAL, KEY_SCOPE_PLUGIN, KEY_SCOPE_NAMED };
enum key_status { KEY_STATUS_WORKS, KEY_STATUS_NO_EFFECT, KEY_STATUS_LATER };

/* What a key belongs to: types of plugins, and protocols that have a collector of their own. 0: the daemon as such. */
enum key_part {
    KEY_PART_ANY = 0,
    KEY_PART_MEMORY = 1,
    KEY_PART_PRINT = 2,
    KEY_PART_SQL = 4,
    KEY_PART_KAFKA = 8,
    KEY_PART_AMQP = 16,
    KEY_PART_TEE = 32,
    KEY_PART_NFPROBE = 64,
    KEY_PART_SFPROBE = 128,
    KEY_PART_BGP = 256,
    KEY_PART_BMP = 512,
    KEY_PART_TELEMETRY = 1024
};

struct key {
    const char *spellings; /* separated by blanks, the canonical one first */
    const char *default_text;
    const char *range;
    const char *help; /* one line; of a key without effect: why it needs no setting */
    enum key_type type;
    enum key_scope scope;
    enum key_status status;
    uint8_t daemons;  /* enum daemon_mask */
    uint16_t parts;   /* enum key_part */
    int16_t setting;  /* enum key_id, or -1: no place in struct settings */
    uint32_t offset;  /* of that place */
};

extern const struct key key_table[];
extern const unsigned key_count;
extern const char *const key_type_name[KEY_TYPE_COUNT];

#define key_name_max 64

/* A name that pmacct once had. */
struct key_old {
    const char *name; /* a trailing * stands for anything */
    const char *now;  /* the key that took its place; NULL: the line is ignored */
    const char *note; /* what to tell the user */
};

extern const struct key_old key_old_table[];
extern const unsigned key_old_count;

/* The key with this spelling (lower case), or NULL. */
const struct key *key_find(const char *name);
const struct key_old *key_find_old(const char *name);

/* The spelling that looks most like `name`, copied to `out`; NULL when none is near. */
const char *key_nearest(const char *name, char out[key_name_max]);

/* The spelling that fits the daemon: sfacctd_port for sfacctd. Else the canonical one. Copied to `out`. */
const char *key_spelling(const struct key *key, enum daemon_mask daemon, char out[key_name_max]);

/* Walks a list of words separated by `separator`: *at begins at the list. False at the end. */
bool key_next_word(const char **at, char separator, const char **word, size_t *length);

/* base/nearest.h for words that are not ended by NUL. */
struct key_near {
    struct nearest nearest;
    char best[key_name_max];
};
void key_near_start(struct key_near *near, const char *wanted);
void key_near_offer(struct key_near *near, const char *word, size_t length);
const char *key_near_result(const struct key_near *near); /* NULL when none is near */

/* "sfacctd", "nfacctd" ... */
const char *key_daemon_name(enum daemon_mask daemon);

#endif
