/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes one collecting daemon different from another: its names, its port, its decoder. A daemon's own file
 * fills in this struct and calls daemon_main(); everything else is common.
 */
#ifndef CORE_DAEMON_H
#define CORE_DAEMON_H

#include "config/config.h"
#include "decode/decode.h"

struct decoder_ops {
    /* In the collector process, before it reports ready. `settings` are the core's. NULL with a phrase on failure. */
    void *(*open)(const struct settings *settings, const struct decode_output *output, struct error *error);
    void (*datagram)(void *decoder, const uint8_t *bytes, size_t size, const struct origin *origin);
    void (*flush)(void *decoder);  /* after each batch; may be NULL */
    void (*reopen)(void *decoder); /* log files were rotated; may be NULL */
    void (*close)(void *decoder);
};

struct daemon {
    const char *name;    /* "sfacctd" */
    const char *title;   /* "sFlow Accounting Daemon" */
    const char *traffic; /* "sFlow" */
    enum daemon_mask mask;
    uint16_t port;
    const struct decoder_ops *decoder;
};

/* main() of a daemon: options, configuration, then the supervisor. Returns the exit status. */
int daemon_main(const struct daemon *daemon, int argc, char **argv);

#endif
