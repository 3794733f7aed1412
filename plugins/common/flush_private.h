/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two sides of flush share: flush.c, the main thread, and flush_writer.c, a writer's thread. A member is of
 * one side unless it says that the mutex guards it; a batch is the thread's from the hand-over to its answer.
 */
#ifndef PLUGINS_COMMON_FLUSH_PRIVATE_H
#define PLUGINS_COMMON_FLUSH_PRIVATE_H

#include "plugins/common/flush.h"
#include "plugins/common/preprocess.h"
#include "plugins/common/trigger.h"

#include <pthread.h>

#define flush_writers_max 99

struct flush_result {
    bool failed;
    uint64_t rows_committed, rows_preprocessed, packets, bytes;
    int64_t elapsed_seconds;
    struct error error; /* why it failed */
};

struct flush_writer {
    struct flush *flush;
    void *writer; /* the sink's */
    pthread_t thread;
    bool thread_started;
    pthread_cond_t wake;
    struct trigger trigger;
    bool connected; /* thread only */
    struct batch batch;
    uint64_t records; /* in the batch; main thread only */
    /* Under the mutex of flush: */
    bool busy;      /* from the hand-over until the thread is ready for the next, its trigger included */
    bool job;       /* handed over, not yet taken */
    bool open;      /* handed over, not yet answered */
    bool answered;  /* `result` is there for the main thread; the thread leaves the batch alone */
    bool abandoned; /* counted as failed while it hangs; its answer comes too late */
    bool troubled, trigger_failed;
    struct flush_result result;
    struct error trouble; /* of a try that will be repeated, or of the trigger */
};

struct flush {
    struct plugin *plugin; /* main thread only: a writer that is left behind outlives it */
    int64_t refresh_seconds;
    const struct sink_ops *sink;
    const struct layout *layout;
    struct preprocess preprocess;
    struct time_bins bins; /* count 0: no history */
    struct table *spare;   /* empty, ready to be the open table; NULL: none */
    unsigned spare_idle;
    uint64_t sequence;
    bool lost; /* a batch has failed */
    int event_fd;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* an answer, or a writer is free */
    bool stopping, quitting;  /* under the mutex, with the deadline */
    int64_t deadline_ns;
    unsigned writer_max, writer_count;
    struct flush_writer *writers[flush_writers_max];
};

/* Waits on a condition of the monotonic clock, whose mutex is held. May return early. */
void flush_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t when_ns);

/* The thread; `context` is its struct flush_writer. Ends when `quitting` is set and no job waits. */
void *flush_writer_main(void *context);

#endif
