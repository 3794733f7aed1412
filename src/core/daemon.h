/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes one collecting daemon different from another: its names, its port, its decoder. A daemon's own file
 * fills in this struct and calls daemon_main(); everything else is common.
 */
#ifndef CORE_DAEMON_H
#define CORE_DAEMON_H

#include "config/config.h"
#include "core/input.h"
#include "decode/decode.h"

struct decoder_ops {
    /* In the collector process, before it reports ready. `settings` are the core's. NULL with a phrase on failure. */
    void *(*open)(const struct settings *settings, const struct decode_output *output, struct error *error);
    /* One of these two: a savefile is read as what it takes. */
    void (*datagram)(void *decoder, const uint8_t *bytes, size_t size, const struct origin *origin);
    void (*frame)(void *decoder, const struct frame *frame);
    void (*flush)(void *decoder);  /* at the end of each batch, may hand over records; may be NULL */
    void (*reopen)(void *decoder); /* log files were rotated; may be NULL */
    /*
     * About once a second, and in a replay at the end of each turn over the file; may be NULL. `now_ns` is the wall
     * clock, in a replay the time of the last datagram read. It may hand over records.
     */
    void (*tick)(void *decoder, int64_t now_ns);
    /*
     * The stream with this number (origin.session) has ended: what was learnt from it goes. NULL: the decoder takes no
     * streams, and no listener is opened for them.
     */
    void (*session_closed)(void *decoder, uint32_t session);
    /* Input has ended in good order, the last publish is still to come: account what is held. May be NULL, and may be
     * called again. */
    void (*end)(void *decoder);
    /* Who sends what, as one JSON document into `out`, at most `size` bytes; returns its length. May be NULL. */
    size_t (*describe)(void *decoder, int64_t now_ns, char *out, size_t size);
    void (*close)(void *decoder);
};

struct daemon {
    const char *name;    /* "sfacctd" */
    const char *title;   /* "sFlow Accounting Daemon" */
    const char *traffic; /* "sFlow" */
    enum daemon_mask mask;
    uint16_t port; /* 0: it listens on none */
    const struct input_ops *input; /* live; a savefile has its own */
    const struct decoder_ops *decoder;
    int (*decode)(const char *what); /* --decode: records as text; returns the exit status. NULL: not offered */
};

/* main() of a daemon: options, configuration, then the supervisor. Returns the exit status. */
int daemon_main(const struct daemon *daemon, int argc, char **argv);

#endif
