#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Maps and filters from end to end: records that differ from their neighbours in one thing each, so that each row of a
# tagging map has just one that fits, and every sum is known beforehand. First NetFlow and IPFIX, with every key of
# nfacctd that needs no BGP, then packets. And --check finds what is wrong in maps and filters, with the place.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin

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

FIELDS = [("src", 8, 4), ("dst", 12, 4), ("sport", 7, 2), ("dport", 11, 2), ("proto", 4, 1), ("flags", 6, 2), ("input", 10, 4),
          ("output", 14, 4), ("next", 15, 4), ("bgp", 18, 4), ("status", 89, 1), ("smac", 56, 6), ("dmac", 80, 6),
          ("vlan", 58, 2), ("cvlan", 245, 2), ("src_as", 16, 4), ("dst_as", 17, 4), ("peer_dst_as", 128, 4),
          ("peer_src_as", 129, 4), ("vrf_in", 234, 4), ("vrf_out", 235, 4), ("wire", 249, 4), ("tos", 5, 1)]
NEUTRAL = dict(src="10.0.0.1", dst="10.1.0.1", sport=1000, dport=2000, proto=17, flags=0, input=1, output=2, next="10.9.9.9",
               bgp="10.8.8.8", status=65, smac=b"\2\0\0\0\0\1", dmac=b"\2\0\0\0\0\2", vlan=0, cvlan=0, src_as=1, dst_as=2,
               peer_dst_as=3, peer_src_as=4, vrf_in=0, vrf_out=0, wire=0, tos=0)
COUNTS = [(2, 8), (1, 8)]
V6 = {"src": (27, 16), "dst": (28, 16)}

def template(number, more=(), other={}):
    return Template(number, [other.get(name, (element, size)) for name, element, size in FIELDS] + list(more) + COUNTS)

BASE = template(256)
TEMPLATES = {"same": template(300), "direction": template(257, [(61, 1)]), "nat": template(258, [(230, 1)]),
             "firewall": template(259, [(233, 1)]), "label": template(260, [(70, 3)]), "distinguisher": template(261, [(90, 8)]),
             "six": template(262, other=V6), "two": template(263, [(231, 8), (232, 8)])}
RD = struct.pack(">HHI", 0, 65000, 8)

# (row, changes, template, its values)
CASES = [
    ("ip=192.0.2.9", {}), ("source_id=7", {}), ("flowset_id=300", {}, "same"), ("engine_type=3", {}), ("engine_id=9", {}),
    ("in=70", {"input": 70}), ("out=4294967295", {"output": 4294967295}), ("direction=1", {}, "direction", 1),
    ("nexthop=10.9.9.8", {"next": "10.9.9.8"}), ("bgp_nexthop=10.8.8.7", {"bgp": "10.8.8.7"}),
    ("fwd_status=128", {"status": 128}), ("src_mac=02:00:00:00:00:0a", {"smac": b"\2\0\0\0\0\x0a"}),
    ("dst_mac=02:00:00:00:00:0b", {"dmac": b"\2\0\0\0\0\x0b"}), ("is_multicast=true", {"dmac": b"\1\0\x5e\0\0\1"}),
    ("vlan=100", {"vlan": 100}), ("cvlan=200", {"cvlan": 200}), ("src_net=172.16.0.0/12", {"src": "172.31.255.255"}),
    ("dst_net=172.16.3.0/24", {"dst": "172.16.3.4"}), ("ip_proto=gre", {"proto": 47}), ("src_port=1053", {"sport": 1053}),
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

def send(source, domain, sets, count):
    datagrams.append(From(ipfix(*sets, sequence=sequence[source, domain], domain=domain), source))
    sequence[source, domain] += count

def add(changes, octets, name=None, values=(), source="192.0.2.1", domain=0):
    record = {**NEUTRAL, **changes}
    form = TEMPLATES.get(name, BASE)
    send(source, domain, [templates10(form), data(form, tuple(record[field] for field, _, _ in FIELDS) + values + (1, octets))], 1)
    records.append((record, octets))

for number, (row, changes, *how) in enumerate(CASES, 1):
    if row.startswith("engine"):
        datagrams.append(From(fixed(5, [Fixed(src="10.0.0.1", dst="10.1.0.1", packets=1, octets=1000 + number, proto=17,
            input=1, output=2, sport=1000, dport=2000)], engine=(3, 0) if "type" in row else (0, 9)), "192.0.2.5"))
        records.append(({**NEUTRAL}, 1000 + number))
        continue
    add(changes, 1000 + number, how[0] if how else None, tuple(how[1:]), "192.0.2.9" if row.startswith("ip=") else "192.0.2.1",
        7 if row.startswith("source_id") else 0)
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
configuration keys low high chain dns plain port others post <<END
flow_to_rd_map: $DIR/rd.map
aggregate[keys]: tag
aggregate[low]: tag
aggregate[high]: tag
aggregate[chain]: tag, tag2, label
aggregate[dns]: tag, tag2, label
aggregate[plain]: tag, tag2, label
aggregate[port]: dst_port
aggregate[others]: dst_port
aggregate[post]: tag, tag2
pre_tag_map[keys]: $DIR/keys.map
pre_tag_map[low]: $DIR/keys.map
pre_tag_map[high]: $DIR/keys.map
pre_tag_map[chain]: $DIR/chain.map
pre_tag_map[dns]: $DIR/chain.map
pre_tag_map[plain]: $DIR/chain.map
pre_tag_filter[low]: 1-10
pre_tag_filter[high]: -1-10
pre_tag_label_filter[dns]: dns
pre_tag_label_filter[plain]: -dns
aggregate_filter[port]: udp dst port 2053 or udp dst port 2054
aggregate_filter[others]: not (udp dst port 2053 or udp dst port 2054)
post_tag[post]: 77
post_tag2[post]: 78
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
records=$(final input.records_decoded)
for pair in "low high" "dns plain" "port others"; do
    is "nothing is lost between the filters of $pair" "$(packets_of $pair)" "$records"
    is "and the books say so" "$(for plugin in $pair; do
        final plugin:$plugin.emit.records_filtered; done | awk '{ sum += $1 } END { print sum }')" "$records"
done
test_end
