/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A savefile, read as fast as the plugins take it: its datagrams, or, for the packet daemons, its frames. The two kinds
 * of reader are a table. A pipe is waited for with an ear for orders.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/time.h"
#include "core/input.h"
#include "net/capture_file.h"
#include "net/filter.h"
#include "net/frame_file.h"

#define turn_items 1024    /* before the loop has its turn */
#define publish_items 512  /* fewer wake-ups than a receive batch has, and well below a ring */
#define progress_ns (time_second_ns / 5)
#define filter_links 8     /* link types of one file that pcap_filter is kept for */

struct file_input {
    struct input_start start;
    const struct reader *reader;
    void *file; /* NULL between two turns over it */
    struct loop_handler *delay_timer;
    uint64_t rounds;     /* finished */
    int64_t when_ns;     /* of what was read last */
    int64_t progress_at_ns;
    bool reading;
    bool stopped; /* the wait for more of a pipe was broken off */
    struct link_filter {
        uint16_t link;
        struct filter *filter;
    } filters[filter_links]; /* pcap_filter, compiled when a link type is met */
    unsigned filter_count;
};

/* How a file is read. `next` hands over one item: 1; 0 at the end; -1 with a phrase. */
struct reader {
    const char *items;
    enum input_counter taken;
    void *(*open)(const char *path, struct error *error);
    void (*close)(void *file);
    void (*on_wait)(void *file, compressed_wait_fn *fn, void *context);
    int (*next)(struct file_input *input, struct error *error);
    struct capture_counts (*counts)(const void *file);
};

/* -- datagrams -- */

static void *open_datagrams(const char *path, struct error *error)
{
    return capture_file_open(path, error);
}

static void close_datagrams(void *file)
{
    capture_file_close(file);
}

static void wait_for_datagrams(void *file, compressed_wait_fn *fn, void *context)
{
    capture_file_on_wait(file, fn, context);
}

static int next_datagram(struct file_input *input, struct error *error)
{
    struct socket_datagram datagram;
    int got = capture_file_next(input->file, &datagram, &input->when_ns, error);

    if (got > 0) {
        struct origin origin = {
            .source = datagram.source, .source_port = datagram.source_port, .arrival_ns = input->when_ns};

        input->start.calls->datagram(input->start.context, datagram.bytes, datagram.size, &origin);
    }
    return got;
}

static struct capture_counts count_datagrams(const void *file)
{
    return capture_file_counts(file);
}

/* -- frames -- */

static void *open_frames(const char *path, struct error *error)
{
    return frame_file_open(path, error);
}

static void close_frames(void *file)
{
    frame_file_close(file);
}

static void wait_for_frames(void *file, compressed_wait_fn *fn, void *context)
{
    frame_file_on_wait(file, fn, context);
}

static int compile_filter(struct file_input *input, uint16_t link, struct error *error)
{
    struct link_filter *kept = &input->filters[input->filter_count];

    if (input->filter_count == filter_links)
        return error_set(error, "pcap_filter cannot be kept for more than %u link types", filter_links);
    kept->filter = filter_new(input->start.settings->pcap_filter, link, error);
    kept->link = link;
    input->filter_count++;
    return kept->filter != NULL ? 0 : -1;
}

/* 1 when pcap_filter lets the frame through, 0 when not; -1 with a phrase when it does not fit its link type. */
static int pass_filter(struct file_input *input, const struct frame *frame, struct error *error)
{
    unsigned i = 0;

    while (i < input->filter_count && input->filters[i].link != frame->link)
        i++;
    if (i == input->filter_count && compile_filter(input, frame->link, error) < 0)
        return -1;
    return filter_match(input->filters[i].filter, frame->bytes, frame->captured, frame->length);
}

static int next_frame(struct file_input *input, struct error *error)
{
    struct frame frame;
    int got = frame_file_next(input->file, &frame, error);

    if (got <= 0)
        return got;
    input->when_ns = frame.when_ns;
    if (unlikely(input->start.settings->pcap_filter != NULL) && (got = pass_filter(input, &frame, error)) <= 0)
        return got < 0 ? -1 : 1;
    input->start.calls->frame(input->start.context, &frame);
    return 1;
}

static struct capture_counts count_frames(const void *file)
{
    struct frame_file_counts counts = frame_file_counts(file);

    return (struct capture_counts){
        .frames = counts.frames, .bytes_read = counts.bytes_read, .bytes_total = counts.bytes_total};
}

static const struct reader readers[] = {
    {"datagrams", INPUT_datagrams_received, open_datagrams, close_datagrams, wait_for_datagrams, next_datagram,
     count_datagrams},
    {"frames", INPUT_frames_received, open_frames, close_frames, wait_for_frames, next_frame, count_frames},
};

/* -- both -- */

/* A pipe has nothing more for the moment: what came so far goes on its way, and orders are heard. */
static bool on_wait(void *context, int fd)
{
    struct file_input *input = context;
    struct pollfd waiting[] = {{.fd = fd, .events = POLLIN},
                               {.fd = input->start.control_fd, .events = POLLIN},
                               {.fd = input->start.signal_fd, .events = POLLIN},
                               {.fd = input->start.maps_fd, .events = POLLIN}};

    if (poll(waiting, 1, 0) > 0)
        return true;
    input->start.calls->end_batch(input->start.context);
    while (!input->stopped) {
        if (poll(waiting, array_length(waiting), -1) < 0 && errno != EINTR)
            return true;
        if ((waiting[1].revents | waiting[2].revents | waiting[3].revents) != 0)
            input->stopped = input->start.calls->orders(input->start.context);
        if (waiting[0].revents != 0)
            return true;
    }
    return false;
}

static void show_progress(struct file_input *input, bool last)
{
    const struct input_start *start = &input->start;
    int64_t now = time_monotonic_ns();
    struct capture_counts counts;
    char share[16] = ""; /* of a pipe it is not known */

    if (!start->progress || (!last && now < input->progress_at_ns))
        return;
    counts = input->reader->counts(input->file);
    input->progress_at_ns = now + progress_ns;
    if (counts.bytes_total > 0)
        snprintf(share, sizeof(share), "%u %%, ",
                 last ? 100u : (unsigned)min_u64(100 * counts.bytes_read / counts.bytes_total, 100));
    fprintf(stderr, "\rreading %s: %s%llu %s, %llu records%s", start->settings->pcap_savefile, share,
            (unsigned long long)counter_get(&start->counters[input->reader->taken]), input->reader->items,
            (unsigned long long)counter_get(&start->counters[INPUT_records_decoded]), last ? "\n" : "");
}

/* False: it cannot be, after a line in the log. */
static bool open_again(struct file_input *input)
{
    struct error error;

    input->file = input->reader->open(input->start.settings->pcap_savefile, &error);
    input->reading = input->file != NULL;
    if (input->reading)
        input->reader->on_wait(input->file, on_wait, input);
    else
        log_error("%s", error.text);
    return input->reading;
}

static void finish(struct file_input *input, const struct error *broken)
{
    const struct input_start *start = &input->start;
    const struct settings *settings = start->settings;
    struct capture_counts counts = input->reader->counts(input->file);
    bool failed = broken != NULL;

    start->calls->tick(start->context, input->when_ns);
    start->calls->end_batch(start->context);
    show_progress(input, true);
    if (broken != NULL)
        log_error("%s: %s", settings->pcap_savefile, broken->text);
    if (counts.not_udp + counts.fragments + counts.cut > 0)
        log_warn("%s: %llu frames are not UDP, %llu are fragments, %llu datagrams were captured short",
                 settings->pcap_savefile, (unsigned long long)counts.not_udp, (unsigned long long)counts.fragments,
                 (unsigned long long)counts.cut);
    input->rounds++;
    input->reader->close(input->file);
    input->file = NULL;
    input->reading = false;
    if (!failed && (settings->pcap_savefile_replay == 0 || input->rounds < settings->pcap_savefile_replay))
        failed = !open_again(input);
    if (!input->reading) {
        log_info("finished reading '%s': %llu frames", settings->pcap_savefile, (unsigned long long)counts.frames);
        start->calls->finished(start->context, failed, settings->pcap_savefile_wait);
    }
}

/* One turn over the savefile; the rings make it wait, never lose. */
static bool before_sleep(void *context)
{
    struct file_input *input = context;
    const struct input_start *start = &input->start;
    struct error error;

    if (!input->reading)
        return true;
    for (unsigned i = 1; i <= turn_items; i++) {
        int got = input->reader->next(input, &error);

        if (got <= 0) {
            if (input->stopped)
                start->calls->end_batch(start->context);
            else
                finish(input, got < 0 ? &error : NULL);
            return false;
        }
        if (i % publish_items == 0)
            start->calls->end_batch(start->context);
    }
    start->calls->tick(start->context, input->when_ns);
    start->calls->end_batch(start->context);
    show_progress(input, false);
    return false;
}

static void on_delay_over(void *context, unsigned events)
{
    struct file_input *input = context;

    (void)events;
    input->reading = true;
}

static void close_input(void *context)
{
    struct file_input *input = context;

    if (input == NULL)
        return;
    if (input->file != NULL)
        input->reader->close(input->file);
    for (unsigned i = 0; i < input->filter_count; i++)
        filter_free(input->filters[i].filter);
    free(input);
}

static void *open_input(const struct input_start *start, struct error *error)
{
    struct file_input *input = calloc(1, sizeof(*input));

    if (input == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    input->start = *start;
    input->reader = &readers[start->frames];
    input->file = input->reader->open(start->settings->pcap_savefile, error);
    if (input->file == NULL) {
        free(input);
        return NULL;
    }
    input->delay_timer = loop_timer(start->loop, on_delay_over, input);
    if (input->delay_timer == NULL) {
        error_set(error, "out of memory");
        close_input(input);
        return NULL;
    }
    loop_before_sleep(start->loop, before_sleep, input);
    return input;
}

static int start_input(void *context, struct error *error)
{
    struct file_input *input = context;
    int64_t delay_ns = (int64_t)input->start.settings->pcap_savefile_delay * time_second_ns;

    (void)error;
    input->reader->on_wait(input->file, on_wait, input);
    if (delay_ns > 0)
        loop_timer_set(input->delay_timer, time_monotonic_ns() + delay_ns);
    else
        input->reading = true;
    return 0;
}

const struct input_ops input_file = {
    .open = open_input,
    .start = start_input,
    .close = close_input,
};
