/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/prefix.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define mapped_bits 96 /* of ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */

/* Decimal digits and nothing else, up to `most`. */
static bool parse_length(const char *text, unsigned most, uint8_t *length)
{
    unsigned number = 0;

    if (*text == '\0')
        return false;
    for (; *text >= '0' && *text <= '9' && number <= most; text++)
        number = number * 10 + (unsigned)(*text - '0');
    *length = (uint8_t)number;
    return *text == '\0' && number <= most;
}

static bool parse_net(const char *text, struct address *net)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1) {
        address_set_ipv4(net, bytes);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    memcpy(net->bytes, bytes, sizeof(bytes));
    if (address_is_ipv4(net)) /* written as IPv6, and IPv6 it stays */
        net->bytes[0] = 0xff;
    return true;
}

static void store_net(struct address *net, prefix_key key)
{
    for (unsigned i = 16; i-- > 0; key >>= 8)
        net->bytes[i] = (uint8_t)key;
}

bool prefix_settle(struct prefix *prefix)
{
    uint64_t high = host_be64(load_u64(prefix->net.bytes)), low = host_be64(load_u64(prefix->net.bytes + 8));
    prefix_key key = (prefix_key)high << 64 | low;
    unsigned bits = prefix_bits(&prefix->net), behind;

    if (prefix->length > bits)
        return false;
    behind = bits - prefix->length;
    if (high == UINT64_C(0xff) << 56 && low == 0 && prefix->length >= mapped_bits)
        key = 0;
    else if (high == UINT64_C(0xff) << 56 && low >> 32 == 0xffff && prefix->length < mapped_bits)
        key = low;
    key = behind == 128 ? 0 : key >> behind << behind;
    store_net(&prefix->net, key);
    return true;
}

int prefix_parse(const char *text, struct prefix *prefix, struct error *error)
{
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char net[address_text_max];
    uint8_t bits;

    if (size >= sizeof(net))
        return error_set(error, "'%.60s' is not an address or a prefix", text);
    memcpy(net, text, size);
    net[size] = '\0';
    if (!parse_net(net, &prefix->net))
        return error_set(error, "'%.60s' is not an address or a prefix", net);
    prefix->length = bits = prefix_bits(&prefix->net);
    if (slash != NULL && !parse_length(slash + 1, bits, &prefix->length))
        return error_set(error, "'%.20s' is not a prefix length of 0 to %u", slash + 1, bits);
    (void)prefix_settle(prefix);
    return 0;
}
