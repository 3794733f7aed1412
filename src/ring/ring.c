/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of ring.h: shared anonymous memory made before the fork and two eventfds, one for each direction of waking.
 *
 * Four words are shared, each on its own cache line and each with one rule:
 *
 *   tail     stored by ring_publish, loaded by ring_peek (data before it may be read) and ring_arm
 *   head     stored by ring_consume, loaded by look_again (room before it may be overwritten) and ring_wait_room
 *   armed    the reader is about to sleep: it stores armed, then loads tail; the writer stores tail, then loads armed
 *   wanted   the writer is about to sleep: it stores wanted, then loads head; the reader stores head, then loads wanted
 *
 * The two sleeps need that of two stores, each followed by a load of the other's word, one load sees the other's
 * store. Only sequentially consistent operations promise that, so these pairs use them; they come once per batch.
 * They are release and acquire too, which is all that the data needs.
 *
 * The other end may have died or gone mad: its index is used only after a range check, and the size is taken from the
 * memory of this process, not from the shared page.
 */
#include "ring/ring.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ring_magic UINT64_C(0x31676e6972776f6c)
#define ring_bytes_min ((size_t)64 << 10)
#define ring_bytes_max ((size_t)1 << 40)
#define header_bytes sizeof(struct ring_header)
/* The reader gets no longer run at once: it stays in the second-level cache, and room is given back in steps. */
#define run_bytes_max (64u << 10)

struct ring_shared {
    _Alignas(cache_line) uint64_t magic;
    uint64_t fingerprint;
    uint64_t size;
    _Alignas(cache_line) _Atomic uint64_t tail;
    _Alignas(cache_line) _Atomic uint64_t head;
    _Alignas(cache_line) _Atomic uint32_t armed;
    _Alignas(cache_line) _Atomic uint64_t wanted; /* head at which the writer is to be woken; 0: it is awake */
};

struct ring {
    struct ring_shared *shared;
    uint8_t *data;
    size_t size;
    size_t mapped_bytes;
    uint64_t fingerprint;
    int wake_fd; /* writer -> reader */
    int room_fd; /* reader -> writer */
};

_Static_assert(sizeof(struct ring_header) == 8, "records are multiples of 8");
_Static_assert(sizeof(struct ring_shared) <= 4096, "the data starts on the second page");

struct ring *ring_create(size_t bytes, uint64_t fingerprint, struct error *error)
{
    struct ring *ring = calloc(1, sizeof(*ring));
    void *memory;

    if (ring == NULL) {
        error_set(error, "no memory for a ring");
        return NULL;
    }
    ring->wake_fd = ring->room_fd = -1;
    if (bytes > ring_bytes_max) {
        error_set(error, "a ring of %zu bytes is too large", bytes);
        goto failed;
    }
    ring->size = ring_bytes_min;
    while (ring->size < bytes)
        ring->size *= 2;
    ring->fingerprint = fingerprint;
    ring->mapped_bytes = 4096 + ring->size;
    memory = mmap(NULL, ring->mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        error_errno(error, errno, "cannot map a ring of %zu bytes", ring->size);
        goto failed;
    }
    ring->shared = memory;
    ring->data = (uint8_t *)memory + 4096;
    ring->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ring->room_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ring->wake_fd < 0 || ring->room_fd < 0) {
        error_errno(error, errno, "cannot make the wake-up descriptors of a ring");
        goto failed;
    }
    ring->shared->magic = ring_magic;
    ring->shared->fingerprint = fingerprint;
    ring->shared->size = ring->size;
    return ring;

failed:
    ring_free(ring);
    return NULL;
}

void ring_free(struct ring *ring)
{
    if (ring == NULL)
        return;
    if (ring->shared != NULL)
        munmap(ring->shared, ring->mapped_bytes);
    if (ring->wake_fd >= 0)
        close(ring->wake_fd);
    if (ring->room_fd >= 0)
        close(ring->room_fd);
    free(ring);
}

size_t ring_size(const struct ring *ring)
{
    return ring->size;
}

uint64_t ring_used(const struct ring *ring)
{
    /* Partners: ring_consume, ring_publish. Head first, so that the difference is never negative. */
    uint64_t head = atomic_load_explicit(&ring->shared->head, memory_order_acquire);

    return atomic_load_explicit(&ring->shared->tail, memory_order_acquire) - head;
}

int ring_wake_fd(const struct ring *ring)
{
    return ring->wake_fd;
}

/* An eventfd can only refuse when its counter is full, and then the other end is woken anyway. */
static void wake(int fd)
{
    uint64_t one = 1;
    ssize_t written;

    do {
        written = write(fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
}

static void drain(int fd)
{
    uint64_t count;
    ssize_t got;

    do {
        got = read(fd, &count, sizeof(count));
    } while (got < 0 && errno == EINTR);
}

/* Both ends check the same: the page is ours, of this layout, and its indices are possible. */
static int attach(struct ring *ring, uint64_t fingerprint, uint64_t *head, uint64_t *tail, struct error *error)
{
    const struct ring_shared *shared = ring->shared;

    if (shared->magic != ring_magic || shared->size != ring->size)
        return error_set(error, "the head of the ring is damaged");
    if (shared->fingerprint != fingerprint)
        return error_set(error, "the ring has another layout (%016llx, not %016llx)",
                         (unsigned long long)shared->fingerprint, (unsigned long long)fingerprint);
    /* Partners: ring_consume and ring_publish, of this end's predecessor or of the other end. */
    *head = atomic_load_explicit(&ring->shared->head, memory_order_acquire);
    *tail = atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
    if (*tail - *head > ring->size || (*tail | *head) % 8 != 0)
        return error_set(error, "the indices of the ring are damaged");
    return 0;
}

int ring_attach_writer(struct ring_writer *writer, struct ring *ring, uint64_t fingerprint, struct error *error)
{
    uint64_t head, tail;

    if (attach(ring, fingerprint, &head, &tail, error) < 0)
        return -1;
    *writer = (struct ring_writer){.ring = ring,
                                   .data = ring->data,
                                   .mask = ring->size - 1,
                                   .tail = tail,
                                   .head_seen = head,
                                   .published = tail};
    /* What a predecessor waited for is of no interest. Partner: ring_consume, for which 0 is "awake" at any time. */
    atomic_store_explicit(&ring->shared->wanted, 0, memory_order_relaxed);
    return 0;
}

int ring_attach_reader(struct ring_reader *reader, struct ring *ring, uint64_t fingerprint, struct error *error)
{
    uint64_t head, tail;

    if (attach(ring, fingerprint, &head, &tail, error) < 0)
        return -1;
    *reader = (struct ring_reader){
        .ring = ring, .data = ring->data, .mask = ring->size - 1, .head = head, .checked = head, .tail_seen = tail};
    /* A predecessor died asleep, perhaps. Partner: ring_publish, for which 0 is "awake" at any time. */
    atomic_store_explicit(&ring->shared->armed, 0, memory_order_relaxed);
    return 0;
}

/* Looks at the reader's index. True when `total` bytes are free now. An impossible index is left aside. */
static bool look_again(struct ring_writer *writer, uint64_t total)
{
    uint64_t size = writer->mask + 1;
    /* Partner: ring_consume. What the reader did with the records before head is done before we overwrite them. */
    uint64_t head = atomic_load_explicit(&writer->ring->shared->head, memory_order_acquire);

    if (writer->tail - head <= writer->tail - writer->head_seen)
        writer->head_seen = head;
    return total <= size - (writer->tail - writer->head_seen);
}

/* Bytes from tail that a record with this body takes at most, with the pad before it; 0 when it can never fit. */
static uint64_t total_bytes(const struct ring_writer *writer, size_t body_max)
{
    uint64_t size = writer->mask + 1;
    uint64_t to_end = size - (writer->tail & writer->mask);
    uint64_t need;

    /* Half of the ring: then pad and record together always fit into an empty one. */
    if (unlikely(body_max > size / 2 - header_bytes || body_max > UINT32_MAX - 2 * header_bytes))
        return 0;
    need = align_up(body_max + header_bytes, 8);
    return need <= to_end ? need : to_end + need;
}

uint8_t *ring_reserve_slowly(struct ring_writer *writer, size_t body_max)
{
    uint64_t size = writer->mask + 1;
    uint64_t position = writer->tail & writer->mask;
    uint64_t total = total_bytes(writer, body_max);

    if (unlikely(total - 1 >= size - (writer->tail - writer->head_seen)) && (total == 0 || !look_again(writer, total)))
        return NULL;
    if (unlikely(position + total > size)) {
        *(struct ring_header *)(writer->data + position) =
            (struct ring_header){.bytes = (uint32_t)(size - position), .kind = RING_PAD};
        writer->tail += size - position;
        position = 0;
    }
    return writer->data + position + header_bytes;
}

void ring_publish(struct ring_writer *writer)
{
    struct ring_shared *shared = writer->ring->shared;

    if (writer->tail == writer->published)
        return;
    writer->published = writer->tail;
    /* Release; partner: ring_peek. And before the load of armed; partner: ring_arm. */
    atomic_store_explicit(&shared->tail, writer->tail, memory_order_seq_cst);
    if (atomic_load_explicit(&shared->armed, memory_order_seq_cst) == 0)
        return;
    /* Relaxed: the reader may clear it at the same time, and the worst is one wake-up too many. Partner: ring_arm. */
    atomic_store_explicit(&shared->armed, 0, memory_order_relaxed);
    wake(writer->ring->wake_fd);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * The writer sleeps until half of the ring is free, not until its one record fits: with room for one record it would
 * sleep again at once, and a switch of processes would be paid per record instead of per half ring.
 */
bool ring_wait_room(struct ring_writer *writer, size_t body_max, int timeout_ms)
{
    struct ring_shared *shared = writer->ring->shared;
    uint64_t size = writer->mask + 1;
    uint64_t total = total_bytes(writer, body_max);
    int64_t deadline_ms;
    bool room;

    if (total == 0)
        return false;
    if (total <= size - (writer->tail - writer->head_seen) || look_again(writer, total))
        return true;
    ring_publish(writer);
    deadline_ms = now_ms() + timeout_ms;
    for (;;) {
        struct pollfd poll_room = {.fd = writer->ring->room_fd, .events = POLLIN};
        uint64_t head;
        int64_t left_ms = deadline_ms - now_ms();

        /* Partner: ring_consume, which stores head and then loads wanted. More than head now, so never 0. */
        atomic_store_explicit(&shared->wanted, writer->tail + max_u64(total, size / 2) - size, memory_order_seq_cst);
        head = atomic_load_explicit(&shared->head, memory_order_seq_cst);
        room = writer->tail - head <= size - total;
        if (room || left_ms <= 0)
            break;
        if (poll(&poll_room, 1, (int)left_ms) > 0)
            drain(writer->ring->room_fd);
    }
    /* Partner: ring_consume; a wake-up that it sends all the same is drained at the next wait. */
    atomic_store_explicit(&shared->wanted, 0, memory_order_relaxed);
    return room && look_again(writer, total);
}

/* Gives the bytes before reader->head back to the writer, and wakes it when it has as much as it wanted. */
static void give_back(struct ring_reader *reader)
{
    struct ring_shared *shared = reader->ring->shared;
    uint64_t wanted;

    /* Release; partner: look_again. And before the load of wanted; partner: ring_wait_room. */
    atomic_store_explicit(&shared->head, reader->head, memory_order_seq_cst);
    wanted = atomic_load_explicit(&shared->wanted, memory_order_seq_cst);
    if (likely(wanted == 0) || reader->head - wanted > reader->mask)
        return;
    /* Only this wish is fulfilled: the writer may have stored the next one. Partner: ring_wait_room. */
    if (atomic_compare_exchange_strong_explicit(&shared->wanted, &wanted, 0, memory_order_seq_cst,
                                                memory_order_relaxed))
        wake(reader->ring->room_fd);
}

/*
 * Extends `checked` from head over whole records that lie in the `run` bytes there, up to a pad. An impossible header
 * breaks the ring, but not before the records in front of it have been delivered.
 */
static void check_run(struct ring_reader *reader, uint64_t run)
{
    const uint8_t *at = reader->data + (reader->head & reader->mask);
    uint64_t done = 0;

    while (done < run && done < run_bytes_max) {
        const struct ring_header *header = (const struct ring_header *)(at + done);
        uint64_t bytes = header->bytes;

        if (unlikely(bytes == 0 || bytes % 8 != 0 || bytes > run - done)) {
            reader->broken = done == 0;
            break;
        }
        if (header->kind == RING_PAD) {
            if (done != 0)
                break;
            reader->head += bytes;
            reader->checked = reader->head;
            give_back(reader);
            return;
        }
        done += bytes;
    }
    reader->checked = reader->head + done;
}

struct ring_header *ring_peek(struct ring_reader *reader, size_t *bytes)
{
    uint64_t size = reader->mask + 1;

    while (reader->checked == reader->head && !reader->broken) {
        if (reader->tail_seen == reader->head) {
            /* Partner: ring_publish. The records before tail are written. */
            reader->tail_seen = atomic_load_explicit(&reader->ring->shared->tail, memory_order_acquire);
            if (reader->tail_seen == reader->head)
                break;
        }
        if (unlikely(reader->tail_seen - reader->head > size || reader->tail_seen % 8 != 0)) {
            reader->broken = true;
            break;
        }
        check_run(reader, min_u64(reader->tail_seen - reader->head, size - (reader->head & reader->mask)));
    }
    *bytes = reader->checked - reader->head;
    return *bytes == 0 ? NULL : (struct ring_header *)(reader->data + (reader->head & reader->mask));
}

void ring_consume(struct ring_reader *reader, size_t bytes)
{
    if (bytes == 0)
        return;
    reader->head += min_u64(bytes, reader->checked - reader->head);
    give_back(reader);
}

bool ring_arm(struct ring_reader *reader)
{
    struct ring_shared *shared = reader->ring->shared;

    if (reader->broken)
        return true;
    /* Partner: ring_publish, which stores tail and then loads armed. */
    atomic_store_explicit(&shared->armed, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&shared->tail, memory_order_seq_cst) == reader->head)
        return true;
    /* Partner: ring_publish; it may have seen armed already, then one wake-up comes too many. */
    atomic_store_explicit(&shared->armed, 0, memory_order_relaxed);
    return false;
}

void ring_wake_clear(struct ring_reader *reader)
{
    /* Partner: ring_publish. Nothing can be missed: whoever wakes up peeks before it arms again. */
    atomic_store_explicit(&reader->ring->shared->armed, 0, memory_order_relaxed);
    drain(reader->ring->wake_fd);
}
