#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same captures through an installed pmacct's nfacctd and through ours: the same rows, byte for byte, for lists of
# primitives that both know and where that release is known to be right (see the cases p1 to p8 of golden/ for the rest).
# And the same captures live to nfdump's nfcapd: the same packets and bytes for every 5-tuple.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
witness=/usr/sbin/nfacctd
[ -x $witness ] || skip "needs pmacct's $witness"

# Three captures of some thousand records each: templates first, counters of 4 or 8 octets, no packet without a flow.
encode '
rng = random.Random(7)
def hosts(six=False):
    if six:
        return "2001:db8:1::%x" % rng.randrange(1, 60), "2001:db8:2::%x" % rng.randrange(1, 60)
    return "10.0.%d.%d" % (rng.randrange(4), rng.randrange(1, 60)), "10.1.0.%d" % rng.randrange(1, 30)

def ports():
    return (rng.choice((1024, 40000, 65535)), rng.choice((53, 80, 443)), rng.choice((6, 17)))

five = []
for n in range(200):
    flows = []
    for _ in range(30):
        (source, target), (sport, dport, proto) = hosts(), ports()
        flags = rng.choice((2, 16, 27)) if proto == 6 else 0
        flows.append(Fixed(src=source, dst=target, input=rng.randrange(5), output=rng.randrange(5), first=3590000,
                           packets=rng.randrange(1, 99), octets=rng.randrange(64, 99999), last=3595000, sport=sport,
                           dport=dport, proto=proto, flags=flags, tos=rng.choice((0, 184)), src_mask=24, dst_mask=16,
                           src_as=rng.randrange(64512, 64520), dst_as=rng.randrange(64512, 64520)))
    five.append(From(fixed(5, flows, sequence=30 * n, sampling=0x4000 | 50), "192.0.2.%d" % (n % 3 + 1)))
save(sys.argv[1] + "/v5.pcap", five)

REST = [(7, 2), (11, 2), (4, 1), (5, 1), (6, 1), (10, 4), (14, 4), (16, 4), (17, 4), (61, 1), (56, 6), (80, 6), (58, 2),
        (256, 2), (70, 3), (71, 3), (152, 8), (153, 8), (2, 8), (1, 4)]
four = Template(256, [(8, 4), (12, 4), (9, 1), (13, 1), (18, 4)] + REST)
six = Template(257, [(27, 16), (28, 16), (29, 1), (30, 1), (63, 16)] + REST)
texts = Template(258, [(8, 4), (83, VARIABLE), (12, 4), (210, 3), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4),
                       (99, 4, 99999)])
nat = Template(259, [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (225, 4), (226, 4), (227, 2), (228, 2), (2, 4), (1, 4)])

def row(wide):
    sport, dport, proto = ports()
    return (*hosts(wide), 64 if wide else 24, 48 if wide else 16, "2001:db8::9" if wide else "192.0.2.77", sport, dport,
            proto,
            rng.choice((0, 184)), rng.choice((2, 16, 27)), rng.randrange(5), rng.randrange(5), 65001, 4200000001, 0,
            b"\2\0\0\0\0\1", b"\2\0\0\0\0" + bytes([rng.randrange(3)]), rng.randrange(1, 4),
            0x86dd if wide else 0x0800, number(16001 << 4, 3), number(24001 << 4 | 1, 3),
            (START - 10) * 1000 + rng.randrange(2), (START - 5) * 1000,
            rng.randrange(1, 99), rng.randrange(64, 99999))

nine, ten, sequence = [], [], 0
for n in range(200):
    source = "192.0.2.%d" % (n % 3 + 1)
    told = n < 3
    sets = [data(four, *(row(False) for _ in range(5))), data(six, *(row(True) for _ in range(5)))]
    nine.append(From(version9(*([templates9(four, six)] if told else []), *sets, sequence=n // 3 + 1), source))
    more = [data(texts, *((hosts()[0], "x" * rng.randrange(300), hosts()[1], b"pad", *ports(), 100, 2, 5)
                          for _ in range(3))),
            data(nat, *((*hosts(), *ports(), "203.0.113.1", "203.0.113.2", 3333, 4444, 3, 300) for _ in range(3)))]
    templates = [templates10(four, six, texts, nat)] if told else []
    ten.append(From(ipfix(*templates, *sets, *more, sequence=n // 3 * 16), source))
save(sys.argv[1] + "/v9.pcap", nine)
save(sys.argv[1] + "/ipfix.pcap", ten)
' "$DIR" || skip "the encoder failed"

# rows PROGRAM CAPTURE FORMAT AGGREGATE KEY...: what it prints, sorted
rows()
{
    local program=$1 source=$2 form=$3 aggregate=$4 out=$DIR/out

    shift 4
    rm -f "$out"
    printf '%s\n' "daemonize: false" "pcap_savefile: $DIR/$source.pcap" "plugins: print[rows]" \
        "aggregate[rows]: $aggregate" "print_output[rows]: $form" "print_output_file[rows]: $out" \
        "print_refresh_time[rows]: 3600" \
        "plugin_pipe_size: 40960000" "plugin_buffer_size: 102400" "$@" >"$DIR/conf"
    timeout -k 5 60 "$program" -f "$DIR/conf" >"$DIR/log.$(basename "$(dirname "$program")")" 2>&1 </dev/null
    sort "$out" 2>/dev/null
}

# same CAPTURE FORMAT AGGREGATE KEY...
same()
{
    rows $witness "$@" >"$DIR/theirs"
    rows "$SFACCTD" "$@" >"$DIR/ours"
    check "$1, $2: $3 ${4:-}" eval '[ -s "$DIR/theirs" ] && cmp -s "$DIR/theirs" "$DIR/ours"' ||
        diff "$DIR/theirs" "$DIR/ours" | head -6 | note
}

for source in v5 v9 ipfix; do
    same $source csv "src_host, dst_host, src_port, dst_port, proto"
    same $source csv "src_host, dst_host, proto, tos, tcpflags, flows"
    same $source csv "in_iface, out_iface, peer_src_ip"
    same $source csv "src_as, dst_as, src_mask, dst_mask"
    same $source csv "sum_host"
    same $source json "src_host, dst_host, src_port, dst_port, proto, tos"
    same $source json "src_as, dst_as, peer_src_ip, in_iface" "print_num_protos: true"
done
same v5 csv "none"
same v5 csv "src_host, sampling_rate"
same v5 csv "src_host, sampling_rate" "nfacctd_renormalize: true"
same v5 csv "src_host" "nfacctd_ext_sampling_rate: 7" "nfacctd_renormalize: true"
same v9 csv "src_port, proto" "print_num_protos: true" "print_output_separator: ;"
same v9 csv "src_net, dst_net, timestamp_start, timestamp_end"
same v9 json "src_mac, dst_mac, vlan, etype, peer_dst_ip, sampling_direction"
same ipfix csv "mpls_label_top, mpls_label_bottom, peer_dst_ip"
same ipfix csv "src_mac, dst_mac, vlan"
same ipfix csv "src_host, post_nat_src_host, post_nat_dst_host, post_nat_src_port, post_nat_dst_port"

# tuples CAPTURE: what nfdump makes of it, a line of "source destination port port protocol packets bytes" each, sorted
tuples()
{
    local folder=$DIR/nfcapd.$1 collector

    mkdir -p "$folder"
    PORT=$(free_port)
    nfcapd -b 127.0.0.1 -p "$PORT" -l "$folder" -t 3600 -I "$1" >"$DIR/nfcapd.log" 2>&1 </dev/null &
    collector=$!
    record_process $collector
    wait_for 5 eval 'grep -qi ":$(printf %04X "$PORT") " /proc/net/udp'
    send "$DIR/$1.pcap" 500 >/dev/null
    sleep 1
    kill -TERM $collector
    wait_for 10 gone $collector
    timeout 30 nfdump -R "$folder" -N -q -A srcip,dstip,srcport,dstport,proto -6 \
        -o "fmt:%sa %da %sp %dp %pr %pkt %byt" 2>/dev/null | awk 'NF == 7 { $1 = $1; print }' | sort
}

if command -v nfcapd >/dev/null && command -v nfdump >/dev/null; then
    for source in v9 ipfix; do
        tuples $source >"$DIR/theirs"
        rows "$SFACCTD" $source csv "src_host, dst_host, src_port, dst_port, proto" "print_num_protos: true" |
            grep -v SRC_IP | tr , ' ' | sort >"$DIR/ours"
        check "$source: nfdump has the same 5-tuples ($(wc -l <"$DIR/ours"))" \
            eval '[ -s "$DIR/theirs" ] && cmp -s "$DIR/theirs" "$DIR/ours"' ||
            diff "$DIR/theirs" "$DIR/ours" | head -6 | note
    done
fi
test_end
