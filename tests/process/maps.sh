#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Maps and filters from end to end: records that differ from their neighbours in one thing each, so that each row of a
# tagging map has just one that fits, and every sum is known beforehand. First NetFlow and IPFIX, with every key of
# nfacctd that needs no BGP, then packets. And --check finds what is wrong in maps and filters, with the place.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
NFACCTD_OR_BUILT=$SFACCTD

# same NAME PLUGIN FIELD...: the JSON rows of a plugin, as words sorted, are the lines of $DIR/PLUGIN.want
same()
{
    local name=$1 plugin=$2

    shift 2
    python3 - "$DIR/$plugin.json" "$@" packets bytes >"$DIR/$plugin.got" <<'END'
import json, sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = [json.loads(line) for line in file]
print(*sorted("|".join(str(row.get(field, "none")) for field in sys.argv[2:]) for row in rows), sep="\n")
END
    check "$name" cmp -s "$DIR/$plugin.got" "$DIR/$plugin.want" ||
        diff "$DIR/$plugin.got" "$DIR/$plugin.want" | head -12 | note
}

# configuration PLUGIN... <<END: each a print plugin into $DIR/PLUGIN.json
configuration()
{
    local plugin

    rm -f "$DIR"/*.json
    {
        printf 'daemonize: false\nprint_output: json\nprint_refresh_time: 3600\nprint_num_protos: true\n'
        printf 'plugins: '
        printf 'print[%s], ' "$@" | sed 's/, $/\n/'
        for plugin; do
            echo "print_output_file[$plugin]: $DIR/$plugin.json"
        done
        cat
    } >"$DIR/conf"
}

# replay NAME CAPTURE: two assertions
replay()
{
    : >"$LOG"
    timeout 60 "$SFACCTD" -f "$DIR/conf" -I "$2" >>"$LOG" 2>&1 </dev/null
    is "$1: status" $? 0
    check "$1: the books balance" balanced "$LOG"
}

packets_of()
{
    python3 - "$DIR" "$@" <<'END'
import json, sys

print(sum(json.loads(line)["packets"] for name in sys.argv[2:] for line in open(f"{sys.argv[1]}/{name}.json")))
END
}

# -- NetFlow and IPFIX: the record number N has 1000 + N octets, and the row number N of the map is for it --

encode '
from collections import Counter

FIELDS = [("src", 8, 4), ("dst", 12, 4), ("sport", 7, 2), ("dport", 11, 2), ("proto", 4, 1), ("flags", 6, 2),
          ("input", 10, 4), ("output", 14, 4), ("next", 15, 4), ("bgp", 18, 4), ("status", 89, 1),
          ("smac", 56, 6), ("dmac", 80, 6),
          ("vlan", 58, 2), ("cvlan", 245, 2), ("src_as", 16, 4), ("dst_as", 17, 4), ("peer_dst_as", 128, 4),
          ("peer_src_as", 129, 4), ("vrf_in", 234, 4), ("vrf_out", 235, 4), ("wire", 249, 4), ("tos", 5, 1)]
NEUTRAL = dict(src="10.0.0.1", dst="10.1.0.1", sport=1000, dport=2000, proto=17, flags=0, input=1, output=2,
               next="10.9.9.9", bgp="10.8.8.8", status=65, smac=b"\2\0\0\0\0\1", dmac=b"\2\0\0\0\0\2", vlan=0, cvlan=0,
               src_as=1, dst_as=2, peer_dst_as=3, peer_src_as=4, vrf_in=0, vrf_out=0, wire=0, tos=0)
COUNTS = [(2, 8), (1, 8)]
V6 = {"src": (27, 16), "dst": (28, 16)}

def template(number, more=(), other={}):
    return Template(number, [other.get(name, (element, size)) for name, element, size in FIELDS] + list(more) + COUNTS)

BASE = template(256)
TEMPLATES = {"same": template(300), "direction": template(257, [(61, 1)]), "nat": template(258, [(230, 1)]),
             "firewall": template(259, [(233, 1)]), "label": template(260, [(70, 3)]),
             "distinguisher": template(261, [(90, 8)]), "six": template(262, other=V6),
             "two": template(263, [(231, 8), (232, 8)])}
RD = struct.pack(">HHI", 0, 65000, 8)

# (row, changes, template, its values)
CASES = [
    ("ip=192.0.2.9", {}), ("source_id=7", {}), ("flowset_id=300", {}, "same"), ("engine_type=3", {}),
    ("engine_id=9", {}),
    ("in=70", {"input": 70}), ("out=4294967295", {"output": 4294967295}), ("direction=1", {}, "direction", 1),
    ("nexthop=10.9.9.8", {"next": "10.9.9.8"}), ("bgp_nexthop=10.8.8.7", {"bgp": "10.8.8.7"}),
    ("fwd_status=128", {"status": 128}), ("src_mac=02:00:00:00:00:0a", {"smac": b"\2\0\0\0\0\x0a"}),
    ("dst_mac=02:00:00:00:00:0b", {"dmac": b"\2\0\0\0\0\x0b"}), ("is_multicast=true", {"dmac": b"\1\0\x5e\0\0\1"}),
    ("vlan=100", {"vlan": 100}), ("cvlan=200", {"cvlan": 200}), ("src_net=172.16.0.0/12", {"src": "172.31.255.255"}),
    ("dst_net=172.16.3.0/24", {"dst": "172.16.3.4"}), ("ip_proto=gre", {"proto": 47}),
    ("src_port=1053", {"sport": 1053}),
    ("dst_port=2053", {"dport": 2053}), ("tcp_flags=12", {"flags": 0x12}), ("mpls_vpn_id_in=31", {"vrf_in": 31}),
    ("mpls_vpn_id_out=32", {"vrf_out": 32}), ("mpls_pw_id=33", {"wire": 33}), ("src_as=64500", {"src_as": 64500}),
    ("dst_as=4200000000", {"dst_as": 4200000000}), ("peer_src_as=64501", {"peer_src_as": 64501}),
    ("peer_dst_as=64502", {"peer_dst_as": 64502}), ("mpls_vpn_rd=0:65000:7", {"input": 71}),
    ("mpls_vpn_rd=0:65000:8", {}, "distinguisher", RD), ("nat_event=5", {}, "nat", 5),
    ("is_nel=true vlan=101", {"vlan": 101}, "nat", 4), ("sample_type=event", {}, "nat", 4),
    ("is_nsel=true", {}, "firewall", 2), ("is_bi_flow=true", {}, "two", 7, 8), # counted only with tmp_asa_bi_flow
    ("sample_type=flow-mpls-ipv4", {}, "label", b"\0\1\x21"),
    ("sample_type=flow-ipv6 src_net=2001:db8::/32", {"src": "2001:db8::1", "dst": "2001:db8:1::1"}, "six"),
    ("sample_type=flow-ipv6", {"src": "2001:db9::1", "dst": "2001:db8:1::1"}, "six"),
    ("filter=\x27dst host 10.1.0.2 and udp dst port 2000\x27", {"dst": "10.1.0.2"}),
    ("vlan=-0", {"vlan": 3}), ("in=-1", {"input": 72}), ("src_net=-10.0.0.0/8", {"src": "11.0.0.1"}),
    ("ip_proto=-udp", {"proto": 6}), ("dst_port=-2000 src_port=1001", {"sport": 1001, "dport": 2001}),
]
datagrams, records = [], []
sequence = Counter()

def add(changes, octets, name=None, values=(), source="192.0.2.1", domain=0):
    record = {**NEUTRAL, **changes}
    form = TEMPLATES.get(name, BASE)
    values = tuple(record[field] for field, _, _ in FIELDS) + values + (1, octets)
    message = ipfix(templates10(form), data(form, values), sequence=sequence[source, domain], domain=domain)
    datagrams.append(From(message, source))
    sequence[source, domain] += 1
    records.append(({**record, "rd": name == "distinguisher"}, octets))

for number, (row, changes, *how) in enumerate(CASES, 1):
    if row.startswith("engine"):
        flow = Fixed(src="10.0.0.1", dst="10.1.0.1", packets=1, octets=1000 + number, proto=17, input=1, output=2,
                     sport=1000, dport=2000)
        datagrams.append(From(fixed(5, [flow], engine=(3, 0) if "type" in row else (0, 9)), "192.0.2.5"))
        records.append(({**NEUTRAL}, 1000 + number))
        continue
    add(changes, 1000 + number, how[0] if how else None, tuple(how[1:]),
        "192.0.2.9" if row.startswith("ip=") else "192.0.2.1", 7 if row.startswith("source_id") else 0)
for _ in range(3):
    add({}, 5000)
add({"sport": 1053, "dport": 2054}, 6000)
save(sys.argv[1] + "/flows.pcap", datagrams)

def write(name, lines):
    with open(sys.argv[1] + "/" + name, "w") as file:
        file.writelines(line + "\n" for line in lines)

write("keys.map", [f"set_tag={number} {case[0]}" for number, case in enumerate(CASES, 1)])
tags = [(number, 1, 1000 + number) for number in range(1, len(CASES) + 1)] + [(0, 3, 15000)]
by_port = [number for number, case in enumerate(CASES, 1) if case[0] == "src_port=1053"][0]
tags[by_port - 1] = (by_port, 2, 7000 + by_port)
def want(name, rows):
    write(name + ".want", sorted("|".join(map(str, row)) for row in rows))
want("keys", tags)
want("low", [row for row in tags if 1 <= row[0] <= 10])
want("high", [row for row in tags if not 1 <= row[0] <= 10])

def tally(name, key, taken=lambda record: True):
    sums = {}
    for record, octets in records:
        if taken(record):
            row = sums.setdefault(key(record), [0, 0])
            row[0] += 1
            row[1] += octets
    want(name, [(*key, *row) for key, row in sums.items()])

def chain(record):
    if record["vlan"] == 100:
        return 50, 0, ""
    tag = {2053: 1, 2054: 2}.get(record["dport"], 0) + 100
    return tag, 7, "edge,dns" if record["sport"] == 1053 else "edge"

tally("chain", chain)
tally("dns", chain, lambda record: record["sport"] == 1053)
tally("plain", chain, lambda record: record["sport"] != 1053)
tally("port", lambda record: (record["dport"],), lambda record: record["dport"] in (2053, 2054))
tally("others", lambda record: (record["dport"] if record["proto"] != 47 else 0,), # GRE has no ports
    lambda record: record["dport"] not in (2053, 2054))
tally("post", lambda record: (77, 78))
tally("tos", lambda record: (184 if record["vlan"] == 100 else 0,))
tally("rd", lambda record: ("0:65000:7" if record["input"] == 71 else
                            "0:65000:8" if record.get("rd") else "0:0:0",))
' "$DIR" || skip "the encoder failed"
cat >"$DIR/chain.map" <<'END'
! what jumps, what is added, what is joined
set_tag=50 vlan=100
set_tag=1 dst_port=2053 jeq=more
set_tag=2 dst_port=2054 jeq=more
set_tag=100 set_tag2=7 label=more stack=sum jeq=next
set_label=edge jeq=next
set_label=dns src_port=1053
END
echo "id=0:65000:7 in=71" >"$DIR/rd.map"
echo "set_tos=184 vlan=100" >"$DIR/tos.map"
configuration keys low high chain dns plain port others post tos rd <<END
flow_to_rd_map: $DIR/rd.map
$(printf "aggregate[%s]: tag\npre_tag_map[%s]: $DIR/keys.map\n" keys keys low low high high)
$(printf "aggregate[%s]: tag, tag2, label\npre_tag_map[%s]: $DIR/chain.map\n" chain chain dns dns plain plain)
$(printf "aggregate[%s]: dst_port\n" port others)
aggregate[post]: tag, tag2
pre_tag_filter[low]: 1-10
pre_tag_filter[high]: -1-10
pre_tag_label_filter[dns]: dns
pre_tag_label_filter[plain]: -dns
aggregate_filter[port]: udp dst port 2053 or udp dst port 2054
aggregate_filter[others]: not (udp dst port 2053 or udp dst port 2054)
post_tag[post]: 77
post_tag2[post]: 78
aggregate[tos]: tos
pre_tag_map[tos]: $DIR/tos.map
aggregate[rd]: mpls_vpn_rd
END
replay "nfacctd, tags" "$DIR/flows.pcap"
same "every key has its one record" keys tag
same "pre_tag_filter takes a range" low tag
same "pre_tag_filter takes all but a range" high tag
same "rows jump, add up, and join labels" chain tag tag2 label
same "pre_tag_label_filter takes a label" dns tag tag2 label
same "pre_tag_label_filter takes all but a label" plain tag tag2 label
same "aggregate_filter takes what fits" port port_dst
same "aggregate_filter takes what does not fit" others port_dst
same "post_tag and post_tag2" post tag tag2
same "set_tos" tos tos
same "flow_to_rd_map, above what the flow tells" rd mpls_vpn_rd
records=$(final input.records_decoded)
for pair in "low high" "dns plain" "port others"; do
    is "nothing is lost between the filters of $pair" "$(packets_of $pair)" "$records"
    is "and the books say so" "$(for plugin in $pair; do
        final plugin:$plugin.emit.records_filtered; done | awk '{ sum += $1 } END { print sum }')" "$records"
done

# -- NetFlow: networks, lists, names, countries --

encode '
FORM = Template(256, [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (5, 1), (10, 4), (14, 4), (2, 4), (1, 4)])
FORM6 = Template(257, [(27, 16), (28, 16)] + FORM.fields[2:])
sets = [data(FORM, ("10.1.2.3", "10.1.9.9", 53, 40000, 17, 0, 7, 8, 1, 100),
                   ("10.1.9.9", "10.3.1.1", 40000, 443, 6, 184, 7, 9, 2, 200),
                   ("172.16.0.1", "10.1.2.9", 1000, 1001, 47, 8, 9, 7, 3, 300),
                   ("192.0.2.1", "198.51.100.1", 443, 53, 6, 0, 8, 8, 4, 400)),
        data(FORM6, ("2001:db8::1", "2001:db9::1", 53, 53, 17, 184, 7, 8, 5, 500))]
save(sys.argv[1], [ipfix(templates10(FORM, FORM6), *sets)])
' "$DIR/networks.pcap"
cat >"$DIR/networks" <<'END'
! next hop, neighbour and origin; origin alone; a network alone
192.0.2.254,64510_64500,10.1.0.0/16
64501,10.1.2.0/24
10.2.0.0/15
64502,2001:db8::/32
END
printf '53\n443\n' >"$DIR/ports"
printf 'tcp\n17\n' >"$DIR/protos"
echo 184 >"$DIR/tos"
cat >"$DIR/names" <<'END'
index=7 ip=192.0.2.1 name='to the core'
index=8 ip=203.0.113.1 name=elsewhere
index=8 name=edge
END
python3 "$TESTS/lib/make_mmdb.py" city "$DIR/city.mmdb"
python3 "$TESTS/lib/make_mmdb.py" asn "$DIR/asn.mmdb"
configuration nets inside mask lists names places systems <<END
networks_file: $DIR/networks
nfacctd_as: file
nfacctd_net[nets]: file
nfacctd_net[inside]: file
nfacctd_net[mask]: mask
networks_file_filter[inside]: true
networks_mask[mask]: 15
ports_file[lists]: $DIR/ports
protos_file[lists]: $DIR/protos
tos_file[lists]: $DIR/tos
interface_names_map: $DIR/names
geoipv2_file: $DIR/city.mmdb
geoipv2_as_file: $DIR/asn.mmdb
aggregate[nets]: src_net, src_mask, src_as, dst_as, peer_dst_as, peer_dst_ip
aggregate[inside]: src_host, dst_host
aggregate[mask]: src_net, src_mask
aggregate[lists]: src_port, dst_port, proto, tos
aggregate[names]: in_iface_name, out_iface_name
aggregate[places]: src_host_country, src_host_pocode, src_host_coords, dst_host_country
aggregate[systems]: src_as_name, dst_as_name
END
replay "nfacctd, networks" "$DIR/networks.pcap"
# wanted PLUGIN <<END: its rows, in any order
wanted()
{
    sort >"$DIR/$1.want"
}
wanted nets <<'END'
10.1.2.0|24|64501|64500|64510|192.0.2.254|1|100
10.1.0.0|16|64500|0|0||2|200
0.0.0.0|0|0|64501|0||3|300
0.0.0.0|0|0|0|0||4|400
2001:db8::|32|64502|0|0||5|500
END
same "networks, AS numbers and next hops of the longest network" \
    nets net_src mask_src as_src as_dst peer_as_dst peer_ip_dst
wanted inside <<'END'
10.1.2.3|10.1.9.9|1|100
10.1.9.9|10.3.1.1|2|200
0.0.0.0|10.1.2.9|3|300
0.0.0.0|0.0.0.0|4|400
2001:db8::1|::|5|500
END
same "networks_file_filter leaves what is inside" inside ip_src ip_dst
wanted mask <<'END'
10.0.0.0|15|3|300
172.16.0.0|15|3|300
192.0.0.0|15|4|400
2000::|15|5|500
END
same "networks_mask" mask net_src mask_src
wanted lists <<'END'
53|0|17|255|1|100
0|443|6|184|2|200
0|0|255|255|3|300
443|53|6|255|4|400
53|53|17|184|5|500
END
same "lists of ports, protocols and ToS" lists port_src port_dst ip_proto tos
wanted names <<'END'
to the core|edge|6|600
to the core||2|200
|to the core|3|300
edge|edge|4|400
END
same "names of interfaces" names iface_name_in iface_name_out
wanted places <<'END'
|||0.0|0.0|6|600
CH|JP|8001|47.3682|8.5671|4|400
NO||0010|59.9127|10.7461|5|500
END
same "countries, postal codes and coordinates" places country_ip_src country_ip_dst pocode_ip_src lat_ip_src lon_ip_src
wanted systems <<'END'
||6|600
Example Telecom AG|Beispielnetz ÄÖÜ|4|400
Six, "quoted" Ltd||5|500
END
same "names of autonomous systems" systems as_name_src as_name_dst
is "of each map the log tells the entries" "$(grep -c 'map successfully (re)loaded with' "$LOG")" 7

# -- packets: the same, each one octet longer than the one before --

packets()
{
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TESTS/lib timeout 60 python3 - "$DIR" <<'END'
import struct
import sys

import frames

def mac(number):
    return bytes([2, 0, 0, 0, 0, number])

def frame(size, source="10.0.0.1", destination="10.1.0.1", proto=17, sport=1000, dport=2000, flags=2, tags=(),
          to=mac(2), by=mac(1)):
    version = 6 if ":" in source else 4
    packet = frames.ip(version, source, destination, proto, frames.transport(proto, sport, dport, flags, size))
    ethertypes = b"".join(struct.pack(">HH", kind, number) for kind, number in tags)
    octets = to + by + ethertypes + struct.pack(">H", 0x86dd if version == 6 else 0x0800) + packet
    return octets + bytes(max(0, 60 - len(octets))), len(packet)

CASES = [
    ("src_mac=02:00:00:00:00:0a", dict(by=mac(10))), ("dst_mac=02:00:00:00:00:0b", dict(to=mac(11))),
    ("is_multicast=true", dict(to=b"\1\0\x5e\0\0\1")), ("vlan=100", dict(tags=[(0x8100, 100)])),
    ("cvlan=30", dict(tags=[(0x88a8, 200), (0x8100, 30)])), ("src_net=172.16.0.0/12", dict(source="172.31.255.255")),
    ("dst_net=172.16.3.0/24", dict(destination="172.16.3.4")), ("ip_proto=icmp", dict(proto=1)),
    ("src_port=1053", dict(sport=1053)), ("dst_port=2053", dict(dport=2053)),
    ("tcp_flags=12", dict(proto=6, flags=0x12)),
    ("filter='tcp[tcpflags] & tcp-rst != 0'", dict(proto=6, flags=4)),
    ("filter='ip6 and udp dst port 53'", dict(source="2001:db8::1", destination="2001:db8:1::1", dport=53)),
    ("src_net=2001:db8::/32", dict(source="2001:db8::2", destination="2001:db8:1::1")),
    ("vlan=-0", dict(tags=[(0x8100, 7)])), ("ip_proto=-udp", dict(proto=6, flags=16)),
    ("set_tag2=5", dict(sport=1001)),
]
octets, want = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)], []
for number, (row, changes) in enumerate(CASES, 1):
    for _ in range(number):
        bytes_, size = frame(100 + number, **changes)
        octets.append(struct.pack("<IIII", 1795168800, len(octets), len(bytes_), len(bytes_)) + bytes_)
    want.append((number, 5 if row.startswith("set") else 0, number, number * size))
open(sys.argv[1] + "/packets.pcap", "wb").write(b"".join(octets))

def write(name, rows):
    open(f"{sys.argv[1]}/{name}", "w").write("\n".join(rows) + "\n")

def rows_of(rows):
    return sorted("|".join(map(str, row)) for row in rows)

write("packets.map", [f"set_tag={number} {row}" for number, (row, _) in enumerate(CASES, 1)])
write("tags.want", rows_of(want))
write("some.want", rows_of(row for row in want if row[0] in (4, 5, 6)))
write("rest.want", rows_of(row for row in want if row[0] not in (4, 5, 6)))
write("tcp.want", rows_of(row for row in want if CASES[row[0] - 1][1].get("proto") == 6))
write("else.want", rows_of(row for row in want if CASES[row[0] - 1][1].get("proto") != 6))

def tally(name, key):
    sums = {}
    for (_, changes), (_, _, packets, octets) in zip(CASES, want):
        row = sums.setdefault(key(changes), [0, 0])
        row[0] += packets
        row[1] += octets
    write(name + ".want", rows_of((*key, *row) for key, row in sums.items()))

def number_of(changes):
    source = changes.get("source", "10.0.0.1")
    return (64502 if ":" in source else 0 if source[0:2] != "10" else 64500,
            0 if "destination" in changes else 64501)

tally("numbers", number_of)
def listed(changes):
    proto, dport = changes.get("proto", 17), changes.get("dport", 2000)
    return (dport if dport in (53, 2053) and proto != 1 else 0, proto if proto != 17 else 255)
tally("listed", listed)
tally("lands", lambda changes: ("CH" if changes.get("source", "10.")[:3] == "10." else
                                "NO" if ":" in changes["source"] else "",))
END
}
SFACCTD=$BUILD/pmacctd
if [ -x "$SFACCTD" ]; then
    packets || skip "the writer of packets failed"
    printf '%s\n' 64500,10.0.0.0/16 64501,10.1.0.0/16 64502,2001:db8::/48 >"$DIR/networks"
    printf '53\n2053\n' >"$DIR/ports"
    printf 'tcp\nicmp\n' >"$DIR/protos"
    printf '{"network": "10.0.0.0/8", "data": {"country": {"iso_code": "CH"}}}
{"network": "2001:db8::/32", "data": {"country": {"iso_code": "NO"}}}\n' |
        python3 "$TESTS/lib/make_mmdb.py" json "$DIR/lands.mmdb"
    configuration tags some rest tcp else numbers listed lands <<END
pre_tag_map: $DIR/packets.map
aggregate: tag, tag2
pre_tag_filter[some]: 4,5-6,900
pre_tag_filter[rest]: -4-6
aggregate_filter[tcp]: tcp
aggregate_filter[else]: not tcp
aggregate[numbers]: src_as, dst_as
networks_file: $DIR/networks
pmacctd_as: file
aggregate[listed]: dst_port, proto
ports_file[listed]: $DIR/ports
protos_file[listed]: $DIR/protos
aggregate[lands]: src_host_country
geoipv2_file: $DIR/lands.mmdb
END
    replay "pmacctd" "$DIR/packets.pcap"
    same "pmacctd: every key has its packets" tags tag tag2
    same "pmacctd: pre_tag_filter takes numbers and a range" some tag tag2
    same "pmacctd: pre_tag_filter takes all but them" rest tag tag2
    same "pmacctd: aggregate_filter takes what fits" tcp tag tag2
    same "pmacctd: aggregate_filter takes what does not" else tag tag2
    same "pmacctd: AS numbers of networks" numbers as_src as_dst
    same "pmacctd: lists of ports and protocols" listed port_dst ip_proto
    same "pmacctd: countries" lands country_ip_src
    is "pmacctd: what one filter leaves the other takes" "$(packets_of some rest) $(packets_of tcp else)" \
        "$(final input.frames_received) $(final input.frames_received)"
fi

# -- what is wrong is found before anything is started --

SFACCTD=$NFACCTD_OR_BUILT
# wrong NAME WORDS LINE...: with these lines at the end of a configuration, --check tells these words
wrong()
{
    local name=$1 words=$2

    shift 2
    configuration rows <<END
aggregate: src_host
nfacctd_port: 1
END
    printf '%s\n' "$@" >>"$DIR/conf"
    timeout 20 "$SFACCTD" --check -f "$DIR/conf" >"$DIR/checked" 2>&1
    is "--check, $name: status" $? 1
    check "--check, $name: where and what" grep -qF "$words" "$DIR/checked" || note <"$DIR/checked"
}

broken()
{
    printf '%s\n' "$@" >"$DIR/broken"
}

place=$DIR/conf:9
broken '! a comment' 'set_tag=1 ip=192.0.2.1' 'set_tag=1 src_mac=1'
wrong "a tagging map" "$DIR/broken:3: 'src_mac' is '1'" "pre_tag_map: $DIR/broken"
broken "set_tag=1 filter='udp prt 53'"
wrong "a filter in it" "$DIR/broken:1: 'filter' is refused: the filter 'udp prt 53'" "pre_tag_map[rows]: $DIR/broken"
broken 10.0.0.0/8 10.0.0.0/x
wrong "networks" "$DIR/broken:2: " "networks_file: $DIR/broken"
broken 70000
for key in ports protos tos; do
    wrong "$key" "$DIR/broken:1: " "${key}_file: $DIR/broken"
done
broken 10.0.0.0/8 ten
wrong "an allow file" "$DIR/broken:2: " "nfacctd_allow_file: $DIR/broken"
broken id=100 ip=192.0.2.1
for key in sampling_map flow_to_rd_map interface_names_map; do
    wrong "$key" "$DIR/broken:1: " "$key: $DIR/broken"
done
wrong "a database" "$DIR/broken" "geoipv2_file: $DIR/broken"
wrong "a map that is not there" "$DIR/nowhere" "pre_tag_map: $DIR/nowhere"
wrong "aggregate_filter" "$place: key 'aggregate_filter': the filter 'udp prt 53'" "aggregate_filter[rows]: udp prt 53"
wrong "pre_tag_filter" "$place: key 'pre_tag_filter': '1-x'" "pre_tag_filter[rows]: 1-x"
wrong "pre_tag2_filter" "$place: key 'pre_tag2_filter': the range '9-1'" "pre_tag2_filter[rows]: 9-1"
wrong "two maps at once, the first" "$DIR/broken:1: " "networks_file: $DIR/broken" "ports_file: $DIR/nowhere"
check "and the second" grep -qF "$DIR/nowhere" "$DIR/checked"
test_end
