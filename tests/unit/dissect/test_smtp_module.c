/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMTP dissector as the daemon has it: loaded as a module. Mails, rejected ones, pipelining, what is never told. */
#include "fixture.h"

static struct fixture fixture;

/* The module of this build; tests run at its top. */
static const char *module_path(void)
{
    const char *build = getenv("BUILD");
    static char path[4200];

    snprintf(path, sizeof(path), "%s/src/dissect/modules/dissect_smtp.so", build ? build : ".");
    if (access(path, R_OK) != 0)
        skip_all("src/dissect/modules/dissect_smtp.so is not built");
    return path;
}

static void open_it(void)
{
    struct dissection_options options = fixture_options(&fixture);

    options.modules = module_path();
    options.dissectors = "dns,smtp";
    fixture_open_with(&fixture, &options);
}

static struct fixture_talk greet(void)
{
    struct fixture_talk talk = fixture_connect(&fixture, 25);

    fixture_say(&fixture, &talk, 1, "220-mail.example.org hello\r\n220 ready\r\n");
    fixture_say(&fixture, &talk, 0, "EHLO client.example.net\r\n");
    fixture_say(&fixture, &talk, 1, "250-mail.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    return talk;
}

static void test_mail(void)
{
    struct fixture_talk talk;
    const char *lines;

    open_it();
    talk = greet();
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<joe@example.net> SIZE=100\r\n");
    fixture_say(&fixture, &talk, 1, "250 2.1.0 Ok\r\n");
    fixture_say(&fixture, &talk, 0, "rcpt to: <ann@example.org>\r\n");
    fixture_say(&fixture, &talk, 1, "250 2.1.5 Ok\r\n");
    fixture_say(&fixture, &talk, 0, "RCPT TO:<nobody@example.org>\r\n");
    fixture_say(&fixture, &talk, 1, "550 5.1.1 No such user\r\n");
    fixture_say(&fixture, &talk, 0, "DATA\r\n");
    fixture_say(&fixture, &talk, 1, "354 End data with <CR><LF>.<CR><LF>\r\n");
    fixture_say(&fixture, &talk, 0, "Subject: s3cret\r\n\r\nMAIL FROM:<not@a.command>\r\n..\r\nlast li");
    fixture_say(&fixture, &talk, 0, "ne\r\n.\r");
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "no line before the last reply");
    fixture_say(&fixture, &talk, 0, "\n");
    fixture_say(&fixture, &talk, 1, "250 2.0.0 Ok: queued as ABC\r\n");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 1, "one line");
    is_text(strstr(lines, "\"status\""),
            "\"status\": \"ok\", \"smtp\": {\"helo\": \"client.example.net\", \"from\": \"joe@example.net\", "
            "\"to\": [\"ann@example.org\", \"nobody@example.org\"], \"recipients\": 2, \"recipients_accepted\": 1, "
            "\"message_bytes\": 61, \"code\": 250, \"reply\": \"2.0.0 Ok: queued as ABC\"}}\n",
            "who, to whom, and what became of it");
    ok(strstr(lines, "s3cret") == NULL, "nothing of the mail itself");
    fixture_say(&fixture, &talk, 0, "QUIT\r\n");
    fixture_say(&fixture, &talk, 1, "221 Bye\r\n");
    fixture_close(&fixture, &talk, 1);
    fixture_close(&fixture, &talk, 0);
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "one line only");
    fixture_close_all(&fixture);
}

static void test_pipelined(void)
{
    struct fixture_talk talk;
    const char *lines;

    open_it();
    talk = greet();
    fixture_say(&fixture, &talk, 0, "AUTH LOGIN\r\n");
    fixture_say(&fixture, &talk, 1, "334 VXNlcm5hbWU6\r\n");
    fixture_say(&fixture, &talk, 0, "MAIL\r\n");
    fixture_say(&fixture, &talk, 1, "334 UGFzc3dvcmQ6\r\n");
    fixture_say(&fixture, &talk, 0, "cGFzcw==\r\n");
    fixture_say(&fixture, &talk, 1, "235 ok\r\n");
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<>\r\nRCPT TO:<a@b.org>\r\nBDAT 10\r\n01234\r\n.\r\nBDAT 5 LAST\r\n"
                                    "helloMAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\n");
    fixture_say(&fixture, &talk, 1, "250 ok\r\n250 ok\r\n250 ok\r\n250 queued\r\n250 ok\r\n450 later\r\n554 none\r\n");
    lines = fixture_lines(&fixture);
    is_u64(fixture_count(lines), 2, "two mails");
    is_member(lines, "message_bytes", "15");
    is_member(lines, "from", "");
    lines = strchr(lines, '\n') + 1;
    is_member(lines, "from", "x@y");
    is_member(lines, "status", "error");
    is_member(lines, "code", "554");
    ok(strstr(fixture.output, "cGFzc") == NULL, "no password");
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<r@s>\r\nRSET\r\n");
    fixture_say(&fixture, &talk, 1, "250 ok\r\n250 ok\r\n");
    is_member(fixture_lines(&fixture), "note", "given up by the client");
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<last@s>\r\n");
    dissection_release(fixture.dissection, talk.state);
    lines = fixture_lines(&fixture);
    is_member(lines, "from", "last@s");
    is_member(lines, "status", "no answer");
    fixture_close_all(&fixture);
}

static void test_ends(void)
{
    struct fixture_talk talk;

    open_it();
    talk = greet();
    fixture_say(&fixture, &talk, 0, "STARTTLS\r\n");
    fixture_say(&fixture, &talk, 1, "220 go\r\n");
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<x@y>\r\n");
    dissection_release(fixture.dissection, talk.state);
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "after STARTTLS nothing is looked at");
    talk = greet();
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<x@y>\r\n");
    fixture_lose(&talk, 1, 20);
    fixture_say(&fixture, &talk, 1, "250 ok\r\n");
    fixture_close(&fixture, &talk, 1);
    dissection_release(fixture.dissection, talk.state);
    is_member(fixture_lines(&fixture), "note", "gap");
    talk = fixture_connect(&fixture, 25);
    fixture_say(&fixture, &talk, 1, "no SMTP\r\n");
    fixture_say(&fixture, &talk, 0, "MAIL FROM:<x@y>\r\n");
    dissection_release(fixture.dissection, talk.state);
    is_u64(fixture_count(fixture_lines(&fixture)), 0, "another protocol");
    talk = greet();
    for (unsigned i = 0; i < 300; i++)
        fixture_say(&fixture, &talk, 0, "NOOP\r\n");
    ok(!dissection_looks(fixture.dissection, talk.state, &(struct flow){.discard = false}),
       "a client that waits for nothing");
    fixture_close_all(&fixture);
}

int main(void)
{
    plan_none();
    test_mail();
    test_pipelined();
    test_ends();
    return done_testing();
}
