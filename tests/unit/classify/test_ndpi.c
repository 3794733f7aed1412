/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nDPI module, loaded as the collector does, on packets made by hand: HTTP, DNS and TLS are known by what they say,
 * on ports that say nothing; limits, giving up, idle conversations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "classify/open.h"
#include "lib/tap.h"

static const struct classifier_ops *module;

#define second_ns INT64_C(1000000000)

enum { TCP = 6, UDP = 17, SYN = 2, ACK = 0x10, PUSH = 8 };

/* -- packets -- */

struct conversation {
    uint8_t proto;
    uint16_t client_port, server_port;
    uint32_t sent[2]; /* sequence numbers: of the client, of the server */
    void *state;
};

static uint8_t packet[2048];

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* An IPv4 packet of the conversation; returns its length. */
static size_t make(struct conversation *of, bool backwards, uint8_t flags, const void *payload, size_t size)
{
    static const uint8_t hosts[2][4] = {{192, 0, 2, 1}, {198, 51, 100, 7}};
    size_t header = of->proto == TCP ? 20 : 8, whole = 20 + header + size;
    uint8_t *ip = packet, *next = packet + 20;

    memset(packet, 0, 20 + header);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)whole);
    ip[8] = 64;
    ip[9] = of->proto;
    memcpy(ip + 12, hosts[backwards], 4);
    memcpy(ip + 16, hosts[!backwards], 4);
    put16(next, backwards ? of->server_port : of->client_port);
    put16(next + 2, backwards ? of->client_port : of->server_port);
    if (of->proto == TCP) {
        put32(next + 4, of->sent[backwards]);
        put32(next + 8, of->sent[!backwards]);
        next[12] = 0x50;
        next[13] = flags;
        put16(next + 14, 65535);
        of->sent[backwards] += (uint32_t)size + (flags & SYN ? 1 : 0);
    } else {
        put16(next + 4, (unsigned)(8 + size));
    }
    memcpy(next + header, payload, size);
    return whole;
}

static char name[128];

static const char *show(struct classifier *classifier, struct conversation *of, size_t size, bool backwards,
                        int64_t now_ns)
{
    /* In memory of its own, so that the sanitizer sees each octet too far. */
    uint8_t *copy = malloc(size);
    struct span class;

    memcpy(copy, packet, size);
    class = module->packet(classifier, &of->state, copy, size, backwards, of->proto, now_ns);
    free(copy);
    snprintf(name, sizeof(name), "%.*s", (int)class.length, class.data);
    return name;
}

static const char *say(struct classifier *classifier, struct conversation *of, bool backwards, const void *payload,
                       size_t size, int64_t now_ns)
{
    return show(classifier, of, make(of, backwards, ACK | PUSH, payload, size), backwards, now_ns);
}

static void handshake(struct classifier *classifier, struct conversation *of)
{
    show(classifier, of, make(of, false, SYN, "", 0), false, second_ns);
    show(classifier, of, make(of, true, SYN | ACK, "", 0), true, second_ns);
    show(classifier, of, make(of, false, ACK, "", 0), false, second_ns);
}

static struct classifier *fresh(uint64_t flows_max, bool guess)
{
    struct classifier_options options = {.flows_max = flows_max, .guess = guess, .idle_ns = 300 * second_ns,
                                         .giveup_tcp = 10, .giveup_udp = 8, .giveup_other = 8};
    struct error error = {""};
    struct classifier *classifier = module->open(&options, &error);

    if (!ok(classifier != NULL, "nDPI starts %s", error.text))
        exit(1);
    return classifier;
}

/* -- protocols -- */

static void test_http(void)
{
    static const char request[] = "GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: test\r\n\r\n";
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello";
    struct classifier *classifier = fresh(100, false);
    struct conversation http = {TCP, 40000, 8123, {1000, 2000}, NULL};

    handshake(classifier, &http);
    is_text(name, "unknown", "before anything is said it is unknown");
    is_text(say(classifier, &http, false, request, sizeof(request) - 1, second_ns), "Unknown/HTTP",
            "HTTP by its request, with the name as pmacct writes it");
    is_text(say(classifier, &http, true, answer, sizeof(answer) - 1, second_ns), "Unknown/HTTP", "its answer too");
    for (unsigned i = 0; i < 12; i++)
        say(classifier, &http, true, "more of it", 10, second_ns);
    is_text(name, "Unknown/HTTP", "and all that follows");
    is_u64(module->counts(classifier).classified, 1, "one conversation is classified");
    is_u64(module->counts(classifier).flows, 0, "and none is looked at any more");
    module->release(classifier, http.state);
    module->close(classifier);
}

/* One question of type A; `id` is the first two octets. */
static size_t make_query(uint8_t out[128], const char *host)
{
    size_t at = 12;

    memset(out, 0, 12);
    put16(out, 0x1234);
    put16(out + 2, 0x0100);
    put16(out + 4, 1);
    while (*host != '\0') {
        size_t length = strcspn(host, ".");

        out[at] = (uint8_t)length;
        memcpy(out + at + 1, host, length);
        at += 1 + length;
        host += length + (host[length] == '.');
    }
    out[at++] = 0;
    put16(out + at, 1);
    put16(out + at + 2, 1);
    return at + 4;
}

static void test_dns(void)
{
    struct classifier *classifier = fresh(100, false);
    struct conversation plain = {UDP, 40001, 53, {0, 0}, NULL}, google = {UDP, 40002, 53, {0, 0}, NULL};
    uint8_t query[128];
    size_t size = make_query(query, "www.example.org");

    is_text(say(classifier, &plain, false, query, size, second_ns), "Unknown/DNS", "DNS by its query");
    size = make_query(query, "www.google.com");
    is_text(say(classifier, &google, false, query, size, second_ns), "DNS/Google", "and what it asks for");
    module->release(classifier, plain.state);
    module->release(classifier, google.state);
    is_u64(module->counts(classifier).flows, 0, "released conversations are not looked at");
    is_u64(module->counts(classifier).classified, 2, "and count by what was known");
    module->close(classifier);
}

/* A client hello of TLS 1.2 with a server name (RFC 5246 section 7.4.1.2, RFC 6066 section 3). */
static size_t make_hello(uint8_t out[256], const char *host)
{
    size_t length = strlen(host), extension = length + 5, at = 43;

    memset(out, 0, 256);
    memset(out + 11, 0x5a, 32); /* random */
    at = 43;
    out[at++] = 0; /* no session */
    put16(out + at, 4);
    put16(out + at + 2, 0xc02f);
    put16(out + at + 4, 0xc030);
    at += 6;
    out[at++] = 1; /* one compression: none */
    out[at++] = 0;
    put16(out + at, (unsigned)(extension + 4));
    at += 2;
    put16(out + at, 0); /* server_name */
    put16(out + at + 2, (unsigned)extension);
    put16(out + at + 4, (unsigned)(length + 3));
    out[at + 6] = 0;
    put16(out + at + 7, (unsigned)length);
    memcpy(out + at + 9, host, length);
    at += 9 + length;
    out[0] = 22;
    put16(out + 1, 0x0301);
    put16(out + 3, (unsigned)(at - 5));
    out[5] = 1;
    put16(out + 7, (unsigned)(at - 9));
    put16(out + 9, 0x0303);
    return at;
}

static void test_tls(void)
{
    struct classifier *classifier = fresh(100, false);
    struct conversation plain = {TCP, 40003, 44300, {1, 1}, NULL}, video = {TCP, 40004, 443, {1, 1}, NULL};
    uint8_t hello[256];
    size_t size = make_hello(hello, "www.example.org");

    handshake(classifier, &plain);
    is_text(say(classifier, &plain, false, hello, size, second_ns), "Unknown/TLS", "TLS by its hello");
    size = make_hello(hello, "www.youtube.com");
    handshake(classifier, &video);
    is_text(say(classifier, &video, false, hello, size, second_ns), "TLS/YouTube", "and the server that is named");
    for (unsigned i = 0; i < 12; i++)
        say(classifier, &video, false, "\x17\x03\x03\x00\x05hello", 10, second_ns);
    is_text(name, "TLS/YouTube", "it stays when nDPI has seen enough");
    module->release(classifier, plain.state);
    module->release(classifier, video.state);
    module->close(classifier);
}

/* -- limits -- */

static void test_giving_up(void)
{
    struct classifier *classifier = fresh(100, false), *guesser = fresh(100, true);
    struct conversation strange = {UDP, 40005, 61234, {0, 0}, NULL}, guessed = {TCP, 40006, 22, {5, 5}, NULL};

    for (unsigned i = 1; i <= 8; i++) {
        is_u64(module->counts(classifier).unknown, 0, "not given up before packet %u", i);
        say(classifier, &strange, i % 2 == 0, "\x99\x81 no protocol", 14, second_ns);
    }
    is_text(name, "unknown", "what nDPI does not know is unknown");
    is_u64(module->counts(classifier).unknown, 1, "it is given up after eight packets of UDP");
    is_u64(module->counts(classifier).flows, 0, "and costs nothing any more");
    module->release(classifier, strange.state);
    handshake(guesser, &guessed);
    for (unsigned i = 0; i < 7; i++)
        say(guesser, &guessed, false, "\x99\x81 no protocol", 14, second_ns);
    is_text(name, "Unknown/SSH", "where guessing is allowed the port tells");
    module->release(guesser, guessed.state);
    module->close(guesser);
    module->close(classifier);
}

static void test_no_room(void)
{
    struct classifier *classifier = fresh(2, false);
    struct conversation of[4];

    for (unsigned i = 0; i < 4; i++) {
        of[i] = (struct conversation){TCP, (uint16_t)(41000 + i), 9999, {1, 1}, NULL};
        show(classifier, &of[i], make(&of[i], false, SYN, "", 0), false, second_ns);
    }
    is_u64(module->counts(classifier).flows, 2, "no more than flows_max are looked at");
    is_u64(module->counts(classifier).no_room, 2, "the others are counted, each once");
    show(classifier, &of[3], make(&of[3], false, ACK, "", 0), false, second_ns);
    is_text(name, "unknown", "and are unknown");
    is_u64(module->counts(classifier).no_room, 2, "once");
    module->release(classifier, of[0].state);
    of[0].state = NULL;
    show(classifier, &of[0], make(&of[0], false, ACK, "", 0), false, second_ns);
    is_u64(module->counts(classifier).no_room, 2, "one that ended makes room");
    show(classifier, &of[0], make(&of[0], false, ACK, "", 0), false, 302 * second_ns);
    is_u64(module->counts(classifier).flows, 0, "idle ones are forgotten");
    is_u64(module->counts(classifier).unknown, 3, "and count as unknown");
    is_text(name, "unknown", "the class of one that was idle stays as it was");
    for (unsigned i = 0; i < 4; i++)
        module->release(classifier, of[i].state);
    module->release(classifier, NULL);
    module->close(classifier);
}

/* Any octets, any lengths: what the sanitizers say, and the books. */
static void test_hostile(void)
{
    struct classifier *classifier = fresh(64, true);
    struct conversation of[128] = {{0}};
    struct classifier_counts counts;
    uint32_t random = 12345;

    for (unsigned i = 0; i < 128; i++)
        of[i] = (struct conversation){i % 2 ? TCP : UDP, (uint16_t)(1024 + i), (uint16_t)(i * 7), {1, 1}, NULL};
    for (unsigned i = 0; i < 50000; i++) {
        struct conversation *one = &of[(random >> 8) % 128];
        uint8_t payload[64];
        size_t size;

        for (unsigned j = 0; j < sizeof(payload); j++)
            payload[j] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        size = make(one, i % 3 == 0, ACK, payload, (random >> 20) % sizeof(payload));
        if (random % 5 == 0)
            packet[(random >> 3) % size] ^= (uint8_t)(random >> 16);
        if (random % 7 == 0)
            size = 20 + (random >> 5) % (size - 20);
        show(classifier, one, size, i % 3 == 0, i * second_ns / 100);
        if (random % 11 == 0) {
            module->release(classifier, one->state);
            one->state = NULL;
        }
    }
    ok(module->counts(classifier).flows <= 64, "never more than flows_max");
    for (unsigned i = 0; i < 128; i++)
        module->release(classifier, of[i].state);
    counts = module->counts(classifier);
    is_u64(counts.flows, 0, "all are released");
    ok(counts.classified + counts.unknown > 0, "each was decided");
    module->close(classifier);
}

static void test_opening(void)
{
    struct error error = {""};

    ok(classifier_module_open("/nonexistent", &error) == NULL, "a module that is not there is an error");
    ok(strstr(error.text, "libndpi") != NULL, "that names the package");
}

int main(void)
{
    const char *build = getenv("BUILD");
    struct error error = {""};
    char folder[4096];

    snprintf(folder, sizeof(folder), "%s/src/classify/ndpi", build != NULL ? build : ".");
    module = classifier_module_open(folder, &error);
    if (module == NULL && access(folder, R_OK) == 0 && strstr(error.text, "cannot open shared object") == NULL)
        ok(false, "the module can be loaded: %s", error.text);
    else if (module == NULL)
        skip_all("the module is not built");
    if (module == NULL)
        return done_testing();
    test_opening();
    test_http();
    test_dns();
    test_tls();
    test_giving_up();
    test_no_room();
    test_hostile();
    return done_testing();
}
