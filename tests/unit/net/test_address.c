/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses: the text of a million random ones, rich in zeroes, against the C library's; special forms; masks bit by
 * bit against a slow model; socket addresses there and back; protocol and flag names.
 */
#include "net/address.h"

#include "lib/tap.h"
#include "net/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static uint64_t random_state = 88172645463325252u;

static uint64_t random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static const char *text_of(const struct address *a)
{
    static char out[address_text_max];
    size_t length = address_format(a, out);

    if (length >= sizeof(out))
        return "(too long)";
    out[length] = '\0';
    return out;
}

/* Text as inet_ntop has it, and back to the same address. */
static bool agrees(int family, const uint8_t *octets)
{
    char want[INET6_ADDRSTRLEN];
    struct address a, again;

    if (family == AF_INET)
        address_set_ipv4(&a, octets);
    else
        address_set_ipv6(&a, octets);
    inet_ntop(family, octets, want, sizeof(want));
    if (strcmp(text_of(&a), want) == 0 && address_parse(want, &again) && address_equal(&a, &again))
        return true;
    printf("# got %s, want %s\n", text_of(&a), want);
    return false;
}

static void test_random(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 1000000 && wrong < 10; i++) {
        uint8_t octets[16];
        uint64_t keep = random_u64();

        for (unsigned j = 0; j < 16; j++)
            octets[j] = (uint8_t)random_u64();
        /* Half of the groups become zero or short, so that runs of all lengths and places come. */
        for (unsigned j = 0; j < 8; j++) {
            if (keep >> (2 * j) & 1)
                octets[2 * j] = 0;
            if ((keep >> (2 * j) & 3) == 3 || keep >> (20 + j) & 1)
                octets[2 * j] = octets[2 * j + 1] = 0;
        }
        wrong += !agrees(AF_INET6, octets) + !agrees(AF_INET, octets + 12);
    }
    ok(wrong == 0, "a million random addresses have the text of inet_ntop");
    for (unsigned mask = 0; mask < 256; mask++)
        for (unsigned last = 0; last < 3; last++) {
            uint8_t octets[16] = {0};

            for (unsigned j = 0; j < 8; j++)
                if (mask >> j & 1)
                    octets[2 * j + (last & 1)] = last == 2 ? 0xff : (uint8_t)(j + 1);
            /* ff00:: is the one that stands for "::", see address.h. */
            wrong += !(mask == 1 && last == 2) && !agrees(AF_INET6, octets);
        }
    ok(wrong == 0, "every pattern of zero groups");
    for (unsigned i = 0; i < 256; i++) {
        uint8_t octets[4] = {(uint8_t)i, (uint8_t)(255 - i), (uint8_t)i, (uint8_t)i};
        wrong += !agrees(AF_INET, octets);
    }
    ok(wrong == 0, "every octet");
}

static void test_special(void)
{
    static const char *const same[] = {"::",         "::1",       "::ffff:1.2.3.4",  "::ffff:0.0.0.0", "0.0.0.0",
                                       "ff00::1",    "ff00::",    "255.255.255.255", "fe80::",         "::1.2.3.4",
                                       "2001:db8::1:0:0:2", "1:0:0:2::3",
                                       "1::2:0:0:3", "64:ff9b::c000:201", "ff02::16"};
    static const char *const none[] = {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", " 1.2.3.4", "1.2.3.4 ", "::1%lo",
                                       "1:2:3:4:5:6:7:8:9", "g::", "256.1.1.1", "1.2.3.4/24", ":::"};
    struct address a = {{0}}, b;

    is_text(text_of(&a), "", "absent has no text");
    ok(address_is_absent(&a), "absent is absent");
    for (unsigned i = 0; i < array_length(same); i++) {
        ok(address_parse(same[i], &a) && !address_is_absent(&a), "%s is an address", same[i]);
        is_text(text_of(&a), strcmp(same[i], "ff00::") == 0 ? "::" : same[i], "%s keeps its text", same[i]);
    }
    for (unsigned i = 0; i < array_length(none); i++)
        ok(!address_parse(none[i], &a), "'%s' is no address", none[i]);
    address_parse("1.2.3.4", &a);
    address_parse("::ffff:1.2.3.4", &b);
    ok(address_is_ipv4(&a) && !address_is_ipv4(&b) && !address_equal(&a, &b), "IPv4 and mapped IPv6 differ");
}

static void slow_mask(uint8_t *octets, unsigned bits, unsigned length)
{
    for (unsigned i = length; i < bits; i++)
        octets[i / 8] = (uint8_t)(octets[i / 8] & ~(0x80u >> i % 8));
}

static void test_masks(void)
{
    unsigned wrong = 0;

    for (unsigned round = 0; round < 200; round++) {
        uint8_t octets[16], want[16];
        struct address a, b;

        for (unsigned j = 0; j < 16; j++)
            octets[j] = (uint8_t)random_u64();
        for (unsigned length = 0; length <= 130; length++) {
            memcpy(want, octets, 16);
            slow_mask(want, 128, length);
            address_set_ipv6(&a, octets);
            address_set_ipv6(&b, want);
            address_mask(&a, length);
            wrong += !address_equal(&a, &b);
            memcpy(want, octets, 16);
            slow_mask(want, 32, length);
            address_set_ipv4(&a, octets);
            address_set_ipv4(&b, want);
            address_mask(&a, length);
            wrong += !address_equal(&a, &b);
        }
    }
    ok(wrong == 0, "masks of every length");
    struct address a = {{0}};

    address_mask(&a, 8);
    ok(address_is_absent(&a), "absent stays absent");
    address_parse("::ffff:1.2.3.4", &a);
    address_mask(&a, 104);
    is_text(text_of(&a), "::ffff:1.0.0.0", "a mapped address is masked as IPv6");
    address_mask(&a, 0);
    is_text(text_of(&a), "::", "down to nothing");
    address_mask(&a, 0);
    is_text(text_of(&a), "::", "and again");
    address_parse("10.1.2.3", &a);
    address_mask(&a, 0);
    is_text(text_of(&a), "0.0.0.0", "an IPv4 address masked to nothing is not absent");
}

static void test_sockets(void)
{
    static const char *const texts[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::1"};
    struct sockaddr_storage storage;
    struct address a, b;
    uint16_t port;

    for (unsigned i = 0; i < array_length(texts); i++) {
        size_t length;

        address_parse(texts[i], &a);
        length = address_to_socket(&a, 6343, &storage);
        is_u64(length, address_is_ipv4(&a) ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6), "%s: length",
               texts[i]);
        address_from_socket(&b, &port, (struct sockaddr *)&storage);
        ok(address_equal(&a, &b) && port == 6343, "%s: there and back", texts[i]);
    }
    address_parse("::ffff:192.0.2.7", &a);
    address_to_socket(&a, 1, &storage);
    is_u64(storage.ss_family, AF_INET6, "a mapped address goes to an IPv6 socket");
    address_from_socket(&b, &port, (struct sockaddr *)&storage);
    is_text(text_of(&b), "192.0.2.7", "an IPv4 peer of a dual-stack socket is IPv4");
    a = (struct address){{0}};
    is_u64(address_to_socket(&a, 1, &storage), 0, "absent has no socket address");
    memset(&storage, 0, sizeof(storage));
    storage.ss_family = AF_UNIX;
    address_from_socket(&b, &port, (struct sockaddr *)&storage);
    ok(address_is_absent(&b) && port == 0, "another family is absent");
}

static void test_names(void)
{
    unsigned named = 0;

    for (unsigned i = 0; i < 256; i++) {
        const char *name = names_protocol((uint8_t)i);

        if (!name)
            continue;
        named++;
        ok(strlen(name) < names_protocol_max && names_protocol_number(name) == (int)i, "protocol %u is %s", i, name);
    }
    is_u64(named, 40, "protocols with a name");
    is_text(names_protocol(6), "tcp", "6");
    is_text(names_protocol(58), "ipv6-icmp", "58");
    is_text(names_protocol(255), "others", "255");
    is_u64((uint64_t)names_protocol_number("TCP"), 6, "names in any case");
    is_u64((uint64_t)names_protocol_number("253"), 253, "numbers");
    ok(names_protocol_number("256") < 0 && names_protocol_number("-1") < 0 && names_protocol_number("") < 0 &&
           names_protocol_number("tcp6") < 0 && names_protocol_number("6x") < 0 &&
           names_protocol_number("99999999999999999999") < 0,
       "what is no protocol");
    is_text(names_tcp_flag(0), "FIN", "bit 0");
    is_text(names_tcp_flag(7), "CWR", "bit 7");
    ok(names_tcp_flag(names_tcp_flags) == NULL, "no name beyond");
}

int main(void)
{
    plan_none();
    test_random();
    test_special();
    test_masks();
    test_sockets();
    test_names();
    return done_testing();
}
