/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners on loopback: both families, batches, a taken port, and kernel drops that are counted to the last one. */
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

int main(void)
{
    plan_none();
    check_families();
    check_drops();
    return done_testing();
}
