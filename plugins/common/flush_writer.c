/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer's thread: takes a batch, delivers its rows through the sink, tries again as long as it may, leaves a
 * result and runs the trigger. It neither logs nor counts: that is the main thread's (flush.c).
 */
#include "plugins/common/flush_private.h"

#include "plugins/common/table.h"

#include <time.h>
#include <unistd.h>

#define run_rows 256 /* counted and handed on while they are in the cache */
#define pause_first_ns INT64_C(250000000)
#define pause_last_ns INT64_C(1000000000)
#define pause_stopping_ns INT64_C(100000000)
#define trouble_every_ns (60 * time_second_ns)

void flush_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t when_ns)
{
    struct timespec when = {.tv_sec = (time_t)(when_ns / time_second_ns), .tv_nsec = (long)(when_ns % time_second_ns)};

    pthread_cond_timedwait(condition, mutex, &when);
}

static void tell_main(struct flush *flush)
{
    uint64_t one = 1;

    /* Fails only when the counter is full, and then the descriptor is readable already. */
    if (write(flush->event_fd, &one, sizeof(one)) < 0)
        return;
}

/* The newest bin of the rows, for batch.bin_start. Without rows it is the one that the purge ends. */
static void find_bins(const struct flush *flush, struct batch *batch)
{
    int64_t newest = INT64_MIN;
    uint8_t *body;
    uint64_t count;

    if (flush->bins.count == 0)
        return;
    if (flush->layout->bin_offset >= 0) {
        for (unsigned segment = 0; (count = table_segment(batch->table, segment, &body)) > 0; segment++) {
            for (uint64_t i = 0; i < count; i++, body += flush->layout->body_bytes) {
                int64_t bin = (int64_t)load_u64(body + flush->layout->bin_offset);
                newest = bin > newest ? bin : newest;
            }
        }
    }
    if (newest == INT64_MIN)
        newest = batch->purge_seconds - 1;
    batch->bin_start = time_bin(&flush->bins, newest, &batch->bin_end);
}

static int hand_over(struct flush_writer *writer, const uint8_t *body, uint64_t count, struct error *error)
{
    const struct flush *flush = writer->flush;

    if (flush->sink->rows)
        return flush->sink->rows(writer->writer, body, count, error);
    for (; count > 0; count--, body += flush->layout->body_bytes) {
        if (flush->sink->row(writer->writer, body, error) != 0)
            return -1;
    }
    return 0;
}

/* Up to run_rows rows: counts those that are kept and hands them over in runs. */
static int deliver_run(struct flush_writer *writer, const uint8_t *body, uint64_t count, struct flush_result *result,
                       struct error *error)
{
    const struct flush *flush = writer->flush;
    const struct layout *layout = flush->layout;
    const uint8_t *end = body + count * layout->body_bytes;

    while (body < end) {
        const uint8_t *first = body;
        while (body < end && preprocess_keeps(&flush->preprocess, layout, body)) {
            result->packets += layout_value(layout, body, 0);
            result->bytes += layout_value(layout, body, 1);
            body += layout->body_bytes;
        }
        uint64_t kept = (uint64_t)(body - first) / layout->body_bytes;
        if (kept > 0 && hand_over(writer, first, kept, error) != 0)
            return -1;
        result->rows_committed += kept;
        if (body < end) {
            result->rows_preprocessed++;
            body += layout->body_bytes;
        }
    }
    return 0;
}

static int deliver_rows(struct flush_writer *writer, struct flush_result *result, struct error *error)
{
    const struct layout *layout = writer->flush->layout;
    const struct table *table = writer->batch.table;
    uint8_t *body;
    uint64_t count;

    for (unsigned segment = 0; (count = table_segment(table, segment, &body)) > 0; segment++) {
        while (count > 0) {
            uint64_t run = min_u64(count, run_rows);
            if (deliver_run(writer, body, run, result, error) != 0)
                return -1;
            body += run * layout->body_bytes;
            count -= run;
        }
    }
    /* "others" holds what totals need, so preprocess has no say. */
    const uint8_t *others = table_others(table);
    if (others) {
        result->packets += layout_value(layout, others, 0);
        result->bytes += layout_value(layout, others, 1);
        result->rows_committed++;
        return hand_over(writer, others, 1, error);
    }
    return 0;
}

static int deliver_once(struct flush_writer *writer, struct flush_result *result, struct error *error)
{
    const struct sink_ops *sink = writer->flush->sink;

    *result = (struct flush_result){.failed = false};
    if (!writer->connected && sink->connect && sink->connect(writer->writer, error) != 0)
        return -1;
    writer->connected = true;
    if (sink->begin(writer->writer, &writer->batch, error) == 0 && deliver_rows(writer, result, error) == 0 &&
        sink->commit(writer->writer, error) == 0)
        return 0;
    sink->abort(writer->writer);
    if (sink->disconnect)
        sink->disconnect(writer->writer);
    writer->connected = false;
    return -1;
}

/* Waits before the next try; leaves word of the trouble, once a minute. False when there is no time for another. */
static bool wait_for_retry(struct flush_writer *writer, const struct error *error, unsigned tries, int64_t *told_ns)
{
    struct flush *flush = writer->flush;
    int64_t now = time_monotonic_ns();
    int64_t pause = tries < 3 ? pause_first_ns << (tries - 1) : pause_last_ns;

    pthread_mutex_lock(&flush->mutex);
    if (*told_ns == 0 || now - *told_ns >= trouble_every_ns) {
        *told_ns = now;
        writer->trouble = *error;
        writer->troubled = true;
        tell_main(flush);
    }
    if (flush->stopping)
        pause = pause_stopping_ns;
    bool was_stopping = flush->stopping;
    for (int64_t until = now + pause; (now = time_monotonic_ns()) < until;) {
        if (flush->stopping && (now >= flush->deadline_ns || !was_stopping))
            break;
        flush_wait_until(&writer->wake, &flush->mutex,
                   flush->stopping && flush->deadline_ns < until ? flush->deadline_ns : until);
    }
    bool again = !flush->stopping || now < flush->deadline_ns;
    pthread_mutex_unlock(&flush->mutex);
    return again;
}

static void deliver(struct flush_writer *writer, struct flush_result *result)
{
    struct flush *flush = writer->flush;
    int64_t started = time_monotonic_ns(), told = 0;
    struct error error = {.text = ""};

    find_bins(flush, &writer->batch);
    for (unsigned tries = 1;; tries += tries < UINT32_MAX ? 1u : 0u) {
        if (deliver_once(writer, result, &error) == 0)
            break;
        if ((flush->sink->tries == 0 || tries < flush->sink->tries) && wait_for_retry(writer, &error, tries, &told))
            continue;
        *result = (struct flush_result){.failed = true, .error = error};
        break;
    }
    result->elapsed_seconds = (time_monotonic_ns() - started) / time_second_ns;
    table_clear(writer->batch.table);
}

static void run_trigger(struct flush_writer *writer, const struct batch *batch, const struct flush_result *result)
{
    struct flush *flush = writer->flush;
    const char *target = flush->sink->target ? flush->sink->target(writer->writer) : NULL;
    bool history = flush->bins.count > 0;
    struct trigger_facts facts = {
        .refresh_seconds = flush->refresh_seconds,
        .bin_start = history ? batch->bin_start : -1,
        .bin_seconds = history ? batch->bin_end - batch->bin_start : -1,
        .rows_total = batch->rows,
        .rows_delivered = result->rows_committed,
        .elapsed_seconds = result->elapsed_seconds,
        .output_file = target,
    };
    struct error error = {.text = ""};

    if (trigger_run(&writer->trigger, &facts, &error) == 0)
        return;
    pthread_mutex_lock(&flush->mutex);
    writer->trouble = error;
    writer->trigger_failed = true;
    tell_main(flush);
    pthread_mutex_unlock(&flush->mutex);
}

void *flush_writer_main(void *context)
{
    struct flush_writer *writer = context;
    struct flush *flush = writer->flush;

    pthread_mutex_lock(&flush->mutex);
    for (;;) {
        while (!writer->job && !flush->quitting)
            pthread_cond_wait(&writer->wake, &flush->mutex);
        if (!writer->job)
            break;
        writer->job = false;
        pthread_mutex_unlock(&flush->mutex);

        struct flush_result result;
        deliver(writer, &result);
        struct batch facts = writer->batch;
        bool trigger = writer->trigger.path && !result.failed;

        pthread_mutex_lock(&flush->mutex);
        writer->result = result;
        writer->open = false;
        writer->answered = true;
        writer->busy = trigger;
        tell_main(flush);
        pthread_cond_broadcast(&flush->changed);
        if (!trigger)
            continue;
        pthread_mutex_unlock(&flush->mutex);
        run_trigger(writer, &facts, &result);
        pthread_mutex_lock(&flush->mutex);
        writer->busy = false;
        pthread_cond_broadcast(&flush->changed);
    }
    pthread_mutex_unlock(&flush->mutex);
    if (writer->connected && flush->sink->disconnect)
        flush->sink->disconnect(writer->writer);
    return NULL;
}
