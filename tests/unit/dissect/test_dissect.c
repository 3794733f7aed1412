/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conversations: what the configuration may say, who is looked at, who has to go when memory is used up, handles of
 * those that went, and floods.
 */
#include "fixture.h"

#include "dissect/conversation.h"

static struct fixture fixture;

static void refused(struct dissection_options options, const char *want, const char *name)
{
    struct error error = {""};
    struct dissection *dissection = dissection_new(&options, &error);

    ok(dissection == NULL && strstr(error.text, want) != NULL, "%s: %s", name, error.text);
    dissection_free(dissection);
}

static void test_configuration(void)
{
    struct dissection_options options = fixture_options(&fixture), other;
    struct fixture_talk talk;

    other = options;
    other.dissectors = "dns, htpp";
    refused(other, "did you mean 'http'?", "an unknown dissector");
    other = options;
    other.ports = "http=80,99999";
    refused(other, "expected numbers from 1 to 65535", "a port that is none");
    other.ports = "http";
    refused(other, "is not NAME=PORT", "a name without ports");
    other.ports = "http=80 dnss=5353";
    refused(other, "did you mean 'dns'?", "ports of an unknown name");
    other.ports = "http=443";
    refused(other, "TCP port 443 belongs to", "a port of two");
    other.ports = "http=";
    refused(other, "begins with no port", "no port at all");
    other = options;
    other.modules = "/no/such/module.so";
    refused(other, "proto_modules: cannot load the dissector", "a module that is not there");
    other.modules = "nosuch";
    refused(other, "dissect_nosuch.so", "a name of a module");
    other = options;
    other.output_file = "/";
    refused(other, "proto_output_file", "a directory as the file");
    other = options;
    other.dissectors = "http";
    other.ports = "http=8001,8002 dns=54";
    other.want_dns_name = other.want_tls_sni = false;
    fixture_open_with(&fixture, &other);
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, "GET /no HTTP/1.1\r\n\r\n");
    ok(talk.state == NULL, "another port is not looked at");
    talk = fixture_connect(&fixture, 8002);
    fixture_say(&fixture, &talk, 0, "GET /yes HTTP/1.1\r\n\r\n");
    dissection_release(fixture.dissection, talk.state);
    is_member(fixture_lines(&fixture), "path", "/yes");
    fixture_close_all(&fixture);
}

static void test_who_is_client(void)
{
    struct fixture_talk talk = {.proto = 6, .client_port = 40000, .server_port = 80, .sequence = {1, 1}};
    struct fixture_talk odd = {.proto = 6, .client_port = 80, .server_port = 12345, .sequence = {1, 1}};

    fixture_open(&fixture);
    /* Only the answer to the SYN was captured. */
    talk.server_first = true;
    fixture_packet(&fixture, &talk, 1, "", 0, 0, 0, FIXTURE_SYN | FIXTURE_ACK);
    fixture_say(&fixture, &talk, 0, "GET /syn-ack HTTP/1.1\r\n\r\n");
    dissection_release(fixture.dissection, talk.state);
    is_member(fixture_lines(&fixture), "ip_client", "192.0.2.1");
    /* A client that happens to use port 80 itself. */
    fixture_packet(&fixture, &odd, 0, "", 0, 0, 0, FIXTURE_SYN);
    ok(odd.state == NULL, "a client's own port says nothing");
    fixture_close_all(&fixture);
}

/* Short frames are padded by the link: what is behind the payload is none of it. */
static void test_padding(void)
{
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 80);
    fixture_packet(&fixture, &talk, 0, "\0\0\0\0\0\0", 0, 6, talk.sequence[0], FIXTURE_ACK);
    fixture_packet(&fixture, &talk, 0, "GET /padded\0\0\0", 11, 14, talk.sequence[0], FIXTURE_ACK);
    talk.sequence[0] += 11;
    fixture_say(&fixture, &talk, 0, " HTTP/1.1\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 204 x\r\n\r\n");
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/padded");
    is_u64(dissection_counts(fixture.dissection).gaps, 0, "padding is no gap");
    fixture_close_all(&fixture);
}

/* A SYN costs nothing, an answered one little; a new SYN begins anew. */
static void test_syn(void)
{
    uint64_t before;
    struct fixture_talk talk = {.proto = 6, .server_port = 80};
    const char *lines;

    fixture_open(&fixture);
    before = dissection_counts(fixture.dissection).memory_bytes;
    for (unsigned i = 0; i < 10000; i++) {
        talk.state = NULL;
        talk.client_port = (uint16_t)(1024 + i);
        fixture_packet(&fixture, &talk, 0, "", 0, 0, i, FIXTURE_SYN);
    }
    is_u64(dissection_counts(fixture.dissection).memory_bytes, before, "a flood of SYN takes no memory");
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, "GET /old HTTP/1.1\r\n\r\n");
    fixture_packet(&fixture, &talk, 0, "", 0, 0, 0xfffffff0u, FIXTURE_SYN);
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "the same SYN again is no news");
    fixture_packet(&fixture, &talk, 0, "", 0, 0, 5000, FIXTURE_SYN);
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/old");
    talk.sequence[0] = 5001;
    talk.sequence[1] = 1;
    fixture_packet(&fixture, &talk, 1, "", 0, 0, 0, FIXTURE_SYN | FIXTURE_ACK);
    fixture_say(&fixture, &talk, 0, "GET /new HTTP/1.1\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 204 x\r\n\r\n");
    is_member(fixture_lines(&fixture), "path", "/new");
    fixture_close_all(&fixture);
}

/* The oldest go; what they had open is told; their handles find nothing, and memory stays in its bounds. */
static void test_memory(void)
{
    static struct fixture_talk talks[2000];
    struct dissection_options options = fixture_options(&fixture);
    struct dissection_counts counts;
    uint64_t told = 0, most = 0;
    const char *lines;

    options.memory_bytes = 200000;
    fixture_open_with(&fixture, &options);
    for (unsigned i = 0; i < 2000; i++) {
        talks[i] = fixture_connect(&fixture, 80);
        fixture_say(&fixture, &talks[i], 0, "GET /x HTTP/1.1\r\n\r\nGET /half");
        most = max_u64(most, dissection_counts(fixture.dissection).memory_bytes);
    }
    ok(most <= 200000, "memory is in its bounds: %llu", (unsigned long long)most);
    lines = fixture_lines(&fixture);
    counts = dissection_counts(fixture.dissection);
    told = fixture_count(lines); /* as many as the fixture has room for */
    ok(counts.given_up == counts.lines && told > 1000, "%llu were given up, %llu told",
       (unsigned long long)counts.given_up, (unsigned long long)counts.lines);
    is_member(lines, "note", "memory");
    fixture_say(&fixture, &talks[0], 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ok(strstr(fixture_lines(&fixture), "no question") != NULL, "an answer to one that was given up");
    fixture_say(&fixture, &talks[1999], 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ok(strstr(fixture_lines(&fixture), "\"ok\"") != NULL, "an answer to one that is there");
    for (unsigned i = 0; i < 2000; i++)
        dissection_release(fixture.dissection, talks[i].state);
    lines = fixture_lines(&fixture);
    counts = dissection_counts(fixture.dissection);
    is_u64(counts.lines, counts.transactions, "every transaction has its line");
    ok(counts.transactions >= 2000, "%llu transactions", (unsigned long long)counts.transactions);
    fixture_close_all(&fixture);
}

/* Names are kept, too, only as long as there is room. */
static void test_names_and_memory(void)
{
    static const char hello[] = "\x16\x03\x01\x00\x3f\x01\x00\x00\x3b\x03\x03"
                                "01234567890123456789012345678901\x00\x00\x02\x13\x01\x01\x00\x00\x10\x00\x00\x00"
                                "\x0c\x00\x0a\x00\x00\x07n.a.org";
    static struct fixture_talk talks[3000];
    struct dissection_options options = fixture_options(&fixture);
    unsigned known = 0;

    options.memory_bytes = 300000;
    options.output_file = NULL;
    fixture_open_with(&fixture, &options);
    for (unsigned i = 0; i < 3000; i++) {
        talks[i] = fixture_connect(&fixture, 443);
        fixture_send(&fixture, &talks[i], 0, hello, sizeof(hello) - 1);
        if (i == 0)
            is_text(fixture.sni, "n.a.org", "the name is read");
    }
    for (unsigned i = 3000; i-- > 0;) {
        fixture_send(&fixture, &talks[i], 1, "x", 1);
        known += strcmp(fixture.sni, "n.a.org") == 0;
    }
    ok(known > 100 && known < 2999, "%u names are kept", known);
    ok(dissection_counts(fixture.dissection).memory_bytes <= 300000, "in their bounds");
    fixture_close_all(&fixture);
}

static void test_handles(void)
{
    struct conversation_table table;
    struct conversation *one, *two;
    struct pool pool;
    void *old;

    pool_start(&pool, 1 << 20);
    conversation_table_start(&table, &pool);
    one = conversation_new(&table, 0, 5);
    two = conversation_new(&table, 1, 6);
    old = conversation_handle(&table, one);
    ok(conversation_find(&table, old).conversation == one, "a handle finds its conversation");
    ok(conversation_oldest(&table, NULL) == one && conversation_oldest(&table, one) == two, "the oldest, or the next");
    conversation_touch(&table, one, 1, 7);
    ok(conversation_oldest(&table, NULL) == two, "a packet makes it the newest");
    conversation_free(&table, one);
    is_u64(conversation_find(&table, old).kind, CONVERSATION_NONE, "a handle of one that went finds nothing");
    one = conversation_new(&table, 0, 8);
    is_u64(conversation_find(&table, old).kind, CONVERSATION_NONE, "also when its place is taken again");
    is_u64(conversation_find(&table, conversation_handle_syn(0x12345678)).syn, 0x12345678, "a SYN's number");
    is_u64(conversation_find(&table, conversation_handle_passed()).kind, CONVERSATION_PASSED, "nothing more to see");
    is_u64(conversation_find(&table, (void *)(uintptr_t)0xffffff).kind, CONVERSATION_NONE, "a number that never was");
    conversation_free(&table, one);
    conversation_free(&table, two);
    conversation_table_stop(&table);
    is_u64(pool.used, 0, "all is given back");
    pool_stop(&pool);
}

int main(void)
{
    plan_none();
    test_configuration();
    test_who_is_client();
    test_padding();
    test_syn();
    test_memory();
    test_names_and_memory();
    test_handles();
    return done_testing();
}
