/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes packets whose sums are known: the same options and seed give the same octets everywhere. Writes a capture file
 * (--out) or sends the frames through an interface (--send), and tells what an exact meter must print for the 5-tuple
 * (--expect), with the length that the IP header tells as bytes.
 *
 * Frames are Ethernet, some with a VLAN tag (decided by key, so that a flow has one or never), IPv4 and IPv6, TCP and
 * UDP. Lengths are as on a usual link: many small, some of half a kilobyte, few full ones. Frames of less than 60
 * octets are padded, as Ethernet does, so that the frame's length is not the packet's.
 *
 * To send, everything is made before the first frame goes out, then sent --rounds times: a packet socket that goes past
 * the queueing discipline, 64 frames to a system call (a mapped ring was tried and is no faster). What is told as sent
 * has been taken by the kernel; what the interface dropped of it (its own count) is told beside it.
 *
 * With --train packets of a flow come several in a row, of one length, as bulk transfers do. They are then handed over
 * as one large packet that the kernel cuts, which costs it half as much. The interface must not take large packets
 * itself (ethtool -K INTERFACE tso off gso off tx-udp-segmentation off), else they arrive uncut at its other end.
 */
#include "traffic.h"

#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    frame_min = 60,
    ip_max = 1500,
    frame_max = 18 + ip_max,
    train_max = 64,
    train_bytes_max = 64000,
    cut_udp = 5, /* VIRTIO_NET_HDR_GSO_UDP_L4 of Linux 6.2, for older headers */
    batches_per_second = 5000 /* with a pace: small batches keep the stream even */
};

struct options {
    uint64_t packets, rounds;
    uint32_t vlan_percent, snaplen, longest, train;
    bool numeric;
    const char *out, *expect, *interface;
};

struct frame { /* one packet; a train is this frame so many times, which `payload` tells how to cut */
    uint32_t size, ip, transport, payload; /* octets, and offsets in it */
    bool ipv6, tcp;
};

struct made { /* to be sent in one go */
    uint64_t offset; /* in the pool */
    uint32_t size, packets;
    struct virtio_net_hdr cut; /* how the kernel makes the packets of a train */
};

struct generator {
    struct options options;
    struct keys keys;
    FILE *capture;
    uint64_t bytes; /* of IP, made */
    uint8_t *pool;
    size_t pool_used, pool_room;
    struct made *list;
    uint64_t made; /* entries of the list */
    int socket;
    uint64_t pace; /* packets per second, 0: as fast as it goes */
    struct timespec started;
};

/* ---- frames ---- */

/* Of 12 packets 7 are small, 4 of medium size, 1 is large. */
static uint32_t length_draw(const struct generator *g, const struct key *key, uint64_t noise)
{
    uint32_t least = (key->ipv6 ? 40 : 20) + (key->protocol == 6 ? 20 : 8);
    const uint32_t kind = (uint32_t)(noise & 0xffff) % 12, some = (uint32_t)(noise >> 16 & 0xffff);
    uint32_t length = kind < 7 ? least + some % 80 : kind < 11 ? 500 + some % 151 : 1300 + some % 201;

    if (length > g->options.longest)
        length = g->options.longest;
    if (g->options.train > 1) { /* something to cut, and no more than a packet's length field can say before */
        least++;
        if (length > train_bytes_max / g->options.train)
            length = train_bytes_max / g->options.train;
    }
    return length < least ? least : length;
}

static uint8_t *put_ethernet(uint8_t *at, uint32_t number_of_key, uint32_t vlan_percent, bool ipv6)
{
    const uint64_t bits = mix(number_of_key + UINT64_C(0x5bd1e995));

    at = put64(at, UINT64_C(0x02000000000a0200)); /* locally administered addresses */
    at = put32(at, 0x0000000b);
    if (bits % 100 < vlan_percent)
        at = put16(put16(at, 0x8100), 100 + (uint32_t)(bits >> 8 & 15));
    return put16(at, ipv6 ? 0x86dd : 0x0800);
}

static uint8_t *put_ipv6(uint8_t *at, const struct key *key, uint32_t length)
{
    at = put32(at, 0x60000000);
    at = put16(at, length - 40);
    *at++ = key->protocol;
    *at++ = 64;
    return put_octets(put_octets(at, key->source, 16), key->destination, 16);
}

static uint8_t *put_transport(uint8_t *at, const struct key *key, uint32_t length, uint64_t noise)
{
    at = put16(put16(at, key->source_port), key->destination_port);
    if (key->protocol == 17)
        return put16(put16(at, length), key->ipv6 ? 0xffff : 0); /* IPv6 allows no 0, RFC 8200 section 8.1 */
    at = put32(put32(at, (uint32_t)noise), (uint32_t)(noise >> 32)); /* sequence, acknowledgement */
    at = put16(at, 0x5010 | (noise >> 60 == 0 ? 8 : 0));               /* 20 octets, ACK, sometimes PSH */
    return put32(put16(at, 65535), 0);                                 /* window, no checksum, no urgent data */
}

/* Makes one frame of `number_of_key` at `octets`, which has room for frame_max. It stands for `packets` of them. */
static struct frame make_frame(struct generator *g, uint8_t *octets, uint32_t number_of_key, uint32_t packets)
{
    const uint64_t noise = next_random(&g->keys);
    struct frame frame;
    struct key key;
    uint32_t length;
    uint8_t *at;

    key_make(&g->keys, number_of_key, &key);
    length = length_draw(g, &key, noise);
    at = put_ethernet(octets, number_of_key, g->options.vlan_percent, key.ipv6);
    frame = (struct frame){.ip = (uint32_t)(at - octets), .ipv6 = key.ipv6, .tcp = key.protocol == 6};
    frame.size = frame.ip + length;
    if (key.ipv6)
        at = put_ipv6(at, &key, length);
    else
        at = put_ipv4(at, key.source, key.destination, key.protocol, length);
    frame.transport = (uint32_t)(at - octets);
    at = put_transport(at, &key, length - (frame.transport - frame.ip), noise);
    frame.payload = (uint32_t)(at - octets);
    memset(at, 0, frame_max - frame.payload);
    keys_tally(&g->keys, number_of_key, packets, (uint64_t)packets * length);
    g->bytes += (uint64_t)packets * length;
    return frame;
}

/* How many packets the next train has, when so many were made. */
static uint32_t train_length(const struct generator *g, uint64_t made)
{
    const uint64_t left = g->options.packets - made;

    return left < g->options.train ? (uint32_t)left : g->options.train;
}

/* ---- files ---- */

static void write_all(struct generator *g)
{
    static uint8_t frame[frame_max];

    g->capture = capture_open(g->options.out);
    for (uint64_t i = 0; i < g->options.packets;) {
        const uint32_t packets = train_length(g, i);
        const struct frame made = make_frame(g, frame, keys_draw(&g->keys), packets);
        const uint32_t size = made.size < frame_min ? frame_min : made.size;
        const uint32_t there = size < g->options.snaplen ? size : g->options.snaplen;

        for (uint32_t end = packets; end > 0; end--, i++) {
            const uint32_t record[4] = {(uint32_t)(capture_start_s + (int64_t)(i / 1000000)), (uint32_t)(i % 1000000),
                                        there, size};

            fwrite(record, sizeof(record), 1, g->capture);
            fwrite(frame, there, 1, g->capture);
        }
    }
    if (fflush(g->capture) != 0 || ferror(g->capture))
        die(g->options.out);
}

/* ---- sending ---- */

static uint8_t *pool_room(struct generator *g)
{
    if (g->pool_used + train_bytes_max + frame_max > g->pool_room) {
        g->pool_room = g->pool_room * 2 + (1 << 20);
        g->pool = realloc(g->pool, g->pool_room);
        if (g->pool == NULL)
            die("out of memory");
    }
    return g->pool + g->pool_used;
}

/*
 * Makes the frame one large packet of so many payloads, and says how it is to be cut. What the lengths in the headers
 * become when it is cut is what they were in the one frame.
 */
static void couple(struct made *made, uint8_t *octets, const struct frame *frame, uint32_t packets)
{
    const uint32_t payload = frame->size - frame->payload, more = payload * (packets - 1);

    memset(octets + frame->size, 0, more);
    made->size = frame->size + more;
    if (frame->ipv6) {
        put16(octets + frame->ip + 4, made->size - frame->ip - 40);
    } else {
        put16(octets + frame->ip + 2, made->size - frame->ip);
        put16(octets + frame->ip + 10, 0);
        put16(octets + frame->ip + 10, ip_checksum(octets + frame->ip, 20));
    }
    if (!frame->tcp)
        put16(octets + frame->transport + 4, made->size - frame->transport);
    made->cut = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = !frame->tcp   ? cut_udp
                    : frame->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                  : VIRTIO_NET_HDR_GSO_TCPV4,
        .hdr_len = (uint16_t)frame->payload,
        .gso_size = (uint16_t)payload,
        .csum_start = (uint16_t)frame->transport,
        .csum_offset = frame->tcp ? 16 : 6,
    };
}

static void make_all(struct generator *g)
{
    g->list = calloc(g->options.packets, sizeof(*g->list));
    if (g->list == NULL)
        die("out of memory");
    for (uint64_t i = 0; i < g->options.packets; g->made++) {
        uint8_t *octets = pool_room(g);
        const uint32_t packets = train_length(g, i);
        const struct frame frame = make_frame(g, octets, keys_draw(&g->keys), packets);
        struct made *made = &g->list[g->made];

        *made = (struct made){.offset = g->pool_used, .packets = packets, .size = frame.size};
        if (packets > 1)
            couple(made, octets, &frame, packets);
        else if (frame.size < frame_min)
            made->size = frame_min;
        g->pool_used += made->size;
        i += packets;
    }
}

static void open_interface(struct generator *g)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(g->options.interface)};
    int one = 1, size = 16 << 20;

    if (to.sll_ifindex == 0)
        die(g->options.interface);
    g->socket = socket(AF_PACKET, SOCK_RAW, 0); /* protocol 0: it receives nothing */
    if (g->socket < 0 || bind(g->socket, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("cannot open a packet socket");
    if (setsockopt(g->socket, SOL_PACKET, g->options.train > 1 ? PACKET_VNET_HDR : PACKET_QDISC_BYPASS, &one,
                   sizeof(one)) < 0)
        die("cannot set up the packet socket");
    if (setsockopt(g->socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(g->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* What the interface has dropped while sending, as /proc/net/dev of this network namespace tells it. */
static uint64_t interface_drops(const char *interface)
{
    FILE *file = fopen("/proc/thread-self/net/dev", "r");
    char line[512], name[64];
    uint64_t drops = 0, found;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, " %63[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name, &found) == 2 &&
            strcmp(name, interface) == 0)
            drops = found;
    if (file != NULL)
        fclose(file);
    return drops;
}

static unsigned batch_limit(const struct generator *g)
{
    const uint64_t limit = g->pace / g->options.train / batches_per_second;

    return g->pace == 0 || limit > batch_size ? batch_size : limit == 0 ? 1 : (unsigned)limit;
}

static uint64_t send_all(struct generator *g)
{
    struct sender sender = {.socket = g->socket, .pace = g->pace};
    static struct mmsghdr messages[batch_size];
    static struct iovec parts[batch_size][2];
    const unsigned limit = batch_limit(g);
    const bool trains = g->options.train > 1;
    uint64_t sent = 0;
    unsigned used = 0;

    for (unsigned i = 0; i < batch_size; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i][!trains], .msg_iovlen = 1 + trains};
    prctl(PR_SET_TIMERSLACK, 1);
    clock_gettime(CLOCK_MONOTONIC, &sender.started);
    for (uint64_t round = 0; round < g->options.rounds; round++) {
        for (uint64_t i = 0; i < g->made; i++) {
            struct made *made = &g->list[i];

            parts[used][0] = (struct iovec){&made->cut, sizeof(made->cut)};
            parts[used++][1] = (struct iovec){g->pool + made->offset, made->size};
            sent += made->packets;
            if (used == limit || i + 1 == g->made) {
                sender_send(&sender, messages, used);
                used = 0;
                sender_pace(&sender, sent);
            }
        }
    }
    g->started = sender.started;
    return sent;
}

/* ---- options ---- */

static void usage(FILE *to)
{
    fputs("usage: generate_packets [--out FILE.pcap] [--send INTERFACE [--rate PACKETS_PER_SECOND] [--rounds N]]\n"
          "                        [--expect FILE.csv]\n"
          "  --packets N         default 100000\n"
          "  --keys K            different 5-tuples to draw from, default 1000, at most 16777216\n"
          "  --in-turn           one key after the other instead of at random: N = K means each once\n"
          "  --zipf EXPONENT     a few keys have most of the traffic; default: all alike\n"
          "  --seed S            default 1\n"
          "  --numeric           --expect writes protocol numbers\n"
          "  --ipv6 PERCENT      of the keys, default 30\n"
          "  --vlan PERCENT      of the keys, default 50\n"
          "  --snaplen S         octets of a frame in the capture file, default 128\n"
          "  --longest L         of a packet, with its IP header, default 1500\n"
          "  --train N           packets of a flow in a row, of one length, default 1, at most 64\n"
          "  --rounds N          sends everything N times; --expect tells the sum\n",
          to);
}

static void options_parse(struct generator *g, int argc, char **argv)
{
    static const struct option table[] = {
        {"out", required_argument, NULL, 'o'},     {"send", required_argument, NULL, 'i'},
        {"rate", required_argument, NULL, 'p'},    {"expect", required_argument, NULL, 'e'},
        {"packets", required_argument, NULL, 'n'}, {"keys", required_argument, NULL, 'k'},
        {"zipf", required_argument, NULL, 'z'},    {"seed", required_argument, NULL, 's'},
        {"numeric", no_argument, NULL, 'N'},       {"ipv6", required_argument, NULL, '6'},
        {"vlan", required_argument, NULL, 'V'},    {"snaplen", required_argument, NULL, 'S'},
        {"longest", required_argument, NULL, 'L'}, {"rounds", required_argument, NULL, 'R'},
        {"train", required_argument, NULL, 'T'},   {"in-turn", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    struct options *options = &g->options;
    struct keys *keys = &g->keys;
    int option;

    *options = (struct options){.packets = 100000, .rounds = 1, .vlan_percent = 50, .snaplen = 128, .longest = ip_max,
                                .train = 1};
    *keys = (struct keys){.count = 1000, .seed = 1, .ipv6_percent = 30};
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        switch (option) {
        case 'o': options->out = optarg; break;
        case 'i': options->interface = optarg; break;
        case 'p': g->pace = number(optarg, 0, UINT32_MAX); break;
        case 'e': options->expect = optarg; break;
        case 'n': options->packets = number(optarg, 1, UINT64_C(1) << 40); break;
        case 'k': keys->count = (uint32_t)number(optarg, 1, keys_max); break;
        case 'z': keys->zipf = strtod(optarg, NULL); break;
        case 's': keys->seed = number(optarg, 0, UINT32_MAX); break;
        case 'N': options->numeric = true; break;
        case '6': keys->ipv6_percent = (uint32_t)number(optarg, 0, 100); break;
        case 'V': options->vlan_percent = (uint32_t)number(optarg, 0, 100); break;
        case 'S': options->snaplen = (uint32_t)number(optarg, 14, 65535); break;
        case 'L': options->longest = (uint32_t)number(optarg, 60, ip_max); break;
        case 'R': options->rounds = number(optarg, 1, UINT32_MAX); break;
        case 'T': options->train = (uint32_t)number(optarg, 1, train_max); break;
        case 't': keys->in_turn = true; break;
        case 'h': usage(stdout); exit(0);
        default: usage(stderr); exit(1);
        }
    }
    if (optind != argc || (options->out == NULL) == (options->interface == NULL) ||
        (options->out != NULL && options->rounds > 1)) {
        usage(stderr);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct generator g;
    uint64_t packets, dropped = 0;
    double seconds = 0;

    program_name = "generate_packets";
    options_parse(&g, argc, argv);
    keys_start(&g.keys, g.options.expect != NULL);
    packets = g.options.packets;
    if (g.options.out != NULL) {
        write_all(&g);
    } else {
        open_interface(&g);
        make_all(&g);
        dropped = interface_drops(g.options.interface);
        packets = send_all(&g);
        seconds = seconds_since(&g.started);
        dropped = interface_drops(g.options.interface) - dropped;
    }
    if (g.options.expect != NULL)
        expect_write(&g.keys, g.options.rounds, g.options.numeric, g.options.expect);
    fprintf(stderr, "packets=%" PRIu64 " bytes=%" PRIu64 " interface_dropped=%" PRIu64 " seconds=%.6f\n", packets,
            g.bytes * g.options.rounds, dropped, seconds);
    return 0;
}
