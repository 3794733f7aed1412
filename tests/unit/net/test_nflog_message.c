/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as the kernel makes them, built by hand: every kind of table, cut, padded, broken, and random octets. */
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdlib.h>

#include "lib/tap.h"
#include "net/nflog_message.h"

#define room_bytes 4096
#define now_ns INT64_C(1700000000000000000)

/* -- a writer -- */

static uint8_t room[room_bytes];
static size_t used, message_at;

static void put(const void *bytes, size_t size)
{
    memcpy(room + used, bytes, size);
    used += size;
    while (used % 4 != 0)
        room[used++] = 0;
}

static void attribute(uint16_t type, const void *bytes, uint16_t size)
{
    struct nlattr header = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};

    put(&header, sizeof(header));
    put(bytes, size);
}

static void attribute_u16(uint16_t type, uint16_t value)
{
    value = host_be16(value);
    attribute(type, &value, sizeof(value));
}

static void attribute_u32(uint16_t type, uint32_t value)
{
    value = host_be32(value);
    attribute(type, &value, sizeof(value));
}

static void begin(uint16_t type, uint8_t family)
{
    struct nlmsghdr header = {.nlmsg_type = type};
    uint8_t about[4] = {family, 0, 0, 7};

    message_at = used;
    put(&header, sizeof(header));
    put(about, sizeof(about));
}

static void end(void)
{
    store_u32(room + message_at, (uint32_t)(used - message_at));
}

static void begin_packet(uint8_t family, uint16_t etype, uint8_t hook)
{
    uint8_t header[4] = {(uint8_t)(etype >> 8), (uint8_t)etype, hook, 0};

    begin((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET, family);
    attribute(NFULA_PACKET_HDR, header, sizeof(header));
}

/* -- a taker -- */

static struct frame frames[16];
static uint8_t bytes_of[16][256];
static unsigned count;

static void take(void *context, const struct frame *frame)
{
    (void)context;
    if (count < 16) {
        frames[count] = *frame;
        memcpy(bytes_of[count], frame->bytes, frame->captured < 256 ? frame->captured : 256);
    }
    count++;
}

static struct nflog_reader fresh(void)
{
    count = 0;
    return (struct nflog_reader){.frame = take};
}

/* In memory of its own, so that the sanitizer sees each octet too far. */
static void read_all(struct nflog_reader *reader)
{
    uint8_t *copy = malloc(used > 0 ? used : 1);

    memcpy(copy, room, used);
    nflog_message_read(reader, copy, used, now_ns);
    free(copy);
}

static const uint8_t ipv4[] = {0x45, 0, 0x05, 0xdc, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
                               0x14, 0xb4, 0, 53, 5, 200, 0, 0, 1};
static const uint8_t ipv6[] = {0x60, 0, 0, 0, 0x01, 0x00, 17, 64, 0xfd, 9, 0, 0, 0, 0, 0, 0};
static const uint8_t ethernet[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0};

static void test_input(void)
{
    struct nflog_reader reader = fresh();
    uint64_t time[2] = {host_be64(1600000000), host_be64(250001)};
    uint8_t stray[14];

    memcpy(stray, ethernet, sizeof(stray));
    stray[12] = 0x81; /* of a tag that was taken off: not to be believed */
    used = 0;
    begin_packet(AF_INET, 0x0800, NF_INET_LOCAL_IN);
    attribute(NFULA_PREFIX, "in: ", 5);
    attribute_u32(NFULA_IFINDEX_INDEV, 3);
    attribute_u32(NFULA_MARK, 99);
    attribute_u16(NFULA_HWTYPE, ARPHRD_ETHER);
    attribute_u16(NFULA_HWLEN, 14);
    attribute(NFULA_HWHEADER, stray, sizeof(stray));
    attribute(NFULA_TIMESTAMP, time, sizeof(time));
    attribute_u32(NFULA_SEQ, 0);
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    read_all(&reader);
    is_u64(count, 1, "a packet of hook input is a frame");
    is_u64(frames[0].link, 1, "it begins with an Ethernet header");
    is_u64(frames[0].captured, sizeof(ipv4) + 14, "which is in the captured length");
    is_u64(frames[0].length, 1500 + 14, "the whole length is the IP header's and the Ethernet header's");
    ok(memcmp(bytes_of[0], ethernet, 14) == 0, "addresses are the hardware header's, the EtherType is netfilter's");
    ok(memcmp(bytes_of[0] + 14, ipv4, sizeof(ipv4)) == 0, "the packet follows");
    is_u64(frames[0].direction, FRAME_IN, "the direction is in");
    is_u64(frames[0].in_iface, 3, "the device is told");
    is_u64(frames[0].out_iface, 0, "there is no other one");
    ok(frames[0].when_ns == INT64_C(1600000000250001000), "the time is the kernel's");
    is_u64(reader.lost + reader.malformed, 0, "nothing is missing");
}

static void test_others(void)
{
    struct nflog_reader reader = fresh();
    static const uint8_t arp[] = {0, 1, 8, 0, 6, 4, 0, 1};

    used = 0;
    begin_packet(AF_INET6, 0x86dd, NF_INET_LOCAL_OUT);
    attribute_u32(NFULA_IFINDEX_OUTDEV, 4);
    attribute(NFULA_PAYLOAD, ipv6, sizeof(ipv6));
    end();
    begin_packet(AF_INET, 0x0800, NF_INET_FORWARD);
    attribute_u32(NFULA_IFINDEX_INDEV, 3);
    attribute_u32(NFULA_IFINDEX_OUTDEV, 4);
    attribute_u16(NFULA_HWTYPE, ARPHRD_PPP);
    attribute_u16(NFULA_HWLEN, 14);
    attribute(NFULA_HWHEADER, ethernet, sizeof(ethernet));
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    begin_packet(NFPROTO_ARP, 0x0806, 0);
    attribute(NFULA_PAYLOAD, arp, sizeof(arp));
    end();
    begin(NLMSG_DONE, 0);
    end();
    read_all(&reader);
    is_u64(count, 3, "three messages are three frames, the end of several is none");
    is_u64(frames[0].link, 101, "what the host sends has no link header");
    is_u64(frames[0].direction, FRAME_OUT, "the direction is out");
    is_u64(frames[0].length, 40 + 256, "IPv6 tells the length without its header");
    ok(frames[0].when_ns == now_ns, "without a time it is now");
    is_u64(frames[1].link, 101, "a hardware header of something else than Ethernet is left out");
    is_u64(frames[1].direction, FRAME_UNKNOWN, "what is forwarded is neither in nor out");
    is_u64(frames[1].in_iface * 10 + frames[1].out_iface, 34, "it has both devices");
    is_u64(frames[2].link, 1, "ARP gets an Ethernet header");
    ok(bytes_of[2][12] == 8 && bytes_of[2][13] == 6, "for the sake of its EtherType");
}

static void put_link(bool tag)
{
    attribute_u16(NFULA_HWTYPE, ARPHRD_ETHER);
    if (tag) {
        struct nlattr header = {.nla_len = NLA_HDRLEN + 16, .nla_type = NFULA_VLAN | NLA_F_NESTED};

        put(&header, sizeof(header));
        attribute_u16(NFULA_VLAN_TCI, 0x6005);
        attribute_u16(NFULA_VLAN_PROTO, 0x8100);
    }
    attribute(NFULA_L2HDR, ethernet, sizeof(ethernet));
}

static void test_link_header(void)
{
    struct nflog_reader reader = fresh();
    uint8_t whole[14 + sizeof(ipv4)], inner[4 + sizeof(ipv4)] = {0x60, 0x05, 0x08, 0x00};

    memcpy(whole, ethernet, 14);
    memcpy(whole + 14, ipv4, sizeof(ipv4));
    memcpy(inner + 4, ipv4, sizeof(ipv4));
    used = 0;
    begin_packet(NFPROTO_BRIDGE, 0x0800, NF_INET_FORWARD);
    put_link(true);
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    begin_packet(NFPROTO_NETDEV, 0x0800, NF_NETDEV_EGRESS);
    put_link(false);
    attribute(NFULA_PAYLOAD, whole, sizeof(whole));
    end();
    begin_packet(NFPROTO_BRIDGE, 0x8100, NF_INET_FORWARD);
    put_link(false);
    attribute(NFULA_PAYLOAD, inner, sizeof(inner));
    end();
    read_all(&reader);
    is_u64(count, 3, "bridge and netdev: three frames");
    ok(memcmp(bytes_of[0], ethernet, 12) == 0 && memcmp(bytes_of[0] + 12, "\x81\x00\x60\x05\x08\x00", 6) == 0,
       "a tag that the device took out stands in its place again");
    is_u64(frames[0].captured, sizeof(ipv4) + 18, "and is in the length");
    is_u64(frames[1].captured, sizeof(whole), "on the way out the link header is not doubled");
    ok(memcmp(bytes_of[1], whole, sizeof(whole)) == 0, "and the frame is as it was");
    is_u64(frames[2].length, 14 + 4 + 1500, "the length is found behind a tag in the packet");
}

static void test_sequence(void)
{
    static const uint32_t numbers[] = {2, 3, 3, 10, UINT32_MAX};
    struct nflog_reader reader = fresh();

    used = 0;
    for (unsigned i = 0; i < array_length(numbers); i++) {
        begin_packet(AF_INET, 0x0800, 0);
        attribute_u32(NFULA_SEQ, numbers[i]);
        attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
        end();
    }
    read_all(&reader);
    is_u64(reader.lost, 2 + 6, "gaps count from the first number on; one that lies behind is no gap");
    reader = (struct nflog_reader){.frame = take, .expected = UINT32_MAX - 1};
    used = 0;
    begin_packet(AF_INET, 0x0800, 0);
    attribute_u32(NFULA_SEQ, 1);
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    read_all(&reader);
    is_u64(reader.lost, 3, "the numbers go round");
}

static void test_broken(void)
{
    struct nflog_reader reader = fresh();
    size_t whole;

    used = 0;
    begin_packet(AF_INET, 0x0800, 0);
    end();
    read_all(&reader);
    is_u64(reader.malformed, 1, "a message without a packet is counted");
    used = 0;
    begin_packet(AF_INET, 0x0800, NF_INET_LOCAL_IN);
    put_link(true);
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    whole = used;
    reader = fresh();
    for (used = 0; used < whole - 3; used++) /* the last three are padding */
        read_all(&reader);
    is_u64(count, 0, "a message that was cut gives no frame");
    is_u64(reader.malformed, whole - 3 - NLMSG_HDRLEN, "and is counted");
    reader = fresh();
    used = 0;
    begin_packet(AF_INET, 0x0800, 0);
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    memcpy(room + 20, &(uint16_t){3}, 2); /* the length of the first attribute: less than its header */
    read_all(&reader);
    is_u64(reader.malformed, 1, "an attribute shorter than its header ends the message");
    is_u64(count, 0, "without a frame");
    reader = fresh();
    used = 0;
    begin_packet(AF_INET, 0x0800, 0);
    attribute(NFULA_PAYLOAD, ipv4, 0);
    end();
    read_all(&reader);
    is_u64(frames[0].length, 0, "an empty packet is an empty frame");
}

/* A good message with some octets changed, 200 000 times: the sanitizers are the judge, and frames stay within. */
static void test_random(void)
{
    struct nflog_reader reader = fresh();
    uint8_t good[room_bytes];
    uint64_t state = 88172645463325252u;
    size_t size;

    used = 0;
    begin_packet(NFPROTO_NETDEV, 0x0800, NF_NETDEV_EGRESS);
    put_link(true);
    attribute_u32(NFULA_SEQ, 1);
    attribute(NFULA_PAYLOAD, ipv4, sizeof(ipv4));
    end();
    begin_packet(AF_INET6, 0x86dd, 1);
    attribute(NFULA_PAYLOAD, ipv6, sizeof(ipv6));
    end();
    size = used;
    memcpy(good, room, size);
    for (unsigned i = 0; i < 200000; i++) {
        memcpy(room, good, size);
        for (unsigned j = 0; j < 4; j++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            room[state % size] = (uint8_t)(state >> 32);
        }
        used = size - (state >> 40) % 5;
        count = 0;
        read_all(&reader);
    }
    ok(reader.frames > 0 && reader.malformed > 0, "200 000 messages with wrong octets are read or refused");
}

int main(void)
{
    test_input();
    test_others();
    test_link_header();
    test_sequence();
    test_broken();
    test_random();
    return done_testing();
}
