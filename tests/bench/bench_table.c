/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speed of the aggregate table: 40-byte keys (two addresses, ports, protocol) with packets and bytes, drawn uniformly.
 *
 * usage: bench_table [millions of records] [keys ...]
 * For each number of keys, one line `name value unit` each: adding every key for the first time to a new table, the
 * longest single batch of that (growth included), adding to rows that exist, the same after table_clear, and memory.
 * CPU time, user and system; only table_add is inside the clock. Totals are checked.
 */
#include "plugins/common/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define chunk 4096u /* records made between two looks at the clock: they fit the second-level cache */

static uint8_t bodies[chunk][56] __attribute__((aligned(64)));
static uint8_t *pointers[chunk];

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t random_next(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void make(uint8_t *body, uint64_t key)
{
    store_u64(body, 0);
    store_u64(body + 8, UINT64_C(0x0a00000affff0000) + (key << 32));
    store_u64(body + 16, 0);
    store_u64(body + 24, UINT64_C(0x140a0000ffff0000) + ((key >> 12) << 32));
    store_u64(body + 32, (key & 1023) << 16 | 443 | UINT64_C(6) << 32);
    store_u64(body + 40, 1);
    store_u64(body + 48, key & 1023);
}

/* Adds `records`: the keys in turn, or random ones. Returns CPU seconds inside table_add. */
static double add(struct table *table, uint64_t records, uint64_t keys, bool in_turn, double *longest)
{
    double cpu = 0;

    for (uint64_t done = 0; done < records; done += chunk) {
        unsigned count = (unsigned)min_u64(chunk, records - done);
        double start;

        for (unsigned i = 0; i < count; i++)
            make(bodies[i], in_turn ? done + i : (uint64_t)(((unsigned __int128)random_next() * keys) >> 64));
        start = seconds(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned i = 0; i < count; i += table_batch_max) {
            double before = longest == NULL ? 0 : seconds(CLOCK_MONOTONIC);

            table_add(table, pointers + i, (unsigned)min_u64(table_batch_max, count - i));
            if (longest != NULL && seconds(CLOCK_MONOTONIC) - before > *longest)
                *longest = seconds(CLOCK_MONOTONIC) - before;
        }
        cpu += seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    }
    return cpu;
}

static void check(const struct table *table, uint64_t records)
{
    uint64_t packets = 0, count;
    uint8_t *row;

    for (unsigned segment = 0; (count = table_segment(table, segment, &row)) != 0; segment++)
        for (; count > 0; count--, row += 56)
            packets += load_u64(row + 40);
    if (packets != records || table_records(table) != records) {
        fprintf(stderr, "bench_table: %llu packets, %llu expected\n", (unsigned long long)packets,
                (unsigned long long)records);
        exit(1);
    }
}

static void run(const struct layout *layout, uint64_t keys, uint64_t records)
{
    struct table *table = table_new(layout, 0);
    double longest = 0, cpu;
    const char *format = "table_%llu_%s %.1f %s\n";
    unsigned long long name = keys;

    if (table == NULL)
        exit(2);
    cpu = add(table, keys, keys, true, NULL);
    printf(format, name, "first", (double)keys / cpu * 1e-6, "Mrecords/cpu-s");
    cpu = add(table, records, keys, false, NULL);
    check(table, keys + records);
    printf(format, name, "uniform", (double)records / cpu * 1e-6, "Mrecords/cpu-s");
    printf(format, name, "memory", (double)table_bytes(table) * 1e-6, "MB");
    cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    table_clear(table);
    printf(format, name, "clear", (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e3, "ms");
    cpu = add(table, keys, keys, true, NULL);
    check(table, keys);
    printf(format, name, "again", (double)keys / cpu * 1e-6, "Mrecords/cpu-s");
    table_free(table);

    table = table_new(layout, 0);
    if (table == NULL)
        exit(2);
    add(table, keys, keys, true, &longest);
    printf(format, name, "longest_batch", longest * 1e6, "us");
    table_free(table);
}

int main(int count, char **arguments)
{
    static struct layout layout = {.key_bytes = 40, .value_count = 2, .body_bytes = 56, .bin_offset = -1};
    uint64_t records = (count > 1 ? strtoul(arguments[1], NULL, 10) : 20) * 1000000;
    struct rusage usage;

    for (unsigned i = 0; i < chunk; i++)
        pointers[i] = bodies[i];
    if (count > 2) {
        for (int i = 2; i < count; i++)
            run(&layout, strtoul(arguments[i], NULL, 10), records);
    } else {
        for (uint64_t keys = 1000; keys <= 10000000; keys *= keys == 1000 ? 100 : 10)
            run(&layout, keys, records);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("table_peak_memory %.1f MB\n", (double)usage.ru_maxrss / 1024);
    return 0;
}
