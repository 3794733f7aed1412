/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures as a source of datagrams: link types, tags, padding, fragments, cut frames, broken files. */
#include "net/capture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
    unlink(path);
    ok(capture_file_open(path, &error) == NULL && strstr(error.text, "No such file") != NULL, "no file: %s", error.text);
}

int main(void)
{
    plan_none();
    close(mkstemp(path));
    check_ethernet();
    check_links();
    check_broken();
    return done_testing();
}
