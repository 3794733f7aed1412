/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's command line: pmacct's flags with pmacct's words; sub-commands status, top, exporters, templates, reload. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "base/base.h"
#include "base/error.h"

enum client_action {
    CLIENT_NOTHING,
    CLIENT_TABLE,       /* -s */
    CLIENT_MATCH,       /* -M */
    CLIENT_COUNTERS,    /* -N */
    CLIENT_BUCKETS,     /* -t */
    CLIENT_CLASSES,     /* -C */
    CLIENT_PRIMITIVES,  /* -U */
    CLIENT_AGE,         /* -i */
    CLIENT_CLEAR,       /* -e alone */
    CLIENT_STATUS,      /* status */
    CLIENT_TOP,         /* top */
    CLIENT_EXPORTERS,   /* exporters */
    CLIENT_TEMPLATES,   /* templates */
    CLIENT_RELOAD,      /* reload */
    CLIENT_HELP,
    CLIENT_VERSION
};

enum client_counter { CLIENT_BYTES, CLIENT_PACKETS, CLIENT_FLOWS, CLIENT_ALL };

struct client_options {
    enum client_action action;
    const char *path;     /* -p, or the default; status finds one itself when path_given is false */
    bool path_given;
    const char *data;     /* of -N and -M */
    const char *fields;   /* -c */
    enum client_counter counter; /* -n */
    bool sum;             /* -S */
    bool sorted;          /* -T */
    enum client_counter sort_by;
    uint64_t sort_count;  /* 0: all */
    bool reset, clear, lock, all_columns, epoch, protocols_as_numbers, utc;
    int format;           /* enum encode_format */
    bool json_asked;
    char separator;
    unsigned top_seconds; /* -d */
    unsigned top_frames;  /* --batch; 0: the screen */
    const char *exporter; /* an address: of exporters and templates only this one's; NULL: all */
    char notes[256];      /* warnings, a line each */
};

/* 0; or -1 with the text to print, which ends with pmacct's words. `usage` tells whether the help follows it. */
int client_options_parse(struct client_options *options, int argc, char **argv, bool *usage, struct error *error);

extern const char client_usage[];

#endif
