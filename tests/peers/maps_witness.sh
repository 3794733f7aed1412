#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same captures and the same map files through an installed pmacct's daemons and through ours: the same rows, byte
# for byte, for what both know and where that release is known to be right. Not compared: what it gets wrong (prefixes
# of IPv6 in a networks file, aggregate_filter on packets of a file, a next hop of the other family), and keys that it
# lacks (src_port, tos_file ...). It is slow to end, so each run has many plugins with maps of their own, but not many
# more than a dozen: then it fails.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
for program in nfacctd sfacctd pmacctd; do
    [ -x /usr/sbin/$program ] || skip "needs pmacct's /usr/sbin/$program"
done
generate=$(tool generate) || skip "needs a compiler"

"$generate" --out "$DIR/sflow.pcap" --samples 20000 --keys 500 --ipv6 0 --sampling-rate 64 2>/dev/null

# Flows of NetFlow v9 and IPFIX in which everything that maps ask for differs; in nets.pcap only IPv4.
encode '
rng = random.Random(11)
REST = [(7, 2), (11, 2), (4, 1), (5, 1), (6, 1), (10, 4), (14, 4), (16, 4), (17, 4), (61, 1), (56, 6), (80, 6), (58, 2),
        (2, 8), (1, 8)]
four = Template(256, [(8, 4), (12, 4), (9, 1), (13, 1), (15, 4), (18, 4)] + REST)
six = Template(257, [(27, 16), (28, 16), (29, 1), (30, 1), (62, 16), (63, 16)] + REST)

def row(wide):
    proto, n = rng.choice((6, 17, 1, 47)), rng.randrange(1, 9)
    if wide:
        ends = ("2001:db8:%x::%x" % (rng.randrange(4), rng.randrange(1, 9)),
                "2001:db8:ff:%x::%x" % (rng.randrange(4), rng.randrange(1, 5)), rng.choice((56, 64)), 48,
                "2001:db8::%d" % rng.choice((8, 9)), "2001:db8::%d" % rng.choice((18, 19)))
    else:
        ends = ("10.%d.%d.%d" % (rng.randrange(2), rng.randrange(4), rng.randrange(1, 9)),
                "172.16.%d.%d" % (rng.randrange(4), rng.randrange(1, 5)), rng.choice((0, 16, 24)),
                rng.choice((16, 22, 24)), "192.0.2.%d" % rng.choice((77, 78)), "192.0.2.%d" % rng.choice((87, 88)))
    ports = (rng.choice((1024, 40000)), rng.choice((53, 80, 443))) if proto in (6, 17) else (0, 0)
    return (*ends, *ports, proto, rng.choice((0, 184, 8)), rng.choice((2, 16, 18)) if proto == 6 else 0,
            rng.randrange(1, 5), rng.randrange(1, 5), rng.choice((65001, 65002)), rng.choice((4200000001, 65003)),
            rng.randrange(2), b"\2\0\0\0\0\1", b"\2\0\0\0\0" + bytes([rng.randrange(3)]), rng.choice((0, 1, 5)), n,
            n * rng.randrange(64, 1500))

def datagrams(version, wide):
    out, sequence = [], {}
    for n in range(90):
        sets = [data(four, *(row(False) for _ in range(6)))]
        if wide:
            sets.append(data(six, *(row(True) for _ in range(5))))
        template = [four, six] if wide else [four]
        number = sequence.get(n % 3, 0)
        if version == 9:
            sets = ([templates9(*template)] if n < 3 else []) + sets
            message = version9(*sets, sequence=number, source=n % 3 * 7)
            sequence[n % 3] = number + 1
        else:
            sets = ([templates10(*template)] if n < 3 else []) + sets
            message = ipfix(*sets, sequence=number, domain=n % 3 * 7)
            sequence[n % 3] = number + (11 if wide else 6)
        out.append(From(message, "192.0.2.%d" % (n % 3 + 1)))
    return out

save(sys.argv[1] + "/v9.pcap", datagrams(9, True))
save(sys.argv[1] + "/ipfix.pcap", datagrams(10, True))
save(sys.argv[1] + "/nets.pcap", datagrams(9, False))
' "$DIR" || skip "the encoder failed"

PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TESTS/data timeout 60 python3 - "$DIR/packets.pcap" <<'END' ||
import random, struct, sys
from make_sflow import ethernet, ipv4, ipv6, tcp, udp
rng = random.Random(5)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for n in range(3000):
        k = n % 60
        body = bytes(20 + rng.randrange(300))
        last = tcp(2000 + k % 7, rng.choice((80, 443)), rng.choice((2, 16, 24)), body) if k % 2 else \
            udp(1000 + k % 5, 53, body)
        if k % 4 == 0:
            source = f"2001:db8:{k % 3}::{k + 1:x}"
            packet, etype = ipv6(source, "2001:db8:ff::1", 17, last, traffic_class=k % 3 * 8), 0x86dd
        else:
            packet, etype = ipv4(f"10.{k % 2}.{k % 3}.{k + 1}", f"172.16.{k % 4}.1", 6 if k % 2 else 17, last,
                                 tos=k % 3 * 8), 0x0800
        frame = ethernet(packet, etype, [(0x8100, 5)] if k % 5 == 0 else [], source=bytes([2, 0, 0, 0, 0, k % 3]))
        file.write(struct.pack("<IIII", 1795168800 + n // 100, n % 100 * 10000, len(frame), len(frame)) + frame)
END
    skip "the encoder failed"

# file NAME LINE...: a map in $DIR
file()
{
    local name=$1

    shift
    printf '%s\n' "$@" >"$DIR/$name"
}

# plugin NAME AGGREGATE KEY...: one more of the next run; KEY is "key: value", for this plugin only
plugin()
{
    local name=$1 aggregate=$2 key

    shift 2
    names="$names $name"
    {
        printf '%s\n' "aggregate[$name]: $aggregate" "print_output[$name]: csv" "print_output_separator[$name]: ;" \
            "print_output_file[$name]: @OUT@/$name" "print_refresh_time[$name]: 3600"
        for key; do
            printf '%s\n' "${key%%:*}[$name]:${key#*:}"
        done
    } >>"$DIR/plugins"
}

# tagged AGGREGATE MAP...: a plugin for each tagging map
tagged()
{
    local aggregate=$1 map

    shift
    for map; do
        plugin "$map" "$aggregate" "pre_tag_map: $DIR/$map"
    done
}

# ended GROUP: that release does not wait for those of its processes that write files
ended()
{
    ! pgrep -g "$1" >/dev/null
}

# start NUMBER WHO DAEMON CAPTURE KEY...: in the background, with the plugins of that run; sets $started
start()
{
    local run=$DIR/run$1 who=$2 program=$BUILD/$3 source=$4

    [ "$who" = ours ] || program=/usr/sbin/$3
    shift 4
    rm -rf "${run:?}/$who"
    mkdir -p "$run/$who"
    {
        printf '%s\n' "daemonize: false" "pcap_savefile: $DIR/$source.pcap" "plugin_pipe_size: 8192000" \
            "plugin_buffer_size: 81920" "$@" "plugins: $(sed 's/ *\([^ ]*\)/print[\1], /g; s/, $//' "$run/names")"
        sed "s,@OUT@,$run/$who," "$run/plugins"
    } >"$run/$who.conf"
    timeout -k 5 50 "$program" -f "$run/$who.conf" >"$run/$who.log" 2>&1 </dev/null &
    started=$!
    record_process $started
}

# Until the daemon of this id and all of its processes are gone: `timeout` has made it the leader of a group.
finish()
{
    wait "$1"
    wait_for 20 ended "$1"
}

all_there()
{
    local name

    for name in $(cat "$DIR/run$1/names"); do
        [ -s "$DIR/run$1/theirs/$name" ] || return 1
    done
}

# compare NUMBER PROCESS PROCESS DAEMON CAPTURE KEY...: a check for each plugin of that run. That release now and then
# ends before a plugin of it has begun: then it is asked once more.
compare()
{
    local number=$1 run=$DIR/run$1 name who

    finish "$2"
    finish "$3"
    shift 3
    if ! all_there $number; then
        start $number theirs "$@"
        finish $started
    fi
    cat "$run/theirs.log" "$run/ours.log" | grep ERROR | head -3 | note
    for name in $(cat "$run/names"); do
        for who in theirs ours; do
            sort "$run/$who/$name" >"$DIR/rows.$who" 2>/dev/null
        done
        check "$*: $name" eval '[ -s "$DIR/rows.theirs" ] && cmp -s "$DIR/rows.theirs" "$DIR/rows.ours"' ||
            diff "$DIR/rows.theirs" "$DIR/rows.ours" | head -6 | note
    done
}

# run DAEMON CAPTURE KEY...: both daemons with the plugins since the last run. Two runs go on at a time.
runs=0 waiting=""
run()
{
    local theirs previous=$waiting

    runs=$((runs + 1))
    mkdir -p "$DIR/run$runs"
    echo $names >"$DIR/run$runs/names"
    mv "$DIR/plugins" "$DIR/run$runs/plugins"
    names=""
    start $runs theirs "$@"
    theirs=$started
    start $runs ours "$@"
    waiting="$runs $theirs $started $*"
    [ -z "$previous" ] || compare $previous
}

names=""
flows="tag, tag2, label, src_host, dst_host, src_port, dst_port, proto, in_iface, out_iface, tos"
ends="src_host, dst_host, src_net, dst_net, src_mask, dst_mask, src_as, dst_as, peer_src_as, peer_dst_as, peer_dst_ip"

# -- flows: tagging maps

file ip "set_tag=1 ip=192.0.2.1" "set_tag=2 ip=192.0.2.2" "set_tag=3"
file ipnet "! a comment" "" "set_tag=1 ip=192.0.2.0/31" "set_tag=3 ip=0.0.0.0/0"
file inout "set_tag=1 in=1" "set_tag=2 out=2" "set_tag2=7 in=-3" "set_label=rest"
file sum "set_tag=1 in=1 jeq=a" "set_tag=2 in=2 jeq=a" "set_tag=9" "set_tag=100 out=1 label=a stack=sum" \
    "set_tag=200 stack=sum"
file or "set_tag=5 in=1 jeq=a" "set_tag=2 in=2 jeq=a" "set_tag=9" "set_tag=12 out=1 label=a stack=or" \
    "set_tag=16 stack=or"
file labels "set_label=one in=1 jeq=next" "set_label=two out=1 jeq=next" "set_label=three vlan=1"
file named "set_label=one in=1 jeq=x" "set_label=two out=1 jeq=y" \
    "set_label=three vlan=1 label=x" "set_label=four label=y"
file next "set_tag=1 in=1 jeq=next" "set_tag2=2 out=1 jeq=next" "set_label=three vlan=1" "set_label=four"
file nowhere "set_tag=1 in=1 label=a jeq=b" "set_tag=2 in=2 jeq=a" "set_tag=3 label=b stack=sum" "set_tag=4 jeq=none"
file prefixes "set_tag=1 src_net=10.0.0.0/16 dst_net=172.16.0.0/23" "set_tag=2 src_net=10.1.1.0/24" \
    "set_tag=3 dst_net=-172.16.3.0/24" "set_tag=4 src_net=2001:db8:1::/48"
file all4 "set_tag=1 src_net=0.0.0.0/0" "set_tag=2"
file all6 "set_tag=1 src_net=::/0" "set_tag=2"
file as "set_tag=1 src_as=65001" "set_tag=2 dst_as=4200000001" "set_tag=3 src_as=-65002"
file hops "set_tag=1 nexthop=192.0.2.77" "set_tag=2 bgp_nexthop=192.0.2.88" "set_tag=3 nexthop=-192.0.2.78" "set_tag=4"
file macs "set_tag=1 dst_mac=02:00:00:00:00:01" "set_tag=2 src_mac=02:00:00:00:00:01" "set_tag=3"
file vlans "set_tag=1 vlan=1" "set_tag=2 vlan=0" "set_tag=3 vlan=-7"
file directions "set_tag=1 direction=0" "set_tag=2 direction=1" "set_tag=3"
file growing "set_tag=10++ in=1" "set_tag=5"
file tos "set_tos=8 in=1 jeq=next" "set_tag=4 out=1"
file sources "set_tag=1 source_id=7" "set_tag=2 engine_id=0" "set_tag=3 engine_id=14"
file old "id=1 in=1" "id2=4 in=2" "set_tag=3 in=1" "set_tag=9 ip=192.0.2.2 in=3"
file filters "set_tag=1 filter='src net 10.0.0.0/16 and tcp'" "set_tag=2 filter='udp dst port 53'" \
    "set_tag=3 filter='ip6'" "set_tag=5 filter='ip proto 47'" "set_tag=6 filter='net 172.16.0.0/24'" \
    "set_tag=7 in=1 filter='icmp'"

tagged "$flows" ip ipnet inout sum or labels named next nowhere old
run nfacctd v9
tagged "$flows" prefixes all4 all6 as macs vlans directions tos sources filters
run nfacctd ipfix

# -- flows: what plugins take

file tags "set_tag=1 in=1" "set_tag=2 in=2" "set_tag=150 in=3"
file tags2 "set_tag2=1 in=1" "set_tag2=2 in=2"
file three "set_label=aa in=1" "set_label=bb in=2" "set_label=cc in=3"
file ports 53 1024 "! a comment" 80

number=0
for list in 0,2,100-199 -2 -1,-2 150,-100-200; do
    number=$((number + 1))
    plugin tag_filter$number "$flows" "pre_tag_map: $DIR/tags" "pre_tag_filter: $list"
done
plugin tag2_filter "$flows" "pre_tag_map: $DIR/tags2" "pre_tag2_filter: 0-1"
plugin label_filter "$flows" "pre_tag_map: $DIR/three" "pre_tag_label_filter: aa,null"
plugin label_filter_not "$flows" "pre_tag_map: $DIR/three" "pre_tag_label_filter: -aa"
plugin post_tag "$flows" "pre_tag_map: $DIR/tags" "pre_tag_filter: 1" "post_tag: 77" "post_tag2: 78"
plugin ports_file "$flows" "ports_file: $DIR/ports"
plugin filter "$flows" "aggregate_filter: src net 10.0.0.0/16"
plugin filter_or "$flows" "aggregate_filter: udp dst port 53 or ip6"
tagged "tag, src_host" growing
run nfacctd v9

# -- flows: networks

file networks 65010_65110,10.0.0.0/16 192.0.2.250,65011_65111,10.0.1.0/24 65112,10.1.0.0/20 172.16.0.0/16 \
    192.0.2.251,65113,172.16.1.0/24 65114,172.16.2.0/26 65115,172.16.3.1/32
file everything 65010_65110,10.0.0.0/16 65012,0.0.0.0/0

# nets WORD: networks by this source, and by each key that changes it
nets()
{
    set -- "$1" "networks_file: $DIR/networks" "nfacctd_net: $1"
    plugin "$1" "$ends" "$2" "$3"
    plugin "$1_filter" "$ends" "$2" "$3" "networks_file_filter: true"
    plugin "$1_no_lpm" "$ends" "$2" "$3" "networks_file_no_lpm: true"
    plugin "$1_host" "$ends" "$2" "$3" "networks_no_mask_if_zero: true"
    plugin "$1_everything" "$ends" "networks_file: $DIR/everything" "$3"
}

nets longest
nets file
run nfacctd nets
nets netflow
plugin mask "$ends" "networks_file: $DIR/networks" "nfacctd_net: mask" "networks_mask: 20"
plugin usual "$ends" "networks_file: $DIR/networks" "networks_mask: 20"
tagged "$flows" hops
run nfacctd nets "nfacctd_as: file"
nets longest
nets file
run nfacctd nets "nfacctd_as: longest"

# -- samples

file sflow "set_tag=1 in=1 jeq=next" "set_tag=2 out=2 jeq=a" "set_tag=3 src_net=10.0.0.0/12" "set_tag=9" \
    "set_tag2=7 filter='tcp' label=a"
file sflow_filters "set_tag=1 filter='src net 10.0.0.0/9 and tcp'" "set_tag=2 filter='udp'"
file sflow_agents "set_tag=1 ip=192.0.2.1" "set_tag=2 ip=0.0.0.0/0" "set_tag=3"
file sflow_networks 65001,10.0.0.0/8 65002_65003,10.0.0.0/17 65004,172.16.0.0/12 65005,192.168.0.0/16
tagged "$flows" sflow sflow_filters sflow_agents
plugin file "$ends" "networks_file: $DIR/sflow_networks" "sfacctd_net: file"
run sfacctd sflow "sfacctd_as: file"

# -- packets

file packet_filters "set_tag=1 filter='src net 10.0.0.0/16 and tcp'" "set_tag=2 filter='udp dst port 53'" \
    "set_tag=3 filter='ip6'" "set_tag=4 filter='vlan 5'"
file packet_flags "set_tag=1 filter='vlan and tcp'" "set_tag=2 filter='tcp[tcpflags] & tcp-syn != 0'" \
    "set_tag=3 filter='ip[1] = 8'" "set_tag=5 filter='not vlan'"
file packet_link "set_tag=1 filter='ether src 02:00:00:00:00:01'" "set_tag=2 filter='greater 200'" \
    "set_tag=3 filter='ip6 and tcp dst port 80'" "set_tag=4 filter='port 443'"
file packet_sums "set_tag=1 filter='tcp' jeq=a" "set_tag=2 filter='udp' jeq=a" "set_tag=9" \
    "set_tag=100 filter='net 10.0.0.0/8' label=a stack=sum" "set_tag=200 stack=sum"
file packet_labels "set_label=t filter='tcp' jeq=next" "set_label=u filter='udp' jeq=next" "set_label=v6 filter='ip6'"
file packet_ports 53 2001
tagged "tag, tag2, label, src_host, dst_host, src_port, dst_port, proto, tos, vlan, src_mac" \
    packet_filters packet_flags packet_link packet_sums packet_labels
plugin ports_file "src_port, dst_port" "ports_file: $DIR/packet_ports"
plugin file "$ends" "networks_file: $DIR/networks" "pmacctd_net: file"
plugin usual "$ends" "networks_file: $DIR/networks"
plugin both "$ends" "networks_file: $DIR/networks" "pmacctd_net: mask" "networks_mask: 12"
run pmacctd packets "pmacctd_as: file"
compare $waiting
test_end
