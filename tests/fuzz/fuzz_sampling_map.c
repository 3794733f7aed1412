/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a sampling map: reading ends with a map or with a phrase, and a map answers for any exporter with a
 * rate that stands in it. The first octets choose the record that is asked for.
 */
#include "map/sampling.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct sampling_map *map, const uint8_t *octets)
{
    struct flow flow;
    struct address exporter;

    flow_clear(&flow);
    if (octets[0] & 1)
        address_set_ipv4(&exporter, octets + 4);
    else
        address_set_ipv6(&exporter, octets + 4);
    flow_set_peer_src_ip(&flow, exporter);
    if (octets[0] & 2)
        flow_set_in_iface(&flow, octets[1]);
    if (octets[0] & 4)
        flow_set_out_iface(&flow, octets[2]);
    for (unsigned i = 0; i < 2; i++) /* found, and remembered */
        if (sampling_map_rate(map, &flow) != 0 && sampling_map_count(map) == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct sampling_map *map;

    if (size < 20)
        return 0;
    map = sampling_map_parse("fuzz", (const char *)data + 20, size - 20, &error);
    if (map == NULL && error.text[0] == '\0')
        abort();
    if (map != NULL)
        ask(map, data);
    sampling_map_free(map);
    return 0;
}
