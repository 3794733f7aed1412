/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/common/flush: every way a batch can end, and that the counters sum after each. */
#include "plugins/common/flush.h"

#include "base/log.h"
#include "lib/tap.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct layout layout, layout_history;
static struct settings settings;
static struct plugin_start start;
static uint64_t counters[PLUGIN_COUNTERS];
static struct plugin plugin;
static uint64_t added;
static struct error error;
static char log_path[] = "/tmp/test_flush.XXXXXX";
static struct flush *hung;

/* The sink: what it shall do, and what it saw. Guarded by the mutex, since writers are threads. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t released;
    int fail_connect, fail_begin, fail_row, fail_commit; /* so many times more */
    bool hold;                                           /* commit waits */
    unsigned connects, begins, commits, aborts, disconnects, writers;
    uint64_t rows, committed_rows, last_sequence;
    int64_t bin_start, bin_end;
} sink = {.mutex = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

static int may_fail(int *times, const char *what, struct error *why)
{
    return *times > 0 && (*times)-- > 0 ? error_set(why, "no %s", what) : 0;
}

static int sink_connect(void *writer, struct error *why)
{
    (void)writer;
    pthread_mutex_lock(&sink.mutex);
    sink.connects++;
    int result = may_fail(&sink.fail_connect, "connection", why);
    pthread_mutex_unlock(&sink.mutex);
    return result;
}

static int sink_begin(void *writer, const struct batch *batch, struct error *why)
{
    pthread_mutex_lock(&sink.mutex);
    *(uint64_t *)writer = 0;
    sink.begins++;
    sink.last_sequence = batch->sequence;
    sink.bin_start = batch->bin_start;
    sink.bin_end = batch->bin_end;
    int result = may_fail(&sink.fail_begin, "begin", why);
    pthread_mutex_unlock(&sink.mutex);
    return result;
}

static int sink_row(void *writer, const uint8_t *body, struct error *why)
{
    (void)body;
    pthread_mutex_lock(&sink.mutex);
    sink.rows++;
    int result = ++*(uint64_t *)writer == 3 ? may_fail(&sink.fail_row, "row", why) : 0;
    pthread_mutex_unlock(&sink.mutex);
    return result;
}

static int sink_rows(void *writer, const uint8_t *first, uint64_t count, struct error *why)
{
    for (; count > 0; count--, first += layout.body_bytes) {
        if (sink_row(writer, first, why) != 0)
            return -1;
    }
    return 0;
}

static int sink_commit(void *writer, struct error *why)
{
    pthread_mutex_lock(&sink.mutex);
    while (sink.hold)
        pthread_cond_wait(&sink.released, &sink.mutex);
    int result = may_fail(&sink.fail_commit, "commit", why);
    if (result == 0) {
        sink.commits++;
        sink.committed_rows += *(uint64_t *)writer;
    }
    pthread_mutex_unlock(&sink.mutex);
    return result;
}

static void sink_abort(void *writer)
{
    (void)writer;
    pthread_mutex_lock(&sink.mutex);
    sink.aborts++;
    pthread_mutex_unlock(&sink.mutex);
}

static void sink_disconnect(void *writer)
{
    (void)writer;
    pthread_mutex_lock(&sink.mutex);
    sink.disconnects++;
    pthread_mutex_unlock(&sink.mutex);
}

static void *sink_writer_new(struct plugin *of, struct error *why)
{
    (void)of;
    (void)why;
    sink.writers++;
    return calloc(1, sizeof(uint64_t));
}

static struct sink_ops ops = {
    .connect = sink_connect,
    .begin = sink_begin,
    .row = sink_row,
    .commit = sink_commit,
    .abort = sink_abort,
    .disconnect = sink_disconnect,
    .writer_new = sink_writer_new,
    .writer_free = free,
};

static void compile(struct layout *to, bool history)
{
    struct aggregate aggregate;
    struct layout_options options = {.history = history, .base_time = FIELD_TIMESTAMP_ARRIVAL};

    memset(&aggregate, 0, sizeof(aggregate));
    if (aggregate_parse(&aggregate, "src_port", &error) != 0 ||
        layout_compile(to, &aggregate, &options, &error) != 0)
        skip_all(error.text);
}

/* `count` rows of two records each, packets = number of the row in each record. */
static void add_rows(uint64_t first, uint64_t count)
{
    const struct layout *of = plugin.layout;
    uint8_t _Alignas(8) body[layout_key_max + 8 * layout_values_max];
    uint8_t *bodies[] = {body};

    for (uint64_t i = first; i < first + count; i++) {
        for (unsigned k = 0; k < 2; k++) {
            memset(body, 0, sizeof(body));
            uint16_t port = (uint16_t)i;
            memcpy(body + layout_find(of, FIELD_SRC_PORT)->offset, &port, 2);
            if (of->bin_offset >= 0)
                store_u64(body + of->bin_offset, i < first + count / 2 ? 300 : 600);
            store_u64(body + of->key_bytes, i);
            store_u64(body + of->key_bytes + 8, 100 * i);
            table_add(plugin.table, bodies, 1);
        }
    }
    added += 2 * count;
    counters[PLUGIN_records_in_table] = table_records(plugin.table);
}

static void balanced(const char *when)
{
    is_u64(counters[PLUGIN_records_in_table] + counters[PLUGIN_records_in_writers] +
               counters[PLUGIN_records_committed] + counters[PLUGIN_records_failed] +
               counters[PLUGIN_records_preprocessed],
           added, "%s: every record is somewhere", when);
    is_u64(counters[PLUGIN_rows_in_writers] + counters[PLUGIN_rows_committed] + counters[PLUGIN_rows_failed] +
               counters[PLUGIN_rows_preprocessed],
           counters[PLUGIN_rows_purged], "%s: every row too", when);
}

static struct flush *begin_test(const struct layout *of)
{
    static uint64_t cleared[PLUGIN_COUNTERS];

    memcpy(counters, cleared, sizeof(counters));
    added = 0;
    pthread_mutex_lock(&sink.mutex);
    sink.connects = sink.begins = sink.commits = sink.aborts = sink.disconnects = sink.writers = 0;
    sink.rows = sink.committed_rows = sink.last_sequence = 0;
    pthread_mutex_unlock(&sink.mutex);
    start.settings = &settings;
    start.layout = of;
    plugin = (struct plugin){.start = &start, .settings = &settings, .layout = of, .counters = counters};
    plugin.table = table_new(of, 0);
    struct flush *flush = flush_new(&plugin, &ops, &error);
    if (!flush)
        skip_all(error.text);
    return flush;
}

static bool end_test(struct flush *flush, int milliseconds)
{
    bool all = flush_finish(flush, time_monotonic_ns() + milliseconds * INT64_C(1000000));

    balanced("at the end");
    is_u64(counters[PLUGIN_records_in_writers] + counters[PLUGIN_rows_in_writers], 0, "writers are empty");
    is_u64(counters[PLUGIN_records_in_table], 0, "the table is empty");
    flush_free(flush);
    table_free(plugin.table);
    return all;
}

/* Waits, as the runner's loop does, until `counter` is `want` or five seconds are over. */
static void wait_counter(struct flush *flush, enum plugin_counter counter, uint64_t want)
{
    struct pollfd pollfd = {.fd = flush_fd(flush), .events = POLLIN};

    for (int i = 0; i < 50 && counters[counter] != want; i++) {
        poll(&pollfd, 1, 100);
        flush_collect(flush);
    }
    is_u64(counters[counter], want, "%s reached", plugin_counter_table[counter].name);
}

static const char *log_text(void)
{
    static char text[65536];
    FILE *file = fopen(log_path, "r");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

    text[n] = '\0';
    if (file)
        fclose(file);
    return text;
}

static bool logged(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool logged(const char *format, ...)
{
    char line[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    return strstr(log_text(), line) != NULL;
}

static void test_success(void)
{
    struct flush *flush = begin_test(&layout);

    ok(flush_purge(flush, time_second_ns), "an empty purge");
    is_u64(sink.begins, 0, "does not bother the sink");
    ok(logged("INFO ( t/test ): *** Purging cache - START (PID: %ld) ***\n", (long)getpid()), "START line");
    ok(logged("INFO ( t/test ): *** Purging cache - END (PID: %ld, QN: 0/0, ET: X) ***\n", (long)getpid()),
       "END line of an empty one");
    add_rows(1, 1000);
    struct table *before = plugin.table;
    ok(flush_purge(flush, time_second_ns), "moved");
    ok(plugin.table != before && table_rows(plugin.table) == 0, "an empty table goes on");
    add_rows(1, 10);
    balanced("while delivering");
    wait_counter(flush, PLUGIN_rows_committed, 1000);
    is_u64(sink.committed_rows, 1000, "the sink has them");
    is_u64(counters[PLUGIN_packets_committed], 2 * 500500, "packets");
    is_u64(counters[PLUGIN_bytes_committed], 100 * 2 * 500500, "bytes");
    is_u64(counters[PLUGIN_records_committed], 2000, "records");
    ok(logged("*** Purging cache - END (PID: %ld, QN: 1000/1000, ET: 0) ***", (long)getpid()), "END line");
    ok(flush_purge(flush, 2 * time_second_ns), "a second one");
    ok(plugin.table == before, "the memory of the first is used again");
    ok(end_test(flush, 2000), "finished with nothing lost");
    is_u64(counters[PLUGIN_rows_committed], 1010, "all rows");
    is_u64(sink.connects, 1, "one connection for all");
    is_u64(sink.disconnects, 1, "ended once");
}

static void test_rows_and_preprocess(void)
{
    settings.preprocess = "minp=16, maxb=2";
    settings.preprocess_type = 0;
    ops.rows = sink_rows;
    struct flush *flush = begin_test(&layout);
    add_rows(1, 1000);
    ok(end_test(flush, 2000), "finished");
    ops.rows = NULL;
    settings.preprocess = NULL;
    is_u64(counters[PLUGIN_rows_preprocessed], 7, "rows left out (2 packets in each of 1..7 and fewer than 16)");
    is_u64(counters[PLUGIN_rows_committed], 993, "the others are there");
    is_u64(sink.committed_rows, 993, "the sink has those");
    is_u64(counters[PLUGIN_packets_committed], 2 * (500500 - 28), "packets of those only");
    is_u64(counters[PLUGIN_records_preprocessed], 14, "records by proportion");
    ok(logged("QN: 993/1000, ET: 0"), "QN tells both");
}

static void test_failures(void)
{
    struct flush *flush;

    ops.tries = 2;
    sink.fail_row = 2;
    flush = begin_test(&layout);
    add_rows(1, 10);
    flush_purge(flush, time_second_ns);
    wait_counter(flush, PLUGIN_rows_failed, 10);
    is_u64(counters[PLUGIN_purges_failed], 1, "one purge failed");
    is_u64(sink.aborts, 2, "each try was aborted");
    is_u64(counters[PLUGIN_packets_committed], 0, "no packet counts as delivered");
    ok(logged("WARN ( t/test ): cannot deliver, will try again: no row"), "the trouble is told");
    ok(logged("ERROR ( t/test ): 10 rows of a purge are lost: no row"), "the loss too");
    ok(logged("QN: 0/10, ET: "), "QN is honest");
    ok(!end_test(flush, 1000), "finish tells of the loss");

    ops.tries = 0;
    sink.fail_connect = 1;
    sink.fail_begin = 1;
    sink.fail_commit = 1;
    flush = begin_test(&layout);
    add_rows(1, 10);
    flush_purge(flush, time_second_ns);
    wait_counter(flush, PLUGIN_rows_committed, 10);
    is_u64(sink.connects, 4, "connected again after each failure");
    is_u64(sink.aborts, 2, "begin and commit were aborted");
    is_u64(sink.committed_rows, 10, "delivered once");
    is_u64(sink.last_sequence, 1, "it was one batch");
    ok(end_test(flush, 1000), "nothing lost");
}

static void test_slow(void)
{
    struct flush *flush;

    settings.max_writers = 1;
    sink.hold = true;
    flush = begin_test(&layout);
    add_rows(1, 10);
    ok(flush_purge(flush, time_second_ns), "moved");
    add_rows(11, 10);
    ok(!flush_purge(flush, time_second_ns), "the only writer is busy: put off");
    is_u64(counters[PLUGIN_purges_deferred], 1, "counted");
    is_u64(table_rows(plugin.table), 10, "the rows stay");
    balanced("put off");
    pthread_mutex_lock(&sink.mutex);
    sink.hold = false;
    pthread_cond_broadcast(&sink.released);
    pthread_mutex_unlock(&sink.mutex);
    wait_counter(flush, PLUGIN_rows_committed, 10);
    ok(end_test(flush, 2000), "the rest follows");
    is_u64(counters[PLUGIN_rows_committed], 20, "all");

    settings.max_writers = 3;
    sink.hold = true;
    flush = begin_test(&layout);
    for (unsigned i = 0; i < 4; i++) {
        add_rows(1 + 10 * i, 10);
        ok(flush_purge(flush, time_second_ns) == (i < 3), "purge %u", i);
    }
    is_u64(sink.writers, 3, "three writers");
    pthread_mutex_lock(&sink.mutex);
    sink.hold = false;
    pthread_cond_broadcast(&sink.released);
    pthread_mutex_unlock(&sink.mutex);
    ok(end_test(flush, 2000), "nothing lost");
    is_u64(counters[PLUGIN_rows_committed], 40, "all");
    settings.max_writers = 10;
}

static void test_stop(void)
{
    struct flush *flush;
    int64_t begun;

    sink.fail_commit = 1000000;
    flush = begin_test(&layout);
    add_rows(1, 10);
    flush_purge(flush, time_second_ns);
    add_rows(11, 5);
    begun = time_monotonic_ns();
    ok(!end_test(flush, 400), "a back-end that fails to the end: lost");
    int64_t took = (time_monotonic_ns() - begun) / 1000000;
    ok(took >= 350 && took < 1500, "it was tried until the deadline (%" PRId64 " ms)", took);
    is_u64(counters[PLUGIN_rows_failed], 15, "counted");
    sink.fail_commit = 0;

    settings.max_writers = 1;
    sink.hold = true;
    flush = begin_test(&layout);
    hung = flush;
    add_rows(1, 10);
    flush_purge(flush, time_second_ns);
    add_rows(11, 5);
    begun = time_monotonic_ns();
    ok(!end_test(flush, 300), "a back-end that hangs: lost");
    took = (time_monotonic_ns() - begun) / 1000000;
    ok(took < 1500, "the stop did not hang with it (%" PRId64 " ms)", took);
    is_u64(counters[PLUGIN_rows_failed], 15, "what hangs and what was still in the table");
    ok(logged("the writer did not end in time"), "told");
}

static void test_history(void)
{
    struct flush *flush;

    settings.history = (struct time_bins){.count = 5, .unit = TIME_UNIT_MINUTE, .utc = true};
    sink.hold = false;
    flush = begin_test(&layout_history);
    add_rows(1, 10);
    ok(end_test(flush, 2000), "delivered");
    is_u64((uint64_t)sink.bin_start, 600, "the newest bin");
    is_u64((uint64_t)sink.bin_end, 900, "and its end");
    settings.print_write_empty_file = true;
    flush = begin_test(&layout_history);
    ok(flush_purge(flush, 900 * time_second_ns), "an empty purge that is wanted");
    wait_counter(flush, PLUGIN_purges, 1);
    is_u64(sink.commits, 1, "reached the sink");
    is_u64((uint64_t)sink.bin_start, 600, "for the bin that ended");
    settings.print_write_empty_file = false;
    ok(end_test(flush, 1000), "finished");
    settings.history.count = 0;
}

static void test_refused(void)
{
    settings.preprocess = "nonsense";
    plugin.layout = &layout;
    ok(!flush_new(&plugin, &ops, &error), "bad preprocess: %s", error.text);
    settings.preprocess = NULL;
    settings.trigger_exec = "relative";
    ok(!flush_new(&plugin, &ops, &error), "bad trigger: %s", error.text);
    settings.trigger_exec = NULL;
}

int main(void)
{
    struct log_targets targets = {.file = log_path};
    int fd = mkstemp(log_path);

    plan_none();
    if (fd < 0 || log_open(&targets, &error) != 0)
        skip_all("no log file");
    close(fd);
    log_identity("t", "test");
    settings.max_writers = 10;
    settings.refresh_time = 60;
    compile(&layout, false);
    compile(&layout_history, true);
    test_success();
    test_rows_and_preprocess();
    test_failures();
    test_slow();
    test_history();
    test_refused();
    test_stop(); /* last: it leaves a thread behind on purpose */
    unlink(log_path);
    return done_testing();
}
