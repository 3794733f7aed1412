/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line `plugins`: a comma list of type[name]. The first such line counts, a flag before the file. Names belong to
 * all types together. A plugin that cannot run is told once, and its name is remembered, so that its keys are no
 * errors too.
 */
#include "config/load.h"

#include <ctype.h>
#include <stdlib.h>

static const struct plugin_type {
    const char *name;
    enum key_part part;
    bool available;
} plugin_types[] = {
    {"memory", KEY_PART_MEMORY, true},    {"print", KEY_PART_PRINT, true},
    {"sqlite3", KEY_PART_SQL, false},     {"pgsql", KEY_PART_SQL, false},
    {"mysql", KEY_PART_SQL, false},       {"amqp", KEY_PART_AMQP, false},
    {"kafka", KEY_PART_KAFKA, false},     {"tee", KEY_PART_TEE, false},
    {"nfprobe", KEY_PART_NFPROBE, false}, {"sfprobe", KEY_PART_SFPROBE, false},
};

static const struct plugin_type *find_type(const char *name)
{
    for (unsigned i = 0; i < array_length(plugin_types); i++)
        if (strcmp(plugin_types[i].name, name) == 0)
            return &plugin_types[i];
    return NULL;
}

/* The line that counts, or NULL; the others are told of. */
static const struct load_line *find_line(struct config *config)
{
    const struct load_line *first = NULL;

    for (unsigned i = 0; i < config->store->line_count; i++) {
        const struct load_line *line = &config->store->lines[i];

        if (line->key == NULL || strcmp(line->key->spellings, "plugins") != 0)
            continue;
        if (first == NULL || (line->flag && !first->flag))
            first = line;
        else
            load_message(config, LOG_LEVEL_WARN, line, "duplicate key 'plugins': only the first one counts");
    }
    return first;
}

static void add_plugin(struct config *config, const struct load_line *line, const struct plugin_type *type,
                       const char *name)
{
    struct settings *plugin = &config->plugins[config->plugin_count];

    for (unsigned i = 0; i < config->plugin_count; i++) {
        if (strcmp(config->plugins[i].name, name) != 0)
            continue;
        load_message(config, LOG_LEVEL_WARN, line, "another plugin is called '%s' already; this one is left out", name);
        return;
    }
    settings_init(plugin);
    snprintf(plugin->name, sizeof(plugin->name), "%s", name);
    snprintf(plugin->type, sizeof(plugin->type), "%s", type->name);
    config->store->parts |= type->part;
    config->plugin_count++;
}

static void drop_plugin(struct config *config, const char *name)
{
    struct config_store *store = config->store;

    if (store->dropped_count < load_plugins_max)
        snprintf(store->dropped[store->dropped_count++], sizeof(store->dropped[0]), "%s", name);
}

static void unknown_type(struct config *config, const struct load_line *line, const char *type)
{
    struct nearest nearest;
    const char *near;

    nearest_start(&nearest, type);
    for (unsigned i = 0; i < array_length(plugin_types); i++)
        nearest_offer(&nearest, plugin_types[i].name);
    near = nearest_result(&nearest);
    load_message(config, LOG_LEVEL_ERROR, line, "unknown plugin type '%.40s'%s%s%s", type,
                 near != NULL ? "; did you mean '" : "; expected memory or print", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
}

static bool name_is_fit(const char *name)
{
    if (strlen(name) >= sizeof(((struct settings *)0)->name))
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if (*p == '/' || *p == '[' || iscntrl((unsigned char)*p))
            return false;
    return true;
}

/* One item of the list: `type` in lower case and `name`, or NULL for one without. */
static void take_item(struct config *config, const struct load_line *line, const char *type, const char *name)
{
    const struct plugin_type *known = find_type(type);
    char unnamed[32];

    if (name == NULL) {
        snprintf(unnamed, sizeof(unnamed), "default_%.16s", type);
        name = unnamed;
    }
    if (!name_is_fit(name)) {
        load_message(config, LOG_LEVEL_ERROR, line,
                     "plugin name '%.80s' is longer than %zu bytes, or holds a '/' or '['", name,
                     sizeof(config->core.name) - 1);
    } else if (known != NULL && known->available) {
        if (config->plugin_count < load_plugins_max)
            add_plugin(config, line, known, name);
        else
            load_message(config, LOG_LEVEL_ERROR, line, "more than %u plugins", load_plugins_max);
    } else if (known != NULL) {
        load_message(config, LOG_LEVEL_ERROR, line, "plugin type '%s' is not available in this version", type);
        drop_plugin(config, name);
    } else if (strcmp(type, "mongodb") == 0) {
        load_message(config, LOG_LEVEL_WARN, line, "plugin '%s' is left out: MongoDB was removed from pmacct in 2025",
                     name);
        drop_plugin(config, name);
    } else if (strcmp(type, "core") == 0) {
        load_message(config, LOG_LEVEL_ERROR, line, "'core' is not a plugin");
    } else {
        unknown_type(config, line, type);
        drop_plugin(config, name);
    }
}

/* Takes the blanks out, in place. */
static char *squeeze(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++)
        if (!isspace((unsigned char)*from))
            *to++ = *from;
    *to = '\0';
    return text;
}

static void take_list(struct config *config, const struct load_line *line, char *list)
{
    while (list != NULL) {
        char *item = list, *open, *close;

        list = strchr(list, ',');
        if (list != NULL)
            *list++ = '\0';
        if (*squeeze(item) == '\0')
            continue;
        open = strchr(item, '[');
        close = strchr(item, ']');
        if ((open == NULL) != (close == NULL) ||
            (open != NULL && (close < open || close[1] != '\0' || close == open + 1 || open == item))) {
            load_message(config, LOG_LEVEL_ERROR, line, "'%.80s' is not a plugin; expected type or type[name]", item);
            continue;
        }
        if (open != NULL)
            *open = *close = '\0';
        for (char *p = item; *p != '\0'; p++)
            *p = (char)tolower((unsigned char)*p);
        take_item(config, line, item, open == NULL ? NULL : open + 1);
    }
}

void load_plugins(struct config *config)
{
    const struct load_line *line = find_line(config);
    char *copy;

    config->plugins = calloc(load_plugins_max, sizeof(*config->plugins));
    config->store->dropped = calloc(load_plugins_max, sizeof(*config->store->dropped));
    if (config->plugins == NULL || config->store->dropped == NULL) {
        load_message(config, LOG_LEVEL_ERROR, line, "out of memory");
        return;
    }
    if (line != NULL) {
        copy = strdup(line->parsed.value);
        if (copy == NULL) {
            load_message(config, LOG_LEVEL_ERROR, line, "out of memory");
            return;
        }
        take_list(config, line, copy);
        free(copy);
    }
    if (config->plugin_count > 0 || config->error_count > 0)
        return;
    load_message(config, LOG_LEVEL_WARN, line, "no plugin is configured; starting one of type memory");
    add_plugin(config, line, find_type("memory"), "default_memory");
}
