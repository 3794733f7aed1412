/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS: messages as texts, queries matched to their responses, over UDP and TCP; hostile names; the primitive
 * dns_name.
 */
#include "fixture.h"

#include "dissect/dns_message.h"

static struct fixture fixture;

struct message {
    size_t size;
    uint8_t bytes[4096];
};

static void put16(struct message *message, unsigned value)
{
    message->bytes[message->size++] = (uint8_t)(value >> 8);
    message->bytes[message->size++] = (uint8_t)value;
}

static void put_bytes(struct message *message, const void *bytes, size_t size)
{
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

/* "www.example.org", labels without escapes; "" is the root. */
static void put_name(struct message *message, const char *name)
{
    while (*name != '\0') {
        size_t length = strcspn(name, ".");

        message->bytes[message->size++] = (uint8_t)length;
        put_bytes(message, name, length);
        name += length + (name[length] == '.');
    }
    message->bytes[message->size++] = 0;
}

static struct message start(unsigned id, unsigned flags, const char *name, unsigned type, unsigned answers)
{
    struct message message = {.size = 0};

    put16(&message, id);
    put16(&message, flags);
    put16(&message, name != NULL);
    put16(&message, answers);
    put16(&message, 0);
    put16(&message, 0);
    if (name != NULL) {
        put_name(&message, name);
        put16(&message, type);
        put16(&message, 1);
    }
    return message;
}

/* A record of the name at offset 12. */
static void put_record(struct message *message, unsigned type, const void *data, size_t size)
{
    put16(message, 0xc00c);
    put16(message, type);
    put16(message, 1);
    put16(message, 0);
    put16(message, 300);
    put16(message, (unsigned)size);
    put_bytes(message, data, size);
}

static struct fixture_talk udp(uint16_t client_port)
{
    return (struct fixture_talk){.proto = 17, .client_port = client_port, .server_port = 53};
}

static void test_exchange(void)
{
    struct fixture_talk talk = udp(50000);
    struct message query = start(0x1234, 0x0100, "WWW.Example.org", 1, 0);
    struct message response = start(0x1234, 0x8180, "www.example.ORG", 1, 2);
    const char *lines;

    if (!fixture_open(&fixture))
        return;
    put_record(&response, 5, "\4edge\xc0\x10", 7);
    put_record(&response, 1, "\xc0\x00\x02\x09", 4);
    fixture_datagram(&fixture, &talk, 0, query.bytes, query.size);
    is_text(fixture.dns, "www.example.org", "dns_name of the query, in small letters");
    is_text(fixture.sni, "", "no other name");
    fixture_datagram(&fixture, &talk, 1, response.bytes, response.size);
    is_text(fixture.dns, "www.example.org", "dns_name of the response");
    lines = fixture_lines(&fixture);
    is_text(lines,
            "{\"timestamp\": \"2023-11-14 22:13:20.000000\", \"type\": \"dns\", \"transport\": \"udp\", "
            "\"ip_client\": \"192.0.2.1\", \"port_client\": 50000, \"ip_server\": \"198.51.100.2\", "
            "\"port_server\": 53, "
            "\"duration_us\": 1000, \"bytes_client\": 33, \"bytes_server\": 68, \"status\": \"ok\", "
            "\"dns\": {\"id\": 4660, \"opcode\": \"QUERY\", \"question\": \"WWW.Example.org\", "
            "\"question_type\": \"A\", "
            "\"question_class\": \"IN\", \"recursion_desired\": true, \"checking_disabled\": false, "
            "\"rcode\": \"NOERROR\", "
            "\"authoritative\": false, \"truncated\": false, \"recursion_available\": true, \"authentic\": false, "
            "\"answer_count\": 2, \"authority_count\": 0, \"additional_count\": 0, \"answers\": ["
            "{\"name\": \"www.example.ORG\", \"type\": \"CNAME\", \"ttl\": 300, \"data\": \"edge.example.ORG\"}, "
            "{\"name\": \"www.example.ORG\", \"type\": \"A\", \"ttl\": 300, \"data\": \"192.0.2.9\"}]}}\n",
            "the whole line");
    ok(talk.state == NULL, "an answered conversation is kept no longer");
    is_u64(dissection_counts(fixture.dissection).transactions, 1, "one transaction");
    fixture_close_all(&fixture);
}

static void test_types(void)
{
    static const struct {
        unsigned type;
        const char *data;
        size_t size;
        const char *name, *text;
    } cases[] = {
        {28, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, "AAAA", "2001:db8::1"},
        {2, "\2ns\xc0\x0c", 5, "NS", "ns.x.org"},
        {12, "\0", 1, "PTR", "."},
        {15, "\0\x0a\4mail\xc0\x0c", 9, "MX", "10 mail.x.org"},
        {16, "\3a\"b\2 \\", 7, "TXT", "\"a\\\"b\" \" \\\\\""},
        {33, "\0\1\0\2\x13\xc4\3srv\xc0\x0c", 12, "SRV", "1 2 5060 srv.x.org"},
        {6, "\1m\0\1r\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 26, "SOA", "m r 1 2 3 4 5"},
        {257, "\0\5issueca.org", 13, "CAA", "0 issue \"ca.org\""},
        {43, "\x12\x34\x08\x02\xab\xcd", 6, "DS", "4660 8 2 abcd"},
        {65, "\0\1\0", 3, "HTTPS", "\\# 3 000100"},
        {65280, "", 0, NULL, "\\# 0"},
        {1, "\1\2\3", 3, "A", ""},
        {15, "\0\1\xc0", 3, "MX", ""},
        {2, "\4a.\\ \0", 6, "NS", "a\\.\\\\\\032"},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        struct message bytes = start(1, 0x8000, "x.org", 1, 1);
        struct dns_message message;
        struct dns_record record;
        char text[dns_data_max + 1];
        uint8_t *copy;

        put_record(&bytes, cases[i].type, cases[i].data, cases[i].size);
        copy = malloc(bytes.size);
        memcpy(copy, bytes.bytes, bytes.size);
        ok(dns_message_start(&message, copy, bytes.size) && dns_message_record(&message, &record),
           "a record of type %u", cases[i].type);
        memcpy(text, record.data, record.data_length);
        text[record.data_length] = '\0';
        is_text(text, cases[i].text, "its data");
        is_text(dns_type_name(record.type) ? dns_type_name(record.type) : "none",
                cases[i].name ? cases[i].name : "none", "its type");
        /* Cut at every length, there is no record any more, and nothing is read behind the end. */
        for (size_t size = 0; size < bytes.size; size++) {
            uint8_t *cut = malloc(size + (size == 0));

            memcpy(cut, bytes.bytes, size);
            if (dns_message_start(&message, cut, size) && dns_message_record(&message, &record))
                ok(false, "cut at %zu there is a record", size);
            free(cut);
        }
        free(copy);
    }
}

/* Pointers to themselves, forward, to each other, and names without end. */
static void test_hostile_names(void)
{
    struct dns_message message;
    struct message bytes = start(1, 0, NULL, 0, 0);
    uint8_t *copy;

    bytes.bytes[5] = 1;
    put_bytes(&bytes, "\xc0\x0c\0\1\0\1", 6);
    ok(!dns_message_start(&message, bytes.bytes, bytes.size), "a pointer to itself");
    bytes.size = 12;
    put_bytes(&bytes, "\xc0\x0e\xc0\x0c\0\1\0\1", 8);
    ok(!dns_message_start(&message, bytes.bytes, bytes.size), "a pointer forward");
    bytes.size = 12;
    put_bytes(&bytes, "\1a\xc0\x0c\0\1\0\1", 8);
    ok(!dns_message_start(&message, bytes.bytes, bytes.size), "a pointer to its own name");
    bytes.size = 12;
    for (unsigned i = 0; i < 5; i++)
        put_bytes(&bytes, "\x3fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 64);
    put_bytes(&bytes, "\0\0\1\0\1", 5);
    ok(!dns_message_start(&message, bytes.bytes, bytes.size), "a name of more than 255 bytes");
    bytes.size = 12;
    put_bytes(&bytes, "\x40xxxx\0\0\1\0\1", 10);
    ok(!dns_message_start(&message, bytes.bytes, bytes.size), "a kind of label that does not exist");
    /* 255 bytes, each of which takes four in the text. */
    bytes.size = 12;
    for (unsigned i = 0; i < 4; i++) {
        bytes.bytes[bytes.size++] = i < 3 ? 63 : 61;
        memset(bytes.bytes + bytes.size, 0xff, 63);
        bytes.size += i < 3 ? 63 : 61;
    }
    put_bytes(&bytes, "\0\0\1\0\1", 5);
    copy = malloc(bytes.size);
    memcpy(copy, bytes.bytes, bytes.size);
    ok(dns_message_start(&message, copy, bytes.size), "the longest name");
    is_u64(message.name.length, 250 * 4 + 3, "its text is whole");
    free(copy);
}

static void test_matching(void)
{
    struct fixture_talk talk = udp(50001), servers = udp(53);
    struct message a = start(7, 0x0100, "a.org", 1, 0), b = start(7, 0x0100, "b.org", 1, 0);
    struct message to_a = start(7, 0x8183, "a.org", 1, 0), to_b = start(7, 0x8182, "b.org", 1, 0);
    struct message bare = start(7, 0x8185, NULL, 0, 0), other = start(8, 0x8180, "a.org", 1, 0);
    const char *lines;

    fixture_open(&fixture);
    fixture_datagram(&fixture, &talk, 0, a.bytes, a.size);
    fixture_datagram(&fixture, &talk, 0, b.bytes, b.size);
    fixture_datagram(&fixture, &talk, 0, b.bytes, b.size);
    fixture_datagram(&fixture, &talk, 1, to_b.bytes, to_b.size);
    lines = fixture_lines(&fixture);
    is_member(lines, "question", "b.org");
    is_member(lines, "rcode", "SERVFAIL");
    is_member(lines, "status", "error");
    is_member(lines, "tries", "2");
    fixture_datagram(&fixture, &talk, 1, other.bytes, other.size);
    is_member(fixture_lines(&fixture), "status", "no question");
    fixture_datagram(&fixture, &talk, 1, bare.bytes, bare.size);
    lines = fixture_lines(&fixture);
    is_member(lines, "question", "a.org");
    is_member(lines, "rcode", "REFUSED");
    /* Two servers that ask each other. */
    servers.server_first = true;
    fixture_datagram(&fixture, &servers, 1, b.bytes, b.size);
    fixture_datagram(&fixture, &servers, 0, a.bytes, a.size);
    fixture_datagram(&fixture, &servers, 1, to_a.bytes, to_a.size);
    lines = fixture_lines(&fixture);
    is_member(lines, "rcode", "NXDOMAIN");
    is_member(lines, "ip_client", "192.0.2.1");
    fixture_datagram(&fixture, &servers, 0, to_b.bytes, to_b.size);
    lines = fixture_lines(&fixture);
    is_member(lines, "question", "b.org");
    is_member(lines, "ip_client", "198.51.100.2");
    /* No answer: after ten seconds, when the daemon stops, and when there are too many. */
    talk = udp(50002);
    fixture_datagram(&fixture, &talk, 0, a.bytes, a.size);
    dissection_tick(fixture.dissection, fixture.now_ns + 9 * INT64_C(1000000000));
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "not after nine seconds");
    dissection_tick(fixture.dissection, fixture.now_ns + 11 * INT64_C(1000000000));
    lines = fixture_lines(&fixture);
    is_member(lines, "status", "no answer");
    is_member(lines, "note", "timeout");
    is_member(lines, "bytes_server", "0");
    is_member(lines, "duration_us", "(none)");
    for (unsigned id = 0; id < 100; id++) {
        struct message many = start(id, 0x0100, "many.org", 1, 0);

        fixture_datagram(&fixture, &talk, 0, many.bytes, many.size);
    }
    is_u64(fixture_count(fixture_lines(&fixture)), 36, "64 queries may be open");
    fixture_datagram(&fixture, &talk, 0, "\0\1\1\0\0", 5);
    fixture_datagram(&fixture, &talk, 0, "", 0);
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "what is no message is left alone");
    fixture_packet(&fixture, &talk, 1, other.bytes, other.size, other.size - 3, 0, 0);
    lines = fixture_lines(&fixture);
    is_member(lines, "note", "cut");
    is_u64(dissection_counts(fixture.dissection).memory_bytes > 0, 1, "memory is told");
    fixture_close_all(&fixture);
}

static void test_tcp(void)
{
    struct fixture_talk talk;
    struct message query = start(9, 0x0100, "t.org", 252, 0), response = start(9, 0x8400, "t.org", 252, 1);
    struct message framed = {.size = 0};
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 53);
    put_record(&response, 1, "\1\2\3\4", 4);
    /* Two queries, cut in the middle of the second length. */
    put16(&framed, (unsigned)query.size);
    put_bytes(&framed, query.bytes, query.size);
    query.bytes[1] = 10;
    put16(&framed, (unsigned)query.size);
    put_bytes(&framed, query.bytes, query.size);
    fixture_send(&fixture, &talk, 0, framed.bytes, query.size + 3);
    fixture_send(&fixture, &talk, 0, framed.bytes + query.size + 3, query.size + 1);
    is_text(fixture.dns, "t.org", "dns_name over TCP");
    framed.size = 0;
    response.bytes[1] = 10;
    put16(&framed, (unsigned)response.size);
    put_bytes(&framed, response.bytes, response.size);
    for (size_t i = 0; i < framed.size; i++)
        fixture_send(&fixture, &talk, 1, framed.bytes + i, 1);
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 1, "one answer");
    is_member(lines, "id", "10");
    is_member(lines, "transport", "tcp");
    is_member(lines, "question_type", "AXFR");
    is_member(lines, "bytes_client", "23");
    is_member(lines, "data", "1.2.3.4");
    fixture_lose(&talk, 1, 100);
    fixture_close(&fixture, &talk, 1);
    fixture_close(&fixture, &talk, 0);
    dissection_release(fixture.dissection, talk.state);
    lines = fixture_lines(&fixture);
    is_member(lines, "id", "9");
    is_member(lines, "status", "no answer");
    fixture_close_all(&fixture);
}

static void test_edns(void)
{
    struct fixture_talk talk = udp(50004);
    struct message query = start(1, 0, "e.org", 1, 0), response = start(1, 0x8000, "e.org", 1, 0);
    const char *lines;

    fixture_open(&fixture);
    response.bytes[11] = 1;
    put_bytes(&response, "\0\0\x29\x04\xd0\x01\0\x80\0\0\0", 11); /* 1232 bytes, rcode 16, DO */
    fixture_datagram(&fixture, &talk, 0, query.bytes, query.size);
    fixture_datagram(&fixture, &talk, 1, response.bytes, response.size);
    lines = fixture_lines(&fixture);
    is_member(lines, "rcode", "BADVERS");
    is_member(lines, "status", "error");
    is_member(lines, "edns_udp_bytes", "1232");
    is_member(lines, "edns_dnssec_ok", "true");
    fixture_close_all(&fixture);
}

/* Only the primitive is wanted: no file, no lines, and nothing is kept. */
static void test_name_only(void)
{
    struct dissection_options options = fixture_options(&fixture);
    struct fixture_talk talk = udp(50005), web;
    struct message query = start(1, 0, "only.name.org", 1, 0);

    options.output_file = NULL;
    options.want_tls_sni = false;
    fixture_open_with(&fixture, &options);
    fixture_datagram(&fixture, &talk, 0, query.bytes, query.size);
    is_text(fixture.dns, "only.name.org", "dns_name without an output file");
    ok(talk.state == NULL, "nothing is kept");
    is_u64(dissection_counts(fixture.dissection).transactions, 0, "no transactions");
    web = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &web, 0, "GET / HTTP/1.1\r\n\r\n");
    ok(web.state == NULL, "other dissectors are off");
    fixture_close_all(&fixture);
}

int main(void)
{
    plan_none();
    test_exchange();
    test_types();
    test_hostile_names();
    test_matching();
    test_tcp();
    test_edns();
    test_name_only();
    return done_testing();
}
