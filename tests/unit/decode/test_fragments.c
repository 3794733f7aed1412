/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments against a reference that is nothing but two lists: what comes out, when, in which order, with which ports
 * and bytes. Then with too little room: every frame comes out exactly once and unchanged, and the oldest gives way.
 */
#include "decode/capture/fragments.h"

#include "lib/tap.h"

#include <stdlib.h>

#define second INT64_C(1000000000)
#define start_ns (INT64_C(1700000000) * second)

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

static bool only_small;

/* What a frame is follows from its number, so that it is known again when it comes out. */
static uint32_t size_of_frame(uint32_t number)
{
    static const uint32_t sizes[] = {0, 1, 14, 55, 56, 57, 128, 179, 180, 181, 304, 305, 1514, 9000};

    return only_small ? 1 : sizes[number * 2654435761u % array_length(sizes)];
}

static struct frame make_frame(uint32_t number, int64_t when_ns)
{
    static uint8_t bytes[256 + 9000];
    uint32_t size = size_of_frame(number);

    for (uint32_t i = 0; bytes[1] == 0 && i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    return (struct frame){.bytes = bytes + (number & 0xff), .captured = size, .length = size + 5,
                          .link = (uint16_t)(number % 300), .direction = (uint8_t)(number % 3), .in_iface = number,
                          .out_iface = number ^ 77, .when_ns = when_ns};
}

static bool same_frame(const struct frame *frame, uint32_t number)
{
    struct frame want = make_frame(number, frame->when_ns);

    return frame->captured == want.captured && frame->length == want.length && frame->link == want.link &&
           frame->direction == want.direction && frame->out_iface == want.out_iface &&
           memcmp(frame->bytes, want.bytes, want.captured) == 0;
}

static struct fragment_key make_key(uint32_t n)
{
    struct fragment_key key = {.id = n >> 3, .proto = n & 1 ? 17 : 6, .version = n & 2 ? 6 : 4};
    uint8_t octets[16] = {0x20, 1, (uint8_t)(n >> 2)};

    if (key.version == 6) {
        address_set_ipv6(&key.source, octets);
        octets[15] = 9;
        address_set_ipv6(&key.destination, octets);
    } else {
        address_set_ipv4(&key.source, octets);
        octets[3] = 9;
        address_set_ipv4(&key.destination, octets);
    }
    return key;
}

/* The reference: everything in two short lists. */
#define keys_max 64
#define frames_max 4096

struct reference {
    struct {
        bool known;
        struct fragment_ports ports;
        int64_t since_ns;
        uint64_t order; /* in which they became known */
    } datagrams[keys_max];
    struct {
        uint32_t number, key;
        int64_t when_ns;
    } frames[frames_max];
    unsigned frame_count;
    uint64_t order;
    struct {
        uint32_t number;
        struct fragment_ports ports;
    } due[frames_max]; /* what has to come out now */
    unsigned due_count, come;
    bool wrong;
};

static bool same_ports(const struct fragment_ports *a, const struct fragment_ports *b)
{
    return a->known == b->known && a->source == b->source && a->destination == b->destination;
}

static void on_release(void *context, const struct frame *frame, const struct fragment_ports *ports)
{
    struct reference *reference = context;
    unsigned at = reference->come++;

    if (at >= reference->due_count || frame->in_iface != reference->due[at].number ||
        !same_ports(ports, &reference->due[at].ports) || !same_frame(frame, frame->in_iface))
        reference->wrong = true;
}

static bool waited(int64_t since_ns, int64_t now_ns)
{
    return llabs(now_ns - since_ns) > fragment_wait_ns;
}

static void take_out(struct reference *reference, unsigned at, struct fragment_ports ports)
{
    reference->due[reference->due_count].number = reference->frames[at].number;
    reference->due[reference->due_count++].ports = ports;
    reference->frame_count--;
    memmove(&reference->frames[at], &reference->frames[at + 1],
            (reference->frame_count - at) * sizeof(reference->frames[0]));
}

static void reference_first(struct reference *reference, uint32_t key, struct fragment_ports ports, int64_t now_ns)
{
    reference->datagrams[key].known = true;
    reference->datagrams[key].ports = ports;
    reference->datagrams[key].since_ns = now_ns;
    reference->datagrams[key].order = ++reference->order;
    for (unsigned i = 0; i < reference->frame_count;) {
        if (reference->frames[i].key == key)
            take_out(reference, i, ports);
        else
            i++;
    }
}

static bool reference_later(struct reference *reference, uint32_t key, uint32_t number, int64_t now_ns)
{
    if (reference->datagrams[key].known && waited(reference->datagrams[key].since_ns, now_ns))
        reference->datagrams[key].known = false;
    if (reference->datagrams[key].known)
        return true;
    reference->frames[reference->frame_count].number = number;
    reference->frames[reference->frame_count].key = key;
    reference->frames[reference->frame_count++].when_ns = now_ns;
    return false;
}

/* Of the datagrams that became known, the first one; keys_max when there is none. */
static unsigned longest_known(const struct reference *reference)
{
    unsigned first = keys_max;

    for (unsigned key = 0; key < keys_max; key++)
        if (reference->datagrams[key].known &&
            (first == keys_max || reference->datagrams[key].order < reference->datagrams[first].order))
            first = key;
    return first;
}

static void reference_tick(struct reference *reference, int64_t now_ns)
{
    const struct fragment_ports none = {0, 0, false};
    unsigned key;

    while (reference->frame_count > 0 && waited(reference->frames[0].when_ns, now_ns))
        take_out(reference, 0, none);
    while ((key = longest_known(reference)) < keys_max && waited(reference->datagrams[key].since_ns, now_ns))
        reference->datagrams[key].known = false;
}

/* One random step of both. False when they differ. */
static bool step(struct fragments *fragments, struct reference *reference, uint32_t number, int64_t *now_ns)
{
    uint32_t what = random_below(100), n = random_below(keys_max);
    struct fragment_key key = make_key(n);

    *now_ns += random_below(2000) * (second / 10000);
    if (what == 0)
        *now_ns += 20 * second;
    if (what == 1)
        *now_ns -= random_below(40) * second; /* somebody set the clock */
    reference->due_count = reference->come = 0;
    if (what < 25) {
        struct fragment_ports ports = {(uint16_t)number, (uint16_t)(number >> 3), true};

        reference_first(reference, n, ports, *now_ns);
        fragments_first(fragments, &key, ports.source, ports.destination, *now_ns);
    } else if (what < 95) {
        struct frame frame = make_frame(number, *now_ns);
        struct fragment_ports ports = {0, 0, false};
        bool known = reference_later(reference, n, number, *now_ns);

        if (fragments_later(fragments, &key, &frame, &ports) != known ||
            (known && !same_ports(&ports, &reference->datagrams[n].ports)))
            return false;
    } else {
        reference_tick(reference, *now_ns);
        fragments_tick(fragments, *now_ns);
    }
    return !reference->wrong && reference->come == reference->due_count &&
           fragments_counts(fragments).waiting == reference->frame_count;
}

static void test_reference(void)
{
    struct reference *reference = calloc(1, sizeof(*reference));
    struct error error = {""};
    struct fragments *fragments = fragments_new(32 * 1024 * 1024, on_release, reference, &error);
    int64_t now_ns = start_ns;
    uint32_t number = 0;

    while (number < 200000 && step(fragments, reference, number, &now_ns))
        number++;
    is_u64(number, 200000, "as many random steps are as the reference has them");
    is_u64(fragments_counts(fragments).no_room, 0, "no room was needed that was not there");
    reference->due_count = reference->come = 0;
    while (reference->frame_count > 0)
        take_out(reference, 0, (struct fragment_ports){0, 0, false});
    fragments_end(fragments);
    ok(!reference->wrong && reference->come == reference->due_count && fragments_counts(fragments).waiting == 0,
       "at the end all the others come, in the order of arrival");
    fragments_free(fragments);
    free(reference);
}

/* For the tests with little room. */
struct tally {
    uint64_t come, with_ports, changed, out_of_order;
    uint32_t last;
    uint8_t *seen; /* by number */
};

static void on_tally(void *context, const struct frame *frame, const struct fragment_ports *ports)
{
    struct tally *tally = context;

    tally->come++;
    tally->with_ports += ports->known;
    tally->changed += !same_frame(frame, frame->in_iface) || tally->seen[frame->in_iface]++ != 0;
    tally->out_of_order += !ports->known && frame->in_iface < tally->last && size_of_frame(frame->in_iface) < 4096;
    if (!ports->known && size_of_frame(frame->in_iface) < 4096) /* larger ones cannot wait in so little room */
        tally->last = frame->in_iface;
}

static void test_pressure(void)
{
    const uint32_t rounds = 300000;
    struct tally tally = {.seen = calloc(rounds, 1)};
    struct fragments *fragments = fragments_new(16384, on_tally, &tally, NULL);
    struct fragment_counts counts;
    uint64_t given = 0, at_once = 0;

    for (uint32_t number = 0; number < rounds; number++) {
        int64_t now_ns = start_ns + number * (second / 1000);
        struct fragment_key key = make_key(random_below(400));
        struct frame frame = make_frame(number, now_ns);
        struct fragment_ports ports;

        if (random_below(4) == 0) {
            fragments_first(fragments, &key, 1, 2, now_ns);
        } else {
            given++;
            at_once += fragments_later(fragments, &key, &frame, &ports);
        }
        if (number % 1000 == 0)
            fragments_tick(fragments, now_ns);
    }
    fragments_end(fragments);
    counts = fragments_counts(fragments);
    is_u64(at_once + tally.come, given, "with little room every frame goes on exactly once");
    is_u64(tally.changed, 0, "none is changed or comes twice");
    is_u64(tally.out_of_order, 0, "the oldest gives way");
    is_u64(counts.orphans, tally.come - tally.with_ports, "orphans are counted");
    ok(counts.no_room > 0 && counts.no_room <= counts.orphans && tally.with_ports > 0 && at_once > 0,
       "all ways were gone: %llu at once, %llu with ports, %llu without, %llu for want of room",
       (unsigned long long)at_once, (unsigned long long)tally.with_ports, (unsigned long long)counts.orphans,
       (unsigned long long)counts.no_room);
    fragments_free(fragments);
    free(tally.seen);
}

/* A million datagrams of which only the first fragment ever comes; the newest are still known. */
static void test_flood(void)
{
    const uint32_t flood = 1000000;
    uint8_t seen[1] = {0};
    struct tally tally = {.seen = seen};
    struct fragments *fragments = fragments_new(4096000, on_tally, &tally, NULL);
    uint32_t known = 0;

    for (uint32_t n = 0; n < flood; n++) {
        struct fragment_key key = make_key(n * 8);

        fragments_first(fragments, &key, (uint16_t)n, (uint16_t)(n >> 16), start_ns + n);
    }
    for (uint32_t n = flood - 1000; n < flood; n++) {
        struct fragment_key key = make_key(n * 8);
        struct frame frame = make_frame(n, start_ns + flood);
        struct fragment_ports ports = {0, 0, false};

        frame.captured = 0;
        known += fragments_later(fragments, &key, &frame, &ports) && ports.source == (uint16_t)n &&
                 ports.destination == (uint16_t)(n >> 16);
    }
    ok(known >= 999, "after a million first fragments %u of the last 1000 are known", known);
    is_u64(tally.come, 0, "and nothing waited");
    fragments_free(fragments);
}

/* A million later fragments of as many datagrams, or as many of one. Small ones: so many wait that buckets are full. */
static void test_waiting_flood(bool one, bool small)
{
    const uint32_t flood = 1000000;
    struct tally tally = {.seen = calloc(flood, 1)};
    struct fragments *fragments = fragments_new(1024 * 1024, on_tally, &tally, NULL);
    uint64_t most = 0;

    only_small = small;
    for (uint32_t n = 0; n < flood; n++) {
        struct fragment_key key = make_key(one ? 8 : n * 8);
        struct frame frame = make_frame(n, start_ns + n);
        struct fragment_ports ports;

        fragments_later(fragments, &key, &frame, &ports);
        most = max_u64(most, fragments_counts(fragments).waiting);
    }
    fragments_end(fragments);
    only_small = false;
    is_u64(tally.come, flood, "a million later fragments of %s go on", one ? "one datagram" : "as many datagrams");
    is_u64(tally.changed, 0, "unchanged");
    ok(most > 100 && most < 8192, "at most %llu waited in 1 MiB", (unsigned long long)most);
    fragments_free(fragments);
    free(tally.seen);
}

static void test_edges(void)
{
    uint8_t seen[16] = {0};
    struct tally tally = {.seen = seen};
    struct error error = {""};
    struct fragment_key key = make_key(1), other = make_key(1);
    struct fragment_ports ports;
    struct frame frame = make_frame(13, start_ns);
    struct fragments *fragments;

    ok(fragments_new(1000, on_tally, &tally, &error) == NULL, "1000 bytes are refused");
    is_text(error.text, "1000 bytes are too few for fragments, at least 16384 are needed", "with a phrase");
    fragments = fragments_new(16384, on_tally, &tally, &error);
    frame.captured = 9000;
    frame.bytes = calloc(1, 9000);
    ok(!fragments_later(fragments, &key, &frame, &ports) && tally.come == 1 && tally.with_ports == 0,
       "a frame larger than the room goes on at once without ports");
    free((void *)(uintptr_t)frame.bytes);
    fragments_first(fragments, &key, 5, 6, start_ns);
    other.version ^= 2;
    frame.captured = 0;
    ok(!fragments_later(fragments, &other, &frame, &ports), "IPv4 and IPv6 are apart");
    other = key;
    other.proto ^= 1;
    ok(!fragments_later(fragments, &other, &frame, &ports), "protocols are apart");
    other = key;
    other.source = key.destination;
    other.destination = key.source;
    ok(!fragments_later(fragments, &other, &frame, &ports), "directions are apart");
    ok(fragments_later(fragments, &key, &frame, &ports) && ports.source == 5 && ports.destination == 6,
       "the same is known");
    frame.when_ns = INT64_MAX;
    ok(!fragments_later(fragments, &key, &frame, &ports), "at the end of time it is not");
    fragments_tick(fragments, INT64_MIN);
    is_u64(fragments_counts(fragments).waiting, 0, "a clock that goes to the other end of time releases all");
    fragments_free(fragments);
    fragments_free(NULL);
}

int main(void)
{
    plan_none();
    test_reference();
    test_pressure();
    test_flood();
    test_waiting_flood(false, false);
    test_waiting_flood(true, false);
    test_waiting_flood(false, true);
    test_edges();
    return done_testing();
}
