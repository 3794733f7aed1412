/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define meminfo_drops 8 /* SK_MEMINFO_DROPS, linux/sock_diag.h */
#define meminfo_words 9

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static int join_group(int fd, int family, const char *group, const char *interface, struct error *error)
{
    struct group_req request = {.gr_interface = interface ? if_nametoindex(interface) : 0};
    struct address address;
    int level;

    if (!address_parse(group, &address))
        return error_set(error, "'%.60s' is not a multicast address", group);
    level = address_is_ipv4(&address) ? IPPROTO_IP : IPPROTO_IPV6;
    if (level == IPPROTO_IPV6 && family == AF_INET)
        return error_set(error, "the IPv6 group %s needs an IPv6 listener", group);
    address_to_socket(&address, 0, &request.gr_group);
    if (setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof(request)) < 0)
        return error_errno(error, errno, "cannot join the multicast group %s", group);
    return 0;
}

static int join_groups(int fd, int family, const struct socket_options *options, struct error *error)
{
    char list[2048], *rest = list, *word;

    if (options->groups == NULL)
        return 0;
    if (strlen(options->groups) >= sizeof(list))
        return error_set(error, "too many multicast groups");
    memcpy(list, options->groups, strlen(options->groups) + 1);
    while ((word = strsep(&rest, ", ")) != NULL)
        if (word[0] != '\0' && join_group(fd, family, word, options->interface, error) < 0)
            return -1;
    return 0;
}

/* The kernel doubles what is asked and caps it at rmem_max, unless the process may go beyond. */
static uint64_t size_buffer(int fd, uint64_t bytes)
{
    int got = 0;
    socklen_t length = sizeof(got);

    if (bytes > 0) {
        int ask = (int)min_u64(bytes, INT32_MAX / 2);
        if (set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, ask) < 0)
            set_option(fd, SOL_SOCKET, SO_RCVBUF, ask);
    }
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &length);
    return (uint64_t)got / 2;
}

static int bind_listener(int fd, const struct sockaddr *address, socklen_t length, const struct socket_options *options,
                         struct error *error)
{
    const char *where = options->address ? options->address : "all addresses";

    if (options->interface != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->interface,
                                                 (socklen_t)strlen(options->interface)) < 0)
        return error_errno(error, errno, "cannot bind to the interface '%s'", options->interface);
    if (bind(fd, address, length) < 0) {
        if (errno == EADDRINUSE)
            return error_set(error, "port %u/udp on %s is taken by another program (see: ss -ulpn 'sport = :%u')",
                             options->port, where, options->port);
        return error_errno(error, errno, "cannot listen on %s port %u/udp", where, options->port);
    }
    return 0;
}

enum share { SHARE_NOT, SHARE_FIRST, SHARE_OTHER };

/*
 * The first of a group binds like one that is alone, so that a port in use is refused, and lets others join it only
 * then. Multicast is for the first: the kernel would give each of them a copy.
 */
static int prepare_share(int fd, int family, enum share share, struct error *error)
{
    if (share == SHARE_NOT)
        return 0;
    if (set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return error_errno(error, errno, "cannot share the port between lanes");
    if (share == SHARE_OTHER) {
        set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        if (family == AF_INET6)
            set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    }
    return 0;
}

static int open_listener(const struct socket_options *options, enum share share, uint64_t *buffer_got,
                         struct error *error)
{
    struct sockaddr_storage storage = {0};
    struct address address;
    size_t length;
    int fd, family;

    if (options->address != NULL) {
        if (!address_parse(options->address, &address))
            return error_set(error, "'%.60s' is not an address to listen on", options->address);
        length = address_to_socket(&address, options->port, &storage);
    } else {
        *(struct sockaddr_in6 *)&storage =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(options->port)};
        length = sizeof(struct sockaddr_in6);
    }
    fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && options->address == NULL) { /* a host without IPv6 */
        *(struct sockaddr_in *)&storage = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(options->port)};
        length = sizeof(struct sockaddr_in);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return error_errno(error, errno, "cannot open a UDP socket");
    family = storage.ss_family;
    if (family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6_only);
    set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    *buffer_got = size_buffer(fd, options->buffer_bytes);
    if ((share == SHARE_OTHER && prepare_share(fd, family, share, error) < 0) ||
        bind_listener(fd, (const struct sockaddr *)&storage, (socklen_t)length, options, error) < 0 ||
        (share == SHARE_FIRST && prepare_share(fd, family, share, error) < 0) ||
        (share != SHARE_OTHER && join_groups(fd, family, options, error) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

int socket_listen(const struct socket_options *options, uint64_t *buffer_got, struct error *error)
{
    return open_listener(options, SHARE_NOT, buffer_got, error);
}

/*
 * The program that chooses the socket of a group: the IP source address, its four words folded into one for IPv6, times
 * 2^32 / phi, of which the upper 16 bits are scaled to 0..count-1 (they depend on every bit of the address). Offsets
 * count from the IP header. The kernel keeps the order in which the sockets were bound.
 */
static int steer(int fd, unsigned count, struct error *error)
{
    const uint32_t ip = (uint32_t)SKF_NET_OFF;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ip),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4), /* the version */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 2, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 12),
        BPF_JUMP(BPF_JMP | BPF_JA, 10, 0, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 8),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 12),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 16),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 20),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, count),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {.len = array_length(code), .filter = code};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0)
        return error_errno(error, errno, "cannot spread the exporters over the lanes");
    return 0;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof(storage);
    struct address address;
    uint16_t port = 0;

    if (getsockname(fd, (struct sockaddr *)&storage, &length) == 0)
        address_from_socket(&address, &port, (const struct sockaddr *)&storage);
    return port;
}

/* Until all are there the first one gets everything, so that nothing that comes meanwhile is lost. */
int socket_listen_group(const struct socket_options *options, int sockets[], unsigned count, uint64_t *buffer_got,
                        struct error *error)
{
    struct socket_options same = *options;
    unsigned made = 0;

    for (; made < count; made++) {
        enum share share = count == 1 ? SHARE_NOT : made == 0 ? SHARE_FIRST : SHARE_OTHER;

        sockets[made] = open_listener(&same, share, buffer_got, error);
        if (sockets[made] < 0)
            break;
        if (made == 0)
            same.port = bound_port(sockets[0]);
        if (made == 1 && steer(sockets[0], 1, error) < 0) {
            made++;
            break;
        }
    }
    if (made == count && (count == 1 || steer(sockets[0], count, error) == 0))
        return 0;
    while (made > 0)
        close(sockets[--made]);
    return -1;
}

struct socket_receiver {
    int fd;
    uint32_t overflow_seen; /* the kernel's running count, modulo 2^32 */
    uint8_t *buffers;       /* socket_batch of socket_datagram_max; only touched pages take memory */
    struct mmsghdr messages[socket_batch];
    struct iovec vectors[socket_batch];
    struct sockaddr_in6 sources[socket_batch];
    _Alignas(struct cmsghdr) char control[socket_batch][CMSG_SPACE(sizeof(uint32_t))];
    struct socket_datagram datagrams[socket_batch];
};

struct socket_receiver *socket_receiver_new(int fd, uint64_t drops_counted)
{
    struct socket_receiver *receiver = calloc(1, sizeof(*receiver));

    if (receiver == NULL)
        return NULL;
    receiver->fd = fd;
    receiver->overflow_seen = (uint32_t)drops_counted;
    receiver->buffers = mmap(NULL, (size_t)socket_batch * socket_datagram_max, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (receiver->buffers == MAP_FAILED) {
        free(receiver);
        return NULL;
    }
    for (unsigned i = 0; i < socket_batch; i++) {
        receiver->vectors[i] =
            (struct iovec){receiver->buffers + (size_t)i * socket_datagram_max, socket_datagram_max};
        receiver->messages[i].msg_hdr = (struct msghdr){.msg_name = &receiver->sources[i],
                                                        .msg_iov = &receiver->vectors[i],
                                                        .msg_iovlen = 1,
                                                        .msg_control = receiver->control[i]};
    }
    return receiver;
}

void socket_receiver_free(struct socket_receiver *receiver)
{
    if (receiver == NULL)
        return;
    munmap(receiver->buffers, (size_t)socket_batch * socket_datagram_max);
    free(receiver);
}

static uint64_t take_overflow(struct socket_receiver *receiver, uint32_t now)
{
    uint32_t more = now - receiver->overflow_seen;

    receiver->overflow_seen = now;
    return more;
}

static uint64_t read_overflow(struct socket_receiver *receiver, struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
            return take_overflow(receiver, load_u32(CMSG_DATA(c)));
    return 0;
}

unsigned socket_receive(struct socket_receiver *receiver, const struct socket_datagram **datagrams, uint64_t *dropped)
{
    int count;

    *dropped = 0;
    *datagrams = receiver->datagrams;
    for (unsigned i = 0; i < socket_batch; i++) {
        receiver->messages[i].msg_hdr.msg_namelen = sizeof(receiver->sources[i]);
        receiver->messages[i].msg_hdr.msg_controllen = sizeof(receiver->control[i]);
    }
    count = recvmmsg(receiver->fd, receiver->messages, socket_batch, MSG_DONTWAIT, NULL);
    if (count <= 0)
        return 0;
    for (int i = 0; i < count; i++) {
        struct socket_datagram *datagram = &receiver->datagrams[i];
        struct msghdr *header = &receiver->messages[i].msg_hdr;

        datagram->bytes = receiver->vectors[i].iov_base;
        datagram->size = receiver->messages[i].msg_len;
        datagram->cut = (header->msg_flags & MSG_TRUNC) != 0;
        address_from_socket(&datagram->source, &datagram->source_port, header->msg_name);
        if (header->msg_controllen > 0)
            *dropped += read_overflow(receiver, header);
    }
    return (unsigned)count;
}

uint64_t socket_final_drops(struct socket_receiver *receiver)
{
    uint32_t words[meminfo_words] = {0};
    socklen_t length = sizeof(words);

    if (getsockopt(receiver->fd, SOL_SOCKET, SO_MEMINFO, words, &length) < 0 || length < sizeof(words))
        return 0;
    return take_overflow(receiver, words[meminfo_drops]);
}
