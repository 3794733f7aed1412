/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring between processes: ten million records of random length, every byte checked, with ends that spin, sleep or
 * dawdle; then readers and writers that are killed with SIGKILL again and again while the count goes on.
 */
#include "ring/ring.h"

#include "lib/tap.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define words_max 24u

enum pace { PACE_EAGER, PACE_SLEEP, PACE_DAWDLE };

static const char *const pace_name[] = {"eager", "asleep when idle", "dawdling"};

/* What a reader that will be killed leaves for its successor: the number before and after its last step. */
struct notes {
    _Atomic uint64_t before, after;
};

/* What a writer leaves, before it publishes: which number comes at which tail. One of the two pairs is always whole. */
static struct pair {
    _Atomic uint64_t index, number;
} *pairs;

static uint64_t mix(uint64_t n)
{
    n *= UINT64_C(0x9e3779b97f4a7c15);
    return n ^ n >> 29;
}

static void nap(unsigned microseconds)
{
    struct timespec time = {.tv_nsec = (long)microseconds * 1000};

    nanosleep(&time, NULL);
}

static void note(const struct ring_writer *writer, uint64_t number)
{
    static unsigned turn;
    struct pair *pair;

    if (pairs == NULL)
        return;
    if (atomic_load(&pairs[turn & 1].index) == writer->published)
        turn++; /* this one may be needed yet */
    pair = &pairs[turn & 1];
    atomic_store(&pair->index, UINT64_MAX);
    atomic_store(&pair->number, number);
    atomic_store(&pair->index, writer->tail);
}

static void put(struct ring_writer *writer, uint64_t number, bool last)
{
    unsigned words = 1 + (unsigned)(mix(number) % words_max);
    uint8_t *body;

    while ((body = ring_reserve(writer, 8 * (size_t)words)) == NULL) {
        if (writer->tail != writer->published)
            note(writer, number);
        ring_wait_room(writer, 8 * (size_t)words, 20);
    }
    for (unsigned i = 0; i < words; i++)
        store_u64(body + 8 * (size_t)i, number + i * UINT64_C(0x100000001));
    ring_commit(writer, last ? RING_END : RING_FLOW, 8 * (size_t)words);
}

static bool good_record(const struct ring_header *header, uint64_t number)
{
    unsigned words = 1 + (unsigned)(mix(number) % words_max);

    if (header->bytes != 8 + 8 * words)
        return false;
    for (unsigned i = 0; i < words; i++)
        if (load_u64((const uint8_t *)(header + 1) + 8 * (size_t)i) != number + i * UINT64_C(0x100000001))
            return false;
    return true;
}

static void write_records(struct ring *ring, uint64_t from, uint64_t count, enum pace pace)
{
    struct ring_writer writer;

    if (ring_attach_writer(&writer, ring, 1, NULL) < 0)
        _exit(3);
    for (unsigned i = 0; from == UINT64_MAX && i < 2; i++)
        if (writer.tail == atomic_load(&pairs[i].index))
            from = atomic_load(&pairs[i].number);
    for (uint64_t number = from; number <= count; number++) {
        put(&writer, number, number == count);
        if (mix(number) % 128 != 0 && number != count)
            continue;
        note(&writer, number + 1);
        ring_publish(&writer);
        if (pace == PACE_DAWDLE && mix(number) % 4096 == 0)
            nap(200);
    }
}

/* Reads to the END record. 0 when each record was right and in turn. `number` is the first one expected. */
static int read_records(struct ring *ring, uint64_t number, enum pace pace, struct notes *leave)
{
    struct ring_reader reader;

    if (ring_attach_reader(&reader, ring, 1, NULL) < 0)
        return 3;
    for (bool end = false; !end;) {
        size_t bytes;
        struct ring_header *header = ring_peek(&reader, &bytes);
        const uint8_t *stop;
        struct pollfd wake = {.fd = ring_wake_fd(ring), .events = POLLIN};

        if (header == NULL) {
            if (pace != PACE_EAGER && ring_arm(&reader)) {
                if (poll(&wake, 1, 5000) != 1)
                    return 4; /* a wake-up was lost */
                ring_wake_clear(&reader);
            }
            continue;
        }
        stop = (const uint8_t *)header + bytes;
        for (; (const uint8_t *)header < stop; header = (struct ring_header *)((uint8_t *)header + header->bytes)) {
            if (leave != NULL && number == UINT64_MAX) {
                number = load_u64(header + 1);
                if (number != atomic_load(&leave->after) && number != atomic_load(&leave->before))
                    return 5; /* lost or doubled between two readers */
            }
            if (!good_record(header, number))
                return 6;
            end = header->kind == RING_END;
            number++;
        }
        if (leave != NULL)
            atomic_store(&leave->before, number);
        ring_consume(&reader, bytes);
        if (leave != NULL)
            atomic_store(&leave->after, number);
        if (pace == PACE_DAWDLE && mix(number) % 16 == 0)
            nap(300);
    }
    return 0;
}

static int wait_for(pid_t child)
{
    int status = -1;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static void test_stress(uint64_t records, size_t ring_bytes, enum pace writing, enum pace reading)
{
    struct ring *ring = ring_create(ring_bytes, 1, NULL);
    pid_t child = fork();

    if (child == 0) {
        alarm(120);
        write_records(ring, 0, records, writing);
        _exit(0);
    }
    is_u64((uint64_t)read_records(ring, 0, reading, NULL), 0, "%llu records, writer %s, reader %s",
           (unsigned long long)records, pace_name[writing], pace_name[reading]);
    is_u64((uint64_t)wait_for(child), 0, "the writer is content");
    is_u64(ring_used(ring), 0, "the ring is empty");
    ring_free(ring);
}

static void test_killed_readers(uint64_t records, unsigned kills)
{
    struct ring *ring = ring_create(65536, 1, NULL);
    struct notes *left = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t writer, reader;
    unsigned killed = 0;
    int status = 0;

    writer = fork();
    if (writer == 0) {
        alarm(120);
        write_records(ring, 0, records, PACE_EAGER);
        _exit(0);
    }
    for (unsigned i = 0; i <= kills && (status == 0 || status == 256 + SIGKILL); i++) {
        reader = fork();
        if (reader == 0) {
            alarm(120);
            _exit(read_records(ring, i == 0 ? 0 : UINT64_MAX, i % 2 == 0 ? PACE_SLEEP : PACE_DAWDLE, left));
        }
        if (i < kills) {
            nap(500 + (unsigned)(mix(i) % 8000));
            kill(reader, SIGKILL);
        }
        status = wait_for(reader);
        killed += status == 256 + SIGKILL;
        if (status == 0)
            break;
    }
    is_u64((uint64_t)status, 0, "%u readers killed, the last one reads to the end: none lost, none doubled", killed);
    is_u64(atomic_load(&left->after), records + 1, "%llu records in all", (unsigned long long)records);
    is_u64((uint64_t)wait_for(writer), 0, "the writer did not notice");
    munmap(left, 4096);
    ring_free(ring);
}

static void test_killed_writers(uint64_t records, unsigned kills)
{
    struct ring *ring = ring_create(65536, 1, NULL);
    pid_t writer, reader;
    unsigned killed = 0;
    int status = 0;

    pairs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    reader = fork();
    if (reader == 0) {
        alarm(120);
        _exit(read_records(ring, 0, PACE_SLEEP, NULL));
    }
    for (unsigned i = 0; i <= kills; i++) {
        writer = fork();
        if (writer == 0) {
            alarm(120);
            write_records(ring, i == 0 ? 0 : UINT64_MAX, records, PACE_DAWDLE);
            _exit(0);
        }
        if (i < kills) {
            nap(500 + (unsigned)(mix(i) % 8000));
            kill(writer, SIGKILL);
        }
        status = wait_for(writer);
        killed += status == 256 + SIGKILL;
        if (status == 0)
            break;
    }
    is_u64((uint64_t)status, 0, "%u writers killed, the last one writes to the end", killed);
    is_u64((uint64_t)wait_for(reader), 0, "the reader saw %llu records, each once and in turn",
           (unsigned long long)records);
    munmap(pairs, 4096);
    pairs = NULL;
    ring_free(ring);
}

int main(void)
{
    plan_none();
    test_stress(10000000, 1 << 20, PACE_SLEEP, PACE_SLEEP);
    test_stress(300000, 65536, PACE_EAGER, PACE_DAWDLE);
    test_stress(2000000, 65536, PACE_DAWDLE, PACE_SLEEP);
    test_stress(1000000, 65536, PACE_DAWDLE, PACE_DAWDLE);
    test_stress(1000000, 65536, PACE_EAGER, PACE_EAGER);
    test_killed_readers(5000000, 40);
    test_killed_writers(3000000, 40);
    return done_testing();
}
