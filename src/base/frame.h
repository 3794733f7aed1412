/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a client talks to a daemon on a UNIX stream socket: one request, then a stream of frames, then the server
 * closes. The memory plugin and the supervisor's control socket speak it; what their commands and frames hold is not
 * known here (plugins/common/query.h has the memory plugin's). All integers are in network byte order.
 *
 *   request   magic u32 | version u16 | command u16 | flags u32 | length u32 | `length` bytes
 *   frame     type u16 | flags u16 | length u32 | `length` bytes | zeroes up to a multiple of 8
 *
 * So a frame's body lies 8-aligned if the first one does. The last frame is END, or ERROR with one phrase; a stream
 * that breaks off before is an answer cut short. A request of another version gets an ERROR that names both.
 */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include "base/base.h"
#include "base/error.h"

#define frame_magic UINT32_C(0x464c4451) /* "FLDQ" */
#define frame_version 1
#define frame_request_header_bytes 16
#define frame_header_bytes 8
#define frame_body_max (256u * 1024)    /* of one frame */
#define frame_request_max (4096u * 1024) /* of a request's body */

/* Commands and frames that every server knows; those of one server start at 16. */
enum frame_command {
    FRAME_COMMAND_LEDGER = 1,  /* answer: TEXT frames, the ledger */
    FRAME_COMMAND_DESCRIBE = 2, /* of a control socket; TEXT frames: exporters and templates in JSON */
    FRAME_COMMAND_RELOAD = 3 /* of a control socket: read maps again; TEXT frames: the ledger of just before, in JSON */
};
enum frame_type { FRAME_END = 1, FRAME_ERROR, FRAME_TEXT };

#define frame_ledger_report 1u /* flag of LEDGER: lines for a person instead of JSON */

struct frame_request {
    uint16_t version, command;
    uint32_t flags, body_bytes;
};

struct answer_frame {
    uint16_t type, flags;
    uint32_t body_bytes;
    const uint8_t *body; /* into the bytes that frame_read was given */
};

void frame_request_put(uint8_t out[frame_request_header_bytes], uint16_t command, uint32_t flags, uint32_t body_bytes);
/* Reads the header of a request. -1: not our magic or version, or too long a body. */
int frame_request_read(const uint8_t header[frame_request_header_bytes], struct frame_request *request,
                       struct error *error);

void frame_header_put(uint8_t out[frame_header_bytes], uint16_t type, uint16_t flags, uint32_t body_bytes);
/*
 * The first whole frame in `bytes`: returns the bytes it takes, padding included; 0 when more bytes are needed; -1
 * when this is no frame.
 */
int64_t frame_read(const uint8_t *bytes, size_t size, struct answer_frame *frame, struct error *error);

static inline size_t frame_bytes(size_t body_bytes)
{
    return frame_header_bytes + align_up(body_bytes, (size_t)8);
}

static inline void store_be64(uint8_t *out, uint64_t v)
{
    store_u64(out, host_be64(v));
}

static inline void store_be32(uint8_t *out, uint32_t v)
{
    store_u32(out, host_be32(v));
}

static inline void store_be16(uint8_t *out, uint16_t v)
{
    uint16_t wire = host_be16(v);
    memcpy(out, &wire, sizeof(wire));
}

#endif
