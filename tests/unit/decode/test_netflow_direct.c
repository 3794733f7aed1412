/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of direct.c against the long one: two decoders get the same random templates and octets, one of them
 * may write bodies at once, the other gives records that layout_project() makes bodies of. Both must give every plugin
 * the same bodies in the same order, and count the same.
 */
#include "test_netflow_message.h"

#define plugins 3
#define rounds 400
#define messages_of_round 6
#define bodies_bytes (1u << 22)

static const struct {
    uint32_t enterprise;
    uint16_t id;
} elements[] = {
#define MAP_FIELD(field, enterprise, id, rank, which) {enterprise, id},
#define MAP_PART(part, enterprise, id, rank, which) {enterprise, id},
#include "decode/netflow/mapping.def"
#undef MAP_FIELD
#undef MAP_PART
};

/* Which of the above give a field that is wanted: templates of others only would test little. */
static const uint16_t usual[] = {1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 16, 17, 27, 28, 58, 56, 80, 89, 225, 228};

/* Keys and counters without texts, since a layout with a text is never written at once. */
static const char *const words[] = {"src_host", "dst_host", "src_port", "dst_port", "proto", "tos", "tcpflags", "flows",
                                    "in_iface", "out_iface", "src_as", "dst_as", "src_mac", "dst_mac", "vlan", "etype",
                                    "peer_src_ip", "export_proto_version", "export_proto_sysid", "export_proto_seqno",
                                    "timestamp_arrival", "timestamp_export", "fwd_status", "post_nat_src_host",
                                    "post_nat_dst_port", "src_mask", "peer_dst_as", "cos", "nat_event", "tunnel_proto",
                                    "sampling_direction", "timestamp_start", "peer_dst_ip", "sampling_rate"};

static uint64_t state = 20261121;

static unsigned any(unsigned count)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % count;
}

static void fail_hard(const struct error *error)
{
    printf("Bail out! %s\n", error->text);
    exit(1);
}

struct side {
    struct netflow *netflow;
    struct ledger *ledger;
    const struct layout *layouts;
    uint64_t counters[INPUT_COUNTERS];
    uint8_t *bodies[plugins];
    size_t sizes[plugins];
    uint64_t at_once;
};

static void keep(struct side *side, unsigned target, const uint8_t *bytes, size_t size)
{
    if (side->sizes[target] + size > bodies_bytes)
        abort();
    memcpy(side->bodies[target] + side->sizes[target], bytes, size);
    side->sizes[target] += size;
}

static void take_flow(void *context, struct flow *flow)
{
    struct side *side = context;
    uint64_t body[layout_body_words];

    for (unsigned i = 0; i < plugins; i++)
        keep(side, i, (uint8_t *)body, layout_project(&side->layouts[i], flow, 0, (uint8_t *)body));
}

static void take_bodies(void *context, unsigned target, const uint8_t *bodies, unsigned count)
{
    struct side *side = context;

    side->at_once += count;
    keep(side, target, bodies, (size_t)count * side->layouts[target].body_bytes);
}

static void side_open(struct side *side, const struct layout *layouts, bool direct)
{
    struct error error = {""};
    struct netflow_options options = {.hold_bytes_max = 1 << 20};
    struct decode_output output = {.record = take_flow, .context = side, .counters = side->counters};

    if (side->ledger == NULL && (side->ledger = ledger_create(&error)) == NULL)
        fail_hard(&error);
    side->layouts = layouts;
    side->at_once = 0;
    memset(side->counters, 0, sizeof(side->counters));
    for (unsigned i = 0; i < plugins; i++) {
        if (side->bodies[i] == NULL && (side->bodies[i] = malloc(bodies_bytes)) == NULL)
            exit(1);
        side->sizes[i] = 0;
        field_set_merge(&output.wants, &layouts[i].needs);
        output.targets[i] = &layouts[i];
    }
    output.ledger = side->ledger;
    output.target_count = direct ? plugins : 0;
    output.bodies = take_bodies;
    side->netflow = netflow_new(&options, &output, &error);
    if (side->netflow == NULL)
        fail_hard(&error);
}

static void make_layout(struct layout *layout)
{
    struct aggregate aggregate = {.sum = false};
    struct layout_options options = {.history = any(3) == 0, .stitching = any(4) == 0,
                                     .base_time = any(8) == 0 ? FIELD_TIMESTAMP_START : FIELD_TIMESTAMP_ARRIVAL};
    struct error error = {""};

    for (unsigned i = any(8) + 1, common = any(4); i > 0; i--)
        aggregate_add(&aggregate, words[any(common > 0 ? 20 : (unsigned)array_length(words))], &error);
    if (layout_compile(layout, &aggregate, &options, &error) < 0 || layout->string_count > 0)
        fail_hard(&error);
}

/* ---- random messages ---- */

static struct message_writer w;

static unsigned length_for(unsigned id)
{
    static const uint8_t odd[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 20};

    if (any(8) == 0)
        return any(3) == 0 && w.version == 10 ? 65535 : odd[any((unsigned)array_length(odd))];
    switch (id) {
    case 27:
    case 28:
        return 16;
    case 56:
    case 80:
        return 6;
    case 4:
    case 5:
        return 1;
    case 6:
    case 7:
    case 11:
    case 58:
    case 228:
        return any(4) == 0 && id == 6 ? 1 : 2;
    case 1:
    case 2:
        return any(2) == 0 ? 4 : 8;
    case 10:
    case 14:
    case 16:
    case 17:
        return any(2) == 0 ? 2 : 4;
    default:
        return 4;
    }
}

static void put_random_template(unsigned id)
{
    unsigned count = any(14) + 1;

    set_begin(&w, w.version == 9 ? 0 : 2);
    put16(&w, id);
    put16(&w, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned pick = any((unsigned)array_length(elements));

        if (any(12) != 0 || elements[pick].enterprise != 0 || elements[pick].id > 0x7fff) {
            unsigned element = usual[any((unsigned)array_length(usual))];

            put16(&w, element);
            put16(&w, length_for(element));
        } else {
            put16(&w, elements[pick].id);
            put16(&w, length_for(elements[pick].id));
        }
    }
    set_end(&w);
}

static void put_random_data(unsigned id)
{
    static const uint8_t protocols[] = {1, 6, 17, 47, 50};
    unsigned size = any(10) == 0 ? any(6000) : any(900);

    set_begin(&w, id);
    for (unsigned i = 0; i < size; i++)
        put8(&w, any(3) == 0 ? protocols[any(5)] : any(5) == 0 ? 255 : any(256));
    set_end(&w);
}

static void make_fixed(void)
{
    unsigned version = any(2) == 0 ? 5 : 7, count = any(60);

    w.size = w.set = 0;
    w.version = version;
    put16(&w, version);
    put16(&w, count);
    put32(&w, 100000);
    put32(&w, (uint32_t)(test_arrival_ns / INT64_C(1000000000)));
    for (unsigned i = 0; i < 12 + count * (version == 5 ? 48 : 52); i++)
        put8(&w, any(256));
}

static void make_message(unsigned number)
{
    if (any(5) == 0) {
        make_fixed();
        return;
    }
    message_begin(&w, any(2) == 0 ? 9 : 10, number, any(2));
    for (unsigned sets = any(5) + 2; sets > 0; sets--) {
        unsigned id = 256 + any(4);

        if (any(3) == 0)
            put_random_template(id);
        else
            put_random_data(id);
    }
    message_end(&w);
}

/* ---- */

static void send_to_both(struct side *a, struct side *b, unsigned number)
{
    static const uint8_t source[4] = {198, 18, 0, 113};
    struct origin origin = {.source_port = 4000, .arrival_ns = test_arrival_ns + number};
    size_t size;

    address_set_ipv4(&origin.source, source);
    make_message(number);
    size = any(20) == 0 ? any((unsigned)w.size) : w.size;
    uint8_t *copy = malloc(size + 1); /* of its own, so that a read behind its end is seen */
    memcpy(copy, w.bytes, size);
    netflow_datagram(a->netflow, copy, size, &origin);
    netflow_datagram(b->netflow, copy, size, &origin);
    free(copy);
}

/* Returns whether both sides have given the same. */
static bool round_is_equal(unsigned round, uint64_t *at_once, uint64_t *records)
{
    static struct layout layouts[plugins];
    static struct side a, b; /* their ledgers and buffers serve all rounds */
    bool equal = true;

    for (unsigned i = 0; i < plugins; i++)
        make_layout(&layouts[i]);
    side_open(&a, layouts, true);
    side_open(&b, layouts, false);
    for (unsigned i = 0; i < messages_of_round; i++)
        send_to_both(&a, &b, i + 1);
    for (unsigned i = 0; i < plugins; i++) {
        size_t differ = 0;

        while (differ < a.sizes[i] && differ < b.sizes[i] && a.bodies[i][differ] == b.bodies[i][differ])
            differ++;
        if (a.sizes[i] == b.sizes[i] && differ == a.sizes[i])
            continue;
        printf("# round %u, target %u: %zu and %zu octets, body %zu differs at %zu\n", round, i, a.sizes[i], b.sizes[i],
             differ / layouts[i].body_bytes, differ % layouts[i].body_bytes);
        equal = false;
    }
    for (unsigned i = 0; i < INPUT_COUNTERS; i++) {
        if (a.counters[i] != b.counters[i]) {
            printf("# round %u: counter %u is %llu and %llu\n", round, i, (unsigned long long)a.counters[i],
                 (unsigned long long)b.counters[i]);
            equal = false;
        }
    }
    equal = equal && b.at_once == 0;
    *at_once += a.at_once / plugins;
    *records += a.counters[INPUT_records_decoded];
    netflow_free(a.netflow);
    netflow_free(b.netflow);
    return equal;
}

int main(void)
{
    uint64_t at_once = 0, records = 0;
    unsigned equal = 0;

    for (unsigned round = 0; round < rounds; round++)
        equal += round_is_equal(round, &at_once, &records);
    ok(equal == rounds, "%u of %u rounds are equal", equal, rounds);
    ok(at_once > records / 10, "many records went the short way: %llu of %llu", (unsigned long long)at_once,
       (unsigned long long)records);
    ok(at_once < records, "others the long one");
    return done_testing();
}
