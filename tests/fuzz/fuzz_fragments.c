/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a sequence of fragments, ticks and leaps of the clock, in little room: each frame that was given goes on
 * exactly once and unchanged, either at once or by being released, and with ports only when its first fragment came.
 * Four bytes make a step: what, which datagram, how large a frame, how much later.
 */
#include "decode/capture/fragments.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define steps_max 4096
#define datagrams 64
#define frame_bytes 8192

struct world {
    struct fragments *fragments;
    uint8_t given[steps_max];  /* 1: a frame has this number, 2: it has gone on */
    uint8_t of[steps_max];     /* its datagram */
    bool first_came[datagrams];
    uint64_t come, orphans;
    uint8_t bytes[256 + frame_bytes];
};

static uint32_t size_of(uint32_t number, uint8_t octet)
{
    return octet < 250 ? octet * 2u + (number & 1) : (octet - 249u) * 1024;
}

static void on_release(void *context, const struct frame *frame, const struct fragment_ports *ports)
{
    struct world *world = context;
    uint32_t number = frame->in_iface;

    if (number >= steps_max || world->given[number] != 1 || frame->length != frame->captured + 4 ||
        memcmp(frame->bytes, world->bytes + (number & 0xff), frame->captured) != 0)
        abort();
    if (ports->known && (!world->first_came[world->of[number]] || ports->source != world->of[number]))
        abort();
    world->given[number] = 2;
    world->come++;
    world->orphans += !ports->known;
}

static struct fragment_key key_of(uint8_t octet)
{
    uint8_t octets[4] = {10, 0, 0, octet & 7};
    struct fragment_key key = {.id = octet >> 3, .proto = 17, .version = 4};

    address_set_ipv4(&key.source, octets);
    address_set_ipv4(&key.destination, octets);
    return key;
}

static void step(struct world *world, const uint8_t *octets, uint32_t number, int64_t *now_ns)
{
    uint8_t which = octets[1] % datagrams;
    struct fragment_key key = key_of(which);
    struct fragment_ports ports = {0, 0, false};
    struct frame frame = {.bytes = world->bytes + (number & 0xff), .captured = size_of(number, octets[2]),
                          .in_iface = number, .when_ns = *now_ns};

    *now_ns = (int64_t)((uint64_t)*now_ns + octets[3] * UINT64_C(100000000));
    switch (octets[0] % 8) {
    case 0:
        fragments_tick(world->fragments, *now_ns);
        break;
    case 1: /* a leap, back or forth */
        *now_ns = (int64_t)((uint64_t)*now_ns + ((uint64_t)octets[1] << 56));
        break;
    case 2:
        world->first_came[which] = true;
        fragments_first(world->fragments, &key, which, octets[3], *now_ns);
        break;
    default:
        frame.length = frame.captured + 4;
        world->given[number] = 1;
        world->of[number] = which;
        if (fragments_later(world->fragments, &key, &frame, &ports)) {
            if (!world->first_came[which] || !ports.known || ports.source != which || world->given[number] != 1)
                abort();
            world->given[number] = 2;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *world = calloc(1, sizeof(*world));
    struct fragment_counts counts;
    int64_t now_ns = 0;
    uint32_t number = 0;

    if (world == NULL)
        abort();
    for (size_t i = 0; i < sizeof(world->bytes); i++)
        world->bytes[i] = (uint8_t)(i + (i >> 8));
    world->fragments = fragments_new(16384, on_release, world, NULL);
    if (world->fragments == NULL)
        abort();
    for (; size >= 4 && number < steps_max; data += 4, size -= 4)
        step(world, data, number++, &now_ns);
    fragments_end(world->fragments);
    counts = fragments_counts(world->fragments);
    if (counts.waiting != 0 || counts.orphans != world->orphans || counts.no_room > counts.orphans)
        abort();
    for (number = 0; number < steps_max; number++)
        if (world->given[number] == 1)
            abort();
    fragments_free(world->fragments);
    free(world);
    return 0;
}
