/* SPDX-License-Identifier: BSD-2-Clause */
/* links: plugins/memory src/client tests/lib/memory_fixture.c tests/lib/memory_fixture.h */
/*
 * Both ends of the client's protocol. The first byte chooses: even, the rest is a request and the memory plugin
 * answers it (its answer must then satisfy the client's reader); odd, the rest is an answer, and the client reads it
 * and formats every row; odd with bit 1 set: the rest is a ledger in JSON for the report of `status`.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/answer.h"
#include "client/rows.h"
#include "client/status.h"
#include "plugins/common/encode.h"
#include "plugins/memory/memory.h"
#include "tests/lib/memory_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memory_fixture fixture;
static void *state[4]; /* struct memory of memory.c, without a socket */

static void fill(void)
{
    for (uint32_t i = 0; i < 40; i++)
        memory_fixture_add(&fixture, i, 1, 64);
}

/* Reads frames as connection.c does; `trusted`: they are ours and must be good. */
static void read_frames(const uint8_t *bytes, size_t size, bool trusted)
{
    struct encode_options options = {
        .format = (enum encode_format)(size % 5), .dialect = ENCODE_CLIENT, .separator = ','};
    struct encoder *encoder = NULL;
    struct error error = {""};
    struct rows rows;
    struct answer_frame frame;
    int64_t taken;
    char *line = NULL;

    if (rows_open(&rows, &error) < 0)
        return;
    while ((taken = frame_read(bytes, size, &frame, &error)) > 0) {
        const uint8_t *row;
        uint64_t count;
        int kind;

        bytes += taken;
        size -= (size_t)taken;
        if (frame.type != QUERY_LAYOUT && !rows.have_layout)
            continue;
        kind = rows_take(&rows, &frame, &row, &count, &error);
        if (kind < 0 && trusted)
            abort();
        if (kind < 0)
            break;
        if (kind == 0)
            continue;
        if (encoder == NULL) {
            encoder = encoder_new(&rows.layout, &options, &error);
            if (encoder == NULL)
                break;
            line = malloc(max_u64(encoder_row_max(encoder), encoder_header_max(encoder)));
            if (line == NULL || encoder_header(encoder, line) > encoder_header_max(encoder))
                abort();
        }
        for (; count > 0; count--, row += rows.layout.body_bytes)
            if (encoder_row(encoder, row, rows.intern, line) > encoder_row_max(encoder))
                abort();
    }
    if (trusted && (taken < 0 || size != 0))
        abort();
    free(line);
    encoder_free(encoder);
    rows_close(&rows);
}

static void answer(const uint8_t *data, size_t size)
{
    static uint8_t bytes[1024 * 1024];
    struct frame_request request;
    struct answer answer;
    size_t length = 0;

    if (size < frame_request_header_bytes || frame_request_read(data, &request, NULL) < 0 ||
        request.body_bytes > size - frame_request_header_bytes)
        return;
    if (table_rows(fixture.plugin.table) < 40)
        fill();
    answer_init(&answer, sizeof(bytes));
    memory_answer(&fixture.plugin, &answer, &request, data + frame_request_header_bytes,
                  (enum server_right)(SERVER_RIGHT_READ + (size & 1)));
    length = answer_copy(&answer, bytes, sizeof(bytes));
    if (!answer.failed)
        read_frames(bytes, length, true);
    answer_discard(&answer);
}

static void report(const uint8_t *data, size_t size)
{
    static int null_fd = -1;
    struct error error = {""};
    struct output output;

    if (null_fd < 0)
        null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (output_open(&output, null_fd, 4096) == 0) {
        status_report((const char *)data, size, &output, &error);
        output_close(&output);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;

    if (!ready) {
        if (!memory_fixture_open(&fixture, "src_host,src_port,proto,class,src_mac,timestamp_start,tcpflags,flows",
                                 NULL, 0))
            abort();
        fixture.plugin.state = state;
        ready = true;
    }
    if (size == 0)
        return 0;
    if ((data[0] & 3) == 3) {
        report(data + 1, size - 1);
    } else if (data[0] & 1) {
        uint8_t *copy = aligned_alloc(8, align_up(max_u64(size, 8), 8)); /* bodies are aligned as the client has them */

        if (copy == NULL)
            return 0;
        memcpy(copy, data + 1, size - 1);
        read_frames(copy, size - 1, false);
        free(copy);
    } else {
        answer(data + 1, size - 1);
    }
    return 0;
}
