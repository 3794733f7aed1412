/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prefixes: reading them, the form they settle in, and longest-prefix match against a reference that compares every
 * row bit by bit, for random sets of many shapes: dense, sparse, nested, both families.
 */
#include "net/prefixes.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/tap.h"

static uint64_t state = 20261121;

static uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

/* -- the reference: rows as given, the octets of the wire -- */

struct given {
    uint8_t octets[16];
    bool ipv4;
    uint8_t length;
};

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        if ((a[i / 8] ^ b[i / 8]) & 0x80u >> i % 8)
            return false;
    return true;
}

/* The place in `rows` of the longest that fits, of equals the first; -1. */
static int reference(const struct given *rows, unsigned count, const struct given *address)
{
    int best = -1;

    for (unsigned i = 0; i < count; i++)
        if (rows[i].ipv4 == address->ipv4 && (best < 0 || rows[i].length > rows[best].length) &&
            bits_equal(rows[i].octets, address->octets, rows[i].length))
            best = (int)i;
    return best;
}

static void set_address(struct address *a, const struct given *given)
{
    if (given->ipv4)
        address_set_ipv4(a, given->octets);
    else
        address_set_ipv6(a, given->octets);
}

/* -- random sets -- */

/* Few different octets, so that prefixes nest and addresses meet them. */
static void random_octets(struct given *given, unsigned variety)
{
    static const uint8_t heads[4] = {0x20, 0x2a, 0x00, 0xfe};

    given->ipv4 = random_u64() % 2;
    for (unsigned i = 0; i < 16; i++)
        given->octets[i] = (uint8_t)(random_u64() % variety * (256 / variety) + (random_u64() % 8 == 0));
    if (!given->ipv4)
        given->octets[0] = heads[random_u64() % 4];
}

#define rows_max 120

static unsigned random_set(struct given *rows, struct prefix *prefixes)
{
    static const unsigned varieties[] = {1, 2, 3, 16, 256};
    unsigned count = (unsigned)(random_u64() % (rows_max + 1)), variety = varieties[random_u64() % 5];

    for (unsigned i = 0; i < count; i++) {
        random_octets(&rows[i], variety);
        if (i > 0 && random_u64() % 3 == 0) /* below another, or the same at another length */
            rows[i] = rows[random_u64() % i];
        rows[i].length = (uint8_t)(random_u64() % (rows[i].ipv4 ? 33 : 129));
        set_address(&prefixes[i].net, &rows[i]);
        prefixes[i] = (struct prefix){.net = prefixes[i].net, .length = rows[i].length, .value = i};
        if (!rows[i].ipv4) /* no address_set_ipv6: a network is not marked */
            memcpy(prefixes[i].net.bytes, rows[i].octets, 16);
    }
    return count;
}

/* An address of, just before or behind a row; or any. */
static void random_address(struct given *address, const struct given *rows, unsigned count)
{
    random_octets(address, 16);
    if (count == 0 || random_u64() % 8 == 0)
        return;
    *address = rows[random_u64() % count];
    for (unsigned i = address->length; i < (address->ipv4 ? 32u : 128u); i++)
        if (random_u64() % 4 == 0)
            address->octets[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    if (random_u64() % 4 == 0)
        address->octets[random_u64() % (address->ipv4 ? 4 : 16)] ^= (uint8_t)(1u << random_u64() % 8);
    if (address->octets[0] == 0xff) /* ff00::/96 is the mark of others (address.h) */
        address->octets[1] |= 1;
}

static unsigned parents_wrong(const struct prefixes *prefixes)
{
    unsigned wrong = 0;

    for (uint32_t i = 0; i < prefixes_count(prefixes); i++) {
        uint32_t best = prefixes_none;
        prefix_key key;
        enum prefix_family family = prefix_key_of_net(&prefixes_row(prefixes, i)->net, &key);

        for (uint32_t n = 0; n < prefixes_count(prefixes); n++)
            if (n != i && prefixes_row(prefixes, n)->length < prefixes_row(prefixes, i)->length &&
                prefix_holds(prefixes_row(prefixes, n), family, key) &&
                (best == prefixes_none || prefixes_row(prefixes, n)->length > prefixes_row(prefixes, best)->length))
                best = n;
        wrong += best != prefixes_parent(prefixes, i) || (best != prefixes_none && best >= i);
    }
    return wrong;
}

/* Equal rows: the first of them is there, and found. */
static unsigned exact_wrong(const struct prefixes *prefixes, const struct prefix *given, unsigned count)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < count; i++) {
        uint32_t number = prefixes_exact(prefixes, &given[i].net, given[i].length);
        struct prefix settled = given[i];

        prefix_settle(&settled);
        wrong += number == prefixes_none || prefixes_row(prefixes, number)->value > i ||
                 prefixes_row(prefixes, number)->length != given[i].length ||
                 !address_equal(&prefixes_row(prefixes, number)->net, &settled.net);
    }
    return wrong;
}

static void test_random(unsigned sets, unsigned addresses)
{
    static struct given rows[rows_max];
    static struct prefix given[rows_max];
    unsigned wrong = 0, parents = 0, exact = 0, by_value = 0;
    uint64_t asked = 0, found = 0;

    for (unsigned set = 0; set < sets; set++) {
        unsigned count = random_set(rows, given);
        struct prefixes *prefixes = prefixes_build(given, count, NULL);
        struct prefixes *values = prefixes_build_values(given, count, NULL);

        for (unsigned i = 0; prefixes != NULL && values != NULL && i < addresses; i++) {
            struct given wanted;
            struct address address;
            uint32_t number;
            int best;

            random_address(&wanted, rows, count);
            set_address(&address, &wanted);
            number = prefixes_find(prefixes, &address);
            best = reference(rows, count, &wanted);
            by_value += prefixes_find_value(values, &address) != (best < 0 ? prefixes_none : (uint32_t)best);
            asked++;
            found += best >= 0;
            wrong += best < 0 ? number != prefixes_none
                              : number == prefixes_none || prefixes_row(prefixes, number)->value != (uint32_t)best;
        }
        wrong += prefixes == NULL || values == NULL;
        if (prefixes != NULL) {
            parents += parents_wrong(prefixes);
            exact += exact_wrong(prefixes, given, count);
        }
        prefixes_free(prefixes);
        prefixes_free(values);
    }
    is_u64(by_value, 0, "and so is its value, where only that is asked for");
    is_u64(wrong, 0, "the longest prefix of %lu random addresses is that of the reference", (unsigned long)asked);
    ok(found > asked / 3 && found < asked, "%lu of them have one", (unsigned long)found);
    is_u64(parents, 0, "each prefix knows the next shorter one");
    is_u64(exact, 0, "each prefix is found again by its length, of equal ones the first");
}

/* -- many at once: root tables of all sizes, nodes and leaves that grow -- */

/* So many that the root is the large one; nested and side by side. */
static void test_many(uint32_t count, unsigned addresses)
{
    struct given *rows = calloc(count, sizeof(*rows));
    struct prefix *given = calloc(count, sizeof(*given));
    struct prefixes *prefixes;
    unsigned wrong = 0, exact;

    for (uint32_t i = 0; i < count; i++) {
        random_octets(&rows[i], 256);
        if (i > 100 && random_u64() % 4 != 0)
            memcpy(rows[i].octets, rows[random_u64() % 100].octets, 2 + random_u64() % 2);
        rows[i].length = (uint8_t)(1 + random_u64() % (rows[i].ipv4 ? 32 : 64));
        given[i] = (struct prefix){.length = rows[i].length, .value = i};
        set_address(&given[i].net, &rows[i]);
    }
    prefixes = prefixes_build(given, count, NULL);
    for (unsigned i = 0; i < addresses; i++) {
        struct given wanted;
        struct address address;
        uint32_t number;
        int best;

        random_address(&wanted, rows, count);
        set_address(&address, &wanted);
        number = prefixes_find(prefixes, &address);
        best = reference(rows, count, &wanted);
        wrong += best < 0 ? number != prefixes_none
                          : number == prefixes_none || prefixes_row(prefixes, number)->value != (uint32_t)best;
    }
    exact = exact_wrong(prefixes, given, count);
    is_u64(wrong, 0, "%u addresses among %lu prefixes", addresses, (unsigned long)count);
    is_u64(exact, 0, "and all of these are there");
    prefixes_free(prefixes);
    free(given);
    free(rows);
}

static void test_large(uint32_t count)
{
    struct prefix *given = calloc(count, sizeof(*given));
    struct prefixes *prefixes;
    unsigned wrong = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t net = host_be32(i << 8);
        uint8_t octets[16] = {0x20, 1};

        memcpy(octets + 2, &net, 4);
        given[i] = (struct prefix){.length = 24, .value = i};
        if (i % 2 == 0)
            address_set_ipv4(&given[i].net, octets + 2);
        else
            memcpy(given[i].net.bytes, octets, 16);
        given[i].length = i % 2 == 0 ? 24 : 48;
    }
    prefixes = prefixes_build(given, count, NULL);
    for (uint32_t i = 0; i < count; i++) {
        struct address inside = given[i].net;

        inside.bytes[15] ^= (uint8_t)i;
        wrong += prefixes_row(prefixes, prefixes_find(prefixes, &inside))->value != i;
    }
    is_u64(wrong, 0, "%lu prefixes side by side", (unsigned long)count);
    prefixes_free(prefixes);
    free(given);
}

/* -- texts -- */

static bool parses(const char *text, const char *want_net, unsigned want_length)
{
    struct prefix prefix;
    char net[address_text_max + 1] = "";

    if (prefix_parse(text, &prefix, NULL) < 0)
        return false;
    net[address_format(&prefix.net, net)] = '\0';
    return strcmp(net, want_net) == 0 && prefix.length == want_length;
}

static void test_parse(void)
{
    static const char *const wrong[] = {
        "",           "/",          "/24",         "192.0.2.0/",    "192.0.2.0/33", "192.0.2.0/-1",
        "192.0.2/24", "::/129",     "::/0x1",      "192.0.2.0/24 ", "a",            "192.0.2.0/4294967320",
        "1.2.3.4//8", "2001:db8:/32", "192.0.2.0/+8", "2001:db8::2001:db8::/32",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111/1",
    };
    struct prefix prefix;
    struct error error;
    unsigned accepted = 0;

    ok(parses("192.0.2.77/24", "192.0.2.0", 24) && parses("192.0.2.77", "192.0.2.77", 32), "IPv4, masked; a host");
    ok(parses("2001:DB8:1:2::/48", "2001:db8:1::", 48) && parses("2001:db8::1", "2001:db8::1", 128), "IPv6");
    ok(parses("0.0.0.0/0", "0.0.0.0", 0) && parses("10.0.0.0/032", "10.0.0.0", 32), "no bits, and all");
    for (unsigned i = 0; i < array_length(wrong); i++)
        accepted += prefix_parse(wrong[i], &prefix, &error) == 0;
    is_u64(accepted, 0, "what is no prefix is refused");
    prefix_parse("192.0.2.0/33", &prefix, &error);
    is_text(error.text, "'33' is not a prefix length of 0 to 32", "with the range of the length");
}

/* -- the special forms of IPv6 -- */

static const char *find(const struct prefixes *prefixes, const char *text)
{
    static char out[80];
    struct address address;
    uint32_t number;

    address_parse(text, &address);
    number = prefixes_find(prefixes, &address);
    if (number == prefixes_none)
        return "none";
    snprintf(out, sizeof(out), "%lu", (unsigned long)prefixes_row(prefixes, number)->value);
    return out;
}

static struct prefixes *build(const char *const *texts, unsigned count)
{
    struct prefix given[16];

    for (unsigned i = 0; i < count; i++) {
        prefix_parse(texts[i], &given[i], NULL);
        given[i].value = i;
    }
    return prefixes_build(given, count, NULL);
}

static void test_special(void)
{
    static const char *const texts[] = {"::/0", "::/8", "ff00::/8", "::/128", "::ffff:192.0.2.0/120", "192.0.2.0/24",
                                        "ff02::/16"};
    struct prefixes *prefixes = build(texts, array_length(texts));
    struct address absent = {{0}};
    struct prefix long_one = {.length = 33};

    is_u64(prefixes_count(prefixes), 7, "::/8 and ff00::/8 are two prefixes");
    is_text(find(prefixes, "::"), "3", "the unspecified address");
    is_text(find(prefixes, "::1"), "1", "beside it");
    is_text(find(prefixes, "ff05::1"), "2", "multicast");
    is_text(find(prefixes, "ff02::1"), "6", "and longer");
    is_text(find(prefixes, "2001:db8::"), "0", "the default of IPv6");
    is_text(find(prefixes, "::ffff:192.0.2.1"), "4", "a mapped address on the wire is IPv6");
    is_text(find(prefixes, "::ffff:192.0.3.1"), "1", "and its next shorter prefix");
    is_text(find(prefixes, "192.0.2.1"), "5", "IPv4 is apart");
    is_text(find(prefixes, "192.0.3.1"), "none", "and has no default here");
    ok(prefixes_find(prefixes, &absent) == prefixes_none, "an absent address meets nothing, not even ::/0");
    prefixes_free(prefixes);
    prefixes = prefixes_build(NULL, 0, NULL);
    is_text(find(prefixes, "192.0.2.1"), "none", "no prefixes at all");
    is_u64(prefixes_count(prefixes), 0, "count to none");
    prefixes_free(prefixes);
    address_set_ipv4(&long_one.net, (const uint8_t[4]){192, 0, 2, 1});
    ok(prefixes_build(&long_one, 1, NULL) == NULL, "a length of 33 bits is refused for IPv4");
    prefixes_free(NULL);
}

int main(void)
{
    plan_none();
    test_parse();
    test_special();
    test_random(4000, 500);
    test_large(3);
    test_large(1000);
    test_large(600000);
    test_many(400000, 300);
    return done_testing();
}
