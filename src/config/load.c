/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading a configuration: the lines of the file, then those of the flags, applied strictly in this order. A global
 * line writes the core and all plugins, one with a name only that plugin; so a later global line overrides an earlier
 * named one. Configurations in the field depend on that, so it is kept, and said.
 */
#include "config/load.h"

#include "config/source.h"
#include "config/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* Takes over `text`, which is on the heap. */
static bool own_text(struct config_store *store, char *text)
{
    char **more = realloc(store->texts, (store->text_count + 1) * sizeof(*more));

    if (more == NULL) {
        free(text);
        return false;
    }
    store->texts = more;
    store->texts[store->text_count++] = text;
    return true;
}

static struct load_line *add_line(struct config *config)
{
    struct config_store *store = config->store;

    if (store->line_count == load_lines_max)
        return NULL;
    if (store->line_count == store->line_room) {
        unsigned room = store->line_room == 0 ? 64 : 2 * store->line_room;
        struct load_line *more = realloc(store->lines, room * sizeof(*more));

        if (more == NULL)
            return NULL;
        store->lines = more;
        store->line_room = room;
    }
    memset(&store->lines[store->line_count], 0, sizeof(*store->lines));
    return &store->lines[store->line_count++];
}

/* One line of text, ended by NUL, in memory that the store owns. */
static bool take_line(struct config *config, char *text, const char *file, unsigned number, bool flag)
{
    struct load_line here = {.file = file, .number = number, .flag = flag}, *line;
    struct error error;

    switch (parse_one(text, &here.parsed, &error)) {
    case PARSE_NOTHING:
        return true;
    case PARSE_WRONG:
        load_message(config, LOG_LEVEL_ERROR, &here, "%s", error.text);
        return true;
    case PARSE_SETTING:
        break;
    }
    line = add_line(config);
    if (line == NULL) {
        load_message(config, LOG_LEVEL_ERROR, &here, "more than %u settings, or out of memory", load_lines_max);
        return false;
    }
    *line = here;
    return true;
}

/* Cuts the text of a file into lines. `text` ends with a NUL that `size` does not count. */
static void take_text(struct config *config, char *text, size_t size)
{
    struct config_store *store = config->store;
    char *end = text + size;
    unsigned number = 0;

    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    while (text < end) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        char *stop = newline != NULL ? newline : end;
        struct load_line here = {.file = store->file, .number = ++number};

        *stop = '\0';
        if (stop - text > (ptrdiff_t)parse_line_max)
            load_message(config, LOG_LEVEL_ERROR, &here, "the line is longer than %u bytes", parse_line_max);
        else if (memchr(text, '\0', (size_t)(stop - text)) != NULL)
            load_message(config, LOG_LEVEL_ERROR, &here, "the line holds a NUL byte: is this a text file?");
        else if (!take_line(config, text, store->file, number, false))
            return;
        text = stop + 1;
    }
}

static bool take_extra(struct config *config, const struct config_source *source)
{
    for (unsigned i = 0; i < source->extra_count; i++) {
        char *copy = strdup(source->extra[i]);

        if (copy == NULL || !own_text(config->store, copy))
            return false;
        take_line(config, copy, load_command_line, 0, true);
    }
    return true;
}

/* config_strict is a matter of the whole file, so it is looked for before anything is called unknown. */
static void find_strict(struct config *config)
{
    struct config_store *store = config->store;

    store->strict = true;
    for (unsigned i = 0; i < store->line_count; i++)
        if (strcmp(store->lines[i].parsed.key, "config_strict") == 0)
            store->strict = strcasecmp(store->lines[i].parsed.value, "false") != 0;
}

static void unknown_key(struct config *config, const struct load_line *line)
{
    char near[key_name_max];
    /* A file full of nonsense must not cost a search of the table for each line. */
    const char *found = config->message_count < 20 ? key_nearest(line->parsed.key, near) : NULL;

    load_message(config, config->store->strict ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, line,
                 "unknown key '%.80s'%s%s%s%s", line->parsed.key, found != NULL ? "; did you mean '" : "",
                 found != NULL ? found : "", found != NULL ? "'?" : "", config->store->strict ? "" : "; ignored");
}

/* Finds the row of each line. */
static void find_keys(struct config *config)
{
    struct config_store *store = config->store;

    for (unsigned i = 0; i < store->line_count; i++) {
        struct load_line *line = &store->lines[i];
        const struct key_old *old;

        line->key = key_find(line->parsed.key);
        if (line->key != NULL)
            continue;
        old = key_find_old(line->parsed.key);
        if (old == NULL) {
            unknown_key(config, line);
        } else if (old->now == NULL) {
            load_message(config, LOG_LEVEL_WARN, line, "key '%.80s' is ignored: %s", line->parsed.key, old->note);
        } else {
            line->key = key_find(old->now);
            load_message(config, LOG_LEVEL_NOTICE, line, "key '%.80s' is now called '%s' (%s)", line->parsed.key,
                         old->now, old->note);
        }
    }
}

/* True the first time. */
static bool once(struct config_store *store, const struct key *key)
{
    bool first = !store->noted[key - key_table];

    store->noted[key - key_table] = true;
    return first;
}

/* Whether the key makes a difference for this daemon and the plugins that it runs. */
static bool concerns(const struct config_store *store, const struct key *key)
{
    return (key->daemons & store->daemon) != 0 && (key->parts == KEY_PART_ANY || (key->parts & store->parts) != 0);
}

/* A key without a place in the settings: all there is to do is to say so. */
static void apply_without_place(struct config *config, struct load_line *line)
{
    struct config_store *store = config->store;
    const struct key *key = line->key;
    const char *name = line->parsed.key;

    if (key->status == KEY_STATUS_WORKS)
        return;
    line->no_effect = true;
    if (!concerns(store, key)) {
        if (once(store, key))
            load_message(config, LOG_LEVEL_DEBUG, line, "key '%s' makes no difference here", name);
    } else if (key->status == KEY_STATUS_NO_EFFECT) {
        if (once(store, key))
            load_message(config, LOG_LEVEL_NOTICE, line, "key '%s' needs no setting: %s", name, key->help);
    } else if (value_is_default(key, line->parsed.value)) {
        if (once(store, key))
            load_message(config, LOG_LEVEL_NOTICE, line, "key '%s' is not supported yet; this value is its default",
                         name);
    } else {
        load_message(config, LOG_LEVEL_ERROR, line, "key '%s' is not supported yet: %s", name, key->help);
    }
}

static const char *place_of(const struct load_line *line, char out[32])
{
    if (line->number == 0)
        snprintf(out, 32, "of the command line");
    else
        snprintf(out, 32, "of line %u", line->number);
    return out;
}

/* A setting that an earlier line of the same scope wrote. Flags are there to override, so they do it silently. */
static void note_rewrite(struct config *config, const struct load_line *line, const struct load_line *before)
{
    bool same_spelling = strcmp(line->parsed.key, before->parsed.key) == 0;
    char place[32];

    if (line->flag && !before->flag)
        return;
    if (!same_spelling && strcmp(line->parsed.value, before->parsed.value) == 0)
        return;
    if (same_spelling)
        load_message(config, LOG_LEVEL_WARN, line, "duplicate key '%s': this one overrides that %s", line->parsed.key,
                     place_of(before, place));
    else
        load_message(config, LOG_LEVEL_WARN, line, "key '%s' is the same setting as '%s' %s, and overrides it",
                     line->parsed.key, before->parsed.key, place_of(before, place));
}

/* Writes the value to one struct settings; index 0 is the core. */
static void apply_to(struct config *config, unsigned index, unsigned line_index, const void *value, size_t size)
{
    struct settings *settings = index == 0 ? &config->core : &config->plugins[index - 1];
    const struct load_line *line = &config->store->lines[line_index];
    const struct key *key = line->key;
    const struct load_line *before = load_writer(config, index, (enum key_id)key->setting);
    char place[32];

    if (before != NULL && (before->parsed.plugin == NULL) == (line->parsed.plugin == NULL)) {
        if (index == 0 || line->parsed.plugin != NULL)
            note_rewrite(config, line, before);
    } else if (before != NULL && line->parsed.plugin == NULL) {
        load_message(config, LOG_LEVEL_NOTICE, line, "'%s' for all plugins overrides '%s[%s]' %s", line->parsed.key,
                     before->parsed.key, before->parsed.plugin, place_of(before, place));
    }
    memcpy((char *)settings + key->offset, value, size);
    settings->set[key->setting] = true;
    config->store->writer[index][key->setting] = line_index + 1;
}

/* Bytes of each type in struct settings. */
static size_t storage_size(enum key_type type)
{
    switch (type) {
    case KEY_TYPE_BOOL:
        return sizeof(bool);
    case KEY_TYPE_CHOICE:
        return sizeof(int);
    case KEY_TYPE_SEPARATOR:
        return sizeof(char);
    case KEY_TYPE_PERIOD:
        return sizeof(struct time_bins);
    case KEY_TYPE_AGGREGATE:
        return sizeof(struct aggregate);
    case KEY_TYPE_NUMBER:
    case KEY_TYPE_SIGNED:
    case KEY_TYPE_BYTES:
    case KEY_TYPE_SECONDS:
    case KEY_TYPE_OCTAL:
    case KEY_TYPE_PORT:
        return sizeof(uint64_t);
    default:
        return sizeof(const char *);
    }
}

/* The plugin that a name in brackets means: its index from 1, 0 when the line is to be left out. */
static unsigned find_plugin(struct config *config, const struct load_line *line)
{
    struct config_store *store = config->store;
    const char *name = line->parsed.plugin;
    struct nearest nearest;
    const char *near;

    for (unsigned i = 0; i < config->plugin_count; i++)
        if (strcmp(config->plugins[i].name, name) == 0)
            return i + 1;
    for (unsigned i = 0; i < store->dropped_count; i++)
        if (strcmp(store->dropped[i], name) == 0)
            return 0;
    nearest_start(&nearest, name);
    for (unsigned i = 0; i < config->plugin_count; i++)
        nearest_offer(&nearest, config->plugins[i].name);
    near = nearest_result(&nearest);
    if (near == NULL && config->plugin_count > 0)
        near = config->plugins[0].name;
    load_message(config, store->strict ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, line,
                 "no plugin is called '%.63s'%s%s%s", name, near != NULL ? "; did you mean '" : "",
                 near != NULL ? near : "", near != NULL ? "'?" : "");
    return 0;
}

static void apply_line(struct config *config, unsigned line_index)
{
    struct load_line *line = &config->store->lines[line_index];
    const struct key *key = line->key;
    union value value;
    struct error error;
    unsigned only = 0;

    if (line->parsed.plugin != NULL && key->scope == KEY_SCOPE_GLOBAL) {
        load_message(config, LOG_LEVEL_WARN, line, "key '%s' is global; the plugin name '%.63s' is ignored",
                     line->parsed.key, line->parsed.plugin);
        line->parsed.plugin = NULL;
    } else if (line->parsed.plugin == NULL && key->scope == KEY_SCOPE_NAMED) {
        load_message(config, LOG_LEVEL_ERROR, line, "key '%s' needs a plugin name: %s[name]: ...", line->parsed.key,
                     line->parsed.key);
        return;
    }
    if (line->parsed.plugin != NULL) {
        only = find_plugin(config, line);
        if (only == 0)
            return;
    }
    if (key->type == KEY_TYPE_WORD)
        for (char *p = line->parsed.value; *p != '\0'; p++)
            *p = (char)tolower((unsigned char)*p);
    memset(&value, 0, sizeof(value));
    if (value_parse(key, line->parsed.value, &value, &error) < 0) {
        load_message(config, LOG_LEVEL_ERROR, line, "key '%s': %s", line->parsed.key,
                     line->parsed.value[0] == '\0' ? "the value is missing" : error.text);
        return;
    }
    if (key->setting < 0) {
        apply_without_place(config, line);
        return;
    }
    if (!concerns(config->store, key)) {
        line->no_effect = true;
        if (once(config->store, key))
            load_message(config, LOG_LEVEL_DEBUG, line, "key '%s' makes no difference here", line->parsed.key);
    }
    for (unsigned index = only; index <= (only != 0 ? only : config->plugin_count); index++)
        apply_to(config, index, line_index, &value, storage_size(key->type));
}

static void set_core_name(struct config *config)
{
    const char *name = config->core.proc_name;

    if (strlen(name) >= sizeof(config->core.name))
        load_message(config, LOG_LEVEL_ERROR, load_writer(config, 0, KEY_proc_name),
                     "a name of more than %zu bytes", sizeof(config->core.name) - 1);
    snprintf(config->core.name, sizeof(config->core.name), "%.63s", name);
    snprintf(config->core.type, sizeof(config->core.type), "core");
}

/* Messages in the order of the file; those of flags and of no line come last. Few, and mostly sorted already. */
static void sort_messages(struct config *config)
{
    for (unsigned i = 1; i < config->message_count; i++) {
        struct config_message message = config->messages[i];
        unsigned at = i;

        while (at > 0 && message.line - 1 < config->messages[at - 1].line - 1) {
            config->messages[at] = config->messages[at - 1];
            at--;
        }
        config->messages[at] = message;
    }
}

static void tell_what_was_left_out(struct config *config)
{
    struct config_message *last = &config->messages[config->message_count - 1];

    if (config->store->messages_left_out == 0)
        return;
    free(last->text);
    last->level = LOG_LEVEL_ERROR;
    last->line = 0;
    if (asprintf(&last->text, "%u more messages are left out", config->store->messages_left_out + 1) < 0) {
        last->text = NULL;
        config->message_count--;
    }
}

static bool load(struct config *config)
{
    find_strict(config);
    find_keys(config);
    settings_load_primitives(config);
    settings_init(&config->core);
    load_plugins(config);
    config->store->writer = calloc(1 + config->plugin_count, sizeof(*config->store->writer));
    if (config->store->writer == NULL)
        return false;
    for (unsigned i = 0; i < config->store->line_count; i++)
        if (config->store->lines[i].key != NULL)
            apply_line(config, i);
    set_core_name(config);
    settings_resolve(&config->core);
    for (unsigned i = 0; i < config->plugin_count; i++)
        settings_resolve(&config->plugins[i]);
    check_run(config);
    sort_messages(config);
    tell_what_was_left_out(config);
    return true;
}

static struct config *new_config(const struct config_source *source)
{
    struct config *config = calloc(1, sizeof(*config));

    if (config == NULL)
        return NULL;
    config->store = calloc(1, sizeof(*config->store));
    config->messages = calloc(load_messages_max, sizeof(*config->messages));
    if (config->store != NULL) {
        config->store->daemon = source->daemon;
        config->store->noted = calloc(key_count, sizeof(bool));
        config->store->file = strdup(source->path != NULL ? source->path : load_command_line);
    }
    if (config->store == NULL || config->messages == NULL || config->store->noted == NULL ||
        config->store->file == NULL) {
        config_free(config);
        return NULL;
    }
    return config;
}

static struct config *finish(struct config *config, const struct config_source *source)
{
    if (take_extra(config, source) && load(config))
        return config;
    config_free(config);
    return NULL;
}

struct config *config_new(const struct config_source *source)
{
    struct config *config = new_config(source);
    struct error error;
    size_t size = 0;
    char *text;

    if (config == NULL)
        return NULL;
    if (source->path != NULL) {
        text = source_read(source->path, &size, &config->store->file_mode, &error);
        if (text == NULL) {
            load_message(config, LOG_LEVEL_ERROR, NULL, "%s", error.text);
            settings_init(&config->core);
            return config;
        }
        if (!own_text(config->store, text)) {
            config_free(config);
            return NULL;
        }
        config->store->file_mode_known = true;
        take_text(config, text, size);
    }
    return finish(config, source);
}

struct config *config_parse_text(const struct config_source *source, const char *text, size_t size)
{
    struct config *config = new_config(source);
    char *copy;

    if (config == NULL)
        return NULL;
    copy = malloc(size + 1);
    if (copy == NULL || !own_text(config->store, copy)) {
        config_free(config);
        return NULL;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    take_text(config, copy, size);
    return finish(config, source);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (unsigned i = 0; i < config->message_count; i++)
        free(config->messages[i].text);
    free(config->messages);
    free(config->plugins);
    if (config->store != NULL) {
        for (unsigned i = 0; i < config->store->text_count; i++)
            free(config->store->texts[i]);
        free(config->store->texts);
        free(config->store->lines);
        free(config->store->dropped);
        free(config->store->writer);
        free(config->store->noted);
        free(config->store->file);
    }
    free(config->store);
    free(config);
}
