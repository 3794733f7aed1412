/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll with a list of timers. Handlers that are taken away inside a callback are freed after the round, so that an
 * event already fetched for them finds them dead rather than gone. Timers are few (one or two a process): a list
 * serves.
 */
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/time.h"

#define round_events 32

struct loop_handler {
    struct loop *loop;
    struct loop_handler *next;
    loop_fn *fn;
    void *context;
    int64_t when_ns; /* timers: 0 is disarmed */
    int fd;          /* -1 for timers */
    bool dead;
};

struct loop {
    int epoll;
    bool stopped, any_dead;
    struct loop_handler *handlers;
    bool (*before)(void *context);
    void *before_context;
};

struct loop *loop_new(struct error *error)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        error_errno(error, errno, "cannot make an epoll descriptor");
        free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    while (loop->handlers != NULL) {
        struct loop_handler *next = loop->handlers->next;
        free(loop->handlers);
        loop->handlers = next;
    }
    close(loop->epoll);
    free(loop);
}

static uint32_t to_epoll(unsigned events)
{
    return (events & loop_readable ? EPOLLIN : 0u) | (events & loop_writable ? EPOLLOUT : 0u);
}

static struct loop_handler *handler_new(struct loop *loop, int fd, loop_fn *fn, void *context)
{
    struct loop_handler *handler = calloc(1, sizeof(*handler));

    if (handler == NULL)
        return NULL;
    *handler = (struct loop_handler){.loop = loop, .next = loop->handlers, .fn = fn, .context = context, .fd = fd};
    loop->handlers = handler;
    return handler;
}

struct loop_handler *loop_watch(struct loop *loop, int fd, unsigned events, loop_fn *fn, void *context)
{
    struct loop_handler *handler = handler_new(loop, fd, fn, context);
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = handler};

    if (handler == NULL)
        return NULL;
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        loop->handlers = handler->next;
        free(handler);
        return NULL;
    }
    return handler;
}

void loop_rewatch(struct loop_handler *handler, unsigned events)
{
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = handler};

    epoll_ctl(handler->loop->epoll, EPOLL_CTL_MOD, handler->fd, &event);
}

void loop_unwatch(struct loop_handler *handler)
{
    if (handler == NULL || handler->dead)
        return;
    if (handler->fd >= 0)
        epoll_ctl(handler->loop->epoll, EPOLL_CTL_DEL, handler->fd, NULL);
    handler->dead = true;
    handler->loop->any_dead = true;
}

struct loop_handler *loop_timer(struct loop *loop, loop_fn *fn, void *context)
{
    return handler_new(loop, -1, fn, context);
}

void loop_timer_set(struct loop_handler *timer, int64_t when_ns)
{
    timer->when_ns = when_ns;
}

void loop_before_sleep(struct loop *loop, bool (*fn)(void *context), void *context)
{
    loop->before = fn;
    loop->before_context = context;
}

static void bury_dead(struct loop *loop)
{
    struct loop_handler **link = &loop->handlers;

    while (*link != NULL) {
        struct loop_handler *handler = *link;
        if (handler->dead) {
            *link = handler->next;
            free(handler);
        } else {
            link = &handler->next;
        }
    }
    loop->any_dead = false;
}

/* Milliseconds until the next timer, rounded up so that it is due on waking; -1 without one. */
static int next_timeout(const struct loop *loop)
{
    int64_t nearest = INT64_MAX, now;

    for (const struct loop_handler *h = loop->handlers; h != NULL; h = h->next)
        if (h->fd < 0 && !h->dead && h->when_ns != 0 && h->when_ns < nearest)
            nearest = h->when_ns;
    if (nearest == INT64_MAX)
        return -1;
    now = time_monotonic_ns();
    if (nearest <= now)
        return 0;
    return (int)min_u64((uint64_t)(nearest - now + 999999) / 1000000, 3600000);
}

static void run_timers(struct loop *loop)
{
    int64_t now = time_monotonic_ns();

    for (struct loop_handler *h = loop->handlers; h != NULL; h = h->next) {
        if (h->fd >= 0 || h->dead || h->when_ns == 0 || h->when_ns > now)
            continue;
        h->when_ns = 0;
        h->fn(h->context, 0);
    }
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[round_events];

    loop->stopped = false;
    while (!loop->stopped) {
        int timeout = next_timeout(loop);
        int count;

        if (loop->before != NULL && !loop->before(loop->before_context))
            timeout = 0;
        if (loop->stopped)
            break;
        count = epoll_wait(loop->epoll, events, round_events, timeout);
        for (int i = 0; i < count; i++) {
            struct loop_handler *handler = events[i].data.ptr;
            unsigned what = (events[i].events & EPOLLIN ? loop_readable : 0u) |
                            (events[i].events & EPOLLOUT ? loop_writable : 0u) |
                            (events[i].events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP) ? loop_hangup : 0u);
            if (!handler->dead)
                handler->fn(handler->context, what);
        }
        run_timers(loop);
        if (loop->any_dead)
            bury_dead(loop);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
