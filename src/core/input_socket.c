/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams from the UDP socket that the supervisor has bound for this lane. */
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/time.h"
#include "core/input.h"
#include "net/socket.h"

#define turn_batches 16 /* receive calls before the loop has its turn */
#define drain_ns (time_second_ns / 2)

struct socket_input {
    struct input_start start;
    struct socket_receiver *receiver;
    bool draining;
};

static void *open_socket(const struct input_start *start, struct error *error)
{
    struct socket_input *input = calloc(1, sizeof(*input));

    if (input != NULL) {
        input->start = *start;
        input->receiver =
            socket_receiver_new(start->socket_fd, counter_get(&start->counters[INPUT_datagrams_kernel_dropped]) +
                                                      counter_get(&start->counters[INPUT_datagrams_at_stop]));
    }
    if (input == NULL || input->receiver == NULL) {
        error_set(error, "out of memory");
        free(input);
        return NULL;
    }
    return input;
}

/* Takes one batch from the socket. Returns how many datagrams it had. */
static unsigned receive_batch(struct socket_input *input)
{
    const struct input_start *start = &input->start;
    const struct socket_datagram *datagrams;
    uint64_t dropped;
    unsigned count = socket_receive(input->receiver, &datagrams, &dropped);
    int64_t now = time_wall_ns();

    counter_add(&start->counters[input->draining ? INPUT_datagrams_at_stop : INPUT_datagrams_kernel_dropped], dropped);
    for (unsigned i = 0; i < count; i++) {
        struct origin origin = {
            .source = datagrams[i].source, .source_port = datagrams[i].source_port, .arrival_ns = now};

        start->calls->datagram(start->context, datagrams[i].bytes, datagrams[i].size, &origin);
    }
    if (count > 0)
        start->calls->end_batch(start->context);
    return count;
}

static void on_socket(void *context, unsigned events)
{
    (void)events;
    for (unsigned i = 0; i < turn_batches; i++)
        if (receive_batch(context) < socket_batch)
            break;
}

static int start_socket(void *context, struct error *error)
{
    struct socket_input *input = context;

    if (loop_watch(input->start.loop, input->start.socket_fd, loop_readable, on_socket, input) == NULL)
        return error_set(error, "cannot watch the socket");
    return 0;
}

/*
 * From here on the kernel drops, and counts, what arrives: a filter that takes nothing. What is queued already is
 * read. So every datagram that reached the socket is either decoded or counted, up to the moment it is closed.
 */
static void drain_socket(void *context)
{
    struct socket_input *input = context;
    struct sock_filter take_nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &take_nothing};
    uint64_t *counters = input->start.counters;
    int64_t limit = time_monotonic_ns() + drain_ns;

    counter_add(&counters[INPUT_datagrams_kernel_dropped], socket_final_drops(input->receiver));
    setsockopt(input->start.socket_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    input->draining = true;
    while (receive_batch(input) > 0 && time_monotonic_ns() < limit)
        ;
    counter_add(&counters[INPUT_datagrams_at_stop], socket_final_drops(input->receiver));
}

static void close_socket(void *context)
{
    struct socket_input *input = context;

    if (input == NULL)
        return;
    socket_receiver_free(input->receiver);
    free(input);
}

const struct input_ops input_socket = {
    .open = open_socket,
    .start = start_socket,
    .drain = drain_socket,
    .close = close_socket,
};
