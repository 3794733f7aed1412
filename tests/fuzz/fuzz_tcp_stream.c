/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as an order of segments of one stream whose octets are known by their place: what is read is what stands
 * there, nothing twice, and what is read, missed and passed over adds up. Three octets a segment: place, length and
 * what to do.
 */
#include "dissect/tcp_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define stream_bytes 8192
#define kept_max 1500

struct reader {
    uint64_t at, over;
    uint32_t choice; /* of what it does next */
};

static uint8_t octet_at(uint64_t place)
{
    return (uint8_t)(place * 7 ^ place >> 8);
}

static uint64_t on_data(void *context, unsigned side, const struct dissector_data *data)
{
    struct reader *reader = context;

    (void)side;
    reader->at += reader->over;
    reader->over = 0;
    if (data->size == 0)
        return 0;
    if (data->fresh > data->size)
        abort();
    for (size_t i = 0; i < data->size; i++)
        if (data->bytes[i] != octet_at(reader->at + i))
            abort();
    reader->choice = reader->choice * 1103515245 + 12345;
    if (reader->choice >> 30 == 0) {
        reader->over = reader->choice >> 20 & 0xff;
        reader->at += data->size;
        return data->size + reader->over;
    }
    uint64_t take = (reader->choice >> 16) % (data->size + 1);
    reader->at += take;
    return take;
}

static bool on_gap(void *context, unsigned side, uint64_t bytes)
{
    struct reader *reader = context;

    (void)side;
    if (bytes == 0)
        abort();
    reader->at += reader->over + bytes;
    reader->over = 0;
    return true;
}

static void on_fin(void *context, unsigned side, int64_t when_ns)
{
    (void)context;
    (void)side;
    (void)when_ns;
}

static bool give(struct tcp_stream *stream, const struct tcp_stream_reader *calls, const uint8_t *step, int64_t now_ns)
{
    uint32_t from = (uint32_t)(step[0] << 5), length = (uint32_t)(step[1] * 3), captured = length;
    uint8_t *copy;
    bool goes_on;

    from += step[2] & 31;
    if ((step[2] & 0x20) != 0)
        captured = captured * (step[2] >> 6) / 4;
    copy = malloc(captured + (captured == 0));
    if (copy == NULL)
        abort();
    for (uint32_t i = 0; i < captured; i++)
        copy[i] = octet_at(from + i);
    goes_on = tcp_stream_packet(stream, calls,
                                &(struct tcp_packet){copy, captured, length, 0xfffff800u + from, false, now_ns});
    free(copy);
    return goes_on && tcp_stream_tick(stream, calls, now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = {.choice = size > 0 ? data[0] : 0};
    struct tcp_stream stream = {.side = 0};
    struct pool pool;
    struct tcp_stream_reader calls = {on_data, on_gap, on_fin, &reader, &pool, kept_max};

    pool_start(&pool, size % 2 ? 1 << 20 : 3000);
    tcp_stream_syn(&stream, 0xfffff7ffu);
    for (size_t i = 0; i + 3 <= size; i += 3) {
        if (!give(&stream, &calls, data + i, (int64_t)i * 10000000))
            abort();
        if (stream.kept + stream.waiting_bytes > kept_max || pool.used + pool.kept > pool.limit)
            abort();
        if (stream.skip != 0 ? stream.skip > reader.over
                             : reader.at + reader.over + stream.kept != (uint32_t)(stream.next - 0xfffff800u))
            abort();
    }
    if (!tcp_stream_end(&stream, &calls, true, 0))
        abort();
    tcp_stream_free(&stream, &pool);
    if (pool.used != 0)
        abort();
    pool_stop(&pool);
    return 0;
}
