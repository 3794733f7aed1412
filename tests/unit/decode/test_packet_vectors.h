/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames built octet by octet for the tests of the packet decoder, and what each must decode to, as text: the verdict,
 * then every field that must be present and no other. `wants` is everything unless the vector says otherwise.
 */
#ifndef TESTS_PACKET_VECTORS_H
#define TESTS_PACKET_VECTORS_H

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "decode/packet/packet.h"

#define frame_max 512

struct octets {
    uint8_t bytes[frame_max];
    size_t size;
};

static inline void put8(struct octets *f, unsigned value)
{
    if (f->size < frame_max)
        f->bytes[f->size++] = (uint8_t)value;
}

static inline void put16(struct octets *f, unsigned value)
{
    put8(f, value >> 8);
    put8(f, value & 255);
}

static inline void put32(struct octets *f, uint32_t value)
{
    put16(f, value >> 16);
    put16(f, value & 0xffff);
}

/* Octets in hexadecimal, blanks ignored. */
static inline void put_hex(struct octets *f, const char *text)
{
    unsigned digit, value = 0, count = 0;

    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        digit = (unsigned)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
        value = value << 4 | digit;
        if (++count % 2 == 0) {
            put8(f, value & 255);
            value = 0;
        }
    }
}

static inline void put_ethernet(struct octets *f, unsigned type)
{
    put_hex(f, "02000000000b 02000000000a");
    put16(f, type);
}

static inline void put_inner_ethernet(struct octets *f, unsigned type)
{
    put_hex(f, "0600000000bb 0600000000aa");
    put16(f, type);
}

/* Twenty octets, ToS 0xb8; 10.0.0.1 to 10.0.0.2 (inner: 192.168.7.1 to 192.168.7.2, ToS 0x20). */
static inline void put_ipv4(struct octets *f, unsigned proto, unsigned payload_bytes, unsigned fragment, bool inner)
{
    const size_t start = f->size;
    uint32_t sum = 0;

    put16(f, inner ? 0x4520 : 0x45b8);
    put16(f, 20 + payload_bytes);
    put16(f, 0x1234);
    put16(f, fragment);
    put16(f, 64 << 8 | proto);
    put16(f, 0);
    put32(f, inner ? 0xc0a80701 : 0x0a000001);
    put32(f, inner ? 0xc0a80702 : 0x0a000002);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)f->bytes[start + i] << 8 | f->bytes[start + i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    f->bytes[start + 10] = (uint8_t)(sum >> 8);
    f->bytes[start + 11] = (uint8_t)sum;
}

/* Forty octets, class 0xb8, label 0xabcde; 2001:db8::1 to ::2 (inner: fd00::1 to ::2, class 0x20, label 0x12345). */
static inline void put_ipv6(struct octets *f, unsigned next, unsigned payload_bytes, bool inner)
{
    put32(f, inner ? 0x62012345 : 0x6b8abcde);
    put16(f, payload_bytes);
    put16(f, next << 8 | 64);
    for (unsigned last = 1; last <= 2; last++) {
        put_hex(f, inner ? "fd000000 00000000 00000000" : "20010db8 00000000 00000000");
        put32(f, last);
    }
}

/* Eight octets and eight of payload that must not be taken for ports. */
static inline void put_udp(struct octets *f, unsigned source, unsigned destination)
{
    put16(f, source);
    put16(f, destination);
    put16(f, 16);
    put16(f, 0);
    put_hex(f, "3039 3039 3039 3039");
}

/* A UDP header only, for tunnels. */
static inline void put_udp_header(struct octets *f, unsigned destination, unsigned payload_bytes)
{
    put16(f, 50000);
    put16(f, destination);
    put16(f, 8 + payload_bytes);
    put16(f, 0);
}

static inline void put_tcp(struct octets *f, unsigned flags)
{
    put16(f, 40000);
    put16(f, 443);
    put32(f, 1);
    put32(f, 2);
    put16(f, 0x5000 | flags);
    put16(f, 1024);
    put32(f, 0);
}

/* An inner IPv4 packet of 36 octets, UDP 5353 to 53, with or without its Ethernet header (then 50). */
static inline void put_inner_ipv4(struct octets *f)
{
    put_ipv4(f, 17, 16, 0, true);
    put_udp(f, 5353, 53);
}

static inline void put_inner_frame(struct octets *f)
{
    put_inner_ethernet(f, 0x0800);
    put_inner_ipv4(f);
}

/* What nearly every vector ends with: IPv4 and UDP 1111 to 2222, 36 octets. */
static inline void put_plain(struct octets *f)
{
    put_ipv4(f, 17, 16, 0, false);
    put_udp(f, 1111, 2222);
}

#define MACS " src_mac=2000000000a dst_mac=2000000000b"
#define HOSTS4 " src_host=10.0.0.1 dst_host=10.0.0.2"
#define HOSTS6 " src_host=2001:db8::1 dst_host=2001:db8::2"
#define PLAIN HOSTS4 " proto=17 tos=184 src_port=1111 dst_port=2222"
#define PLAIN6 HOSTS6 " proto=17 tos=184 src_port=1111 dst_port=2222"
#define LABEL " flow_label=703710"
#define INNER_MACS " tunnel_src_mac=600000000aa tunnel_dst_mac=600000000bb"
#define INNER " tunnel_src_host=192.168.7.1 tunnel_dst_host=192.168.7.2 tunnel_proto=17 tunnel_tos=32" \
              " tunnel_src_port=5353 tunnel_dst_port=53"

struct vector {
    const char *name;
    enum packet_link link;
    void (*build)(struct octets *f);
    const char *want;
    const char *info; /* "" when it does not matter */
};

/* Values as text, one function per kind of member. */
static inline int dump_number(char *out, size_t room, const char *name, const char *type, uint64_t value)
{
    const bool hexadecimal = strcmp(type, "MAC") == 0 || strcmp(type, "ETHERTYPE") == 0;

    return snprintf(out, room, hexadecimal ? " %s=%" PRIx64 : " %s=%" PRIu64, name, value);
}

static inline int dump_real(char *out, size_t room, const char *name, const char *type, double value)
{
    (void)type;
    return snprintf(out, room, " %s=%g", name, value);
}

static inline int dump_span(char *out, size_t room, const char *name, const char *type, struct span value)
{
    (void)type;
    return snprintf(out, room, " %s=%.*s", name, (int)value.length, value.data);
}

static inline int dump_address(char *out, size_t room, const char *name, const char *type, struct address value)
{
    char text[INET6_ADDRSTRLEN];

    (void)type;
    if (address_is_ipv4(&value))
        inet_ntop(AF_INET, value.bytes + 12, text, sizeof(text));
    else
        inet_ntop(AF_INET6, value.bytes, text, sizeof(text));
    return snprintf(out, room, " %s=%s", name, text);
}

/* Every present field of the flow, in the order of fields.def; `only` limits it to a set, NULL is all. */
static inline void dump_flow(const struct flow *flow, const struct field_set *only, char *out, size_t room)
{
    size_t used = 0;

    out[0] = '\0';
#define FIELD(id, member, keyword, json, title, sql, width, type, ...)                                            \
    if (flow_has(flow, FIELD_##id) && (only == NULL || field_set_has(only, FIELD_##id)) && used < room)             \
        used += (size_t)_Generic(flow->member, struct address: dump_address, struct span: dump_span,                \
                                 double: dump_real, default: dump_number)(out + used, room - used, #member, #type,  \
                                                                          flow->member);
#include "flow/fields.def"
#undef FIELD
}

static inline struct field_set all_fields(void)
{
    struct field_set set;

    memset(&set, 0xff, sizeof(set));
    return set;
}

#endif
