/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a networks file: reading ends with a table or with a phrase. The first octets are two addresses to look
 * up; what is found has a mask of their family, and its origin stands in the file.
 */
#include "map/networks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct networks *networks, const struct address *address)
{
    const struct network *network = networks_find(networks, address);

    if (network != NULL && network->mask > (address_is_ipv4(address) ? 32u : 128u))
        abort();
    if (network != NULL && (networks_count(networks) == 0 || address_is_absent(address)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct networks *networks;
    struct address address;

    if (size < 20)
        return 0;
    networks = networks_parse("fuzz", (const char *)data + 20, size - 20, &error);
    if (networks == NULL && error.text[0] == '\0')
        abort();
    if (networks == NULL)
        return 0;
    address_set_ipv4(&address, data);
    ask(networks, &address);
    address_set_ipv6(&address, data + 4);
    ask(networks, &address);
    memcpy(address.bytes, data + 4, 16);
    ask(networks, &address);
    networks_free(networks);
    return 0;
}
