/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of keys: complete, consistent, and accepting every key of tests/config/all_keys.txt. */
#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"
#include "lib/tap.h"

#include <stdlib.h>

static void each_row(void)
{
    unsigned without_help = 0, bad_default = 0, bad_range = 0, twice = 0;

    for (unsigned i = 0; i < key_count; i++) {
        const struct key *key = &key_table[i];
        const char *at = key->spellings, *word;
        char name[key_name_max], copy[64];
        size_t length;

        without_help += key->help == NULL || key->help[0] == '\0' || strlen(key->help) > 120;
        bad_range += (key->type == KEY_TYPE_CHOICE || key->type == KEY_TYPE_WORD) && key->range == NULL;
        while (key_next_word(&at, ' ', &word, &length)) {
            snprintf(name, sizeof(name), "%.*s", (int)length, word);
            if (length >= sizeof(name) || key_find(name) != key) {
                twice++;
                printf("# %s is in two rows, or too long\n", name);
            }
        }
        at = key->default_text;
        while (at != NULL && key_next_word(&at, '|', &word, &length)) {
            union value value;
            struct error error;

            snprintf(copy, sizeof(copy), "%.*s", (int)length, word);
            if (value_parse(key, copy, &value, &error) < 0) {
                bad_default++;
                printf("# %s: %s\n", key->spellings, error.text);
            }
        }
    }
    is_u64(without_help, 0, "every row has a help of one line");
    is_u64(bad_default, 0, "every default is a valid value");
    is_u64(bad_range, 0, "every choice has its words");
    is_u64(twice, 0, "every spelling is in one row");
    for (unsigned i = 0; i < key_old_count; i++)
        if (key_old_table[i].now != NULL)
            ok(key_find(key_old_table[i].now) != NULL, "%s leads to a key", key_old_table[i].name);
}

static void look_up(void)
{
    char name[key_name_max];

    ok(key_find("sfacctd_port") == key_find("nfacctd_port"), "spellings of other daemons are one key");
    ok(key_find("print_history") == key_find("kafka_history"), "history is shared by the plugins");
    ok(key_find("sql_table") == key_find("kafka_topic"), "table, topic and routing key are one");
    ok(key_find("kafka_broker_port") != key_find("sql_port"), "the broker's port is apart");
    ok(key_find("sfacctd_por") == NULL, "a part of a name is no name");
    ok(key_find("") == NULL, "nothing is no name");
    ok(key_find("nfacctd_port sfacctd_port") == NULL, "a list of names is no name");
    ok(key_find_old("mongo_user") != NULL && key_find_old("mongo") == NULL, "old families end in a star");
    is_text(key_nearest("agregate", name), "aggregate", "agregate is near aggregate");
    is_text(key_nearest("print_outptu_file", name), "print_output_file", "print_outptu_file is near print_output_file");
    ok(key_nearest("zzzzzzzzzzzzzzzzzzzzzzzz", name) == NULL, "nonsense is near nothing");
    is_text(key_spelling(key_find("nfacctd_port"), DAEMON_SFACCTD, name), "sfacctd_port", "sfacctd has its spelling");
    is_text(key_spelling(key_find("sql_history"), DAEMON_SFACCTD, name), "print_history", "else the canonical one");
}

/* Alone in a configuration, no key is unknown and no value wrong; at most it is not supported yet. */
static void every_key(const char *path, enum daemon_mask daemon)
{
    FILE *file = fopen(path, "r");
    unsigned lines = 0, wrong = 0;
    char line[512], text[1024];

    if (file == NULL) {
        ok(false, "cannot open %s", path);
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        struct config_source source = {.daemon = daemon, .path = "test"};
        struct config *config;

        if (line[0] == '#')
            continue;
        lines++;
        snprintf(text, sizeof(text), "%splugins: memory[p]\ntls_path: /tmp/t\n", line);
        config = config_parse_text(&source, text, strlen(text));
        for (unsigned i = 0; i < config->message_count; i++) {
            const struct config_message *message = &config->messages[i];

            if (message->level != LOG_LEVEL_ERROR || strstr(message->text, "is not supported yet: ") != NULL)
                continue;
            wrong++;
            printf("# %s#   %s\n", line, message->text);
        }
        config_free(config);
    }
    fclose(file);
    ok(lines >= 651, "%u keys", lines);
    is_u64(wrong, 0, "all are accepted by %s", key_daemon_name(daemon));
}

int main(void)
{
    const char *directory = getenv("srcdir");
    char path[512];

    plan_none();
    each_row();
    look_up();
    snprintf(path, sizeof(path), "%s/tests/config/all_keys.txt", directory == NULL ? "." : directory);
    every_key(path, DAEMON_SFACCTD);
    every_key(path, DAEMON_NFACCTD);
    return done_testing();
}
