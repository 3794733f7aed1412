/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way from one collector lane to one plugin: a ring of variable-size records in shared memory, one writer, one
 * reader, two processes.
 *
 *                 reader                     writer
 *                 head ------ records ------> tail           indices run freely, in bytes; position = index & mask
 *   | ...free... |hdr body|hdr body|hdr body| ...free... |
 *
 *   shared memory:  line 0  magic, layout fingerprint, size        set once by ring_create
 *                   line 1  tail                                   written by the writer only
 *                   line 2  head                                   written by the reader only
 *                   line 3  armed                                  set before the reader sleeps, cleared when woken
 *                   line 4  wanted                                 the head at which a writer that sleeps for room is
 *                                                                  to be woken
 *                   page 1  the data, a power of two
 *
 * Each end keeps a private copy of the other's index and looks again only when that copy is not enough. Records are
 * contiguous (a pad record fills the end), read in place, and belong to the reader until consumed; it may change them.
 * The writer publishes once per receive batch: one release store, and a wake-up only when the reader sleeps.
 *
 * The writer never overwrites what is unread. When the ring is full it drops and counts (live input), or sleeps until
 * half of the ring is free (ring_wait_room, file input).
 *
 * A reader that died leaves head where it was: the next one attaches and goes on with the unread records. A writer
 * that died leaves tail at the last publish: the next one goes on there. Nothing that the other end writes, not even
 * random bytes, makes an end touch memory outside of the ring: the writer sees a full ring, the reader an empty one
 * (ring_broken). The ring knows nothing of what is in a record.
 */
#ifndef RING_RING_H
#define RING_RING_H

#include "base/base.h"
#include "base/error.h"

enum ring_kind {
    RING_PAD,      /* between the last record and the end of the memory; ring_peek skips it, a reader never sees one */
    RING_FLOW,     /* a projected flow record */
    RING_PACKET,   /* later: raw packets */
    RING_DATAGRAM, /* later: raw datagrams */
    RING_END       /* the writer has closed the ring: nothing follows */
};

struct ring_header {
    uint32_t bytes; /* of the whole record, with this header; a multiple of 8 */
    uint16_t kind;  /* enum ring_kind */
    uint16_t flags;
};

struct ring; /* the shared memory and the wake-up descriptor; made before the fork, inherited by both ends */

/*
 * Makes a ring of at least `bytes` of data (rounded up to a power of two, at least 64 KiB; memory is touched as it is
 * used). Mapped shared so that children forked later have it. NULL on failure.
 */
struct ring *ring_create(size_t bytes, uint64_t fingerprint, struct error *error);
void ring_free(struct ring *ring);
size_t ring_size(const struct ring *ring);

/* Bytes written and not yet consumed. Exact when both ends are at rest. */
uint64_t ring_used(const struct ring *ring);

/* Writer and reader attach themselves in their own process; a fingerprint that differs is refused. */
struct ring_writer {
    struct ring *ring;
    uint8_t *data;
    uint64_t mask;
    uint64_t tail;      /* private: what is written, published or not */
    uint64_t head_seen; /* private copy of the reader's index */
    uint64_t published;
};

struct ring_reader {
    struct ring *ring;
    uint8_t *data;
    uint64_t mask;
    uint64_t head;
    uint64_t tail_seen; /* private copy of the writer's index */
    uint64_t checked;   /* headers up to here have been found sound */
    bool broken;
};

int ring_attach_writer(struct ring_writer *writer, struct ring *ring, uint64_t fingerprint, struct error *error);
int ring_attach_reader(struct ring_reader *reader, struct ring *ring, uint64_t fingerprint, struct error *error);

/*
 * Room for a record with a body of up to `body_max` bytes: returns where its body goes, 8-aligned and contiguous, or
 * NULL when the ring is full. Nothing is taken until ring_commit, which says how long the body became, at most
 * body_max; it may be left out. A record with its header takes at most half of the ring: a larger one never fits.
 */
static inline uint8_t *ring_reserve(struct ring_writer *writer, size_t body_max);
static inline void ring_commit(struct ring_writer *writer, enum ring_kind kind, size_t body_bytes);
/*
 * Many records of one size at once: room for `count` with bodies of `body_bytes`, a multiple of 8, or NULL when they
 * don't all fit in one piece. ring_commit_many takes them; each body follows its header, which ring_commit_many
 * writes.
 */
static inline uint8_t *ring_reserve_many(struct ring_writer *writer, unsigned count, size_t body_bytes);
static inline void ring_commit_many(struct ring_writer *writer, enum ring_kind kind, unsigned count, size_t body_bytes);
/* ring_reserve where the end of the memory is near, or the reader's index must be looked at again. */
uint8_t *ring_reserve_slowly(struct ring_writer *writer, size_t body_max);

/* Makes the committed records visible and wakes the reader if it sleeps. Cheap when nothing is new. */
void ring_publish(struct ring_writer *writer);

/*
 * For file input: publishes and sleeps until half of the ring is free, so that the two processes change turns seldom,
 * and returns true when there is room for `body_max`. At most `timeout_ms`; false when there is still no room, at once
 * when there can never be.
 */
bool ring_wait_room(struct ring_writer *writer, size_t body_max, int timeout_ms);

/*
 * The next contiguous run of unread records: sets *bytes and returns its first header, or NULL when there is none. A
 * run is cut at some 64 KiB; call again after ring_consume, until NULL. The reader walks it by ring_header.bytes,
 * which have been checked for the whole run: never 0, multiples of 8, the last record ends where the run ends.
 * ring_consume gives back whole records, `bytes` in all, from the front of the run.
 */
struct ring_header *ring_peek(struct ring_reader *reader, size_t *bytes);
void ring_consume(struct ring_reader *reader, size_t bytes);

/*
 * True after ring_peek met an impossible index or header: the writer is out of its mind. From then on the ring looks
 * empty and ring_arm lets the reader sleep; only a new ring helps.
 */
static inline bool ring_broken(const struct ring_reader *reader)
{
    return reader->broken;
}

/*
 * Before the reader sleeps: arms the wake-up. False when records have come meanwhile, and it must not sleep. The
 * descriptor becomes readable when the writer publishes to an armed ring; ring_wake_clear drains and disarms it.
 */
bool ring_arm(struct ring_reader *reader);
int ring_wake_fd(const struct ring *ring);
void ring_wake_clear(struct ring_reader *reader);

static inline uint8_t *ring_reserve(struct ring_writer *writer, size_t body_max)
{
    uint64_t size = writer->mask + 1;
    uint64_t position = writer->tail & writer->mask;
    uint64_t need = align_up(body_max + sizeof(struct ring_header), (size_t)8);

    if (likely(need <= size - (writer->tail - writer->head_seen) && position + need <= size &&
               body_max <= size / 2 - sizeof(struct ring_header)))
        return writer->data + position + sizeof(struct ring_header);
    return ring_reserve_slowly(writer, body_max);
}

static inline void ring_commit(struct ring_writer *writer, enum ring_kind kind, size_t body_bytes)
{
    uint32_t bytes = (uint32_t)align_up(body_bytes + sizeof(struct ring_header), (size_t)8);

    *(struct ring_header *)(writer->data + (writer->tail & writer->mask)) =
        (struct ring_header){.bytes = bytes, .kind = (uint16_t)kind};
    writer->tail += bytes;
}

static inline uint8_t *ring_reserve_many(struct ring_writer *writer, unsigned count, size_t body_bytes)
{
    uint64_t size = writer->mask + 1;
    uint64_t position = writer->tail & writer->mask;
    uint64_t need = count * (body_bytes + sizeof(struct ring_header));

    if (likely(need <= size - (writer->tail - writer->head_seen) && position + need <= size))
        return writer->data + position + sizeof(struct ring_header);
    return NULL;
}

static inline void ring_commit_many(struct ring_writer *writer, enum ring_kind kind, unsigned count, size_t body_bytes)
{
    uint32_t bytes = (uint32_t)(body_bytes + sizeof(struct ring_header));
    uint8_t *at = writer->data + (writer->tail & writer->mask);

    for (unsigned i = 0; i < count; i++, at += bytes)
        *(struct ring_header *)at = (struct ring_header){.bytes = bytes, .kind = (uint16_t)kind};
    writer->tail += (uint64_t)count * bytes;
}

#endif
