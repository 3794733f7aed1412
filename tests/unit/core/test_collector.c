/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector process with a decoder that only writes down what it is asked: which lane it is, when it gets datagrams
 * and ticks, that it is asked for what it holds before its rings are closed, and what its exit status is.
 */
#include "core/collector.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/tap.h"
#include "net/socket.h"
#include "plugins/plugin.h"

#define lane_here 2

/* Shared with the collector. The order of calls is in `story`: d datagram, t tick, f flush, e end, c close. */
static struct notes {
    char story[4096];
    unsigned length, lane;
    uint64_t datagrams, ticks;
    int64_t tick_ns, arrival_ns;
    uint32_t session;
} *notes;

static struct ledger *ledger;
static struct settings settings;
static struct layout layout;
static struct ring *rings[ledger_lanes_max];
static struct emit_target target;
static struct decode_output output;

static void note(char what)
{
    bool again = what == 'f' || (notes->length > 0 && notes->story[notes->length - 1] == what);

    if (!again && notes->length + 1 < sizeof(notes->story))
        notes->story[notes->length++] = what;
}

static void *fake_open(const struct settings *core, const struct decode_output *out, struct error *error)
{
    (void)core;
    if (out->lane != lane_here) {
        error_set(error, "another lane");
        return NULL;
    }
    notes->lane = out->lane;
    output = *out;
    return notes;
}

static void give_record(void)
{
    struct flow flow;

    flow_clear(&flow);
    flow_set_packets(&flow, 1);
    flow_set_bytes(&flow, 10);
    counter_add(&output.counters[INPUT_records_decoded], 1);
    output.record(output.context, &flow);
}

static void fake_datagram(void *decoder, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    (void)decoder;
    (void)bytes;
    (void)size;
    note('d');
    notes->arrival_ns = origin->arrival_ns;
    notes->session |= origin->session;
    counter_add(&output.counters[INPUT_datagrams_decoded], 1);
    give_record();
    __atomic_fetch_add(&notes->datagrams, 1, __ATOMIC_RELEASE);
}

static void fake_tick(void *decoder, int64_t now_ns)
{
    (void)decoder;
    note('t');
    notes->tick_ns = now_ns;
    give_record();
    __atomic_fetch_add(&notes->ticks, 1, __ATOMIC_RELEASE);
}

static void fake_end(void *decoder)
{
    (void)decoder;
    note('e');
    give_record();
}

static void fake_close(void *decoder)
{
    (void)decoder;
    note('c');
}

static const struct decoder_ops ops = {
    .open = fake_open, .datagram = fake_datagram, .tick = fake_tick, .end = fake_end, .close = fake_close};
static const struct daemon fake = {
    .name = "faked", .title = "Fake", .traffic = "fake", .input = &input_socket, .decoder = &ops};

static bool reaches(const uint64_t *counter, uint64_t value)
{
    for (unsigned i = 0; i < 500 && __atomic_load_n(counter, __ATOMIC_ACQUIRE) < value; i++)
        usleep(10000);
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE) >= value;
}

/* What is in the lane's ring: flow records, and whether END closes them. */
static uint64_t read_ring(bool *ended)
{
    struct ring_reader reader;
    struct ring_header *run;
    struct error error;
    uint64_t count = 0;
    size_t bytes;

    *ended = false;
    ring_attach_reader(&reader, rings[lane_here], layout.fingerprint, &error);
    while ((run = ring_peek(&reader, &bytes)) != NULL) {
        for (size_t at = 0; at < bytes; at += ((struct ring_header *)((uint8_t *)run + at))->bytes) {
            struct ring_header *header = (struct ring_header *)((uint8_t *)run + at);

            count += header->kind == RING_FLOW && !*ended;
            *ended = *ended || header->kind == RING_END;
        }
        ring_consume(&reader, bytes);
    }
    return count;
}

static void set_up(void)
{
    struct layout_options options = {.base_time = FIELD_TIMESTAMP_ARRIVAL};
    struct error error;

    notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ledger = ledger_create(&error);
    ledger->lane_count = lane_here + 1;
    ledger->plugin_count = 1;
    aggregate_parse(&settings.aggregate, "src_port", &error);
    layout_compile(&layout, &settings.aggregate, &options, &error);
    for (unsigned lane = 0; lane <= lane_here; lane++)
        rings[lane] = ring_create(65536, layout.fingerprint, &error);
    target = (struct emit_target){
        .settings = &settings, .layout = &layout, .rings = rings, .block = &ledger->plugins[0]};
    settings.shutdown_timeout = 5;
}

/* Forks the collector; *control gets this end of its control socket. */
static pid_t start(unsigned lane, int socket_fd, int *control)
{
    struct collector_start begin = {.daemon = &fake, .settings = &settings, .ledger = ledger, .targets = &target,
                                    .target_count = 1, .lane = lane, .socket_fd = socket_fd};
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        begin.control_fd = ends[1];
        _exit(collector_run(&begin));
    }
    close(ends[1]);
    *control = ends[0];
    return pid;
}

static void check_life(void)
{
    struct socket_options listen = {.address = "127.0.0.1"};
    struct sockaddr_in to;
    socklen_t length = sizeof(to);
    char report[512] = "", order;
    struct error error;
    uint64_t got, sent = 0;
    int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = socket_listen(&listen, &got, &error);
    int control, status;
    pid_t pid = start(lane_here, fd, &control);
    bool ended;

    getsockname(fd, (struct sockaddr *)&to, &length);
    ok(recv(control, report, sizeof(report), 0) > 0 && report[0] == PLUGIN_REPORT_READY, "it is ready");
    is_u64(notes->lane, lane_here, "the decoder knows its lane");
    sent += sendto(sender, "early", 5, 0, (struct sockaddr *)&to, length) == 5;
    usleep(200000);
    is_u64(notes->datagrams, 0, "before the order to start it takes nothing");
    order = PLUGIN_COMMAND_START;
    ok(send(control, &order, 1, 0) == 1, "the order");
    ok(reaches(&notes->datagrams, 1), "then it takes what has waited");
    ok(reaches(&notes->ticks, 2), "the decoder hears the clock");
    ok(notes->tick_ns >= notes->arrival_ns && notes->tick_ns - notes->arrival_ns < INT64_C(10000000000),
       "which is the clock of the datagrams");
    for (unsigned i = 0; i < 100; i++)
        sent += sendto(sender, "more", 4, 0, (struct sockaddr *)&to, length) == 4;
    order = PLUGIN_COMMAND_STOP;
    ok(send(control, &order, 1, 0) == 1, "the order to stop");
    ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "ends in good order");
    is_u64(notes->datagrams, sent, "what the kernel held is taken first");
    ok(strstr(notes->story, "ec") != NULL && notes->story[notes->length - 1] == 'c', "then what the decoder holds: %s",
       notes->story);
    is_u64(notes->session, 0, "datagrams belong to no session");
    is_u64(read_ring(&ended), notes->datagrams + notes->ticks + 1, "records of ticks and of the end are in the ring");
    ok(ended, "and END after the last one");
    is_u64(ledger->lanes[lane_here].input[INPUT_datagrams_received], sent, "counted in its lane");
    is_u64(ledger_input(ledger, INPUT_datagrams_received), sent, "and in no other");
    is_u64(ledger_emit(ledger, 0, EMIT_records_emitted), notes->datagrams + notes->ticks + 1, "as many as emitted");
    close(control);
    close(sender);
    close(fd);
}

static void check_refused(void)
{
    char report[512] = "";
    int control, status;
    pid_t pid = start(0, -1, &control);

    ok(recv(control, report, sizeof(report) - 1, 0) > 0 && report[0] == PLUGIN_REPORT_FAILED, "a decoder that refuses");
    is_text(report + 1, "another lane", "says why");
    ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1, "and the collector fails");
    close(control);
}

int main(void)
{
    plan_none();
    set_up();
    check_life();
    check_refused();
    for (unsigned lane = 0; lane <= lane_here; lane++)
        ring_free(rings[lane]);
    ledger_free(ledger);
    munmap(notes, sizeof(*notes));
    return done_testing();
}
