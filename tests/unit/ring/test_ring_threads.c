/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of the ring as two threads of one process, for ThreadSanitizer: build this file and ring.c with
 * -fsanitize=thread and it must stay silent. Without it, it is one more stress test.
 */
#include "ring/ring.h"

#include "lib/tap.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

#define record_count 2000000u

static void *write_all(void *context)
{
    struct ring_writer writer;

    if (ring_attach_writer(&writer, context, 1, NULL) < 0)
        return NULL;
    for (uint64_t n = 0; n <= record_count; n++) {
        uint8_t *body;

        while ((body = ring_reserve(&writer, 40)) == NULL)
            ring_wait_room(&writer, 40, 1000);
        store_u64(body, n);
        ring_commit(&writer, n == record_count ? RING_END : RING_FLOW, 8 * (1 + n % 5));
        if (n % 61 == 0)
            ring_publish(&writer);
        if (n % 200000 == 0)
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    ring_publish(&writer);
    return NULL;
}

int main(void)
{
    struct ring *ring = ring_create(65536, 1, NULL);
    struct ring_reader reader;
    uint64_t number = 0, naps = 0, wrong = 0;
    pthread_t thread;

    plan_none();
    if (ring_attach_reader(&reader, ring, 1, NULL) < 0 || pthread_create(&thread, NULL, write_all, ring) != 0)
        return 1;
    while (number <= record_count) {
        struct pollfd wake = {.fd = ring_wake_fd(ring), .events = POLLIN};
        size_t bytes, at = 0;
        struct ring_header *run = ring_peek(&reader, &bytes);

        if (run == NULL) {
            if (!ring_arm(&reader))
                continue;
            naps++;
            if (poll(&wake, 1, 5000) != 1)
                break;
            ring_wake_clear(&reader);
            continue;
        }
        while (at < bytes) {
            struct ring_header *header = (struct ring_header *)((uint8_t *)run + at);

            wrong += load_u64(header + 1) != number || header->bytes != 16 + 8 * (number % 5);
            store_u64(header + 1, 0); /* records are the reader's until it gives them back */
            number++;
            at += header->bytes;
        }
        ring_consume(&reader, bytes);
        if (number % 1000 < 20)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    pthread_join(thread, NULL);
    is_u64(number, record_count + 1, "all records came; the reader slept %llu times", (unsigned long long)naps);
    is_u64(wrong, 0, "each right and in turn");
    ring_free(ring);
    return done_testing();
}
