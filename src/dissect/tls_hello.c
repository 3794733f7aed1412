/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/tls_hello.h"

enum extension { /* IANA TLS ExtensionType Values */
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    EXTENSION_SESSION_TICKET = 35,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_ENCRYPTED_CLIENT_HELLO = 65037
};

/* RFC 8701 section 2: 0x0a0a, 0x1a1a, ... 0xfafa. */
static bool is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* A vector with a length of one or two bytes before it; what of it is there when it is cut. */
static struct cursor vector(struct cursor *at, unsigned length_bytes, bool *cut)
{
    size_t length = length_bytes == 1 ? cursor_u8(at) : cursor_be16(at);

    if (at->failed || length > cursor_left(at)) {
        struct cursor rest = {at->at, at->end, false};

        *cut = true;
        at->at = at->end;
        return rest;
    }
    return cursor_sub(at, length);
}

static struct span span_of(struct cursor bytes)
{
    return (struct span){(const char *)bytes.at, (uint32_t)cursor_left(&bytes)};
}

/* The first host_name of the list. A name that is cut is none. */
static struct span read_server_name(struct cursor body)
{
    bool cut = false;
    struct cursor list = vector(&body, 2, &cut);

    while (cursor_left(&list) > 0) {
        uint8_t type = cursor_u8(&list);
        struct cursor name = vector(&list, 2, &cut);

        if (cut)
            break;
        if (type == 0)
            return span_of(name);
    }
    return (struct span){NULL, 0};
}

static unsigned read_alpn(struct cursor body, struct span *names, unsigned max)
{
    bool cut = false;
    struct cursor list = vector(&body, 2, &cut);
    unsigned count = 0;

    while (count < max && cursor_left(&list) > 0) {
        struct span name = span_of(vector(&list, 1, &cut));

        if (cut)
            break;
        if (name.length == 2 && is_grease((uint16_t)((uint8_t)name.data[0] << 8 | (uint8_t)name.data[1])))
            continue;
        names[count++] = name;
    }
    return count;
}

static void read_client_extension(struct tls_client_hello *hello, uint16_t type, struct cursor body)
{
    bool cut = false;

    if (type == EXTENSION_SERVER_NAME) {
        hello->server_name = read_server_name(body);
    } else if (type == EXTENSION_ALPN) {
        hello->alpn_count = (uint8_t)read_alpn(body, hello->alpn, tls_hello_alpn_max);
    } else if (type == EXTENSION_SUPPORTED_VERSIONS) {
        struct cursor list = vector(&body, 1, &cut);

        while (cursor_left(&list) >= 2) {
            uint16_t version = cursor_be16(&list);

            if (!is_grease(version) && version > hello->version)
                hello->version = version;
        }
    } else if (type == EXTENSION_ENCRYPTED_CLIENT_HELLO) {
        hello->encrypted_hello = true;
    } else if (type == EXTENSION_PRE_SHARED_KEY || (type == EXTENSION_SESSION_TICKET && cursor_left(&body) > 0)) {
        hello->ticket = true;
    }
}

void tls_client_hello_read(struct tls_client_hello *hello, struct cursor body)
{
    struct cursor part;

    *hello = (struct tls_client_hello){.version = cursor_be16(&body)};
    cursor_skip(&body, 32);
    (void)vector(&body, 1, &hello->cut); /* session id */
    part = vector(&body, 2, &hello->cut);
    while (cursor_left(&part) >= 2)
        hello->cipher_count = (uint16_t)(hello->cipher_count + !is_grease(cursor_be16(&part)));
    (void)vector(&body, 1, &hello->cut); /* compression methods */
    if (cursor_left(&body) == 0)
        return; /* TLS 1.0 may have no extensions */
    part = vector(&body, 2, &hello->cut);
    while (cursor_left(&part) >= 4) {
        uint16_t type = cursor_be16(&part);
        struct cursor extension = vector(&part, 2, &hello->cut);

        read_client_extension(hello, type, extension);
    }
}

void tls_server_hello_read(struct tls_server_hello *hello, struct cursor body)
{
    /* RFC 8446 section 4.1.3: the random of a HelloRetryRequest, SHA-256 of that word. */
    static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                      0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                      0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    const uint8_t *random;
    struct cursor part;

    *hello = (struct tls_server_hello){.version = cursor_be16(&body)};
    random = cursor_take(&body, sizeof(retry));
    hello->retry = random != NULL && memcmp(random, retry, sizeof(retry)) == 0;
    (void)vector(&body, 1, &hello->cut);
    hello->cipher = cursor_be16(&body);
    cursor_skip(&body, 1);
    hello->cut |= body.failed;
    if (cursor_left(&body) == 0)
        return;
    part = vector(&body, 2, &hello->cut);
    while (cursor_left(&part) >= 4) {
        uint16_t type = cursor_be16(&part);
        struct cursor extension = vector(&part, 2, &hello->cut);

        if (type == EXTENSION_SUPPORTED_VERSIONS && cursor_left(&extension) >= 2)
            hello->version = cursor_be16(&extension);
        else if (type == EXTENSION_ALPN)
            (void)read_alpn(extension, &hello->alpn, 1);
        else if (type == EXTENSION_PRE_SHARED_KEY)
            hello->resumed = true;
    }
}

/* --- names of numbers --- */

const char *tls_version_name(uint16_t version)
{
    switch (version) {
    case 0x0300:
        return "SSL 3.0";
    case 0x0301:
        return "TLS 1.0";
    case 0x0302:
        return "TLS 1.1";
    case 0x0303:
        return "TLS 1.2";
    case 0x0304:
        return "TLS 1.3";
    default:
        return NULL;
    }
}

/* The usual ones; the others are told by their number. */
const char *tls_cipher_name(uint16_t cipher)
{
    static const struct {
        uint16_t number;
        const char *name;
    } names[] = {
        {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
        {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
        {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
        {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
        {0x1301, "TLS_AES_128_GCM_SHA256"},
        {0x1302, "TLS_AES_256_GCM_SHA384"},
        {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
        {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
        {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
        {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
        {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
        {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
        {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
        {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
        {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
        {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
        {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    };

    for (size_t i = 0; i < array_length(names); i++)
        if (names[i].number == cipher)
            return names[i].name;
    return NULL;
}

const char *tls_alert_name(uint8_t description)
{
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {
        {0, "close_notify"},
        {10, "unexpected_message"},
        {20, "bad_record_mac"},
        {40, "handshake_failure"},
        {42, "bad_certificate"},
        {46, "certificate_unknown"},
        {47, "illegal_parameter"},
        {48, "unknown_ca"},
        {49, "access_denied"},
        {50, "decode_error"},
        {51, "decrypt_error"},
        {70, "protocol_version"},
        {71, "insufficient_security"},
        {80, "internal_error"},
        {86, "inappropriate_fallback"},
        {90, "user_canceled"},
        {109, "missing_extension"},
        {110, "unsupported_extension"},
        {112, "unrecognized_name"},
        {116, "certificate_required"},
        {120, "no_application_protocol"},
    };

    for (size_t i = 0; i < array_length(names); i++)
        if (names[i].number == description)
            return names[i].name;
    return NULL;
}
