/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tagging maps: every key by a record that fits and one that does not, what rows do and how they follow each other,
 * what a record that does not tell something is taken for, and every mistake with its line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/tap.h"
#include "map/pre_tag.h"

static struct pre_tag_map *parse_for(enum daemon_mask daemon, const char *text, struct error *error)
{
    error->text[0] = '\0';
    return pre_tag_map_parse("t.map", text, strlen(text), daemon, error);
}

static struct address address_of(const char *text)
{
    struct address address = {{0}};

    address_parse(text, &address);
    return address;
}

static void set_text(struct flow *flow, enum field_id id, const char *text)
{
    struct span span = {text, (uint32_t)strlen(text)};

    if (id == FIELD_STD_COMM)
        flow_set_std_comm(flow, span);
    else
        flow_set_src_std_comm(flow, span);
}

/* A record that tells everything. */
static void full(struct flow *flow)
{
    memset(flow, 0, sizeof(*flow));
    flow_set_peer_src_ip(flow, address_of("192.0.2.1"));
    flow_set_in_iface(flow, 5);
    flow_set_out_iface(flow, 4294967295);
    flow_set_export_proto_sysid(flow, 9);
    flow_set_ip_next_hop(flow, address_of("198.51.100.1"));
    flow_set_peer_dst_ip(flow, address_of("2001:db8::2"));
    flow_set_src_host(flow, address_of("10.1.2.3"));
    flow_set_dst_host(flow, address_of("10.9.9.9"));
    flow_set_src_mac(flow, UINT64_C(0x02005e00530a));
    flow_set_dst_mac(flow, UINT64_C(0x01005e000001));
    flow_set_vlan(flow, 100);
    flow_set_in_vlan(flow, 100);
    flow_set_out_vlan(flow, 200);
    flow_set_in_cvlan(flow, 7);
    flow_set_proto(flow, 6);
    flow_set_src_port(flow, 1111);
    flow_set_dst_port(flow, 80);
    flow_set_tcpflags(flow, 0x12);
    flow_set_src_as(flow, 64500);
    flow_set_dst_as(flow, 4200000000);
    flow_set_peer_src_as(flow, 64501);
    flow_set_peer_dst_as(flow, 64502);
    flow_set_local_pref(flow, 100);
    flow_set_src_local_pref(flow, 200);
    flow_set_src_roa(flow, 'v');
    flow_set_dst_roa(flow, 'i');
    flow_set_mpls_vpn_rd(flow, UINT64_C(65000) << 32 | 1);
    flow_set_ingress_vrf_id(flow, 11);
    flow_set_egress_vrf_id(flow, 12);
    flow_set_mpls_pw_id(flow, 13);
    flow_set_fwd_status(flow, 64);
    flow_set_nat_event(flow, 4);
    flow_set_fw_event(flow, 1);
    flow_set_sampling_direction(flow, 'e');
    set_text(flow, FIELD_STD_COMM, "65000:1234_64500:1");
    set_text(flow, FIELD_SRC_STD_COMM, "64499:1");
    flow->traits.set_id = 257;
    flow->traits.engine_type = flow_engine_told | 2;
    flow->traits.sample_type = 8800u << 12 | 1;
    flow->traits.two_way = true;
}

/* -1: the map is refused; else whether the record fits its only row. */
static int fits(enum daemon_mask daemon, const char *words, struct flow *flow)
{
    struct flow_image image = {.made = false};
    struct error error;
    struct pre_tag_map *map;
    char row[256];
    bool fitted;

    snprintf(row, sizeof(row), "set_tag=77 %s\n", words);
    map = parse_for(daemon, row, &error);
    if (map == NULL) {
        printf("# %s\n", error.text);
        return -1;
    }
    fitted = pre_tag_map_run(map, flow, &image);
    if (fitted != (flow_has(flow, FIELD_TAG) && flow->tag == 77))
        fitted = -1;
    field_set_remove(&flow->have, FIELD_TAG);
    pre_tag_map_free(map);
    return fitted;
}

static void check_keys(void)
{
    static const struct {
        const char *yes, *no;
    } keys[] = {
        {"ip=192.0.2.1", "ip=192.0.2.2"},
        {"ip=192.0.2.0/24", "ip=::/0"},
        {"in=5", "in=-5"},
        {"out=4294967295", "out=5"},
        {"engine_type=2", "engine_type=-2"},
        {"engine_id=9", "engine_id=8"},
        {"source_id=9", "source_id=-9"},
        {"agent_id=9", "agent_id=10"},
        {"flowset_id=257", "flowset_id=256"},
        {"sample_type=event", "sample_type=flow"},
        {"sample_type=-option", "sample_type=-event"},
        {"is_bi_flow=true", "is_bi_flow=false"},
        {"is_nel=true", "is_nel=false"},
        {"is_nsel=true", "is_nsel=false"},
        {"nat_event=4", "nat_event=5"},
        {"direction=1", "direction=0"},
        {"nexthop=198.51.100.1", "nexthop=198.51.100.2"},
        {"bgp_nexthop=2001:db8::2", "bgp_nexthop=-2001:db8::2"},
        {"filter='vlan and vlan and src host 10.1.2.3'", "filter='udp'"},
        {"filter='vlan 100 and vlan 7 and tcp dst port 80'", "filter='vlan 100 and vlan 7 and tcp dst port 81'"},
        {"src_mac=02:00:5e:00:53:0a", "src_mac=02:00:5e:00:53:0b"},
        {"dst_mac=1:0:5e:0:0:1", "dst_mac=-01:00:5E:00:00:01"},
        {"is_multicast=true", "is_multicast=false"},
        {"vlan=100", "vlan=200"},
        {"cvlan=7", "cvlan=0"},
        {"src_net=10.1.0.0/16", "src_net=10.2.0.0/16"},
        {"dst_net=-10.1.0.0/16", "dst_net=-10.9.9.9"},
        {"ip_proto=tcp", "ip_proto=17"},
        {"src_port=1111", "src_port=80"},
        {"dst_port=80", "dst_port=-80"},
        {"tcp_flags=0x12", "tcp_flags=02"},
        {"mpls_vpn_rd=0:65000:1", "mpls_vpn_rd=0:65000:2"},
        {"mpls_vpn_id_in=11", "mpls_vpn_id_in=12"},
        {"mpls_vpn_id_out=12", "mpls_vpn_id_out=11"},
        {"mpls_pw_id=13", "mpls_pw_id=14"},
        {"src_as=64500", "src_as=64501"},
        {"dst_as=4200000000", "dst_as=0"},
        {"peer_src_as=64501", "peer_src_as=1"},
        {"peer_dst_as=64502", "peer_dst_as=-64502"},
        {"comms=1:1,65000:1234", "comms=65000:123"},
        {"comms=64500:.", "comms=64500:.."},
        {"src_comms=64499:1", "src_comms=64500:1"},
        {"local_pref=100", "local_pref=200"},
        {"src_local_pref=200", "src_local_pref=100"},
        {"src_roa=v", "src_roa=u"},
        {"dst_roa=i", "dst_roa=-i"},
        {"fwd_status=64", "fwdstatus=65"},
        {"in=5 out=4294967295 vlan=100 src_net=10.0.0.0/8 dst_net=10.9.0.0/16 src_mac=02:00:5e:00:53:0a "
         "dst_mac=01:00:5e:00:00:01",
         "in=5 out=4294967295 vlan=100 src_net=10.0.0.0/8 dst_net=10.9.0.0/16 src_mac=02:00:5e:00:53:0a "
         "dst_mac=01:00:5e:00:00:02"},
    };
    static struct flow flow;

    full(&flow);
    for (unsigned i = 0; i < array_length(keys); i++)
        ok(fits(DAEMON_NFACCTD, keys[i].yes, &flow) == 1 && fits(DAEMON_NFACCTD, keys[i].no, &flow) == 0,
           "%s, not %s", keys[i].yes, keys[i].no);
}

/* What pmacct's daemons do with records that do not tell what a row asks for. */
static void check_absent(void)
{
    static const struct {
        const char *words;
        int fits;
    } cases[] = {
        {"in=0", 0}, {"in=-5", 1}, {"vlan=0", 1}, {"vlan=-5", 1}, {"cvlan=0", 1}, {"direction=0", 1},
        {"direction=-1", 1}, {"src_as=0", 1}, {"src_as=-5", 1}, {"mpls_pw_id=0", 1}, {"is_multicast=false", 1},
        {"is_multicast=true", 0}, {"src_mac=00:00:00:00:00:00", 0}, {"src_mac=-02:00:00:00:00:01", 1},
        {"nexthop=-192.0.2.1", 0}, {"bgp_nexthop=-192.0.2.1", 1}, {"local_pref=0", 0}, {"local_pref=-1", 0},
        {"comms=1:1", 0}, {"mpls_vpn_rd=-0:1:2", 1}, {"src_net=0.0.0.0/0", 0}, {"src_net=-10.0.0.0/8", 1},
        {"ip=0.0.0.0/0", 0}, {"flowset_id=0", 0}, {"flowset_id=-1", 1}, {"engine_type=0", 0}, {"is_bi_flow=false", 1}, {"", 1},
        {"sample_type=flow", 1}, {"sample_type=flow-ipv4", 0}, {"src_roa=u", 0},
    };
    static struct flow flow;

    memset(&flow, 0, sizeof(flow));
    for (unsigned i = 0; i < array_length(cases); i++)
        is_u64((uint64_t)fits(DAEMON_NFACCTD, cases[i].words, &flow), (uint64_t)cases[i].fits,
               "a record that tells nothing %s '%s'", cases[i].fits ? "fits" : "does not fit", cases[i].words);
}

static void check_kinds(void)
{
    static struct flow flow;

    memset(&flow, 0, sizeof(flow));
    flow_set_src_host(&flow, address_of("10.0.0.1"));
    ok(fits(DAEMON_NFACCTD, "sample_type=flow-ipv4", &flow) == 1 &&
           fits(DAEMON_NFACCTD, "sample_type=flow-ipv6", &flow) == 0 &&
           fits(DAEMON_NFACCTD, "sample_type=flow", &flow) == 1,
       "an IPv4 flow");
    flow_set_mpls_label_top(&flow, 16);
    ok(fits(DAEMON_NFACCTD, "sample_type=flow-mpls-ipv4", &flow) == 1 &&
           fits(DAEMON_NFACCTD, "sample_type=flow-ipv4", &flow) == 0 &&
           fits(DAEMON_NFACCTD, "sample_type=flow", &flow) == 1,
       "one with labels");
    flow_clear(&flow);
    flow_set_dst_host(&flow, address_of("2001:db8::1"));
    ok(fits(DAEMON_NFACCTD, "sample_type=flow-ipv6", &flow) == 1 &&
           fits(DAEMON_NFACCTD, "sample_type=flow-mpls-ipv6", &flow) == 0,
       "an IPv6 flow");
    flow.traits.options = true;
    ok(fits(DAEMON_NFACCTD, "sample_type=option", &flow) == 1 && fits(DAEMON_NFACCTD, "sample_type=flow", &flow) == 0 &&
           fits(DAEMON_NFACCTD, "sample_type=flow-ipv6", &flow) == 0,
       "a record of option data");
    flow.traits.options = false;
    flow.traits.sample_type = 8800u << 12 | 1;
    ok(fits(DAEMON_SFACCTD, "sample_type=8800:1", &flow) == 1 && fits(DAEMON_SFACCTD, "sample_type=0:1", &flow) == 0 &&
           fits(DAEMON_SFACCTD, "sample_type=-0:1", &flow) == 1,
       "a sample by enterprise and format");
    flow_set_in_vlan(&flow, 3);
    flow_set_out_vlan(&flow, 4);
    ok(fits(DAEMON_SFACCTD, "vlan=3", &flow) == 1 && fits(DAEMON_SFACCTD, "vlan=4", &flow) == 1 &&
           fits(DAEMON_SFACCTD, "vlan=-4", &flow) == 0 && fits(DAEMON_SFACCTD, "vlan=0", &flow) == 0,
       "sfacctd: the VLAN of either side");
    flow_set_sampling_direction(&flow, 'u');
    ok(fits(DAEMON_NFACCTD, "direction=0", &flow) == 1 && fits(DAEMON_SFACCTD, "direction=0", &flow) == 0,
       "a direction that is not known is 0 in nfacctd and none in sfacctd");
    flow_set_sampling_direction(&flow, 'i');
    ok(fits(DAEMON_SFACCTD, "direction=0", &flow) == 1 && fits(DAEMON_PMACCTD, "direction=1", &flow) == 0, "ingress");
}

/* -- what rows do -- */

/* "tag tag2 label tos" after the map has run `times`; - is what is not set. */
static const char *result(const char *text, unsigned times, uint32_t in)
{
    static char out[1200];
    static struct flow flow;
    struct error error;
    struct pre_tag_map *map = parse_for(DAEMON_NFACCTD, text, &error);
    char tag[24] = "-", tag2[24] = "-", tos[8] = "-";

    if (map == NULL)
        return "refused";
    memset(&flow, 0, sizeof(flow));
    flow_set_in_iface(&flow, in);
    for (unsigned i = 0; i < times; i++)
        pre_tag_map_run(map, &flow, NULL);
    if (flow_has(&flow, FIELD_TAG))
        snprintf(tag, sizeof(tag), "%llu", (unsigned long long)flow.tag);
    if (flow_has(&flow, FIELD_TAG2))
        snprintf(tag2, sizeof(tag2), "%llu", (unsigned long long)flow.tag2);
    if (flow_has(&flow, FIELD_TOS))
        snprintf(tos, sizeof(tos), "%u", flow.tos);
    snprintf(out, sizeof(out), "%s %s %.*s %s", tag, tag2, flow_has(&flow, FIELD_LABEL) ? (int)flow.label.length : 1,
             flow_has(&flow, FIELD_LABEL) ? flow.label.data : "-", tos);
    pre_tag_map_free(map);
    return out;
}

static void check_actions(void)
{
    static const struct {
        const char *text;
        unsigned times;
        const char *result, *name;
    } cases[] = {
        {"set_tag=1\nset_tag=2", 1, "1 - - -", "the first row that fits wins"},
        {"id=1 in=4\nid2=2", 1, "- 2 - -", "old names; no tag where only tag2 is set"},
        {"set_tag=18446744073709551615", 1, "18446744073709551615 - - -", "the largest tag"},
        {"set_tag=0", 1, "0 - - -", "a tag of 0 is one"},
        {"set_tag=5++", 1, "5 - - -", "a counting tag begins with its number"},
        {"set_tag=5++", 6, "10 - - -", "and goes up with each record"},
        {"set_tag2=7++", 3, "- 9 - -", "tag2 as well"},
        {"set_tag=18446744073709551615++", 2, "0 - - -", "and begins anew after the largest"},
        {"set_tos=8", 1, "- - - 8", "tos"},
        {"in=5", 1, "- - - -", "a row that does nothing ends it"},
        {"set_tag=1 set_tag2=2", 1, "1 2 - -", "two in one row"},
        {"set_tag=1 set_label=x", 1, "1 - x -", "tag and label"},
        {"set_label='a b'", 1, "- - a b -", "a label with a blank"},
        {"set_label=a,k%v", 1, "- - a,k%v -", "several labels, pairs"},
        {"set_tag=9 jeq=b\nset_tag=8\nset_tag2=3 label=b", 1, "9 3 - -", "a jump passes rows over"},
        {"set_tag=9 jeq=b\nset_tag=8 label=b in=4\nset_tag=7 in=5", 1, "7 - - -",
         "it goes on from the label until a row fits, and takes the place of the tag before"},
        {"set_tag=9 jeq=b\nset_tag=8 label=b in=4", 1, "9 - - -", "and when none does, what was set stays"},
        {"set_tag=9 jeq=next\nset_tag2=8", 1, "9 8 - -", "jeq=next"},
        {"set_tag=9 jeq=next", 1, "9 - - -", "jeq=next in the last row"},
        {"jeq=a\nset_tag=2\nset_tag=3 label=a", 1, "3 - - -", "a row that only jumps"},
        {"set_tag=1 label=a in=4\nset_tag=4 jeq=a\nset_tag=3", 1, "4 - - -", "no jump goes backwards"},
        {"set_tag=1 jeq=a\nset_tag2=1 label=a\nset_tag2=2 label=a", 1, "1 1 - -", "the first of two labels"},
        {"set_tag=5 jeq=a stack=sum\nset_tag=6 label=a stack=sum jeq=b\nset_tag2=1 stack=or jeq=c label=b\n"
         "set_tag2=6 stack=or label=c", 1, "11 7 - -", "sum and or"},
        {"set_tag=5 jeq=a\nset_tag=6 label=a stack=+", 1, "11 - - -", "+ is sum"},
        {"set_tag=5 jeq=a\nset_tag=6 label=a", 1, "6 - - -", "without stack the later tag holds"},
        {"set_label=x jeq=b\nset_label=y jeq=c label=b\nset_label=x label=c", 1, "- - x,y,x -", "labels are joined"},
        {"set_label=x jeq=next\nset_tag=4 jeq=next\nset_label=z", 1, "4 - x,z -", "also with others in between"},
        {"set_label=x jeq=next\nset_label=y", 3, "- - x,y -", "each record begins anew"},
        {"return=false set_tag=3", 1, "3 - - -", "return is read"},
        {"! set_tag=1\nset_tag=2 # ip=x", 1, "2 - - -", "comments"},
    };

    for (unsigned i = 0; i < array_length(cases); i++)
        is_text(result(cases[i].text, cases[i].times, 5), cases[i].result, "%s", cases[i].name);
}

static void check_not_fitting(void)
{
    static struct flow flow;
    struct error error;
    struct pre_tag_map *map = parse_for(DAEMON_NFACCTD, "set_tag=1 in=1", &error);

    memset(&flow, 0, sizeof(flow));
    flow_set_tag(&flow, 42);
    flow_set_in_iface(&flow, 2);
    ok(!pre_tag_map_run(map, &flow, NULL) && flow.tag == 42 && flow_has(&flow, FIELD_TAG) &&
           !flow_has(&flow, FIELD_TAG2),
       "where no row fits the exporter's tag stays");
    flow_set_in_iface(&flow, 1);
    ok(pre_tag_map_run(map, &flow, NULL) && flow.tag == 1, "where one does it goes");
    pre_tag_map_free(map);
}

static void check_long_labels(void)
{
    static struct flow flow;
    char text[4096];
    size_t length = 0;
    struct error error;
    struct pre_tag_map *map;

    for (unsigned i = 0; i < 3; i++) {
        length += (size_t)snprintf(text + length, sizeof(text) - length, "jeq=next set_label=");
        memset(text + length, 'a' + (int)i, 500);
        length += 500;
        text[length++] = '\n';
    }
    length += (size_t)snprintf(text + length, sizeof(text) - length, "set_label=last");
    map = pre_tag_map_parse("t.map", text, length, DAEMON_NFACCTD, &error);
    memset(&flow, 0, sizeof(flow));
    ok(map != NULL && pre_tag_map_run(map, &flow, NULL), "long labels");
    ok(flow.label.length == 1006 && memcmp(flow.label.data + 1001, ",last", 5) == 0,
       "what finds no room is left out, the rest is there");
    is_u64(pre_tag_map_labels_cut(map), 1, "and that is counted");
    pre_tag_map_free(map);
}

/* -- mistakes, notices, files -- */

static void check_mistakes(void)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"set_tag=1\nset_tag=x in=5", "t.map:2: 'set_tag' is 'x', expected a number up to 18446744073709551615"},
        {"set_tag=18446744073709551616", "'set_tag' is '18446744073709551616'"},
        {"set_tag2=-1", "'set_tag2' is '-1'"},
        {"set_tag=++", "'set_tag' is '++'"},
        {"set_label=", "'set_label' has 0 characters, expected 1 to 1024"},
        {"set_tos=256", "'set_tos' is '256', expected a number up to 255"},
        {"stack=xor", "'stack' is 'xor', expected sum or or"},
        {"return=1", "'return' is '1', expected true or false"},
        {"label=next", "the label 'next' has a meaning of its own"},
        {"label=", "a label has 0 characters, expected 1 to 255"},
        {"set_tag=1 id=2", "'set_tag' comes twice in this line"},
        {"in=5 in=6", "'in' comes twice in this line"},
        {"set_tag=1 set_tag2=2 set_label=x", "'set_tag', 'set_tag2' and 'set_label' exclude each other"},
        {"set_tag=1 bogus=7", "unknown key 'bogus', expected set_tag, set_tag2, set_label"},
        {"set_tag=1 src_nte=7", "unknown key 'src_nte', did you mean 'src_net'?"},
        {"set_tga=1", "unknown key 'set_tga', did you mean 'set_tag'?"},
        {"set_tag=1 sampling_rate=10", "unknown key 'sampling_rate'"},
        {"set_tag 1", "'set_tag' is not of the form key=value"},
        {"set_tag=1 in=eth0", "'in' is 'eth0', expected a number up to 4294967295, or one with a minus before it"},
        {"set_tag=1 in=-x", "'in' is '-x'"},
        {"set_tag=1 vlan=65536", "'vlan' is '65536', expected a number up to 65535"},
        {"set_tag=1 ip=-192.0.2.1", "'ip' is '-192.0.2.1', expected an address or a prefix"},
        {"set_tag=1 src_net=10.0.0.0/33", "'src_net' has the prefix length '33', expected 0 to 32"},
        {"set_tag=1 nexthop=10.0.0.0/8", "'nexthop' is '10.0.0.0/8', expected an address"},
        {"set_tag=1 src_mac=02:00:00:00:00", "'src_mac' is '02:00:00:00:00', expected a MAC address"},
        {"set_tag=1 src_mac=02:00:00:00:00:001", "'src_mac' is"},
        {"set_tag=1 direction=2", "'direction' is '2', expected a number up to 1"},
        {"set_tag=1 is_nel=yes", "'is_nel' is 'yes', expected true or false"},
        {"set_tag=1 ip_proto=tpc", "'ip_proto' is 'tpc', expected the name or number"},
        {"set_tag=1 tcp_flags=zz", "'tcp_flags' is 'zz', expected a hexadecimal number"},
        {"set_tag=1 tcp_flags=10000", "'tcp_flags' is '10000'"},
        {"set_tag=1 sample_type=flows", "'sample_type' is 'flows', expected flow, event, option"},
        {"set_tag=1 comms=65000:1,x", "'comms' is '65000:1,x', expected up to 16 communities"},
        {"set_tag=1 comms=1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1", "expected up to 16"},
        {"set_tag=1 src_roa=x", "'src_roa' is 'x', expected u (unknown)"},
        {"set_tag=1 mpls_vpn_rd=3:1:1", "'mpls_vpn_rd' is '3:1:1', expected the type 0"},
        {"set_tag=1 filter='src hots 10.0.0.1'", "t.map:1: 'filter' is refused: "},
        {"set_tag=1 filter='udp' label=next", "t.map:1: the label 'next'"},
        {"set_tag=1 engine_type=256", "'engine_type' is '256', expected a number up to 255"},
    };
    struct error error;

    for (unsigned i = 0; i < array_length(cases); i++) {
        ok(parse_for(DAEMON_NFACCTD, cases[i].text, &error) == NULL && strstr(error.text, cases[i].part) != NULL,
           "refused: %s", cases[i].part);
        if (strstr(error.text, cases[i].part) == NULL)
            printf("# got: %s\n", error.text);
    }
    ok(parse_for(DAEMON_SFACCTD, "sample_type=1", &error) == NULL && strstr(error.text, "ENTERPRISE:FORMAT") != NULL,
       "sfacctd: %s", error.text);
    ok(parse_for(DAEMON_PMACCTD, "set_tos=1", &error) == NULL && strstr(error.text, "is for nfacctd") != NULL,
       "pmacctd: %s", error.text);
}

static void check_notices(void)
{
    static const struct {
        enum daemon_mask daemon;
        const char *text, *part;
    } cases[] = {
        {DAEMON_NFACCTD, "set_tag=1 ip=192.0.2.1 in=1", NULL},
        {DAEMON_NFACCTD, "set_tag=1 local_pref=1 src_roa=v\nset_tag=1 local_pref=2",
         "no record tells local_pref, src_roa here"},
        {DAEMON_PMACCTD, "set_tag=1 flowset_id=1", "no record tells flowset_id here"},
        {DAEMON_NFACCTD, "\nset_tag=1 jeq=nowhere", "line 2: no later row has the label of 'jeq'"},
        {DAEMON_NFACCTD, "set_tag=1 return=true", "line 1: 'return' has no effect"},
        {DAEMON_NFACCTD, "set_tag=1 set_label=x", "line 1: such a row sets both here"},
        {DAEMON_NFACCTD, "set_tag=1 sample_type=flow-mpls-ipv4", "flow-mpls-* are flows with MPLS labels only"},
        {DAEMON_PMACCTD, "set_tag=1 ip=192.0.2.1", "line 1: packets have no exporter, rows with 'ip' never fit"},
        {DAEMON_UACCTD, "set_tag=1 ip=0.0.0.0/0\nset_tag=1 ip=::/0", "rows with 'ip' never fit"},
        {DAEMON_UACCTD, "set_tag=1 filter='tcp'", NULL},
    };
    static struct flow flow;

    for (unsigned i = 0; i < array_length(cases); i++) {
        struct error error;
        struct pre_tag_map *map = parse_for(cases[i].daemon, cases[i].text, &error);
        const char *notice = map == NULL ? "refused" : pre_tag_map_notice(map);

        if (cases[i].part == NULL)
            ok(notice == NULL, "nothing to notice in case %u: %s", i, notice == NULL ? "nothing" : notice);
        else
            ok(notice != NULL && strstr(notice, cases[i].part) != NULL, "noticed: %s", notice);
        pre_tag_map_free(map);
    }
    memset(&flow, 0, sizeof(flow));
    ok(fits(DAEMON_PMACCTD, "ip=0.0.0.0/0", &flow) == 0 && fits(DAEMON_PMACCTD, "ip=192.0.2.0/24", &flow) == 0,
       "packets fit no row with an exporter");
}

static void check_files(void)
{
    char path[] = "/tmp/flowledger-pre_tag-XXXXXX";
    struct field_set fields = {{0}};
    struct error error = {""};
    struct pre_tag_map *map;
    const char *phrase;
    int fd = mkstemp(path);

    ok(write(fd, "set_tag=1\nset_tag=2 filter='tcp'\n", 33) == 33 && close(fd) == 0, "a file is written");
    map = pre_tag_map_load(path, DAEMON_NFACCTD, &error);
    ok(map != NULL && pre_tag_map_count(map) == 2 && pre_tag_map_uses_filter(map) &&
           pre_tag_map_misfits(map, &phrase) == 0 && phrase == NULL,
       "and read");
    pre_tag_map_free(map);
    unlink(path);
    ok(pre_tag_map_load(path, DAEMON_NFACCTD, &error) == NULL && strstr(error.text, path) != NULL,
       "a missing one is told by name");
    map = parse_for(DAEMON_NFACCTD, "", &error);
    ok(map != NULL && pre_tag_map_count(map) == 0 && !pre_tag_map_uses_filter(map), "an empty map is one");
    pre_tag_map_free(map);
    pre_tag_map_free(NULL);
    pre_tag_map_fields(DAEMON_NFACCTD, &fields);
    ok(field_set_has(&fields, FIELD_PEER_SRC_IP) && field_set_has(&fields, FIELD_IN_VLAN) &&
           field_set_has(&fields, FIELD_MPLS_LABEL_TOP) && !field_set_has(&fields, FIELD_LOCAL_PREF) &&
           !field_set_has(&fields, FIELD_TAG),
       "the fields that rows ask for");
}

static void check_large(void)
{
    size_t room = 20u << 20, length = 0;
    char *text = malloc(room);
    struct error error = {""};
    struct pre_tag_map *map;
    static struct flow flow;

    for (unsigned i = 0; i < 100000; i++)
        length += (size_t)snprintf(text + length, room - length, "set_tag=%u in=%u label=l%u jeq=l%u\n", i, i / 2, i,
                                   i + 50000);
    map = pre_tag_map_parse("t.map", text, length, DAEMON_NFACCTD, &error);
    memset(&flow, 0, sizeof(flow));
    flow_set_in_iface(&flow, 49999);
    ok(map != NULL && pre_tag_map_run(map, &flow, NULL) && flow.tag == 99998, "a hundred thousand labels %s",
       error.text);
    pre_tag_map_free(map);
    length = 0;
    for (unsigned i = 0; i < 20000; i++)
        length += (size_t)snprintf(text + length, room - length, "set_tag=%u jeq=next\n", i);
    ok(pre_tag_map_parse("t.map", text, length, DAEMON_NFACCTD, &error) == NULL &&
           strstr(error.text, "t.map:3616: from here on a record could jump through more than 16384 rows") != NULL,
       "jumps without end are refused: %s", error.text);
    free(text);
}

int main(void)
{
    plan_none();
    check_keys();
    check_absent();
    check_kinds();
    check_actions();
    check_not_fitting();
    check_long_labels();
    check_mistakes();
    check_notices();
    check_files();
    check_large();
    return done_testing();
}
