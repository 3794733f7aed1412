/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of the daemons. Flags are short for keys: each becomes a line "key: value", which config_new() puts
 * after the lines of the file. The rest are actions.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "base/error.h"
#include "flow/field.h"

#include <stdio.h>

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK,      /* read the configuration, report, exit: --check, -T config */
    OPTIONS_SETUP,      /* start everything, then stop: -T setup */
    OPTIONS_DUMP,       /* --dump-config */
    OPTIONS_LAYOUT,     /* --show-layout */
    OPTIONS_PRIMITIVES, /* -a, --list-primitives */
    OPTIONS_DECODE,     /* --decode FILE|PORT: write every record as text, aggregate nothing; nfacctd */
    OPTIONS_VERSION,    /* -V, --version */
    OPTIONS_HELP        /* -h, --help */
};

struct options {
    enum options_action action;
    const char *path;   /* -f; leads into argv; NULL: flags only */
    const char *decode; /* of --decode: a capture file or a port; leads into argv */
    char **lines;       /* "key: value", in the order of the flags; owned */
    unsigned line_count;
};

/*
 * Reads the command line; of several actions the last one counts. Returns 0, or -1 with a phrase: the caller writes it
 * to stderr, the usage to stdout, and exits with status 1. options_free() is due in both cases.
 */
int options_parse(int argc, char **argv, enum daemon_mask daemon, struct options *options, struct error *error);
void options_free(struct options *options);

/* What -h says. */
void options_usage(enum daemon_mask daemon, FILE *out);

#endif
