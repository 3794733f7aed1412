/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of capture files: every form of pcap and pcapng in both byte orders, several interfaces in one file, frames
 * at every place of the buffer, pipes, and broken files.
 */
#include "net/frame_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture_writer.h"
#include "lib/tap.h"

static char path[] = "/tmp/flowledger-frames-XXXXXX";

static void write_file(size_t size)
{
    FILE *out = fopen(path, "w");

    fwrite(content, 1, size, out);
    fclose(out);
}

/* All frames of the file as text: "link time captured/length 'bytes' direction; ...", then how it ended. */
static const char *read_all(void)
{
    static char text[4096];
    struct error error = {.text = ""};
    struct frame_file *file;
    struct frame frame;
    size_t used = 0;
    int got;

    write_file(content_bytes);
    file = frame_file_open(path, &error);
    if (file == NULL) {
        snprintf(text, sizeof(text), "%s", strstr(error.text, "read: ") != NULL ? strstr(error.text, "read: ") + 6
                                                                                : error.text);
        return text;
    }
    while ((got = frame_file_next(file, &frame, &error)) == 1 && used < sizeof(text) - 256)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%u %lld %u/%u '%.*s'%s; ", frame.link,
                                 (long long)frame.when_ns, frame.captured, frame.length,
                                 (int)(frame.captured < 100 ? frame.captured : 100), (const char *)frame.bytes,
                                 frame.direction == FRAME_IN ? " in" : frame.direction == FRAME_OUT ? " out" : "");
    snprintf(text + used, sizeof(text) - used, "%s", got == 0 ? "end" : error.text);
    frame_file_close(file);
    return text;
}

static void check_pcap(void)
{
    for (unsigned order = 0; order < 2; order++) {
        begin(order);
        put_file_header(0xa1b2c3d4, 4, 1);
        put_record(1000, 250000, 60, "one");
        put_record(UINT32_MAX, 999999, 3, "two");
        is_text(read_all(), "1 1000250000000 3/60 'one'; 1 4294967295999999000 3/3 'two'; end",
                "pcap, microseconds, order %u", order);
        begin(order);
        put_file_header(0xa1b23c4d, 4, 0x04000071); /* the upper bits tell of a check sequence */
        put_record(1000, 123456789, 1, "one"); /* the whole length is less than what was captured */
        is_text(read_all(), "113 1000123456789 3/3 'one'; end", "pcap, nanoseconds, order %u", order);
        begin(order);
        put_file_header(0xa1b2cd34, 4, 1);
        put32(1);
        put32(2);
        put32(3);
        put32(4);
        put("\0\0\0\1\x08\0\0\0one", 11);
        is_text(read_all(), "1 1000002000 3/4 'one'; end", "pcap with longer records, order %u", order);
        begin(order);
        put_file_header(0xa1b2c3d4, 3, 1);
        put32(1);
        put32(2);
        put32(60);
        put32(3);
        put("one", 3);
        is_text(read_all(), "1 1000002000 3/60 'one'; end", "pcap 2.3 with lengths the other way, order %u", order);
    }
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 12);
    put_record(1, 0, 3, "one");
    put_record(1, 0, 0, "");
    is_text(read_all(), "101 1000000000 3/3 'one'; 101 1000000000 0/0 ''; end", "BSD's number of raw IP");
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 70000);
    put_record(1, 0, 3, "one");
    is_text(read_all(), "65535 1000000000 3/3 'one'; end", "a link type that no number has");
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 1);
    is_text(read_all(), "end", "no frame");
}

static void check_pcapng(void)
{
    for (unsigned order = 0; order < 2; order++) {
        begin(order);
        put_section();
        put_interface(1, 0, 0xff, 0);
        put_packet(0, 1000250000, 60, "one", -1);
        put_interface(113, 0, 9, 0);
        put_packet(1, UINT64_C(1000123456789), 3, "two", 1);
        put_interface(12, 0, 0x80 | 10, -100); /* 1024 ticks a second, 100 seconds less */
        put_packet(2, 1000 * 1024 + 512, 5, "three", 2);
        put_packet(0, 1, 4, "four", 0);
        is_text(read_all(), "1 1000250000000 3/60 'one'; 113 1000123456789 3/3 'two' in; 101 900500000000 5/5 'three'"
                " out; 1 1000 4/4 'four'; end", "pcapng, three interfaces of three links and clocks, order %u", order);
    }
    /* A section in the other order; interfaces begin anew. */
    begin(false);
    put_section();
    put_interface(1, 0, 0xff, 0);
    put_packet(0, 1, 3, "one", -1);
    swapped = true;
    put_section();
    put_interface(101, 0, 0xff, 0);
    put_packet(0, 2, 3, "two", -1);
    swapped = false;
    put_section();
    is_text(read_all(), "1 1000 3/3 'one'; 101 2000 3/3 'two'; end", "sections");
    put_packet(0, 3, 5, "three", -1);
    ok(strstr(read_all(), "the capture is broken after frame 2: a packet of interface 0, and only 0 were described"),
       "a section has its own interfaces");
}

static void check_other_blocks(void)
{
    size_t start;

    begin(false);
    put_section();
    put_interface(1, 4, 0xff, 0);
    start = open_block(3);
    put32(10); /* of which the interface's limit lets four through */
    put("0123", 4);
    close_block(start);
    start = open_block(2);
    put16(0);
    put16(77);
    put32(0);
    put32(5);
    put32(3);
    put32(9);
    put("old", 3);
    close_block(start);
    start = open_block(5); /* statistics, of more bytes than the reader has room for */
    for (unsigned i = 0; i < 300000; i++)
        put32(i);
    close_block(start);
    put_packet(0, 7, 3, "new", -1);
    start = open_block(0x0bad);
    close_block(start);
    is_text(read_all(), "1 0 4/10 '0123'; 1 5000 3/9 'old'; 1 7000 3/3 'new'; end", "simple and old packets, others");
    begin(false);
    put_section();
    put_interface(1, 0, 19, 0);
    put_packet(0, UINT64_MAX, 3, "one", -1);
    put_interface(1, 0, 0, 0);
    put_packet(1, UINT64_MAX, 3, "two", -1);
    put_interface(1, 0, 6, INT64_MIN);
    put_packet(2, 1, 3, "old", -1);
    is_text(read_all(), "1 1844674407 3/3 'one'; 1 9223372036854775807 3/3 'two'; 1 0 3/3 'old'; end",
            "extreme clocks");
}

static void check_phrases(void)
{
    size_t start;

    begin(false);
    put("this is no capture", 18);
    is_text(read_all(), "it begins with 'this is no c'", "text");
    ok(frame_file_open(path, &(struct error){.text = ""}) == NULL, "is refused");
    begin(false);
    put32(0xa1b2c3d4);
    is_text(read_all(), "the file ends within the header of a capture", "four bytes");
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 1);
    content[4] = 3;
    is_text(read_all(), "a capture of version 3.4, only 2.x is known", "another version");
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 1);
    put_record(1, 1, 3, "one");
    put("half a", 6);
    is_text(read_all(), "1 1000001000 3/3 'one'; the capture is broken after frame 1: the file ends within the header "
            "of a frame", "half a header");
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 1);
    put_record(1, 1, 3, "one");
    content_bytes--;
    is_text(read_all(), "the capture is broken after frame 0: the file ends within a frame", "half a frame");
    begin(false);
    put_file_header(0xa1b2c3d4, 4, 1);
    for (unsigned i = 0; i < 4; i++)
        put32(300000);
    is_text(read_all(), "the capture is broken after frame 0: a frame of 300000 captured bytes; 262144 are possible",
            "too long");
    begin(false);
    put_section();
    put32(1);
    put32(13);
    put32(13);
    is_text(read_all(), "the capture is broken after frame 0: a block of 13 bytes, which no block can have", "odd");
    begin(false);
    put_section();
    put32(6);
    put32(0x7ffffffc);
    put32(0);
    is_text(read_all(), "the capture is broken after frame 0: a block of 2147483644 bytes, more than the 524288 that "
            "are read", "huge");
    begin(false);
    put_section();
    put32(5);
    put32(0x7ffffffc);
    put32(0);
    is_text(read_all(), "the capture is broken after frame 0: the file ends within a block", "huge, of no interest");
    begin(false);
    put_section();
    put_interface(1, 0, 0xff, 0);
    content[content_bytes - 4] = 99;
    is_text(read_all(), "the capture is broken after frame 0: a block whose two lengths differ", "two lengths");
    begin(false);
    put_section();
    put_interface(1, 0, 0x80 | 64, 0);
    is_text(read_all(), "the capture is broken after frame 0: an interface with a clock of more ticks per second than "
            "64 bits hold", "a fast clock");
    begin(false);
    put_section();
    for (unsigned i = 0; i < 4097; i++)
        put_interface(1, 0, 0xff, 0);
    is_text(read_all(), "the capture is broken after frame 0: more than 4096 interfaces in one section", "interfaces");
    begin(false);
    put_section();
    put_interface(1, 0, 0xff, 0);
    start = open_block(6);
    for (unsigned i = 0; i < 5; i++)
        put32(8 * (i == 3));
    put32(0);
    close_block(start);
    is_text(read_all(), "the capture is broken after frame 0: a packet block that is shorter than its packet", "short");
    begin(false);
    put("\x0a\x0d\x0d\x0a\x1c\0\0\0nothing that it should be", 28);
    is_text(read_all(), "the capture is broken after frame 0: a section without its magic number", "no magic");
}

/* Frames of every length up to `most`, each filled with its number: as they were, whatever the buffer cuts. */
static unsigned make_many(bool blocks, unsigned count, unsigned most)
{
    char *bytes = malloc(most + 1);

    begin(false);
    if (blocks) {
        put_section();
        put_interface(1, 0, 9, 0);
    } else {
        put_file_header(0xa1b23c4d, 4, 1);
    }
    for (unsigned i = 0; i < count; i++) {
        size_t size = (size_t)i * 7919 % most;

        memset(bytes, 1 + (int)(i % 250), size);
        bytes[size] = '\0';
        if (blocks)
            put_packet(0, i, (uint32_t)size, bytes, i % 3 == 0 ? 1 : -1);
        else
            put_record(0, i, (uint32_t)size, bytes);
    }
    free(bytes);
    return count;
}

static unsigned read_many(struct frame_file *file, unsigned most, int *got, struct error *error)
{
    unsigned count = 0, wrong = 0;
    struct frame frame;

    while ((*got = frame_file_next(file, &frame, error)) == 1) {
        wrong += frame.captured != (size_t)count * 7919 % most || frame.when_ns != count;
        for (unsigned i = 0; i < frame.captured; i++)
            wrong += frame.bytes[i] != 1 + count % 250;
        count++;
    }
    return wrong == 0 ? count : 0;
}

static void check_many(void)
{
    for (unsigned blocks = 0; blocks < 2; blocks++) {
        static const unsigned most[] = {100, 9000, 262145};

        for (unsigned i = 0; i < array_length(most); i++) {
            unsigned count = make_many(blocks, most[i] > 9000 ? 60 : 2000, most[i]);
            struct error error = {.text = ""};
            struct frame_file *file;
            int got;

            write_file(content_bytes);
            file = frame_file_open(path, &error);
            is_u64(read_many(file, most[i], &got, &error), count, "frames of up to %u bytes, %s: %s", most[i],
                   blocks ? "pcapng" : "pcap", error.text);
            is_u64(frame_file_counts(file).frames, count, "counted");
            is_u64(frame_file_counts(file).bytes_read, content_bytes, "all is read");
            is_u64(frame_file_counts(file).bytes_total, content_bytes, "of all there is");
            frame_file_close(file);
        }
    }
}

static bool on_wait(void *context, int fd)
{
    (void)fd;
    ++*(unsigned *)context;
    return true;
}

/* Through a pipe in small pieces, and one that ends within a frame. */
static void check_pipe(size_t piece, size_t missing)
{
    unsigned count = make_many(false, 500, 200), waits = 0, right;
    struct error error = {.text = ""};
    struct frame_file *file;
    int ends[2], got = -2, saved = dup(STDIN_FILENO);
    pid_t writer;

    if (pipe(ends) < 0)
        return;
    writer = fork();
    if (writer == 0) {
        for (size_t i = 0; i < content_bytes - missing; i += piece) {
            size_t size = min_u64(piece, content_bytes - missing - i);

            if (write(ends[1], content + i, size) != (ssize_t)size)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    file = frame_file_open("-", &error);
    frame_file_on_wait(file, on_wait, &waits);
    right = read_many(file, 200, &got, &error);
    is_u64(right, count - (missing > 0), "a pipe, %zu bytes at once", piece);
    ok(got == (missing > 0 ? -1 : 0) && waits > 0 && frame_file_counts(file).bytes_total == 0, "to its end: %s",
       error.text);
    frame_file_close(file);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
    waitpid(writer, NULL, 0);
}

/* Cut at every byte, and with every byte changed: it ends, and what is given lies in what there is. */
static void check_cut_and_changed(void)
{
    unsigned frames = 0, broken = 0;

    for (unsigned blocks = 0; blocks < 2; blocks++) {
        make_many(blocks, 12, 40);
        for (size_t i = 0; i < content_bytes * 2; i++) {
            struct error error;
            struct frame_file *file;
            struct frame frame;
            int got = -1;

            if (i >= content_bytes)
                content[i - content_bytes] ^= 0x55;
            write_file(i < content_bytes ? i : content_bytes);
            if (i >= content_bytes)
                content[i - content_bytes] ^= 0x55;
            file = frame_file_open(path, &error);
            while (file != NULL && (got = frame_file_next(file, &frame, &error)) == 1) {
                volatile uint8_t last = frame.captured > 0 ? frame.bytes[frame.captured - 1] : 0;

                (void)last;
                frames += frame.captured <= frame.length;
            }
            broken += got < 0;
            frame_file_close(file);
        }
    }
    ok(frames > 1000 && broken > 500, "cut and changed: %u frames came, %u files were broken", frames, broken);
}

int main(void)
{
    struct error error = {.text = ""};

    plan_none();
    close(mkstemp(path));
    check_pcap();
    check_pcapng();
    check_other_blocks();
    check_phrases();
    check_many();
    check_pipe(7, 0);
    check_pipe(4096, 0);
    check_pipe(1000, 1);
    check_cut_and_changed();
    unlink(path);
    ok(frame_file_open(path, &error) == NULL && strstr(error.text, "No such file") != NULL, "%s", error.text);
    free(content);
    return done_testing();
}
