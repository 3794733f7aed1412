/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of rows finds what a walk over all of them finds: for random rows of all operators and random records, with
 * any row to begin at. Then the bounds: what would be slow is refused, what is large is not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/tap.h"
#include "map/rules.h"

#define rows_max 200u

/* Few values each, so that rows fit often and keys come twice. */
static const struct {
    uint16_t subject, other;
    uint8_t operator, absent;
    uint32_t values;
} asked[] = {
    {FIELD_PEER_SRC_IP, SUBJECT_NONE, RULES_PREFIX, RULES_ABSENT_OTHER, 0},
    {FIELD_SRC_HOST, SUBJECT_NONE, RULES_PREFIX, RULES_ABSENT_OTHER, 0},
    {FIELD_DST_HOST, SUBJECT_NONE, RULES_PREFIX, RULES_ABSENT_NEVER, 0},
    {FIELD_IN_IFACE, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_OTHER, 3},
    {FIELD_OUT_IFACE, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_NEVER, 3},
    {FIELD_VLAN, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_ZERO, 3},
    {FIELD_INGRESS_VRF_ID, FIELD_EGRESS_VRF_ID, RULES_EQUAL, RULES_ABSENT_OTHER, 3},
    {FIELD_SRC_MAC, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_OTHER, 2},
    {FIELD_MPLS_VPN_RD, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_OTHER, 2},
    {FIELD_PROTO, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_OTHER, 2},
    {FIELD_SRC_AS, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_ZERO, 3},
    {FIELD_TAG2, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_OTHER, 2},
    {SUBJECT_SET_ID, SUBJECT_NONE, RULES_EQUAL, RULES_ABSENT_OTHER, 3},
    {FIELD_STD_COMM, SUBJECT_NONE, RULES_COMMUNITIES, RULES_ABSENT_NEVER, 0},
};

#define asked_count (sizeof(asked) / sizeof(asked[0]))

static uint64_t state = 88172645463325252;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

static struct address draw_address(void)
{
    uint8_t octets[16] = {0x20, 0x01};
    struct address address;

    if (draw(3) != 0) {
        octets[0] = (uint8_t)(192 + draw(2));
        octets[2] = (uint8_t)draw(2);
        octets[3] = (uint8_t)draw(3);
        address_set_ipv4(&address, octets);
    } else {
        octets[2] = (uint8_t)draw(2);
        octets[15] = (uint8_t)draw(3);
        address_set_ipv6(&address, octets);
    }
    return address;
}

static struct prefix draw_prefix(void)
{
    static const uint8_t lengths[2][6] = {{0, 20, 24, 120, 127, 128}, {0, 8, 16, 24, 31, 32}};
    struct prefix prefix = {.net = draw_address()};

    prefix.length = lengths[address_is_ipv4(&prefix.net)][draw(6)];
    prefix_settle(&prefix);
    return prefix;
}

static const char *const community_texts[] = {"1:1", "1:2,2:2", "1:.", "9:9", ".:2,3:3"};

static struct rules_condition draw_condition(unsigned which)
{
    struct rules_condition condition = {
        .subject = asked[which].subject, .other_subject = asked[which].other, .operator = asked[which].operator,
        .absent = asked[which].absent, .negated = draw(6) == 0};

    if (condition.operator == RULES_PREFIX)
        condition.prefix = draw_prefix();
    else if (condition.operator == RULES_COMMUNITIES)
        condition.text = community_texts[draw(5)];
    else
        condition.number = draw(40) == 0 ? UINT64_C(1) << 63 : draw(asked[which].values);
    if (draw(300) == 0)
        condition.operator = RULES_NEVER;
    return condition;
}

static unsigned draw_row(struct rules_condition *row, unsigned density)
{
    unsigned count = 0;

    for (unsigned i = 0; i < asked_count; i++)
        if (draw(density) == 0)
            row[count++] = draw_condition(i);
    if (draw(20) == 0) /* the same subject twice */
        row[count++] = draw_condition(draw(asked_count));
    return count;
}

static void draw_record(struct flow *flow)
{
    static const char *const texts[] = {"1:1", "1:2_7:7", "2:2", "5:5_1:1"};

    flow_clear(flow);
    if (draw(8) != 0)
        flow_set_peer_src_ip(flow, draw_address());
    if (draw(8) != 0)
        flow_set_src_host(flow, draw_address());
    if (draw(8) != 0)
        flow_set_dst_host(flow, draw(9) == 0 ? (struct address){{0}} : draw_address());
    if (draw(6) != 0)
        flow_set_in_iface(flow, draw(3));
    if (draw(6) != 0)
        flow_set_out_iface(flow, draw(3));
    if (draw(2) != 0)
        flow_set_vlan(flow, (uint16_t)draw(3));
    if (draw(2) != 0)
        flow_set_ingress_vrf_id(flow, draw(3));
    if (draw(2) != 0)
        flow_set_egress_vrf_id(flow, draw(3));
    if (draw(6) != 0)
        flow_set_src_mac(flow, draw(2));
    if (draw(6) != 0)
        flow_set_mpls_vpn_rd(flow, draw(2));
    if (draw(6) != 0)
        flow_set_proto(flow, (uint8_t)draw(2));
    if (draw(2) != 0)
        flow_set_src_as(flow, draw(3));
    if (draw(6) != 0)
        flow_set_tag2(flow, draw(2));
    flow->traits.set_id = (uint16_t)draw(3);
    if (draw(2) != 0) {
        const char *text = texts[draw(4)];

        flow_set_std_comm(flow, (struct span){text, (uint32_t)strlen(text)});
    }
}

/* -- the plain reading of what a condition means -- */

static bool plain_number(const struct rules_condition *c, unsigned subject, const struct flow *flow, bool *told)
{
    uint64_t number = 0;

    *told = subject_number(subject, flow, &number);
    if (*told || c->absent == RULES_ABSENT_ZERO)
        return number == c->number;
    return false;
}

static bool plain_communities(const char *patterns, const struct span *text)
{
    char copy[64], list[64], *rest = copy, *pattern, *more, *one;

    snprintf(copy, sizeof(copy), "%s", patterns);
    while ((pattern = strsep(&rest, ",")) != NULL) {
        snprintf(list, sizeof(list), "%.*s", (int)text->length, text->data);
        more = list;
        while ((one = strsep(&more, "_")) != NULL) {
            bool same = strlen(one) == strlen(pattern);

            for (size_t i = 0; same && one[i] != '\0'; i++)
                same = pattern[i] == '.' || pattern[i] == one[i];
            if (same)
                return true;
        }
    }
    return false;
}

static bool plain_condition(const struct rules_condition *c, const struct flow *flow)
{
    bool told = true, fits = false, told_other;
    struct address address;
    struct span text;

    if (c->operator == RULES_NEVER)
        return false;
    if (c->operator == RULES_PREFIX) {
        told = subject_address(c->subject, flow, &address);
        if (told && address_is_ipv4(&address) == address_is_ipv4(&c->prefix.net)) {
            struct address net = c->prefix.net;

            address_mask(&address, c->prefix.length);
            fits = c->prefix.length == 0 || address_equal(&address, &net);
        }
    } else if (c->operator == RULES_COMMUNITIES) {
        told = subject_text(c->subject, flow, &text);
        fits = told && plain_communities(c->text, &text);
    } else {
        fits = plain_number(c, c->subject, flow, &told);
        if (c->other_subject != SUBJECT_NONE) {
            fits = plain_number(c, c->other_subject, flow, &told_other) || fits;
            told = told || told_other;
        }
    }
    return (told || c->absent != RULES_ABSENT_NEVER) && fits != c->negated;
}

struct map {
    struct rules *rules;
    struct rules_condition rows[rows_max][asked_count + 1];
    unsigned counts[rows_max], count;
};

static uint32_t walk(const struct map *map, const struct flow *flow, uint32_t from)
{
    for (uint32_t i = from; i < map->count; i++) {
        bool fits = true;

        for (unsigned j = 0; fits && j < map->counts[i]; j++)
            fits = plain_condition(&map->rows[i][j], flow);
        if (fits)
            return i;
    }
    return rules_none;
}

static void draw_map(struct map *map, unsigned count, unsigned density)
{
    struct error error = {""};
    uint32_t row;

    map->rules = rules_new();
    map->count = count;
    for (unsigned i = 0; i < count; i++) {
        map->counts[i] = draw_row(map->rows[i], density);
        rules_add(map->rules, 1000 + i, (uint8_t)(i % 4), map->rows[i], map->counts[i], &error);
    }
    if (rules_compile(map->rules, &row, &error) < 0)
        printf("# %s\n", error.text);
}

static void check_random(void)
{
    static struct map map;
    static struct flow flow;
    unsigned wrong = 0, found = 0, pairs = 0;

    for (unsigned round = 0; round < 500; round++) {
        unsigned count = 1 + draw(round % 3 == 0 ? 8 : rows_max);

        draw_map(&map, count, 1 + draw(9));
        for (unsigned i = 0; i < 100; i++) {
            draw_record(&flow);
            rules_start(map.rules, &flow, NULL);
            for (unsigned again = 0; again < 3; again++) {
                uint32_t from = again == 0 ? 0 : draw(count + 1), want = walk(&map, &flow, from);
                struct rules_hit hit;
                bool got = rules_find(map.rules, from, &hit);

                wrong += got != (want != rules_none) || hit.row != want ||
                         (got && (hit.value != 1000 + want || hit.kind != want % 4));
                found += got;
                pairs += count;
            }
        }
        rules_free(map.rules);
    }
    is_u64(wrong, 0, "the index finds what a walk finds, in %u pairs of row and record", pairs);
    ok(pairs > 1000000 && found > 10000, "and a good part of the records has a row: %u of 150000", found);
}

/* -- bounds -- */

static struct rules_condition equal(unsigned subject, uint64_t number)
{
    return (struct rules_condition){
        .subject = (uint16_t)subject, .other_subject = SUBJECT_NONE, .operator = RULES_EQUAL, .number = number};
}

static struct rules_condition inside(unsigned subject, const char *text)
{
    struct rules_condition condition = {
        .subject = (uint16_t)subject, .other_subject = SUBJECT_NONE, .operator = RULES_PREFIX};

    prefix_parse(text, &condition.prefix, NULL);
    return condition;
}

static void check_shapes(void)
{
    static const uint16_t subjects[] = {FIELD_IN_IFACE, FIELD_OUT_IFACE, FIELD_VLAN, FIELD_SRC_AS, FIELD_DST_AS,
                                        FIELD_PROTO, FIELD_SRC_PORT, FIELD_DST_PORT, FIELD_TOS, FIELD_IN_CVLAN};
    struct rules *rules = rules_new();
    struct error error = {""};
    uint32_t row = 0;

    for (unsigned i = 0; i < 1024; i++) {
        struct rules_condition conditions[10];
        unsigned count = 0;

        for (unsigned j = 0; j < 10; j++)
            if ((i >> j & 1) != 0)
                conditions[count++] = equal(subjects[j], 7);
        rules_add(rules, i, 0, conditions, count, &error);
    }
    ok(rules_compile(rules, &row, &error) < 0 && row == 512 && strstr(error.text, "more than 512") != NULL,
       "too many combinations of keys are refused, and the row is told: %s", error.text);
    rules_free(rules);
}

static void check_walks(void)
{
    struct rules *rules = rules_new();
    struct error error = {""};
    uint32_t row = 0;

    for (unsigned i = 0; i < 10000; i++) {
        struct rules_condition condition = equal(FIELD_IN_IFACE, i);

        condition.negated = true;
        rules_add(rules, i, 0, &condition, 1, &error);
    }
    ok(rules_compile(rules, &row, &error) < 0 && row == 4096 && strstr(error.text, "more than 4096 rows") != NULL,
       "rows that can only be walked over are bounded: %s", error.text);
    rules_free(rules);
}

static void check_chains(void)
{
    struct rules *rules = rules_new();
    struct error error = {""};
    char source[64], destination[64];
    uint32_t row = 0;

    for (unsigned i = 0; i < 16384; i++) {
        struct rules_condition conditions[2];

        snprintf(source, sizeof(source), "2001:db8::/%u", i / 128 + 1);
        snprintf(destination, sizeof(destination), "2001:db8::/%u", i % 128 + 1);
        conditions[0] = inside(FIELD_SRC_HOST, source);
        conditions[1] = inside(FIELD_DST_HOST, destination);
        rules_add(rules, i, 0, conditions, 2, &error);
    }
    ok(rules_compile(rules, &row, &error) < 0 && row == 0 && strstr(error.text, "too deep") != NULL,
       "prefixes that are too deep inside of one another are refused: %s", error.text);
    rules_free(rules);
}

/* A hundred thousand rows of one key, gone through one after the other by jumps. */
static void check_jumps(void)
{
    static struct flow flow;
    struct rules *rules = rules_new();
    struct rules_condition condition = equal(FIELD_IN_IFACE, 5);
    struct error error = {""};
    struct rules_hit hit;
    uint32_t row = 0, count = 0;

    for (unsigned i = 0; i < 100000; i++)
        rules_add(rules, i, 0, &condition, 1, &error);
    ok(rules_compile(rules, &row, &error) == 0, "equal rows are no trouble %s", error.text);
    flow_clear(&flow);
    flow_set_in_iface(&flow, 5);
    rules_start(rules, &flow, NULL);
    while (rules_find(rules, count, &hit) && hit.row == count && hit.value == count)
        count++;
    is_u64(count, 100000, "each of them is found from the one before");
    is_u64(rules_count(rules), 100000, "and counted");
    rules_free(rules);
}

static void check_edges(void)
{
    static struct flow flow;
    struct rules *rules = rules_new();
    struct rules_condition many[rules_conditions_max + 1];
    struct error error = {""};
    struct rules_hit hit;
    const char *phrase;
    uint32_t row;

    for (unsigned i = 0; i <= rules_conditions_max; i++)
        many[i] = equal(FIELD_VLAN, 1);
    ok(rules_add(rules, 1, 0, many, rules_conditions_max + 1, &error) < 0, "too many conditions: %s", error.text);
    ok(rules_compile(rules, &row, &error) == 0, "a set of no rows is one");
    flow_clear(&flow);
    rules_start(rules, &flow, NULL);
    ok(!rules_find(rules, 0, &hit) && hit.row == rules_none, "in which nothing is found");
    is_u64(rules_misfits(rules, &phrase), 0, "and nothing misfits");
    rules_free(rules);
    rules_free(NULL);
}

int main(void)
{
    plan_none();
    check_random();
    check_shapes();
    check_walks();
    check_chains();
    check_jumps();
    check_edges();
    return done_testing();
}
