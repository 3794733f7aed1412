/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks files: the forms of a row, which row counts for an address, what is refused and how it is told. */
#include "map/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"

static struct networks *parse(const char *text, struct error *error)
{
    return networks_parse("list", text, strlen(text), error);
}

/* "next hop,peer_origin/mask" of an address, or "none". */
static const char *find(const struct networks *networks, const char *text)
{
    static char out[128];
    char hop[address_text_max + 1] = "";
    struct address address;
    const struct network *network;

    address_parse(text, &address);
    network = networks_find(networks, &address);
    if (network == NULL)
        return "none";
    hop[address_format(&network->next_hop, hop)] = '\0';
    snprintf(out, sizeof(out), "%s,%u_%u/%u", hop, network->peer_as, network->origin_as, network->mask);
    return out;
}

static void test_rows(void)
{
    struct error error = {""};
    struct networks *networks = parse("! customers\n"
                                      "# and peers\r\n"
                                      "10.0.0.0/8\n"
                                      "65102,192.168.5.0/24\n"
                                      "65001_65101,10.0.8.0/24\r\n"
                                      "10.9.1.1,64999,10.0.8.128/25\n"
                                      " 10.9.1.2 , 65002_4294967295\t, 10.0.8.200/32 \n"
                                      "65005,10.0.8.0/24\n"
                                      "10.9.1.3,0,192.168.7.77/24\n"
                                      "2001:db8::ff,65011_65012,2001:db8:1::/48\n"
                                      "65010,2001:db8::/32\n"
                                      "7,2001:db8:1:2::5/128",
                                      &error);

    ok(networks != NULL, "a file of all forms is read (%s)", error.text);
    if (networks == NULL)
        return;
    is_u64(networks_count(networks), 9, "nine different prefixes");
    is_text(find(networks, "10.1.2.3"), ",0_0/8", "a network and no more");
    is_text(find(networks, "192.168.5.255"), ",0_65102/24", "its origin");
    is_text(find(networks, "10.0.8.29"), ",65001_65101/24", "peer and origin; of equal prefixes the first row");
    is_text(find(networks, "10.0.8.129"), "10.9.1.1,0_64999/25", "the longest counts, with its next hop");
    is_text(find(networks, "10.0.8.200"), "10.9.1.2,65002_4294967295/32", "blanks around the parts; 32-bit numbers");
    is_text(find(networks, "192.168.7.1"), "10.9.1.3,0_0/24", "bits behind the length do not count");
    is_text(find(networks, "2001:db8::1"), ",0_65010/32", "IPv6");
    is_text(find(networks, "2001:db8:1::1"), "2001:db8::ff,65011_65012/48", "the longest of IPv6");
    is_text(find(networks, "2001:db8:1:2::5"), ",0_7/128", "a host");
    is_text(find(networks, "2001:db9::1"), "none", "outside of all IPv6");
    is_text(find(networks, "203.0.113.1"), "none", "outside of all IPv4");
    networks_free(networks);
    networks = parse("1,0.0.0.0/0\n", NULL);
    is_text(find(networks, "203.0.113.1"), ",0_1/0", "a default route");
    is_text(find(networks, "2001:db8::1"), "none", "of one family");
    networks_free(networks);
    networks = parse("", NULL);
    ok(networks != NULL && networks_count(networks) == 0, "an empty file is an empty table");
    is_text(find(networks, "203.0.113.1"), "none", "that holds nothing");
    networks_free(networks);
    networks_free(NULL);
}

static void test_refused(void)
{
    static const struct {
        const char *text, *phrase;
    } cases[] = {
        {"10.0.0.1\n", "list:1: '10.0.0.1' is not PREFIX/LENGTH; a single address is /32 or /128"},
        {"10.0.0.0/8\n\nnet/8\n", "list:3: 'net' is not an address or a prefix"},
        {"10.0.0.0/33\n", "list:1: '33' is not a prefix length of 0 to 32"},
        {"x,10.0.0.0/8\n", "list:1: 'x' is not an AS number, 0 to 4294967295 (0 stands for none)"},
        {"4294967296,10.0.0.0/8\n", "list:1: '4294967296' is not an AS number, 0 to 4294967295 (0 stands for none)"},
        {"_5,10.0.0.0/8\n", "list:1: '' is not an AS number, 0 to 4294967295 (0 stands for none)"},
        {"5_,10.0.0.0/8\n", "list:1: '' is not an AS number, 0 to 4294967295 (0 stands for none)"},
        {"1.5,10.0.0.0/8\n", "list:1: '1.5' is not an AS number, 0 to 4294967295 (0 stands for none)"},
        {"192.0.2.1,10.0.0.0/8\n", "list:1: '192.0.2.1' is not an AS number, 0 to 4294967295 (0 stands for none)"},
        {"gw,5,10.0.0.0/8\n", "list:1: 'gw' is not the address of a next hop"},
        {",5,10.0.0.0/8\n", "list:1: '' is not the address of a next hop"},
        {"1,192.0.2.1,5,10.0.0.0/8\n",
         "list:1: more than 3 parts; expected [NEXT_HOP,][[PEER_AS_]ORIGIN_AS,]PREFIX/LENGTH"},
        {"5,\n", "list:1: '' is not PREFIX/LENGTH; a single address is /32 or /128"},
    };

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error = {""};

        ok(parse(cases[i].text, &error) == NULL, "case %u is refused", i);
        is_text(error.text, cases[i].phrase, "and it says why");
    }
}

/* Many different rows: the list of what they say grows, and repeated ones are kept once. */
static void test_many(void)
{
    const unsigned count = 40000;
    char *text = malloc(count * 64);
    size_t size = 0;
    struct networks *networks;
    unsigned wrong = 0;

    for (unsigned i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, 64, "%u,%u.%u.%u.0/24\n", i % 20000, 1 + i / 65536, i / 256 % 256,
                                 i % 256);
    networks = networks_parse("list", text, size, NULL);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t octets[4] = {(uint8_t)(1 + i / 65536), (uint8_t)(i / 256), (uint8_t)i, 77};
        struct address address;

        address_set_ipv4(&address, octets);
        wrong += networks_find(networks, &address)->origin_as != i % 20000;
    }
    is_u64(wrong, 0, "%u networks of 20000 origins", count);
    ok(networks_bytes(networks) < 4 * 1024 * 1024, "in little memory (%lu bytes)",
       (unsigned long)networks_bytes(networks));
    networks_free(networks);
    free(text);
}

static void test_file(void)
{
    char path[] = "/tmp/flowledger-networks-XXXXXX";
    int fd = mkstemp(path);
    struct error error = {""};
    struct networks *networks;

    ok(write(fd, "5,10.0.0.0/8\n", 13) == 13, "a file");
    close(fd);
    networks = networks_load(path, &error);
    ok(networks != NULL && networks_count(networks) == 1, "is read");
    networks_free(networks);
    unlink(path);
    ok(networks_load(path, &error) == NULL && strstr(error.text, path) != NULL, "a missing one is told by name");
}

int main(void)
{
    plan_none();
    test_rows();
    test_refused();
    test_many();
    test_file();
    return done_testing();
}
