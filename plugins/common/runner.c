/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop of every plugin process. Before it sleeps, the loop asks the runner to read the rings; a turn is
 * bounded, so that orders, timers and a plugin's own descriptors are served under any load.
 */
#include "plugins/common/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/time.h"
#include "plugins/common/flush.h"
#include "plugins/common/fold.h"
#include "plugins/common/refresh.h"
#include "plugins/common/table.h"

#define turn_bytes (1024 * 1024) /* read before the loop has its turn: some milliseconds at the most */
#define orphan_grace_ns (INT64_C(2) * time_second_ns) /* wait for END after the supervisor is gone */
#define refresh_early_ns INT64_C(5000000) /* the two clocks may differ by so much where a timer was due */

struct runner {
    struct plugin plugin;
    const struct plugin_ops *ops;
    struct ring_reader readers[ledger_lanes_max];
    bool ended[ledger_lanes_max]; /* END was read from this ring */
    struct fold fold;
    struct time_bins bins;
    uint8_t *folded; /* bodies of one batch, when folding */
    bool folding, stopping, broken;
    struct flush *flush;
    struct loop_handler *control, *refresh_timer, *tick_timer, *orphan_timer;
    int64_t refresh_wall_ns;
    int signal_fd;
    uint64_t records, packets, bytes, merged; /* read and not yet on the ledger */
};

static void add_batch(struct runner *runner, uint8_t *const bodies[], unsigned count)
{
    unsigned key_bytes = runner->plugin.layout->key_bytes;

    for (unsigned i = 0; i < count; i++) {
        runner->packets += load_u64(bodies[i] + key_bytes);
        runner->bytes += load_u64(bodies[i] + key_bytes + 8);
    }
    uint64_t merged = table_merged(runner->plugin.table);

    runner->records += count;
    table_add(runner->plugin.table, bodies, count);
    runner->merged += table_merged(runner->plugin.table) - merged;
}

/* One contiguous run of records. Returns how many of its bytes were dealt with: all. */
static size_t read_run(struct runner *runner, unsigned ring, struct ring_header *run, size_t bytes)
{
    uint8_t *bodies[table_batch_max];
    uint8_t *at = (uint8_t *)run, *end = at + bytes;
    unsigned count = 0, body_bytes = runner->plugin.layout->body_bytes;

    while (at < end) {
        struct ring_header *header = (struct ring_header *)at;

        at += header->bytes;
        if (unlikely(header->kind != RING_FLOW)) {
            if (header->kind == RING_END)
                runner->ended[ring] = true;
            else if (header->kind != RING_PAD && runner->ops->record != NULL)
                runner->ops->record(&runner->plugin, header);
            continue;
        }
        if (runner->ops->kind == PLUGIN_STREAM) {
            runner->records++;
            runner->ops->record(&runner->plugin, header);
            continue;
        }
        if (unlikely(header->bytes - sizeof(*header) < body_bytes)) {
            runner->broken = true;
            break;
        }
        bodies[count] = (uint8_t *)(header + 1);
        if (runner->folding) {
            uint8_t *folded = runner->folded + (size_t)count * body_bytes;

            fold_run(&runner->fold, bodies[count], header->bytes - sizeof(*header), table_intern(runner->plugin.table),
                     folded);
            bodies[count] = folded;
        }
        if (++count == table_batch_max) {
            add_batch(runner, bodies, count);
            count = 0;
        }
    }
    if (count > 0)
        add_batch(runner, bodies, count);
    return (size_t)(at - (uint8_t *)run);
}

static void publish_counters(struct runner *runner)
{
    uint64_t *counters = runner->plugin.counters;
    struct table *table = runner->plugin.table;

    counter_add(&counters[PLUGIN_records_read], runner->records);
    counter_add(&counters[PLUGIN_packets_read], runner->packets);
    counter_add(&counters[PLUGIN_bytes_read], runner->bytes);
    counter_add(&counters[PLUGIN_records_merged], runner->merged);
    runner->records = runner->packets = runner->bytes = runner->merged = 0;
    if (table != NULL) {
        counter_set(&counters[PLUGIN_records_in_table], table_records(table));
        counter_set(&counters[PLUGIN_rows_in_table], table_rows(table));
        counter_set(&counters[PLUGIN_table_bytes], table_bytes(table));
    }
}

/* One look at every ring. Returns how many bytes were read. */
static size_t read_rings(struct runner *runner)
{
    size_t total = 0;

    for (unsigned i = 0; i < runner->plugin.start->ring_count; i++) {
        size_t bytes, used;
        struct ring_header *run = ring_peek(&runner->readers[i], &bytes);

        if (run == NULL) {
            runner->broken |= ring_broken(&runner->readers[i]);
            continue;
        }
        used = read_run(runner, i, run, bytes);
        /*
         * In this order: what a plugin that is killed between the two had read is missing in its count, not counted
         * twice.
         */
        ring_consume(&runner->readers[i], used);
        publish_counters(runner);
        total += used;
    }
    return total;
}

static bool all_ended(const struct runner *runner)
{
    for (unsigned i = 0; i < runner->plugin.start->ring_count; i++)
        if (!runner->ended[i])
            return false;
    return true;
}

/* The loop's hook: false means "there may be more, do not sleep". */
static bool before_sleep(void *context)
{
    struct runner *runner = context;
    size_t total = 0, bytes;

    while ((bytes = read_rings(runner)) > 0) {
        total += bytes;
        if (total >= turn_bytes)
            return false;
    }
    if (unlikely(runner->broken))
        log_error("a ring holds what no collector writes; ending, so that the supervisor decides");
    if (all_ended(runner) || runner->stopping || runner->broken) {
        loop_stop(runner->plugin.loop);
        return false;
    }
    for (unsigned i = 0; i < runner->plugin.start->ring_count; i++)
        if (!ring_arm(&runner->readers[i]))
            return false;
    return true;
}

static void on_wake(void *context, unsigned events)
{
    struct ring_reader *reader = context;

    (void)events;
    ring_wake_clear(reader);
}

static void on_orphaned(void *context, unsigned events)
{
    struct runner *runner = context;

    (void)events;
    runner->stopping = true;
}

static void purge(struct runner *runner)
{
    flush_purge(runner->flush, time_wall_ns());
    publish_counters(runner); /* of the new, empty table */
}

static void on_order(void *context, unsigned events)
{
    struct runner *runner = context;
    char orders[64];
    ssize_t count = recv(runner->plugin.start->control_fd, orders, sizeof(orders), MSG_DONTWAIT);

    (void)events;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        /* The supervisor is gone. What the collector still writes is read for a while, then delivered. */
        loop_unwatch(runner->control); /* it would stay readable */
        log_warn("the supervisor is gone; delivering what is here and ending");
        runner->orphan_timer = loop_timer(runner->plugin.loop, on_orphaned, runner);
        if (runner->orphan_timer == NULL)
            runner->stopping = true;
        else
            loop_timer_set(runner->orphan_timer, time_monotonic_ns() + orphan_grace_ns);
        return;
    }
    for (ssize_t i = 0; i < count; i++) {
        switch (orders[i]) {
        case PLUGIN_COMMAND_STOP:
            runner->stopping = true;
            break;
        case PLUGIN_COMMAND_REOPEN:
            log_reopen();
            break;
        case PLUGIN_COMMAND_PURGE:
            if (runner->flush != NULL)
                purge(runner);
            break;
        default:
            break;
        }
    }
}

/* SIGTERM or SIGINT to this process alone means the whole daemon: the supervisor stops all in order. */
static void on_signal(void *context, unsigned events)
{
    struct runner *runner = context;
    struct signalfd_siginfo info;

    (void)events;
    if (read(runner->signal_fd, &info, sizeof(info)) == sizeof(info))
        process_report(runner->plugin.start->control_fd, PLUGIN_REPORT_ASKED_TO_STOP, "");
}

/* The next purge later than `now_ns` of the wall clock. */
static void arm_refresh(struct runner *runner, int64_t now_ns)
{
    const struct settings *settings = runner->plugin.settings;
    int64_t refresh_ns = (int64_t)settings->refresh_time * time_second_ns;
    int64_t delay_ns = (int64_t)settings->startup_delay * time_second_ns;

    runner->refresh_wall_ns = runner->refresh_wall_ns == 0
                                  ? refresh_first(now_ns, refresh_ns, delay_ns)
                                  : refresh_next(runner->refresh_wall_ns, now_ns, refresh_ns, delay_ns);
    loop_timer_set(runner->refresh_timer, time_monotonic_ns() + (runner->refresh_wall_ns - time_wall_ns()));
}

static void on_refresh(void *context, unsigned events)
{
    struct runner *runner = context;
    int64_t now = time_wall_ns();

    (void)events;
    if (now + refresh_early_ns >= runner->refresh_wall_ns) {
        purge(runner);
        if (now < runner->refresh_wall_ns)
            now = runner->refresh_wall_ns;
    }
    arm_refresh(runner, now);
}

static void on_tick(void *context, unsigned events)
{
    struct runner *runner = context;

    (void)events;
    runner->ops->tick(&runner->plugin, time_monotonic_ns());
    publish_counters(runner);
    loop_timer_set(runner->tick_timer, time_monotonic_ns() + time_second_ns);
}

static void on_writer_done(void *context, unsigned events)
{
    struct runner *runner = context;

    (void)events;
    flush_collect(runner->flush);
}

static int watch_signals(struct runner *runner, struct error *error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    runner->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (runner->signal_fd < 0)
        return error_errno(error, errno, "cannot watch signals");
    if (loop_watch(runner->plugin.loop, runner->signal_fd, loop_readable, on_signal, runner) == NULL)
        return error_set(error, "cannot watch signals");
    return 0;
}

static int attach_rings(struct runner *runner, struct error *error)
{
    const struct plugin_start *start = runner->plugin.start;

    for (unsigned i = 0; i < start->ring_count; i++) {
        if (ring_attach_reader(&runner->readers[i], start->rings[i], start->layout->fingerprint, error) < 0)
            return -1;
        if (loop_watch(runner->plugin.loop, ring_wake_fd(start->rings[i]), loop_readable, on_wake,
                       &runner->readers[i]) == NULL)
            return error_set(error, "cannot watch a ring");
    }
    return 0;
}

static int start_sink(struct runner *runner, struct error *error)
{
    const struct settings *settings = runner->plugin.settings;
    const struct time_bins *bins = NULL;

    runner->plugin.table = table_new(runner->plugin.layout, settings->table_memory_limit);
    if (runner->plugin.table == NULL)
        return error_set(error, "out of memory");
    if (settings->history.count > 0) {
        runner->bins = settings->history;
        time_bins_start(&runner->bins, runner->plugin.start->started_ns / time_second_ns);
        bins = &runner->bins;
    }
    fold_init(&runner->fold, runner->plugin.layout,
              /* With a list of ToS values the collector has written the DSCP, or 255, already. */
              &(struct fold_options){bins, settings->tos_encode_as_dscp && settings->tos_file == NULL,
                                     settings->timestamps_secs});
    runner->folding = !fold_is_empty(&runner->fold);
    runner->folded = runner->folding ? calloc(table_batch_max, runner->plugin.layout->body_bytes) : NULL;
    if (runner->folding && runner->folded == NULL)
        return error_set(error, "out of memory");
    if (runner->ops->sink == NULL)
        return 0;
    runner->flush = flush_new(&runner->plugin, runner->ops->sink, error);
    if (runner->flush == NULL)
        return -1;
    runner->refresh_timer = loop_timer(runner->plugin.loop, on_refresh, runner);
    if (runner->refresh_timer == NULL ||
        loop_watch(runner->plugin.loop, flush_fd(runner->flush), loop_readable, on_writer_done, runner) == NULL)
        return error_set(error, "cannot watch the writers");
    arm_refresh(runner, time_wall_ns());
    return 0;
}

static int start_runner(struct runner *runner, const struct plugin_start *start, struct error *error)
{
    struct plugin *plugin = &runner->plugin;

    plugin->start = start;
    plugin->settings = start->settings;
    plugin->layout = start->layout;
    plugin->counters = start->block->plugin;
    plugin->loop = loop_new(error);
    if (plugin->loop == NULL || watch_signals(runner, error) < 0 || attach_rings(runner, error) < 0)
        return -1;
    runner->control = loop_watch(plugin->loop, start->control_fd, loop_readable, on_order, runner);
    if (runner->control == NULL)
        return error_set(error, "cannot watch the control socket");
    if (runner->ops->open != NULL && runner->ops->open(plugin, error) < 0)
        return -1;
    if (runner->ops->kind == PLUGIN_SINK && start_sink(runner, error) < 0)
        return -1;
    if (runner->ops->tick != NULL) {
        runner->tick_timer = loop_timer(plugin->loop, on_tick, runner);
        if (runner->tick_timer == NULL)
            return error_set(error, "out of memory");
        loop_timer_set(runner->tick_timer, time_monotonic_ns() + time_second_ns);
    }
    loop_before_sleep(plugin->loop, before_sleep, runner);
    return 0;
}

int runner_run(const struct plugin_start *start, const struct plugin_ops *ops)
{
    struct runner *runner = calloc(1, sizeof(*runner));
    struct error error = {""};
    bool delivered = true, broken;

    if (runner == NULL)
        return 1;
    runner->ops = ops;
    if (start_runner(runner, start, &error) < 0) {
        process_report(start->control_fd, PLUGIN_REPORT_FAILED, error.text);
        return 1;
    }
    process_report(start->control_fd, PLUGIN_REPORT_READY, "");
    loop_run(runner->plugin.loop);
    if (runner->flush != NULL) {
        int64_t limit = (int64_t)runner->plugin.settings->shutdown_timeout * time_second_ns;

        delivered = flush_finish(runner->flush, time_monotonic_ns() + limit);
        flush_free(runner->flush);
    }
    publish_counters(runner);
    if (ops->close != NULL)
        ops->close(&runner->plugin);
    table_free(runner->plugin.table);
    loop_free(runner->plugin.loop);
    broken = runner->broken;
    free(runner->folded);
    free(runner);
    return broken ? 3 : delivered ? 0 : 1;
}
