/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of keys and how one is found. A configuration has some dozens of lines, so a look-up walks the rows and
 * compares spellings; there is no index to build, hence no state.
 */
#include "config/keys.h"

#include "config/settings.h"

#include <stdio.h>

/* The words that the rows use. */
enum {
    ALL = DAEMON_ALL,
    FLOW = DAEMON_NFACCTD | DAEMON_SFACCTD,
    PACKET = DAEMON_PMACCTD | DAEMON_UACCTD,
    NFACCTD = DAEMON_NFACCTD,
    SFACCTD = DAEMON_SFACCTD,
    PMACCTD = DAEMON_PMACCTD,
    UACCTD = DAEMON_UACCTD
};

enum {
    ANY = KEY_PART_ANY,
    MEMORY = KEY_PART_MEMORY,
    PRINT = KEY_PART_PRINT,
    SQL = KEY_PART_SQL,
    KAFKA = KEY_PART_KAFKA,
    AMQP = KEY_PART_AMQP,
    TEE = KEY_PART_TEE,
    NFPROBE = KEY_PART_NFPROBE,
    SFPROBE = KEY_PART_SFPROBE,
    BGP = KEY_PART_BGP,
    BMP = KEY_PART_BMP,
    TELEMETRY = KEY_PART_TELEMETRY
};

#define SECTION(...)
#define SETTING(member, names, kind, where, who, what, preset, limits, text) \
    {.spellings = names,                                                     \
     .default_text = preset,                                                 \
     .range = limits,                                                        \
     .help = text,                                                           \
     .type = KEY_TYPE_##kind,                                                \
     .scope = KEY_SCOPE_##where,                                             \
     .status = KEY_STATUS_WORKS,                                             \
     .daemons = who,                                                         \
     .parts = what,                                                          \
     .setting = KEY_##member,                                                \
     .offset = offsetof(struct settings, member)},
#define KEY(names, kind, where, who, what, state, preset, limits, text) \
    {.spellings = names,                                                \
     .default_text = preset,                                            \
     .range = limits,                                                   \
     .help = text,                                                      \
     .type = KEY_TYPE_##kind,                                           \
     .scope = KEY_SCOPE_##where,                                        \
     .status = KEY_STATUS_##state,                                      \
     .daemons = who,                                                    \
     .parts = what,                                                     \
     .setting = -1},

const struct key key_table[] = {
#include "config/keys_global.def"
#include "config/keys_plugin.def"
};
const unsigned key_count = array_length(key_table);

#define OLD(old_name, new_name, text) {.name = old_name, .now = new_name, .note = text},
const struct key_old key_old_table[] = {
#include "config/keys_old.def"
};
const unsigned key_old_count = array_length(key_old_table);

const char *const key_type_name[KEY_TYPE_COUNT] = {
    [KEY_TYPE_BOOL] = "true or false",
    [KEY_TYPE_NUMBER] = "a number",
    [KEY_TYPE_SIGNED] = "a number",
    [KEY_TYPE_BYTES] = "a number of bytes",
    [KEY_TYPE_SECONDS] = "whole seconds without a unit",
    [KEY_TYPE_OCTAL] = "a number in octal digits",
    [KEY_TYPE_PORT] = "a port",
    [KEY_TYPE_PERIOD] = "a time: a number and one of s m h d w M",
    [KEY_TYPE_ROUNDOFF] = "letters of m h d w M",
    [KEY_TYPE_TEXT] = "a text",
    [KEY_TYPE_SECRET] = "a text, kept secret",
    [KEY_TYPE_PATH] = "a path",
    [KEY_TYPE_ADDRESS] = "an IPv4 or IPv6 address",
    [KEY_TYPE_ADDRESSES] = "addresses",
    [KEY_TYPE_ENDPOINT] = "host:port",
    [KEY_TYPE_WORD] = "word",
    [KEY_TYPE_CHOICE] = "word",
    [KEY_TYPE_SEPARATOR] = "one character, \\t or \\s",
    [KEY_TYPE_AGGREGATE] = "list of primitives",
};

bool key_next_word(const char **at, char separator, const char **word, size_t *length)
{
    const char *p = *at;

    while (*p == separator)
        p++;
    if (*p == '\0')
        return false;
    *word = p;
    while (*p != '\0' && *p != separator)
        p++;
    *length = (size_t)(p - *word);
    *at = p;
    return true;
}

const struct key *key_find(const char *name)
{
    size_t wanted = strlen(name);

    for (unsigned i = 0; i < key_count; i++) {
        const char *at = key_table[i].spellings, *word;
        size_t length;

        while (key_next_word(&at, ' ', &word, &length))
            if (length == wanted && memcmp(word, name, length) == 0)
                return &key_table[i];
    }
    return NULL;
}

const struct key_old *key_find_old(const char *name)
{
    for (unsigned i = 0; i < key_old_count; i++) {
        const struct key_old *old = &key_old_table[i];
        size_t length = strlen(old->name);

        if (old->name[length - 1] == '*' ? strncmp(old->name, name, length - 1) == 0 : strcmp(old->name, name) == 0)
            return old;
    }
    return NULL;
}

void key_near_start(struct key_near *near, const char *wanted)
{
    nearest_start(&near->nearest, wanted);
}

/* The words of a row are not ended by NUL each, so the best of them is copied. */
void key_near_offer(struct key_near *near, const char *word, size_t length)
{
    char copy[key_name_max];

    size_t wanted = strlen(near->nearest.word);

    /* Words of such different lengths are further apart than the best; most of the table is passed over so. */
    if (length >= sizeof(copy) || (length > wanted ? length - wanted : wanted - length) > near->nearest.distance)
        return;
    memcpy(copy, word, length);
    copy[length] = '\0';
    nearest_offer(&near->nearest, copy);
    if (near->nearest.best != copy)
        return;
    memcpy(near->best, copy, length + 1);
    near->nearest.best = near->best;
}

const char *key_near_result(const struct key_near *near)
{
    return nearest_result(&near->nearest);
}

const char *key_nearest(const char *name, char out[key_name_max])
{
    struct key_near near;

    key_near_start(&near, name);
    for (unsigned i = 0; i < key_count; i++) {
        const char *at = key_table[i].spellings, *word;
        size_t length;

        while (key_next_word(&at, ' ', &word, &length))
            key_near_offer(&near, word, length);
    }
    if (key_near_result(&near) == NULL)
        return NULL;
    memcpy(out, near.best, key_name_max);
    return out;
}

const char *key_daemon_name(enum daemon_mask daemon)
{
    switch (daemon) {
    case DAEMON_PMACCTD:
        return "pmacctd";
    case DAEMON_UACCTD:
        return "uacctd";
    case DAEMON_NFACCTD:
        return "nfacctd";
    default:
        return "sfacctd";
    }
}

const char *key_spelling(const struct key *key, enum daemon_mask daemon, char out[key_name_max])
{
    const char *prefix = key_daemon_name(daemon);
    const char *at = key->spellings, *word, *chosen = NULL;
    size_t length, chosen_length = 0, prefix_length = strlen(prefix);

    while (key_next_word(&at, ' ', &word, &length)) {
        bool fits = length > prefix_length && memcmp(word, prefix, prefix_length) == 0 && word[prefix_length] == '_';

        if (chosen != NULL && !fits)
            continue;
        chosen = word;
        chosen_length = length;
        if (fits)
            break;
    }
    snprintf(out, key_name_max, "%.*s", (int)chosen_length, chosen == NULL ? "" : chosen);
    return out;
}
