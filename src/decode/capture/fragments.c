/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room is cut into cells of one size. A datagram takes one cell, a frame that waits takes as many as its bytes
 * need, so that either kind can use what the other one does not. Cells never move, and those that were never used are
 * never touched: an idle table costs no memory.
 *
 * Two queues, both oldest first: the datagrams whose ports are known, by the time of their first fragment, and the
 * frames that wait, by arrival. A datagram whose ports are not known stays as long as a frame waits for it. When a cell
 * is needed and none is free, the older one of both heads goes.
 */
#include "decode/capture/fragments.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/hash.h"

#define cell_bytes 128
#define no_cell 0u                       /* the first cell is not used */
#define chain_max 8                      /* datagrams of one bucket */
#define frame_max (256 * 1024)           /* libpcap's longest snapshot */
#define bytes_min (UINT64_C(16) * 1024)
#define cells_max (UINT64_C(1) << 30)
#define key_words 5

struct datagram {
    uint64_t key[key_words];
    int64_t since_ns;      /* when its ports became known */
    uint64_t number;       /* of the call then, for the order of eviction */
    uint32_t chain;        /* the next one of the same bucket */
    uint32_t older, newer; /* in the queue, when ports.known */
    uint32_t first, last;  /* frames that wait for it */
    struct fragment_ports ports;
};

struct waiting {
    struct frame frame; /* its bytes are in the cells */
    uint64_t number;
    uint32_t datagram;
    uint32_t next; /* of the same datagram */
    uint32_t older, newer;
    uint32_t more; /* the cell with the bytes that follow */
    uint8_t bytes[];
};

struct rest { /* the other cells of a frame */
    uint32_t more;
    uint8_t bytes[cell_bytes - sizeof(uint32_t)];
};

union cell {
    uint32_t next_free;
    struct datagram datagram;
    struct waiting waiting;
    struct rest rest;
    uint8_t whole[cell_bytes];
};

#define head_bytes (cell_bytes - (uint32_t)offsetof(struct waiting, bytes)) /* of a frame in its first cell */
#define rest_bytes ((uint32_t)sizeof(((struct rest *)0)->bytes))

_Static_assert(sizeof(union cell) == cell_bytes, "a cell holds one of each");

struct queue {
    uint32_t oldest, newest;
};

struct fragments {
    fragment_release_fn *release;
    void *context;
    struct hash_seed seed;
    struct fragment_counts counts;
    struct queue known, frames;
    uint64_t number;      /* of the call: a clock that never goes back */
    uint32_t *buckets;    /* the newest datagram of each */
    uint32_t bucket_mask;
    uint32_t untouched;   /* cells from here on were never used */
    uint32_t free_list, free_count;
    uint32_t largest;     /* bytes of a frame that may wait */
    uint8_t *contiguous;  /* where a frame is put together again */
    union cell *cells;
};

struct fragments *fragments_new(uint64_t bytes, fragment_release_fn *release, void *context, struct error *error)
{
    uint64_t largest = min_u64(bytes / 4, frame_max) & ~UINT64_C(7), cells, buckets = 1;
    struct fragments *fragments;

    if (bytes < bytes_min) {
        error_set(error, "%llu bytes are too few for fragments, at least %llu are needed", (unsigned long long)bytes,
                  (unsigned long long)bytes_min);
        return NULL;
    }
    cells = min_u64((bytes - largest) / (cell_bytes + sizeof(uint32_t)), cells_max);
    while (buckets * 2 <= cells)
        buckets *= 2;
    fragments = calloc(1, sizeof(*fragments));
    if (fragments != NULL)
        fragments->cells = calloc(1, cells * cell_bytes + buckets * sizeof(uint32_t) + largest);
    if (fragments == NULL || fragments->cells == NULL) {
        free(fragments);
        error_set(error, "no memory for %llu bytes of fragments", (unsigned long long)bytes);
        return NULL;
    }
    fragments->release = release;
    fragments->context = context;
    fragments->seed = hash_seed_new();
    fragments->buckets = (uint32_t *)(fragments->cells + cells);
    fragments->bucket_mask = (uint32_t)buckets - 1;
    fragments->contiguous = (uint8_t *)(fragments->buckets + buckets);
    fragments->largest = (uint32_t)largest;
    fragments->untouched = 1;
    fragments->free_count = (uint32_t)cells - 1;
    return fragments;
}

void fragments_free(struct fragments *fragments)
{
    if (fragments == NULL)
        return;
    free(fragments->cells);
    free(fragments);
}

struct fragment_counts fragments_counts(const struct fragments *fragments)
{
    return fragments->counts;
}

/* The caller has seen that free_count is not 0. */
static uint32_t cell_take(struct fragments *fragments)
{
    uint32_t cell = fragments->free_list;

    fragments->free_count--;
    if (cell == no_cell)
        return fragments->untouched++;
    fragments->free_list = fragments->cells[cell].next_free;
    return cell;
}

static void cell_give(struct fragments *fragments, uint32_t cell)
{
    fragments->cells[cell].next_free = fragments->free_list;
    fragments->free_list = cell;
    fragments->free_count++;
}

static struct datagram *datagram_at(struct fragments *fragments, uint32_t cell)
{
    return &fragments->cells[cell].datagram;
}

static struct waiting *waiting_at(struct fragments *fragments, uint32_t cell)
{
    return &fragments->cells[cell].waiting;
}

static void known_append(struct fragments *fragments, uint32_t cell)
{
    struct queue *queue = &fragments->known;
    struct datagram *datagram = datagram_at(fragments, cell);

    datagram->older = queue->newest;
    datagram->newer = no_cell;
    *(queue->newest != no_cell ? &datagram_at(fragments, queue->newest)->newer : &queue->oldest) = cell;
    queue->newest = cell;
}

static void known_remove(struct fragments *fragments, uint32_t cell)
{
    struct queue *queue = &fragments->known;
    const struct datagram *gone = datagram_at(fragments, cell);

    *(gone->older != no_cell ? &datagram_at(fragments, gone->older)->newer : &queue->oldest) = gone->newer;
    *(gone->newer != no_cell ? &datagram_at(fragments, gone->newer)->older : &queue->newest) = gone->older;
}

static void frames_append(struct fragments *fragments, uint32_t cell)
{
    struct queue *queue = &fragments->frames;
    struct waiting *waiting = waiting_at(fragments, cell);

    waiting->older = queue->newest;
    waiting->newer = no_cell;
    *(queue->newest != no_cell ? &waiting_at(fragments, queue->newest)->newer : &queue->oldest) = cell;
    queue->newest = cell;
}

static void frames_remove(struct fragments *fragments, uint32_t cell)
{
    struct queue *queue = &fragments->frames;
    const struct waiting *gone = waiting_at(fragments, cell);

    *(gone->older != no_cell ? &waiting_at(fragments, gone->older)->newer : &queue->oldest) = gone->newer;
    *(gone->newer != no_cell ? &waiting_at(fragments, gone->newer)->older : &queue->newest) = gone->older;
}

static void pack_key(uint64_t words[key_words], const struct fragment_key *key)
{
    memcpy(words, &key->source, sizeof(key->source));
    memcpy(words + 2, &key->destination, sizeof(key->destination));
    words[4] = (uint64_t)key->version << 40 | (uint64_t)key->proto << 32 | key->id;
}

static uint32_t *bucket_of(struct fragments *fragments, const uint64_t key[key_words])
{
    return &fragments->buckets[hash_words(key, key_words, fragments->seed) & fragments->bucket_mask];
}

static uint32_t find(struct fragments *fragments, const uint64_t key[key_words])
{
    const size_t size = key_words * sizeof(key[0]);
    uint32_t cell = *bucket_of(fragments, key);

    while (cell != no_cell && memcmp(datagram_at(fragments, cell)->key, key, size) != 0)
        cell = datagram_at(fragments, cell)->chain;
    return cell;
}

/* Also when the clock was set back: the time between is what counts, either way. */
static bool too_long(int64_t since_ns, int64_t now_ns)
{
    uint64_t since = (uint64_t)since_ns, now = (uint64_t)now_ns;
    uint64_t between = now_ns > since_ns ? now - since : since - now;

    return between > (uint64_t)fragment_wait_ns;
}

static void datagram_forget(struct fragments *fragments, uint32_t cell)
{
    struct datagram *datagram = datagram_at(fragments, cell);
    uint32_t *link = bucket_of(fragments, datagram->key);

    while (*link != cell)
        link = &datagram_at(fragments, *link)->chain;
    *link = datagram->chain;
    if (datagram->ports.known)
        known_remove(fragments, cell);
    cell_give(fragments, cell);
}

/* Puts the frame's bytes together and gives its cells back. */
static struct frame frame_take(struct fragments *fragments, uint32_t cell)
{
    const struct waiting *waiting = waiting_at(fragments, cell);
    struct frame frame = waiting->frame;
    uint32_t done = (uint32_t)min_u64(frame.captured, head_bytes), more = waiting->more;

    memcpy(fragments->contiguous, waiting->bytes, done);
    cell_give(fragments, cell);
    while (more != no_cell) {
        const struct rest *rest = &fragments->cells[more].rest;
        uint32_t size = (uint32_t)min_u64(frame.captured - done, rest_bytes), next = rest->more;

        memcpy(fragments->contiguous + done, rest->bytes, size);
        done += size;
        cell_give(fragments, more);
        more = next;
    }
    frame.bytes = fragments->contiguous;
    return frame;
}

/* The first frame that waits for the datagram goes on; with it the datagram, when that has neither frames nor ports. */
static void release_one(struct fragments *fragments, uint32_t datagram_cell)
{
    struct datagram *datagram = datagram_at(fragments, datagram_cell);
    const struct fragment_ports ports = datagram->ports;
    uint32_t cell = datagram->first;
    struct frame frame;

    datagram->first = waiting_at(fragments, cell)->next;
    frames_remove(fragments, cell);
    frame = frame_take(fragments, cell);
    fragments->counts.waiting--;
    if (!ports.known) {
        fragments->counts.orphans++;
        if (datagram->first == no_cell)
            datagram_forget(fragments, datagram_cell);
    }
    fragments->release(fragments->context, &frame, &ports);
}

static void evict_oldest(struct fragments *fragments)
{
    uint32_t known = fragments->known.oldest, frame = fragments->frames.oldest;

    if (frame == no_cell || (known != no_cell && datagram_at(fragments, known)->number <
                                                     waiting_at(fragments, frame)->number)) {
        datagram_forget(fragments, known);
    } else {
        fragments->counts.no_room++;
        release_one(fragments, waiting_at(fragments, frame)->datagram);
    }
}

/* Of a full bucket the oldest datagram goes, so that no chain is long, whatever comes. */
static void bucket_shorten(struct fragments *fragments, const uint64_t key[key_words])
{
    uint32_t cell = *bucket_of(fragments, key), last = no_cell;
    unsigned length = 0;

    for (; cell != no_cell; cell = datagram_at(fragments, cell)->chain) {
        last = cell;
        length++;
    }
    if (length < chain_max)
        return;
    if (datagram_at(fragments, last)->ports.known) {
        datagram_forget(fragments, last);
        return;
    }
    for (bool more = true; more;) {
        more = waiting_at(fragments, datagram_at(fragments, last)->first)->next != no_cell;
        fragments->counts.no_room++;
        release_one(fragments, last);
    }
}

/* After this `cells` are free, and the datagram's bucket has a place. */
static void make_room(struct fragments *fragments, const uint64_t key[key_words], uint32_t cells)
{
    bucket_shorten(fragments, key);
    while (fragments->free_count < cells)
        evict_oldest(fragments);
}

static uint32_t datagram_add(struct fragments *fragments, const uint64_t key[key_words])
{
    uint32_t cell = cell_take(fragments), *bucket = bucket_of(fragments, key);
    struct datagram *datagram = datagram_at(fragments, cell);

    *datagram = (struct datagram){.chain = *bucket};
    memcpy(datagram->key, key, sizeof(datagram->key));
    *bucket = cell;
    return cell;
}

void fragments_first(struct fragments *fragments, const struct fragment_key *key, uint16_t source_port,
                     uint16_t destination_port, int64_t now_ns)
{
    uint64_t words[key_words];
    struct datagram *datagram;
    uint32_t cell;

    fragments->number++;
    pack_key(words, key);
    cell = find(fragments, words);
    if (cell == no_cell) {
        make_room(fragments, words, 1);
        cell = datagram_add(fragments, words);
    }
    datagram = datagram_at(fragments, cell);
    if (datagram->ports.known)
        known_remove(fragments, cell);
    datagram->ports = (struct fragment_ports){.source = source_port, .destination = destination_port, .known = true};
    datagram->since_ns = now_ns;
    datagram->number = fragments->number;
    known_append(fragments, cell);
    while (datagram->first != no_cell)
        release_one(fragments, cell);
}

static uint32_t cells_of(uint32_t captured)
{
    return captured <= head_bytes ? 1 : 1 + (captured - head_bytes + rest_bytes - 1) / rest_bytes;
}

/* Copies the frame into cells, of which there are enough. Returns the first one. */
static uint32_t frame_put(struct fragments *fragments, const struct frame *frame, uint32_t datagram)
{
    uint32_t cell = cell_take(fragments), done = (uint32_t)min_u64(frame->captured, head_bytes);
    struct waiting *waiting = waiting_at(fragments, cell);
    uint32_t *link = &waiting->more;

    *waiting = (struct waiting){.frame = *frame, .number = fragments->number, .datagram = datagram};
    if (done > 0)
        memcpy(waiting->bytes, frame->bytes, done);
    while (done < frame->captured) {
        uint32_t next = cell_take(fragments), size = (uint32_t)min_u64(frame->captured - done, rest_bytes);
        struct rest *rest = &fragments->cells[next].rest;

        memcpy(rest->bytes, frame->bytes + done, size);
        rest->more = no_cell;
        *link = next;
        link = &rest->more;
        done += size;
    }
    return cell;
}

static void keep(struct fragments *fragments, const uint64_t key[key_words], const struct frame *frame)
{
    uint32_t cell, owner;
    struct datagram *datagram;

    owner = find(fragments, key);
    if (owner == no_cell)
        owner = datagram_add(fragments, key);
    cell = frame_put(fragments, frame, owner);
    frames_append(fragments, cell);
    datagram = datagram_at(fragments, owner);
    if (datagram->first == no_cell)
        datagram->first = cell;
    else
        waiting_at(fragments, datagram->last)->next = cell;
    datagram->last = cell;
    fragments->counts.waiting++;
}

bool fragments_later(struct fragments *fragments, const struct fragment_key *key, const struct frame *frame,
                     struct fragment_ports *ports)
{
    static const struct fragment_ports unknown;
    uint64_t words[key_words];
    uint32_t cell;

    fragments->number++;
    pack_key(words, key);
    cell = find(fragments, words);
    if (cell != no_cell && datagram_at(fragments, cell)->ports.known) {
        if (!too_long(datagram_at(fragments, cell)->since_ns, frame->when_ns)) {
            *ports = datagram_at(fragments, cell)->ports;
            return true;
        }
        datagram_forget(fragments, cell);
    }
    if (frame->captured > fragments->largest) {
        fragments->counts.orphans++;
        fragments->counts.no_room++;
        fragments->release(fragments->context, frame, &unknown);
        return false;
    }
    make_room(fragments, words, cells_of(frame->captured) + 1);
    keep(fragments, words, frame);
    return false;
}

void fragments_tick(struct fragments *fragments, int64_t now_ns)
{
    uint32_t cell;

    while ((cell = fragments->frames.oldest) != no_cell && too_long(waiting_at(fragments, cell)->frame.when_ns, now_ns))
        release_one(fragments, waiting_at(fragments, cell)->datagram);
    while ((cell = fragments->known.oldest) != no_cell && too_long(datagram_at(fragments, cell)->since_ns, now_ns))
        datagram_forget(fragments, cell);
}

void fragments_end(struct fragments *fragments)
{
    while (fragments->frames.oldest != no_cell)
        release_one(fragments, waiting_at(fragments, fragments->frames.oldest)->datagram);
}
