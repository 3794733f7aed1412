/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes sFlow version 5 traffic whose sums are known: the same options and seed give the same bytes everywhere. Writes a
 * capture file (--out) or sends the datagrams over UDP (--udp), and tells what an exact collector must print for the
 * 5-tuple (--expect).
 *
 * A "full" sample is a raw header (Ethernet, one 802.1Q tag, IP, TCP or UDP; up to 128 octets) with the extended switch,
 * router and gateway records, about 308 octets, so that four or five of them fill a datagram; a "minimal" one is the raw
 * header without a tag and nothing else. Every agent numbers its datagrams, every data source its samples, as the
 * specification wants; nothing is lost, doubled or reordered here.
 *
 * A key's number decides its addresses, ports and protocol through a mixing function; source addresses come from an
 * odd multiplication modulo 2^24, so no two keys are ever equal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
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
#include <unistd.h>

enum {
    keys_max = 1 << 24,
    agents_max = 250,
    interfaces = 8,       /* data sources of an agent */
    payload_max = 1400,   /* octets of a datagram, less than an Ethernet MTU with its headers */
    header_max = 128,     /* octets of the sampled header */
    batch_size = 64,      /* datagrams of one sendmmsg */
    wire_headers = 14 + 20 + 8,
    frame_check = 4       /* stripped octets: the frame check sequence */
};

static const int64_t capture_start_s = 1767225600; /* 2026-01-01 00:00:00 UTC */

struct options {
    uint64_t samples, seed, rate, pace, counter_every;
    uint32_t keys, agents, ipv6_percent;
    double zipf; /* exponent, 0 = uniform */
    bool minimal, renormalized, numeric;
    const char *out, *expect, *udp;
};

struct key {
    bool ipv6;
    uint8_t protocol;
    uint8_t source[16], destination[16]; /* the first four octets when not ipv6 */
    uint16_t source_port, destination_port;
};

struct tally {
    uint64_t packets, bytes;
};

struct agent {
    uint32_t datagrams; /* sequence number of the last one */
    uint32_t samples[interfaces], pool[interfaces], counters[interfaces];
};

struct alias { /* Walker's method: one random number chooses a place, a second one between the two keys there */
    double threshold;
    uint32_t other;
};

struct batch {
    uint8_t octets[batch_size][wire_headers + payload_max];
    size_t sizes[batch_size]; /* of the payload */
    unsigned used;
};

struct output {
    FILE *capture;
    int socket;
    struct sockaddr_storage to;
    socklen_t to_size;
    uint64_t datagrams, bytes, flow_samples, counter_samples;
    struct timespec started;
    struct batch batch;
};

struct generator {
    struct options options;
    uint64_t random[2];
    struct alias *aliases;
    struct tally *tallies;
    struct agent agents[agents_max];
    struct output output;
};

static void die(const char *what)
{
    fprintf(stderr, "generate: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

/* The finalizer of splitmix64: every input bit moves every output bit. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* xoroshiro128+ */
static uint64_t next_random(struct generator *g)
{
    uint64_t a = g->random[0], b = g->random[1], result = a + b;

    b ^= a;
    g->random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    g->random[1] = b << 37 | b >> 27;
    return result;
}

static double next_unit(struct generator *g)
{
    return (double)(next_random(g) >> 11) * 0x1p-53;
}

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    uint32_t wire = htonl(value);

    memcpy(at, &wire, sizeof(wire));
    return at + sizeof(wire);
}

static uint8_t *put64(uint8_t *at, uint64_t value)
{
    return put32(put32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static uint8_t *put_octets(uint8_t *at, const void *from, size_t size)
{
    memcpy(at, from, size);
    return at + size;
}

static void key_make(const struct options *options, uint32_t number, struct key *key)
{
    uint64_t bits = mix(number + (options->seed << 24) + 1), more = mix(bits);
    uint32_t low = (uint32_t)((number * UINT64_C(0x9e3779b1)) & (keys_max - 1));

    memset(key, 0, sizeof(*key));
    key->ipv6 = bits % 100 < options->ipv6_percent;
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

static void aliases_make(struct generator *g)
{
    uint32_t n = g->options.keys, *small = calloc(n, sizeof(*small)), *large = calloc(n, sizeof(*large));
    uint32_t smalls = 0, larges = 0;
    double sum = 0;

    g->aliases = calloc(n, sizeof(*g->aliases));
    if (small == NULL || large == NULL || g->aliases == NULL)
        die("out of memory");
    for (uint32_t i = 0; i < n; i++)
        sum += g->aliases[i].threshold = pow(i + 1.0, -g->options.zipf);
    for (uint32_t i = 0; i < n; i++) {
        g->aliases[i].threshold *= n / sum;
        g->aliases[i].other = i;
        if (g->aliases[i].threshold < 1)
            small[smalls++] = i;
        else
            large[larges++] = i;
    }
    while (smalls > 0 && larges > 0) {
        uint32_t poor = small[--smalls], rich = large[larges - 1];

        g->aliases[poor].other = rich;
        g->aliases[rich].threshold -= 1 - g->aliases[poor].threshold;
        if (g->aliases[rich].threshold < 1) {
            larges--;
            small[smalls++] = rich;
        }
    }
    free(small);
    free(large);
}

static uint32_t choose_key(struct generator *g)
{
    uint32_t place = (uint32_t)((next_random(g) >> 32) * g->options.keys >> 32);

    if (g->aliases == NULL || next_unit(g) < g->aliases[place].threshold)
        return place;
    return g->aliases[place].other;
}

static uint16_t ip_checksum(const uint8_t *header, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)(header[i] << 8 | header[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint8_t *put_ipv4(uint8_t *at, const uint8_t *source, const uint8_t *destination, uint8_t protocol,
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

/* The head of the sampled frame: `frame` octets long on the wire, of which `size` are put. */
static uint8_t *put_frame(uint8_t *at, const struct options *options, const struct key *key, uint32_t frame,
                          size_t size)
{
    uint8_t *start = at;
    uint32_t link = options->minimal ? 14 : 18;

    memset(at, 0x5a, size);
    at = put64(at, UINT64_C(0x0200000000020200));
    at = put32(at, 0x00000001);
    if (!options->minimal)
        at = put32(at, 0x81000000 | (100 + key->source[key->ipv6 ? 15 : 3] % 64u));
    at = put16(at, key->ipv6 ? 0x86dd : 0x0800);
    if (key->ipv6) {
        at = put32(at, 0x60000000);
        at = put16(at, frame - frame_check - link - 40);
        *at++ = key->protocol;
        *at++ = 64;
        at = put_octets(at, key->source, 16);
        at = put_octets(at, key->destination, 16);
    } else {
        at = put_ipv4(at, key->source, key->destination, key->protocol, frame - frame_check - link);
    }
    at = put16(at, key->source_port);
    at = put16(at, key->destination_port);
    if (key->protocol == 6) {
        at = put64(at, 0x0000000100000001);
        at = put32(at, 0x50180200); /* data offset 5, PSH ACK */
        put32(at, 0);
    } else {
        at = put16(at, frame - frame_check - link - (key->ipv6 ? 40 : 20));
        put16(at, 0);
    }
    return start + size;
}

static uint8_t *put_extensions(uint8_t *at, const struct key *key)
{
    uint32_t network = key->source_port, peer = 64512 + key->destination_port % 16u;

    at = put32(put32(at, 1001), 16); /* extended switch: VLAN and priority, in and out */
    at = put32(put32(put32(put32(at, 100 + key->source[key->ipv6 ? 15 : 3] % 64u), 0), 200), 0);
    at = put32(put32(at, 1002), 16); /* extended router: next hop, mask lengths */
    at = put32(put32(put32(put32(at, 1), 0xc6336401), 24), 20);
    at = put32(put32(at, 1003), 60); /* extended gateway */
    at = put32(put32(at, 1), 0xc6336402);
    at = put32(put32(put32(at, 64500), 65000 + network % 500), peer);
    at = put32(put32(put32(at, 1), 2), 3); /* one sequence of three */
    at = put32(put32(put32(at, peer), 64600), 64700 + network % 100);
    at = put32(put32(put32(at, 2), 0xfde80001), 0xfde80002); /* two communities */
    return put32(at, 100);
}

/* One flow sample with all its records; the most it takes is 40 + 24 + 128 + 24 + 24 + 68 octets. */
static uint8_t *put_flow_sample(struct generator *g, uint8_t *at, struct agent *agent)
{
    const struct options *options = &g->options;
    uint32_t number = choose_key(g), frame, interface;
    uint8_t *length;
    struct key key;
    size_t size;

    key_make(options, number, &key);
    /* One in three packets is small, one in three full, the rest between. */
    frame = (uint32_t)(next_random(g) >> 40);
    frame = frame % 3 == 0 ? 90 + frame / 3 % 40 : frame % 3 == 1 ? 1518 : 130 + frame / 3 % 1388;
    size = frame - frame_check < header_max ? frame - frame_check : header_max;
    interface = key.source_port % (uint32_t)interfaces;
    agent->pool[interface] += (uint32_t)options->rate;

    at = put32(at, 1);
    length = at;
    at = put32(at + 4, ++agent->samples[interface]);
    at = put32(put32(put32(put32(at, interface + 1), (uint32_t)options->rate), agent->pool[interface]), 0);
    at = put32(put32(at, interface + 1), 1 + key.destination_port % (uint32_t)interfaces);
    at = put32(at, options->minimal ? 1 : 4);
    at = put32(put32(at, 1), (uint32_t)(16 + (size + 3) / 4 * 4));
    at = put32(put32(put32(put32(at, 1), frame), frame_check), (uint32_t)size);
    at = put_frame(at, options, &key, frame, size);
    for (; size % 4 != 0; size++)
        *at++ = 0;
    if (!options->minimal)
        at = put_extensions(at, &key);
    put32(length, (uint32_t)(at - length - 4));

    if (g->tallies != NULL) {
        uint64_t factor = options->renormalized ? options->rate : 1;

        g->tallies[number].packets += factor;
        g->tallies[number].bytes += factor * frame;
    }
    g->output.flow_samples++;
    return at;
}

/* One counter sample: the generic interface counters of one interface. */
static uint8_t *put_counter_sample(struct generator *g, uint8_t *at, struct agent *agent, uint32_t interface)
{
    uint32_t packets = agent->pool[interface];

    at = put32(put32(at, 2), 12 + 8 + 88);
    at = put32(put32(put32(at, ++agent->counters[interface]), interface + 1), 1);
    at = put32(put32(at, 1), 88);
    at = put64(put32(put32(at, interface + 1), 6), 10000000000u);
    at = put32(put32(at, 1), 3);
    at = put64(at, packets * UINT64_C(700));
    for (uint32_t i = 0; i < 6; i++)
        at = put32(at, i == 0 ? packets : 0);
    at = put64(at, packets * UINT64_C(500));
    for (uint32_t i = 0; i < 6; i++)
        at = put32(at, i == 0 ? packets : 0);
    g->output.counter_samples++;
    return at;
}

/* A datagram of one agent with as many samples as fit, but not more than `left`. Returns its size. */
static size_t make_datagram(struct generator *g, uint8_t *payload, uint32_t agent_number, uint64_t *left)
{
    const size_t sample_max = g->options.minimal ? 40 + 24 + header_max : 40 + 24 + header_max + 24 + 24 + 68;
    struct agent *agent = &g->agents[agent_number];
    uint8_t *at = payload, *count;
    uint32_t samples = 0;

    agent->datagrams++;
    at = put32(put32(put32(at, 5), 1), 0xc0000201 + agent_number);
    at = put32(put32(put32(at, 0), agent->datagrams), agent->datagrams * 10);
    count = at;
    at += 4;
    if (g->options.counter_every != 0 && agent->datagrams % g->options.counter_every == 0) {
        for (; samples < interfaces; samples++)
            at = put_counter_sample(g, at, agent, samples);
    } else {
        for (; *left > 0 && (size_t)(at - payload) + sample_max <= payload_max; samples++, --*left)
            at = put_flow_sample(g, at, agent);
    }
    put32(count, samples);
    return (size_t)(at - payload);
}

static void capture_open(struct output *output, const char *path)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1}; /* microseconds, Ethernet */

    output->capture = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (output->capture == NULL)
        die(path);
    setvbuf(output->capture, NULL, _IOFBF, 1 << 20);
    fwrite(header, sizeof(header), 1, output->capture);
}

static void capture_write(struct output *output, uint8_t *packet, size_t size, uint32_t agent_number)
{
    static const uint8_t collector[4] = {198, 51, 100, 1};
    uint64_t time_us = output->datagrams * 10;
    uint32_t record[4] = {(uint32_t)(capture_start_s + (int64_t)(time_us / 1000000)), (uint32_t)(time_us % 1000000),
                          (uint32_t)(wire_headers + size), (uint32_t)(wire_headers + size)};
    uint8_t source[4], *at = packet;

    put32(source, 0xc0000201 + agent_number);
    at = put64(at, UINT64_C(0x02000000000a0200));
    at = put32(at, 0x0000000b);
    at = put16(at, 0x0800);
    at = put_ipv4(at, source, collector, 17, (uint32_t)(size + 28));
    at = put16(put16(at, 50000 + agent_number), 6343);
    put16(put16(at, (uint32_t)(size + 8)), 0); /* no checksum: allowed over IPv4 */
    fwrite(record, sizeof(record), 1, output->capture);
    fwrite(packet, wire_headers + size, 1, output->capture);
}

static void socket_open(struct output *output, const char *text)
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
    output->socket = socket(found->ai_family, SOCK_DGRAM, 0);
    if (output->socket < 0)
        die("socket");
    setsockopt(output->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    memcpy(&output->to, found->ai_addr, found->ai_addrlen);
    output->to_size = found->ai_addrlen;
    freeaddrinfo(found);
}

/* Sleeps until the samples made so far are due. */
static void pace(const struct generator *g)
{
    const struct output *output = &g->output;
    uint64_t due_ns;
    struct timespec until = output->started;

    if (g->options.pace == 0)
        return;
    due_ns = (uint64_t)((double)output->flow_samples / (double)g->options.pace * 1e9);
    until.tv_sec += (time_t)(due_ns / 1000000000u);
    until.tv_nsec += (long)(due_ns % 1000000000u);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Sends the batch whole. A full send buffer blocks; an error ends the run: what is "sent" was taken by the kernel. */
static void batch_send(struct generator *g)
{
    struct output *output = &g->output;
    struct batch *batch = &output->batch;
    struct mmsghdr messages[batch_size];
    struct iovec parts[batch_size];
    unsigned done = 0;

    memset(messages, 0, sizeof(messages));
    for (unsigned i = 0; i < batch->used; i++) {
        parts[i] = (struct iovec){batch->octets[i] + wire_headers, batch->sizes[i]};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &output->to;
        messages[i].msg_hdr.msg_namelen = output->to_size;
    }
    while (done < batch->used) {
        int sent = sendmmsg(output->socket, messages + done, batch->used - done, 0);

        if (sent < 0 && errno != EINTR && errno != ENOBUFS)
            die("sendmmsg");
        done += sent < 0 ? 0 : (unsigned)sent;
    }
    batch->used = 0;
    pace(g);
}

static void generate(struct generator *g)
{
    /* With a pace, smaller batches keep the flow even. */
    const unsigned batch_limit = g->options.pace == 0 ? batch_size : 4;
    struct output *output = &g->output;
    struct batch *batch = &output->batch;
    uint64_t left = g->options.samples;

    clock_gettime(CLOCK_MONOTONIC, &output->started);
    while (left > 0) {
        uint32_t agent = (uint32_t)(output->datagrams % g->options.agents);
        uint8_t *packet = batch->octets[batch->used];
        size_t size = make_datagram(g, packet + wire_headers, agent, &left);

        if (output->capture != NULL)
            capture_write(output, packet, size, agent);
        output->datagrams++;
        output->bytes += size;
        if (output->socket >= 0) {
            batch->sizes[batch->used++] = size;
            if (batch->used == batch_limit)
                batch_send(g);
        }
    }
    if (output->socket >= 0)
        batch_send(g);
}

struct row {
    uint32_t number;
    struct key key;
};

static int row_compare(const void *a, const void *b)
{
    const struct key *x = &((const struct row *)a)->key, *y = &((const struct row *)b)->key;

    if (x->ipv6 != y->ipv6)
        return x->ipv6 ? 1 : -1;
    return memcmp(x->source, y->source, sizeof(x->source));
}

static void expect_write(const struct generator *g, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    struct row *rows = calloc(g->options.keys, sizeof(*rows));
    size_t count = 0;

    if (file == NULL || rows == NULL)
        die(path);
    for (uint32_t i = 0; i < g->options.keys; i++)
        if (g->tallies[i].packets != 0) {
            rows[count].number = i;
            key_make(&g->options, i, &rows[count++].key);
        }
    qsort(rows, count, sizeof(*rows), row_compare);
    fputs("SRC_IP,DST_IP,SRC_PORT,DST_PORT,PROTOCOL,PACKETS,BYTES\n", file);
    for (size_t i = 0; i < count; i++) {
        const struct key *key = &rows[i].key;
        const struct tally *tally = &g->tallies[rows[i].number];
        char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];

        inet_ntop(key->ipv6 ? AF_INET6 : AF_INET, key->source, source, sizeof(source));
        inet_ntop(key->ipv6 ? AF_INET6 : AF_INET, key->destination, destination, sizeof(destination));
        fprintf(file, "%s,%s,%u,%u,", source, destination, key->source_port, key->destination_port);
        if (g->options.numeric)
            fprintf(file, "%u", key->protocol);
        else
            fputs(key->protocol == 6 ? "tcp" : "udp", file);
        fprintf(file, ",%" PRIu64 ",%" PRIu64 "\n", tally->packets, tally->bytes);
    }
    free(rows);
    if (fflush(file) != 0 || (file != stdout && fclose(file) != 0))
        die(path);
}

static void usage(FILE *to)
{
    fputs("usage: generate [--out FILE.pcap] [--udp HOST:PORT [--rate SAMPLES_PER_SECOND]] [--expect FILE.csv]\n"
          "  --samples N         flow samples, default 100000\n"
          "  --keys K            different 5-tuples to draw from, default 1000, at most 16777216\n"
          "  --zipf EXPONENT     a few keys have most of the traffic; default: all alike\n"
          "  --seed S            default 1\n"
          "  --sampling-rate R   what the samples say, default 1\n"
          "  --renormalized      --expect multiplies by the sampling rate\n"
          "  --numeric           --expect writes protocol numbers\n"
          "  --minimal           raw headers without VLAN and without extended records\n"
          "  --ipv6 PERCENT      of the keys, default 0\n"
          "  --agents A          exporters, default 4, at most 250\n"
          "  --counter-every N   each Nth datagram of an agent has counter samples instead\n",
          to);
}

static uint64_t number(const char *text, uint64_t low, uint64_t high)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < low || value > high) {
        errno = 0;
        fprintf(stderr, "generate: '%s' is not a number from %" PRIu64 " to %" PRIu64 "\n", text, low, high);
        exit(1);
    }
    return value;
}

static void options_parse(struct options *options, int argc, char **argv)
{
    static const struct option table[] = {
        {"out", required_argument, NULL, 'o'},      {"udp", required_argument, NULL, 'u'},
        {"rate", required_argument, NULL, 'p'},     {"expect", required_argument, NULL, 'e'},
        {"samples", required_argument, NULL, 'n'},  {"keys", required_argument, NULL, 'k'},
        {"zipf", required_argument, NULL, 'z'},     {"seed", required_argument, NULL, 's'},
        {"sampling-rate", required_argument, NULL, 'r'}, {"renormalized", no_argument, NULL, 'R'},
        {"numeric", no_argument, NULL, 'N'},        {"minimal", no_argument, NULL, 'm'},
        {"ipv6", required_argument, NULL, '6'},     {"agents", required_argument, NULL, 'a'},
        {"counter-every", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    *options = (struct options){.samples = 100000, .keys = 1000, .seed = 1, .rate = 1, .agents = 4};
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        switch (option) {
        case 'o': options->out = optarg; break;
        case 'u': options->udp = optarg; break;
        case 'p': options->pace = number(optarg, 0, UINT32_MAX); break;
        case 'e': options->expect = optarg; break;
        case 'n': options->samples = number(optarg, 1, UINT64_C(1) << 40); break;
        case 'k': options->keys = (uint32_t)number(optarg, 1, keys_max); break;
        case 'z': options->zipf = strtod(optarg, NULL); break;
        case 's': options->seed = number(optarg, 0, UINT32_MAX); break;
        case 'r': options->rate = number(optarg, 1, UINT32_MAX); break;
        case 'R': options->renormalized = true; break;
        case 'N': options->numeric = true; break;
        case 'm': options->minimal = true; break;
        case '6': options->ipv6_percent = (uint32_t)number(optarg, 0, 100); break;
        case 'a': options->agents = (uint32_t)number(optarg, 1, agents_max); break;
        case 'c': options->counter_every = number(optarg, 2, UINT32_MAX); break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); exit(1);
        }
    }
    if (optind != argc || (options->out == NULL && options->udp == NULL && options->expect == NULL)) {
        usage(stderr);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct generator g;
    struct output *output = &g.output;
    struct timespec now;
    double seconds;

    options_parse(&g.options, argc, argv);
    g.random[0] = mix(g.options.seed + 1);
    g.random[1] = mix(g.random[0] + 1);
    output->socket = -1;
    if (g.options.zipf > 0)
        aliases_make(&g);
    if (g.options.expect != NULL && (g.tallies = calloc(g.options.keys, sizeof(*g.tallies))) == NULL)
        die("out of memory");
    if (g.options.out != NULL)
        capture_open(output, g.options.out);
    if (g.options.udp != NULL)
        socket_open(output, g.options.udp);
    generate(&g);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (output->capture != NULL && (fflush(output->capture) != 0 || ferror(output->capture)))
        die(g.options.out);
    if (g.options.expect != NULL)
        expect_write(&g, g.options.expect);
    seconds = (double)(now.tv_sec - output->started.tv_sec) + (double)(now.tv_nsec - output->started.tv_nsec) / 1e9;
    fprintf(stderr, "datagrams=%" PRIu64 " bytes=%" PRIu64 " flow_samples=%" PRIu64 " counter_samples=%" PRIu64
            " seconds=%.6f\n",
            output->datagrams, output->bytes, output->flow_samples, output->counter_samples, seconds);
    return 0;
}
