/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions with real sockets: IPFIX over TCP in pieces of every size, over TLS and DTLS with good and bad certificates,
 * strangers of every kind, many peers at once, and the end.
 */
#include "core/sessions.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/time.h"
#include "unit/core/test_sessions_client.h"
#include "lib/tap.h"

#define wait_ns (5 * time_second_ns)

static char directory[] = "/tmp/flowledger-sessions-XXXXXX";
static char log_path[64];
static struct loop *loop;
static struct loop_handler *stopper;
static struct sessions *sessions;
static struct settings settings;
static uint64_t counters[INPUT_COUNTERS];
static struct pair authority, server, good, stranger, expired, early;

static struct {
    unsigned messages, closed, turns;
    size_t bytes, last_size;
    uint32_t last_session, last_closed;
    struct origin origin;
    uint8_t last[65536];
    bool refuse;
} seen;

static void on_message(void *context, const uint8_t *bytes, size_t size, const struct origin *origin)
{
    (void)context;
    seen.messages++;
    seen.bytes += size;
    seen.last_size = size;
    seen.last_session = origin->session;
    seen.origin = *origin;
    memcpy(seen.last, bytes, size);
}

static void on_closed(void *context, uint32_t session)
{
    (void)context;
    seen.closed++;
    seen.last_closed = session;
}

static bool on_allowed(void *context, const struct address *peer)
{
    (void)context;
    (void)peer;
    return !seen.refuse;
}

static void on_turn(void *context)
{
    (void)context;
    seen.turns++;
}

static const struct sessions_calls calls = {on_message, on_closed, on_allowed, on_turn};

static void on_stop(void *context, unsigned events)
{
    (void)context;
    (void)events;
    loop_stop(loop);
}

/* Lets the server run for a moment. */
static void pump(void)
{
    loop_timer_set(stopper, time_monotonic_ns() + 2000000);
    loop_run(loop);
}

static void pump_until(const unsigned *value, unsigned wanted)
{
    int64_t limit = time_monotonic_ns() + wait_ns;

    while (*value < wanted && time_monotonic_ns() < limit)
        pump();
}

static void pump_counter(enum input_counter id, uint64_t wanted)
{
    int64_t limit = time_monotonic_ns() + wait_ns;

    while (counters[id] < wanted && time_monotonic_ns() < limit)
        pump();
}

/* Whether the log has this since the last call that found something. */
static bool logged(const char *phrase)
{
    static char text[1 << 20];
    static long from;
    FILE *file = fopen(log_path, "r");
    size_t length;
    char *at;

    fseek(file, from, SEEK_SET);
    length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    at = strstr(text, phrase);
    if (at != NULL)
        from += at - text + (long)strlen(phrase);
    else
        printf("# not in the log: %s\n# the log since: %.1500s\n", phrase, text);
    return at != NULL;
}

/* A free port: bound for a moment. */
static uint16_t free_port(int type)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, type, 0);
    uint16_t port;

    bind(fd, (const struct sockaddr *)&any, sizeof(any));
    port = own_port(fd);
    close(fd);
    return port;
}

static void start(void)
{
    struct error error;

    memset(&seen, 0, sizeof(seen));
    memset(counters, 0, sizeof(counters));
    sessions = sessions_new(loop, &settings, &calls, NULL, counters, &error);
    if (sessions == NULL) {
        printf("Bail out! %s\n", error.text);
        exit(1);
    }
}

static void finish(void)
{
    sessions_stop(sessions);
    sessions_free(sessions);
    sessions = NULL;
    pump();
}

/* An IPFIX message of `size` bytes. */
static const uint8_t *message(size_t size)
{
    static uint8_t bytes[65536];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7);
    bytes[0] = 0;
    bytes[1] = 10;
    bytes[2] = (uint8_t)(size >> 8);
    bytes[3] = (uint8_t)size;
    return bytes;
}

/* Sends all, with the server running. */
static void send_all(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    int64_t limit = time_monotonic_ns() + wait_ns;

    while (size > 0 && time_monotonic_ns() < limit) {
        ssize_t count = send(fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (count > 0) {
            at += count;
            size -= (size_t)count;
        }
        pump();
    }
}

static bool server_hung_up(int fd)
{
    int64_t limit = time_monotonic_ns() + wait_ns;
    char byte;

    while (time_monotonic_ns() < limit) {
        ssize_t count = recv(fd, &byte, 1, MSG_DONTWAIT);

        if (count == 0 || (count < 0 && errno != EAGAIN))
            return true;
        pump();
    }
    return false;
}

static void test_start(void)
{
    struct settings none = {0}, one = {0};
    struct error error = {"before"};
    int taken = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char empty[80], text[256];

    ok(sessions_new(loop, &none, &calls, NULL, counters, &error) == NULL && error.text[0] == '\0',
       "without a port there is nothing to do");
    bind(taken, (const struct sockaddr *)&any, sizeof(any));
    listen(taken, 1);
    one.listen_ip = "127.0.0.1";
    one.tcp_port = own_port(taken);
    snprintf(text, sizeof(text),
             "TCP: port %u/tcp on 127.0.0.1 is taken by another program (see: ss -tlpn 'sport = :%u')",
             own_port(taken), own_port(taken));
    ok(sessions_new(loop, &one, &calls, NULL, counters, &error) == NULL, "a port that is taken is an error");
    is_text(error.text, text, "and the phrase says so");
    close(taken);

    snprintf(empty, sizeof(empty), "%s/empty", directory);
    mkdir(empty, 0700);
    one = (struct settings){.listen_ip = "127.0.0.1", .tls_port = free_port(SOCK_STREAM), .tls_path = empty,
                            .tls_verify = true};
    sessions_new(loop, &one, &calls, NULL, counters, &error);
    snprintf(text, sizeof(text), "cannot read '%s/key.pem', the private key for TLS: No such file or directory", empty);
    is_text(error.text, text, "the key is missing");
    write_key(empty, "key.pem", &server);
    sessions_new(loop, &one, &calls, NULL, counters, &error);
    ok(strstr(error.text, "/cert.pem', the certificate for TLS: No such") != NULL, "the certificate is missing");
    write_certificate(empty, "cert.pem", &good);
    sessions_new(loop, &one, &calls, NULL, counters, &error);
    ok(strstr(error.text, "/key.pem' is not the key of the certificate '") != NULL, "a key of another certificate: %s",
       error.text);
    write_certificate(empty, "cert.pem", &server);
    sessions_new(loop, &one, &calls, NULL, counters, &error);
    ok(strstr(error.text, "has neither ca.pem nor ca-certificates.crt that can be read") != NULL,
       "the authority is missing");
    write_certificate(empty, "ca-certificates.crt", &authority);
    sessions = sessions_new(loop, &one, &calls, NULL, counters, &error);
    ok(sessions != NULL, "pmacct's name for the file of authorities serves");
    sessions_free(sessions);
    write_pem(empty, "ca.pem", &(gnutls_datum_t){(unsigned char *)(uintptr_t) "nothing\n", 8});
    sessions_new(loop, &one, &calls, NULL, counters, &error);
    ok(strstr(error.text, "cannot take the certificates of authorities from '") != NULL,
       "an authority that is none: %s", error.text);
    write_certificate(empty, "ca.pem", &authority);
    write_certificate(empty, "cert.pem", &expired);
    write_key(empty, "key.pem", &expired);
    sessions = sessions_new(loop, &one, &calls, NULL, counters, &error);
    ok(sessions != NULL && logged("peers will refuse our certificate in '") && logged("it has expired on"),
       "our own certificate has expired: a warning");
    sessions_free(sessions);
}

static void test_tcp(void)
{
    static const size_t sizes[] = {16, 17, 100, 1500, 16384, 65535};
    uint32_t first;
    int fd;

    start();
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    for (unsigned i = 0; i < 40; i++)
        send_all(fd, message(40) + i, 1);
    pump_until(&seen.messages, 1);
    is_u64(seen.messages, 1, "a message that comes byte by byte is one message");
    ok(seen.last_size == 40 && memcmp(seen.last, message(40), 40) == 0, "and whole");
    ok(address_is_ipv4(&seen.origin.source) && seen.origin.source_port == own_port(fd), "it has its peer");
    ok(seen.last_session != 0 && seen.origin.arrival_ns > 0, "a number and a time");
    first = seen.last_session;
    for (unsigned i = 0; i < array_length(sizes); i++) {
        unsigned before = seen.messages;

        send_all(fd, message(sizes[i]), sizes[i]);
        pump_until(&seen.messages, before + 1);
        ok(seen.last_size == sizes[i] && memcmp(seen.last, message(sizes[i]), sizes[i]) == 0, "a message of %zu bytes",
           sizes[i]);
    }
    ok(seen.turns > 0 && seen.last_session == first, "turns are told, the number stays");
    is_u64(sessions_count(sessions), 1, "one session");
    close(fd);
    pump_counter(INPUT_sessions_closed, 1);
    is_u64(counters[INPUT_sessions_closed], 1, "closed by the peer");
    ok(seen.closed == 1 && seen.last_closed == first, "closed() tells which");
    ok(logged("TCP session 1 from 127.0.0.1:") && logged(" opened") && logged("closed: by the peer; it brought 7"),
       "the log tells of it");
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    send_all(fd, message(64), 64);
    pump_until(&seen.messages, 8);
    ok(seen.last_session != first && seen.last_session != 0, "the next session has another number");
    close(fd);
    finish();
}

/* Cuts a stream of messages of random sizes at random places. */
static void test_pieces(void)
{
    static uint8_t stream[400000];
    size_t used = 0, at = 0;
    unsigned count = 0, seed = 12345;
    int fd;

    while (used + 2000 < sizeof(stream)) {
        size_t size = 16 + (seed = seed * 1103515245 + 12345) / 65536 % 1500;

        memcpy(stream + used, message(size), size);
        used += size;
        count++;
    }
    start();
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    while (at < used) {
        size_t piece = min_u64(1 + (seed = seed * 1103515245 + 12345) / 65536 % 9000, used - at);

        send_all(fd, stream + at, piece);
        at += piece;
    }
    pump_until(&seen.messages, count);
    is_u64(seen.messages, count, "messages of a stream in random pieces");
    is_u64(seen.bytes, used, "all of its bytes");
    close(fd);
    finish();
}

static void test_tcp_strangers(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *phrase;
    } strangers[] = {
        {"GET / HTTP/1.0\r\n\r\n", 18, "broken: after 0 messages: not an IPFIX message: begins with 'GET / HTTP/1'"},
        {"\x16\x03\x01\x02\x00\x01", 6, "not an IPFIX message: begins with 16 03 01 02 00 01, which is TLS"},
        {"\x00\x09\x00\x01", 4, "begins with 00 09 00 01, which is NetFlow of a version without lengths"},
        {"\x00\x0a\x00\x0f", 4, "not an IPFIX message: its length of 15 bytes is less than its header's"},
        {"\xff", 1, "begins with ff"},
    };
    uint64_t broken;
    int fd;

    start();
    for (unsigned i = 0; i < array_length(strangers); i++) {
        fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
        send_all(fd, strangers[i].bytes, strangers[i].size);
        ok(server_hung_up(fd), "a stranger is hung up on");
        ok(logged(strangers[i].phrase), "%s", strangers[i].phrase);
        close(fd);
    }
    broken = counters[INPUT_sessions_broken];
    is_u64(broken, array_length(strangers), "each counts as broken");
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    send_all(fd, message(100), 100);
    send_all(fd, "\x00\x0a\x00\x50zzzz", 8);
    close(fd);
    pump_counter(INPUT_sessions_broken, broken + 1);
    ok(logged("broken: the peer hung up within a message: 8 bytes of it came"), "a stream that ends within a message");
    is_u64(seen.messages, 1, "what came whole before is kept");
    is_u64(seen.closed, array_length(strangers) + 1, "closed() is called for each");

    seen.refuse = true;
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    ok(server_hung_up(fd), "an address that is not allowed is hung up on");
    ok(logged("refused: its address is not in the allow file"), "with a phrase");
    is_u64(counters[INPUT_sessions_refused], 1, "and counted");
    close(fd);
    finish();
}

static void test_many(void)
{
    enum { many = 300 };
    int fds[many];
    unsigned good_numbers = 0;

    start();
    for (unsigned i = 0; i < many; i++) {
        fds[i] = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
        pump();
    }
    pump_counter(INPUT_sessions_opened, many);
    is_u64(sessions_count(sessions), many, "many sessions at once");
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < many; i++) {
            unsigned before = seen.messages;

            send(fds[i], message(50), 50, MSG_NOSIGNAL);
            pump_until(&seen.messages, before + 1);
            good_numbers += seen.origin.source_port == own_port(fds[i]) && seen.last_session == i + 1;
        }
    is_u64(good_numbers, 3 * many, "each message under the number and the port of its session");
    for (unsigned i = 0; i < many; i++)
        close(fds[i]);
    pump_counter(INPUT_sessions_closed, many);
    is_u64(seen.closed, many, "all closed");
    is_u64(sessions_count(sessions), 0, "none is left");
    finish();
}

/* More than there are places: those that never said anything make room, those that did stay. */
static void test_full(void)
{
    enum { places = 1024, more = 20 };
    static int fds[places + more];
    struct rlimit limit;
    char byte;
    int fd;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2 * places + 200) {
        ok(true, "skipped: too few descriptors # SKIP");
        return;
    }
    start();
    for (unsigned i = 0; i < places; i++) {
        fds[i] = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
        if (i % 2 == 0)
            send(fds[i], message(50), 50, MSG_NOSIGNAL);
        if (i % 16 == 15)
            pump();
    }
    pump_until(&seen.messages, places / 2);
    is_u64(sessions_count(sessions), places, "all places are taken");
    for (unsigned i = places; i < places + more; i++) {
        fds[i] = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
        send_all(fds[i], message(50), 50);
    }
    pump_until(&seen.messages, places / 2 + more);
    is_u64(seen.messages, places / 2 + more, "newcomers find room");
    is_u64(counters[INPUT_sessions_broken], more, "in place of silent ones");
    ok(recv(fds[0], &byte, 1, MSG_DONTWAIT) < 0, "one that brought messages stays");
    ok(recv(fds[1], &byte, 1, MSG_DONTWAIT) == 0, "the oldest silent one goes");
    for (unsigned i = 1; i < places; i += 2)
        send(fds[i], message(50), 50, MSG_NOSIGNAL);
    pump_until(&seen.messages, places);
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    ok(server_hung_up(fd), "when all bring messages a newcomer is refused");
    ok(logged("refused: there are too many sessions"), "with a phrase");
    close(fd);
    for (unsigned i = 0; i < places + more; i++)
        close(fds[i]);
    finish();
}

/* 1: established; -1: refused. */
static int client_handshake(struct client *client)
{
    int64_t limit = time_monotonic_ns() + wait_ns;

    while (time_monotonic_ns() < limit) {
        int code = gnutls_handshake(client->session);

        if (code == GNUTLS_E_SUCCESS)
            return 1;
        if (gnutls_error_is_fatal(code))
            return -1;
        pump();
    }
    return 0;
}

static void client_send(struct client *client, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    int64_t limit = time_monotonic_ns() + wait_ns;

    while (size > 0 && time_monotonic_ns() < limit) {
        ssize_t count = gnutls_record_send(client->session, at, size);

        if (count > 0) {
            at += count;
            size -= (size_t)count;
        }
        pump();
    }
}

static void test_tls(void)
{
    struct client *client;
    int fd;

    start();
    client = client_new(SOCK_STREAM, (uint16_t)settings.tls_port, 0, &good);
    is_u64((uint64_t)client_handshake(client), 1, "TLS with a good certificate");
    client_send(client, message(100), 100);
    pump_until(&seen.messages, 1);
    ok(seen.last_size == 100 && memcmp(seen.last, message(100), 100) == 0, "a message over TLS");
    client_send(client, message(65535), 65535);
    pump_until(&seen.messages, 2);
    ok(seen.last_size == 65535 && memcmp(seen.last, message(65535), 65535) == 0, "one of 65535 bytes");
    for (unsigned i = 0; i < 40; i++)
        client_send(client, message(40) + i, 1);
    pump_until(&seen.messages, 3);
    ok(seen.messages == 3 && seen.last_size == 40, "one byte in each record");
    ok(logged("TLS session") && logged("opened by 'CN=r1, DNS:r1.example'"), "the log has the names");
    client_free(client, true);
    pump_counter(INPUT_sessions_closed, 1);
    ok(logged("closed: by the peer; it brought 3 messages"), "a goodbye");

    client = client_new(SOCK_STREAM, (uint16_t)settings.tls_port, 0, &good);
    client_handshake(client);
    client_send(client, message(100), 100);
    client_free(client, false);
    pump_counter(INPUT_sessions_closed, 2);
    ok(logged("closed: by the peer (without the goodbye of TLS)"), "and none");

    client = client_new(SOCK_STREAM, (uint16_t)settings.tls_port, 0, &good);
    client_handshake(client);
    client_send(client, "not IPFIX at all", 16);
    pump_counter(INPUT_sessions_broken, 1);
    ok(logged("TLS session") && logged("not an IPFIX message: begins with 'not IPFIX at'"), "no IPFIX within TLS");
    client_free(client, false);

    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tls_port, 0);
    send_all(fd, message(64), 64);
    ok(server_hung_up(fd), "plain IPFIX at the port of TLS is hung up on");
    ok(logged("TLS session from 127.0.0.1:") && logged("refused: not TLS: begins with 00 0a 00 40"), "with a phrase");
    close(fd);
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tls_port, 0);
    send_all(fd, "\x16GET / HTTP/1.0\r\n", 18);
    ok(server_hung_up(fd) && logged("refused: "), "garbage after a good first byte too");
    close(fd);
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tls_port, 0);
    send_all(fd, "\x16\x03\x01", 3);
    close(fd);
    pump_counter(INPUT_sessions_refused, 3);
    ok(logged("refused: the peer hung up during the handshake"), "a peer that gives up");
    is_u64(counters[INPUT_sessions_refused], 3, "counted as refused");
    finish();
}

/* A certificate that is not good, and what is said of it. */
static void try_bad(int type, uint16_t port, const struct pair *pair, const char *name, const char *phrase)
{
    struct client *client = client_new(type, port, 0, pair);
    uint64_t before = counters[INPUT_sessions_refused];
    char byte;

    client_handshake(client);
    pump_counter(INPUT_sessions_refused, before + 1);
    is_u64(counters[INPUT_sessions_refused], before + 1, "%s: %s is refused", type == SOCK_STREAM ? "TLS" : "DTLS",
           name);
    ok(logged(phrase), "%s", phrase);
    ok(type == SOCK_DGRAM || gnutls_record_recv(client->session, &byte, 1) < 0, "and told by an alert");
    client_free(client, false);
}

static void test_certificates(int type, uint16_t port)
{
    char unsigned_phrase[160];

    start();
    snprintf(unsigned_phrase, sizeof(unsigned_phrase),
             "refused: the certificate for 'CN=s1' is not signed by %s/ca.pem", directory);
    try_bad(type, port, NULL, "no certificate", "refused: it showed no certificate, which must be signed by '");
    try_bad(type, port, &stranger, "a stranger's certificate", unsigned_phrase);
    try_bad(type, port, &expired, "one that has expired", "the certificate for 'CN=old' has expired on 20");
    try_bad(type, port, &early, "one of the future", "the certificate for 'CN=early' is not valid before 20");
    is_u64(counters[INPUT_sessions_opened], 0, "none was opened");
    finish();

    settings.tls_peer_names = "r2.example, r3.example";
    start();
    try_bad(type, port, &good, "another name",
            "the certificate for 'CN=r1, DNS:r1.example' has none of the names allowed: r2.example, r3.example");
    finish();
    for (unsigned i = 0; i < 2; i++) {
        struct client *client;

        settings.tls_peer_names = i == 0 ? "r0.example,R1.Example" : "r1";
        start();
        client = client_new(type, port, 0, &good);
        client_handshake(client);
        client_send(client, message(30), 30);
        pump_until(&seen.messages, 1);
        is_u64(seen.messages, 1, "a name that is allowed: %s", settings.tls_peer_names);
        client_free(client, true);
        finish();
    }
    settings.tls_peer_names = NULL;
    settings.tls_verify = false;
    start();
    {
        struct client *client = client_new(type, port, 0, NULL);

        client_handshake(client);
        client_send(client, message(30), 30);
        pump_until(&seen.messages, 1);
        is_u64(seen.messages, 1, "without the check any peer may come");
        client_free(client, true);
    }
    finish();
    settings.tls_verify = true;
}

static void test_dtls(void)
{
    uint16_t port = (uint16_t)settings.dtls_port, from = free_port(SOCK_DGRAM);
    struct client *client, *again;
    uint32_t first;
    int fd;

    start();
    client = client_new(SOCK_DGRAM, port, from, &good);
    is_u64((uint64_t)client_handshake(client), 1, "DTLS with a good certificate");
    client_send(client, "\x00\x05\x00\x01 as it is", 14);
    pump_until(&seen.messages, 1);
    ok(seen.last_size == 14 && memcmp(seen.last, "\x00\x05\x00\x01 as it is", 14) == 0, "a record is a datagram");
    client_send(client, message(1400), 1400);
    pump_until(&seen.messages, 2);
    ok(seen.last_size == 1400 && seen.origin.source_port == from && seen.last_session != 0, "with its origin");
    first = seen.last_session;
    ok(logged("DTLS session") && logged("opened by 'CN=r1, DNS:r1.example'"), "the log has the names");

    again = client_new(SOCK_DGRAM, port, from, &good); /* as after a crash: the same port, no goodbye */
    close(client->fd);
    client->fd = dup(again->fd);
    is_u64((uint64_t)client_handshake(again), 1, "a peer that starts anew from the same port");
    client_send(again, message(200), 200);
    pump_until(&seen.messages, 3);
    ok(seen.messages == 3 && seen.last_session != first && seen.last_closed == first,
       "its new session replaces the old");
    is_u64(sessions_count(sessions), 1, "one is left");
    ok(logged("closed: the peer began another one"), "and the log tells");
    client_free(client, false);
    client_free(again, true);
    pump_counter(INPUT_sessions_closed, 2);
    is_u64(counters[INPUT_sessions_closed], 2, "a goodbye ends a session");

    client = client_new(SOCK_DGRAM, port, 0, &good);
    client->lose = 2;
    is_u64((uint64_t)client_handshake(client), 1, "a handshake of which each second datagram is lost");
    client->lose = 0;
    client_send(client, message(300), 300);
    pump_until(&seen.messages, 4);
    is_u64(seen.messages, 4, "brings messages");
    client_free(client, true);

    fd = connect_to(SOCK_DGRAM, port, 0);
    send(fd, message(64), 64, 0);
    pump_counter(INPUT_datagrams_bad_version, 1);
    ok(logged("DTLS datagram from 127.0.0.1:") && logged("dropped: not DTLS: begins with 00 0a 00 40"),
       "plain IPFIX at the port of DTLS");
    sleep(1); /* of such lines there is one a second */
    send(fd, "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\1x", 14, 0);
    pump_counter(INPUT_datagrams_bad_version, 2);
    ok(logged("dropped: it belongs to no session: begins with 17 fe fd"), "a record without a session");
    seen.refuse = true;
    send(fd, message(64), 64, 0);
    pump_counter(INPUT_datagrams_denied, 1);
    is_u64(counters[INPUT_datagrams_received], 3, "all of them are counted");
    is_u64(counters[INPUT_datagrams_denied], 1, "one was not allowed");
    close(fd);
    finish();
}

/* True when a record in what is held is ciphered: its epoch is 1 (RFC 6347 section 4.1). */
static bool holds_ciphered(const struct client *client)
{
    for (size_t at = 0; at + 13 <= client->held;
         at += 13u + (size_t)(client->holding[at + 11] << 8 | client->holding[at + 12]))
        if (client->holding[at + 4] == 1)
            return true;
    return false;
}

/* The session that takes the place of another one ends in the very datagram that opened it. */
static void test_dtls_brief(void)
{
    uint16_t port = (uint16_t)settings.dtls_port, from = free_port(SOCK_DGRAM);
    int64_t limit = time_monotonic_ns() + wait_ns;
    struct client *client, *again;

    start();
    client = client_new(SOCK_DGRAM, port, from, &good);
    is_u64((uint64_t)client_handshake(client), 1, "a DTLS session");
    again = client_new(SOCK_DGRAM, port, from, &good);
    close(client->fd);
    client->fd = dup(again->fd);
    again->hold = true;
    while (!holds_ciphered(again) && time_monotonic_ns() < limit) {
        client_flush(again);
        gnutls_handshake(again->session);
        pump();
    }
    gnutls_alert_send(again->session, GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY);
    client_flush(again);
    pump_counter(INPUT_sessions_closed, 2);
    is_u64(counters[INPUT_sessions_opened], 2, "its peer begins another one");
    is_u64(counters[INPUT_sessions_closed], 2, "and says goodbye in the datagram that ends the handshake");
    is_u64(sessions_count(sessions), 0, "none is left");
    client_free(client, false);
    client_free(again, false);
    finish();
}

static void test_dtls_hostile(void)
{
    uint16_t port = (uint16_t)settings.dtls_port;
    uint8_t hello[200] = {22, 0xfe, 0xfd, [12] = 100, 1};
    int fd = connect_to(SOCK_DGRAM, port, 0);
    unsigned seed = 99;

    start();
    for (unsigned i = 0; i < 3000; i++) {
        size_t size = 1 + (seed = seed * 1103515245 + 12345) / 65536 % sizeof(hello);

        for (unsigned k = 14; k < sizeof(hello); k++)
            hello[k] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        hello[12] = (uint8_t)(i % 3 == 0 ? size - 13 : seed);
        send(fd, hello, size, 0);
        if (i % 50 == 0)
            pump();
    }
    pump();
    is_u64(sessions_count(sessions), 0, "greetings without a cookie make no session");
    close(fd);
    finish();
}

static void test_stop(void)
{
    struct client *client;
    int fd;

    start();
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0);
    client = client_new(SOCK_STREAM, (uint16_t)settings.tls_port, 0, &good);
    client_handshake(client);
    client_send(client, message(20), 20);
    pump_until(&seen.messages, 1);
    for (unsigned i = 0; i < 3; i++)
        send(fd, message(500), 500, 0);
    gnutls_record_send(client->session, message(600), 600);
    sessions_stop(sessions);
    is_u64(seen.messages, 5, "what had come before the stop is handed over");
    is_u64(seen.closed, 2, "and every session told as closed");
    is_u64(counters[INPUT_sessions_opened], counters[INPUT_sessions_closed] + counters[INPUT_sessions_broken],
           "opened = closed + broken");
    ok(server_hung_up(fd), "the peers are hung up on");
    sessions_free(sessions);
    sessions = NULL;
    close(fd);
    client_free(client, false);
    pump();
}

/* Takes ten seconds, by its nature: a peer that says nothing, while others go about their business. */
static void test_slow_handshake(void)
{
    int64_t begin = time_monotonic_ns();
    struct client *client;
    int fd;

    start();
    fd = connect_to(SOCK_STREAM, (uint16_t)settings.tls_port, 0);
    send_all(fd, "\x16", 1);
    client = client_new(SOCK_STREAM, (uint16_t)settings.tls_port, 0, &good);
    is_u64((uint64_t)client_handshake(client), 1, "a peer that stops in its handshake holds up nobody");
    while (counters[INPUT_sessions_refused] == 0 && time_monotonic_ns() - begin < 15 * time_second_ns) {
        close(connect_to(SOCK_STREAM, (uint16_t)settings.tcp_port, 0)); /* newcomers all the time */
        for (unsigned i = 0; i < 25; i++)
            pump();
    }
    ok(server_hung_up(fd) && time_monotonic_ns() - begin > 9 * time_second_ns, "and goes after ten seconds");
    ok(logged("refused: its handshake was not done within 10 seconds"), "with a phrase");
    client_send(client, message(20), 20);
    pump_until(&seen.messages, 1);
    is_u64(seen.messages, 1, "the other one stays");
    close(fd);
    client_free(client, true);
    finish();
}

int main(void)
{
    struct error error;
    struct log_targets targets = {.file = log_path};
    struct pair foreign;
    char command[128];

    if (mkdtemp(directory) == NULL)
        skip_all("no directory for certificates");
    snprintf(log_path, sizeof(log_path), "%s/log", directory);
    log_open(&targets, &error);
    log_started();
    authority = make_pair("Test CA", NULL, NULL, -1, 1);
    foreign = make_pair("Other CA", NULL, NULL, -1, 1);
    server = make_pair("collector", "collector.example", &authority, -1, 1);
    good = make_pair("r1", "r1.example", &authority, -1, 1);
    stranger = make_pair("s1", NULL, &foreign, -1, 1);
    expired = make_pair("old", NULL, &authority, -10, -1);
    early = make_pair("early", NULL, &authority, 1, 10);
    write_certificate(directory, "ca.pem", &authority);
    write_certificate(directory, "cert.pem", &server);
    write_key(directory, "key.pem", &server);
    loop = loop_new(&error);
    stopper = loop_timer(loop, on_stop, NULL);
    settings = (struct settings){.listen_ip = "127.0.0.1",
                                 .tcp_port = free_port(SOCK_STREAM),
                                 .tls_port = free_port(SOCK_STREAM),
                                 .dtls_port = free_port(SOCK_DGRAM),
                                 .tls_path = directory,
                                 .tls_verify = true};
    test_start();
    test_tcp();
    test_pieces();
    test_tcp_strangers();
    test_many();
    test_full();
    test_tls();
    test_certificates(SOCK_STREAM, (uint16_t)settings.tls_port);
    test_dtls();
    test_dtls_brief();
    test_certificates(SOCK_DGRAM, (uint16_t)settings.dtls_port);
    test_dtls_hostile();
    test_stop();
    test_slow_handshake();
    loop_free(loop);
    free_pair(&authority);
    free_pair(&foreign);
    free_pair(&server);
    free_pair(&good);
    free_pair(&stranger);
    free_pair(&expired);
    free_pair(&early);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    if (system(command) != 0)
        printf("# cannot remove %s\n", directory);
    return done_testing();
}
