/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel_0: the reading of its text, and the taking off of the layers that it names. A packet that has not all of them
 * in this order stays as it is, so that nothing else of the traffic is lost.
 */
#include "base/base.h"
#include "base/nearest.h"

#include <stdio.h>

#include "decode/packet/walk.h"

#define word_max 16

/* The word before the next `separator` (or the end) without blanks around it; moves *text behind it. */
static bool take_word(const char **text, char separator, char word[word_max])
{
    const char *end = strchr(*text, separator), *from = *text, *to;
    size_t size;

    to = end != NULL ? end : from + strlen(from);
    *text = end != NULL ? end + 1 : to;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    size = (size_t)(to - from);
    if (size >= word_max)
        return false;
    memcpy(word, from, size);
    word[size] = '\0';
    return true;
}

static int find_kind(const char *word, uint8_t *kind, struct error *error)
{
    char known[128] = "";
    struct nearest nearest;
    const char *name;
    size_t used = 0;

    nearest_start(&nearest, word);
    for (unsigned i = 0; (name = tunnel_kind_name(i)) != NULL; i++) {
        if (strcmp(word, name) == 0) {
            *kind = (uint8_t)i;
            return 0;
        }
        nearest_offer(&nearest, name);
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "", name);
    }
    if (nearest_result(&nearest) != NULL)
        return error_set(error, "unknown tunnel '%s': did you mean '%s'?", word, nearest_result(&nearest));
    return error_set(error, "unknown tunnel '%s'; known are %s", word, known);
}

static int parse_port(const char *word, uint16_t *port, struct error *error)
{
    unsigned value = 0;

    for (const char *p = word; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || (value = value * 10 + (unsigned)(*p - '0')) > UINT16_MAX)
            return error_set(error, "'%s' is no port", word);
    }
    *port = (uint16_t)value;
    return 0;
}

/* "gtp, 2152", "gtp" or "ipip, 0". */
static int parse_layer(struct packet_unwrap_layer *layer, const char *text, struct error *error)
{
    char name[word_max], port[word_max];
    const char *rest = text;

    if (!take_word(&rest, ',', name) || !take_word(&rest, ',', port) || *rest != '\0')
        return error_set(error, "'%s' is not 'TUNNEL' or 'TUNNEL, PORT'", text);
    if (find_kind(name, &layer->kind, error) < 0)
        return -1;
    layer->port = tunnel_kind_port(layer->kind);
    if (*port != '\0' && parse_port(port, &layer->port, error) < 0)
        return -1;
    if (layer->port != 0 && !tunnel_kind_over_udp(layer->kind))
        return error_set(error, "%s is not over UDP and has no port: write '%s' or '%s, 0'", name, name, name);
    if (layer->port == 0 && tunnel_kind_port(layer->kind) != 0)
        return error_set(error, "%s is over UDP: port 0 is none, %u is the usual one", name,
                         tunnel_kind_port(layer->kind));
    return 0;
}

int packet_unwrap_parse(struct packet_unwrap *unwrap, const char *text, struct error *error)
{
    char layer[2 * word_max];
    const char *rest = text;

    *unwrap = (struct packet_unwrap){.count = 0};
    do {
        const char *end = strchr(rest, ';');
        size_t size = end != NULL ? (size_t)(end - rest) : strlen(rest);

        if (size >= sizeof(layer))
            return error_set(error, "'%.40s' is not 'TUNNEL' or 'TUNNEL, PORT'", rest);
        memcpy(layer, rest, size);
        layer[size] = '\0';
        rest = end != NULL ? end + 1 : rest + size;
        if (strspn(layer, " \t") == size && end == NULL && unwrap->count > 0) /* a ';' at the end */
            break;
        if (unwrap->count == packet_unwrap_max)
            return error_set(error, "more than %u tunnels, one in the other", packet_unwrap_max);
        if (parse_layer(&unwrap->layers[unwrap->count], layer, error) < 0)
            return -1;
        unwrap->count++;
    } while (*rest != '\0');
    return 0;
}

bool packet_unwrap(const struct packet_unwrap *unwrap, struct cursor *frame, enum packet_link *link)
{
    static const struct field_set nothing;
    struct packet_info info = {.ip = NULL};
    enum packet_link inside = *link;
    struct walk walk;
    struct flow flow; /* of what is taken off: nobody looks at it */

    flow_clear(&flow);
    walk = (struct walk){.rest = *frame, .wants = &nothing, .flow = &flow, .info = &info};
    for (unsigned i = 0; i < unwrap->count; i++) {
        enum walk_layer layer;

        walk.frames = 0;
        walk.transport = false;
        layer = link_peel(&walk, inside);
        if (layer != WALK_IPV4 && layer != WALK_IPV6)
            return false;
        ip_decode(&walk, layer);
        if (!walk.transport || !tunnel_peel_kind(&walk, unwrap->layers[i].kind, unwrap->layers[i].port, &inside) ||
            cursor_left(&walk.rest) == 0)
            return false;
    }
    *frame = walk.rest;
    *link = inside;
    return true;
}
