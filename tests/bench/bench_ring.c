/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speed of the ring between two processes: records of 64, 128 and 256 bytes, published in batches. The writer either
 * spins on a full ring (wall clock: the ring itself) or waits for room (CPU seconds of both: the replay of a file).
 *
 * usage: bench_ring [records in millions] [ring KiB] [batch]
 * Each line: name value unit. The reader adds up the first word of each body, and the sum is checked.
 */
#include "ring/ring.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double wall_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double cpu_seconds(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void pin(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        fprintf(stderr, "bench_ring: cannot pin to CPU %u, the figures will vary more\n", cpu);
}

/* Reads until RING_END; the exit status says whether the sum is right. */
static int read_all(struct ring *ring, uint64_t want, bool spin)
{
    struct ring_reader reader;
    uint64_t sum = 0;

    if (ring_attach_reader(&reader, ring, 1, NULL) < 0)
        return 2;
    for (;;) {
        size_t bytes;
        struct ring_header *header = ring_peek(&reader, &bytes);
        const uint8_t *end;

        if (header == NULL) {
            struct pollfd wake = {.fd = ring_wake_fd(ring), .events = POLLIN};

            if (!spin && ring_arm(&reader)) {
                poll(&wake, 1, 1000);
                ring_wake_clear(&reader);
            }
            continue;
        }
        end = (const uint8_t *)header + bytes;
        for (; (const uint8_t *)header < end; header = (struct ring_header *)((uint8_t *)header + header->bytes)) {
            if (header->kind == RING_END)
                return sum == want ? 0 : 1;
            sum += load_u64(header + 1);
        }
        ring_consume(&reader, bytes);
    }
}

static void write_all(struct ring *ring, uint64_t records, size_t body_bytes, unsigned batch, bool spin)
{
    struct ring_writer writer;

    if (ring_attach_writer(&writer, ring, 1, NULL) < 0)
        exit(2);
    for (uint64_t i = 0; i <= records; i++) {
        uint8_t *body;

        while ((body = ring_reserve(&writer, body_bytes)) == NULL) {
            if (spin)
                ring_publish(&writer);
            else
                ring_wait_room(&writer, body_bytes, 1000);
        }
        for (size_t at = 0; at < body_bytes; at += 8)
            store_u64(body + at, i + at);
        ring_commit(&writer, i == records ? RING_END : RING_FLOW, body_bytes);
        if (i % batch == batch - 1)
            ring_publish(&writer);
    }
    ring_publish(&writer);
}

static void run(uint64_t records, size_t ring_bytes, size_t record_bytes, unsigned batch, bool spin)
{
    struct ring *ring = ring_create(ring_bytes, 1, NULL);
    double cpu = cpu_seconds(RUSAGE_SELF), cpu_child = cpu_seconds(RUSAGE_CHILDREN), wall = wall_seconds();
    const char *how = spin ? "spin" : "wait";
    int status = -1;
    pid_t child;

    if (ring == NULL || (child = fork()) < 0)
        exit(2);
    if (child == 0) {
        pin(1);
        _exit(read_all(ring, records * (records - 1) / 2, spin));
    }
    pin(0);
    write_all(ring, records, record_bytes - sizeof(struct ring_header), batch, spin);
    waitpid(child, &status, 0);
    wall = wall_seconds() - wall;
    cpu = cpu_seconds(RUSAGE_SELF) - cpu;
    cpu_child = cpu_seconds(RUSAGE_CHILDREN) - cpu_child;
    if (status != 0) {
        fprintf(stderr, "bench_ring: the reader's sum is wrong\n");
        exit(1);
    }
    printf("ring_%s_%zu_batch_%u_wall %.1f Mrecords/s\n", how, record_bytes, batch, (double)records / wall * 1e-6);
    printf("ring_%s_%zu_batch_%u_cpu %.1f Mrecords/cpu-s\n", how, record_bytes, batch,
           (double)records / (cpu + cpu_child) * 1e-6);
    ring_free(ring);
}

int main(int count, char **arguments)
{
    uint64_t records = (count > 1 ? strtoul(arguments[1], NULL, 10) : 20) * 1000000;
    size_t ring_bytes = (count > 2 ? strtoul(arguments[2], NULL, 10) : 4096) << 10;
    unsigned batch = count > 3 ? (unsigned)strtoul(arguments[3], NULL, 10) : 256;

    for (size_t record_bytes = 64; record_bytes <= 256; record_bytes *= 2)
        for (unsigned spin = 0; spin < 2; spin++)
            run(records, ring_bytes, record_bytes, batch == 0 ? 1 : batch, spin == 1);
    return 0;
}
