/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses to text and back, masks and socket addresses. The text of an IPv4 address is four look-ups in a table of
 * octets; that of an IPv6 address follows RFC 5952 with the dotted tail where the C library writes one, so that our
 * text and inet_ntop's never differ (a test compares a million of them).
 */
#include "net/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Each octet with the dot behind it; `length` counts the dot. */
struct octet {
    char text[7];
    uint8_t length;
};

#define OCTET(t) {t ".", sizeof(t)}
#define TEN_OCTETS(t)                                                                                        \
    OCTET(t "0"), OCTET(t "1"), OCTET(t "2"), OCTET(t "3"), OCTET(t "4"), OCTET(t "5"), OCTET(t "6"),         \
        OCTET(t "7"), OCTET(t "8"), OCTET(t "9")
#define HUNDRED_OCTETS(t)                                                                                    \
    TEN_OCTETS(t "0"), TEN_OCTETS(t "1"), TEN_OCTETS(t "2"), TEN_OCTETS(t "3"), TEN_OCTETS(t "4"),            \
        TEN_OCTETS(t "5"), TEN_OCTETS(t "6"), TEN_OCTETS(t "7"), TEN_OCTETS(t "8"), TEN_OCTETS(t "9")

static const struct octet octets[256] = {
    TEN_OCTETS(""),    TEN_OCTETS("1"),   TEN_OCTETS("2"),  TEN_OCTETS("3"),  TEN_OCTETS("4"),  TEN_OCTETS("5"),
    TEN_OCTETS("6"),   TEN_OCTETS("7"),   TEN_OCTETS("8"),  TEN_OCTETS("9"),  HUNDRED_OCTETS("1"),
    TEN_OCTETS("20"),  TEN_OCTETS("21"),  TEN_OCTETS("22"), TEN_OCTETS("23"), TEN_OCTETS("24"),
    OCTET("250"),      OCTET("251"),      OCTET("252"),     OCTET("253"),     OCTET("254"),     OCTET("255"),
};

/* Writes up to 17 bytes, of which the last may lie past the text. */
static char *format_ipv4(const uint8_t *bytes, char *out)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct octet *octet = &octets[bytes[i]];
        memcpy(out, octet->text, 4);
        out += octet->length;
    }
    return out - 1;
}

/* The sixteen octets as they were on the wire: without the mark of the two special forms. */
static void unmark(const struct address *a, uint8_t out[16])
{
    struct address marked;

    memcpy(out, a->bytes, 16);
    if (out[0] != 0xff)
        return;
    out[0] = 0;
    address_set_ipv6(&marked, out);
    if (!address_equal(&marked, a))
        out[0] = 0xff;
}

/*
 * The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2). Length 0 when there
 * is none.
 */
static unsigned longest_zero_run(const uint16_t group[8], unsigned *first)
{
    unsigned best = 0, run = 0;

    for (unsigned i = 0; i < 8; i++) {
        run = group[i] == 0 ? run + 1 : 0;
        if (run > best) {
            best = run;
            *first = i + 1 - run;
        }
    }
    return best >= 2 ? best : 0;
}

static char *format_ipv6(const uint8_t bytes[16], char *out)
{
    uint16_t group[8];
    unsigned first = 8, length, end = 8;

    for (unsigned i = 0; i < 8; i++)
        group[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    length = longest_zero_run(group, &first);
    if (length == 0)
        first = 8;
    /* The last 32 bits are dotted after ::ffff: and after a run of exactly six groups. */
    if (first == 0 && (length == 6 || (length == 5 && group[5] == 0xffff)))
        end = 6;
    for (unsigned i = 0; i < end; i++) {
        if (i == first) {
            *out++ = ':';
            i += length - 1;
            if (i + 1 == 8)
                *out++ = ':';
            continue;
        }
        if (i > 0)
            *out++ = ':';
        out = text_hex(out, group[i]);
    }
    if (end == 6) {
        *out++ = ':';
        out = format_ipv4(bytes + 12, out);
    }
    return out;
}

size_t address_format(const struct address *a, char *out)
{
    uint8_t bytes[16];

    if (likely(address_is_ipv4(a)))
        return (size_t)(format_ipv4(a->bytes + 12, out) - out);
    if (address_is_absent(a))
        return 0;
    unmark(a, bytes);
    return (size_t)(format_ipv6(bytes, out) - out);
}

bool address_parse(const char *text, struct address *a)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1) {
        address_set_ipv4(a, bytes);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    address_set_ipv6(a, bytes);
    return true;
}

/* Zeroes the bits from `length` on, in `size` bytes. */
static void mask_bytes(uint8_t *bytes, unsigned size, unsigned length)
{
    unsigned whole = length / 8;

    if (whole >= size)
        return;
    bytes[whole] = (uint8_t)(bytes[whole] & ~(0xffu >> (length % 8)));
    memset(bytes + whole + 1, 0, size - whole - 1);
}

void address_mask(struct address *a, unsigned length)
{
    uint8_t bytes[16];

    if (address_is_ipv4(a)) {
        mask_bytes(a->bytes + 12, 4, length);
        return;
    }
    if (address_is_absent(a))
        return;
    unmark(a, bytes);
    mask_bytes(bytes, 16, length);
    address_set_ipv6(a, bytes);
}

void address_from_socket(struct address *a, uint16_t *port, const struct sockaddr *from)
{
    *a = (struct address){{0}};
    *port = 0;
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, from, sizeof(in));
        address_set_ipv4(a, (const uint8_t *)&in.sin_addr);
        *port = ntohs(in.sin_port);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, from, sizeof(in6));
        *port = ntohs(in6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
            address_set_ipv4(a, in6.sin6_addr.s6_addr + 12);
        else
            address_set_ipv6(a, in6.sin6_addr.s6_addr);
    }
}

/* `storage` is a struct sockaddr_storage. Returns the bytes used; 0 for an absent address. */
size_t address_to_socket(const struct address *a, uint16_t port, void *storage)
{
    memset(storage, 0, sizeof(struct sockaddr_storage));
    if (address_is_absent(a))
        return 0;
    if (address_is_ipv4(a)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

        memcpy(&in.sin_addr, a->bytes + 12, 4);
        memcpy(storage, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    unmark(a, in6.sin6_addr.s6_addr);
    memcpy(storage, &in6, sizeof(in6));
    return sizeof(in6);
}
