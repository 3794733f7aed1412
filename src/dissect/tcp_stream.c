/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/tcp_stream.h"

struct tcp_segment {
    struct tcp_segment *next;
    uint32_t sequence, captured, length;
    bool fin;
    int64_t when_ns;
    uint8_t bytes[];
};

static size_t segment_room(uint32_t captured)
{
    return pool_room(sizeof(struct tcp_segment) + captured);
}

static void free_segment(struct tcp_stream *stream, struct pool *pool, struct tcp_segment *segment)
{
    stream->waiting_bytes -= segment_room(segment->captured);
    pool_give(pool, segment, sizeof(*segment) + segment->captured);
}

static void free_kept(struct tcp_stream *stream, struct pool *pool)
{
    pool_give(pool, stream->kept_bytes, stream->kept_room);
    stream->kept_bytes = NULL;
    stream->kept = stream->kept_room = 0;
}

void tcp_stream_free(struct tcp_stream *stream, struct pool *pool)
{
    uint8_t side = stream->side;

    while (stream->waiting != NULL) {
        struct tcp_segment *segment = stream->waiting;

        stream->waiting = segment->next;
        free_segment(stream, pool, segment);
    }
    free_kept(stream, pool);
    *stream = (struct tcp_stream){.side = side};
}

void tcp_stream_syn(struct tcp_stream *stream, uint32_t sequence)
{
    if (stream->begun)
        return; /* sent again; a SYN of another connection is the owner's matter */
    stream->begun = true;
    stream->next = sequence + 1;
}

/*
 * Offers bytes to the reader until it wants more than there are. Returns how many it has taken, or tcp_stream_stop;
 * stream->skip gets what it wants to pass over behind them.
 */
static uint64_t offer(struct tcp_stream *stream, const struct tcp_stream_reader *reader, struct dissector_data data)
{
    uint64_t taken = 0;

    while (data.size > 0) {
        uint64_t used = reader->data(reader->context, stream->side, &data);

        if (used == tcp_stream_stop)
            return tcp_stream_stop;
        if (used == 0)
            break;
        if (used >= data.size) {
            stream->skip = used - data.size;
            return taken + data.size;
        }
        taken += used;
        data.bytes += used;
        data.size -= (size_t)used;
        data.fresh = data.fresh > used ? data.fresh - (size_t)used : 0;
        if (data.fresh == 0)
            data.first_ns = data.when_ns;
    }
    return taken;
}

/* How many of `size` bytes more may be kept. */
static uint32_t room_to_keep(const struct tcp_stream *stream, const struct tcp_stream_reader *reader, uint32_t size)
{
    uint64_t have = stream->kept + stream->waiting_bytes;

    return have < reader->limit_bytes ? (uint32_t)min_u64(reader->limit_bytes - have, size) : 0;
}

/* Appends to what is kept; false when there is no memory, and nothing is appended then. */
static bool keep(struct tcp_stream *stream, const struct tcp_stream_reader *reader, const uint8_t *bytes,
                 uint32_t size, int64_t when_ns)
{
    if (stream->kept + size > stream->kept_room) {
        size_t room = pool_room(stream->kept + size);
        uint8_t *grown = pool_take(reader->pool, room);

        if (grown == NULL)
            return false;
        if (stream->kept > 0)
            memcpy(grown, stream->kept_bytes, stream->kept);
        pool_give(reader->pool, stream->kept_bytes, stream->kept_room);
        stream->kept_bytes = grown;
        stream->kept_room = (uint32_t)room;
    }
    if (stream->kept == 0)
        stream->kept_ns = when_ns;
    memcpy(stream->kept_bytes + stream->kept, bytes, size);
    stream->kept += size;
    return true;
}

/*
 * Offers what is kept, of which the bytes from `fresh` on are new. What the reader leaves stays kept, or, when it is
 * the last chance, is thrown away and added to *lost.
 */
static bool offer_kept(struct tcp_stream *stream, const struct tcp_stream_reader *reader, uint32_t fresh,
                       int64_t when_ns, bool last, uint64_t *lost)
{
    uint64_t taken = offer(stream, reader,
                           (struct dissector_data){.bytes = stream->kept_bytes, .size = stream->kept, .fresh = fresh,
                                                   .first_ns = stream->kept_ns, .when_ns = when_ns,
                                                   .length = stream->kept, .last = last});

    if (taken == tcp_stream_stop)
        return false;
    if (taken < stream->kept && !last) {
        memmove(stream->kept_bytes, stream->kept_bytes + taken, stream->kept - taken);
        stream->kept -= (uint32_t)taken;
        if (taken >= fresh)
            stream->kept_ns = when_ns;
        return true;
    }
    *lost += stream->kept - taken;
    free_kept(stream, reader->pool);
    return true;
}

/* Passes over what of *size bytes the reader does not want to see, and tells it when that is over. */
static bool pass_over(struct tcp_stream *stream, const struct tcp_stream_reader *reader, uint64_t *size,
                      int64_t when_ns)
{
    while (stream->skip > 0 && *size > 0) {
        uint64_t passed = min_u64(stream->skip, *size);

        stream->skip -= passed;
        *size -= passed;
        if (stream->skip == 0) {
            struct dissector_data none = {.bytes = (const uint8_t *)"", .first_ns = when_ns, .when_ns = when_ns};
            uint64_t more = reader->data(reader->context, stream->side, &none);

            if (more == tcp_stream_stop)
                return false;
            stream->skip = more;
        }
    }
    return true;
}

/* So many bytes cannot be seen. */
static bool miss(struct tcp_stream *stream, const struct tcp_stream_reader *reader, uint64_t lost, int64_t when_ns)
{
    if (!pass_over(stream, reader, &lost, when_ns))
        return false;
    return lost == 0 || reader->gap(reader->context, stream->side, lost);
}

/*
 * Bytes in their order, to the reader: where they are, or behind those that it has left. With `last` *lost gets how
 * many it could not use. Each turn of the loop takes bytes, or empties what is kept.
 */
static bool feed(struct tcp_stream *stream, const struct tcp_stream_reader *reader, const uint8_t *bytes,
                 uint32_t size, int64_t when_ns, bool last, uint64_t *lost)
{
    while (size > 0) {
        uint64_t left = size, unused = 0;

        if (!pass_over(stream, reader, &left, when_ns))
            return false;
        bytes += size - left;
        size = (uint32_t)left;
        if (size == 0)
            break;
        if (stream->kept > 0) {
            uint32_t fresh = stream->kept, fits = room_to_keep(stream, reader, size);

            if (!keep(stream, reader, bytes, fits, when_ns))
                fits = 0;
            if (!offer_kept(stream, reader, fresh, when_ns, last || fits < size, &unused))
                return false;
            bytes += fits;
            size -= fits;
            if (size == 0)
                *lost += unused;
            else if (!miss(stream, reader, unused, when_ns))
                return false;
            continue;
        }
        struct dissector_data data = {.bytes = bytes, .size = size, .first_ns = when_ns, .when_ns = when_ns,
                                      .length = size, .last = last};
        uint64_t taken = offer(stream, reader, data);
        if (taken == tcp_stream_stop)
            return false;
        bytes += taken;
        size -= (uint32_t)taken;
        if (size == 0)
            break;
        if (!last && room_to_keep(stream, reader, size) == size && keep(stream, reader, bytes, size, when_ns))
            break;
        if (!last) {
            data.bytes = bytes;
            data.fresh = data.size = size;
            data.last = true;
            taken = offer(stream, reader, data);
            if (taken == tcp_stream_stop)
                return false;
            size -= (uint32_t)taken;
            if (!miss(stream, reader, size, when_ns))
                return false;
        } else {
            *lost += size;
        }
        break;
    }
    return true;
}

/* A packet whose turn it is. */
static bool accept_packet(struct tcp_stream *stream, const struct tcp_stream_reader *reader,
                          const struct tcp_packet *packet)
{
    bool cut = packet->captured < packet->length;
    uint64_t lost = 0;

    stream->next += packet->length;
    if (!feed(stream, reader, packet->bytes, packet->captured, packet->when_ns, cut, &lost))
        return false;
    if (cut && stream->kept > 0 &&
        !offer_kept(stream, reader, stream->kept, packet->when_ns, true, &lost))
        return false;
    lost += packet->length - packet->captured;
    return miss(stream, reader, lost, packet->when_ns);
}

/* Gives up the hole before `sequence`. */
static bool close_hole(struct tcp_stream *stream, const struct tcp_stream_reader *reader, uint32_t sequence,
                       int64_t when_ns)
{
    uint64_t lost = 0;
    uint32_t hole = sequence - stream->next;

    stream->next = sequence;
    if (stream->kept > 0 && !offer_kept(stream, reader, stream->kept, when_ns, true, &lost))
        return false;
    return miss(stream, reader, lost + hole, when_ns);
}

/* Takes off what came before. False: all of it did. */
static bool trim(const struct tcp_stream *stream, struct tcp_packet *packet)
{
    uint32_t old = stream->next - packet->sequence, seen;

    if (old == 0)
        return packet->length > 0;
    if (old >= packet->length)
        return false;
    seen = (uint32_t)min_u64(old, packet->captured);
    packet->bytes += seen;
    packet->captured -= seen;
    packet->length -= old;
    packet->sequence = stream->next;
    return true;
}

/* What has waited and has its turn now. */
static bool take_waiting(struct tcp_stream *stream, const struct tcp_stream_reader *reader, int64_t now_ns)
{
    while (stream->waiting != NULL && (int32_t)(stream->waiting->sequence - stream->next) <= 0) {
        struct tcp_segment *segment = stream->waiting;
        struct tcp_packet packet = {segment->bytes,    segment->captured, segment->length,
                                    segment->sequence, false,             segment->when_ns};
        bool goes_on;

        stream->waiting = segment->next;
        stream->hole_ns = now_ns;
        goes_on = !trim(stream, &packet) || accept_packet(stream, reader, &packet);
        free_segment(stream, reader->pool, segment);
        if (!goes_on)
            return false;
    }
    return true;
}

/* Copies a packet to wait behind a hole. False: no room. One that says nothing new is dropped. */
static bool hold(struct tcp_stream *stream, const struct tcp_stream_reader *reader, const struct tcp_packet *packet)
{
    struct tcp_segment **place = &stream->waiting, *segment;
    size_t room = segment_room(packet->captured);

    while (*place != NULL && (int32_t)((*place)->sequence - packet->sequence) <= 0) {
        uint32_t into = packet->sequence - (*place)->sequence;

        if ((*place)->captured >= into && (*place)->captured - into >= packet->length)
            return true;
        place = &(*place)->next;
    }
    if (stream->kept + stream->waiting_bytes + room > reader->limit_bytes)
        return false;
    segment = pool_take(reader->pool, sizeof(*segment) + packet->captured);
    if (segment == NULL)
        return false;
    segment->next = *place;
    segment->sequence = packet->sequence;
    segment->captured = packet->captured;
    segment->length = packet->length;
    segment->when_ns = packet->when_ns;
    memcpy(segment->bytes, packet->bytes, packet->captured);
    if (stream->waiting == NULL)
        stream->hole_ns = packet->when_ns;
    *place = segment;
    stream->waiting_bytes += room;
    return true;
}

/* The FIN has its turn; what the reader has left until now it cannot use later either. */
static bool finish(struct tcp_stream *stream, const struct tcp_stream_reader *reader, int64_t now_ns)
{
    uint64_t lost = 0;

    if (stream->ended || !stream->has_fin || !stream->begun || stream->next != stream->fin_at)
        return true;
    stream->ended = true;
    if (stream->kept > 0 && !offer_kept(stream, reader, stream->kept, now_ns, true, &lost))
        return false;
    reader->fin(reader->context, stream->side, now_ns);
    return true;
}

bool tcp_stream_packet(struct tcp_stream *stream, const struct tcp_stream_reader *reader,
                       const struct tcp_packet *given)
{
    struct tcp_packet packet = *given;

    if (stream->ended)
        return true;
    if (packet.fin) {
        stream->has_fin = true;
        stream->fin_at = packet.sequence + packet.length;
    }
    if (packet.length == 0 && !packet.fin)
        return true;
    if (!stream->begun) {
        stream->begun = true;
        stream->next = packet.sequence;
    }
    while ((int32_t)(packet.sequence - stream->next) > 0) {
        uint32_t first = packet.sequence;

        if (packet.length == 0 || hold(stream, reader, &packet))
            return true;
        /* No room for more behind the hole: it will not close in time. */
        if (stream->waiting != NULL && (int32_t)(stream->waiting->sequence - first) < 0)
            first = stream->waiting->sequence;
        if (!close_hole(stream, reader, first, packet.when_ns) || !take_waiting(stream, reader, packet.when_ns))
            return false;
    }
    if (trim(stream, &packet) && !accept_packet(stream, reader, &packet))
        return false;
    return take_waiting(stream, reader, packet.when_ns) && finish(stream, reader, packet.when_ns);
}

bool tcp_stream_tick(struct tcp_stream *stream, const struct tcp_stream_reader *reader, int64_t now_ns)
{
    if (likely(stream->waiting == NULL) || now_ns - stream->hole_ns < tcp_stream_hole_ns)
        return true;
    return close_hole(stream, reader, stream->waiting->sequence, now_ns) && take_waiting(stream, reader, now_ns) &&
           finish(stream, reader, now_ns);
}

bool tcp_stream_end(struct tcp_stream *stream, const struct tcp_stream_reader *reader, bool closed, int64_t now_ns)
{
    uint64_t lost = 0;

    while (stream->waiting != NULL)
        if (!close_hole(stream, reader, stream->waiting->sequence, now_ns) || !take_waiting(stream, reader, now_ns))
            return false;
    if (stream->kept > 0 && !offer_kept(stream, reader, stream->kept, now_ns, true, &lost))
        return false;
    if (closed && !stream->ended) {
        stream->ended = true;
        reader->fin(reader->context, stream->side, now_ns);
    }
    return true;
}
