/* SPDX-License-Identifier: BSD-2-Clause */
/* links: plugins/memory src/client tests/lib/memory_fixture.c tests/lib/memory_fixture.h */
/* The memory plugin's answers to each command, read back by the client's own reader, and the books after them. */
#include "plugins/memory/memory.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/server.h"
#include "client/data.h"
#include "client/rows.h"
#include "tests/lib/memory_fixture.h"
#include "tests/lib/tap.h"

/* Internal to memory.c, whose first member is the server: none is needed here. */
struct fake_state {
    void *server;
    int64_t cleared_ns;
};

static struct memory_fixture fixture;
static struct fake_state state;

struct result {
    uint64_t rows, packets, bytes, others, merged;
    uint64_t counts[8][4];
    unsigned count_lines;
    uint64_t age, ever_cleared;
    char text[4096], first_class[32];
    struct error error;
};

/* Sends an answer through a socket pair in pieces and reads it as the client does. */
static void read_answer(struct answer *answer, struct result *result)
{
    struct connection connection = {.fd = -1};
    struct rows rows;
    struct answer_frame frame;
    int pair[2], more;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        skip_all("no socket pair");
    while (answer_send(answer, pair[0]) == 0)
        break; /* answers of this test fit in the socket */
    close(pair[0]);
    connection.fd = pair[1];
    connection.buffer = aligned_alloc(64, 1024 * 1024);
    rows_open(&rows, &result->error);
    while ((more = connection_next(&connection, &frame, &result->error)) >= 0) {
        struct cursor c = cursor_over(frame.body, frame.body_bytes);
        const uint8_t *row;
        uint64_t count;

        if (frame.type == QUERY_COUNTS)
            for (; cursor_left(&c) > 0 && result->count_lines < 8; result->count_lines++)
                for (unsigned i = 0; i < 4; i++)
                    result->counts[result->count_lines][i] = cursor_be64(&c);
        if (frame.type == FRAME_TEXT && result->text[0] == '\0')
            memcpy(result->text, frame.body, min_u64(frame.body_bytes, sizeof(result->text) - 1));
        if (frame.type == QUERY_AGE_ANSWER) {
            result->age = cursor_be64(&c);
            result->ever_cleared = cursor_be64(&c);
        }
        if (rows.have_layout || frame.type == QUERY_LAYOUT)
            if (rows_take(&rows, &frame, &row, &count, &result->error) > 0) {
                const struct layout_slot *slot = layout_find(&rows.layout, FIELD_CLASS);
                uint32_t length;

                if (frame.flags & query_rows_others)
                    result->others = layout_value(&rows.layout, row, 0);
                if (slot != NULL && result->first_class[0] == '\0') {
                    const char *text = intern_get(rows.intern, load_u32(row + slot->offset), &length);
                    memcpy(result->first_class, text, min_u64(length, 31));
                }
                for (; count > 0; count--, row += rows.layout.body_bytes) {
                    result->rows++;
                    result->packets += layout_value(&rows.layout, row, 0);
                    result->bytes += layout_value(&rows.layout, row, 1);
                }
            }
        if (more == 0)
            break;
    }
    result->merged = rows.merged;
    rows_close(&rows);
    connection_close(&connection);
}

static struct result ask(uint16_t command, uint32_t flags, const char *fields, const char *data,
                         enum server_right right)
{
    struct frame_request request = {.version = frame_version, .command = command, .flags = flags};
    struct result result = {.rows = 0};
    struct answer answer;
    uint8_t *body = NULL;
    size_t bytes = 0;

    if (fields != NULL)
        body = data_request(fields, data, true, &bytes, &result.error);
    request.body_bytes = (uint32_t)bytes;
    answer_init(&answer, 1 << 30);
    memory_answer(&fixture.plugin, &answer, &request, body, right);
    read_answer(&answer, &result);
    answer_discard(&answer);
    free(body);
    return result;
}

static bool books_balance(void)
{
    const uint64_t *counters = fixture.plugin.counters;

    return counters[PLUGIN_records_read] == counters[PLUGIN_records_in_table] + counters[PLUGIN_records_cleared];
}

static void test_rows(void)
{
    struct result result;

    for (uint32_t i = 0; i < 1000; i++)
        memory_fixture_add(&fixture, i, 1, 100 + i);
    result = ask(QUERY_TABLE, 0, NULL, NULL, SERVER_RIGHT_READ);
    is_u64(result.rows, 1000, "table: rows");
    is_u64(result.packets, 1000, "table: packets");
    is_u64(result.bytes, 100000 + 499500, "table: bytes");
    is_text(result.first_class, "class0", "texts come along");
    is_text(result.error.text, "", "no error");
    result = ask(QUERY_MATCH, 0, "src_host,proto", "10.0.0.7,tcp;10.0.1.1,*;10.9.9.9,tcp", SERVER_RIGHT_READ);
    is_u64(result.rows, 2, "match: rows of two queries, with a wildcard");
    is_u64(result.bytes, 107 + 357, "match: bytes");
    result = ask(QUERY_MATCH, 0, "class", "class1", SERVER_RIGHT_READ);
    is_u64(result.rows, 333, "match by text");
    result = ask(QUERY_MATCH, 0, "class", "nothing", SERVER_RIGHT_READ);
    is_u64(result.rows, 0, "match by a text that is nowhere");
    result = ask(QUERY_MATCH, 0, "src_as", "1", SERVER_RIGHT_READ);
    is_text(result.error.text, "ERROR: 'src_as' is not in this table's aggregate", "match by what is not there");
    result = ask(QUERY_COUNTERS, 0, "src_host", "10.0.0.7;10.0.0.8;10.0.0.7;10.9.9.9", SERVER_RIGHT_READ);
    is_u64(result.count_lines, 4, "counters: a line for each query");
    ok(result.counts[0][1] == 107 && result.counts[1][1] == 108 && result.counts[2][1] == 107 &&
           result.counts[3][1] == 0,
       "counters: bytes, the same query twice too");
    ok(result.counts[0][0] == 1 && result.counts[0][2] == 1 && result.counts[0][3] == 1, "packets, flows, rows");
    result = ask(QUERY_COUNTERS, 0, "src_host", "*", SERVER_RIGHT_READ);
    is_u64(result.counts[0][3], 1000, "counters of everything");
}

static void test_rights(void)
{
    static const struct {
        uint16_t command;
        uint32_t flags;
        bool reader_may;
    } rows[] = {
        {QUERY_TABLE, 0, true},          {QUERY_TABLE, query_lock, true},   {QUERY_TABLE, query_reset, false},
        {QUERY_TABLE, query_clear, false}, {QUERY_CLEAR, 0, false},         {QUERY_STATUS, 0, true},
        {QUERY_AGE, 0, true},            {FRAME_COMMAND_LEDGER, 1, true},   {QUERY_STATUS, query_reset, false},
    };

    for (unsigned i = 0; i < array_length(rows); i++) {
        struct result result = ask(rows[i].command, rows[i].flags, NULL, NULL, SERVER_RIGHT_READ);

        ok((result.error.text[0] == '\0') == rows[i].reader_may, "a reader: command %u with flags %u: %s",
           rows[i].command, rows[i].flags, result.error.text);
    }
    is_u64(ask(QUERY_TABLE, 0, NULL, NULL, SERVER_RIGHT_READ).packets, 1000, "nothing was changed");
}

static void test_changes(void)
{
    struct result result;

    result = ask(QUERY_AGE, 0, NULL, NULL, SERVER_RIGHT_READ);
    is_u64(result.ever_cleared, 0, "never cleared");
    result = ask(QUERY_MATCH, query_reset, "src_host", "10.0.0.7", SERVER_RIGHT_OWNER);
    is_u64(result.bytes, 107, "reset of one row reads it");
    ok(books_balance() && fixture.plugin.counters[PLUGIN_records_cleared] == 0, "its record stays in the table");
    result = ask(QUERY_TABLE, 0, NULL, NULL, SERVER_RIGHT_OWNER);
    is_u64(result.rows, 999, "the reset row is not shown");
    memory_fixture_add(&fixture, 7, 1, 5);
    is_u64(ask(QUERY_COUNTERS, 0, "src_host", "10.0.0.7", SERVER_RIGHT_OWNER).counts[0][1], 5, "it counts from zero");
    result = ask(QUERY_TABLE, query_reset, NULL, NULL, SERVER_RIGHT_OWNER);
    is_u64(result.rows, 1000, "reset of all reads all");
    is_u64(fixture.plugin.counters[PLUGIN_records_cleared], 1001, "and its records are cleared");
    is_u64(fixture.plugin.counters[PLUGIN_records_in_table], 0, "none is left in the table");
    ok(books_balance(), "the books balance");
    is_u64(table_rows(fixture.plugin.table), 0, "no row of zeroes is kept, so polling with -r needs no memory");
    is_u64(ask(QUERY_TABLE, 0, NULL, NULL, SERVER_RIGHT_OWNER).rows, 0, "no row is shown");
    is_u64(ask(QUERY_AGE, 0, NULL, NULL, SERVER_RIGHT_READ).ever_cleared, 0, "a reset is no clear");
    memory_fixture_add(&fixture, 1, 2, 10);
    memory_fixture_add(&fixture, 2000, 2, 10);
    result = ask(QUERY_TABLE, query_clear, NULL, NULL, SERVER_RIGHT_OWNER);
    is_u64(result.packets, 4, "clear after a query: the answer has the rows");
    is_u64(table_rows(fixture.plugin.table), 0, "and the table is empty");
    is_u64(fixture.plugin.counters[PLUGIN_records_cleared], 1003, "cleared records are counted once");
    ok(books_balance(), "the books balance");
    memory_fixture_add(&fixture, 1, 2, 10);
    ask(QUERY_CLEAR, 0, NULL, NULL, SERVER_RIGHT_OWNER);
    ok(books_balance() && table_rows(fixture.plugin.table) == 0, "clear alone");
    result = ask(QUERY_AGE, 0, NULL, NULL, SERVER_RIGHT_READ);
    ok(result.ever_cleared == 1 && result.age < 100, "age after a clear");
}

static void test_status(void)
{
    struct result result;

    memory_fixture_add(&fixture, 1, 1, 1);
    result = ask(QUERY_STATUS, 0, NULL, NULL, SERVER_RIGHT_READ);
    ok(strncmp(result.text, "* = element\n\nBUCKET\tCHAIN_STATUS\n0\t", 35) == 0, "bucket status begins as pmacct's");
    result = ask(FRAME_COMMAND_LEDGER, 0, NULL, NULL, SERVER_RIGHT_READ);
    ok(result.text[0] == '{', "the ledger is JSON");
    result = ask(FRAME_COMMAND_LEDGER, frame_ledger_report, NULL, NULL, SERVER_RIGHT_READ);
    ok(result.text[0] != '{' && result.text[0] != '\0', "or lines");
    result = ask(99, 0, NULL, NULL, SERVER_RIGHT_READ);
    is_text(result.error.text, "ERROR: the memory plugin does not know command 99", "unknown command");
}

static void test_limits(void)
{
    struct frame_request request = {.version = frame_version, .command = QUERY_TABLE, .flags = query_reset};
    struct answer answer;

    memory_fixture_add(&fixture, 1, 1, 1);
    answer_init(&answer, 64);
    memory_answer(&fixture.plugin, &answer, &request, NULL, SERVER_RIGHT_OWNER);
    ok(answer.failed, "an answer over the limit fails");
    answer_discard(&answer);
    ok(ask(QUERY_TABLE, 0, NULL, NULL, SERVER_RIGHT_OWNER).packets > 0, "and resets nothing");
}

static void test_others(void)
{
    struct memory_fixture plain = fixture;
    struct result result;

    if (!memory_fixture_open(&fixture, "src_host", NULL, 4 << 20)) {
        ok(false, "fixture with a budget");
        return;
    }
    fixture.plugin.state = &state;
    for (uint32_t i = 0; i < 200000; i++)
        memory_fixture_add(&fixture, i, 1, 10);
    ok(table_merged(fixture.plugin.table) > 0, "the budget was reached");
    /* Only the end of this answer matters, and it may not fit in a socket pair: the counters come from the table. */
    result = ask(QUERY_COUNTERS, 0, "src_host", "*", SERVER_RIGHT_READ);
    is_u64(result.counts[0][0] + layout_value(&fixture.layout, table_others(fixture.plugin.table), 0), 200000,
           "rows and 'others' sum to all");
    memory_fixture_close(&fixture);
    fixture = plain;
}

int main(void)
{
    plan_none();
    if (!memory_fixture_open(&fixture, "src_host,dst_host,src_port,proto,class,flows", NULL, 0))
        return 1;
    fixture.plugin.state = &state;
    test_rows();
    test_rights();
    test_changes();
    test_status();
    test_limits();
    test_others();
    memory_fixture_close(&fixture);
    return done_testing();
}
