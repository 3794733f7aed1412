/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"

#define crashes_max 10
#define crash_window_ns (INT64_C(600) * time_second_ns)
#define first_delay_ns (time_second_ns / 10)
#define longest_delay_seconds 30

int child_start(struct child *child, child_fn *fn, void *context, struct child *const others[], unsigned count,
                struct error *error)
{
    int ends[2];

    if (child->control_fd >= 0)
        close(child->control_fd);
    child->control_fd = -1;
    child->phrase[0] = '\0';
    /* SEQPACKET: a report is one message, and the end of the peer is seen. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(error, errno, "cannot make a control socket");
    child->pid = fork();
    if (child->pid < 0) {
        int code = errno;

        close(ends[0]);
        close(ends[1]);
        child->pid = 0;
        return error_errno(error, code, "cannot start a process");
    }
    if (child->pid == 0) {
        static const int orders[] = {SIGHUP, SIGUSR1, SIGUSR2};
        sigset_t none;

        /* `killall -USR2 nfacctd` reaches all of a daemon and means the supervisor, which passes it on as an order. */
        for (unsigned i = 0; i < array_length(orders); i++)
            signal(orders[i], SIG_IGN);
        close(ends[0]);
        for (unsigned i = 0; i < count; i++)
            if (others[i]->control_fd >= 0)
                close(others[i]->control_fd);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        exit(fn(context, ends[1]));
    }
    close(ends[1]);
    child->control_fd = ends[0];
    child->state = CHILD_STARTING;
    return 0;
}

bool child_order(const struct child *child, char order)
{
    return child->control_fd >= 0 && send(child->control_fd, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

bool child_report(struct child *child, char *what)
{
    char message[1 + sizeof(child->phrase)];
    ssize_t length;

    if (child->control_fd < 0)
        return false;
    length = recv(child->control_fd, message, sizeof(message) - 1, MSG_DONTWAIT);
    if (length <= 0)
        return false;
    *what = message[0];
    if (length > 1) {
        memcpy(child->phrase, message + 1, (size_t)length - 1);
        child->phrase[length - 1] = '\0';
    }
    return true;
}

void child_died(struct child *child, int64_t now_ns)
{
    int64_t delay = first_delay_ns;

    if (child->crashes == 0 || now_ns - child->window_ns > crash_window_ns) {
        child->crashes = 0;
        child->window_ns = now_ns;
    }
    if (++child->crashes > crashes_max) {
        child->state = CHILD_GIVEN_UP;
        return;
    }
    if (child->crashes > 1)
        delay = (int64_t)min_u64(UINT64_C(1) << (child->crashes - 2), longest_delay_seconds) * time_second_ns;
    child->state = CHILD_WAITING;
    child->restart_ns = now_ns + delay;
}
