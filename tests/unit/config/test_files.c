/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configurations of tests/config: each in good/ loads without an error, and its dump loads again to the same
 * settings; each in bad/ gives the message that its first line tells: "! expect: PART", as an error in a line of that
 * file. "! expect-warning: PART" asks for a message of any level. Files called nfacctd-* are nfacctd's, all others
 * sfacctd's.
 */
#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"
#include "lib/tap.h"

#include <glob.h>
#include <stdlib.h>

static enum daemon_mask daemon_of(const char *path)
{
    return strstr(path, "/nfacctd-") != NULL ? DAEMON_NFACCTD : DAEMON_SFACCTD;
}

static struct config *load_path(const char *path)
{
    struct config_source source = {.daemon = daemon_of(path), .path = path};

    return config_new(&source);
}

static bool same_settings(const struct settings *a, const struct settings *b)
{
    bool same = strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0;

    for (unsigned i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];
        char *texts[2];
        size_t size;

        if (key->setting < 0)
            continue;
        for (unsigned j = 0; j < 2; j++) {
            FILE *out = open_memstream(&texts[j], &size);

            value_write(key, (const char *)(j == 0 ? a : b) + key->offset, out);
            fclose(out);
        }
        if (strcmp(texts[0], texts[1]) != 0 || a->set[key->setting] != b->set[key->setting]) {
            printf("# %s: '%s' and '%s'\n", key->spellings, texts[0], texts[1]);
            same = false;
        }
        free(texts[0]);
        free(texts[1]);
    }
    return same && a->history.offset_seconds == b->history.offset_seconds && a->history.utc == b->history.utc;
}

static void dump_again(const struct config *config, const char *path)
{
    struct config_source source = {.daemon = daemon_of(path), .path = "dump"};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct config *again;
    bool same;

    config_dump(config, out);
    fclose(out);
    again = config_parse_text(&source, text, size);
    for (unsigned i = 0; i < again->message_count; i++)
        if (again->messages[i].level == LOG_LEVEL_ERROR)
            printf("# dump line %u: %s\n", again->messages[i].line, again->messages[i].text);
    same = again->error_count == 0 && again->plugin_count == config->plugin_count &&
           same_settings(&again->core, &config->core);
    for (unsigned i = 0; same && i < config->plugin_count; i++)
        same = same_settings(&again->plugins[i], &config->plugins[i]);
    ok(same, "the dump of %s is the same configuration", path);
    config_free(again);
    free(text);
}

static void good(const char *path)
{
    struct config *config = load_path(path);

    ok(config->error_count == 0, "%s is good", path);
    for (unsigned i = 0; i < config->message_count; i++)
        if (config->messages[i].level == LOG_LEVEL_ERROR)
            printf("# line %u: %s\n", config->messages[i].line, config->messages[i].text);
    dump_again(config, path);
    config_free(config);
}

static void bad(const char *path)
{
    static const char *const marks[] = {"! expect: ", "! expect-warning: "};
    struct config *config = load_path(path);
    FILE *file = fopen(path, "r");
    char line[256] = "";
    const char *part = NULL;
    bool warning = false, found = false;

    if (file == NULL || fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    if (file != NULL)
        fclose(file);
    line[strcspn(line, "\n")] = '\0';
    for (unsigned i = 0; i < array_length(marks); i++)
        if (strncmp(line, marks[i], strlen(marks[i])) == 0) {
            part = line + strlen(marks[i]);
            warning = i == 1;
        }
    for (unsigned i = 0; part != NULL && i < config->message_count; i++) {
        const struct config_message *message = &config->messages[i];

        found |= strstr(message->text, part) != NULL && (warning || message->level == LOG_LEVEL_ERROR) &&
                 strcmp(message->file, path) == 0 && (warning || message->line > 0);
    }
    ok(found && (config->error_count == 0) == warning, "%s: %s", path, line);
    if (!found || (config->error_count == 0) != warning)
        for (unsigned i = 0; i < config->message_count; i++)
            printf("# %u: %s\n", config->messages[i].line, config->messages[i].text);
    config_free(config);
}

static void each(const char *pattern, void (*run)(const char *path), unsigned least)
{
    const char *directory = getenv("srcdir");
    char path[512];
    glob_t found;

    snprintf(path, sizeof(path), "%s/tests/config/%s", directory == NULL ? "." : directory, pattern);
    if (glob(path, 0, NULL, &found) != 0) {
        ok(false, "nothing matches %s", path);
        return;
    }
    ok(found.gl_pathc >= least, "%zu files of %s", found.gl_pathc, pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        run(found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    plan_none();
    each("good/*.conf", good, 16);
    each("bad/*.conf", bad, 69);
    return done_testing();
}
