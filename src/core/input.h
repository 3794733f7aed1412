/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a collector's datagrams or frames come from: a socket, a file, devices, NFLOG. Each is a struct input_ops; the
 * collector opens one of them, and it calls back with what it took. All on one thread.
 */
#ifndef CORE_INPUT_H
#define CORE_INPUT_H

#include "base/ledger.h"
#include "base/loop.h"
#include "config/settings.h"
#include "decode/decode.h"
#include "net/frame.h"

struct input_calls {
    void (*datagram)(void *context, const uint8_t *bytes, size_t size, const struct origin *origin);
    void (*frame)(void *context, const struct frame *frame);
    void (*end_batch)(void *context); /* after each batch: what was decoded goes on its way */
    /* The time of what was read last, about once a second of it: live inputs need not call it. */
    void (*tick)(void *context, int64_t now_ns);
    /* A file has been read to its end, or to where it is broken; `pause` keeps the daemon up all the same. */
    void (*finished)(void *context, bool broken, bool pause);
    /* While the process must not go back to its loop: hears what is said to it. True: it is to stop. */
    bool (*orders)(void *context);
    /* Nothing can be taken any more, after a line in the log: the process is to end and be started again. */
    void (*failed)(void *context);
};

struct input_start {
    const struct settings *settings; /* the core's */
    const char *traffic;             /* what it is, for people: "sFlow" */
    struct loop *loop;
    const struct input_calls *calls;
    void *context;      /* of the calls */
    uint64_t *counters; /* INPUT block of this lane */
    unsigned lane, lane_count;
    uint32_t group;     /* the same number in all lanes of a daemon, another in each daemon */
    int socket_fd;      /* bound by the supervisor, or -1 */
    int control_fd, signal_fd, maps_fd; /* to be heard even while a pipe is waited for */
    bool frames;        /* a file is read as frames, not as datagrams */
    bool whole_frames;  /* somebody looks into packets: a short capture length would not do */
    bool progress;      /* a person is watching */
};

struct input_ops {
    /* Before the process reports ready. NULL with a phrase on failure. */
    void *(*open)(const struct input_start *start, struct error *error);
    /* All processes are ready: take input from now on. 0, or -1 with a phrase. */
    int (*start)(void *input, struct error *error);
    /* The map of devices is to be read again (SIGUSR2). -1: it is refused, after a line in the log. May be NULL. */
    int (*reload)(void *input);
    /* The daemon stops: take what the kernel holds already, take nothing new, and count what is left. May be NULL. */
    void (*drain)(void *input);
    void (*close)(void *input);
};

extern const struct input_ops input_socket, input_file, input_devices, input_nflog;

#endif
