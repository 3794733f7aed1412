/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/1: requests and responses as lines, bodies passed over, holes, and what must never be in a line. */
#include "fixture.h"

static struct fixture fixture;

static void test_simple(void)
{
    struct fixture_talk talk;
    const char *lines;

    if (!fixture_open(&fixture))
        return;
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0,
                "GET http://joe:secret@www.example.org/a/b?q=1&r=2 HTTP/1.1\r\nHost: www.example.org\r\n"
                "User-Agent: test \"1\"\r\n"
                "Authorization: Basic c2VjcmV0\r\nCookie: c00kie\r\nX: y\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10\r\n"
                                    "Set-Cookie: c00kie\r\n\r\n0123");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "no line before the body is over");
    fixture_say(&fixture, &talk, 1, "456789");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 1, "one line");
    is_text(lines,
            "{\"timestamp\": \"2023-11-14 22:13:20.002000\", \"type\": \"http\", \"transport\": \"tcp\", "
            "\"ip_client\": \"192.0.2.1\", \"port_client\": 40000, \"ip_server\": \"198.51.100.2\", "
            "\"port_server\": 80, "
            "\"duration_us\": 2000, \"bytes_client\": 160, \"bytes_server\": 94, \"status\": \"ok\", "
            "\"http\": {\"version\": \"1.1\", \"method\": \"GET\", \"path\": \"/a/b\", \"query\": \"q=1&r=2\", "
            "\"host\": \"www.example.org\", \"user_agent\": \"test \\\"1\\\"\", \"request_body_bytes\": 0, "
            "\"status\": 200, "
            "\"response_content_type\": \"text/html\", \"response_body_bytes\": 10, \"response_us\": 1000}}\n",
            "the whole line");
    ok(strstr(lines, "secret") == NULL && strstr(lines, "c00kie") == NULL && strstr(lines, "c2VjcmV0") == NULL,
       "no password, no cookie");
    fixture_close_all(&fixture);
}

static void test_pipelined(void)
{
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 8080);
    fixture_say(&fixture, &talk, 0, "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nPOST /3 HTTP/1.1\r\n"
                                    "Content-Length: 5\r\n\r\nhelloGET /4 HTT");
    fixture_say(&fixture, &talk, 0, "P/1.0\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\nHTTP/1.1 200 OK\r\n"
                                    "Content-Length: 1234\r\n\r\n"
                                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: gzip, "
                                    "Chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n01234");
    fixture_say(&fixture, &talk, 1, "56789\r\n0\r\nTrailer: x\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 3, "three of four are over");
    is_member(lines, "path", "/1");
    is_member(strstr(lines, "\n") + 1, "path", "/2");
    is_member(strstr(lines, "\n") + 1, "response_body_bytes", "0");
    lines = strstr(strstr(lines, "\n") + 1, "\n") + 1;
    is_member(lines, "path", "/3");
    is_member(lines, "request_body_bytes", "5");
    is_member(lines, "response_body_bytes", "15");
    is_text(fixture_member(strstr(lines, "\"http\": {"), "status"), "404", "chunked");
    is_member(lines, "status", "error");
    fixture_close(&fixture, &talk, 1);
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/4");
    is_member(lines, "version", "1.0");
    is_member(lines, "response_body_bytes", "10");
    is_member(lines, "note", "(none)");
    fixture_close(&fixture, &talk, 0);
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "nothing more at the end");
    is_u64(dissection_counts(fixture.dissection).transactions, 4, "four transactions");
    is_u64(dissection_counts(fixture.dissection).gaps, 0, "no gap");
    fixture_close_all(&fixture);
}

/* The capture takes 200 bytes of each packet: heads are whole, bodies are not there. */
static void test_bodies_not_captured(void)
{
    static char body[1460];
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 80);
    for (unsigned i = 0; i < 3; i++) {
        fixture_say(&fixture, &talk, 0, "GET /big HTTP/1.1\r\n\r\n");
        memset(body, 'x', sizeof(body));
        int head = snprintf(body, sizeof(body), "HTTP/1.1 200 OK\r\nContent-Length: 14546\r\n\r\n");
        body[head] = 'x';
        fixture_send_cut(&fixture, &talk, 1, body, 1460, 200);
        for (unsigned j = 0; j < 8; j++)
            fixture_send_cut(&fixture, &talk, 1, body, 1460, 200);
        fixture_send_cut(&fixture, &talk, 1, body, 14546 - (9 * 1460 - (size_t)head), 200);
    }
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 3, "three lines");
    is_member(lines, "response_body_bytes", "14546");
    is_u64(dissection_counts(fixture.dissection).gaps, 0, "what nobody wants to see is no gap");
    fixture_say(&fixture, &talk, 0, "GET /lost HTTP/1.1\r\n\r\n");
    fixture_send_cut(&fixture, &talk, 1,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", 68, 40);
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/lost");
    is_member(lines, "note", "cut");
    fixture_say(&fixture, &talk, 0, "GET /again HTTP/1.1\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 204 No Content\r\n\r\n");
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/again");
    is_member(lines, "status", "ok");
    fixture_close_all(&fixture);
}

static void test_holes(void)
{
    struct fixture_talk talk;
    const char *lines;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    fixture_lose(&talk, 1, 1000);
    fixture_say(&fixture, &talk, 1, "rest of something\r\n");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "the hole may close");
    fixture.now_ns += 3 * INT64_C(1000000000);
    fixture_say(&fixture, &talk, 0, "GET /c HTTP/1.1\r\n\r\n");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 3, "after two seconds all that were asked are told");
    is_member(lines, "status", "no answer");
    is_member(lines, "note", "gap");
    fixture_say(&fixture, &talk, 0, "GET /d HTTP/1.1\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/d");
    is_member(lines, "status", "ok");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    is_member(fixture_lines(&fixture), "status", "no question");
    is_u64(dissection_counts(fixture.dissection).gaps, 1, "one gap");
    fixture_say(&fixture, &talk, 0, "GET /e HTTP/1.1\r\nHost: x");
    fixture_packet(&fixture, &talk, 1, "", 0, 0, talk.sequence[1], FIXTURE_RST);
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/e");
    is_member(lines, "note", "cut");
    fixture_close_all(&fixture);
}

static void test_middle_and_ends(void)
{
    struct fixture_talk talk = {
        .proto = 6, .client_port = 40001, .server_port = 80, .server_first = true, .sequence = {5, 6}};
    const char *lines;

    fixture_open(&fixture);
    fixture_say(&fixture, &talk, 1, "...\r\nHTTP/1.1 200 OK\r\n\r\n");
    fixture_say(&fixture, &talk, 0, "body of a POST");
    fixture_say(&fixture, &talk, 0, "PUT /x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 1, "one line from the middle of a connection");
    is_member(lines, "ip_client", "192.0.2.1");
    is_member(lines, "path", "/x");
    is_member(lines, "status", "error");
    fixture_say(&fixture, &talk, 0, "GET /upgrade HTTP/1.1\r\n\r\n");
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 101 Switching\r\n\r\n\x81\x05hello");
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/upgrade");
    fixture_say(&fixture, &talk, 1, "GET /no HTTP/1.1\r\n\r\n");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "after an upgrade nothing is looked at");
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, "\x16\x03\x01 no HTTP at all");
    fixture_say(&fixture, &talk, 0, "GET /no HTTP/1.1\r\n\r\n");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "what begins with something else is left alone");
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, "GET /slow HTTP/1.1\r\n\r\n");
    dissection_tick(fixture.dissection, fixture.now_ns + 59 * INT64_C(1000000000));
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "not after 59 seconds");
    dissection_tick(fixture.dissection, fixture.now_ns + 61 * INT64_C(1000000000));
    lines = fixture_lines(&fixture);
    is_member(lines, "path", "/slow");
    is_member(lines, "note", "timeout");
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, "GET /over HTTP/1.1\r\n\r\n");
    dissection_release(fixture.dissection, talk.state);
    is_member(fixture_lines(&fixture), "note", "closed");
    fixture_close_all(&fixture);
}

/* Byte by byte, and all at once: the same line. */
static void test_pieces(void)
{
    static const char request[] = "\r\nPOST /p?q HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\n"
                                  "abc\r\n0\r\n\r\n";
    static const char response[] = "HTTP/1.1 200 OK\ncontent-length: 3\n\nabc";
    char first[4096], second[4096];
    struct fixture_talk talk;

    fixture_open(&fixture);
    talk = fixture_connect(&fixture, 80);
    fixture_say(&fixture, &talk, 0, request);
    fixture_say(&fixture, &talk, 1, response);
    snprintf(first, sizeof(first), "%s", strstr(fixture_lines(&fixture), "\"bytes_client\""));
    talk = fixture_connect(&fixture, 80);
    for (const char *c = request; *c != '\0'; c++)
        fixture_send(&fixture, &talk, 0, c, 1);
    for (const char *c = response; *c != '\0'; c++)
        fixture_send(&fixture, &talk, 1, c, 1);
    snprintf(second, sizeof(second), "%s", strstr(fixture_lines(&fixture), "\"bytes_client\""));
    *strstr(first, ", \"response_us") = '\0';
    *strstr(second, ", \"response_us") = '\0';
    is_text(second, first, "byte by byte");
    is_member(first, "request_body_bytes", "3");
    fixture_close_all(&fixture);
}

static void test_bounds(void)
{
    static char head[40000];
    struct fixture_talk talk;
    const char *lines;
    size_t used = (size_t)snprintf(head, sizeof(head), "GET /long?");

    fixture_open(&fixture);
    memset(head + used, 'q', 2000);
    used += 2000;
    used += (size_t)snprintf(head + used, sizeof(head) - used, " HTTP/1.1\r\nHost: h\r\nX: ");
    memset(head + used, 'x', 30000);
    used += 30000;
    used += (size_t)snprintf(head + used, sizeof(head) - used, "\r\n\r\n");
    talk = fixture_connect(&fixture, 80);
    for (size_t at = 0; at < used; at += 1000)
        fixture_send(&fixture, &talk, 0, head + at, min_u64(1000, used - at));
    fixture_say(&fixture, &talk, 1, "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 1, "a head that is longer than a stream may be");
    is_member(lines, "host", "h");
    is_u64(strlen(fixture_member(lines, "query")), 128, "a query is cut");
    is_member(lines, "note", "cut");
    talk = fixture_connect(&fixture, 80);
    for (unsigned i = 0; i < 200; i++)
        fixture_say(&fixture, &talk, 0, "GET /many HTTP/1.1\r\n\r\n");
    is_u64(fixture_count(fixture_lines(&fixture)), 168, "32 requests may be open");
    fixture_close_all(&fixture);
}

int main(void)
{
    plan_none();
    test_simple();
    test_pipelined();
    test_bodies_not_captured();
    test_holes();
    test_middle_and_ends();
    test_pieces();
    test_bounds();
    return done_testing();
}
