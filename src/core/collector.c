/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/collector.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/time.h"
#include "core/input.h"
#include "core/sessions.h"
#include "enrich/enrich.h"
#include "enrich/maps.h"
#include "map/allow.h"
#include "plugins/plugin.h"

#define tick_ns (time_second_ns - time_second_ns / 10) /* the timer may be early */
#define look_ns (INT64_C(30) * time_second_ns)         /* at the files of databases, for new ones */

struct collector {
    const struct collector_start *start;
    const struct decoder_ops *ops;
    const struct input_ops *input_ops;
    void *input;
    struct loop *loop;
    struct loop_handler *timer;
    struct emitter *emitter;
    struct enrich enrich;
    struct maps *maps;
    struct map *allow; /* or NULL */
    void *decoder;
    uint64_t *counters;
    struct sessions *sessions; /* or NULL */
    int64_t ticked_ns, looked_ns;
    int signal_fd;
    bool started, stopping, failed, broken;
    bool devices_old; /* the map of devices was refused when it was read last */
};

/* -- what comes in -- */

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

static bool is_allowed(const struct collector *collector, const struct address *peer)
{
    return collector->allow == NULL || allow_has(collector->allow->current, peer);
}

static void on_datagram(void *context, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    struct collector *collector = context;
    uint64_t *counters = collector->counters;

    counter_add(&counters[INPUT_datagrams_received], 1);
    counter_add(&counters[INPUT_bytes_received], size);
    if (unlikely(!is_allowed(collector, &origin->source))) {
        counter_add(&counters[INPUT_datagrams_denied], 1);
        return;
    }
    collector->ops->datagram(collector->decoder, bytes, size, origin);
}

static void on_frame(void *context, const struct frame *frame)
{
    struct collector *collector = context;

    collector->ops->frame(collector->decoder, frame);
}

static void end_batch(void *context)
{
    struct collector *collector = context;

    if (collector->ops->flush != NULL) /* it may hand over what it has gathered */
        collector->ops->flush(collector->decoder);
    emit_publish(collector->emitter);
}

/* What the decoder does by the clock, once in a second of it; a capture's may go back. It may make records too. */
static void tick(void *context, int64_t now_ns)
{
    struct collector *collector = context;
    int64_t since_ns = now_ns - collector->ticked_ns;

    if (collector->ops->tick == NULL || (since_ns >= 0 && since_ns < tick_ns))
        return;
    collector->ticked_ns = now_ns;
    collector->ops->tick(collector->decoder, now_ns);
}

/* What it holds goes on its way. */
static void end_decoder(struct collector *collector)
{
    if (collector->ops->end != NULL)
        collector->ops->end(collector->decoder);
    end_batch(collector);
}

static void on_finished(void *context, bool broken, bool pause)
{
    struct collector *collector = context;

    collector->broken |= broken;
    if (pause)
        end_decoder(collector);
    else
        loop_stop(collector->loop);
}

/* The process ends, and the supervisor starts another one after a while. */
static void on_failed(void *context)
{
    struct collector *collector = context;

    collector->failed = true;
    loop_stop(collector->loop);
}

static bool hear_orders(void *context);

static const struct input_calls input_calls = {
    .datagram = on_datagram,
    .frame = on_frame,
    .end_batch = end_batch,
    .tick = tick,
    .finished = on_finished,
    .orders = hear_orders,
    .failed = on_failed,
};

/* -- sessions -- */

static void on_session_closed(void *context, uint32_t session)
{
    struct collector *collector = context;

    if (collector->ops->session_closed != NULL)
        collector->ops->session_closed(collector->decoder, session);
}

static bool may_connect(void *context, const struct address *peer)
{
    return is_allowed(context, peer);
}

/*
 * Only the first lane has them: a listener is one socket. And only a decoder that knows sessions: the keys may be in a
 * file for several daemons.
 */
static int open_sessions(struct collector *collector, struct error *error)
{
    static const struct sessions_calls calls = {on_datagram, on_session_closed, may_connect, end_batch};

    if (collector->start->lane != 0 || collector->ops->session_closed == NULL)
        return 0;
    error->text[0] = '\0';
    collector->sessions = sessions_new(collector->loop, collector->start->settings, &calls, collector,
                                       collector->counters, error);
    return collector->sessions == NULL && error->text[0] != '\0' ? -1 : 0;
}

/* -- maps -- */

static void say_map(void *context, const struct maps_news *news)
{
    struct collector *collector = context;

    if (news->trouble != NULL) {
        counter_add(&collector->counters[INPUT_maps_refused], 1);
        log_error("%s. Rolling back old map.", news->trouble);
        return;
    }
    counter_add(&collector->counters[INPUT_maps_loaded], 1);
    log_info("[%s] map successfully (re)loaded with %s.", news->path, news->holds);
    if (news->notice != NULL)
        log_warn("[%s] %s", news->path, news->notice);
}

static void say_filter(const char *plugin, const char *text)
{
    log_warn("plugin '%s': %s", plugin, text);
}

static void say_loading(void *context, const struct maps_news *news)
{
    (void)context;
    log_info("[%s] (re)loading map.", news->path);
}

/* How they stand, for who has ordered a reload and waits for it. */
static void show_maps(struct collector *collector)
{
    const struct settings *settings = collector->start->settings;
    uint64_t *counters = collector->counters;
    unsigned count = settings->maps_refresh
                         ? maps_count(collector->maps) + (settings->pcap_interfaces_map != NULL)
                         : collector->allow != NULL;

    counter_set(&counters[INPUT_maps_held], count);
    counter_set(&counters[INPUT_maps_old],
                maps_old(collector->maps, !settings->maps_refresh) +
                    (settings->maps_refresh && collector->devices_old));
    counter_set(&counters[INPUT_maps_orders_done], maps_done(collector->maps));
}

static void on_maps(void *context, unsigned events)
{
    struct collector *collector = context;

    (void)events;
    maps_take(collector->maps, say_map, collector);
    show_maps(collector);
}

static void reload(struct collector *collector)
{
    bool allow_only = !collector->start->settings->maps_refresh;

    if (!allow_only)
        maps_each(collector->maps, say_loading, collector);
    else if (collector->allow != NULL)
        log_info("[%s] (re)loading map.", collector->allow->path);
    maps_reload(collector->maps, allow_only);
    if (collector->input_ops->reload != NULL && !allow_only)
        collector->devices_old = collector->input_ops->reload(collector->input) < 0;
    counter_add(&collector->counters[INPUT_maps_orders], 1);
    show_maps(collector);
}

/* -- orders and the clock -- */

static void on_signal(void *context, unsigned events)
{
    struct collector *collector = context;
    struct signalfd_siginfo info;

    (void)events;
    if (read(collector->signal_fd, &info, sizeof(info)) == sizeof(info))
        process_report(collector->start->control_fd, PLUGIN_REPORT_ASKED_TO_STOP, "");
}

static void on_timer(void *context, unsigned events)
{
    struct collector *collector = context;
    int64_t now = time_monotonic_ns();

    (void)events;
    loop_timer_set(collector->timer, now + time_second_ns);
    if (now - collector->looked_ns >= look_ns) {
        collector->looked_ns = now;
        maps_look(collector->maps);
    }
    if (collector->start->settings->pcap_savefile != NULL) /* its clock is that of its items */
        return;
    tick(collector, time_wall_ns());
    end_batch(collector);
}

/* All processes are ready: from here on a record finds every plugin's ring served. */
static void start_input(struct collector *collector)
{
    struct error error;

    if (collector->started)
        return;
    collector->started = true;
    loop_timer_set(collector->timer, time_monotonic_ns() + time_second_ns);
    if (collector->input_ops->start(collector->input, &error) < 0) {
        log_error("%s", error.text);
        on_failed(collector);
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

static void obey(struct collector *collector, char order)
{
    switch (order) {
    case PLUGIN_COMMAND_START:
        start_input(collector);
        break;
    case PLUGIN_COMMAND_STOP:
        collector->stopping = true;
        break;
    case PLUGIN_COMMAND_RELOAD:
        reload(collector);
        break;
    case PLUGIN_COMMAND_DESCRIBE:
        describe(collector);
        break;
    case PLUGIN_COMMAND_REOPEN:
        log_reopen();
        if (collector->ops->reopen != NULL)
            collector->ops->reopen(collector->decoder);
        break;
    default:
        break;
    }
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
    for (ssize_t i = 0; i < count; i++)
        obey(collector, orders[i]);
    if (collector->stopping)
        loop_stop(collector->loop);
}

/* For an input that has to wait outside of the loop. */
static bool hear_orders(void *context)
{
    struct collector *collector = context;

    on_order(collector, loop_readable);
    on_signal(collector, loop_readable);
    on_maps(collector, loop_readable);
    return collector->stopping;
}

/* -- life -- */

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
    collector->maps = maps_new(start->daemon->mask, error);
    if (collector->loop == NULL || collector->maps == NULL)
        return -1;
    collector->timer = loop_timer(collector->loop, on_timer, collector);
    if (collector->timer == NULL || collector->signal_fd < 0 ||
        loop_watch(collector->loop, collector->signal_fd, loop_readable, on_signal, collector) == NULL ||
        loop_watch(collector->loop, maps_fd(collector->maps), loop_readable, on_maps, collector) == NULL ||
        loop_watch(collector->loop, start->control_fd, loop_readable, on_order, collector) == NULL)
        return error_set(error, "cannot watch signals and the control socket");
    return 0;
}

/* Whether somebody looks into packets, beyond their headers. */
static bool looks_inside(const struct field_set *wants)
{
    return field_set_has(wants, FIELD_CLASS) || field_set_has(wants, FIELD_TLS_SNI) ||
           field_set_has(wants, FIELD_DNS_NAME);
}

static int open_input(struct collector *collector, const struct field_set *wants, struct error *error)
{
    const struct collector_start *start = collector->start;
    struct input_start input = {
        .settings = start->settings,
        .traffic = start->daemon->traffic,
        .loop = collector->loop,
        .calls = &input_calls,
        .context = collector,
        .counters = collector->counters,
        .lane = start->lane,
        .lane_count = start->ledger->lane_count,
        .group = start->ledger->supervisor_pid,
        .socket_fd = start->socket_fd,
        .control_fd = start->control_fd,
        .signal_fd = collector->signal_fd,
        .maps_fd = maps_fd(collector->maps),
        .frames = collector->ops->frame != NULL,
        .whole_frames = looks_inside(wants) || start->settings->proto_output_file != NULL,
        .progress = start->progress,
    };
    bool file = start->settings->pcap_savefile != NULL;

    collector->input_ops = file ? &input_file : start->daemon->input;
    collector->input = collector->input_ops->open(&input, error);
    if (collector->input == NULL)
        return -1;
    return file ? 0 : open_sessions(collector, error);
}

static int open_map(struct collector *collector, struct map **map, enum map_kind kind, const char *path,
                    struct error *error)
{
    *map = NULL;
    if (path == NULL)
        return 0;
    *map = maps_open(collector->maps, kind, path, error);
    return *map == NULL ? -1 : 0;
}

/* The maps that hold for the whole daemon; those of plugins are opened with their views. */
static int open_maps(struct collector *collector, struct enrich_options *enrich, struct error *error)
{
    const struct settings *settings = collector->start->settings;

    if (open_map(collector, &collector->allow, MAP_ALLOW, settings->allow_file, error) < 0 ||
        open_map(collector, &enrich->sampling_map, MAP_SAMPLING, settings->sampling_map, error) < 0 ||
        open_map(collector, &enrich->flow_to_rd, MAP_FLOW_TO_RD, settings->flow_to_rd_map, error) < 0 ||
        open_map(collector, &enrich->interface_names, MAP_INTERFACE_NAMES, settings->interface_names_map, error) < 0 ||
        open_map(collector, &enrich->geoip, MAP_GEOIP, settings->geoip_file, error) < 0 ||
        open_map(collector, &enrich->geoip_as, MAP_GEOIP, settings->geoip_as_file, error) < 0)
        return -1;
    return 0;
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
        .daemon = start->daemon->mask,
        .renormalize = settings->renormalize,
        .ext_sampling_rate = (uint32_t)settings->ext_sampling_rate,
        .drop_unknown_rate = settings->unknown_sampling_rate == 1,
    };
    struct decode_output output = {
        .record = on_record, .knows_rate = knows_rate, .context = collector, .ledger = start->ledger,
        .counters = collector->counters, .lane = start->lane};
    struct emit_options emit = {.lane = start->lane, .wait = settings->pcap_savefile != NULL,
                                .daemon = start->daemon->mask, .core = settings};

    if (watch(collector, error) < 0)
        return -1;
    emit.maps = collector->maps;
    if (open_maps(collector, &enrich, error) < 0)
        return -1;
    collector->emitter = emitter_new(start->targets, start->target_count, &emit, error);
    if (collector->emitter == NULL)
        return -1;
    output.wants = emitter_needs(collector->emitter);
    enrich_init(&collector->enrich, &enrich, &output.wants);
    offer_bodies(collector, &output);
    collector->decoder = collector->ops->open(settings, &output, error);
    if (collector->decoder == NULL)
        return -1;
    if (open_input(collector, &output.wants, error) < 0)
        return -1;
    maps_each(collector->maps, say_map, collector);
    counter_set(&collector->counters[INPUT_maps_orders], 0); /* a predecessor may have heard some */
    show_maps(collector);
    emitter_tell(collector->emitter, true, say_filter);
    return 0;
}

/* The last records: of what the kernel and the sessions still hold, and of what the decoder does. */
static void end_input(struct collector *collector)
{
    if (collector->started && collector->input_ops->drain != NULL)
        collector->input_ops->drain(collector->input);
    if (collector->sessions != NULL)
        sessions_stop(collector->sessions);
    end_decoder(collector);
    emitter_tell(collector->emitter, false, say_filter);
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
    collector->input_ops->close(collector->input);
    emitter_free(collector->emitter);
    maps_free(collector->maps);
    loop_free(collector->loop);
    status = collector->failed ? 1 : collector->broken ? collector_exit_broken : 0;
    free(collector);
    return status;
}
