/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a load, private to config/: the lines in file order, which of them wrote each setting, and the
 * messages. Kept with the configuration, for the settings point into the lines and the dump shows what had no effect.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/keys.h"
#include "config/parse.h"

#define load_lines_max 16384u
#define load_messages_max 1000u
#define load_plugins_max 32u
#define load_command_line "command line"

struct load_line {
    struct parse_line parsed;
    const char *file;
    unsigned number;       /* 0 on the command line */
    bool flag;             /* made from a flag */
    bool no_effect;        /* accepted, and changes nothing here */
    const struct key *key; /* NULL: unknown, or an old name without a successor */
};

struct config_store {
    enum daemon_mask daemon;
    char *file; /* name of the file in messages */
    unsigned file_mode;
    bool file_mode_known;
    bool strict;
    char **texts; /* owned: the file, and each line of flags */
    unsigned text_count;
    struct load_line *lines;
    unsigned line_count, line_room;
    unsigned parts;                /* enum key_part of all plugins that can run */
    char (*dropped)[64];           /* plugin names that exist in the file and do not run */
    unsigned dropped_count;
    /* By plugin, the core being 0: the line that wrote each setting last, counted from 1; 0 is none. */
    uint32_t (*writer)[KEY_SETTING_COUNT];
    bool *noted; /* by row of key_table: a message that comes only once has come */
    unsigned messages_left_out;
};

void load_message(struct config *config, enum log_level level, const struct load_line *line, const char *format, ...)
    printf_like(4, 5);

/* Finds the line `plugins` that counts and makes the instances. */
void load_plugins(struct config *config);

/* The rules across keys; see check.c. */
void check_run(struct config *config);

/* The line that wrote a setting of plugin `index` (0: core, else 1 + plugin), or NULL. */
const struct load_line *load_writer(const struct config *config, unsigned index, enum key_id id);

#endif
