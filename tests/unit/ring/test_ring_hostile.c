/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring whose other end has gone mad: any bytes in the shared memory, and still nothing outside of it is touched and
 * no call hangs. The source is included, as the shared words have no other door.
 */
#include "ring/ring.c"

#include "lib/tap.h"

static uint64_t random_next(void)
{
    static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct ring *ring;
static struct ring_writer writer;
static struct ring_reader reader;

static void start(unsigned records)
{
    ring_free(ring);
    ring = ring_create(0, 1, NULL);
    if (ring == NULL || ring_attach_writer(&writer, ring, 1, NULL) < 0 ||
        ring_attach_reader(&reader, ring, 1, NULL) < 0)
        exit(1);
    for (unsigned i = 0; i < records; i++) {
        memset(ring_reserve(&writer, 56), (int)i, 56);
        ring_commit(&writer, RING_FLOW, 56);
    }
    ring_publish(&writer);
}

static struct ring_header *header_at(unsigned record)
{
    return (struct ring_header *)(ring->data + 64 * (size_t)record);
}

static void test_indices(void)
{
    static const uint64_t offsets[] = {65536 + 64 * 3 + 8, UINT64_MAX, UINT64_C(1) << 40, 64 * 3 + 4};
    size_t bytes;

    for (unsigned i = 0; i < array_length(offsets); i++) {
        start(3);
        ring_peek(&reader, &bytes);
        atomic_store(&ring->shared->tail, offsets[i]);
        ok(ring_peek(&reader, &bytes) != NULL && bytes == 192, "tail %llx: what was seen before is delivered",
           (unsigned long long)offsets[i]);
        ring_consume(&reader, bytes);
        ok(ring_peek(&reader, &bytes) == NULL && ring_broken(&reader), "then the ring is broken");
        ok(ring_arm(&reader), "and the reader sleeps");
        ok(ring_attach_reader(&reader, ring, 1, NULL) < 0 && ring_attach_writer(&writer, ring, 1, NULL) < 0,
           "nobody attaches any more");
    }
    start(0);
    while (ring_reserve(&writer, 56) != NULL)
        ring_commit(&writer, RING_FLOW, 56);
    ring_publish(&writer);
    atomic_store(&ring->shared->head, writer.tail + 64);
    ok(ring_reserve(&writer, 56) == NULL, "a head beyond tail gives no room");
    ok(!ring_wait_room(&writer, 56, 5), "neither does waiting for it");
    atomic_store(&ring->shared->head, UINT64_MAX - 7);
    ok(ring_reserve(&writer, 56) == NULL, "nor one far behind");
    ring->shared->magic = 0;
    ok(ring_attach_writer(&writer, ring, 1, NULL) < 0, "a damaged head is refused");
}

static void test_headers(void)
{
    static const uint32_t lengths[] = {0, 7, 12, 64 * 8 + 8, UINT32_MAX, 0x80000000};
    size_t bytes;

    for (unsigned i = 0; i < array_length(lengths); i++) {
        start(8);
        header_at(0)->bytes = lengths[i];
        ok(ring_peek(&reader, &bytes) == NULL && bytes == 0 && ring_broken(&reader), "first header of %u bytes",
           lengths[i]);
        start(8);
        header_at(5)->bytes = lengths[i];
        ok(ring_peek(&reader, &bytes) != NULL && bytes == 5 * 64 && !ring_broken(&reader),
           "the sixth: five are delivered");
        ring_consume(&reader, bytes);
        ok(ring_peek(&reader, &bytes) == NULL && ring_broken(&reader), "then the ring is broken");
    }
    start(8);
    header_at(7)->kind = RING_PAD;
    ok(ring_peek(&reader, &bytes) != NULL && bytes == 7 * 64, "a pad where none belongs ends the run");
    ring_consume(&reader, bytes);
    ok(ring_peek(&reader, &bytes) == NULL && !ring_broken(&reader) && ring_used(ring) == 0, "and is skipped");
}

/* Runs inside of the data and whole records in it. */
static bool sound(const struct ring_header *header, size_t bytes)
{
    const uint8_t *at = (const uint8_t *)header;

    if (header == NULL)
        return bytes == 0;
    if (at < ring->data || bytes > ring->size || at + bytes > ring->data + ring->size)
        return false;
    while (bytes > 0) {
        header = (const struct ring_header *)at;
        if (header->bytes == 0 || header->bytes % 8 != 0 || header->bytes > bytes)
            return false;
        at += header->bytes;
        bytes -= header->bytes;
    }
    return true;
}

static void test_random(void)
{
    bool good = true;
    uint64_t runs = 0;

    for (unsigned round = 0; good && round < 100000; round++) {
        size_t bytes;
        struct ring_header *header;
        uint8_t *body;

        if (round % 4 == 0)
            start((unsigned)(random_next() % 500));
        switch (random_next() % 4) {
        case 0:
            header_at((unsigned)(random_next() % 500))->bytes = (uint32_t)(random_next() % 200 * 8);
            break;
        case 1:
            header_at((unsigned)(random_next() % 500))->kind = (uint16_t)(random_next() % 6);
            break;
        case 2:
            atomic_store(&ring->shared->tail, reader.head + random_next() % 9000 * 8);
            break;
        default:
            atomic_store(random_next() % 2 ? &ring->shared->head : &ring->shared->wanted, random_next());
        }
        header = ring_peek(&reader, &bytes);
        good = sound(header, bytes);
        runs += header != NULL;
        ring_consume(&reader, bytes);
        ring_arm(&reader);
        body = ring_reserve(&writer, random_next() % 3000);
        good = good && (body == NULL || (body >= ring->data && body <= ring->data + ring->size));
        if (body != NULL)
            ring_commit(&writer, RING_FLOW, 0);
        ring_publish(&writer);
        ring_wait_room(&writer, 100, 0);
    }
    ok(good && runs > 1000, "100000 random damages: %llu runs were given out, all inside of the ring",
       (unsigned long long)runs);
}

int main(void)
{
    plan_none();
    test_indices();
    test_headers();
    test_random();
    ring_free(ring);
    return done_testing();
}
