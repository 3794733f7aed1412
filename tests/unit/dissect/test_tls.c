/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS: hellos made here byte by byte, whole, in pieces, in several records, cut by the capture; and tls_sni
 * afterwards.
 */
#include "fixture.h"

#include "dissect/tls_hello.h"

static struct fixture fixture;

struct bytes {
    size_t size;
    uint8_t at[8192];
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes->at + bytes->size, data, size);
    bytes->size += size;
}

static void put_number(struct bytes *bytes, size_t value, unsigned width)
{
    while (width-- > 0)
        bytes->at[bytes->size++] = (uint8_t)(value >> (8 * width));
}

static void put_extension(struct bytes *bytes, unsigned type, const void *data, size_t size)
{
    put_number(bytes, type, 2);
    put_number(bytes, size, 2);
    put(bytes, data, size);
}

/* A handshake message around `body`. */
static struct bytes message(unsigned type, const struct bytes *body)
{
    struct bytes whole = {.size = 0};

    put_number(&whole, type, 1);
    put_number(&whole, body->size, 3);
    put(&whole, body->at, body->size);
    return whole;
}

static void put_record(struct bytes *bytes, unsigned type, const void *data, size_t size)
{
    put_number(bytes, type, 1);
    put_number(bytes, 0x0301, 2);
    put_number(bytes, size, 2);
    put(bytes, data, size);
}

static struct bytes client_message(const char *name, size_t padding)
{
    struct bytes body = {.size = 0}, extensions = {.size = 0}, part = {.size = 0};

    put_number(&body, 0x0303, 2);
    memset(body.at + body.size, 7, 32);
    body.size += 32;
    put_number(&body, 0, 1);
    put_number(&body, 8, 2);
    put(&body, "\x1a\x1a\x13\x01\x13\x02\xc0\x2f", 8); /* the first is GREASE */
    put(&body, "\1\0", 2);
    if (name != NULL) {
        put_number(&part, strlen(name) + 3, 2);
        put_number(&part, 0, 1);
        put_number(&part, strlen(name), 2);
        put(&part, name, strlen(name));
        put_extension(&extensions, 0, part.at, part.size);
    }
    part.size = 0;
    memset(part.at, 0, padding);
    put_extension(&extensions, 21, part.at, padding);
    put_extension(&extensions, 43, "\6\xfa\xfa\x03\x04\x03\x03", 7);
    put_extension(&extensions, 16, "\0\x0c\2h2\x08http/1.1", 14);
    put_extension(&extensions, 35, "", 0);
    put_number(&body, extensions.size, 2);
    put(&body, extensions.at, extensions.size);
    return message(1, &body);
}

static struct bytes client_hello(const char *name, size_t padding)
{
    struct bytes record = {.size = 0}, hello = client_message(name, padding);

    put_record(&record, 22, hello.at, hello.size);
    return record;
}

static struct bytes server_hello(bool retry, bool new)
{
    static const char random[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                                 "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
    struct bytes body = {.size = 0}, record = {.size = 0};

    put_number(&body, 0x0303, 2);
    memset(body.at + body.size, 9, 32);
    if (retry)
        memcpy(body.at + body.size, random, 32);
    body.size += 32;
    put_number(&body, 0, 1);
    put_number(&body, new ? 0x1302 : 0xcc14, 2);
    put_number(&body, 0, 1);
    if (new) {
        put_number(&body, 6 + 6, 2);
        put_extension(&body, 43, "\3\4", 2);
        put_extension(&body, 41, "\0\0", 2);
    } else {
        put_number(&body, 9, 2);
        put_extension(&body, 16, "\0\3\2h2", 5);
    }
    body = message(2, &body);
    put_record(&record, 22, body.at, body.size);
    return record;
}

static void send(struct fixture_talk *talk, unsigned side, const struct bytes *bytes)
{
    fixture_send(&fixture, talk, side, bytes->at, bytes->size);
}

static void test_handshake(void)
{
    struct bytes client = client_hello("WWW.Example.org", 0), server = server_hello(false, true);
    struct fixture_talk talk;
    const char *lines;

    if (!fixture_open(&fixture))
        return;
    talk = fixture_connect(&fixture, 443);
    send(&talk, 0, &client);
    is_text(fixture.sni, "www.example.org", "tls_sni of the packet with the hello, in small letters");
    fixture_say(&fixture, &talk, 1, "");
    is_text(fixture.sni, "www.example.org", "and of the other direction");
    send(&talk, 1, &server);
    lines = fixture_lines(&fixture);
    char want[1024];
    snprintf(want, sizeof(want),
             "\"duration_us\": 2000, \"bytes_client\": %zu, \"bytes_server\": %zu, \"status\": \"ok\", "
             "\"tls\": {\"server_name\": \"WWW.Example.org\", \"client_version\": \"TLS 1.3\", \"client_ciphers\": 3, "
             "\"client_alpn\": [\"h2\", \"http/1.1\"], \"client_ticket\": false, \"encrypted_client_hello\": false, "
             "\"version\": \"TLS 1.3\", \"cipher\": \"TLS_AES_256_GCM_SHA384\", \"resumed\": true}}\n",
             client.size, server.size);
    is_text(strstr(lines, "\"duration_us\""), want, "the line");
    fixture_say(&fixture, &talk, 0, "\x17\x03\x03\x00\x05hello");
    is_text(fixture.sni, "www.example.org", "tls_sni of encrypted packets");
    fixture_close(&fixture, &talk, 0);
    fixture_close(&fixture, &talk, 1);
    is_text(fixture.sni, "www.example.org", "to the last one");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "one line only");
    dissection_release(fixture.dissection, talk.state);
    talk.server_first = false;
    fixture_packet(&fixture, &talk, 0, "", 0, 0, 99, FIXTURE_SYN);
    is_text(fixture.sni, "", "a new connection has no name yet");
    fixture_close_all(&fixture);
}

static void test_old_version(void)
{
    struct bytes client = client_hello(NULL, 0), server = server_hello(false, false), half = {.size = 0};
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 8443);
    send(&talk, 0, &client);
    is_text(fixture.sni, "", "no name");
    /* The record says more than the hello: certificates are still to come. */
    half = server;
    half.at[3] = 0x20;
    fixture_send(&fixture, &talk, 1, half.at, half.size);
    lines = fixture_lines(&fixture);
    is_member(lines, "version", "TLS 1.2");
    is_member(lines, "cipher", "0xcc14");
    is_member(lines, "alpn", "h2");
    is_member(lines, "server_name", "(none)");
    is_member(lines, "note", "(none)");
    ok(!dissection_looks(fixture.dissection, talk.state, &(struct flow){.discard = false}), "nothing more to look at");
    fixture_close_all(&fixture);
}

/* A hello of many bytes: byte by byte, in small packets out of order, and in records of 100 bytes. */
static void test_pieces(void)
{
    struct bytes client = client_hello("pieces.org", 1800), whole = client_message("pieces.org", 1800);
    struct bytes server = server_hello(false, true), records = {.size = 0};
    struct fixture_talk talk;
    uint32_t first;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 443);
    for (size_t i = 0; i < client.size; i++)
        fixture_send(&fixture, &talk, 0, client.at + i, 1);
    is_text(fixture.sni, "pieces.org", "byte by byte");
    send(&talk, 1, &server);
    is_member(fixture_lines(&fixture), "status", "ok");
    talk = fixture_connect(&fixture, 443);
    first = talk.sequence[0];
    for (size_t at = client.size / 300 * 300 + 300; at >= 300; at -= 300) {
        size_t from = at - 300, size = min_u64(300, client.size - from);
        if (from < client.size)
            fixture_packet(&fixture, &talk, 0, client.at + from, size, size, first + (uint32_t)from, FIXTURE_ACK);
    }
    is_text(fixture.sni, "pieces.org", "from the last packet to the first");
    talk = fixture_connect(&fixture, 443);
    for (size_t at = 0; at < whole.size; at += 100)
        put_record(&records, 22, whole.at + at, min_u64(100, whole.size - at));
    for (size_t at = 0; at < records.size; at += 77)
        fixture_send(&fixture, &talk, 0, records.at + at, min_u64(77, records.size - at));
    is_text(fixture.sni, "pieces.org", "in records of 100 bytes");
    dissection_release(fixture.dissection, talk.state);
    is_member(fixture_lines(&fixture), "status", "no answer");
    fixture_close_all(&fixture);
}

static void test_cut_and_lost(void)
{
    struct bytes client = client_hello("cut.org", 600), server = server_hello(false, true);
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 443);
    fixture_send_cut(&fixture, &talk, 0, client.at, client.size, 128);
    is_text(fixture.sni, "cut.org", "the name stands before the cut");
    fixture_send_cut(&fixture, &talk, 1, server.at, server.size, 60);
    lines = fixture_lines(&fixture);
    is_member(lines, "server_name", "cut.org");
    is_member(lines, "note", "cut");
    talk = fixture_connect(&fixture, 443);
    fixture_send_cut(&fixture, &talk, 0, client.at, client.size, 66);
    is_text(fixture.sni, "", "half a name is none");
    fixture_lose(&talk, 1, 1460);
    fixture_say(&fixture, &talk, 1, "the rest");
    fixture_close(&fixture, &talk, 1);
    dissection_release(fixture.dissection, talk.state);
    lines = fixture_lines(&fixture);
    is_member(lines, "status", "no answer");
    is_member(lines, "note", "gap");
    fixture_close_all(&fixture);
}

static void test_alert_and_retry(void)
{
    struct bytes client = client_hello("a.org", 0);
    struct bytes retry = server_hello(true, true), server = server_hello(false, true);
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 443);
    send(&talk, 0, &client);
    fixture_send(&fixture, &talk, 1, "\x15\x03\x03\x00\x02\x02\x28", 7);
    lines = fixture_lines(&fixture);
    is_member(lines, "status", "error");
    is_member(lines, "alert", "handshake_failure");
    talk = fixture_connect(&fixture, 443);
    send(&talk, 0, &client);
    send(&talk, 1, &retry);
    fixture_send(&fixture, &talk, 0, "\x14\x03\x03\x00\x01\x01", 6);
    send(&talk, 0, &client);
    send(&talk, 1, &server);
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 1, "one line after a retry");
    is_member(lines, "retried", "true");
    is_member(lines, "status", "ok");
    talk = fixture_connect(&fixture, 443);
    fixture_say(&fixture, &talk, 0, "GET / HTTP/1.1\r\n\r\n");
    send(&talk, 0, &client);
    is_text(fixture.sni, "", "what does not begin as TLS is left alone");
    talk = (struct fixture_talk){.proto = 6, .client_port = 40009, .server_port = 443, .server_first = true};
    fixture_say(&fixture, &talk, 1, "\x17\x03\x03\x00\x05hello");
    ok(talk.state != NULL, "the middle of a connection is remembered as such");
    is_u64(dissection_counts(fixture.dissection).memory_bytes > 0, 1, "at no cost");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "and told of by no line");
    fixture_close_all(&fixture);
}

/* Each hello cut at each length says nothing that is not there, and reads nothing behind its end. */
static void test_every_cut(void)
{
    struct bytes client = client_message("every.cut.org", 20), server = server_hello(false, true);
    unsigned named = 0;

    for (size_t size = 0; size <= client.size - 4; size++) {
        struct tls_client_hello hello;
        uint8_t *copy = malloc(size + (size == 0));

        memcpy(copy, client.at + 4, size);
        tls_client_hello_read(&hello, cursor_over(copy, size));
        if (hello.server_name.length != 0 &&
            (hello.server_name.length != 13 || memcmp(hello.server_name.data, "every.cut.org", 13) != 0))
            ok(false, "another name at %zu", size);
        named += hello.server_name.length == 13;
        free(copy);
    }
    ok(named > 20, "the name is there as soon as its bytes are");
    for (size_t size = 0; size <= server.size - 9; size++) {
        struct tls_server_hello hello;
        uint8_t *copy = malloc(size + (size == 0));

        memcpy(copy, server.at + 9, size);
        tls_server_hello_read(&hello, cursor_over(copy, size));
        if (hello.cipher != 0 && hello.cipher != 0x1302)
            ok(false, "another cipher at %zu", size);
        free(copy);
    }
}

int main(void)
{
    plan_none();
    test_handshake();
    test_old_version();
    test_pieces();
    test_cut_and_lost();
    test_alert_and_retry();
    test_every_cut();
    return done_testing();
}
