/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread plays both ends of the ring: against a model queue with random sizes and random order of calls, and the
 * edges one by one (limits, pads, full and empty, arming, waiting, attaching).
 */
#include "ring/ring.h"

#include "lib/tap.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define fingerprint UINT64_C(0x1122334455667788)
#define model_size 16384u

static uint64_t random_next(void)
{
    static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

struct model {
    uint32_t lengths[model_size]; /* of record number n, at n % model_size */
    uint64_t written, published, read;
};

static void fill(uint8_t *body, size_t length, uint64_t number)
{
    for (size_t i = 0; i < length; i++)
        body[i] = (uint8_t)(number * 31 + i * 7);
}

static bool matches(const uint8_t *body, size_t length, uint64_t number)
{
    for (size_t i = 0; i < length; i++)
        if (body[i] != (uint8_t)(number * 31 + i * 7))
            return false;
    return true;
}

static bool write_some(struct ring_writer *writer, struct model *model, uint64_t *refused)
{
    unsigned count = (unsigned)(random_next() % 40);

    for (unsigned n = 0; n < count; n++) {
        size_t length = random_next() % (random_next() % 16 == 0 ? 8000 : 200);
        size_t extra = random_next() % 64;
        uint8_t *body = ring_reserve(writer, length + extra);

        if (body == NULL) {
            /* Full must be true: a pad and the record do not fit into what is free. */
            uint64_t free_bytes = writer->mask + 1 - (writer->tail - writer->head_seen);
            if (free_bytes >= 2 * (length + extra + 16))
                return false;
            (*refused)++;
            break;
        }
        if ((uintptr_t)body % 8 != 0 || body < writer->data || body + length + extra > writer->data + writer->mask + 1)
            return false;
        if (random_next() % 8 == 0)
            continue; /* a reservation that is not used takes nothing */
        fill(body, length, model->written);
        ring_commit(writer, RING_FLOW, length);
        model->lengths[model->written++ % model_size] = (uint32_t)length;
    }
    if (random_next() % 3 != 0) {
        ring_publish(writer);
        model->published = model->written;
    }
    return true;
}

static bool read_some(struct ring_reader *reader, struct model *model)
{
    size_t bytes, walked = 0;
    struct ring_header *header = ring_peek(reader, &bytes);
    uint64_t leave = random_next() % 4 == 0 ? random_next() % 20 : UINT64_MAX;

    if (header == NULL)
        return bytes == 0 && model->read == model->published;
    while (walked < bytes && leave-- > 0) {
        size_t length = model->lengths[model->read % model_size];

        if (model->read == model->published || header->kind != RING_FLOW ||
            header->bytes != align_up(length + 8, 8) || !matches((uint8_t *)(header + 1), length, model->read))
            return false;
        model->read++;
        walked += header->bytes;
        header = (struct ring_header *)((uint8_t *)header + header->bytes);
    }
    ring_consume(reader, walked);
    return walked <= bytes;
}

static void test_model(struct ring *ring)
{
    static struct model model;
    struct ring_writer writer;
    struct ring_reader reader;
    uint64_t refused = 0;
    bool good = ring_attach_writer(&writer, ring, fingerprint, NULL) == 0 &&
                ring_attach_reader(&reader, ring, fingerprint, NULL) == 0;

    for (unsigned round = 0; good && round < 200000; round++) {
        good = write_some(&writer, &model, &refused);
        for (unsigned n = (unsigned)(random_next() % 4); good && n > 0; n--)
            good = read_some(&reader, &model);
        /* Either end may be replaced at any time. */
        if (random_next() % 64 == 0) {
            ring_publish(&writer);
            model.published = model.written;
            good = good && ring_attach_writer(&writer, ring, fingerprint, NULL) == 0;
        }
        if (random_next() % 64 == 0)
            good = good && ring_attach_reader(&reader, ring, fingerprint, NULL) == 0;
    }
    ring_publish(&writer);
    model.published = model.written;
    while (good && model.read < model.published)
        good = read_some(&reader, &model);
    ok(good, "200000 random rounds equal the model: %llu records", (unsigned long long)model.read);
    ok(refused > 100 && model.read > 1000000, "and the ring was full %llu times", (unsigned long long)refused);
    good = good && read_some(&reader, &model);
    is_u64(ring_used(ring), 0, "nothing is left in the ring");
}

static void test_limits(void)
{
    struct error error = {""};
    struct ring *ring = ring_create(1, fingerprint, &error);
    struct ring_writer writer;
    struct ring_reader reader;
    size_t half, bytes;

    is_u64(ring_size(ring), 65536, "the smallest ring");
    ok(ring_attach_writer(&writer, ring, fingerprint + 1, &error) == -1 && error.text[0] != 0,
       "another layout is refused: %s", error.text);
    ok(ring_attach_reader(&reader, ring, fingerprint + 1, &error) == -1, "by the reader too");
    ok(ring_attach_writer(&writer, ring, fingerprint, NULL) == 0 &&
           ring_attach_reader(&reader, ring, fingerprint, NULL) == 0,
       "both ends attach");
    half = ring_size(ring) / 2 - 8;
    ok(ring_reserve(&writer, half + 1) == NULL && ring_reserve(&writer, SIZE_MAX) == NULL,
       "more than half of the ring never fits");
    ok(!ring_wait_room(&writer, half + 1, 10000), "and is not waited for");
    for (unsigned i = 0; i < 100; i++) {
        if (ring_reserve(&writer, half) == NULL)
            break;
        ring_commit(&writer, RING_FLOW, i % 3 == 0 ? 8 : half);
        ring_publish(&writer);
        if (ring_peek(&reader, &bytes) == NULL)
            break;
        ring_consume(&reader, bytes);
        if (i == 99)
            ok(true, "half of the ring fits into an empty ring at any position");
    }
    while (ring_reserve(&writer, 56) != NULL)
        ring_commit(&writer, RING_FLOW, 56);
    ok(ring_peek(&reader, &bytes) == NULL && bytes == 0, "what is not published is not seen");
    ring_publish(&writer);
    ok(ring_used(ring) > ring_size(ring) - 128 && ring_used(ring) <= ring_size(ring), "the ring is full to the end");
    ring_free(ring);
    ring_free(NULL);
    ok(ring_create(SIZE_MAX, 1, &error) == NULL, "an absurd size is refused: %s", error.text);
}

static bool readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static void test_wake(void)
{
    struct ring *ring = ring_create(0, fingerprint, NULL);
    struct ring_writer writer;
    struct ring_reader reader;
    struct timespec before, after;
    size_t bytes;

    if (ring == NULL || ring_attach_writer(&writer, ring, fingerprint, NULL) < 0 ||
        ring_attach_reader(&reader, ring, fingerprint, NULL) < 0)
        return;
    ring_reserve(&writer, 8);
    ring_commit(&writer, RING_FLOW, 8);
    ring_publish(&writer);
    ok(!readable(ring_wake_fd(ring)), "no wake-up for a reader that is not armed");
    ok(!ring_arm(&reader), "records are there: the reader must not sleep");
    ring_peek(&reader, &bytes);
    ring_consume(&reader, bytes);
    ok(ring_arm(&reader), "empty: it may");
    ring_publish(&writer);
    ok(!readable(ring_wake_fd(ring)), "nothing new, nothing woken");
    for (unsigned i = 0; i < 3; i++) {
        ring_reserve(&writer, 8);
        ring_commit(&writer, RING_END, 8);
        ring_publish(&writer);
    }
    ok(readable(ring_wake_fd(ring)), "published to an armed ring");
    ring_wake_clear(&reader);
    ok(!readable(ring_wake_fd(ring)), "drained");
    ok(ring_peek(&reader, &bytes)->kind == RING_END && bytes == 48, "the END record is seen");

    while (ring_reserve(&writer, 1000) != NULL)
        ring_commit(&writer, RING_FLOW, 1000);
    clock_gettime(CLOCK_MONOTONIC, &before);
    ok(!ring_wait_room(&writer, 1000, 50), "no room within 50 ms");
    clock_gettime(CLOCK_MONOTONIC, &after);
    ok((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 49, "which it has waited");
    ok(ring_used(ring) == writer.tail - reader.head, "waiting has published all");
    while (ring_peek(&reader, &bytes) != NULL)
        ring_consume(&reader, bytes);
    ok(ring_wait_room(&writer, 1000, 0), "room at once when the reader has read");
    ring_free(ring);
}

int main(void)
{
    struct ring *ring = ring_create(65536, fingerprint, NULL);

    plan_none();
    test_model(ring);
    ring_free(ring);
    test_limits();
    test_wake();
    return done_testing();
}
