/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames from an NFLOG group. netfilter rules choose the packets, so there may be none: then a line says what rule is
 * missing. What did not fit into the buffer is counted exactly, by sequence numbers.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "core/input.h"
#include "net/nflog.h"

#define turn_batches 16 /* receive calls before the loop has its turn */
#define hint_ns (10 * time_second_ns)
#define drain_ns (time_second_ns / 2)
#define snap_default 128
#define snap_whole 65531 /* for those who look into packets: what a netlink attribute holds */

struct nflog_input {
    struct input_start start;
    struct nflog_group *group;
    struct loop_handler *handler, *hint_timer;
    struct nflog_counts counts; /* as far as they are on the ledger and in the log */
    struct log_limit overflow_limit;
    uint8_t direction; /* that all packets have by uacctd_direction, or FRAME_UNKNOWN */
};

static void close_nflog(void *context)
{
    struct nflog_input *input = context;

    if (input == NULL)
        return;
    loop_unwatch(input->handler);
    loop_unwatch(input->hint_timer);
    nflog_group_close(input->group);
    free(input);
}

static void on_frame(void *context, const struct frame *frame)
{
    struct nflog_input *input = context;
    struct frame told = *frame;

    if (input->direction != FRAME_UNKNOWN)
        told.direction = input->direction;
    input->start.calls->frame(input->start.context, &told);
}

static uint32_t snap_bytes(const struct input_start *start)
{
    const struct settings *settings = start->settings;

    if (settings->snaplen != 0)
        return (uint32_t)settings->snaplen;
    return start->whole_frames || settings->proto_output_file != NULL ? snap_whole : snap_default;
}

static void *open_nflog(const struct input_start *start, struct error *error)
{
    const struct settings *settings = start->settings;
    struct nflog_options options = {
        .group = (uint16_t)settings->nflog_group,
        .copy_bytes = snap_bytes(start),
        .threshold = (uint32_t)settings->nflog_threshold,
        .buffer_bytes = settings->nflog_buffer,
    };
    struct nflog_input *input = calloc(1, sizeof(*input));

    if (input == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    input->start = *start;
    input->direction = (uint8_t)settings->capture_direction; /* both, in, out: as enum frame_direction has them */
    input->group = nflog_group_open(&options, on_frame, input, error);
    if (input->group == NULL) {
        close_nflog(input);
        return NULL;
    }
    input->counts = nflog_group_counts(input->group);
    if (input->counts.buffer_bytes < settings->nflog_buffer)
        log_warn("uacctd_nl_size: asked for a receive buffer of %llu bytes, the system gives %llu (sysctl "
                 "net.core.rmem_max)",
                 (unsigned long long)settings->nflog_buffer, (unsigned long long)input->counts.buffer_bytes);
    return input;
}

/* Puts what has been counted since the last time on the ledger, and says what somebody has to know. */
static void book(struct nflog_input *input)
{
    struct nflog_counts now = nflog_group_counts(input->group);
    unsigned group = (unsigned)input->start.settings->nflog_group;

    counter_add(&input->start.counters[INPUT_frames_kernel_dropped], now.lost - input->counts.lost);
    counter_add(&input->start.counters[INPUT_frames_overflows], now.overflows - input->counts.overflows);
    if (now.overflows > input->counts.overflows && log_allowed(&input->overflow_limit, 1))
        log_warn("NFLOG group %u: the receive buffer ran over, %llu packets are lost so far; it has %llu bytes now%s",
                 group, (unsigned long long)now.lost, (unsigned long long)now.buffer_bytes,
                 now.buffer_bytes < nflog_buffer_bytes_max ? "" : ", which is the most; see uacctd_threshold");
    if (now.malformed > 0 && input->counts.malformed == 0)
        log_warn("NFLOG group %u: the kernel has sent a message that cannot be read; its packet counts as dropped",
                 group);
    input->counts = now;
}

/* Takes one batch. Returns how many datagrams it had, or -1. */
static int receive_batch(struct nflog_input *input)
{
    int count = nflog_group_receive(input->group);

    if (count > 0) {
        book(input);
        input->start.calls->end_batch(input->start.context);
    }
    return count;
}

static void on_readable(void *context, unsigned events)
{
    struct nflog_input *input = context;
    int count = nflog_batch;

    (void)events;
    for (unsigned i = 0; i < turn_batches && count == nflog_batch; i++)
        count = receive_batch(input);
    if (count < 0) {
        log_error("NFLOG group %u: the netlink socket is broken", (unsigned)input->start.settings->nflog_group);
        loop_unwatch(input->handler);
        input->handler = NULL;
        input->start.calls->failed(input->start.context);
    }
}

static void on_hint(void *context, unsigned events)
{
    struct nflog_input *input = context;
    unsigned group = (unsigned)input->start.settings->nflog_group;

    (void)events;
    if (input->counts.frames + input->counts.lost == 0)
        log_notice("NFLOG group %u: no packet has come in %d s. Is there a rule that logs to this group? For example: "
                   "nft add rule inet filter forward log group %u",
                   group, (int)(hint_ns / time_second_ns), group);
}

static int start_nflog(void *context, struct error *error)
{
    struct nflog_input *input = context;

    input->handler = loop_watch(input->start.loop, nflog_group_fd(input->group), loop_readable, on_readable, input);
    input->hint_timer = loop_timer(input->start.loop, on_hint, input);
    if (input->handler == NULL || input->hint_timer == NULL)
        return error_set(error, "cannot watch the netlink socket");
    loop_timer_set(input->hint_timer, time_monotonic_ns() + hint_ns);
    return 0;
}

/*
 * After the unbinding nothing comes any more, and the kernel has sent what it had collected: all of it is read. Only
 * if it could not be unbound, time is the limit.
 */
static void drain_nflog(void *context)
{
    struct nflog_input *input = context;
    int64_t limit = time_monotonic_ns() + drain_ns;
    struct error error;
    bool unbound = nflog_group_unbind(input->group, &error) == 0;
    bool exact;

    if (!unbound)
        log_warn("%s", error.text);
    while (receive_batch(input) > 0 && (unbound || time_monotonic_ns() < limit))
        ;
    nflog_group_final_lost(input->group, &exact);
    if (!exact)
        log_warn("NFLOG group %u: the last packets were lost by whole messages; they count as %llu packets each",
                 (unsigned)input->start.settings->nflog_group,
                 (unsigned long long)input->start.settings->nflog_threshold);
    book(input);
}

const struct input_ops input_nflog = {
    .open = open_nflog,
    .start = start_nflog,
    .drain = drain_nflog,
    .close = close_nflog,
};
