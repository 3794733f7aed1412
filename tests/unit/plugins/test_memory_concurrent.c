/* SPDX-License-Identifier: BSD-2-Clause */
/* links: plugins/memory src/client tests/lib/memory_fixture.c tests/lib/memory_fixture.h */
/*
 * The memory plugin under load: its loop adds records all the time on one thread while clients read over the real
 * socket. Each turn of the writer adds one packet of 100 bytes to every row, so in any true snapshot all rows are
 * alike; and what clients read and reset must in the end sum to what was added.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "client/rows.h"
#include "plugins/memory/memory.h"
#include "tests/lib/memory_fixture.h"
#include "tests/lib/tap.h"

#define row_count 5000
#define reads 60
#define pause_ns INT64_C(2000000)

static struct memory_fixture fixture;
static struct loop_handler *writer;
static uint64_t added; /* packets; the loop's thread, read after it ended */
static bool stop;

static void on_writer(void *context, unsigned events)
{
    (void)context;
    (void)events;
    if (__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        loop_stop(fixture.plugin.loop);
        return;
    }
    for (uint32_t i = 0; i < row_count; i++)
        memory_fixture_add(&fixture, i, 1, 100);
    added += row_count;
    loop_timer_set(writer, time_monotonic_ns() + pause_ns);
}

static void *serve(void *context)
{
    (void)context;
    loop_run(fixture.plugin.loop);
    return NULL;
}

struct reading {
    uint64_t rows, packets, lowest, highest;
    bool good;
};

static struct reading read_table(const char *path, uint32_t flags)
{
    struct reading reading = {.lowest = UINT64_MAX, .good = true};
    struct connection connection;
    struct error error = {""};
    struct rows rows;
    const uint8_t *row;
    uint64_t count;
    int more = 0;

    if (rows_open(&rows, &error) < 0 || connection_open(&connection, path, &error) < 0 ||
        connection_ask(&connection, QUERY_TABLE, flags, NULL, 0, &error) < 0)
        reading.good = false;
    while (reading.good && (more = rows_next(&rows, &connection, &row, &count, &error)) > 0)
        for (; count > 0; count--, row += rows.layout.body_bytes) {
            uint64_t packets = layout_value(&rows.layout, row, 0);

            reading.rows++;
            reading.packets += packets;
            reading.lowest = min_u64(reading.lowest, packets);
            reading.highest = max_u64(reading.highest, packets);
            if (layout_value(&rows.layout, row, 1) != packets * 100)
                reading.good = false;
        }
    if (more < 0)
        reading.good = false;
    connection_close(&connection);
    rows_close(&rows);
    return reading;
}

int main(void)
{
    char directory[] = "/tmp/test_memory.XXXXXX", path[64];
    uint64_t got = 0, empty = 0;
    bool alike = true, good = true;
    struct error error = {""};
    struct stat status;
    pthread_t thread;

    plan_none();
    if (mkdtemp(directory) == NULL)
        skip_all("no directory in /tmp");
    snprintf(path, sizeof(path), "%s/socket", directory);
    if (!memory_fixture_open(&fixture, "src_host,src_port", path, 0))
        return 1;
    ok(memory_open(&fixture.plugin, &error) == 0, "the socket opens: %s", error.text);
    ok(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600, "mode 0600");
    writer = loop_timer(fixture.plugin.loop, on_writer, NULL);
    loop_timer_set(writer, 1);
    pthread_create(&thread, NULL, serve, NULL);
    for (unsigned i = 0; i < reads; i++) {
        struct reading reading = read_table(path, i % 3 == 2 ? 0 : query_reset);

        good = good && reading.good;
        if (i % 3 != 2)
            got += reading.packets;
        empty += reading.rows == 0;
        alike = alike && (reading.rows == 0 || (reading.rows == row_count && reading.lowest == reading.highest));
    }
    ok(good, "every answer is whole and every row's bytes fit its packets");
    ok(alike, "every answer is one point in time");
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    for (uint64_t i = 0; i < table_rows(fixture.plugin.table); i++)
        got += layout_value(&fixture.layout, table_row(fixture.plugin.table, i), 0);
    is_u64(got, added, "what was read and reset, and what is left, is what was added");
    ok(empty < reads, "some answers had rows");
    is_u64(fixture.plugin.counters[PLUGIN_clients_served], reads, "every request is counted");
    memory_close(&fixture.plugin);
    ok(stat(path, &status) < 0, "the socket is removed");
    memory_fixture_close(&fixture);
    rmdir(directory);
    return done_testing();
}
