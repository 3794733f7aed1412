/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nflog.h"

#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "net/nflog_message.h"

#define copy_bytes_max 65531u      /* what a netlink attribute holds */
#define around_packet_bytes 512u   /* attributes beside the packet, a prefix of 128 bytes among them */
#define message_bytes_max 131072u  /* that the kernel collects: nfnetlink_log refuses more */
#define message_bytes_usual 8192u  /* that it is ready to collect without being told, at least nearly */
#define collect_centiseconds 10u   /* it sends what it has collected after so long at most */
#define order_bytes 256

struct nflog_group {
    struct nflog_handle *handle;
    int fd;
    struct nflog_options options;
    struct nflog_reader reader;
    uint64_t overflows, buffer_bytes;
    uint32_t drops_grown; /* datagrams that the kernel had dropped when the buffer was sized last */
    /*
     * For nflog_group_final_lost, when a datagram has several packets: what had been dropped when the queue was found
     * empty; the same, once something has come after that, so that its sequence number has told of those packets; and
     * how many packets had been missing then.
     */
    uint32_t drops_empty, drops_told;
    uint64_t lost_empty, lost_told;
    struct mmsghdr messages[nflog_batch];
    struct iovec places[nflog_batch];
    uint8_t *buffers;
};

/* -- orders to the kernel -- */

/* Adds an attribute of 16 or 32 bits in network order; there is room. */
static void put_attribute(struct nlmsghdr *order, uint16_t type, const void *value, uint16_t size)
{
    uint8_t *at = (uint8_t *)order + NLMSG_ALIGN(order->nlmsg_len);
    struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};

    memset(at, 0, NLA_ALIGN(NLA_HDRLEN + size));
    memcpy(at, &attribute, sizeof(attribute));
    memcpy(at + NLA_HDRLEN, value, size);
    order->nlmsg_len = NLMSG_ALIGN(order->nlmsg_len) + NLA_ALIGN(NLA_HDRLEN + size);
}

static void put_u32(struct nlmsghdr *order, uint16_t type, uint32_t value)
{
    value = host_be32(value);
    put_attribute(order, type, &value, sizeof(value));
}

/* The kernel carries it out before send() returns, and answers only when it could not (no NLM_F_ACK). */
static int send_order(struct nflog_group *group, const struct nlmsghdr *order, struct error *error)
{
    if (send(group->fd, order, order->nlmsg_len, 0) < 0)
        return error_errno(error, errno, "cannot give the kernel an order about NFLOG group %u", group->options.group);
    return 0;
}

/*
 * The kernel refuses a group that somebody has with the same code as a process without rights. It lists who has which
 * in a file: number of the group, netlink port of the process, which is its id as a rule.
 */
static bool held_by(uint16_t group, char *who, size_t size)
{
    FILE *list = fopen("/proc/net/netfilter/nfnetlink_log", "re");
    char line[256], path[64], name[32];
    unsigned number, port;
    bool found = false;
    FILE *file;

    while (list != NULL && !found && fgets(line, sizeof(line), list) != NULL)
        found = sscanf(line, "%u %u", &number, &port) == 2 && number == group;
    if (list != NULL)
        fclose(list);
    if (!found)
        return false;
    snprintf(path, sizeof(path), "/proc/%u/comm", port);
    file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%31[ -~]", name) == 1)
        snprintf(who, size, "process %u, '%s'", port, name);
    else
        snprintf(who, size, "netlink port %u", port);
    if (file != NULL)
        fclose(file);
    return true;
}

static int refused(const struct nflog_group *group, int code, struct error *error)
{
    uint16_t number = group->options.group;
    char who[96];

    if ((code == EPERM || code == EBUSY) && held_by(number, who, sizeof(who)))
        return error_set(error, "NFLOG group %u is taken by another program (%s); each group has one listener", number,
                         who);
    if (code == EPERM)
        return error_set(error, "no right to listen to NFLOG group %u: run as root, or with CAP_NET_ADMIN", number);
    if (code == EBUSY)
        return error_set(error, "NFLOG group %u is taken by another program; each group has one listener", number);
    if (code == EINVAL || code == EPROTONOSUPPORT || code == EOPNOTSUPP)
        return error_set(error, "the kernel has no NFLOG (module nfnetlink_log)");
    return error_errno(error, code, "cannot listen to NFLOG group %u", number);
}

/* The answer, where there is one, lies before all packets: without the group there are none. */
static int look_for_refusal(struct nflog_group *group, struct error *error)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr body;
    } answer;
    ssize_t got = recv(group->fd, &answer, sizeof(answer), MSG_PEEK | MSG_DONTWAIT);

    if (got < (ssize_t)sizeof(answer) || answer.header.nlmsg_type != NLMSG_ERROR || answer.body.error == 0)
        return 0;
    return refused(group, -answer.body.error, error);
}

static uint32_t collected_bytes(const struct nflog_options *options)
{
    uint64_t bytes = (uint64_t)options->threshold * (options->copy_bytes + around_packet_bytes);

    return (uint32_t)min_u64(bytes, message_bytes_max);
}

static int bind_group(struct nflog_group *group, struct error *error)
{
    const struct nflog_options *options = &group->options;
    _Alignas(struct nlmsghdr) char room[order_bytes] = {0};
    uint16_t flags = host_be16(NFULNL_CFG_F_SEQ);
    struct nlmsghdr *order = nflog_nlmsg_put_header(room, NFULNL_MSG_CONFIG, AF_UNSPEC, options->group);

    if (nflog_attr_put_cfg_cmd(order, NFULNL_CFG_CMD_BIND) < 0 ||
        nflog_attr_put_cfg_mode(order, NFULNL_COPY_PACKET, options->copy_bytes) < 0)
        return error_set(error, "libnetfilter_log cannot make the order that binds a group");
    put_attribute(order, NFULA_CFG_FLAGS, &flags, sizeof(flags));
    put_u32(order, NFULA_CFG_QTHRESH, options->threshold);
    put_u32(order, NFULA_CFG_TIMEOUT, collect_centiseconds);
    if (collected_bytes(options) > message_bytes_usual)
        put_u32(order, NFULA_CFG_NLBUFSIZ, collected_bytes(options));
    if (send_order(group, order, error) < 0)
        return -1;
    return look_for_refusal(group, error);
}

int nflog_group_unbind(struct nflog_group *group, struct error *error)
{
    _Alignas(struct nlmsghdr) char room[order_bytes] = {0};
    struct nlmsghdr *order = nflog_nlmsg_put_header(room, NFULNL_MSG_CONFIG, AF_UNSPEC, group->options.group);

    if (nflog_attr_put_cfg_cmd(order, NFULNL_CFG_CMD_UNBIND) < 0)
        return error_set(error, "libnetfilter_log cannot make the order that unbinds a group");
    return send_order(group, order, error);
}

/* -- the socket -- */

/* More than the system's limit where we may; *buffer_bytes is what the kernel gave: it doubles what is asked for. */
static void size_buffer(struct nflog_group *group, uint64_t ask_bytes)
{
    int ask = (int)min_u64(ask_bytes, INT32_MAX / 2), got = 0;
    socklen_t length = sizeof(got);

    if (ask > 0 && setsockopt(group->fd, SOL_SOCKET, SO_RCVBUFFORCE, &ask, sizeof(ask)) < 0)
        setsockopt(group->fd, SOL_SOCKET, SO_RCVBUF, &ask, sizeof(ask));
    getsockopt(group->fd, SOL_SOCKET, SO_RCVBUF, &got, &length);
    group->buffer_bytes = (uint64_t)got / 2;
}

/* Datagrams that did not fit, since the socket was opened; a number of 32 bits that wraps. */
static uint32_t kernel_drops(const struct nflog_group *group)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof(memory);

    if (getsockopt(group->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) < 0)
        return group->drops_grown;
    return memory[SK_MEMINFO_DROPS];
}

/*
 * A socket that ran over would take nothing more until it has been emptied, and say ENOBUFS: told not to, it takes what
 * fits, and the sequence numbers tell what did not. It takes from the kernel only.
 */
static int prepare_socket(struct nflog_group *group, struct error *error)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int on = 1, flags;

    group->fd = nflog_fd(group->handle);
    flags = fcntl(group->fd, F_GETFL);
    if (flags < 0 || fcntl(group->fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(group->fd, F_SETFD, FD_CLOEXEC) < 0 ||
        setsockopt(group->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0 ||
        connect(group->fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return error_errno(error, errno, "cannot prepare the netlink socket");
    size_buffer(group, group->options.buffer_bytes);
    return 0;
}

static int make_places(struct nflog_group *group, struct error *error)
{
    size_t one_bytes = max_u64(collected_bytes(&group->options), group->options.copy_bytes + around_packet_bytes);

    one_bytes = align_up(max_u64(one_bytes, message_bytes_usual), cache_line);
    group->buffers = malloc(nflog_batch * one_bytes);
    if (group->buffers == NULL)
        return error_set(error, "out of memory");
    for (unsigned i = 0; i < nflog_batch; i++) {
        group->places[i] = (struct iovec){group->buffers + i * one_bytes, one_bytes};
        group->messages[i].msg_hdr = (struct msghdr){.msg_iov = &group->places[i], .msg_iovlen = 1};
    }
    return 0;
}

struct nflog_group *nflog_group_open(const struct nflog_options *options,
                                     void (*frame)(void *context, const struct frame *frame), void *context,
                                     struct error *error)
{
    struct nflog_group *group = calloc(1, sizeof(*group));

    if (group == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    group->options = *options;
    if (options->copy_bytes == 0 || options->copy_bytes > copy_bytes_max)
        group->options.copy_bytes = copy_bytes_max;
    group->reader = (struct nflog_reader){.frame = frame, .context = context};
    group->handle = nflog_open();
    if (group->handle == NULL) {
        error_errno(error, errno, "cannot open a netlink socket for NFLOG");
    } else if (prepare_socket(group, error) == 0 && make_places(group, error) == 0 && bind_group(group, error) == 0) {
        return group;
    }
    nflog_group_close(group);
    return NULL;
}

void nflog_group_close(struct nflog_group *group)
{
    if (group == NULL)
        return;
    if (group->handle != NULL)
        nflog_close(group->handle);
    free(group->buffers);
    free(group);
}

int nflog_group_fd(const struct nflog_group *group)
{
    return group->fd;
}

/* Packets are missing: twice the room from now on. Those that were dropped before the last time are no reason. */
static void grow(struct nflog_group *group)
{
    uint32_t drops = kernel_drops(group);

    if (drops == group->drops_grown)
        return;
    group->drops_grown = drops;
    group->overflows++;
    if (group->buffer_bytes < nflog_buffer_bytes_max)
        size_buffer(group, min_u64(2 * group->buffer_bytes, nflog_buffer_bytes_max));
}

int nflog_group_receive(struct nflog_group *group)
{
    bool several = group->options.threshold > 1;
    uint32_t drops = several ? kernel_drops(group) : 0; /* before: what is found empty then was queued by then */
    int count = recvmmsg(group->fd, group->messages, nflog_batch, MSG_DONTWAIT, NULL);
    uint64_t lost = group->reader.lost;
    int64_t now_ns;

    if (count < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        return -1;
    count = count < 0 ? 0 : count;
    if (count > 0) {
        group->drops_told = group->drops_empty;
        group->lost_told = group->lost_empty;
        now_ns = time_wall_ns();
        for (int i = 0; i < count; i++)
            nflog_message_read(&group->reader, group->places[i].iov_base, group->messages[i].msg_len, now_ns);
    }
    if (several && count < nflog_batch) {
        group->drops_empty = drops;
        group->lost_empty = group->reader.lost;
    }
    if (group->reader.lost > lost)
        grow(group);
    return count;
}

uint64_t nflog_group_final_lost(struct nflog_group *group, bool *exact)
{
    uint32_t drops = kernel_drops(group);
    uint64_t threshold = max_u64(group->options.threshold, 1), most;

    *exact = true;
    if (threshold == 1) {
        most = drops > group->reader.lost ? drops - group->reader.lost : 0;
    } else {
        most = (uint64_t)(uint32_t)(drops - group->drops_told) * threshold;
        most -= min_u64(most, group->reader.lost - group->lost_told);
        *exact = most == 0;
    }
    if (most > 0 && drops != group->drops_grown)
        group->overflows++;
    group->drops_grown = drops;
    group->reader.lost += most;
    group->drops_told = group->drops_empty = drops;
    group->lost_told = group->lost_empty = group->reader.lost;
    return most;
}

struct nflog_counts nflog_group_counts(const struct nflog_group *group)
{
    return (struct nflog_counts){.frames = group->reader.frames,
                                 .lost = group->reader.lost,
                                 .malformed = group->reader.malformed,
                                 .overflows = group->overflows,
                                 .buffer_bytes = group->buffer_bytes};
}
