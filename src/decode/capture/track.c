/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index with open addressing, at most half full, and an array of entries, two cache lines each, that never move.
 * A packet costs one place of the index and one entry.
 *
 * Entries stand in three lists, since three things are idle for different times: TCP, finished TCP, all else. A list is
 * in the order of the last packet, to within a sixteenth of the lifetime: an entry that was put at the end more
 * recently than that stays where it is, so a busy flow is hardly ever moved. Whether an entry has ended is always asked
 * of its true last packet, so that only memory is given back a little late.
 */
#include "decode/capture/track.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"

#define tcp_proto 6
#define fin_flag 0x01
#define syn_flag 0x02
#define rst_flag 0x04
#define ack_flag 0x10
#define key_words 5
#define no_node 0u
#define bytes_min (UINT64_C(64) * 1024)
#define nodes_max (UINT64_C(1) << 30)
#define alignment 4096             /* of memory that is advised upon */
#define huge_min (UINT64_C(4) * 1024 * 1024)
#define granules 16                /* of a lifetime, for the order of a list */
#define tick_max 16384             /* entries that one tick ends: 2 ms or so */
#define begin_max 2                /* that each new one ends besides */
#define finished_ns (INT64_C(5) * 1000000000) /* for what is still on its way after RST, or FIN of both sides */

enum kind { KIND_OTHER, KIND_TCP, KIND_FINISHED, KIND_COUNT };

struct node {
    _Alignas(cache_line) uint64_t key[key_words];
    uint32_t hash;
    uint32_t older, newer;
    uint8_t kind;
    uint8_t forward; /* the direction of the first packet: 1 from the lower to the higher endpoint, else 0 */
    uint8_t begun;   /* a bit for each direction that had a packet */
    uint8_t fin;     /* the same of FIN */
    int64_t listed_ns; /* when it was put at the end of its list */
    struct track_entry entry;
    int64_t last_ns[2]; /* of each direction */
};

_Static_assert(sizeof(struct node) == 2 * cache_line, "two cache lines");

struct place { /* of the index; free when node is no_node */
    uint32_t hash, node;
};

struct list {
    uint32_t oldest, newest;
    int64_t life_ns, granule_ns;
};

struct track {
    struct track_options options;
    struct hash_seed seed;
    struct track_counts counts;
    struct list lists[KIND_COUNT];
    struct place *places;
    uint32_t place_count;
    uint32_t node_count; /* with the one that is not used */
    uint32_t untouched;  /* nodes from here on were never used */
    uint32_t free_list;  /* by their `newer` */
    struct node *nodes;
    void *memory;
};

struct track *track_new(const struct track_options *options, struct error *error)
{
    const int64_t lives[KIND_COUNT] = {options->lifetime_ns, options->tcp_lifetime_ns, finished_ns};
    const size_t each = sizeof(struct node) + 2 * sizeof(struct place);
    uint64_t nodes = min_u64(options->bytes / each, nodes_max);
    struct track *track;
    uintptr_t start;

    if (options->bytes < bytes_min) {
        error_set(error, "%llu bytes are too few for flows, at least %llu are needed",
                  (unsigned long long)options->bytes, (unsigned long long)bytes_min);
        return NULL;
    }
    track = calloc(1, sizeof(*track));
    if (track != NULL)
        track->memory = calloc(1, nodes * each + alignment);
    if (track == NULL || track->memory == NULL) {
        free(track);
        error_set(error, "no memory for %llu bytes of flows", (unsigned long long)options->bytes);
        return NULL;
    }
    track->options = *options;
    track->seed = hash_seed_new();
    start = align_up((uintptr_t)track->memory, (uintptr_t)alignment);
    if (options->bytes >= huge_min) /* a wish: a packet costs a quarter less */
        madvise((void *)start, nodes * each & ~(size_t)(alignment - 1), MADV_HUGEPAGE);
    track->nodes = (struct node *)start;
    track->places = (struct place *)(track->nodes + nodes);
    track->place_count = (uint32_t)(2 * nodes);
    track->node_count = (uint32_t)nodes;
    track->untouched = 1;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        track->lists[kind].life_ns = lives[kind];
        track->lists[kind].granule_ns = lives[kind] / granules;
    }
    return track;
}

struct track_counts track_counts(const struct track *track)
{
    return track->counts;
}

/* Time between, whichever is earlier: a clock that was set back must not keep entries for ever. */
static uint64_t between_ns(int64_t a_ns, int64_t b_ns)
{
    return a_ns > b_ns ? (uint64_t)a_ns - (uint64_t)b_ns : (uint64_t)b_ns - (uint64_t)a_ns;
}

static bool has_ended(const struct track *track, const struct node *node, int64_t now_ns)
{
    return between_ns(node->entry.last_ns, now_ns) > (uint64_t)track->lists[node->kind].life_ns;
}

static void list_append(struct track *track, struct node *node)
{
    struct list *list = &track->lists[node->kind];
    uint32_t number = (uint32_t)(node - track->nodes);

    node->listed_ns = node->entry.last_ns;
    node->older = list->newest;
    node->newer = no_node;
    *(list->newest != no_node ? &track->nodes[list->newest].newer : &list->oldest) = number;
    list->newest = number;
}

static void list_remove(struct track *track, const struct node *node)
{
    struct list *list = &track->lists[node->kind];

    *(node->older != no_node ? &track->nodes[node->older].newer : &list->oldest) = node->newer;
    *(node->newer != no_node ? &track->nodes[node->newer].older : &list->newest) = node->older;
}

/* Where a hash would stand in an empty index. */
static uint32_t home(const struct track *track, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * track->place_count >> 32);
}

static uint32_t next_place(const struct track *track, uint32_t place)
{
    return place + 1 == track->place_count ? 0 : place + 1;
}

/* The place of the key's entry, or the free one where it belongs. */
static struct place *find(const struct track *track, const uint64_t key[key_words], uint32_t hash)
{
    const size_t size = key_words * sizeof(key[0]);
    uint32_t at = home(track, hash);

    for (;; at = next_place(track, at)) {
        struct place *place = &track->places[at];

        if (place->node == no_node ||
            (place->hash == hash && memcmp(track->nodes[place->node].key, key, size) == 0))
            return place;
    }
}

/* Whether `at` lies in the run that begins at `from` and ends before `to`, round the end of the index. */
static bool lies_in(uint32_t from, uint32_t at, uint32_t to)
{
    return from <= to ? from <= at && at < to : from <= at || at < to;
}

/* Places behind the freed one move up, as far as their home lets them, so that no search ends too early. */
static void index_remove(struct track *track, const struct node *node)
{
    uint32_t number = (uint32_t)(node - track->nodes), hole = home(track, node->hash), at;

    while (track->places[hole].node != number)
        hole = next_place(track, hole);
    for (at = next_place(track, hole); track->places[at].node != no_node; at = next_place(track, at)) {
        uint32_t wanted = home(track, track->places[at].hash);

        if (wanted == hole || !lies_in(next_place(track, hole), wanted, next_place(track, at))) {
            track->places[hole] = track->places[at];
            hole = at;
        }
    }
    track->places[hole].node = no_node;
}

static void node_end(struct track *track, struct node *node)
{
    list_remove(track, node);
    index_remove(track, node);
    track->counts.flows--;
    if (track->options.release != NULL && (node->entry.owners[0] != NULL || node->entry.owners[1] != NULL))
        track->options.release(track->options.context, node->entry.owners);
    node->newer = track->free_list;
    track->free_list = (uint32_t)(node - track->nodes);
}

void track_free(struct track *track)
{
    if (track == NULL)
        return;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        while (track->lists[kind].oldest != no_node)
            node_end(track, &track->nodes[track->lists[kind].oldest]);
    free(track->memory);
    free(track);
}

/* Ends what is over, `most` of each list at most. What stands behind an entry that is not over may wait a little. */
static void end_idle(struct track *track, int64_t now_ns, unsigned most)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        const struct list *list = &track->lists[kind];

        for (unsigned i = 0; i < most && list->oldest != no_node; i++) {
            if (!has_ended(track, &track->nodes[list->oldest], now_ns))
                break;
            node_end(track, &track->nodes[list->oldest]);
        }
    }
}

void track_tick(struct track *track, int64_t now_ns)
{
    end_idle(track, now_ns, tick_max);
}

/* Of the heads of the lists, the one longest idle. There is one, since this is for a full table. */
static void evict(struct track *track)
{
    struct node *longest = NULL;

    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        struct node *node = &track->nodes[track->lists[kind].oldest];

        if (track->lists[kind].oldest != no_node && (longest == NULL || node->listed_ns < longest->listed_ns))
            longest = node;
    }
    track->counts.evicted++;
    node_end(track, longest);
}

static struct node *node_take(struct track *track, int64_t now_ns)
{
    struct node *node;

    end_idle(track, now_ns, begin_max);
    if (track->free_list == no_node && track->untouched == track->node_count)
        evict(track);
    if (track->free_list == no_node)
        return &track->nodes[track->untouched++];
    node = &track->nodes[track->free_list];
    track->free_list = node->newer;
    return node;
}

static struct node *node_begin(struct track *track, const uint64_t key[key_words], uint32_t hash, uint8_t direction,
                               int64_t now_ns)
{
    struct node *node = node_take(track, now_ns);
    struct place *place = find(track, key, hash); /* only now: making room moves places */

    *node = (struct node){.hash = hash, .forward = direction, .entry = {.first_ns = now_ns, .last_ns = now_ns}};
    memcpy(node->key, key, sizeof(node->key));
    node->kind = (key[4] >> 32 & 0xff) == tcp_proto ? KIND_TCP : KIND_OTHER;
    place->hash = hash;
    place->node = (uint32_t)(node - track->nodes);
    list_append(track, node);
    track->counts.flows++;
    return node;
}

/* Returns 1 when the packet goes from the lower to the higher endpoint, else 0; both give the same key. */
static uint8_t make_key(const struct track *track, const struct flow *flow, uint64_t key[key_words])
{
    static const struct address absent;
    const struct address *source = flow_has(flow, FIELD_SRC_HOST) ? &flow->src_host : &absent;
    const struct address *destination = flow_has(flow, FIELD_DST_HOST) ? &flow->dst_host : &absent;
    uint64_t source_port = flow_has(flow, FIELD_SRC_PORT) ? flow->src_port : 0;
    uint64_t destination_port = flow_has(flow, FIELD_DST_PORT) ? flow->dst_port : 0;
    uint64_t proto = flow_has(flow, FIELD_PROTO) ? flow->proto : 0;
    uint64_t vlan = track->options.vlan && flow_has(flow, FIELD_VLAN) ? flow->vlan : 0;
    int order = memcmp(source, destination, sizeof(*source));
    uint8_t upward = order < 0 || (order == 0 && source_port <= destination_port);

    memcpy(key, upward ? source : destination, sizeof(*source));
    memcpy(key + 2, upward ? destination : source, sizeof(*source));
    key[4] = proto << 32 | vlan << 40 |
             (upward ? source_port << 16 | destination_port : destination_port << 16 | source_port);
    return upward;
}

/* Counts the packet in; true when it is the first one of its direction, or of it after a lifetime. */
static bool note_packet(const struct track *track, struct node *node, uint8_t direction, int64_t now_ns)
{
    uint8_t bit = (uint8_t)(1u << direction);
    uint64_t life_ns = (uint64_t)track->lists[node->kind == KIND_OTHER ? KIND_OTHER : KIND_TCP].life_ns;
    bool begins = (node->begun & bit) == 0 || between_ns(node->last_ns[direction], now_ns) > life_ns;

    node->begun |= bit;
    node->last_ns[direction] = now_ns;
    node->entry.packets++;
    if (now_ns > node->entry.last_ns)
        node->entry.last_ns = now_ns;
    return begins;
}

/* FIN of both sides or RST: what may still come does so within seconds (a retransmission, the last ACK). */
static bool finishes(struct node *node, uint8_t direction, uint64_t flags)
{
    if (node->kind != KIND_TCP)
        return false;
    if (flags & fin_flag)
        node->fin |= (uint8_t)(1u << direction);
    return (flags & rst_flag) != 0 || node->fin == 3;
}

struct track_hit track_packet(struct track *track, const struct flow *flow, int64_t now_ns)
{
    uint64_t flags = flow_has(flow, FIELD_TCPFLAGS) ? flow->tcpflags : 0, key[key_words];
    uint8_t direction = make_key(track, flow, key);
    uint32_t hash = (uint32_t)(hash_words(key, key_words, track->seed) >> 32), number;
    struct node *node;
    struct track_hit hit;

    number = find(track, key, hash)->node;
    node = &track->nodes[number];
    if (number != no_node &&
        (has_ended(track, node, now_ns) ||
         (node->kind == KIND_FINISHED && (flags & (syn_flag | ack_flag)) == syn_flag))) { /* the ports are used again */
        node_end(track, node);
        number = no_node;
    }
    if (number == no_node)
        node = node_begin(track, key, hash, direction, now_ns);
    hit = (struct track_hit){.entry = &node->entry, .backwards = direction != node->forward};
    hit.begins = note_packet(track, node, direction, now_ns);
    if (finishes(node, direction, flags)) {
        list_remove(track, node);
        node->kind = KIND_FINISHED;
        list_append(track, node);
    } else if (between_ns(node->listed_ns, node->entry.last_ns) > (uint64_t)track->lists[node->kind].granule_ns) {
        list_remove(track, node);
        list_append(track, node);
    }
    return hit;
}
