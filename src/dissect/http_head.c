/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/http_head.h"

#include <strings.h>

#define method_max 24

static const char version[] = "HTTP/1.";

enum http_start http_start(const uint8_t *bytes, size_t size)
{
    size_t length = min_u64(size, sizeof(version) - 1), i = 0;

    if (memcmp(bytes, version, length) == 0)
        return length == sizeof(version) - 1 ? HTTP_START_RESPONSE : HTTP_START_SHORT;
    while (i < size && i < method_max && ((bytes[i] >= 'A' && bytes[i] <= 'Z') || bytes[i] == '-' || bytes[i] == '_'))
        i++;
    if (i == size)
        return size < method_max ? HTTP_START_SHORT : HTTP_START_NONE;
    return i >= 3 && bytes[i] == ' ' ? HTTP_START_REQUEST : HTTP_START_NONE;
}

size_t http_head_end(const uint8_t *bytes, size_t size, size_t fresh)
{
    const uint8_t *at = bytes + (fresh > 3 ? fresh - 3 : 0), *const end = bytes + size;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n')
            return (size_t)(at + 1 - bytes);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - bytes);
    }
    return 0;
}

/* The next line without its end. False: there is none; a last one without an end counts only when `partial`. */
static bool next_line(struct span *rest, bool partial, struct span *line)
{
    const char *end = rest->length > 0 ? memchr(rest->data, '\n', rest->length) : NULL;

    if (end == NULL && (!partial || rest->length == 0))
        return false;
    *line = *rest;
    if (end != NULL)
        line->length = (uint32_t)(end - rest->data);
    rest->data += line->length + (end != NULL);
    rest->length -= line->length + (end != NULL);
    if (line->length > 0 && line->data[line->length - 1] == '\r')
        line->length--;
    return true;
}

static struct span trimmed(struct span text)
{
    while (text.length > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Takes what is before the first `byte` off `text`, and the byte; all of it when there is none (false). */
static bool split(struct span *text, char byte, struct span *before)
{
    const char *at = text->length > 0 ? memchr(text->data, byte, text->length) : NULL;

    *before = *text;
    if (at == NULL) {
        *text = (struct span){text->data + text->length, 0};
        return false;
    }
    before->length = (uint32_t)(at - text->data);
    text->data += before->length + 1;
    text->length -= before->length + 1;
    return true;
}

/* RFC 9112 section 3.2: /path?query, http://user@host/path?query, host:port, or *. */
static void read_target(struct http_head *head, struct span target)
{
    struct span scheme, rest = target, authority;

    if (target.length > 0 && target.data[0] != '/' && split(&rest, ':', &scheme) && rest.length >= 2 &&
        memcmp(rest.data, "//", 2) == 0) {
        uint32_t length = 0;
        struct span user;

        rest.data += 2;
        rest.length -= 2;
        while (length < rest.length && rest.data[length] != '/' && rest.data[length] != '?')
            length++;
        authority = (struct span){rest.data, length};
        target = (struct span){rest.data + length, rest.length - length};
        while (authority.length > 0 && memchr(authority.data, '@', authority.length) != NULL)
            (void)split(&authority, '@', &user);
        head->authority = authority;
    }
    (void)split(&target, '?', &head->path);
    head->query = target;
}

static bool read_start(struct http_head *head, struct span line)
{
    const uint8_t *bytes = (const uint8_t *)line.data;
    struct span rest = line, target;

    head->response = http_start(bytes, line.length) == HTTP_START_RESPONSE;
    if (head->response) {
        if (line.length < 12 || line.data[8] != ' ')
            return false;
        for (unsigned i = 9; i < 12; i++) {
            if (bytes[i] < '0' || bytes[i] > '9')
                return false;
            head->status = (uint16_t)(head->status * 10 + bytes[i] - '0');
        }
        head->minor = (uint8_t)(bytes[7] - '0');
        return head->status >= 100;
    }
    if (http_start(bytes, line.length) != HTTP_START_REQUEST || !split(&rest, ' ', &head->method))
        return false;
    target = rest;
    for (uint32_t i = rest.length; i-- > 0;) {
        if (rest.data[i] != ' ')
            continue;
        target.length = i;
        if (rest.length - i - 1 >= sizeof(version) && memcmp(rest.data + i + 1, version, sizeof(version) - 1) == 0)
            head->minor = (uint8_t)(rest.data[i + sizeof(version)] - '0');
        else if (rest.length - i - 1 >= 5)
            return false; /* another protocol, or another version */
        break;
    }
    read_target(head, target);
    return true;
}

static void read_length(struct http_head *head, struct span value)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < value.length; i++) {
        uint8_t digit = (uint8_t)(value.data[i] - '0');

        if (digit > 9 || number > UINT64_MAX / 16) {
            head->bad_length = true;
            return;
        }
        number = number * 10 + digit;
    }
    if (value.length == 0 || (head->has_length && head->length != number))
        head->bad_length = true;
    head->has_length = true;
    head->length = number;
}

static void read_coding(struct http_head *head, struct span value)
{
    static const char word[] = "chunked";
    const size_t size = sizeof(word) - 1;

    head->chunked = value.length >= size && strncasecmp(value.data + value.length - size, word, size) == 0;
    head->coded = !head->chunked;
}

static bool is(struct span name, const char *word)
{
    return name.length == strlen(word) && strncasecmp(name.data, word, name.length) == 0;
}

bool http_head_read(struct http_head *head, const uint8_t *bytes, size_t size)
{
    struct span rest = {(const char *)bytes, (uint32_t)min_u64(size, UINT32_MAX)}, line, name;

    *head = (struct http_head){.response = false};
    if (!next_line(&rest, true, &line) || !read_start(head, line))
        return false;
    while (next_line(&rest, false, &line) && line.length > 0) {
        if (!split(&line, ':', &name))
            continue;
        line = trimmed(line);
        if (is(name, "host"))
            head->host = line;
        else if (is(name, "user-agent"))
            head->user_agent = line;
        else if (is(name, "content-type"))
            head->content_type = line;
        else if (is(name, "content-length"))
            read_length(head, line);
        else if (is(name, "transfer-encoding"))
            read_coding(head, line);
    }
    return true;
}
