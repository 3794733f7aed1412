/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners on loopback: both families, batches, a taken port, kernel drops that are counted to the last one; and
 * groups that share a port by the senders' addresses.
 */
#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/tap.h"

static uint16_t port_of(int fd)
{
    struct sockaddr_in6 address;
    socklen_t length = sizeof(address);

    getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin6_port);
}

static int connect_to(const char *host, uint16_t port)
{
    struct sockaddr_storage storage;
    struct address address;
    size_t length;
    int fd;

    address_parse(host, &address);
    length = address_to_socket(&address, port, &storage);
    fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&storage, (socklen_t)length) < 0)
        return -1;
    return fd;
}

static int connect_from(const struct sockaddr_in *from, uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (const struct sockaddr *)from, sizeof(*from)) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        ok(false, "cannot send from this address");
    return fd;
}

static int listen_on(const char *address, uint64_t bytes, uint16_t port, struct error *error)
{
    struct socket_options options = {.address = address, .port = port, .buffer_bytes = bytes};
    uint64_t got;

    return socket_listen(&options, &got, error);
}

static void check_families(void)
{
    const struct socket_datagram *datagrams;
    struct socket_receiver *receiver;
    struct error error;
    uint64_t dropped;
    int fd = listen_on(NULL, 0, 0, &error), four, six;

    if (!ok(fd >= 0, "a listener on all addresses"))
        return;
    receiver = socket_receiver_new(fd, 0);
    four = connect_to("127.0.0.1", port_of(fd));
    ok(send(four, "four", 4, 0) == 4, "sent");
    is_u64(socket_receive(receiver, &datagrams, &dropped), 1, "a datagram over IPv4");
    ok(address_is_ipv4(&datagrams[0].source) && datagrams[0].size == 4, "comes from an IPv4 address");
    is_u64(datagrams[0].source_port, port_of(four), "and its port");
    six = connect_to("::1", port_of(fd));
    if (six >= 0) {
        ok(send(six, "sixsix", 6, 0) == 6, "sent");
        is_u64(socket_receive(receiver, &datagrams, &dropped), 1, "a datagram over IPv6");
        ok(!address_is_ipv4(&datagrams[0].source) && datagrams[0].size == 6, "comes from an IPv6 address");
        close(six);
    }
    is_u64(socket_receive(receiver, &datagrams, &dropped), 0, "then nothing");
    ok(listen_on(NULL, 0, port_of(fd), &error) < 0 && strstr(error.text, "taken by another program") != NULL,
       "a taken port is refused: %s", error.text);
    ok(listen_on("not an address", 0, 0, &error) < 0 && strstr(error.text, "not an address") != NULL, "so is a name");
    close(four);
    socket_receiver_free(receiver);
    close(fd);
}

static void check_drops(void)
{
    const struct socket_datagram *datagrams;
    struct socket_receiver *receiver;
    static char payload[1400];
    uint64_t received = 0, dropped = 0, told;
    struct error error;
    int fd = listen_on("127.0.0.1", 16384, 0, &error), sender = connect_to("127.0.0.1", port_of(fd));
    unsigned sent = 0, count;

    receiver = socket_receiver_new(fd, 0);
    for (unsigned i = 0; i < 2000; i++)
        sent += send(sender, payload, sizeof(payload), 0) == sizeof(payload);
    do {
        count = socket_receive(receiver, &datagrams, &told);
        received += count;
        dropped += told;
    } while (count > 0);
    ok(received < sent, "a small buffer drops");
    dropped += socket_final_drops(receiver);
    is_u64(received + dropped, sent, "received and dropped are what was sent");
    is_u64(socket_final_drops(receiver), 0, "and are told once");
    close(sender);
    socket_receiver_free(receiver);
    close(fd);
}

#define group_max 16
#define sender_count 128
#define rounds 3

/* Who got how many datagrams; each says in its first octet which sender it is from. */
struct tally {
    unsigned of[group_max][sender_count];
};

static void take_all(const int sockets[], unsigned count, struct tally *tally)
{
    memset(tally, 0, sizeof(*tally));
    for (unsigned i = 0; i < count; i++) {
        uint8_t octet;

        while (recv(sockets[i], &octet, 1, MSG_DONTWAIT) == 1)
            tally->of[i][octet % sender_count]++;
    }
}

/* From 127.0.1.1, 127.0.1.2 ...: what a sender sends goes to one socket. */
static void check_steering(const char *address, unsigned count)
{
    struct socket_options options = {.address = address};
    struct error error;
    struct tally tally;
    int sockets[group_max];
    unsigned whole = 0, split = 0, busiest = 0, used = 0;
    uint64_t got;

    if (!ok(socket_listen_group(&options, sockets, count, &got, &error) == 0, "%u listeners on one port", count))
        return;
    for (unsigned i = 0; i < sender_count * rounds; i++) {
        uint8_t octet = (uint8_t)(i % sender_count);
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000101u + octet)};
        int fd = connect_from(&from, port_of(sockets[0])); /* another port each time: only the address counts */

        if (send(fd, &octet, 1, 0) != 1)
            ok(false, "sent");
        close(fd);
    }
    take_all(sockets, count, &tally);
    for (unsigned i = 0; i < count; i++) {
        unsigned here = 0;

        for (unsigned sender = 0; sender < sender_count; sender++) {
            here += tally.of[i][sender] == rounds;
            split += tally.of[i][sender] % rounds != 0;
        }
        whole += here;
        used += here > 0;
        busiest = here > busiest ? here : busiest;
        close(sockets[i]);
    }
    is_u64(whole, sender_count, "each sender's datagrams are in one of %u sockets", count);
    is_u64(split, 0, "none is in two");
    is_u64(used, count, "each socket has senders");
    ok(busiest <= 2 * sender_count / count, "and none has many more than its part: %u of %u", busiest, sender_count);
}

static void check_group_ipv6(void)
{
    struct socket_options options = {.address = NULL};
    unsigned places[2] = {0};
    int sockets[4], senders[2];
    struct error error;
    struct tally tally;
    uint64_t got;

    if (!ok(socket_listen_group(&options, sockets, 4, &got, &error) == 0, "a group of both families"))
        return;
    senders[0] = connect_to("::1", port_of(sockets[0]));
    senders[1] = connect_to("127.0.0.1", port_of(sockets[0]));
    for (unsigned i = 0; i < 2 && senders[0] >= 0; i++) {
        for (unsigned n = 0; n < 10; n++)
            ok(send(senders[i], &(uint8_t){(uint8_t)i}, 1, 0) == 1, "sent");
    }
    take_all(sockets, 4, &tally);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned sender = 0; sender < 2; sender++)
            places[sender] += tally.of[i][sender] == 10;
    if (senders[0] >= 0)
        is_u64(places[0], 1, "what comes over IPv6 is in one socket");
    is_u64(places[1], senders[0] >= 0 ? 1 : 0, "what comes over IPv4 too");
    for (unsigned i = 0; i < 4; i++)
        close(sockets[i]);
    close(senders[0]);
    close(senders[1]);
}

/* A multicast datagram is for every socket of a port, but is wanted once. */
static void check_group_multicast(void)
{
    struct socket_options options = {.address = NULL, .interface = "lo", .groups = "239.255.77.7"};
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    int sockets[3], sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct error error;
    struct tally tally;
    uint64_t got;

    if (socket_listen_group(&options, sockets, 3, &got, &error) < 0) {
        ok(error.text[0] != '\0', "no multicast here: %s # SKIP", error.text);
        close(sender);
        return;
    }
    inet_pton(AF_INET, "239.255.77.7", &to.sin_addr);
    to.sin_port = htons(port_of(sockets[0]));
    setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback));
    if (sendto(sender, &(uint8_t){9}, 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1) {
        take_all(sockets, 3, &tally);
        is_u64(tally.of[0][9], 1, "the first of a group gets a multicast datagram");
        is_u64(tally.of[1][9] + tally.of[2][9], 0, "the others get no copy");
    }
    for (unsigned i = 0; i < 3; i++)
        close(sockets[i]);
    close(sender);
}

static void check_group_refused(void)
{
    struct socket_options options = {.address = "127.0.0.1"};
    struct error error;
    int sockets[2], others[2], alone;
    uint64_t got;

    if (!ok(socket_listen_group(&options, sockets, 2, &got, &error) == 0, "two listeners"))
        return;
    options.port = port_of(sockets[0]);
    ok(socket_listen_group(&options, others, 2, &got, &error) < 0 && strstr(error.text, "taken") != NULL,
       "another group does not join them: %s", error.text);
    ok(socket_listen(&options, &got, &error) < 0, "nor does a single listener");
    close(sockets[0]);
    ok(socket_listen(&options, &got, &error) < 0, "not even while one of them is left");
    close(sockets[1]);
    alone = socket_listen(&options, &got, &error);
    ok(alone >= 0, "then the port is free");
    ok(socket_listen_group(&options, others, 2, &got, &error) < 0, "a group does not join a single listener");
    close(alone);
    ok(socket_listen_group(&options, others, 1, &got, &error) == 0, "a group of one");
    ok(listen_on("127.0.0.1", 0, options.port, &error) < 0, "does not share its port");
    close(others[0]);
}

int main(void)
{
    plan_none();
    check_families();
    check_drops();
    check_steering("127.0.0.1", 2);
    check_steering("127.0.0.1", 3);
    check_steering(NULL, 4);
    check_steering(NULL, 16);
    check_group_ipv6();
    check_group_multicast();
    check_group_refused();
    return done_testing();
}
