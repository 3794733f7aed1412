/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as a tagging map: reading ends with a map or with a phrase, and a map can be run over any record, twice.
 * The first octets make the record and choose the daemon. Texts with filters are left to fuzz_filter: names in them
 * would be looked up in the network.
 */
#include "map/pre_tag.h"

#include <stdlib.h>

#define head 24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct flow *flow, const uint8_t *octets)
{
    static const char communities[] = "64500:1_65000:1234_1:1";
    struct address address;

    memset(flow, 0, sizeof(*flow));
    address_set_ipv4(&address, octets + 4);
    if (octets[0] & 1)
        flow_set_peer_src_ip(flow, address);
    address_set_ipv6(&address, octets + 8);
    if (octets[0] & 2)
        flow_set_src_host(flow, address);
    address_set_ipv4(&address, octets + 12);
    if (octets[0] & 4)
        flow_set_dst_host(flow, address);
    if (octets[0] & 8)
        flow_set_in_iface(flow, octets[1]);
    if (octets[0] & 16)
        flow_set_out_iface(flow, octets[2]);
    if (octets[0] & 32)
        flow_set_in_vlan(flow, octets[3]);
    if (octets[0] & 64)
        flow_set_dst_mac(flow, load_u64(octets + 16) >> 16);
    if (octets[0] & 128)
        flow_set_std_comm(flow, (struct span){communities, octets[3] % sizeof(communities)});
    flow->traits.set_id = load_u16(octets + 2);
    flow->traits.options = (octets[1] & 1) != 0;
}

static void run(struct pre_tag_map *map, const uint8_t *octets)
{
    static struct flow flow;
    volatile char last = 0;

    for (unsigned i = 0; i < 2; i++) {
        fill(&flow, octets);
        if (pre_tag_map_run(map, &flow, NULL) && pre_tag_map_count(map) == 0)
            abort();
        if (flow_has(&flow, FIELD_LABEL) && (flow.label.length == 0 || flow.label.length > flow_string_max))
            abort();
        if (flow_has(&flow, FIELD_LABEL))
            last = flow.label.data[flow.label.length - 1];
    }
    (void)last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct pre_tag_map *map;

    if (size < head || memmem(data + head, size - head, "filter", 6) != NULL)
        return 0;
    map = pre_tag_map_parse("fuzz", (const char *)data + head, size - head, (enum daemon_mask)(1u << data[23] % 4),
                            &error);
    if (map == NULL && error.text[0] == '\0')
        abort();
    if (map != NULL)
        run(map, data);
    pre_tag_map_free(map);
    return 0;
}
