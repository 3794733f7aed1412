#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What anyone who can send a datagram may try. Whatever comes, nfacctd lives, stays within its limits, and accounts the
# flows of a good exporter among it to the packet: one packet of 100 bytes in each of its datagrams, from 10.9.9.9.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
ulimit -s 256 # a recursion without a bound would end here

WIDE="src_host, dst_host, src_port, dst_port, proto, tos, tcpflags, src_mac, dst_mac, vlan, in_vlan, out_vlan, \
in_cvlan, cos, etype, src_mask, dst_mask, src_as, dst_as, peer_src_as, peer_dst_as, peer_dst_ip, in_iface, out_iface, \
in_iface_name, out_iface_name, mpls_label_top, mpls_label_bottom, mpls_label_stack, mpls_vpn_rd, mpls_pw_id, \
ingress_vrf_name, egress_vrf_name, class, flow_label, flows, post_nat_src_host, post_nat_dst_host, post_nat_src_port, \
post_nat_dst_port, nat_event, fw_event, fwd_status, vxlan, nvgre, tunnel_src_host, tunnel_dst_host, tunnel_proto, \
sampling_rate, sampling_direction, timestamp_start, timestamp_end, timestamp_export, path_delay_avg_usec, \
srv6_seg_ipv6_list, tag, label"
COMMON='
GOOD = Template(999, [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 8), (1, 8)])
def good():
    good.sent = getattr(good, "sent", -1) + 1
    row = "10.9.9.9", "10.1.0.1", 9, 9, 17, 1, 100
    return From(ipfix(templates10(GOOD), data(GOOD, row), sequence=good.sent), "192.0.2.9")
'

# read_capture NAME SECONDS KEY...: the capture $DIR/NAME.pcap is read to its end in time; the good flow is exact
read_capture()
{
    local name=$1 seconds=$2

    shift 2
    good=$(cat "$DIR/good")
    rm -f "$DIR/rows.csv"
    printf '%s\n' "daemonize: false" "pcap_savefile: $DIR/$name.pcap" "pcap_savefile_wait: true" \
        "control_path: $CONTROL" "plugins: print[rows]" "print_output: csv" "print_refresh_time: 3600" \
        "print_output_file: $DIR/rows.csv" "aggregate[rows]: ${AGGREGATE:-src_host}" "plugin_pipe_size: 16777216" \
        "$@" >"$DIR/conf"
    : >"$LOG"
    check "$name: starts" daemon_start "$DIR/conf" || return
    check "$name: read in $seconds s" wait_for "$seconds" \
        eval 'sleep 0.3; book_is input.datagrams_received "$(cat "$DIR/datagrams")"' ||
        note <<<"$(book input.datagrams_received) of $(cat "$DIR/datagrams")"
    memory=$(awk '/VmHWM/ { print $2 }' "/proc/$(book collector_pid)/status")
    ticks=$(awk '{ print $14 + $15 }' "/proc/$(book collector_pid)/stat")
    is "$name: the collector was never started again" "$(book collector_restarts)" 0
    check "$name: ends in time" daemon_end 15 INT
    is "$name: with status 0" "$STATUS" 0
    check "$name: the books balance" balanced "$LOG"
    (head -1 "$DIR/rows.csv"; grep '10\.9\.9\.9' "$DIR/rows.csv") >"$DIR/good.csv"
    is "$name: the good flow" "$(totals "$DIR/good.csv")" "$good $((good * 100))"
}

# hostile NAME SECONDS CODE KEY...: the code fills `out` with datagrams
hostile()
{
    local name=$1 seconds=$2 code=$3

    shift 3
    encode "$COMMON
out, rng = [], random.Random(1)
$code
out = [datagram for n, bad in enumerate(out) for datagram in ([good()] if n % 50 == 0 else []) + [bad]] + [good()]
save(sys.argv[1] + '.pcap', out)
open(sys.argv[2] + '/good', 'w').write(str(good.sent + 1))
open(sys.argv[2] + '/datagrams', 'w').write(str(len(out)))" "$DIR/$name" "$DIR" || {
        check "$name: encoded" false
        return
    }
    read_capture "$name" "$seconds" "$@"
    rm -f "$DIR/$name.pcap"
}

AGGREGATE=$WIDE hostile lengths 120 '
LENGTHS = list(range(10)) + [15, 16, 17, 20, 32, 33, 50, 64, 65, 128, 255, 256, 1000, 8000, 65533, 65534, 65535]
body = bytes(rng.randrange(256) for _ in range(40)) * 3
for element in list(range(1, 106)) + list(range(128, 520)) + [33000, 33002, 40000, 40001, 40005, 56701]:
    for length in LENGTHS:
        template = Template(256, [(element, length)] + [(2, 1), (1, 1)])
        version = (element + length) % 2 if element < 32768 else 0
        out.append(From(ipfix(templates10(template), flowset(256, body)) if version else
                        version9(templates9(template), flowset(256, body)), "192.0.2.%d" % (element % 8 + 1)))
'

hostile lists 60 '
deep = Template(300, [(292, VARIABLE)])
multi = Template(301, [(293, VARIABLE)])
basic = Template(302, [(291, VARIABLE)])
out.append(ipfix(templates10(deep, multi, basic)))
for kind, template in ((0, deep), (1, multi), (2, basic)):
    inner = b""
    for depth in range(10000):
        body = (b"\3" + struct.pack(">H", 300) + inner, b"\3" + struct.pack(">HH", 301, 4 + len(inner)) + inner,
                b"\3" + struct.pack(">HH", 291, 65535) + inner)[kind]
        if len(body) > 65000:
            break
        inner = variable(body, True)
        if depth in (1, 3, 4, 5, 100, 1000, 5000, 9999) or len(inner) > 60000:
            out.append(ipfix(flowset(template.identifier, inner)))
    out.append(ipfix(flowset(template.identifier, inner)))
for size in (0, 1, 2, 3, 4, 5, 6, 7, 200):
    for template in (deep, multi, basic):
        out.append(ipfix(flowset(template.identifier, variable(bytes(size)))))
        out.append(ipfix(flowset(template.identifier, variable(b"\xff" * size))))
for length in range(9):
    out.append(ipfix(flowset(301, variable(b"\3" + struct.pack(">HH", 301, length) * 16000, True))))
'
nested="$DIR/nested.pcap"
encode '
deep = Template(300, [(292, VARIABLE)])
inner = b""
for depth in range(9000):
    inner = variable(b"\3" + struct.pack(">H", 300) + inner, True)
    if len(inner) > 60000:
        break
save(sys.argv[1], [ipfix(templates10(deep), flowset(300, inner))])' "$nested"
check "lists: --decode tells a list of ten thousand floors in one line" eval \
    'timeout 20 "$SFACCTD" --decode "$nested" >"$DIR/decoded" 2>/dev/null && [ "$(wc -l <"$DIR/decoded")" = 1 ] &&
     python3 -c "import json, sys; json.loads(open(sys.argv[1]).read())" "$DIR/decoded"'

hostile sets 30 '
body = struct.pack(">HHHH", 256, 1, 1, 8)
for length in list(range(24)) + [65535, 65532]:
    for identifier in (0, 1, 2, 3, 4, 255, 256, 999, 65535):
        out += [ipfix(flowset(identifier, body, length=length)), version9(flowset(identifier, body, length=length))]
empty = Template(256, [(8, 0), (12, 0)])
for n in range(200):
    out += [ipfix(templates10(GOOD), withdrawal(999), flowset(999, bytes(1400)), withdrawal(2),
                  withdrawal(3, options=True)),
            ipfix(templates10(empty), flowset(256, bytes(1400))),
            version9(templates9(empty), flowset(256, bytes(1400))),
            version9(templates9(Template(256, [])), flowset(256, bytes(1400)))]
for count in (1, 512, 513, 5000, 16000):
    template = Template(400, [(210, 1)] * count)
    out += [ipfix(templates10(template), flowset(400, bytes(1000))),
            version9(templates9(template), flowset(400, bytes(1000)))]
for scope in (0, 1, 2, 3, 65535):
    out += [ipfix(flowset(3, struct.pack(">HHHHHHH", 500, 2, scope, 149, 4, 34, 4)), flowset(500, bytes(64))),
            version9(flowset(1, struct.pack(">HHHHHHH", 500, scope, 4, 1, 4, 34, 4)), flowset(500, bytes(64)))]
'

# Ten thousand exporters, each with twenty templates of forty elements that nobody else has; 8 MB for all of them.
hostile flood 120 '
common = b"".join(struct.pack(">HH", element, 4) for element in range(100, 138))
for exporter in range(10000):
    own = struct.pack(">HHHH", exporter % 400 + 1, exporter // 400 + 1, 300, exporter % 7)
    records = b"".join(struct.pack(">HH", 256 + n, 40) + own + common for n in range(20))
    made = flowset(0 if exporter % 2 else 2, records)
    out.append(From((version9 if exporter % 2 else ipfix)(made), "10.%d.%d.1" % (exporter // 200, exporter % 200)))
' "nfacctd_template_memory_limit: 8388608"
check "flood: templates were refused" [ "$(final input.templates_refused)" -gt 10000 ]
check "flood: memory of the collector is within bounds ($((memory / 1024)) MB)" [ "$memory" -lt $((100 * 1024)) ]

hostile waiting 120 '
for n in range(8000):
    source = "10.8.%d.%d" % (n % 40, n % 200)
    out.append(From(ipfix(flowset(1000 + n, bytes(1300)), domain=n % 3), source))
' "nfacctd_hold_bytes: 4194304"
check "waiting: what did not fit is counted" [ "$(final input.sets_unknown)" -gt 4000 ]
check "waiting: memory of the collector is within bounds ($((memory / 1024)) MB)" [ "$memory" -lt $((100 * 1024)) ]

AGGREGATE="src_host, in_iface_name, class, sampling_rate, ingress_vrf_name" hostile options 120 '
names = Template(300, [(10, 4), (82, VARIABLE)], scope=1)
applications = Template(301, [(95, 4), (96, VARIABLE)], scope=1)
samplers = Template(302, [(302, 8), (304, 2), (309, 4), (310, 4)], scope=1)
types = Template(303, [(346, 4), (303, 2), (339, 1), (341, VARIABLE)], scope=2)
out.append(ipfix(templates10(names, applications, samplers, types), domain=7))
for n in range(1500):
    base = n * 20
    out.append(ipfix(data(names, *((base + k, "x" * 200) for k in range(10))),
                     data(applications, *((base + k, "y" * 100) for k in range(10))),
                     data(samplers, *((base + k, rng.randrange(9), 0, 0xffffffff) for k in range(10))),
                     data(types, *((9 + k, base % 32768, rng.randrange(256), "z" * 100) for k in range(10))), domain=7))
'
check "options: memory of the collector is within bounds ($((memory / 1024)) MB)" [ "$memory" -lt $((100 * 1024)) ]

# Datagrams as large as they can be, of what is dear to read: templates that change each time, options, lists, and
# records of one octet. CPU time of the collector for each of them.
for kind in templates options lists small; do
    hostile "worst_$kind" 120 "kind = '$kind'"'
one, deep = Template(256, [(1, 1)]), Template(300, [(292, VARIABLE)])
names = Template(301, [(10, 4), (82, VARIABLE)], scope=1)
out.append(ipfix(templates10(one, deep, names)))
for n in range(100):
    if kind == "templates":
        body = flowset(2, b"".join(struct.pack(">HHHH", 256 + k, 1, n % 50 + 1, 4) for k in range(8000)))
    elif kind == "options":
        body = flowset(301, b"".join(struct.pack(">I", n * 9000 + k) + b"\1x" for k in range(10000)))
    elif kind == "lists":
        inner = b""
        while len(inner) < 60000:
            inner = variable(b"\3" + struct.pack(">H", 300) + inner, True)
        body = flowset(300, inner)
    else:
        body = flowset(256, bytes(64000))
    out.append(ipfix(body))
'
    each=$((ticks * 10000 / 101)) # microseconds, at 100 ticks a second
    check "worst_$kind: a datagram takes less than 5 ms ($each us)" [ $each -lt 5000 ]
done

# Another process behind the same address gives 999 another meaning: counted, and without effect where ports tell them
# apart. Where they do not, data that come between the two meanings are read by the newer one, so none are sent.
for key in address address_port; do
    encode "$COMMON"'
trap = Template(999, [(12, 4), (8, 4), (1, 8), (2, 8), (4, 1), (7, 2), (11, 2)])
out, between = [], sys.argv[2] == "address_port"
for n in range(100):
    out += [good(), From(ipfix(templates10(trap), sequence=n), "192.0.2.9", 6666)]
    if between:
        good.sent += 1
        row = "10.9.9.9", "10.1.0.1", 9, 9, 17, 1, 100
        out.append(From(ipfix(data(GOOD, row), sequence=good.sent), "192.0.2.9"))
save(sys.argv[1] + "/poison.pcap", out)
open(sys.argv[1] + "/datagrams", "w").write(str(len(out)))
open(sys.argv[1] + "/good", "w").write(str(good.sent + 1))' "$DIR" $key
    read_capture poison 30 "nfacctd_templates_key: $key"
    if [ $key = address ]; then
        is "poison: every change is counted" "$(final input.templates_changed)" 199
    else
        is "poison: nothing has changed, where ports count" "$(final input.templates_changed)" 0
    fi
done

seed=${SEED:-$RANDOM}
AGGREGATE=$WIDE hostile "mutations_$seed" 120 '
import glob, os
rng = random.Random(int(sys.argv[1].rsplit("_", 1)[1]))
payloads = []
for path in sorted(glob.glob(os.path.join(os.path.dirname(sys.modules["netflow_writer"].__file__), "netflow_*.pcap"))):
    octets, at = open(path, "rb").read(), 24
    while at < len(octets):
        length = struct.unpack_from("<I", octets, at + 8)[0]
        payloads.append(octets[at + 58:at + 16 + length])
        at += 16 + length
for n in range(10000):
    one = bytearray(rng.choice(payloads))
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not one:
            break
        where, what = rng.randrange(len(one)), rng.randrange(5)
        if what == 0:
            one[where] = rng.randrange(256)
        elif what == 1:
            one[where:where + 2] = rng.choice((b"\0\0", b"\xff\xff", b"\x7f\xff", b"\0\4", b"\1\0"))
        elif what == 2:
            del one[where:where + rng.randint(1, 8)]
        elif what == 3:
            one[where:where] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 8)))
        else:
            other = rng.choice(payloads)
            one[where:] = other[min(where, len(other)):]
    out.append(From(bytes(one[:60000]), "192.0.2.%d" % rng.randint(1, 8)))
'
test_end
