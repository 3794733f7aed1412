/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of an HTTP/1 message (RFC 9112): start line and the few fields that a transaction tells. Everything else
 * is passed over by its name: credentials and cookies are never looked at, and user and password of a target are
 * taken off.
 */
#ifndef DISSECT_HTTP_HEAD_H
#define DISSECT_HTTP_HEAD_H

#include "flow/flow.h"

enum http_start { HTTP_START_NONE, HTTP_START_SHORT, HTTP_START_REQUEST, HTTP_START_RESPONSE };

/* What the bytes begin with; SHORT: could still be either. */
enum http_start http_start(const uint8_t *bytes, size_t size);

/* Where the head ends, behind its empty line, or 0: not yet. Bytes before `fresh` were searched before. */
size_t http_head_end(const uint8_t *bytes, size_t size, size_t fresh);

struct http_head {
    bool response;
    uint8_t minor; /* of the version 1.x */
    uint16_t status;
    struct span method, authority, path, query; /* of a request; authority of an absolute target */
    struct span host, user_agent, content_type;
    bool has_length, chunked, coded; /* coded: a Transfer-Encoding that does not end with chunked */
    bool bad_length;                 /* two lengths, or one that is no number */
    uint64_t length;
};

/*
 * Reads a head, also one that is cut at any place (only whole lines count then, but for the first). False: it has no
 * start line of HTTP/1. The spans point into the bytes.
 */
bool http_head_read(struct http_head *head, const uint8_t *bytes, size_t size);

#endif
