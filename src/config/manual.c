/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual page flowledger-keys(5): the rows of the two tables of keys, in their order, in roff. */
#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"

/* Text in roff: a backslash, a hyphen, and a dot or a quote that would begin a request. */
static void roff(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (i == 0 && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", out);
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

static void describe_scope(const struct key *key, FILE *out)
{
    static const char *const scopes[] = {
        [KEY_SCOPE_GLOBAL] = "global",
        [KEY_SCOPE_PLUGIN] = "global, or of one plugin as key[name]",
        [KEY_SCOPE_NAMED] = "of one plugin only, as key[name]",
    };
    static const enum daemon_mask daemons[] = {DAEMON_NFACCTD, DAEMON_SFACCTD, DAEMON_PMACCTD, DAEMON_UACCTD};
    const char *comma = "; for ";

    fputs(scopes[key->scope], out);
    for (unsigned i = 0; i < array_length(daemons) && key->daemons != DAEMON_ALL; i++) {
        if ((key->daemons & daemons[i]) == 0)
            continue;
        fprintf(out, "%s%s", comma, key_daemon_name(daemons[i]));
        comma = ", ";
    }
}

static void describe(const struct key *key, FILE *out)
{
    const char *at = key->spellings, *word, *comma = "";
    char expected[256];
    size_t length;

    fputs(".TP\n", out);
    while (key_next_word(&at, ' ', &word, &length)) {
        fprintf(out, "%s\\fB", comma);
        roff(out, word, length);
        fputs("\\fR", out);
        comma = ", ";
    }
    fputc('\n', out);
    if (key->status == KEY_STATUS_NO_EFFECT)
        fputs("Accepted, and needs no setting: ", out);
    else if (key->status == KEY_STATUS_LATER)
        fputs("(Not supported yet.) ", out);
    roff(out, key->help, strlen(key->help));
    fputs(".\n.br\n", out);
    value_expected(key, expected, sizeof(expected));
    fputs("Value: ", out);
    roff(out, expected, strlen(expected));
    if (key->default_text != NULL) {
        fputs(". Default: ", out);
        roff(out, key->default_text, strcspn(key->default_text, "|"));
    }
    fputs(". Scope: ", out);
    describe_scope(key, out);
    fputs(".\n", out);
}

static void describe_old_names(FILE *out)
{
    fputs(".SH OLD NAMES\nAccepted with a message.\n", out);
    for (unsigned i = 0; i < key_old_count; i++) {
        const struct key_old *old = &key_old_table[i];

        fputs(".TP\n\\fB", out);
        roff(out, old->name, strlen(old->name));
        fputs("\\fR\n", out);
        if (old->now != NULL) {
            fputs("Now \\fB", out);
            roff(out, old->now, strlen(old->now));
            fputs("\\fR: ", out);
        } else {
            fputs("Ignored: ", out);
        }
        roff(out, old->note, strlen(old->note));
        fputs(".\n", out);
    }
}

static void section(const char *title, FILE *out)
{
    fprintf(out, ".SS %s\n", title);
}

/* The rows are walked by including them, since a section is a matter of the page only and is in no table. */
void config_keys_manual(FILE *out)
{
    const struct key *key = key_table;

#define SECTION(title) section(title, out);
#define SETTING(...) describe(key++, out);
#define KEY(...) describe(key++, out);
    fputs(".SH KEYS OF THE DAEMON\n", out);
#include "config/keys_global.def"
    fputs(".SH KEYS THAT EACH PLUGIN CAN HAVE\n", out);
#include "config/keys_plugin.def"
    describe_old_names(out);
}
