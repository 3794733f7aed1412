/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective configuration as a file: what was set as lines, what was not as comments with the default, so that the
 * dump, loaded again, sets the same keys to the same values. A global line comes before those with a name, since it
 * would override them.
 */
#include "config/load.h"
#include "config/value.h"

#include <stdlib.h>

/* The value as text on the heap, or NULL. */
static char *text_of(const struct key *key, const struct settings *settings)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    value_write(key, (const char *)settings + key->offset, out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void dump_plugins(const struct config *config, FILE *out)
{
    fputs("plugins: ", out);
    for (unsigned i = 0; i < config->plugin_count; i++)
        fprintf(out, "%s%s[%s]", i == 0 ? "" : ", ", config->plugins[i].type, config->plugins[i].name);
    fputc('\n', out);
}

static void dump_setting(const struct config *config, const struct key *key, FILE *out)
{
    char name[key_name_max];
    char *global = text_of(key, &config->core);
    bool global_set = config->core.set[key->setting];

    if (global == NULL)
        return;
    key_spelling(key, config->store->daemon, name);
    if (global_set)
        fprintf(out, "%s: %s\n", name, global);
    else if (key->default_text != NULL)
        fprintf(out, "! %s: %s\n", name, global);
    else
        fprintf(out, "! %s is not set\n", name);
    for (unsigned i = 0; i < config->plugin_count && key->scope != KEY_SCOPE_GLOBAL; i++) {
        const struct settings *plugin = &config->plugins[i];
        char *text = text_of(key, plugin);

        if (text != NULL && plugin->set[key->setting] && (!global_set || strcmp(text, global) != 0))
            fprintf(out, "%s[%s]: %s\n", name, plugin->name, text);
        free(text);
    }
    free(global);
}

/* Lines that were accepted and change nothing, as comments. */
static void dump_idle_lines(const struct config_store *store, FILE *out)
{
    bool title = false;

    for (unsigned i = 0; i < store->line_count; i++) {
        const struct load_line *line = &store->lines[i];
        bool secret = line->key != NULL && line->key->type == KEY_TYPE_SECRET;

        if (!line->no_effect || line->key->setting >= 0)
            continue;
        if (!title)
            fputs("\n! accepted, and without effect here:\n", out);
        title = true;
        fprintf(out, "! %s%s%s%s: %s\n", line->parsed.key, line->parsed.plugin != NULL ? "[" : "",
                line->parsed.plugin != NULL ? line->parsed.plugin : "", line->parsed.plugin != NULL ? "]" : "",
                secret ? "***" : line->parsed.value);
    }
}

void config_dump(const struct config *config, FILE *out)
{
    fprintf(out, "! %s: the configuration in effect\n", key_daemon_name(config->store->daemon));
    dump_plugins(config, out);
    for (unsigned i = 0; i < key_count; i++)
        if (key_table[i].setting >= 0)
            dump_setting(config, &key_table[i], out);
    dump_idle_lines(config->store, out);
}
