/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop of every process: file descriptors (epoll) and one timer per handler. Callbacks run on the thread
 * that called loop_run. No signal handlers: the supervisor reads signals from a descriptor.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/base.h"
#include "base/error.h"

struct loop;
struct loop_handler;

#define loop_readable 1u
#define loop_writable 2u
#define loop_hangup 4u

typedef void loop_fn(void *context, unsigned events);

struct loop *loop_new(struct error *error);
void loop_free(struct loop *loop);

/* Watches a descriptor, which stays the caller's. NULL when out of memory or the descriptor cannot be watched. */
struct loop_handler *loop_watch(struct loop *loop, int fd, unsigned events, loop_fn *fn, void *context);
void loop_rewatch(struct loop_handler *handler, unsigned events);
/* Ends watching; safe inside any callback. NULL is fine. */
void loop_unwatch(struct loop_handler *handler);

/* A timer that fires at `when_ns` of the monotonic clock, once. Setting it again moves it; 0 disarms. */
struct loop_handler *loop_timer(struct loop *loop, loop_fn *fn, void *context);
void loop_timer_set(struct loop_handler *timer, int64_t when_ns);

/* Called before the loop sleeps; returns false to make it not sleep (there is work). One at most. */
void loop_before_sleep(struct loop *loop, bool (*fn)(void *context), void *context);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
