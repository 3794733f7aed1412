/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/collector.h"

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/time.h"
#include "core/sessions.h"
#include "enrich/enrich.h"
#include "map/allow.h"
#include "map/sampling.h"
#include "net/capture_file.h"
#include "plugins/plugin.h"

#define turn_batches 16      /* receive calls before the loop has its turn */
#define turn_datagrams 1024  /* of a savefile */
#define publish_datagrams 512 /* of a savefile: fewer wake-ups than a receive batch has, and well below a ring */
#define drain_ns (time_second_ns / 2)
#define tick_ns (time_second_ns - time_second_ns / 10) /* the timer may be early */
#define progress_ns (time_second_ns / 5)

struct collector {
    const struct collector_start *start;
    const struct decoder_ops *ops;
    struct loop *loop;
    struct loop_handler *socket_handler, *delay_timer, *tick_timer;
    struct emitter *emitter;
    struct enrich enrich;
    struct allow *allow;
    struct sampling_map *sampling_map;
    void *decoder;
    uint64_t *counters;
    struct socket_receiver *receiver;
    struct sessions *sessions; /* or NULL */
    struct capture_file *capture;
    uint64_t rounds; /* of the savefile, finished */
    int64_t captured_ns; /* when its last datagram was captured */
    int64_t ticked_ns;
    int64_t progress_at_ns;
    int signal_fd;
    bool started, reading_file, stopping, draining, failed, broken;
};

static void on_record(void *context, struct flow *flow)
{
    struct collector *collector = context;

    enrich_flow(&collector->enrich, flow);
    emit_flow(collector->emitter, flow);
}

/* Whether the configuration tells the rate of a record whose exporter has not told it yet. */
static bool knows_rate(void *context, const struct flow *flow)
{
    const struct collector *collector = context;

    return enrich_tells_rate(&collector->enrich, flow);
}

static void on_bodies(void *context, unsigned target, const uint8_t *bodies, unsigned count)
{
    struct collector *collector = context;

    emit_bodies(collector->emitter, target, bodies, count);
}

static void take_message(struct collector *collector, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    uint64_t *counters = collector->counters;

    counter_add(&counters[INPUT_datagrams_received], 1);
    counter_add(&counters[INPUT_bytes_received], size);
    if (unlikely(collector->allow != NULL) && !allow_has(collector->allow, &origin->source)) {
        counter_add(&counters[INPUT_datagrams_denied], 1);
        return;
    }
    collector->ops->datagram(collector->decoder, bytes, size, origin);
}

static void take_datagram(struct collector *collector, const struct socket_datagram *datagram, int64_t arrival_ns)
{
    struct origin origin = {
        .source = datagram->source, .source_port = datagram->source_port, .arrival_ns = arrival_ns};

    take_message(collector, datagram->bytes, datagram->size, &origin);
}

static void end_batch(struct collector *collector)
{
    emit_publish(collector->emitter);
    if (collector->ops->flush != NULL)
        collector->ops->flush(collector->decoder);
}

/* -- sessions -- */

static void on_message(void *context, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    take_message(context, bytes, size, origin);
}

static void on_session_closed(void *context, uint32_t session)
{
    struct collector *collector = context;

    if (collector->ops->session_closed != NULL)
        collector->ops->session_closed(collector->decoder, session);
}

static bool may_connect(void *context, const struct address *peer)
{
    const struct collector *collector = context;

    return collector->allow == NULL || allow_has(collector->allow, peer);
}

static void on_session_turn(void *context)
{
    end_batch(context);
}

/*
 * Only the first lane has them: a listener is one socket. And only a decoder that knows sessions: the keys may be in a
 * file for several daemons.
 */
static int open_sessions(struct collector *collector, struct error *error)
{
    static const struct sessions_calls calls = {on_message, on_session_closed, may_connect, on_session_turn};

    if (collector->start->lane != 0 || collector->ops->session_closed == NULL)
        return 0;
    error->text[0] = '\0';
    collector->sessions = sessions_new(collector->loop, collector->start->settings, &calls, collector,
                                       collector->counters, error);
    return collector->sessions == NULL && error->text[0] != '\0' ? -1 : 0;
}

/* -- the socket -- */

/* Takes one batch from the socket. Returns how many datagrams it had. */
static unsigned receive_batch(struct collector *collector)
{
    const struct socket_datagram *datagrams;
    uint64_t dropped;
    unsigned count = socket_receive(collector->receiver, &datagrams, &dropped);
    int64_t now = time_wall_ns();

    counter_add(&collector->counters[collector->draining ? INPUT_datagrams_at_stop : INPUT_datagrams_kernel_dropped],
                dropped);
    for (unsigned i = 0; i < count; i++)
        take_datagram(collector, &datagrams[i], now);
    if (count > 0)
        end_batch(collector);
    return count;
}

/* What the decoder does by the clock, once in a second of it; a capture's may go back. It may make records too. */
static void tick(struct collector *collector, int64_t now_ns)
{
    int64_t since_ns = now_ns - collector->ticked_ns;

    if (collector->ops->tick == NULL || (since_ns >= 0 && since_ns < tick_ns))
        return;
    collector->ticked_ns = now_ns;
    collector->ops->tick(collector->decoder, now_ns);
}

static void on_tick(void *context, unsigned events)
{
    struct collector *collector = context;

    (void)events;
    loop_timer_set(collector->tick_timer, time_monotonic_ns() + time_second_ns);
    tick(collector, time_wall_ns());
    end_batch(collector);
}

static void on_socket(void *context, unsigned events)
{
    (void)events;
    for (unsigned i = 0; i < turn_batches; i++)
        if (receive_batch(context) < socket_batch)
            break;
}

/*
 * From here on the kernel drops, and counts, what arrives: a filter that takes nothing. What is queued already is
 * read. So every datagram that reached the socket is either decoded or counted, up to the moment it is closed.
 */
static void drain_socket(struct collector *collector)
{
    struct sock_filter take_nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &take_nothing};
    int64_t limit = time_monotonic_ns() + drain_ns;

    counter_add(&collector->counters[INPUT_datagrams_kernel_dropped], socket_final_drops(collector->receiver));
    setsockopt(collector->start->socket_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    collector->draining = true;
    while (receive_batch(collector) > 0 && time_monotonic_ns() < limit)
        ;
    counter_add(&collector->counters[INPUT_datagrams_at_stop], socket_final_drops(collector->receiver));
}

static void load_allow(struct collector *collector)
{
    const char *path = collector->start->settings->allow_file;
    struct error error;
    struct allow *fresh;

    if (path == NULL)
        return;
    log_info("[%s] (re)loading map.", path);
    fresh = allow_load(path, &error);
    if (fresh == NULL) {
        log_error("%s. Rolling back old map.", error.text);
        return;
    }
    allow_free(collector->allow);
    collector->allow = fresh;
    log_info("[%s] map successfully (re)loaded with %u entries.", path, allow_count(fresh));
}

static void load_sampling_map(struct collector *collector)
{
    const char *path = collector->start->settings->sampling_map;
    struct sampling_map *fresh;
    struct error error;

    if (path == NULL)
        return;
    log_info("[%s] (re)loading map.", path);
    fresh = sampling_map_load(path, &error);
    if (fresh == NULL) {
        log_error("%s. Rolling back old map.", error.text);
        return;
    }
    enrich_set_sampling_map(&collector->enrich, fresh);
    sampling_map_free(collector->sampling_map);
    collector->sampling_map = fresh;
    log_info("[%s] map successfully (re)loaded with %u entries.", path, sampling_map_count(fresh));
}

static void on_signal(void *context, unsigned events)
{
    struct collector *collector = context;
    struct signalfd_siginfo info;

    (void)events;
    if (read(collector->signal_fd, &info, sizeof(info)) == sizeof(info))
        process_report(collector->start->control_fd, PLUGIN_REPORT_ASKED_TO_STOP, "");
}

static void on_order(void *context, unsigned events);

/* A pipe has nothing more for the moment: what came so far goes on its way, and orders are heard. */
static bool on_file_wait(void *context, int fd)
{
    struct collector *collector = context;
    struct pollfd waiting[] = {{.fd = fd, .events = POLLIN},
                               {.fd = collector->start->control_fd, .events = POLLIN},
                               {.fd = collector->signal_fd, .events = POLLIN}};

    if (poll(waiting, 1, 0) > 0)
        return true;
    end_batch(collector);
    while (!collector->stopping) {
        if (poll(waiting, array_length(waiting), -1) < 0 && errno != EINTR)
            return true;
        if (waiting[1].revents != 0)
            on_order(collector, loop_readable);
        if (waiting[2].revents != 0)
            on_signal(collector, loop_readable);
        if (waiting[0].revents != 0)
            return true;
    }
    return false;
}

static void show_progress(struct collector *collector, bool last)
{
    struct capture_counts counts = capture_file_counts(collector->capture);
    int64_t now = time_monotonic_ns();
    char share[16] = ""; /* of a pipe it is not known */

    if (!collector->start->progress || (!last && now < collector->progress_at_ns))
        return;
    collector->progress_at_ns = now + progress_ns;
    if (counts.bytes_total > 0)
        snprintf(share, sizeof(share), "%u %%, ",
                 last ? 100u : (unsigned)min_u64(100 * counts.bytes_read / counts.bytes_total, 100));
    fprintf(stderr, "\rreading %s: %s%llu datagrams, %llu records%s", collector->start->settings->pcap_savefile,
            share, (unsigned long long)counter_get(&collector->counters[INPUT_datagrams_received]),
            (unsigned long long)counter_get(&collector->counters[INPUT_records_decoded]), last ? "\n" : "");
}

static void finish_file(struct collector *collector, const struct error *broken)
{
    const struct settings *settings = collector->start->settings;
    struct capture_counts counts = capture_file_counts(collector->capture);
    struct error error;

    tick(collector, collector->captured_ns);
    end_batch(collector);
    show_progress(collector, true);
    if (broken != NULL) {
        log_error("%s: %s", settings->pcap_savefile, broken->text);
        collector->broken = true;
    }
    if (counts.not_udp + counts.fragments + counts.cut > 0)
        log_warn("%s: %llu frames are not UDP, %llu are fragments, %llu datagrams were captured short",
                 settings->pcap_savefile, (unsigned long long)counts.not_udp, (unsigned long long)counts.fragments,
                 (unsigned long long)counts.cut);
    collector->rounds++;
    capture_file_close(collector->capture);
    collector->capture = NULL;
    collector->reading_file = false;
    if (broken == NULL && (settings->pcap_savefile_replay == 0 || collector->rounds < settings->pcap_savefile_replay)) {
        collector->capture = capture_file_open(settings->pcap_savefile, &error);
        collector->reading_file = collector->capture != NULL;
        if (collector->reading_file)
            capture_file_on_wait(collector->capture, on_file_wait, collector);
        else
            log_error("%s", error.text);
    }
    if (!collector->reading_file) {
        log_info("finished reading '%s': %llu frames", settings->pcap_savefile, (unsigned long long)counts.frames);
        if (!settings->pcap_savefile_wait)
            loop_stop(collector->loop);
    }
}

/* One turn over the savefile; the rings make it wait, never lose. */
static void read_file(struct collector *collector)
{
    struct socket_datagram datagram;
    struct error error;

    for (unsigned i = 1; i <= turn_datagrams; i++) {
        int got = capture_file_next(collector->capture, &datagram, &collector->captured_ns, &error);

        if (got <= 0 && collector->stopping) { /* the wait for more of a pipe was broken off */
            end_batch(collector);
            return;
        }
        if (got <= 0) {
            finish_file(collector, got < 0 ? &error : NULL);
            return;
        }
        take_datagram(collector, &datagram, collector->captured_ns);
        if (i % publish_datagrams == 0)
            end_batch(collector);
    }
    tick(collector, collector->captured_ns);
    end_batch(collector);
    show_progress(collector, false);
}

static bool before_sleep(void *context)
{
    struct collector *collector = context;

    if (!collector->reading_file)
        return true;
    read_file(collector);
    return false;
}

static void on_delay_over(void *context, unsigned events)
{
    struct collector *collector = context;

    (void)events;
    collector->reading_file = true;
}

/* All processes are ready: from here on a record finds every plugin's ring served. */
static void start_input(struct collector *collector)
{
    const struct collector_start *start = collector->start;
    int64_t delay_ns = (int64_t)start->settings->pcap_savefile_delay * time_second_ns;

    if (collector->started)
        return;
    collector->started = true;
    if (collector->capture != NULL)
        capture_file_on_wait(collector->capture, on_file_wait, collector);
    if (collector->capture != NULL && delay_ns > 0) {
        loop_timer_set(collector->delay_timer, time_monotonic_ns() + delay_ns);
    } else if (collector->capture != NULL) {
        collector->reading_file = true;
    } else {
        collector->socket_handler = loop_watch(collector->loop, start->socket_fd, loop_readable, on_socket, collector);
        if (collector->socket_handler == NULL) {
            log_error("cannot watch the socket");
            collector->failed = true;
            loop_stop(collector->loop);
        }
        if (collector->tick_timer != NULL)
            loop_timer_set(collector->tick_timer, time_monotonic_ns() + time_second_ns);
    }
}

/* Somebody has asked who sends what. */
static void describe(struct collector *collector)
{
    struct board *board = collector->start->board;

    if (board != NULL)
        board_show(board, collector->ops->describe(collector->decoder, time_wall_ns(), board_text(board),
                                                   board_text_max));
}

static void on_order(void *context, unsigned events)
{
    struct collector *collector = context;
    char orders[64];
    ssize_t count = recv(collector->start->control_fd, orders, sizeof(orders), MSG_DONTWAIT);

    (void)events;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) /* the supervisor is gone */
        collector->stopping = true;
    for (ssize_t i = 0; i < count; i++) {
        if (orders[i] == PLUGIN_COMMAND_START) {
            start_input(collector);
        } else if (orders[i] == PLUGIN_COMMAND_STOP) {
            collector->stopping = true;
        } else if (orders[i] == PLUGIN_COMMAND_RELOAD) {
            load_allow(collector);
            if (collector->start->settings->maps_refresh)
                load_sampling_map(collector);
        } else if (orders[i] == PLUGIN_COMMAND_DESCRIBE) {
            describe(collector);
        } else if (orders[i] == PLUGIN_COMMAND_REOPEN) {
            log_reopen();
            if (collector->ops->reopen != NULL)
                collector->ops->reopen(collector->decoder);
        }
    }
    if (collector->stopping)
        loop_stop(collector->loop);
}

static int watch(struct collector *collector, struct error *error)
{
    const struct collector_start *start = collector->start;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    collector->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    collector->loop = loop_new(error);
    if (collector->loop == NULL)
        return -1;
    if (collector->signal_fd < 0 ||
        loop_watch(collector->loop, collector->signal_fd, loop_readable, on_signal, collector) == NULL ||
        loop_watch(collector->loop, start->control_fd, loop_readable, on_order, collector) == NULL)
        return error_set(error, "cannot watch signals and the control socket");
    return 0;
}

static int open_input(struct collector *collector, struct error *error)
{
    const struct collector_start *start = collector->start;

    if (start->settings->pcap_savefile != NULL) {
        collector->capture = capture_file_open(start->settings->pcap_savefile, error);
        if (collector->capture == NULL)
            return -1;
        collector->delay_timer = loop_timer(collector->loop, on_delay_over, collector);
        if (collector->delay_timer == NULL)
            return error_set(error, "out of memory");
        loop_before_sleep(collector->loop, before_sleep, collector);
        return 0;
    }
    collector->receiver =
        socket_receiver_new(start->socket_fd, collector->counters[INPUT_datagrams_kernel_dropped] +
                                                  collector->counters[INPUT_datagrams_at_stop]);
    if (collector->ops->tick != NULL)
        collector->tick_timer = loop_timer(collector->loop, on_tick, collector);
    if (collector->receiver == NULL || (collector->ops->tick != NULL && collector->tick_timer == NULL))
        return error_set(error, "out of memory");
    return open_sessions(collector, error);
}

/* Where no step of ours would touch a record, a decoder may write what the plugins get. */
static void offer_bodies(struct collector *collector, struct decode_output *output)
{
    if (collector->enrich.count > 0 || !emitter_is_plain(collector->emitter))
        return;
    for (unsigned i = 0; i < collector->start->target_count; i++)
        output->targets[i] = emitter_layout(collector->emitter, i);
    output->target_count = collector->start->target_count;
    output->bodies = on_bodies;
}

static int open_collector(struct collector *collector, struct error *error)
{
    const struct collector_start *start = collector->start;
    const struct settings *settings = start->settings;
    struct enrich_options enrich = {
        .renormalize = settings->renormalize, .ext_sampling_rate = (uint32_t)settings->ext_sampling_rate,
        .drop_unknown_rate = settings->unknown_sampling_rate == 1};
    struct decode_output output = {
        .record = on_record, .knows_rate = knows_rate, .context = collector, .ledger = start->ledger,
        .lane = start->lane};

    if (watch(collector, error) < 0)
        return -1;
    collector->emitter = emitter_new(start->targets, start->target_count, start->lane,
                                     settings->pcap_savefile != NULL, error);
    if (collector->emitter == NULL)
        return -1;
    output.wants = emitter_needs(collector->emitter);
    output.counters = collector->counters;
    if (settings->sampling_map != NULL) {
        collector->sampling_map = sampling_map_load(settings->sampling_map, error);
        if (collector->sampling_map == NULL)
            return -1;
    }
    enrich.sampling_map = collector->sampling_map;
    enrich_init(&collector->enrich, &enrich, &output.wants);
    offer_bodies(collector, &output);
    if (settings->allow_file != NULL) {
        collector->allow = allow_load(settings->allow_file, error);
        if (collector->allow == NULL)
            return -1;
    }
    collector->decoder = collector->ops->open(settings, &output, error);
    if (collector->decoder == NULL)
        return -1;
    return open_input(collector, error);
}

/* The last records: of what the kernel and the sessions still hold, and of what the decoder does. */
static void end_input(struct collector *collector)
{
    if (collector->started && collector->receiver != NULL)
        drain_socket(collector);
    if (collector->sessions != NULL)
        sessions_stop(collector->sessions);
    if (collector->ops->end != NULL)
        collector->ops->end(collector->decoder);
    end_batch(collector);
    if (!collector->failed) /* a successor goes on with the rings */
        emit_end(collector->emitter, (int)collector->start->settings->shutdown_timeout * 1000);
}

int collector_run(const struct collector_start *start)
{
    struct collector *collector = calloc(1, sizeof(*collector));
    struct error error = {""};
    int status;

    if (collector == NULL)
        return 1;
    collector->start = start;
    collector->ops = start->daemon->decoder;
    collector->counters = start->ledger->lanes[start->lane].input;
    if (open_collector(collector, &error) < 0) {
        process_report(start->control_fd, PLUGIN_REPORT_FAILED, error.text);
        return 1;
    }
    process_report(start->control_fd, PLUGIN_REPORT_READY, "");
    loop_run(collector->loop);
    end_input(collector);
    sessions_free(collector->sessions);
    collector->ops->close(collector->decoder);
    socket_receiver_free(collector->receiver);
    capture_file_close(collector->capture);
    allow_free(collector->allow);
    sampling_map_free(collector->sampling_map);
    emitter_free(collector->emitter);
    loop_free(collector->loop);
    status = collector->failed ? 1 : collector->broken ? collector_exit_broken : 0;
    free(collector);
    return status;
}
