/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares the rows that a collector printed with the rows that it had to print.
 *
 * Both files are CSV with a header line. The expected file's columns, all but PACKETS, BYTES and FLOWS, are the key;
 * the produced file may have its columns in any order and further ones, which are ignored. A key that comes twice is an
 * error (an aggregate is one row) unless --sum is given, which adds such rows up: for output of several intervals.
 * Prints EXACT and exits 0, or the differences and exits 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { columns_max = 64, value_count = 2, shown_max = 5 };

static const char *const value_names[value_count] = {"PACKETS", "BYTES"};

struct text {
    const char *at;
    size_t size;
};

struct table { /* a CSV file in memory */
    const char *path;
    struct text file, header;
    const char *next; /* the line to read next */
    struct text columns[columns_max];
    unsigned column_count;
};

struct row {
    uint64_t hash;
    const char *line; /* of the expected file: its key columns, at the places of `key_columns` */
    uint64_t expected[value_count], produced[value_count];
    uint32_t seen;
};

struct comparison {
    struct row *rows; /* open addressing, a power of two, at most half full */
    size_t mask, count;
    unsigned key_columns[columns_max], key_count;
    unsigned expected_values[value_count];
    unsigned produced_keys[columns_max], produced_values[value_count];
    struct table expected, produced;
    bool sum;
    uint64_t missing, extra, wrong, doubled;
    uint64_t totals[2][value_count], produced_rows;
};

static void die(const char *path, const char *what)
{
    fprintf(stderr, "compare_rows: %s: %s\n", path, what);
    exit(2);
}

static bool text_same(struct text a, struct text b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

static bool next_line(struct table *table, struct text *line)
{
    const char *end = table->file.at + table->file.size, *stop;

    while (table->next < end) {
        stop = memchr(table->next, '\n', (size_t)(end - table->next));
        if (stop == NULL)
            stop = end;
        *line = (struct text){table->next, (size_t)(stop - table->next)};
        table->next = stop + 1;
        if (line->size > 0)
            return true;
    }
    return false;
}

static unsigned split(struct text line, struct text *columns)
{
    unsigned count = 0;

    for (;;) {
        const char *comma = memchr(line.at, ',', line.size);
        size_t size = comma == NULL ? line.size : (size_t)(comma - line.at);

        if (count == columns_max)
            return count;
        columns[count++] = (struct text){line.at, size};
        if (comma == NULL)
            return count;
        line.at += size + 1;
        line.size -= size + 1;
    }
}

static void table_open(struct table *table, const char *path)
{
    int file = open(path, O_RDONLY);
    struct stat status;
    void *memory;

    table->path = path;
    if (file < 0 || fstat(file, &status) != 0)
        die(path, strerror(errno));
    if (status.st_size == 0)
        die(path, "empty");
    memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (memory == MAP_FAILED)
        die(path, strerror(errno));
    close(file);
    table->file = (struct text){memory, (size_t)status.st_size};
    table->next = memory;
    if (!next_line(table, &table->header))
        die(path, "no header line");
    table->column_count = split(table->header, table->columns);
}

static unsigned column_find(const struct table *table, struct text name)
{
    for (unsigned i = 0; i < table->column_count; i++)
        if (text_same(table->columns[i], name))
            return i;
    fprintf(stderr, "compare_rows: %s: no column %.*s\n", table->path, (int)name.size, name.at);
    exit(2);
}

static void columns_match(struct comparison *c)
{
    for (unsigned i = 0; i < c->expected.column_count; i++) {
        struct text name = c->expected.columns[i];

        if (text_same(name, (struct text){"PACKETS", 7}) || text_same(name, (struct text){"BYTES", 5}) ||
            text_same(name, (struct text){"FLOWS", 5}))
            continue;
        c->key_columns[c->key_count] = i;
        c->produced_keys[c->key_count++] = column_find(&c->produced, name);
    }
    for (unsigned i = 0; i < value_count; i++) {
        struct text name = {value_names[i], strlen(value_names[i])};

        c->expected_values[i] = column_find(&c->expected, name);
        c->produced_values[i] = column_find(&c->produced, name);
    }
}

static uint64_t key_hash(const struct text *columns, const unsigned *places, unsigned count)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (unsigned i = 0; i < count; i++) {
        struct text t = columns[places[i]];

        for (size_t j = 0; j < t.size; j++)
            hash = (hash ^ (uint8_t)t.at[j]) * 0x100000001b3u;
        hash = (hash ^ ',') * 0x100000001b3u;
    }
    return hash ^ hash >> 29;
}

static bool key_same(const struct comparison *c, const struct row *row, const struct text *columns,
                     const unsigned *places)
{
    struct text own[columns_max];

    split((struct text){row->line, strcspn(row->line, "\n")}, own);
    for (unsigned i = 0; i < c->key_count; i++)
        if (!text_same(own[c->key_columns[i]], columns[places[i]]))
            return false;
    return true;
}

/* The place of a key: its row, or the free one where it would go. */
static struct row *row_find(const struct comparison *c, const struct text *columns, const unsigned *places)
{
    uint64_t hash = key_hash(columns, places, c->key_count);
    size_t at = hash & c->mask;

    for (;; at = (at + 1) & c->mask) {
        struct row *row = &c->rows[at];

        if (row->line == NULL) {
            row->hash = hash;
            return row;
        }
        if (row->hash == hash && key_same(c, row, columns, places))
            return row;
    }
}

static uint64_t value_read(const struct table *table, struct text text)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            die(table->path, "a counter is not a number");
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    return value;
}

static void expected_read(struct comparison *c)
{
    size_t lines = 0, size = 16;
    struct text line, columns[columns_max];

    for (const char *p = c->expected.file.at, *end = p + c->expected.file.size;
         p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    while (size < lines * 2 + 2)
        size *= 2;
    c->mask = size - 1;
    c->rows = calloc(size, sizeof(*c->rows));
    if (c->rows == NULL)
        die(c->expected.path, "out of memory");
    while (next_line(&c->expected, &line)) {
        struct row *row;

        if (split(line, columns) != c->expected.column_count)
            die(c->expected.path, "a row has not as many columns as the header");
        row = row_find(c, columns, c->key_columns);
        if (row->line != NULL)
            die(c->expected.path, "a key comes twice");
        row->line = line.at;
        c->count++;
        for (unsigned i = 0; i < value_count; i++) {
            row->expected[i] = value_read(&c->expected, columns[c->expected_values[i]]);
            c->totals[0][i] += row->expected[i];
        }
    }
}

static void show(uint64_t *count, const char *what, const char *line)
{
    if (++*count <= shown_max)
        printf("%s: %.*s\n", what, (int)strcspn(line, "\n"), line);
}

static void produced_read(struct comparison *c)
{
    struct text line, columns[columns_max];

    while (next_line(&c->produced, &line)) {
        struct row *row;

        if (text_same(line, c->produced.header))
            continue; /* an appended file may repeat its header */
        if (split(line, columns) != c->produced.column_count)
            die(c->produced.path, "a row has not as many columns as the header");
        c->produced_rows++;
        row = row_find(c, columns, c->produced_keys);
        for (unsigned i = 0; i < value_count; i++)
            c->totals[1][i] += value_read(&c->produced, columns[c->produced_values[i]]);
        if (row->line == NULL) {
            show(&c->extra, "extra", line.at);
            continue;
        }
        if (row->seen++ > 0 && !c->sum)
            show(&c->doubled, "double", line.at);
        for (unsigned i = 0; i < value_count; i++)
            row->produced[i] += value_read(&c->produced, columns[c->produced_values[i]]);
    }
}

static void judge(struct comparison *c)
{
    for (size_t i = 0; i <= c->mask; i++) {
        const struct row *row = &c->rows[i];

        if (row->line == NULL)
            continue;
        if (row->seen == 0) {
            show(&c->missing, "missing", row->line);
        } else if (memcmp(row->expected, row->produced, sizeof(row->expected)) != 0) {
            show(&c->wrong, "wrong, expected", row->line);
            if (c->wrong <= shown_max)
                printf("       produced %" PRIu64 " packets, %" PRIu64 " bytes\n", row->produced[0], row->produced[1]);
        }
    }
}

int main(int argc, char **argv)
{
    static struct comparison c;
    int first = 1;
    bool exact;

    if (argc > 1 && strcmp(argv[1], "--sum") == 0) {
        c.sum = true;
        first++;
    }
    if (argc - first != 2) {
        fputs("usage: compare_rows [--sum] EXPECTED.csv PRODUCED.csv\n", stderr);
        return 2;
    }
    table_open(&c.expected, argv[first]);
    table_open(&c.produced, argv[first + 1]);
    columns_match(&c);
    expected_read(&c);
    produced_read(&c);
    judge(&c);
    exact = c.missing + c.extra + c.wrong + c.doubled == 0;
    if (exact)
        printf("EXACT: %zu keys, %" PRIu64 " packets, %" PRIu64 " bytes\n", c.count, c.totals[1][0], c.totals[1][1]);
    else
        printf("DIFFERENT: %" PRIu64 " missing, %" PRIu64 " extra, %" PRIu64 " wrong, %" PRIu64 " double of %zu keys; "
               "%" PRIu64 " of %" PRIu64 " packets, %" PRIu64 " of %" PRIu64 " bytes\n", c.missing, c.extra, c.wrong,
               c.doubled, c.count, c.totals[1][0], c.totals[0][0], c.totals[1][1], c.totals[0][1]);
    return exact ? 0 : 1;
}
