/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams in order: against a reference for random cuts, orders, copies, overlaps and losses, with readers that take
 * all, or wait for whole messages, or pass over bytes. What is read is what was sent, at its place; what is missing
 * is told, once, at its place; nothing is kept beyond the limit, and all memory comes back.
 */
#include "dissect/tcp_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/tap.h"

#define stream_max 6000

static uint64_t random_state;
static uint64_t limit = 2048; /* of what a stream may keep */

static uint32_t random_below(uint32_t bound)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    uint64_t z = random_state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % bound);
}

enum manner { TAKE_ALL, TAKE_SOME, TAKE_MESSAGES, PASS_OVER, MANNERS };

struct reader {
    enum manner manner;
    const uint8_t *sent;
    uint64_t at;     /* place in the stream of the next byte that it is to get */
    uint64_t read, missed, passed; /* bytes */
    uint64_t gaps;
    uint64_t over;   /* bytes that are being passed over */
    unsigned fins;
    bool wrong;
    uint8_t seen[stream_max];
};

static void wrong(struct reader *reader, const char *why)
{
    if (!reader->wrong)
        printf("# %s at %llu\n", why, (unsigned long long)reader->at);
    reader->wrong = true;
}

static uint64_t on_data(void *context, unsigned side, const struct dissector_data *data)
{
    struct reader *reader = context;
    uint64_t take = data->size;

    (void)side;
    if (data->size == 0) {
        if (reader->over == 0)
            wrong(reader, "end of nothing");
        reader->at += reader->over;
        reader->passed += reader->over;
        reader->over = 0;
        return 0;
    }
    /* The stream passes over exactly what was asked for, also when it ends with a packet. */
    reader->at += reader->over;
    reader->passed += reader->over;
    reader->over = 0;
    if (data->fresh > data->size || reader->at + data->size > stream_max ||
        memcmp(data->bytes, reader->sent + reader->at, data->size) != 0) {
        wrong(reader, "other bytes than were sent");
        return data->size;
    }
    if (reader->manner == TAKE_SOME)
        take = random_below((uint32_t)data->size + 1);
    if (reader->manner == TAKE_MESSAGES) {
        /* A message is its first byte's value long. */
        take = data->bytes[0] + 1u;
        if (data->size < take)
            take = data->last ? data->size : 0;
    }
    if (reader->manner == PASS_OVER && random_below(2) == 0) {
        reader->over = random_below(300);
        memset(reader->seen + reader->at, 1, data->size);
        reader->at += data->size;
        reader->read += data->size;
        return data->size + reader->over;
    }
    if (data->last && reader->manner != TAKE_SOME && take == 0)
        wrong(reader, "nothing taken at the last chance");
    for (uint64_t i = 0; i < take; i++) {
        if (reader->seen[reader->at + i])
            wrong(reader, "the same byte twice");
        reader->seen[reader->at + i] = 1;
    }
    reader->at += take;
    reader->read += take;
    return take;
}

static bool on_gap(void *context, unsigned side, uint64_t bytes)
{
    struct reader *reader = context;

    (void)side;
    reader->at += reader->over; /* what of them was in the hole was not told */
    reader->passed += reader->over;
    reader->over = 0;
    reader->at += bytes;
    reader->missed += bytes;
    reader->gaps++;
    return true;
}

static void on_fin(void *context, unsigned side, int64_t when_ns)
{
    struct reader *reader = context;

    (void)side;
    (void)when_ns;
    reader->fins++;
}

struct piece {
    uint32_t from, size, captured;
    uint32_t key; /* they are sent in the order of this */
};

static int by_key(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;

    return x->key < y->key ? -1 : x->key > y->key;
}

/* Cuts the stream into pieces, some lost, some doubled, some longer than their turn. Tells which bytes are there. */
static unsigned make_pieces(struct piece *pieces, uint32_t total, unsigned disorder, unsigned loss, unsigned cut,
                            uint8_t *there)
{
    unsigned count = 0;

    memset(there, 0, stream_max);
    for (uint32_t at = 0; at < total;) {
        struct piece piece = {.from = at};

        piece.size = (uint32_t)min_u64(1 + random_below(random_below(4) ? 200 : 900), total - at);
        at += piece.size;
        if (random_below(8) == 0)
            piece.size = (uint32_t)min_u64(piece.size + random_below(300), total - piece.from); /* overlaps the next */
        for (unsigned copies = random_below(10) == 0 ? 2 : 1; copies > 0; copies--) {
            piece.captured = random_below(100) < cut ? random_below(piece.size + 1) : piece.size;
            piece.key = piece.from * 4 + random_below(disorder * 4 + 1);
            if (random_below(100) < loss)
                continue;
            memset(there + piece.from, 1, piece.captured);
            pieces[count++] = piece;
        }
    }
    qsort(pieces, count, sizeof(*pieces), by_key);
    return count;
}

struct result {
    bool good, exact;
    uint64_t gaps, missed;
};

static struct result run(enum manner manner, unsigned disorder, unsigned loss, unsigned cut, bool middle)
{
    static uint8_t sent[stream_max], there[stream_max];
    static struct piece pieces[2 * stream_max];
    static struct reader reader;
    uint32_t total = 1 + random_below(stream_max - 1), first = random_below(UINT32_MAX), end_bytes = 0, arrived = 0;
    struct pool pool;
    struct tcp_stream stream = {.side = 1};
    struct tcp_stream_reader calls = {on_data, on_gap, on_fin, &reader, &pool, limit};
    unsigned count = make_pieces(pieces, total, disorder, loss, cut, there);
    struct result result = {.good = true};

    for (uint32_t i = 0; i < total; i++)
        sent[i] = (uint8_t)random_below(40);
    reader = (struct reader){.manner = manner, .sent = sent};
    pool_start(&pool, 1 << 20);
    if (middle && count > 0)
        reader.at = pieces[0].from;
    else
        tcp_stream_syn(&stream, first - 1);
    for (unsigned i = 0; i < count; i++) {
        /* A packet of exactly these bytes. */
        uint8_t *copy = malloc(pieces[i].captured + (pieces[i].captured == 0));
        memcpy(copy, sent + pieces[i].from, pieces[i].captured);
        struct tcp_packet packet = {copy, pieces[i].captured, pieces[i].size, first + pieces[i].from, false, i};
        packet.fin = pieces[i].from + pieces[i].size == total;
        if (!tcp_stream_packet(&stream, &calls, &packet))
            wrong(&reader, "stopped");
        if (stream.kept + stream.waiting_bytes > limit)
            wrong(&reader, "more kept than allowed");
        free(copy);
    }
    if (!tcp_stream_end(&stream, &calls, true, 0))
        wrong(&reader, "stopped at the end");
    end_bytes = stream.kept;
    tcp_stream_free(&stream, &pool);
    if (pool.used != 0)
        wrong(&reader, "memory is not given back");
    pool_stop(&pool);
    if (reader.fins != 1)
        wrong(&reader, "the end is told once");
    for (uint32_t i = 0; i < total; i++)
        arrived += there[i];
    result.exact = reader.read == total;
    if (manner == TAKE_ALL && disorder == 0 && cut == 0 &&
        (reader.read != arrived || reader.read + reader.missed != reader.at))
        wrong(&reader, "not all that has arrived is read, or not all that is missing is told");
    result.good = !reader.wrong && end_bytes == 0;
    result.gaps = reader.gaps;
    result.missed = reader.missed;
    return result;
}

static void test_manner(const char *name, enum manner manner, unsigned disorder, unsigned loss, unsigned cut,
                        bool whole, bool middle)
{
    unsigned bad = 0, inexact = 0;
    uint64_t gaps = 0;

    for (unsigned i = 0; i < 4000; i++) {
        uint64_t seed = random_state;
        struct result result = run(manner, disorder, loss, cut, middle);

        if (!result.good && bad++ == 0)
            printf("# seed %llu\n", (unsigned long long)seed);
        inexact += !result.exact;
        gaps += result.gaps;
    }
    ok(bad == 0, "%s: 4000 streams, %u wrong", name, bad);
    if (whole)
        ok(inexact == 0 && gaps == 0, "%s: all bytes are read (%u not), no gap (%llu)", name, inexact,
           (unsigned long long)gaps);
    else if (loss > 0 || cut > 0)
        ok(gaps > 0, "%s: gaps are told", name);
}

/* One packet at a time, with what must come of it. */
static void test_by_hand(void)
{
    static const uint8_t bytes[] = "0123456789";
    static struct reader reader;
    struct pool pool;
    struct tcp_stream stream = {.side = 0};
    struct tcp_stream_reader calls = {on_data, on_gap, on_fin, &reader, &pool, limit};

    reader = (struct reader){.manner = TAKE_ALL, .sent = bytes};
    pool_start(&pool, 1 << 20);
    tcp_stream_syn(&stream, UINT32_MAX - 3);
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes, 2, 2, UINT32_MAX - 2, false, 1});
    is_u64(reader.read, 2, "in order");
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes + 5, 5, 5, 2, true, 2});
    is_u64(reader.read, 2, "behind a hole: it waits, over the wrap of the numbers");
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes + 1, 5, 5, UINT32_MAX - 1, false, 3});
    is_u64(reader.read, 10, "the hole closes, overlaps are trimmed");
    is_u64(reader.fins, 1, "and the FIN has its turn");
    tcp_stream_free(&stream, &pool);
    reader = (struct reader){.manner = TAKE_ALL, .sent = bytes};
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes, 2, 2, 100, false, 1});
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes + 4, 2, 2, 104, false, 5});
    tcp_stream_tick(&stream, &calls, 4 + tcp_stream_hole_ns);
    is_u64(reader.gaps, 0, "a hole may close for two seconds");
    tcp_stream_tick(&stream, &calls, 5 + tcp_stream_hole_ns);
    is_u64(reader.missed, 2, "then it is told");
    is_u64(reader.read, 4, "and what waited is read");
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes + 6, 1, 3, 106, false, 6});
    is_u64(reader.missed, 4, "what the capture has cut is missing at once");
    tcp_stream_packet(&stream, &calls, &(struct tcp_packet){bytes + 9, 1, 1, 109, false, 6});
    ok(reader.read == 6 && !reader.wrong, "what comes behind it is read");
    tcp_stream_free(&stream, &pool);
    is_u64(pool.used, 0, "nothing is kept");
    pool_stop(&pool);
}

static void test_pool(void)
{
    void *blocks[64];
    struct pool pool;
    unsigned count = 0;

    pool_start(&pool, 100000);
    while (count < 64 && (blocks[count] = pool_take(&pool, 3000)) != NULL)
        count++;
    is_u64(count, 100000 / 3072, "blocks up to the limit");
    for (unsigned i = 0; i < count; i++)
        pool_give(&pool, blocks[i], 3000);
    is_u64(pool.used, 0, "given back");
    blocks[0] = pool_take(&pool, 60000);
    ok(blocks[0] != NULL && pool.used + pool.kept <= 100000, "kept blocks make room for another size");
    ok(pool_take(&pool, 60000) == NULL, "but not over the limit");
    ok(!pool_charge(&pool, 50000) && pool_charge(&pool, 30000), "what others use counts");
    pool_discharge(&pool, 30000);
    pool_give(&pool, blocks[0], 60000);
    for (size_t size = 1; size <= pool_block_max; size = size * 5 / 4 + 1)
        if (pool_room(size) < size || (pool_room(size) > size * 5 / 4 + 64))
            ok(false, "a block for %zu has %zu", size, pool_room(size));
    is_u64(pool_room(pool_block_max), pool_block_max, "the largest block");
    ok(pool_take(&pool, pool_block_max + 1) == NULL, "no larger one");
    pool_stop(&pool);
}

int main(void)
{
    const char *seed = getenv("SEED");

    plan_none();
    random_state = seed ? strtoull(seed, NULL, 10) : 1;
    test_by_hand();
    test_pool();
    limit = 8192;
    test_manner("in order, all taken", TAKE_ALL, 0, 0, 0, true, false);
    test_manner("in order, messages", TAKE_MESSAGES, 0, 0, 0, true, false);
    test_manner("a little disorder", TAKE_ALL, 40, 0, 0, true, false);
    test_manner("a little disorder, messages", TAKE_MESSAGES, 40, 0, 0, true, false);
    test_manner("losses, all that arrives is read", TAKE_ALL, 0, 5, 0, false, false);
    limit = 2048;
    test_manner("much disorder", TAKE_ALL, 4000, 0, 0, false, false);
    test_manner("losses", TAKE_ALL, 200, 5, 0, false, false);
    test_manner("losses and cuts, messages", TAKE_MESSAGES, 500, 5, 5, false, false);
    test_manner("some taken", TAKE_SOME, 300, 3, 3, false, false);
    test_manner("passed over", PASS_OVER, 300, 3, 10, false, false);
    test_manner("from the middle", TAKE_MESSAGES, 300, 3, 3, false, true);
    return done_testing();
}
