/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every generator of traffic shares: keys (5-tuples) and how they are drawn, sums that an exact collector must
 * print for them, big-endian octets, capture files and paced sending. Each generator is one program of one source file,
 * so these functions live in a header and are static inline.
 *
 * A key's number decides its addresses, ports and protocol through a mixing function; source addresses come from an
 * odd multiplication modulo 2^24, so no two keys are ever equal. The same options and seed give the same keys in the
 * same order everywhere.
 */
#ifndef TESTS_BENCH_TRAFFIC_H
#define TESTS_BENCH_TRAFFIC_H

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    keys_max = 1 << 24,
    batch_size = 64, /* datagrams of one sendmmsg */
    wire_headers = 14 + 20 + 8
};

static const int64_t capture_start_s = 1767225600; /* 2026-01-01 00:00:00 UTC */

struct key {
    bool ipv6;
    uint8_t protocol;
    uint8_t source[16], destination[16]; /* the first four octets when not ipv6 */
    uint16_t source_port, destination_port;
};

struct tally {
    uint64_t packets, bytes;
};

struct alias { /* Walker's method: one random number chooses a place, a second one between the two keys there */
    double threshold;
    uint32_t other;
};

struct keys { /* the keys to draw from, and the sums of what was drawn */
    uint32_t count, ipv6_percent;
    uint64_t seed, random[2];
    double zipf; /* exponent, 0 = uniform */
    bool in_turn; /* one after the other instead of at random */
    uint32_t turn;
    struct alias *aliases;
    struct tally *tallies; /* NULL: not asked for */
};

struct sender {
    int socket; /* -1: none */
    struct sockaddr_storage to;
    socklen_t to_size;
    uint64_t pace; /* units (samples, records) per second, 0: as fast as it goes */
    struct timespec started;
};

static const char *program_name;

static inline void die(const char *what)
{
    fprintf(stderr, "%s: %s%s%s\n", program_name, what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

/* ---- numbers ---- */

/* The finalizer of splitmix64: every input bit moves every output bit. */
static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* xoroshiro128+ */
static inline uint64_t next_random(struct keys *keys)
{
    uint64_t a = keys->random[0], b = keys->random[1], result = a + b;

    b ^= a;
    keys->random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    keys->random[1] = b << 37 | b >> 27;
    return result;
}

static inline uint64_t number(const char *text, uint64_t low, uint64_t high)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < low || value > high) {
        errno = 0;
        fprintf(stderr, "%s: '%s' is not a number from %" PRIu64 " to %" PRIu64 "\n", program_name, text, low, high);
        exit(1);
    }
    return value;
}

/* ---- octets ---- */

static inline uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *put32(uint8_t *at, uint32_t value)
{
    uint32_t wire = htonl(value);

    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}

static inline uint8_t *put64(uint8_t *at, uint64_t value)
{
    return put32(put32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static inline uint8_t *put_octets(uint8_t *at, const void *from, size_t size)
{
    memcpy(at, from, size);
    return at + size;
}

static inline uint16_t ip_checksum(const uint8_t *header, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)(header[i] << 8 | header[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline uint8_t *put_ipv4(uint8_t *at, const uint8_t *source, const uint8_t *destination, uint8_t protocol,
                                uint32_t length)
{
    uint8_t *header = at;

    *at++ = 0x45;
    *at++ = 0;
    at = put16(at, length);
    at = put32(at, 0x00004000); /* identification 0, don't fragment */
    *at++ = 64;
    *at++ = protocol;
    at = put16(at, 0);
    at = put_octets(at, source, 4);
    at = put_octets(at, destination, 4);
    put16(header + 10, ip_checksum(header, 20));
    return at;
}

/* ---- keys ---- */

static inline void key_make(const struct keys *keys, uint32_t number_of_key, struct key *key)
{
    uint64_t bits = mix(number_of_key + (keys->seed << 24) + 1), more = mix(bits);
    uint32_t low = (uint32_t)((number_of_key * UINT64_C(0x9e3779b1)) & (keys_max - 1));

    memset(key, 0, sizeof(*key));
    key->ipv6 = bits % 100 < keys->ipv6_percent;
    key->protocol = (bits >> 8) % 10 < 7 ? 6 : 17;
    key->source_port = (uint16_t)(1024 + (more & 0xffff) % 64000);
    key->destination_port = (uint16_t)(1 + (more >> 16 & 0xffff) % 1023);
    if (key->ipv6) {
        static const uint8_t prefix[4] = {0x20, 0x01, 0x0d, 0xb8};

        memcpy(key->source, prefix, sizeof(prefix));
        memcpy(key->destination, prefix, sizeof(prefix));
        put32(key->source + 12, 0x0a000000 | low);
        put32(key->destination + 12, (uint32_t)(more >> 32) | 1);
        key->destination[7] = 1;
    } else {
        put32(key->source, 0x0a000000 | low);
        put32(key->destination, 0xac100000 | ((uint32_t)(more >> 32) & 0xfffff));
    }
}

static inline void aliases_make(struct keys *keys)
{
    uint32_t n = keys->count, *small = calloc(n, sizeof(*small)), *large = calloc(n, sizeof(*large));
    uint32_t smalls = 0, larges = 0;
    double sum = 0;

    keys->aliases = calloc(n, sizeof(*keys->aliases));
    if (small == NULL || large == NULL || keys->aliases == NULL)
        die("out of memory");
    for (uint32_t i = 0; i < n; i++)
        sum += keys->aliases[i].threshold = pow(i + 1.0, -keys->zipf);
    for (uint32_t i = 0; i < n; i++) {
        keys->aliases[i].threshold *= n / sum;
        keys->aliases[i].other = i;
        if (keys->aliases[i].threshold < 1)
            small[smalls++] = i;
        else
            large[larges++] = i;
    }
    while (smalls > 0 && larges > 0) {
        uint32_t poor = small[--smalls], rich = large[larges - 1];

        keys->aliases[poor].other = rich;
        keys->aliases[rich].threshold -= 1 - keys->aliases[poor].threshold;
        if (keys->aliases[rich].threshold < 1) {
            larges--;
            small[smalls++] = rich;
        }
    }
    free(small);
    free(large);
}

/* To be called when the options are known; `tallied`: sums are wanted. */
static inline void keys_start(struct keys *keys, bool tallied)
{
    keys->random[0] = mix(keys->seed + 1);
    keys->random[1] = mix(keys->random[0] + 1);
    if (keys->zipf > 0)
        aliases_make(keys);
    if (tallied && (keys->tallies = calloc(keys->count, sizeof(*keys->tallies))) == NULL)
        die("out of memory");
}

static inline uint32_t keys_draw(struct keys *keys)
{
    uint32_t place;

    if (keys->in_turn)
        return keys->turn++ % keys->count;
    place = (uint32_t)((next_random(keys) >> 32) * keys->count >> 32);
    if (keys->aliases == NULL || (double)(next_random(keys) >> 11) * 0x1p-53 < keys->aliases[place].threshold)
        return place;
    return keys->aliases[place].other;
}

static inline void keys_tally(struct keys *keys, uint32_t number_of_key, uint64_t packets, uint64_t bytes)
{
    if (keys->tallies != NULL) {
        keys->tallies[number_of_key].packets += packets;
        keys->tallies[number_of_key].bytes += bytes;
    }
}

struct row {
    uint32_t number;
    struct key key;
};

static inline int row_compare(const void *a, const void *b)
{
    const struct key *x = &((const struct row *)a)->key, *y = &((const struct row *)b)->key;

    if (x->ipv6 != y->ipv6)
        return x->ipv6 ? 1 : -1;
    return memcmp(x->source, y->source, sizeof(x->source));
}

/* The rows that an exact collector prints when everything was sent `rounds` times; names or numbers of protocols. */
static inline void expect_write(const struct keys *keys, uint64_t rounds, bool numeric, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    struct row *rows = calloc(keys->count, sizeof(*rows));
    size_t count = 0;

    if (file == NULL || rows == NULL)
        die(path);
    for (uint32_t i = 0; i < keys->count; i++)
        if (keys->tallies[i].packets != 0) {
            rows[count].number = i;
            key_make(keys, i, &rows[count++].key);
        }
    qsort(rows, count, sizeof(*rows), row_compare);
    fputs("SRC_IP,DST_IP,SRC_PORT,DST_PORT,PROTOCOL,PACKETS,BYTES\n", file);
    for (size_t i = 0; i < count; i++) {
        const struct key *key = &rows[i].key;
        const struct tally *tally = &keys->tallies[rows[i].number];
        char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];

        inet_ntop(key->ipv6 ? AF_INET6 : AF_INET, key->source, source, sizeof(source));
        inet_ntop(key->ipv6 ? AF_INET6 : AF_INET, key->destination, destination, sizeof(destination));
        fprintf(file, "%s,%s,%u,%u,", source, destination, key->source_port, key->destination_port);
        if (numeric)
            fprintf(file, "%u", key->protocol);
        else
            fputs(key->protocol == 6 ? "tcp" : "udp", file);
        fprintf(file, ",%" PRIu64 ",%" PRIu64 "\n", tally->packets * rounds, tally->bytes * rounds);
    }
    free(rows);
    if (fflush(file) != 0 || (file != stdout && fclose(file) != 0))
        die(path);
}

/* ---- capture files ---- */

static inline FILE *capture_open(const char *path)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1}; /* microseconds, Ethernet */
    FILE *capture = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");

    if (capture == NULL)
        die(path);
    setvbuf(capture, NULL, _IOFBF, 1 << 20);
    fwrite(header, sizeof(header), 1, capture);
    return capture;
}

/*
 * Writes a datagram from `source` (an IPv4 address as a number) to the collector 198.51.100.1, `time_us` after the
 * capture's start. `packet` has room for wire_headers before the `size` octets of payload.
 */
static inline void capture_write(FILE *capture, uint8_t *packet, size_t size, uint64_t time_us, uint32_t source,
                                 uint32_t source_port, uint32_t port)
{
    static const uint8_t collector[4] = {198, 51, 100, 1};
    uint32_t record[4] = {(uint32_t)(capture_start_s + (int64_t)(time_us / 1000000)), (uint32_t)(time_us % 1000000),
                          (uint32_t)(wire_headers + size), (uint32_t)(wire_headers + size)};
    uint8_t address[4], *at = packet;

    put32(address, source);
    at = put64(at, UINT64_C(0x02000000000a0200));
    at = put32(at, 0x0000000b);
    at = put16(at, 0x0800);
    at = put_ipv4(at, address, collector, 17, (uint32_t)(size + 28));
    at = put16(put16(at, source_port), port);
    put16(put16(at, (uint32_t)(size + 8)), 0); /* no checksum: allowed over IPv4 */
    fwrite(record, sizeof(record), 1, capture);
    fwrite(packet, wire_headers + size, 1, capture);
}

/* ---- sending ---- */

static inline void sender_open(struct sender *sender, const char *text)
{
    const char *colon = strrchr(text, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
    int size = 4 << 20;
    char host[256];

    if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
        die("--udp wants HOST:PORT");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        die("no such host or port");
    sender->socket = socket(found->ai_family, SOCK_DGRAM, 0);
    if (sender->socket < 0)
        die("socket");
    setsockopt(sender->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    memcpy(&sender->to, found->ai_addr, found->ai_addrlen);
    sender->to_size = found->ai_addrlen;
    freeaddrinfo(found);
}

/* Sends all messages. A full send buffer blocks; an error ends the run: what is "sent" was taken by the kernel. */
static inline void sender_send(struct sender *sender, struct mmsghdr *messages, unsigned count)
{
    unsigned done = 0;

    while (done < count) {
        int sent = sendmmsg(sender->socket, messages + done, count - done, 0);

        if (sent < 0 && errno != EINTR && errno != ENOBUFS)
            die("sendmmsg");
        done += sent < 0 ? 0 : (unsigned)sent;
    }
}

/* Sleeps until the `units` sent so far are due. */
static inline void sender_pace(const struct sender *sender, uint64_t units)
{
    uint64_t due_ns;
    struct timespec until = sender->started;

    if (sender->pace == 0)
        return;
    due_ns = (uint64_t)((double)units / (double)sender->pace * 1e9);
    until.tv_sec += (time_t)(due_ns / 1000000000u);
    until.tv_nsec += (long)(due_ns % 1000000000u);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static inline double seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

#endif
