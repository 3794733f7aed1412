/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/dissectors.h"

#include <stdlib.h>

#include "base/nearest.h"
#include "dissect/builtin.h"
#include "dissect/open.h"

#define word_max 4096 /* of a path or name in a list */

static const struct dissector_ops *const builtin[] = {&dns_dissector, &http_dissector, &tls_dissector};

/* The next word of a list whose words are joined by any of `separators`. False at the end, or with -1 in *result. */
static bool next_word(const char **at, const char *separators, char word[word_max], struct error *error, int *result)
{
    size_t length;

    *at += strspn(*at, separators);
    length = strcspn(*at, separators);
    if (length == 0)
        return false;
    if (length >= word_max) {
        *result = error_set(error, "'%.40s...' is longer than %d bytes", *at, word_max - 1);
        return false;
    }
    memcpy(word, *at, length);
    word[length] = '\0';
    *at += length;
    return true;
}

static const struct dissector_ops *find(const struct dissector_ops *const list[], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

static int add(struct dissectors *dissectors, const struct dissector_ops *ops, struct error *error)
{
    if (find(dissectors->list, dissectors->count, ops->name) != NULL)
        return 0;
    if (dissectors->count == conversation_dissectors_max)
        return error_set(error, "more than %d dissectors", conversation_dissectors_max);
    if (ops->init != NULL && ops->init(error) < 0)
        return error_wrap(error, "the dissector '%s'", ops->name);
    dissectors->list[dissectors->count++] = ops;
    return 0;
}

static int unknown_name(const struct dissectors *dissectors, const char *name, struct error *error)
{
    struct nearest nearest;
    const char *near;

    nearest_start(&nearest, name);
    for (size_t i = 0; i < array_length(builtin); i++)
        nearest_offer(&nearest, builtin[i]->name);
    for (unsigned i = 0; i < dissectors->count; i++)
        nearest_offer(&nearest, dissectors->list[i]->name);
    near = nearest_result(&nearest);
    return error_set(error, "no dissector is called '%.100s'%s%s%s; there are dns, http, tls, and those of modules",
                     name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int load_modules(struct dissectors *dissectors, const char *paths, struct error *error)
{
    char word[word_max];
    int result = 0;

    while (paths != NULL && next_word(&paths, ", ", word, error, &result)) {
        const struct dissector_ops *ops = open_dissector(word, error);

        if (ops == NULL)
            return -1;
        if (find(builtin, array_length(builtin), ops->name) != NULL ||
            find(dissectors->list, dissectors->count, ops->name) != NULL)
            return error_set(error, "the module '%.200s' brings '%s', which is there already", word, ops->name);
        if (add(dissectors, ops, error) < 0)
            return -1;
    }
    return result;
}

static int load_names(struct dissectors *dissectors, const char *names, struct error *error)
{
    char word[word_max];
    int result = 0;

    while (next_word(&names, ", ", word, error, &result)) {
        const struct dissector_ops *ops = find(builtin, array_length(builtin), word);

        if (ops == NULL)
            ops = find(dissectors->list, dissectors->count, word);
        if (ops == NULL)
            return unknown_name(dissectors, word, error);
        if (add(dissectors, ops, error) < 0)
            return -1;
    }
    return result;
}

static int own_port(struct dissectors *dissectors, unsigned number, bool tcp, uint16_t port, struct error *error)
{
    uint8_t *owner = tcp ? dissectors->tcp_owner : dissectors->udp_owner;
    uint64_t *bits = tcp ? dissectors->tcp_bits : dissectors->udp_bits;

    if (owner[port] != 0 && owner[port] != number + 1)
        return error_set(error, "%s port %u belongs to '%s' and '%s'", tcp ? "TCP" : "UDP", port,
                         dissectors->list[owner[port] - 1]->name, dissectors->list[number]->name);
    owner[port] = (uint8_t)(number + 1);
    bits[port / 64] |= UINT64_C(1) << (port % 64);
    return 0;
}

/* "80,8080": replaces the dissector's own ports. */
static int read_ports(struct dissectors *dissectors, unsigned number, const char *text, struct error *error)
{
    const struct dissector_ops *ops = dissectors->list[number];

    for (;;) {
        char *end;
        unsigned long port = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;

        if (port < 1 || port > 65535 || (*end != ',' && *end != '\0'))
            return error_set(error, "'%.40s' begins with no port; expected numbers from 1 to 65535 joined by commas",
                             text);
        if (ops->tcp_ports != NULL && own_port(dissectors, number, true, (uint16_t)port, error) < 0)
            return -1;
        if (ops->udp_ports != NULL && own_port(dissectors, number, false, (uint16_t)port, error) < 0)
            return -1;
        if (*end == '\0')
            return 0;
        text = end + 1;
    }
}

/* "http=80,8080 dns=53". A name that is not on is an error too: who gives it ports wants it. */
static int load_ports(struct dissectors *dissectors, const char *text, uint32_t *chosen, struct error *error)
{
    char word[word_max];
    int result = 0;

    while (text != NULL && next_word(&text, " ;", word, error, &result)) {
        char *equals = strchr(word, '=');
        unsigned number = 0;

        if (equals == NULL)
            return error_set(error, "'%.100s' is not NAME=PORT,PORT,...", word);
        *equals = '\0';
        while (number < dissectors->count && strcmp(dissectors->list[number]->name, word) != 0)
            number++;
        if (number == dissectors->count) {
            if (find(builtin, array_length(builtin), word) != NULL)
                continue; /* built in, but off */
            return unknown_name(dissectors, word, error);
        }
        if (read_ports(dissectors, number, equals + 1, error) < 0)
            return error_wrap(error, "ports of '%s'", word);
        *chosen |= UINT32_C(1) << number;
    }
    return result;
}

static int take_own_ports(struct dissectors *dissectors, unsigned number, struct error *error)
{
    const struct dissector_ops *ops = dissectors->list[number];

    for (const uint16_t *port = ops->tcp_ports; port != NULL && *port != 0; port++)
        if (own_port(dissectors, number, true, *port, error) < 0)
            return -1;
    for (const uint16_t *port = ops->udp_ports; port != NULL && *port != 0; port++)
        if (own_port(dissectors, number, false, *port, error) < 0)
            return -1;
    return 0;
}

int dissectors_load(struct dissectors *dissectors, const struct dissection_options *options, struct error *error)
{
    uint32_t chosen = 0;

    memset(dissectors, 0, sizeof(*dissectors));
    if (options->output_file != NULL) {
        if (load_modules(dissectors, options->modules, error) < 0)
            return error_wrap(error, "proto_modules");
        if (load_names(dissectors, options->dissectors ? options->dissectors : "dns,http,tls", error) < 0)
            return error_wrap(error, "proto_dissectors");
    }
    if ((options->want_dns_name && add(dissectors, &dns_dissector, error) < 0) ||
        (options->want_tls_sni && add(dissectors, &tls_dissector, error) < 0))
        return -1;
    if (load_ports(dissectors, options->ports, &chosen, error) < 0)
        return error_wrap(error, "proto_ports");
    for (unsigned i = 0; i < dissectors->count; i++)
        if ((chosen >> i & 1) == 0 && take_own_ports(dissectors, i, error) < 0)
            return error_wrap(error, "proto_ports");
    return 0;
}
