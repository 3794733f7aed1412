/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any octets as an interface names map: reading ends with a map or with a phrase, and a map gives any record names
 * whose every octet can be read. The first octets choose the record that is asked for.
 */
#include "map/interface_names.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char sum; /* so that the reading is not left out */

static void read_name(const struct flow *flow, enum field_id id, struct span name)
{
    if (!flow_has(flow, id))
        return;
    if (name.length == 0)
        abort();
    for (uint32_t i = 0; i < name.length; i++)
        sum = (unsigned char)(sum + (unsigned char)name.data[i]);
}

static void ask(const struct interface_names *map, const uint8_t *octets)
{
    struct field_set wants = {{0}};
    struct address exporter;
    struct flow flow;
    bool set;

    field_set_add(&wants, FIELD_IN_IFACE_NAME);
    field_set_add(&wants, FIELD_OUT_IFACE_NAME);
    flow_clear(&flow);
    if (octets[0] & 1)
        address_set_ipv4(&exporter, octets + 4);
    else
        address_set_ipv6(&exporter, octets + 4);
    if (octets[0] & 2)
        flow_set_peer_src_ip(&flow, exporter);
    flow_set_in_iface(&flow, octets[1]);
    flow_set_out_iface(&flow, octets[2]);
    set = interface_names_fill(map, &wants, &flow);
    if (set != (flow_has(&flow, FIELD_IN_IFACE_NAME) || flow_has(&flow, FIELD_OUT_IFACE_NAME)))
        abort();
    if (set && interface_names_count(map) == 0)
        abort();
    read_name(&flow, FIELD_IN_IFACE_NAME, flow.in_iface_name);
    read_name(&flow, FIELD_OUT_IFACE_NAME, flow.out_iface_name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {""};
    struct interface_names *map;

    if (size < 20)
        return 0;
    map = interface_names_parse("fuzz", (const char *)data + 20, size - 20, &error);
    if (map == NULL && error.text[0] == '\0')
        abort();
    if (map != NULL)
        ask(map, data);
    interface_names_free(map);
    return 0;
}
