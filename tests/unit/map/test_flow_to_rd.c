/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of route distinguishers: how they are written, which row wins, what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"
#include "map/flow_to_rd.h"

static struct flow_to_rd_map *parse(const char *text, struct error *error)
{
    error->text[0] = '\0';
    return flow_to_rd_map_parse("t.map", text, strlen(text), error);
}

static struct flow record(const char *exporter, uint32_t in)
{
    static struct flow flow;
    struct address address;

    flow_clear(&flow);
    if (address_parse(exporter, &address))
        flow_set_peer_src_ip(&flow, address);
    flow_set_in_iface(&flow, in);
    return flow;
}

static uint64_t run(struct flow_to_rd_map *map, struct flow flow)
{
    if (!flow_to_rd_map_run(map, &flow))
        return flow_has(&flow, FIELD_MPLS_VPN_RD) ? 1 : UINT64_MAX;
    return flow_has(&flow, FIELD_MPLS_VPN_RD) && flow.mpls_vpn_rd_origin == 4 ? flow.mpls_vpn_rd : 2;
}

static void check_rows(void)
{
    struct error error;
    struct flow_to_rd_map *map = parse("id=0:65000:1 ip=192.0.2.1 in=12\n"
                                       "id=1:10.0.0.1:5 ip=192.0.2.1 mpls_vpn_id=11\n"
                                       "id=2:4200000000:9 ip=192.0.2.0/24 bgp_nexthop=198.51.100.1\n"
                                       "id=0:65535:4294967295 mpls_label_bottom=1048575\n"
                                       "id=0:0:0 ip=2001:db8::/32 out=-3\n",
                                       &error);
    struct flow flow = record("192.0.2.1", 12);
    struct address hop;

    ok(map != NULL, "a map with every key is read %s", error.text);
    if (map == NULL)
        return;
    is_u64(flow_to_rd_map_count(map), 5, "it has its rows");
    is_u64(run(map, flow), UINT64_C(65000) << 32 | 1, "type 0: AS of 16 bits and number of 32");
    flow = record("192.0.2.1", 1);
    is_u64(run(map, flow), UINT64_MAX, "no row fits: nothing is set");
    flow_set_ingress_vrf_id(&flow, 7);
    flow_set_egress_vrf_id(&flow, 11);
    is_u64(run(map, flow), UINT64_C(1) << 48 | UINT64_C(0x0a000001) << 16 | 5, "type 1, VPN by either interface");
    flow_set_ingress_vrf_id(&flow, 11);
    flow_set_egress_vrf_id(&flow, 7);
    is_u64(run(map, flow), UINT64_C(1) << 48 | UINT64_C(0x0a000001) << 16 | 5, "or the other");
    flow = record("192.0.2.9", 1);
    address_parse("198.51.100.1", &hop);
    flow_set_peer_dst_ip(&flow, hop);
    is_u64(run(map, flow), UINT64_C(2) << 48 | UINT64_C(4200000000) << 16 | 9, "type 2: AS of 32 bits");
    flow = record("203.0.113.1", 1);
    flow_set_mpls_label_bottom(&flow, 1048575);
    is_u64(run(map, flow), UINT64_C(65535) << 32 | UINT32_MAX, "by label, of any exporter");
    flow = record("2001:db8::1", 1);
    is_u64(run(map, flow), 0, "0:0:0 is the global table; a minus fits what is not told");
    flow_set_out_iface(&flow, 3);
    is_u64(run(map, flow), UINT64_MAX, "but not what equals it");
    flow_to_rd_map_free(map);
    flow_to_rd_map_free(NULL);
}

static void check_errors(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"id=0:1:1\nid=3:65000:1 ip=192.0.2.1", "t.map:2: 'id' is '3:65000:1', expected the type 0 (AS), 1"},
        {"id=65000:7", "t.map:1: 'id' is '65000:7', expected TYPE:ADMINISTRATOR:NUMBER"},
        {"id=", "'id' is '', expected TYPE"},
        {"id=0:65536:1", "expected 0:AS:NUMBER with an AS up to 65535"},
        {"id=0:1:4294967296", "expected 0:AS:NUMBER"},
        {"id=1:70000:1", "expected 1:IPV4:NUMBER"},
        {"id=1:2001:db8::1:1", "expected 1:IPV4:NUMBER"},
        {"id=1:10.0.0.1:65536", "expected 1:IPV4:NUMBER"},
        {"id=2:4294967296:1", "expected 2:AS:NUMBER"},
        {"id=0:1:-1", "expected 0:AS:NUMBER"},
        {"id=0:111111111111111111111111111111111111111111111111111111:1", "expected TYPE"},
        {"id=0:1:1 id=0:1:2", "'id' comes twice"},
        {"id=0:1:1 in=1 in=2", "'in' comes twice"},
        {"ip=192.0.2.1", "'id' is missing, expected id=TYPE:ADMINISTRATOR:NUMBER"},
        {"id=0:1:1 mpls_label_botom=1", "unknown key 'mpls_label_botom', did you mean 'mpls_label_bottom'?"},
        {"id=0:1:1 jeq=x", "unknown key 'jeq', expected id, ip"},
        {"id=0:1:1 mpls_label_bottom=1048576", "'mpls_label_bottom' is '1048576', expected a number up to 1048575"},
        {"id=0:1:1 bgp_nexthop=192.0.2.0/24", "'bgp_nexthop' is '192.0.2.0/24', expected an address"},
        {"id=0:1:1 ip=192.0.2.0/33", "'ip' has the prefix length '33', expected 0 to 32"},
    };
    struct error error;

    for (unsigned i = 0; i < array_length(cases); i++) {
        ok(parse(cases[i].text, &error) == NULL && strstr(error.text, cases[i].part) != NULL, "%s", cases[i].part);
        if (strstr(error.text, cases[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
}

static void check_files(void)
{
    char path[] = "/tmp/flowledger-flow_to_rd-XXXXXX";
    struct field_set fields = {{0}};
    struct error error = {""};
    struct flow_to_rd_map *map;
    int fd = mkstemp(path);

    ok(write(fd, "id=0:1:1\n", 9) == 9 && close(fd) == 0, "a file is written");
    map = flow_to_rd_map_load(path, &error);
    ok(map != NULL && run(map, record("192.0.2.1", 1)) == (UINT64_C(1) << 32 | 1), "and read");
    flow_to_rd_map_free(map);
    unlink(path);
    ok(flow_to_rd_map_load(path, &error) == NULL && strstr(error.text, path) != NULL, "a missing one is told by name");
    flow_to_rd_map_fields(DAEMON_NFACCTD, &fields);
    ok(field_set_has(&fields, FIELD_PEER_SRC_IP) && field_set_has(&fields, FIELD_INGRESS_VRF_ID) &&
           field_set_has(&fields, FIELD_EGRESS_VRF_ID) && field_set_has(&fields, FIELD_MPLS_LABEL_BOTTOM),
       "the fields that rows ask for");
}

int main(void)
{
    plan_none();
    check_rows();
    check_errors();
    check_files();
    return done_testing();
}
