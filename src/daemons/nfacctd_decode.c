/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process, the decoder and standard output: what an operator asks first when an exporter is new. The plugins'
 * side is left out; the books of the run are told on standard error at the end.
 */
#include "daemons/nfacctd_decode.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ledger.h"
#include "base/time.h"
#include "decode/netflow/netflow.h"
#include "net/capture_file.h"

static volatile sig_atomic_t asked_to_stop;

static void on_signal(int number)
{
    (void)number;
    asked_to_stop = 1;
}

static void on_flow(void *context, struct flow *flow)
{
    (void)context;
    (void)flow;
}

static void on_text(void *context, const char *text, size_t length)
{
    (void)context;
    fwrite(text, 1, length, stdout);
    fputc('\n', stdout);
}

static void on_trouble(void *context, const char *text, size_t length)
{
    (void)context;
    fprintf(stderr, "nfacctd: %.*s\n", (int)length, text);
}

static void take(struct netflow *netflow, const struct socket_datagram *datagram, int64_t arrival_ns)
{
    struct origin origin = {.source = datagram->source, .source_port = datagram->source_port, .arrival_ns = arrival_ns};

    netflow_datagram(netflow, datagram->bytes, datagram->size, &origin);
}

/* A pipe may be silent for long: what is decoded is shown, and Ctrl-C is heard. */
static bool on_wait(void *context, int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};

    (void)context;
    if (poll(&waiting, 1, 0) > 0)
        return true;
    fflush(stdout);
    while (!asked_to_stop && poll(&waiting, 1, 1000) <= 0)
        ;
    return !asked_to_stop;
}

static int decode_file(struct netflow *netflow, struct ledger *ledger, const char *path)
{
    struct capture_file *file;
    struct socket_datagram datagram;
    struct error error;
    int64_t captured_ns = 0;
    int got = -1;

    file = capture_file_open(path, &error);
    if (file == NULL) {
        fprintf(stderr, "nfacctd: %s\n", error.text);
        return 1;
    }
    capture_file_on_wait(file, on_wait, NULL);
    while (!asked_to_stop && !ferror(stdout) && (got = capture_file_next(file, &datagram, &captured_ns, &error)) > 0) {
        counter_add(&ledger->lanes[0].input[INPUT_datagrams_received], 1);
        take(netflow, &datagram, captured_ns);
        netflow_tick(netflow, captured_ns);
    }
    capture_file_close(file);
    if (got < 0 && !asked_to_stop)
        fprintf(stderr, "nfacctd: %s: %s\n", path, error.text);
    return got < 0 && !asked_to_stop;
}

static int decode_port(struct netflow *netflow, struct ledger *ledger, uint16_t port)
{
    struct socket_options options = {.port = port};
    struct socket_receiver *receiver = NULL;
    const struct socket_datagram *datagrams;
    struct error error;
    uint64_t got, dropped;
    int fd = socket_listen(&options, &got, &error);

    if (fd >= 0)
        receiver = socket_receiver_new(fd, 0);
    if (receiver == NULL) {
        fprintf(stderr, "nfacctd: %s\n", fd < 0 ? error.text : "out of memory");
        return 1;
    }
    fprintf(stderr, "nfacctd: decoding what comes to port %u/udp; end with Ctrl-C\n", port);
    while (!asked_to_stop && !ferror(stdout)) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        unsigned count;

        if (poll(&waiting, 1, 1000) < 0 && errno != EINTR)
            break;
        count = socket_receive(receiver, &datagrams, &dropped);
        counter_add(&ledger->lanes[0].input[INPUT_datagrams_received], count);
        counter_add(&ledger->lanes[0].input[INPUT_datagrams_kernel_dropped], dropped);
        for (unsigned i = 0; i < count; i++)
            take(netflow, &datagrams[i], time_wall_ns());
        netflow_tick(netflow, time_wall_ns());
        fflush(stdout);
    }
    socket_receiver_free(receiver);
    close(fd);
    return 0;
}

/* A number is a port, anything else a file. */
static bool is_port(const char *what, uint16_t *port)
{
    char *end;
    unsigned long number = strtoul(what, &end, 10);

    if (*what < '0' || *what > '9' || *end != '\0' || number == 0 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

static void say_books(const struct ledger *ledger)
{
    for (unsigned i = 0; i < INPUT_COUNTERS; i++) {
        uint64_t value = counter_get(&ledger->lanes[0].input[i]);

        if (value != 0)
            fprintf(stderr, "%s %llu\n", input_counter_table[i].name, (unsigned long long)value);
    }
}

int nfacctd_decode(const char *what)
{
    struct netflow_options options = {.hold_bytes_max = 16 << 20, .on_record = on_text, .on_trouble = on_trouble};
    struct sigaction action = {.sa_handler = on_signal};
    struct decode_output output = {.record = on_flow};
    struct netflow *netflow = NULL;
    struct ledger *ledger;
    struct error error;
    uint16_t port;
    int status;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    ledger = ledger_create(&error);
    if (ledger != NULL) {
        output.ledger = ledger;
        output.counters = ledger->lanes[0].input;
        netflow = netflow_new(&options, &output, &error);
    }
    if (netflow == NULL) {
        fprintf(stderr, "nfacctd: %s\n", error.text);
        return 1;
    }
    status = is_port(what, &port) ? decode_port(netflow, ledger, port) : decode_file(netflow, ledger, what);
    netflow_end(netflow);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = 1;
    say_books(ledger);
    netflow_free(netflow);
    ledger_free(ledger);
    return status;
}
