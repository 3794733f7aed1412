/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration, read, checked and resolved. Everything that is wrong is found in one pass and told with file and
 * line; nothing stops the pass. The caller logs the messages and goes on when error_count is 0.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/log.h"
#include "config/settings.h"

#include <stdio.h>

struct config_message {
    enum log_level level;
    const char *file; /* path, or "command line" */
    unsigned line;    /* from 1; 0 when no line is to blame */
    char *text;
};

struct config_store; /* lines and texts; private to config/ */

struct config {
    struct settings core;
    struct settings *plugins;
    unsigned plugin_count;
    struct config_message *messages; /* in the order they were found */
    unsigned message_count, error_count;
    struct config_store *store;
};

/* Where a configuration comes from. */
struct config_source {
    enum daemon_mask daemon;
    const char *path;          /* NULL: flags only */
    const char *const *extra;  /* lines "key: value" made from flags; they come after those of the file, so they win */
    unsigned extra_count;
};

/* Never NULL but when memory is out: what is wrong is in its messages. */
struct config *config_new(const struct config_source *source);
/* The same from a text in memory; `source->path` is only its name. */
struct config *config_parse_text(const struct config_source *source, const char *text, size_t size);
void config_free(struct config *config);

/*
 * Writes the whole effective configuration in the syntax of a file: what is set as lines, defaults as comments, keys
 * that were accepted without effect as comments at the end, secrets as ***. Loaded again it gives the same settings.
 */
void config_dump(const struct config *config, FILE *out);

/*
 * One more error, found by somebody else: it blames the line that wrote a setting of a plugin, by its number. `text` is
 * copied.
 */
void config_blame(struct config *config, unsigned plugin, enum key_id id, const char *text);

/* "file:line: " and the text, as it is shown to the user. Returns `out`. */
const char *config_message_text(const struct config_message *message, char *out, size_t size);

/* The list of all keys for the manual page flowledger-keys(5), in roff. */
void config_keys_manual(FILE *out);

#endif
