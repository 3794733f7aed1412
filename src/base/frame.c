/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes and reads the two headers of frame.h. */
#include "base/frame.h"

#include "base/cursor.h"

void frame_request_put(uint8_t out[frame_request_header_bytes], uint16_t command, uint32_t flags, uint32_t body_bytes)
{
    store_be32(out, frame_magic);
    store_be16(out + 4, frame_version);
    store_be16(out + 6, command);
    store_be32(out + 8, flags);
    store_be32(out + 12, body_bytes);
}

int frame_request_read(const uint8_t header[frame_request_header_bytes], struct frame_request *request,
                       struct error *error)
{
    struct cursor c = cursor_over(header, frame_request_header_bytes);
    uint32_t magic = cursor_be32(&c);

    request->version = cursor_be16(&c);
    request->command = cursor_be16(&c);
    request->flags = cursor_be32(&c);
    request->body_bytes = cursor_be32(&c);
    if (magic != frame_magic)
        return error_set(error, "this is not a request of the pmacct client of this suite");
    if (request->version != frame_version)
        return error_set(error, "the client speaks version %u of the protocol and this daemon %u: use both of one "
                                "release", request->version, frame_version);
    if (request->body_bytes > frame_request_max)
        return error_set(error, "a request of %u bytes is too long, at most %u", request->body_bytes,
                         frame_request_max);
    return 0;
}

void frame_header_put(uint8_t out[frame_header_bytes], uint16_t type, uint16_t flags, uint32_t body_bytes)
{
    store_be16(out, type);
    store_be16(out + 2, flags);
    store_be32(out + 4, body_bytes);
}

int64_t frame_read(const uint8_t *bytes, size_t size, struct answer_frame *frame, struct error *error)
{
    struct cursor c = cursor_over(bytes, size);

    if (size < frame_header_bytes)
        return 0;
    frame->type = cursor_be16(&c);
    frame->flags = cursor_be16(&c);
    frame->body_bytes = cursor_be32(&c);
    if (frame->body_bytes > frame_body_max)
        return error_set(error, "a frame of %u bytes in the answer, more than the protocol allows", frame->body_bytes);
    if (cursor_left(&c) < align_up(frame->body_bytes, 8u))
        return 0;
    frame->body = cursor_take(&c, frame->body_bytes);
    return (int64_t)frame_bytes(frame->body_bytes);
}
