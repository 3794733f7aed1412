/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Purges. The main thread moves the table into a writer's batch and wakes its thread; the thread delivers, tries
 * again as long as it may, and leaves a result; the main thread, told by the eventfd, takes the result in. Only the
 * main thread writes counters and log lines, and only the writer's thread touches the batch between the two.
 *
 * A batch counts whole: all of its rows are committed (or left out by preprocess), or all failed. A batch knows how
 * many records went into it, but a row does not, so when preprocess leaves rows out the records are divided in
 * proportion to the rows; their sum stays exact, and so do rows, packets and bytes.
 */
#include "plugins/common/flush_private.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define finish_grace_ns INT64_C(250000000)
#define spare_idle_max 2 /* purges without need of the spare table before it is freed */

static int make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    if (pthread_condattr_init(&attributes) != 0)
        return -1;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int result = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return result == 0 ? 0 : -1;
}

static struct flush_writer *writer_add(struct flush *flush, struct error *error)
{
    const struct settings *settings = flush->plugin->settings;
    struct flush_writer *writer = calloc(1, sizeof(*writer));

    if (!writer) {
        error_set(error, "out of memory");
        return NULL;
    }
    writer->flush = flush;
    if (trigger_init(&writer->trigger, settings->trigger_exec, settings->trigger_exec_async, error) != 0)
        goto failed;
    if (make_condition(&writer->wake) != 0) {
        error_set(error, "cannot make a condition variable");
        goto failed;
    }
    writer->writer = flush->sink->writer_new(flush->plugin, error);
    if (!writer->writer) {
        pthread_cond_destroy(&writer->wake);
        goto failed;
    }
    flush->writers[flush->writer_count++] = writer;
    return writer;
failed:
    free(writer);
    return NULL;
}

/* Signals are the main thread's business. */
static int start_thread(struct flush_writer *writer, struct error *error)
{
    sigset_t all, before;

    if (writer->thread_started)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&writer->thread, NULL, flush_writer_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return error_errno(error, code, "cannot start a writer thread");
    writer->thread_started = true;
    return 0;
}

struct flush *flush_new(struct plugin *plugin, const struct sink_ops *sink, struct error *error)
{
    const struct settings *settings = plugin->settings;
    struct flush *flush = calloc(1, sizeof(*flush));

    if (!flush) {
        error_set(error, "out of memory");
        return NULL;
    }
    flush->plugin = plugin;
    flush->refresh_seconds = (int64_t)settings->refresh_time;
    flush->sink = sink;
    flush->layout = plugin->layout;
    flush->writer_max = (unsigned)max_u64(1, min_u64(settings->max_writers, flush_writers_max));
    flush->bins = settings->history;
    if (flush->bins.count > 0)
        time_bins_start(&flush->bins, plugin->start->started_ns / time_second_ns);
    if (preprocess_parse(&flush->preprocess, settings->preprocess, settings->preprocess_type == 1, plugin->layout,
                         error) != 0) {
        free(flush);
        return NULL;
    }
    flush->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (flush->event_fd < 0) {
        error_errno(error, errno, "cannot make an eventfd");
        free(flush);
        return NULL;
    }
    pthread_mutex_init(&flush->mutex, NULL);
    if (make_condition(&flush->changed) != 0) {
        error_set(error, "cannot make a condition variable");
        goto failed;
    }
    if (writer_add(flush, error))
        return flush;
    pthread_cond_destroy(&flush->changed);
failed:
    pthread_mutex_destroy(&flush->mutex);
    close(flush->event_fd);
    free(flush);
    return NULL;
}

int flush_fd(const struct flush *flush)
{
    return flush->event_fd;
}

/* A writer that can take a batch now, made when there may be another. NULL: none. */
static struct flush_writer *free_writer(struct flush *flush)
{
    struct flush_writer *found = NULL;
    struct error error = {.text = ""};

    pthread_mutex_lock(&flush->mutex);
    for (unsigned i = 0; i < flush->writer_count && !found; i++) {
        struct flush_writer *writer = flush->writers[i];
        if (!writer->busy && !writer->answered)
            found = writer;
    }
    pthread_mutex_unlock(&flush->mutex);
    if (!found && flush->writer_count < flush->writer_max) {
        found = writer_add(flush, &error);
        if (!found)
            log_warn("cannot add a writer: %s", error.text);
    }
    if (found && start_thread(found, &error) != 0) {
        log_warn("%s", error.text);
        return NULL;
    }
    return found;
}

static void log_end(uint64_t done, uint64_t total, int64_t seconds)
{
    log_info("*** Purging cache - END (PID: %ld, QN: %" PRIu64 "/%" PRIu64 ", ET: %" PRId64 ") ***", (long)getpid(),
             done, total, seconds);
}

static void log_start(void)
{
    log_info("*** Purging cache - START (PID: %ld) ***", (long)getpid());
}

/* A purge with nothing in it and nothing to write all the same. */
static void purge_nothing(struct flush *flush)
{
    log_start();
    log_info("*** Purging cache - END (PID: %ld, QN: 0/0, ET: X) ***", (long)getpid());
    counter_add(&flush->plugin->counters[PLUGIN_purges], 1);
    if (flush->spare && ++flush->spare_idle >= spare_idle_max) {
        table_free(flush->spare);
        flush->spare = NULL;
    }
}

static uint64_t rows_of(const struct table *table)
{
    return table_rows(table) + (table_others(table) ? 1 : 0);
}

bool flush_purge(struct flush *flush, int64_t now_wall_ns)
{
    struct plugin *plugin = flush->plugin;
    uint64_t *counters = plugin->counters;
    uint64_t rows = rows_of(plugin->table);

    flush_collect(flush);
    if (rows == 0 && !plugin->settings->print_write_empty_file) {
        purge_nothing(flush);
        return true;
    }
    struct flush_writer *writer = free_writer(flush);
    struct table *next = NULL;
    if (writer)
        next = flush->spare ? flush->spare : table_new(plugin->layout, plugin->settings->table_memory_limit);
    if (!next) {
        counter_add(&counters[PLUGIN_purges_deferred], 1);
        log_debug("purge put off: all writers are busy");
        return false;
    }
    flush->spare = NULL;
    flush->spare_idle = 0;
    writer->records = table_records(plugin->table);
    writer->batch = (struct batch){
        .table = plugin->table,
        .layout = plugin->layout,
        .purge_seconds = now_wall_ns / time_second_ns,
        .rows = rows,
        .sequence = ++flush->sequence,
    };
    plugin->table = next;
    counter_add(&counters[PLUGIN_records_in_writers], writer->records);
    counter_add(&counters[PLUGIN_rows_in_writers], rows);
    counter_add(&counters[PLUGIN_rows_purged], rows);
    counter_set(&counters[PLUGIN_records_in_table], 0);
    counter_set(&counters[PLUGIN_rows_in_table], 0);
    log_start();
    pthread_mutex_lock(&flush->mutex);
    writer->busy = true;
    writer->job = true;
    writer->open = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&flush->mutex);
    return true;
}

/* The ledger's side of a batch that has ended. */
static void account(struct flush *flush, const struct flush_writer *writer, const struct flush_result *result)
{
    uint64_t *counters = flush->plugin->counters;
    uint64_t rows = writer->batch.rows, records = writer->records;

    counter_add(&counters[PLUGIN_purges], 1);
    if (result->failed) {
        flush->lost = true;
        counter_add(&counters[PLUGIN_purges_failed], 1);
        counter_add(&counters[PLUGIN_rows_failed], rows);
        counter_add(&counters[PLUGIN_records_failed], records);
    } else {
        uint64_t left_out = result->rows_preprocessed == 0 ? 0
                            : result->rows_committed == 0
                                ? records
                                : (uint64_t)((unsigned __int128)records * result->rows_preprocessed / rows);
        counter_add(&counters[PLUGIN_rows_committed], result->rows_committed);
        counter_add(&counters[PLUGIN_rows_preprocessed], result->rows_preprocessed);
        counter_add(&counters[PLUGIN_records_preprocessed], left_out);
        counter_add(&counters[PLUGIN_records_committed], records - left_out);
        counter_add(&counters[PLUGIN_packets_committed], result->packets);
        counter_add(&counters[PLUGIN_bytes_committed], result->bytes);
    }
    counter_set(&counters[PLUGIN_records_in_writers], counter_get(&counters[PLUGIN_records_in_writers]) - records);
    counter_set(&counters[PLUGIN_rows_in_writers], counter_get(&counters[PLUGIN_rows_in_writers]) - rows);
}

/* One spare is kept, so that memory is used again; not two big tables for ever. */
static void recycle(struct flush *flush, struct table *table)
{
    if (flush->spare) {
        table_free(table);
        return;
    }
    flush->spare = table;
    flush->spare_idle = 0;
}

static void collect_writer(struct flush *flush, struct flush_writer *writer)
{
    struct flush_result result = {.failed = false};
    struct batch batch = {.rows = 0};
    struct error trouble = {.text = ""};

    pthread_mutex_lock(&flush->mutex);
    bool answered = writer->answered && !writer->abandoned;
    bool troubled = writer->troubled, trigger_failed = writer->trigger_failed;
    if (answered) {
        result = writer->result;
        batch = writer->batch;
        writer->answered = false;
    }
    if (troubled || trigger_failed)
        trouble = writer->trouble;
    writer->troubled = false;
    writer->trigger_failed = false;
    pthread_mutex_unlock(&flush->mutex);

    if (trigger_failed)
        log_warn("%s", trouble.text);
    else if (troubled && !answered)
        log_warn("cannot deliver, will try again: %s", trouble.text);
    if (!answered)
        return;
    if (result.failed)
        log_error("%" PRIu64 " rows of a purge are lost: %s", batch.rows, result.error.text);
    account(flush, writer, &result);
    log_end(result.rows_committed, batch.rows, result.elapsed_seconds);
    recycle(flush, batch.table);
}

void flush_collect(struct flush *flush)
{
    uint64_t ignored;

    if (read(flush->event_fd, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN && errno != EINTR)
        log_debug("cannot read the writers' descriptor");
    for (unsigned i = 0; i < flush->writer_count; i++)
        collect_writer(flush, flush->writers[i]);
}

/* What cannot even be handed over before the deadline. */
static void give_up_table(struct flush *flush)
{
    uint64_t *counters = flush->plugin->counters;
    struct table *table = flush->plugin->table;
    uint64_t rows = rows_of(table);

    if (rows == 0)
        return;
    log_error("%" PRIu64 " rows are lost: all writers are busy at the stop", rows);
    flush->lost = true;
    counter_add(&counters[PLUGIN_rows_purged], rows);
    counter_add(&counters[PLUGIN_rows_failed], rows);
    counter_add(&counters[PLUGIN_records_failed], table_records(table));
    counter_set(&counters[PLUGIN_records_in_table], 0);
    counter_set(&counters[PLUGIN_rows_in_table], 0);
    counter_add(&counters[PLUGIN_purges_failed], 1);
    table_clear(table);
}

/* Waits for a change among the writers. False when it is later than `until_ns`. */
static bool wait_change(struct flush *flush, int64_t until_ns, bool (*wanted)(const struct flush *))
{
    pthread_mutex_lock(&flush->mutex);
    while (!wanted(flush) && time_monotonic_ns() < until_ns)
        flush_wait_until(&flush->changed, &flush->mutex, until_ns);
    bool got = wanted(flush);
    pthread_mutex_unlock(&flush->mutex);
    return got;
}

static bool one_is_free(const struct flush *flush)
{
    for (unsigned i = 0; i < flush->writer_count; i++) {
        if (!flush->writers[i]->busy)
            return true;
    }
    return false;
}

static bool all_are_free(const struct flush *flush)
{
    for (unsigned i = 0; i < flush->writer_count; i++) {
        if (flush->writers[i]->busy)
            return false;
    }
    return true;
}

/* The batches that hang in their back-end count as failed; what their writers say later is not heard. */
static void abandon(struct flush *flush)
{
    for (unsigned i = 0; i < flush->writer_count; i++) {
        struct flush_writer *writer = flush->writers[i];
        struct flush_result result = {.failed = true};

        pthread_mutex_lock(&flush->mutex);
        bool hangs = writer->open;
        if (hangs) {
            writer->open = false;
            writer->abandoned = true;
        }
        pthread_mutex_unlock(&flush->mutex);
        if (!hangs)
            continue;
        log_error("%" PRIu64 " rows of a purge are lost: the writer did not end in time", writer->batch.rows);
        account(flush, writer, &result);
        log_end(0, writer->batch.rows, 0);
    }
}

bool flush_finish(struct flush *flush, int64_t deadline_monotonic_ns)
{
    pthread_mutex_lock(&flush->mutex);
    flush->stopping = true;
    flush->deadline_ns = deadline_monotonic_ns;
    for (unsigned i = 0; i < flush->writer_count; i++)
        pthread_cond_broadcast(&flush->writers[i]->wake);
    pthread_mutex_unlock(&flush->mutex);

    while (!flush_purge(flush, time_wall_ns())) {
        /* Without memory or a thread a free writer does not help: the pause keeps this from spinning. */
        if (!wait_change(flush, deadline_monotonic_ns, one_is_free) || time_monotonic_ns() >= deadline_monotonic_ns) {
            give_up_table(flush);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000L}, NULL);
    }
    wait_change(flush, deadline_monotonic_ns + finish_grace_ns, all_are_free);
    abandon(flush);
    flush_collect(flush);
    return !flush->lost;
}

void flush_free(struct flush *flush)
{
    bool left_behind = false;

    if (!flush)
        return;
    pthread_mutex_lock(&flush->mutex);
    flush->quitting = true;
    for (unsigned i = 0; i < flush->writer_count; i++)
        pthread_cond_broadcast(&flush->writers[i]->wake);
    pthread_mutex_unlock(&flush->mutex);
    for (unsigned i = 0; i < flush->writer_count; i++) {
        struct flush_writer *writer = flush->writers[i];
        pthread_mutex_lock(&flush->mutex);
        bool busy = writer->busy;
        pthread_mutex_unlock(&flush->mutex);
        if (busy) {
            pthread_detach(writer->thread);
            left_behind = true;
            continue;
        }
        if (writer->thread_started)
            pthread_join(writer->thread, NULL);
        flush->sink->writer_free(writer->writer);
        pthread_cond_destroy(&writer->wake);
        free(writer);
    }
    table_free(flush->spare);
    flush->spare = NULL;
    if (left_behind)
        return;
    pthread_cond_destroy(&flush->changed);
    pthread_mutex_destroy(&flush->mutex);
    close(flush->event_fd);
    free(flush);
}
