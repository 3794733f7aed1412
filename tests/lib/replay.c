/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends the UDP payloads of a capture file to a collector again: as fast as they came (the default), faster by a factor
 * (--speed 20), within a given time (--duration 3) or without any waiting (--flat). Prints how many it sent, so that a
 * test can hold the collector to that number.
 *
 * Payloads only: the datagrams come from this host's address, or from that of its addresses which --source names. Fragments and whatever is not UDP are left out and told.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct payload {
    double time_s; /* after the first one */
    size_t at, size;
};

struct capture {
    uint8_t *octets;
    size_t used, room;
    struct payload *list;
    size_t count, list_room;
    uint64_t skipped;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "replay: %s: %s\n", what, why);
    exit(1);
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)(at[0] << 8 | at[1]);
}

/* The place of the network header, or -1 for a link type or a frame that this program does not know. */
static int network_header(int link, const uint8_t *frame, size_t size)
{
    unsigned type;
    size_t at;

    switch (link) {
    case DLT_RAW:
        return 0;
    case DLT_NULL:
        return 4;
    case DLT_LINUX_SLL:
        return 16;
    case DLT_LINUX_SLL2:
        return 20;
    case DLT_EN10MB:
        for (at = 12; at + 2 <= size; at += 4) {
            type = get16(frame + at);
            if (type == 0x0800 || type == 0x86dd)
                return (int)at + 2;
            if (type != 0x8100 && type != 0x88a8)
                return -1;
        }
        return -1;
    default:
        return -1;
    }
}

/* Finds the UDP payload of a packet; false for anything else. Port 0 takes every destination port. */
static bool find_payload(const uint8_t *packet, size_t size, unsigned port, const uint8_t **payload, size_t *length)
{
    size_t header;

    if (size >= 20 && packet[0] >> 4 == 4) {
        header = (size_t)(packet[0] & 15) * 4;
        if (header < 20 || packet[9] != 17 || (get16(packet + 6) & 0x3fff) != 0)
            return false;
    } else if (size >= 40 && packet[0] >> 4 == 6) {
        header = 40;
        if (packet[6] != 17)
            return false;
    } else {
        return false;
    }
    if (size < header + 8 || (port != 0 && get16(packet + header + 2) != port))
        return false;
    *length = get16(packet + header + 4);
    if (*length < 8 || *length > size - header)
        return false;
    *length -= 8;
    *payload = packet + header + 8;
    return true;
}

static void capture_add(struct capture *capture, const uint8_t *payload, size_t size, double time_s)
{
    if (capture->used + size > capture->room) {
        capture->room = (capture->used + size) * 2;
        capture->octets = realloc(capture->octets, capture->room);
    }
    if (capture->count == capture->list_room) {
        capture->list_room = capture->list_room * 2 + 1024;
        capture->list = realloc(capture->list, capture->list_room * sizeof(*capture->list));
    }
    if (capture->octets == NULL || capture->list == NULL)
        die("memory", strerror(errno));
    memcpy(capture->octets + capture->used, payload, size);
    capture->list[capture->count++] = (struct payload){time_s, capture->used, size};
    capture->used += size;
}

static void capture_read(struct capture *capture, const char *path, unsigned port)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *file = pcap_open_offline(path, why);
    struct pcap_pkthdr *header;
    const uint8_t *frame, *payload = NULL;
    double first = 0;
    size_t size = 0;
    int status;

    if (file == NULL)
        die(path, why);
    while ((status = pcap_next_ex(file, &header, &frame)) == 1) {
        double time_s = (double)header->ts.tv_sec + (double)header->ts.tv_usec / 1e6;
        int network = network_header(pcap_datalink(file), frame, header->caplen);

        if (network < 0 || (size_t)network > header->caplen ||
            !find_payload(frame + network, header->caplen - (size_t)network, port, &payload, &size)) {
            capture->skipped++;
            continue;
        }
        if (capture->count == 0)
            first = time_s;
        capture_add(capture, payload, size, time_s - first);
    }
    if (status == PCAP_ERROR)
        die(path, pcap_geterr(file));
    pcap_close(file);
}

static void socket_bind(int handle, const char *source)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found;
    int status = getaddrinfo(source, NULL, &hints, &found);

    if (status != 0)
        die(source, gai_strerror(status));
    if (bind(handle, found->ai_addr, found->ai_addrlen) < 0)
        die(source, strerror(errno));
    freeaddrinfo(found);
}

static int socket_open(const char *text, struct sockaddr_storage *to, socklen_t *to_size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
    const char *colon = strrchr(text, ':');
    int handle, status;
    char host[256];

    if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
        die(text, "HOST:PORT is wanted");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if ((status = getaddrinfo(host, colon + 1, &hints, &found)) != 0)
        die(text, gai_strerror(status));
    handle = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0)
        die("socket", strerror(errno));
    memcpy(to, found->ai_addr, found->ai_addrlen);
    *to_size = found->ai_addrlen;
    freeaddrinfo(found);
    return handle;
}

static void wait_until(const struct timespec *start, double after_s)
{
    struct timespec until = *start;

    until.tv_sec += (time_t)after_s;
    until.tv_nsec += (long)((after_s - (double)(time_t)after_s) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static double positive(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (*end != '\0' || !(value > 0))
        die(text, "a number above 0 is wanted");
    return value;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {{"speed", required_argument, NULL, 's'},
                                          {"duration", required_argument, NULL, 'd'},
                                          {"flat", no_argument, NULL, 'f'},
                                          {"loops", required_argument, NULL, 'l'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"source", required_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    double speed = 1, duration = 0, factor, length;
    struct capture capture = {0};
    struct sockaddr_storage to;
    uint64_t sent = 0, bytes = 0;
    struct timespec start;
    unsigned loops = 1, port = 0;
    int option, handle;
    socklen_t to_size;
    const char *source = NULL;
    bool flat = false;

    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 's': speed = positive(optarg); break;
        case 'd': duration = positive(optarg); break;
        case 'f': flat = true; break;
        case 'l': loops = (unsigned)positive(optarg); break;
        case 'a': source = optarg; break;
        case 'p': port = (unsigned)positive(optarg); break;
        default: optind = argc;
        }
    }
    if (argc - optind != 2) {
        fputs("usage: replay [--speed FACTOR | --duration SECONDS | --flat] [--loops N] [--port UDP_PORT] "
              "[--source ADDRESS] FILE.pcap HOST:PORT\n", stderr);
        return 1;
    }
    capture_read(&capture, argv[optind], port);
    if (capture.count == 0)
        die(argv[optind], "no UDP datagram in it");
    handle = socket_open(argv[optind + 1], &to, &to_size);
    if (source != NULL)
        socket_bind(handle, source);
    length = capture.list[capture.count - 1].time_s;
    factor = flat ? 0 : duration > 0 ? (length > 0 ? duration / length : 0) : 1 / speed;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned loop = 0; loop < loops; loop++)
        for (size_t i = 0; i < capture.count; i++) {
            const struct payload *payload = &capture.list[i];

            if (factor > 0)
                wait_until(&start, (loop * length + payload->time_s) * factor);
            while (sendto(handle, capture.octets + payload->at, payload->size, 0, (struct sockaddr *)&to, to_size) < 0)
                if (errno != EINTR && errno != ENOBUFS)
                    die("send", strerror(errno));
            sent++;
            bytes += payload->size;
        }
    printf("sent %" PRIu64 " datagrams, %" PRIu64 " bytes", sent, bytes);
    printf(capture.skipped > 0 ? " (%" PRIu64 " packets of the file are not UDP)\n" : "\n", capture.skipped);
    free(capture.octets);
    free(capture.list);
    close(handle);
    return 0;
}
