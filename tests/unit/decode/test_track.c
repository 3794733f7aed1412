/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows against a reference that is an array: what begins, which way it goes, what an entry counts, when
 * its owners are released. Then the rules one by one, a full table, a million flows.
 */
#include "decode/capture/track.h"

#include "lib/tap.h"

#include <stdlib.h>
#include <time.h>

#define second INT64_C(1000000000)
#define start_ns (INT64_C(1700000000) * second)
#define fin 1
#define syn 2
#define rst 4
#define ack 16
#define tcp 6
#define udp 17

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

/* Conversation `n` from its one end to the other, or back. */
static void make_flow(struct flow *flow, uint32_t n, bool back, uint8_t proto, uint64_t flags)
{
    uint8_t octets[16] = {0x20, 1, 0xd, 0xb8};
    struct address a, b;

    store_u32(octets + 8, n);
    if (n & 1) {
        address_set_ipv6(&a, octets);
        octets[2] = 7;
        address_set_ipv6(&b, octets);
    } else {
        address_set_ipv4(&a, octets + 8);
        octets[11] ^= 0x80;
        address_set_ipv4(&b, octets + 8);
    }
    flow_clear(flow);
    flow_set_src_host(flow, back ? b : a);
    flow_set_dst_host(flow, back ? a : b);
    flow_set_proto(flow, proto);
    if (proto == tcp || proto == udp) {
        uint16_t ports[2] = {(uint16_t)(1024 + (n & 255)), 443};

        flow_set_src_port(flow, ports[back]);
        flow_set_dst_port(flow, ports[!back]);
    }
    if (proto == tcp)
        flow_set_tcpflags(flow, flags);
}

static struct track_hit packet(struct track *track, uint32_t n, bool back, uint8_t proto, uint64_t flags,
                               int64_t now_ns)
{
    static struct flow flow;

    make_flow(&flow, n, back, proto, flags);
    return track_packet(track, &flow, now_ns);
}

#define conversations 256

struct reference {
    struct conversation {
        bool there, finished, forward_back;
        bool begun[2], fins[2];
        int64_t first_ns, last_ns, last_way_ns[2];
        uint64_t packets;
        unsigned *owner; /* counts its releases */
    } all[2][conversations]; /* UDP, TCP */
    unsigned owners[400000]; /* 1: to be released, 2: released */
    unsigned owner_count, released, twice;
    int64_t life_ns[2];
};

static void on_release(void *context, void *const owners[2])
{
    struct reference *reference = context;
    unsigned *owner = owners[1];

    reference->released++;
    reference->twice += *owner != 1 || owners[0] != NULL;
    *owner = 2;
}

static bool over(const struct reference *reference, const struct conversation *one, bool is_tcp, int64_t now_ns)
{
    return !one->there || now_ns - one->last_ns > (one->finished ? 5 * second : reference->life_ns[is_tcp]);
}

/* The same packet in the reference. Returns whether its direction begins. */
static bool reference_packet(struct reference *reference, uint32_t n, bool back, bool is_tcp, uint64_t flags,
                             int64_t now_ns)
{
    struct conversation *one = &reference->all[is_tcp][n];
    bool begins;

    if (over(reference, one, is_tcp, now_ns) || (one->finished && (flags & (syn | ack)) == syn))
        *one = (struct conversation){.there = true, .forward_back = back, .first_ns = now_ns};
    begins = !one->begun[back] || now_ns - one->last_way_ns[back] > reference->life_ns[is_tcp];
    one->begun[back] = true;
    one->last_ns = one->last_way_ns[back] = now_ns;
    one->packets++;
    if (is_tcp && (flags & fin))
        one->fins[back] = true;
    if (is_tcp && ((flags & rst) || (one->fins[0] && one->fins[1])))
        one->finished = true;
    return begins;
}

static uint64_t random_flags(void)
{
    static const uint8_t flags[] = {syn, syn | ack, ack, ack, ack, ack, ack | 8, ack | 8, fin | ack, rst, rst | ack};

    return flags[random_below(array_length(flags))];
}

/* One random packet in both. False when they differ. */
static bool step(struct track *track, struct reference *reference, int64_t *now_ns)
{
    uint32_t n = random_below(conversations), what = random_below(1000);
    bool back = random_below(3) == 0, is_tcp = random_below(2) != 0, begins;
    uint64_t flags = random_flags();
    struct track_hit hit;
    struct conversation *one = &reference->all[is_tcp][n];

    *now_ns += random_below(200) * (second / 1000);
    if (what < 2)
        *now_ns += random_below(100) * second;
    if (what < 50)
        track_tick(track, *now_ns);
    hit = packet(track, n, back, is_tcp ? tcp : udp, flags, *now_ns);
    begins = reference_packet(reference, n, back, is_tcp, flags, *now_ns);
    if (hit.begins != begins || hit.backwards != (back != one->forward_back) || hit.entry->packets != one->packets ||
        hit.entry->first_ns != one->first_ns || hit.entry->last_ns != one->last_ns ||
        hit.entry->owners[0] != NULL || hit.entry->owners[1] != one->owner)
        return false;
    if (one->owner == NULL) {
        one->owner = &reference->owners[reference->owner_count++];
        *one->owner = 1;
        hit.entry->owners[1] = one->owner;
    }
    return true;
}

static void test_reference(void)
{
    struct reference *reference = calloc(1, sizeof(*reference));
    struct track_options options = {.bytes = 1024 * 1024, .lifetime_ns = 30 * second, .tcp_lifetime_ns = 80 * second,
                                    .release = on_release, .context = reference};
    struct track *track = track_new(&options, NULL);
    int64_t now_ns = start_ns;
    unsigned steps = 0, live = 0, nearly = 0;

    reference->life_ns[0] = options.lifetime_ns;
    reference->life_ns[1] = options.tcp_lifetime_ns;
    while (steps < 400000 && step(track, reference, &now_ns))
        steps++;
    is_u64(steps, 400000, "as many random packets are as the reference has them");
    now_ns += 25 * second;
    track_tick(track, now_ns);
    for (unsigned is_tcp = 0; is_tcp < 2; is_tcp++)
        for (unsigned n = 0; n < conversations; n++) {
            struct conversation *one = &reference->all[is_tcp][n];

            live += !over(reference, one, is_tcp != 0, now_ns);
            nearly += !over(reference, one, is_tcp != 0, now_ns - reference->life_ns[is_tcp] / 16);
        }
    ok(track_counts(track).flows >= live && track_counts(track).flows <= nearly,
       "after a tick %llu flows are there, %u of them live", (unsigned long long)track_counts(track).flows, live);
    is_u64(track_counts(track).evicted, 0, "none had to go");
    is_u64(reference->owner_count - reference->released, track_counts(track).flows, "the others were released");
    track_free(track);
    ok(reference->released == reference->owner_count && reference->twice == 0, "each owner is released once");
    free(reference);
}

static struct track *small_table(void)
{
    struct track_options options = {.bytes = 65536, .lifetime_ns = 60 * second, .tcp_lifetime_ns = 60 * second};

    return track_new(&options, NULL);
}

static void test_tcp(void)
{
    struct track *track = small_table();
    int64_t now = start_ns;

    ok(packet(track, 2, false, tcp, syn, now).begins, "a SYN begins");
    ok(packet(track, 2, true, tcp, syn | ack, now).begins, "the other direction, too");
    ok(!packet(track, 2, false, tcp, syn, now).begins, "a SYN that is repeated does not");
    packet(track, 2, false, tcp, fin | ack, now);
    ok(!packet(track, 2, false, tcp, ack, now + 30 * second).begins, "after FIN of one side it lives on");
    packet(track, 2, true, tcp, fin | ack, now += 31 * second);
    ok(!packet(track, 2, false, tcp, ack, now += 5 * second).begins, "after FIN of both it lives five seconds");
    ok(packet(track, 2, false, tcp, ack, now += 6 * second).begins, "and not six");
    packet(track, 2, true, tcp, rst, now);
    ok(!packet(track, 2, false, tcp, ack, now).begins, "what comes behind RST belongs to it");
    ok(packet(track, 2, false, tcp, syn, now).begins, "a SYN behind RST begins anew");
    ok(!packet(track, 2, true, udp, 0, now).backwards, "UDP of the same ports is another flow");
    is_u64(track_counts(track).flows, 2, "these are two");
    track_free(track);
}

static void test_directions(void)
{
    struct track *track = small_table();
    struct flow flow;

    ok(packet(track, 4, true, udp, 0, start_ns).begins && packet(track, 4, false, udp, 0, start_ns).backwards,
       "the first packet tells the direction");
    for (int i = 1; i <= 100; i++)
        packet(track, 4, true, udp, 0, start_ns + i * second);
    ok(packet(track, 4, false, udp, 0, start_ns + 100 * second).begins,
       "a direction that was quiet for a lifetime begins anew");
    make_flow(&flow, 6, false, udp, 0);
    flow_set_src_host(&flow, flow.dst_host);
    flow_set_src_port(&flow, flow.dst_port);
    ok(track_packet(track, &flow, start_ns + 100 * second).begins &&
           !track_packet(track, &flow, start_ns + 100 * second).begins,
       "one who talks with himself has one direction");
    ok(packet(track, 8, false, 1, 0, start_ns + 100 * second).begins &&
           packet(track, 8, true, 1, 0, start_ns + 100 * second).backwards,
       "ICMP is by hosts");
    track_free(track);
}

static void test_vlan(void)
{
    struct track_options options = {.bytes = 65536, .lifetime_ns = second, .tcp_lifetime_ns = second};

    for (unsigned by_vlan = 0; by_vlan < 2; by_vlan++) {
        struct track *track;
        struct flow flow;

        options.vlan = by_vlan != 0;
        track = track_new(&options, NULL);
        make_flow(&flow, 2, false, udp, 0);
        flow_set_vlan(&flow, 10);
        track_packet(track, &flow, start_ns);
        flow_set_vlan(&flow, 4094);
        ok(track_packet(track, &flow, start_ns).begins == (by_vlan != 0), "VLANs are %s",
           by_vlan ? "apart" : "one without the option");
        track_free(track);
    }
}

static void test_clock(void)
{
    struct track *track = small_table();

    packet(track, 2, false, udp, 0, INT64_MAX);
    ok(packet(track, 2, false, udp, 0, INT64_MIN).begins, "times may be anything");
    packet(track, 2, false, udp, 0, start_ns);
    ok(!packet(track, 2, false, udp, 0, start_ns - 2 * second).begins, "a clock may go back a little");
    track_tick(track, start_ns - 3600 * second);
    is_u64(track_counts(track).flows, 0, "an hour back ends all, and does not keep it for an hour");
    track_free(track);
}

struct order {
    uintptr_t last;
    unsigned count, wrong;
};

static void on_ordered(void *context, void *const owners[2])
{
    struct order *order = context;

    order->count++;
    order->wrong += (uintptr_t)owners[0] <= order->last;
    order->last = (uintptr_t)owners[0];
}

/* Ten times more flows than there is room for: in the order of their last packets, of whatever kind they are. */
static void test_full(void)
{
    struct order order = {0};
    struct track_options options = {.bytes = 65536, .lifetime_ns = 100000 * second, .tcp_lifetime_ns = 100000 * second,
                                    .release = on_ordered, .context = &order};
    struct track *track = track_new(&options, NULL);
    const uint32_t step_s = 7000; /* more than a sixteenth of the lifetime, so that the order is exact */
    uint64_t room = 0;

    for (uint32_t n = 0; track_counts(track).evicted == 0; n++) {
        uint8_t proto = n % 3 == 0 ? tcp : n % 3 == 1 ? udp : 1;
        struct track_hit hit = packet(track, n, false, proto, 0, start_ns + n);

        hit.entry->owners[0] = (void *)(uintptr_t)(n + 1);
        room = track_counts(track).flows;
    }
    ok(room >= 65536 / 144 - 2 && room <= 65536 / 144, "%llu flows are in 65536 bytes", (unsigned long long)room);
    for (uint32_t n = 0; n < 5; n++) { /* the second to sixth have packets again, and are now the newest */
        struct track_hit hit = packet(track, n + 1, false, (n + 1) % 3 == 0 ? tcp : (n + 1) % 3 == 1 ? udp : 1, 0,
                                      start_ns + (int64_t)step_s * second + n);

        ok(!hit.begins, "flow %u is there", n + 1);
        hit.entry->owners[0] = (void *)(uintptr_t)(100000 + n);
    }
    for (uint32_t n = 0; n < room; n++)
        packet(track, 1000000 + n, false, udp, 0, start_ns + (int64_t)step_s * second + 10 + n);
    is_u64(order.count, room + 1, "all others gave way");
    is_u64(order.wrong, 0, "the one longest idle first");
    is_u64(track_counts(track).evicted, room + 1, "which is counted");
    track_free(track);
}

static int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * second + now.tv_nsec;
}

static void test_million(void)
{
    const uint32_t flows = 1000000;
    struct track_options options = {.bytes = UINT64_C(160) * flows, .lifetime_ns = 60 * second,
                                    .tcp_lifetime_ns = 60 * second};
    struct track *track = track_new(&options, NULL);
    struct flow *flow = calloc(1, sizeof(*flow));
    int64_t begin_ns, making_ns, looking_ns;
    uint64_t begun = 0, again = 0;

    begin_ns = clock_ns();
    for (uint32_t n = 0; n < flows; n++) {
        make_flow(flow, n, false, n & 2 ? tcp : udp, ack);
        begun += track_packet(track, flow, start_ns + n * 1000).begins;
    }
    making_ns = clock_ns() - begin_ns;
    begin_ns = clock_ns();
    for (uint32_t i = 0; i < 2 * flows; i++) {
        uint32_t n = random_below(flows);

        make_flow(flow, n, false, n & 2 ? tcp : udp, ack);
        again += track_packet(track, flow, start_ns + second + i * 1000).begins;
    }
    looking_ns = clock_ns() - begin_ns;
    is_u64(begun, flows, "a million flows begin, %lld ns each", (long long)making_ns / flows);
    is_u64(again, 0, "and are found again, %lld ns each", (long long)looking_ns / (2 * flows));
    begin_ns = clock_ns();
    for (unsigned i = 0; i < 100; i++)
        track_tick(track, start_ns + 100 * second);
    is_u64(track_counts(track).flows, 0, "and end, %lld ns each", (long long)(clock_ns() - begin_ns) / flows);
    track_free(track);
    free(flow);
}

static void test_refused(void)
{
    struct track_options options = {.bytes = 1000};
    struct error error = {""};

    ok(track_new(&options, &error) == NULL, "1000 bytes are refused");
    is_text(error.text, "1000 bytes are too few for flows, at least 65536 are needed", "with a phrase");
    track_free(NULL);
}

int main(void)
{
    plan_none();
    test_reference();
    test_tcp();
    test_directions();
    test_vlan();
    test_clock();
    test_full();
    test_million();
    test_refused();
    return done_testing();
}
