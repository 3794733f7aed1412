/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as a filter: libpcap takes it or there is a phrase, and what it takes can be asked of any packet and of any
 * record, twice with the same answer. The first octet chooses the link, the second how many octets after it are the
 * packet (or the record); the rest is the expression.
 */
#include "map/flow_filter.h"

#include <netdb.h>
#include <stdlib.h>

#include "net/filter.h"

#define expression_max 512 /* longer ones take longer, and nothing else */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Instead of the C library's: libpcap shall not ask the network for names. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)node;
    (void)service;
    (void)hints;
    *result = NULL;
    return EAI_NONAME;
}

static void ask_record(const char *expression, const uint8_t *octets, size_t size)
{
    struct flow_image image = {.made = false}, again = {.made = false};
    struct flow_filter *filter = flow_filter_new(expression, NULL);
    const char *phrase;
    struct flow flow;

    memset(&flow, 0, sizeof(flow));
    for (size_t at = 0; at < sizeof(flow.have) && at < size; at++) /* any set of fields */
        ((uint8_t *)&flow.have)[at] = octets[at];
    if (size >= 16) {
        memcpy(&flow.src_host, octets, 16);
        memcpy(&flow.dst_host, octets + size - 16, 16);
        flow.proto = octets[3];
        flow.vlan = octets[4];
        flow.etype = load_u16(octets + 6);
        flow.bytes = load_u64(octets + 8);
        flow.packets = octets[5];
    }
    if (filter == NULL)
        return;
    if (flow_filter_match(filter, &flow, &image) != flow_filter_match(filter, &flow, &again))
        abort();
    if (image.size > image.length || image.size > flow_image_max ||
        (flow_filter_misfits(filter, &phrase) == 0) != (phrase == NULL))
        abort();
    flow_filter_free(filter);
}

static void ask_packet(const char *expression, uint16_t link, const uint8_t *octets, size_t size)
{
    struct error error = {""};
    struct filter *filter = filter_new(expression, link, &error);

    if (filter == NULL && error.text[0] == '\0')
        abort();
    if (filter == NULL)
        return;
    if (filter_match(filter, octets, (uint32_t)size, (uint32_t)size) !=
        filter_match(filter, octets, (uint32_t)size, (uint32_t)size))
        abort();
    filter_match(filter, octets, (uint32_t)size, UINT32_MAX);
    filter_match(filter, octets, 0, (uint32_t)size);
    filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t links[] = {1, 101, 113, 276, 127, 105, 0, 108, 104, 9, 239, 195};
    char expression[expression_max + 1];
    uint8_t *packet;
    size_t packet_bytes;

    if (size < 3 || data[1] > size - 2 || size - 2 - data[1] > expression_max)
        return 0;
    packet_bytes = data[1];
    memcpy(expression, data + 2 + packet_bytes, size - 2 - packet_bytes);
    expression[size - 2 - packet_bytes] = '\0';
    packet = malloc(packet_bytes > 0 ? packet_bytes : 1); /* of its own size, so that a sanitizer sees its end */
    if (packet == NULL)
        return 0;
    memcpy(packet, data + 2, packet_bytes);
    ask_packet(expression, links[data[0] % array_length(links)], packet, packet_bytes);
    ask_record(expression, packet, packet_bytes);
    free(packet);
    return 0;
}
