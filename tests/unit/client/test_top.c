/* SPDX-License-Identifier: BSD-2-Clause */
/* links: plugins/memory src/client tests/lib/memory_fixture.c tests/lib/memory_fixture.h */
/* `pmacct top` against a served table: rates, their order, what happens at a clear, the picture's width. */
#include "client/top.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "plugins/memory/memory.h"
#include "tests/lib/memory_fixture.h"
#include "tests/lib/tap.h"

enum order { ORDER_NONE, ORDER_ADD, ORDER_CLEAR, ORDER_END };

static struct memory_fixture fixture;
static struct loop_handler *worker;
static int order;

/* The table belongs to the loop's thread: what the test wants done to it is done there. */
static void on_worker(void *context, unsigned events)
{
    int what = __atomic_load_n(&order, __ATOMIC_ACQUIRE);

    (void)context;
    (void)events;
    if (what == ORDER_ADD)
        for (uint32_t i = 1; i <= 30; i++)
            memory_fixture_add(&fixture, i, 31 - i, 1000 * (uint64_t)i);
    if (what == ORDER_CLEAR)
        table_clear(fixture.plugin.table);
    if (what == ORDER_END)
        loop_stop(fixture.plugin.loop);
    __atomic_store_n(&order, ORDER_NONE, __ATOMIC_RELEASE);
    loop_timer_set(worker, time_monotonic_ns() + 1000000);
}

static void give(int what)
{
    __atomic_store_n(&order, what, __ATOMIC_RELEASE);
    while (__atomic_load_n(&order, __ATOMIC_ACQUIRE) != ORDER_NONE)
        usleep(1000);
}

static void *serve(void *context)
{
    (void)context;
    loop_run(fixture.plugin.loop);
    return NULL;
}

static char picture[64][512];
static unsigned picture_lines;

static void keep_line(void *context, unsigned number, const char *text)
{
    (void)context;
    snprintf(picture[number % 64], sizeof(picture[0]), "%s", text);
    picture_lines = number + 1;
}

static int render(const struct top *top, unsigned width, unsigned height, uint64_t scroll)
{
    struct top_view view = {.width = width, .height = height, .scroll = scroll};
    struct error error = {""};

    picture_lines = 0;
    return top_render(top, &view, keep_line, NULL, &error);
}

static void test_rates(struct top *top)
{
    struct error error = {""};
    const struct top_entry *entry;
    double seconds;

    give(ORDER_ADD);
    ok(top_take(top, &error) == 0, "first sample: %s", error.text);
    is_u64(top->now.count, 30, "its rows");
    is_u64(top->order_count, 0, "it has no rates");
    give(ORDER_ADD);
    ok(top_take(top, &error) == 0 && top->order_count == 30, "second sample: every row moved");
    entry = &top->now.entries[top->order[0]];
    is_u64(entry->bytes, 60000, "the largest in bytes comes first");
    seconds = (double)(top->now.when_ns - top->before.when_ns) / 1e9;
    ok(entry->byte_rate * seconds > 29999 && entry->byte_rate * seconds < 30001, "its rate is bytes by time");
    top->sort_by = CLIENT_PACKETS;
    top_sort(top);
    is_u64(top->now.entries[top->order[0]].packets, 60, "by packets another one is first");
    give(ORDER_CLEAR);
    give(ORDER_ADD);
    ok(top_take(top, &error) == 0, "a sample after a clear");
    seconds = (double)(top->now.when_ns - top->before.when_ns) / 1e9;
    entry = &top->now.entries[top->order[0]];
    ok(entry->packet_rate * seconds > 29.9 && entry->packet_rate * seconds < 30.1, "counts what has come since");
}

static void test_picture(struct top *top)
{
    bool fits = true;

    top->utf8 = false;
    ok(render(top, 60, 13, 0) == 0, "a picture");
    is_u64(picture_lines, 13, "as high as asked");
    for (unsigned i = 0; i < picture_lines; i++)
        fits = fits && strlen(picture[i]) <= 60;
    ok(fits, "not wider than asked");
    ok(strstr(picture[2], "SRC_IP") != NULL && strstr(picture[2], "BYTES") == NULL, "titles: %s", picture[2]);
    ok(strstr(picture[3], "10.0.0.1 ") != NULL, "the first row: %s", picture[3]);
    ok(render(top, 200, 13, 28) == 0 && picture_lines == 5, "scrolled to the end");
    ok(render(top, 10, 3, 0) == 0 && strlen(picture[2]) <= 10, "a tiny window");
}

int main(void)
{
    char directory[] = "/tmp/test_top.XXXXXX", path[64];
    struct client_options options = {.path = path, .counter = CLIENT_BYTES};
    struct error error = {""};
    pthread_t thread;
    struct top top;

    plan_none();
    if (mkdtemp(directory) == NULL)
        skip_all("no directory in /tmp");
    snprintf(path, sizeof(path), "%s/socket", directory);
    if (!memory_fixture_open(&fixture, "src_host,src_port,class", path, 0))
        return 1;
    ok(memory_open(&fixture.plugin, &error) == 0, "served: %s", error.text);
    worker = loop_timer(fixture.plugin.loop, on_worker, NULL);
    loop_timer_set(worker, 1);
    pthread_create(&thread, NULL, serve, NULL);
    top_open(&top, &options);
    test_rates(&top);
    test_picture(&top);
    top_close(&top);
    give(ORDER_END);
    pthread_join(thread, NULL);
    memory_close(&fixture.plugin);
    ok(top_take(&top, &error) < 0, "nobody serves: %s", error.text);
    memory_fixture_close(&fixture);
    rmdir(directory);
    return done_testing();
}
