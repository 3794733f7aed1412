/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a map of route distinguishers: reading ends with a map or with a phrase, and a map answers for any
 * record. The first octets make the record.
 */
#include "map/flow_to_rd.h"

#include <stdlib.h>

#define head 20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct flow_to_rd_map *map, const uint8_t *octets)
{
    static struct flow flow;
    struct address address;

    flow_clear(&flow);
    if (octets[0] & 1)
        address_set_ipv4(&address, octets + 4);
    else
        address_set_ipv6(&address, octets + 4);
    flow_set_peer_src_ip(&flow, address);
    if (octets[0] & 2)
        flow_set_in_iface(&flow, octets[1]);
    if (octets[0] & 4)
        flow_set_egress_vrf_id(&flow, octets[2]);
    if (octets[0] & 8)
        flow_set_peer_dst_ip(&flow, address);
    for (unsigned i = 0; i < 2; i++)
        if (flow_to_rd_map_run(map, &flow) && (flow_to_rd_map_count(map) == 0 || flow.mpls_vpn_rd >> 48 > 2))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct flow_to_rd_map *map;

    if (size < head)
        return 0;
    map = flow_to_rd_map_parse("fuzz", (const char *)data + head, size - head, &error);
    if (map == NULL && error.text[0] == '\0')
        abort();
    if (map != NULL)
        ask(map, data);
    flow_to_rd_map_free(map);
    return 0;
}
