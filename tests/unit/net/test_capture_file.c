/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files as a source of datagrams: link types, tags, padding, fragments, cut frames, forms of captures, IPFIX files, all
 * of them compressed and from a pipe, and broken files of every kind.
 */
#include "net/capture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/tap.h"

static char path[] = "/tmp/flowledger-capture-XXXXXX";
static uint8_t frame[256];
static size_t frame_bytes;

static void put(const void *bytes, size_t size)
{
    memcpy(frame + frame_bytes, bytes, size);
    frame_bytes += size;
}

static void put16(unsigned value)
{
    put((uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_udp(const char *text)
{
    put16(5000);
    put16(6343);
    put16((unsigned)(8 + strlen(text)));
    put16(0);
    put(text, strlen(text));
}

static void put_ipv4(const char *text, unsigned fragment)
{
    put("\x45\x00", 2);
    put16((unsigned)(28 + strlen(text)));
    put16(1);
    put16(fragment);
    put("\x40\x11\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x01", 12);
    put_udp(text);
}

static void put_ipv6(const char *text)
{
    static const uint8_t from[16] = {0x20, 1, 0xd, 0xb8, [15] = 7}, to[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

    put("\x60\x00\x00\x00", 4);
    put16((unsigned)(8 + strlen(text)));
    put("\x11\x40", 2);
    put(from, 16);
    put(to, 16);
    put_udp(text);
}

static FILE *begin(uint32_t link)
{
    static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535};
    FILE *file = fopen(path, "w");

    fwrite(header, sizeof(header), 1, file);
    fwrite(&link, 4, 1, file);
    return file;
}

static void end_frame(FILE *file, size_t captured)
{
    uint32_t header[4] = {1000, 250000, (uint32_t)captured, (uint32_t)frame_bytes};

    fwrite(header, sizeof(header), 1, file);
    fwrite(frame, captured, 1, file);
    frame_bytes = 0;
}

/* The payload of the next datagram as text, "" at the end, "error" when the file is broken. */
static const char *next(struct capture_file *file, char text[64], struct socket_datagram *datagram, int64_t *ns)
{
    struct error error;
    int got = capture_file_next(file, datagram, ns, &error);

    text[0] = '\0';
    if (got < 0)
        return "error";
    if (got > 0)
        snprintf(text, 64, "%.*s", (int)datagram->size, (const char *)datagram->bytes);
    return text;
}

static void check_ethernet(void)
{
    struct socket_datagram datagram;
    struct capture_counts counts;
    struct capture_file *file;
    struct error error;
    char text[64], source[address_text_max + 1];
    FILE *out = begin(1);
    int64_t ns = 0;

    put("aaaaaabbbbbb\x08\x00", 14);
    put_ipv4("plain", 0);
    put("padding", 7);
    end_frame(out, frame_bytes);
    put("aaaaaabbbbbb\x81\x00\x00\x05\x88\xa8\x00\x06\x86\xdd", 22);
    put_ipv6("tagged twice");
    end_frame(out, frame_bytes);
    put("aaaaaabbbbbb\x08\x06 not ip", 21);
    end_frame(out, frame_bytes);
    put("aaaaaabbbbbb\x08\x00", 14);
    put_ipv4("first fragment", 0x2000);
    end_frame(out, frame_bytes);
    put("aaaaaabbbbbb\x08\x00", 14);
    put_ipv4("cut short", 0);
    end_frame(out, frame_bytes - 6);
    fclose(out);

    file = capture_file_open(path, &error);
    is_text(next(file, text, &datagram, &ns), "plain", "padding behind the packet is no payload");
    source[address_format(&datagram.source, source)] = '\0';
    is_text(source, "192.0.2.7", "the source is the packet's");
    is_u64(datagram.source_port, 5000, "with its port");
    is_u64((uint64_t)ns, UINT64_C(1000250000000), "and the time of the capture");
    is_text(next(file, text, &datagram, &ns), "tagged twice", "tags are taken off, IPv6 is read");
    is_text(next(file, text, &datagram, &ns), "cut", "a datagram that was captured short is given as far as it goes");
    ok(datagram.cut, "and marked");
    is_text(next(file, text, &datagram, &ns), "", "then the end");
    counts = capture_file_counts(file);
    is_u64(counts.frames, 5, "five frames");
    is_u64(counts.not_udp, 1, "one is not UDP");
    is_u64(counts.fragments, 1, "one is a fragment");
    is_u64(counts.cut, 1, "one was cut");
    capture_file_close(file);
}

static void check_links(void)
{
    static const struct {
        uint32_t link;
        const char *name;
        const char *header;
        size_t bytes;
    } links[] = {
        {101, "raw IP", "", 0},
        {0, "BSD loopback", "\x02\x00\x00\x00", 4},
        {113, "Linux cooked", "\x00\x00\x00\x01\x00\x06" "aaaaaa\x00\x00\x08\x00", 16},
        {276, "Linux cooked v2", "\x08\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x06" "aaaaaa\x00\x00", 20},
    };
    struct socket_datagram datagram;
    struct error error;
    char text[64];
    int64_t ns;

    for (unsigned i = 0; i < array_length(links); i++) {
        FILE *out = begin(links[i].link);
        struct capture_file *file;

        put(links[i].header, links[i].bytes);
        put_ipv4("hello", 0);
        end_frame(out, frame_bytes);
        fclose(out);
        file = capture_file_open(path, &error);
        is_text(next(file, text, &datagram, &ns), "hello", "%s", links[i].name);
        capture_file_close(file);
    }
}

/* An IPv4 fragment of a UDP datagram: `size` bytes of it from `offset`. */
static void put_piece(FILE *out, unsigned id, const uint8_t *whole, unsigned offset, unsigned size, bool more)
{
    put("aaaaaabbbbbb\x08\x00\x45\x00", 16);
    put16(20 + size);
    put16(id);
    put16(offset / 8 | (more ? 0x2000 : 0));
    put("\x40\x11\x00\x00\xc0\x00\x02\x07\xc0\x00\x02\x01", 12);
    put(whole + offset, size);
    end_frame(out, frame_bytes);
}

static void put_piece_ipv6(FILE *out, unsigned id, const uint8_t *whole, unsigned offset, unsigned size, bool more)
{
    static const uint8_t from[16] = {0x20, 1, 0xd, 0xb8, [15] = 7}, to[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

    put("aaaaaabbbbbb\x86\xdd\x60\x00\x00\x00", 18);
    put16(16 + size);
    put("\x00\x40", 2); /* a hop-by-hop header comes first, of 8 bytes */
    put(from, 16);
    put(to, 16);
    put("\x2c\x00\x01\x04\x00\x00\x00\x00\x11\x00", 10);
    put16(offset | (more ? 1 : 0));
    put16(0);
    put16(id);
    frame[18 + 1] = (uint8_t)(16 + size);
    put(whole + offset, size);
    end_frame(out, frame_bytes);
}

static void check_fragments(void)
{
    uint8_t whole[48] = {0x13, 0x88, 0x18, 0xc7, 0, 48};
    struct socket_datagram datagram;
    struct capture_file *file;
    struct error error;
    FILE *out = begin(1);
    char text[64];
    int64_t ns;

    memcpy(whole + 8, "put together from three or four pieces..", 40);
    put_piece(out, 1, whole, 0, 16, true);
    put_piece(out, 2, whole, 24, 24, false);
    put_piece(out, 1, whole, 16, 16, true);
    put_piece(out, 2, whole, 0, 16, true);
    put_piece(out, 1, whole, 32, 16, false);
    put_piece(out, 2, whole, 0, 16, true); /* twice */
    put_piece(out, 2, whole, 16, 8, true);
    put_piece_ipv6(out, 9, whole, 40, 8, false);
    put_piece_ipv6(out, 9, whole, 0, 40, true);
    put_piece(out, 3, whole, 0, 16, true);
    whole[12] = 'X';
    put_piece(out, 3, whole, 8, 16, true); /* other bytes where some have come: spoilt */
    put_piece(out, 3, whole, 24, 24, false);
    put_piece(out, 4, whole, 8, 40, false); /* never complete */
    fclose(out);
    file = capture_file_open(path, &error);
    is_text(next(file, text, &datagram, &ns), "put together from three or four pieces..", "pieces in order");
    is_u64(datagram.source_port, 5000, "with the port");
    is_text(next(file, text, &datagram, &ns), "put together from three or four pieces..", "out of order, one twice");
    is_text(next(file, text, &datagram, &ns), "put together from three or four pieces..", "of IPv6");
    is_text(next(file, text, &datagram, &ns), "", "nothing of pieces that disagree, or of a few");
    is_u64(capture_file_counts(file).fragments, 4, "those are counted");
    capture_file_close(file);
    out = begin(1);
    for (unsigned i = 0; i < 200; i++) /* many that are never complete do not keep out one that is */
        put_piece(out, 100 + i, whole, 0, 16, true);
    put_piece(out, 1, whole, 0, 16, true);
    put_piece(out, 1, whole, 16, 32, false);
    fclose(out);
    file = capture_file_open(path, &error);
    is_text(next(file, text, &datagram, &ns), "put Xogether from three or four pieces..", "after many beginnings");
    capture_file_close(file);
}

static void check_forms(void)
{
    static const uint32_t nano[] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 101};
    static const uint32_t section[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00000001, 0xffffffff, 0xffffffff, 28};
    static const uint32_t interface[] = {1, 32, 101, 65535, 0x00010009, 9, 0, 32}; /* if_tsresol: nanoseconds */
    uint32_t record[4] = {1000, 123456789}, packet[7] = {6, 0, 0, 0, 0};
    uint64_t when = UINT64_C(1000123456789);
    struct socket_datagram datagram;
    struct capture_file *file;
    struct error error;
    char text[64];
    int64_t ns = 0;
    FILE *out = fopen(path, "w");

    put_ipv4("to the nanosecond", 0);
    record[2] = record[3] = (uint32_t)frame_bytes;
    fwrite(nano, sizeof(nano), 1, out);
    fwrite(record, sizeof(record), 1, out);
    fwrite(frame, frame_bytes, 1, out);
    fclose(out);
    file = capture_file_open(path, &error);
    is_text(next(file, text, &datagram, &ns), "to the nanosecond", "a pcap with nanoseconds");
    is_u64((uint64_t)ns, when, "its time");
    capture_file_close(file);

    out = fopen(path, "w");
    packet[1] = (uint32_t)(32 + align_up(frame_bytes, 4));
    packet[3] = (uint32_t)(when >> 32);
    packet[4] = (uint32_t)when;
    packet[5] = packet[6] = (uint32_t)frame_bytes;
    fwrite(section, sizeof(section), 1, out);
    fwrite(interface, sizeof(interface), 1, out);
    fwrite(packet, sizeof(packet), 1, out);
    fwrite(frame, align_up(frame_bytes, 4), 1, out);
    fwrite(&packet[1], 4, 1, out);
    fclose(out);
    frame_bytes = 0;
    file = capture_file_open(path, &error);
    is_text(file == NULL ? error.text : next(file, text, &datagram, &ns), "to the nanosecond", "a pcapng");
    is_u64((uint64_t)ns, when, "its time");
    capture_file_close(file);
}

static uint8_t content[300000];
static size_t content_bytes;

/* IPFIX messages of growing length, each filled with its number. */
static void make_messages(unsigned count)
{
    content_bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t size = 16 + i * 3;
        uint8_t *message = content + content_bytes;

        memset(message, (int)i, size);
        memcpy(message, "\0\x0a", 2);
        message[2] = (uint8_t)(size >> 8);
        message[3] = (uint8_t)size;
        memcpy(message + 4, "\x65\x00\x00", 3);
        message[7] = (uint8_t)i;
        content_bytes += size;
    }
}

enum packing { PLAIN, GZIP, GZIP_TWO, ZSTD, ZSTD_TWO, PACKINGS };
static const char *const packing_names[PACKINGS] = {"plain", "gzip", "two gzip members", "zstd", "two zstd frames"};
static uint8_t packed[400000];

static size_t pack(enum packing packing)
{
    size_t half = packing == GZIP_TWO || packing == ZSTD_TWO ? content_bytes / 2 : content_bytes, done = 0, used = 0;

    if (packing == PLAIN) {
        memcpy(packed, content, content_bytes);
        return content_bytes;
    }
    while (done < content_bytes) {
        size_t size = done == 0 ? half : content_bytes - done;

        if (packing >= ZSTD) {
            used += ZSTD_compress(packed + used, sizeof(packed) - used, content + done, size, 1);
        } else {
            z_stream z = {.next_in = content + done, .avail_in = (unsigned)size};

            deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
            z.next_out = packed + used;
            z.avail_out = (unsigned)(sizeof(packed) - used);
            deflate(&z, Z_FINISH);
            used = (size_t)(z.next_out - packed);
            deflateEnd(&z);
        }
        done += size;
    }
    return used;
}

static void write_file(const uint8_t *bytes, size_t size)
{
    FILE *out = fopen(path, "w");

    fwrite(bytes, 1, size, out);
    fclose(out);
}

/* Reads messages as make_messages made them; returns how many were right, the last answer in *got. */
static unsigned read_messages(struct capture_file *file, int *got, struct error *error)
{
    struct socket_datagram datagram;
    unsigned count = 0;
    size_t at = 0;
    int64_t ns;

    while ((*got = capture_file_next(file, &datagram, &ns, error)) == 1) {
        char source[address_text_max + 1];
        bool right = datagram.size == 16 + count * 3 && !datagram.cut &&
                     memcmp(datagram.bytes, content + at, datagram.size) == 0 &&
                     ns == (INT64_C(0x65000000) + count % 256) * 1000000000 && datagram.source_port == 0;

        source[address_format(&datagram.source, source)] = '\0';
        if (!right || strcmp(source, "127.0.0.1") != 0)
            return count;
        at += datagram.size;
        count++;
    }
    return count;
}

static void check_messages(void)
{
    struct capture_file *file;
    struct error error;
    int got;

    make_messages(400);
    for (enum packing packing = 0; packing < PACKINGS; packing++) {
        size_t size = pack(packing);

        write_file(packed, size);
        file = capture_file_open(path, &error);
        is_u64(file == NULL ? 0 : read_messages(file, &got, &error), 400, "an IPFIX file, %s", packing_names[packing]);
        is_u64(capture_file_counts(file).bytes_read, capture_file_counts(file).bytes_total, "read to its end");
        ok(got == 0 && capture_file_counts(file).frames == 400, "and in good order");
        capture_file_close(file);
        write_file(packed, size - 5);
        file = capture_file_open(path, &error);
        read_messages(file, &got, &error);
        ok(got == -1, "cut: %s", error.text);
        capture_file_close(file);
    }
}

static void check_message_phrases(void)
{
    static const struct {
        size_t size;
        const char *phrase;
    } cuts[] = {
        {37, "the IPFIX file is broken after 2 messages, at byte 35: the file ends within a message header: 2 bytes "
             "of it are there"},
        {56, "the IPFIX file is broken after 2 messages, at byte 35: the file ends within a message: 21 bytes of 22 "
             "are there"},
    };
    struct capture_file *file;
    struct error error;
    int got;

    make_messages(20);
    for (unsigned i = 0; i < array_length(cuts); i++) {
        write_file(content, cuts[i].size);
        file = capture_file_open(path, &error);
        read_messages(file, &got, &error);
        ok(got == -1, "a file that is cut");
        is_text(error.text, cuts[i].phrase, "and where");
        capture_file_close(file);
    }
    memcpy(content + 35, "garbage, garbage", 16);
    write_file(content, content_bytes);
    file = capture_file_open(path, &error);
    read_messages(file, &got, &error);
    is_text(error.text, "the IPFIX file is broken after 2 messages, at byte 35: not an IPFIX message: begins with "
                        "'garbage, gar'", "garbage between messages");
    ok(got == -1, "is an error");
    capture_file_close(file);
}

/* Flips bytes of packed files: whatever comes out, nothing breaks but the file. */
static void check_flipped(void)
{
    unsigned told = 0, seed = 7;
    struct error error;

    make_messages(100);
    for (unsigned round = 0; round < 300; round++) {
        size_t size = pack(round % PACKINGS);
        struct capture_file *file;
        int got = 0;

        for (unsigned i = 0; i < 3; i++) {
            seed = seed * 1103515245 + 12345;
            packed[seed / 256 % size] ^= (uint8_t)(1u << (seed >> 28) % 8);
        }
        write_file(packed, size);
        file = capture_file_open(path, &error);
        if (file != NULL) {
            struct socket_datagram datagram;
            int64_t ns;

            while ((got = capture_file_next(file, &datagram, &ns, &error)) == 1)
                ;
        }
        told += file == NULL || got == -1;
        capture_file_close(file);
    }
    ok(told > 150, "files with flipped bits are told from good ones most of the time: %u of 300", told);
}

static void check_packed_captures(void)
{
    struct socket_datagram datagram;
    struct error error;
    char text[64];
    int64_t ns;
    FILE *out = begin(101);

    for (unsigned i = 0; i < 500; i++) {
        put_ipv4("in a capture", 0);
        end_frame(out, frame_bytes);
    }
    fclose(out);
    out = fopen(path, "r");
    content_bytes = fread(content, 1, sizeof(content), out);
    fclose(out);
    for (enum packing packing = 0; packing < PACKINGS; packing++) {
        struct capture_file *file;
        unsigned count = 0;

        write_file(packed, pack(packing));
        file = capture_file_open(path, &error);
        while (strcmp(next(file, text, &datagram, &ns), "in a capture") == 0)
            count++;
        is_u64(count, 500, "a capture, %s", packing_names[packing]);
        ok(text[0] == '\0', "to its end");
        capture_file_close(file);
    }
    write_file(packed, pack(ZSTD) / 2);
    ok(capture_file_open(path, &error) == NULL && strstr(error.text, "zstd data is broken: the file ends") != NULL,
       "half of one: %s", error.text);
}

static void check_pipe(void)
{
    struct capture_file *file;
    struct error error;
    int ends[2], got = -2, saved = dup(STDIN_FILENO);
    pid_t writer;
    size_t size;

    make_messages(300);
    size = pack(GZIP);
    if (pipe(ends) < 0)
        return;
    writer = fork();
    if (writer == 0) {
        for (size_t i = 0; i < size; i += 7) {
            size_t piece = min_u64(7, size - i);

            if (write(ends[1], packed + i, piece) != (ssize_t)piece)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    file = capture_file_open("-", &error);
    is_u64(file == NULL ? 0 : read_messages(file, &got, &error), 300, "standard input, a pipe of gzip");
    ok(got == 0 && capture_file_counts(file).bytes_total == 0, "to its end, of a length that nobody knows");
    capture_file_close(file);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
    waitpid(writer, NULL, 0);
}

static void check_broken(void)
{
    struct socket_datagram datagram;
    struct capture_file *file;
    struct error error;
    FILE *out = begin(1);
    char text[64];
    int64_t ns;

    put("aaaaaabbbbbb\x08\x00", 14);
    put_ipv4("whole", 0);
    end_frame(out, frame_bytes);
    fwrite("half a header", 13, 1, out);
    fclose(out);
    file = capture_file_open(path, &error);
    is_text(next(file, text, &datagram, &ns), "whole", "what is whole before the break is read");
    is_text(next(file, text, &datagram, &ns), "error", "the break is told");
    capture_file_close(file);
    out = fopen(path, "w");
    fputs("this is no capture at all", out);
    fclose(out);
    ok(capture_file_open(path, &error) == NULL && strstr(error.text, path) != NULL, "no capture: %s", error.text);
    write_file(content, 0);
    ok(capture_file_open(path, &error) == NULL && strstr(error.text, "is empty") != NULL, "empty: %s", error.text);
    write_file((const uint8_t *)"\x1f\x8b\x08garbage that is no gzip", 27);
    ok(capture_file_open(path, &error) == NULL && strstr(error.text, "the gzip data is broken: ") != NULL, "%s",
       error.text);
    unlink(path);
    ok(capture_file_open(path, &error) == NULL && strstr(error.text, "No such file") != NULL, "no file: %s",
       error.text);
}

int main(void)
{
    plan_none();
    close(mkstemp(path));
    check_ethernet();
    check_links();
    check_fragments();
    check_forms();
    check_messages();
    check_message_phrases();
    check_flipped();
    check_packed_captures();
    check_pipe();
    check_broken();
    return done_testing();
}
