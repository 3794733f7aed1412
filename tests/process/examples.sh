#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The recipes of conf/examples do what their first lines say: each one passes --check without a word, runs on the
# capture that its "Try it" line names, and runs again as a service to which that capture is sent over loopback and
# which is then stopped. Both times: status 0, the rows are there, their sums are exact, the books balance. Only the
# folder of the files and the addresses to listen on are put in by the test. Recipes called nfacctd-* are nfacctd's,
# pmacctd-* pmacctd's, which are only tried: a service would need a device; all others are sfacctd's but uacctd-*, which
# need netfilter rules (tests/peers/uacctd.sh). To one that listens for TLS the records are sent so, with certificates
# made here; one that asks for a database gets one that is made here, too.
. "$(dirname "$0")/../lib/common.sh"
test_begin
replay=$(tool replay) || skip "needs a compiler and libpcap"
NFACCTD=${NFACCTD:-$BUILD/nfacctd}
PMACCTD=${PMACCTD:-$BUILD/pmacctd}
top=$(cd "$TESTS/.." && pwd)
out=$DIR/out # stands for /tmp/flowledger

# name | files or sockets that come out, {log} being standard output | packets and bytes in each | a word in one of them
# The sums: "whole" is the capture with sampling multiplied out, "sampled" without, "ends" counts both ends of a flow;
# "softflowd" is both directions of the quickstart's IPFIX, added up by tshark when it was recorded, "packets" its capture
# of packets, likewise. Where the places differ, a comma parts their sums.
recipes="
billing-by-host-memory      | out-hosts                     | ends          | 10.9.0.2
dropped-packets             | out/dropped.json              | 4 348          | \"drop_reason\": \"acl\"
files-every-5-minutes       | out/flows-*.csv               | whole          | SRC_IP,DST_IP,SRC_PORT,DST_PORT
in-and-out-per-customer     | out-in out-out                | whole          | 10.9.0.2
ixp-by-mac                  | out/ixp/*/*-127_0_0_1.json    | whole          | \"mac_src\": \"
json-lines                  | out/flows.json                | whole          | +00:00
many-plugins                | out-now out/ports-*.csv out/protocols.json out/total.csv | whole | 10.9.0.2
multicast-and-allow-file    | out/allowed.csv               | whole          | 127.0.0.1,10.9.0.2,10.9.0.1
nat-log                     | out/nat-*.csv                 | 1 78           | ,203.0.113.1,33333,
nfacctd-custom-primitives   | out/tenants.json              | 1 100          | \"vrf_in\": \"1\"
nfacctd-first               | out-hosts out/flows-*.csv     | softflowd      | 10.9.1.1
nfacctd-ipfix-over-tls      | out/secure.csv                | softflowd      | fd00:9:1::2
nfacctd-lanes               | out/matrix-*.csv              | softflowd      | SRC_AS,DST_AS
nfacctd-nat-events          | out/nat-*.json                | 0 0            | \"post_nat_ip_src\": \"203.0.113.1\"
nfacctd-restart-without-loss | out/flows.json               | softflowd      | fd00:9:1::1
nfacctd-sampling-map        | {log}                         | 6144 614400    | 10.0.0.3
nfacctd-tags                | out/web.csv out/others.csv    | 780 4087242, 140 24820 | 20,10.9.1.1,10.9.1.2,udp,
nfacctd-sampling            | {log}                         | 2292 229200    | 10.0.0.3
overlay-vxlan               | {log}                         | 1 122          | 5001
pmacctd-first               | out-hosts out/flows-*.csv     | packets        | 192.0.2.11,203.0.113.44,36150,443,27,tcp,
pmacctd-geoip               | out/countries.csv             | packets        | CH,JP,
pmacctd-tags-and-networks   | out/networks.csv              | packets        | 101,web,0,64500,192.0.2.0,203.0.113.0,25,24,0,443
pmacctd-transactions        | out/transactions.json out/names.csv | packets  | \"question\": \"wwww.example.net\"
pmacctd-tunnels             | out/tunnels.csv               | 28 2556        | 10.0.0.5,10.9.9.9,gre,10.99.0.1,10.99.0.2,tcp,80
replay-a-capture            | {log} out/replay.csv          | whole          | 10.9.0.1
sampling-renormalize        | {log}                         | 300 23400      | 10.0.0.1
switch-counters             | out/interfaces-*.csv out-counters-127_0_0_1.json | whole | \"ifInOctets\":
traffic-matrix-as           | out/matrix-*.csv              | 1 78           | 65001,64701,64501,64502,192.0.2.1
watch-exporters             | {log}                         | sampled        | \"flows\":
"

# The sums of packets and bytes in CSV, JSON or columns, whichever the file holds: "packets bytes".
sums()
{
    case $1 in
    *.csv) totals "$@" ;;
    *) python3 - "$@" <<'END'
import json, sys
packets = octets = columns = 0
for path in sys.argv[1:]:
    for line in open(path, encoding="utf-8", errors="replace"):
        words = line.split()
        if line.startswith("{"):
            row = json.loads(line)
            packets, octets = packets + row.get("packets", 0), octets + row.get("bytes", 0)
        elif words[-2:] == ["PACKETS", "BYTES"]:
            columns = len(words)
        elif columns and len(words) == columns and words[-1].isdigit() and words[-2].isdigit():
            packets, octets = packets + int(words[-2]), octets + int(words[-1])
print(packets, octets)
END
        ;;
    esac
}

# configuration NAME: the recipe for this test's folder, in $DIR/conf
configuration()
{
    sed -e "s|/tmp/flowledger|$out|g" "$top/conf/examples/$1.conf" >"$DIR/conf"
    grep -q '^control_path' "$DIR/conf" || echo "control_path: $out-control" >>"$DIR/conf"
    CONTROL=$out-control
    rm -rf "$out" "$out"-*
    mkdir "$out"
    : >"$LOG"
    if grep -q '^geoipv2_file' "$DIR/conf"; then
        python3 "$TESTS/lib/make_mmdb.py" country "$out-country.mmdb"
    fi
    grep -q '^tls_path' "$DIR/conf" || return 0
    mkdir "$out-tls"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=flowledger-test -days 2 \
        -keyout "$out-tls/key.pem" -out "$out-tls/cert.pem" 2>/dev/null
    cp "$out-tls/cert.pem" "$out-tls/ca.pem"
    TLS_PORT=$(free_port)
    sed -i "s/^\(nfacctd_d*tls_port: \).*/\1$TLS_PORT/" "$DIR/conf"
}

# send_by_tls CAPTURE: the IPFIX messages of a capture over one session; prints how many
send_by_tls()
{
    python3 - "$1" "$TLS_PORT" "$out-tls" <<'END'
import socket, ssl, struct, sys
capture, port, folder = open(sys.argv[1], "rb").read(), int(sys.argv[2]), sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.load_verify_locations(folder + "/ca.pem")
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
at, count = 24, 0
with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5)) as session:
    while at < len(capture):
        size = struct.unpack_from("<I", capture, at + 8)[0]
        session.sendall(capture[at + 16 + 14 + 20 + 8:at + 16 + size])  # Ethernet, IPv4, UDP
        at, count = at + 16 + size, count + 1
    session.unwrap()
print(count)
END
}

# outcome WHEN NAME PLACES SUMS WORD: what has come out, after the end
outcome()
{
    local when=$1 name=$2 places=$3 sums=$4 word=$5 place files

    case $sums in
    whole) sums=$whole ;;
    sampled) sums=$sampled ;;
    ends) sums=$ends ;;
    softflowd) sums="920 4112062" ;;
    packets) sums="54 10341" ;;
    esac

    is "$name, $when: status" "$STATUS" 0
    check "$name, $when: the books balance" balanced "$LOG"
    is "$name, $when: nothing lost" "$(final input.datagrams_malformed+input.datagrams_denied)" 0
    for place in $places; do
        files=$DIR/$place
        [ "$place" != "{log}" ] || files=$LOG
        # shellcheck disable=SC2086
        set -- $files
        [ ! -e "$files.answer.csv" ] || set -- "$files.answer.csv"
        check "$name, $when: $place is there" [ -s "$1" ] || continue
        case $place in
        *-counters-* | */transactions.json) ;; # these are no flows
        *) is "$name, $when: the sums of $place" "$(sums "$@")" "${sums%%, *}" ;;
        esac
        sums=${sums#*, }
        if grep -qF -e "$word" -- "$@"; then word=""; fi
    done
    check "$name, $when: the rows hold what they should" [ -z "$word" ]
}

# What memory plugins hold has to be asked for while they run.
ask_sockets()
{
    local place

    for place in $1; do
        if [ -S "$DIR/$place" ]; then
            "$PMACCT" -p "$DIR/$place" -s -O csv >"$DIR/$place.answer.csv" 2>>"$LOG"
        fi
    done
}

all_read()
{
    local name

    for name in $(sed -n 's/^plugins: //p' "$DIR/conf" | tr ',' '\n' | sed 's/.*\[\(.*\)\]/\1/'); do
        plugin_idle "$name" || return 1
    done
}

run_example()
{
    local name=$1 places=$2 sums=$3 word=$4 file capture count port daemon=sfacctd SFACCTD=$SFACCTD

    case $name in
    nfacctd-*) daemon=nfacctd SFACCTD=$NFACCTD ;;
    pmacctd-*) daemon=pmacctd SFACCTD=$PMACCTD ;;
    esac
    if grep -q '^tls_path' "$top/conf/examples/$name.conf" && ! command -v openssl >/dev/null; then
        check "$name: certificates # SKIP needs openssl" true
        return
    fi
    file=conf/examples/$name.conf
    if grep -q '^geoipv2_file' "$top/$file"; then # which must be there
        configuration "$name"
        file=$DIR/conf
    fi
    (cd "$top" && "$SFACCTD" --check -f "$file") >"$DIR/checked" 2>&1
    is "$name: --check passes" $? 0
    check "$name: --check has nothing to say" eval '! grep -v ": good$" "$DIR/checked" | note | grep .'
    capture=$(sed -n 's/^! Try it:.* -I \([^ ]*\).*/\1/p' "$top/conf/examples/$name.conf")

    # As it is tried: a capture read to its end.
    if [ -n "$capture" ] || grep -q '^pcap_savefile' "$top/conf/examples/$name.conf"; then
        configuration "$name"
        (cd "$top" && timeout 30 "$SFACCTD" -f "$DIR/conf" ${capture:+-I "$capture"}) >>"$LOG" 2>&1 </dev/null
        STATUS=$?
        # A replay ends before anybody can ask its memory plugins.
        outcome "tried" "$name" "$(tr ' ' '\n' <<<"$places" | grep '[/{.]' | tr '\n' ' ')" "$sums" \
            "$(grep -q '[/{.]' <<<"$places" && echo "$word")"
    fi
    [ "$daemon" != pmacctd ] || return 0
    grep -q '^pcap_savefile' "$top/conf/examples/$name.conf" && return

    # As a service.
    configuration "$name"
    port=$(free_port)
    sed -i '/^nfacctd_port:/d' "$DIR/conf"
    echo "${daemon}_port: $port" >>"$DIR/conf"
    grep -q '^sfacctd_mcast_groups' "$DIR/conf" || echo "${daemon}_ip: 127.0.0.1" >>"$DIR/conf"
    cd "$top" || exit 1
    if ! daemon_start "$DIR/conf" && grep -q 'cannot join the multicast group' "$LOG"; then
        echo "# this host has no route for multicast: $name runs without" >&3
        sed -i '/^sfacctd_mcast_groups/d' "$DIR/conf"
        : >"$LOG"
        daemon_start "$DIR/conf"
    fi
    check "$name, as a service: starts" eval '! gone $DAEMON'
    if grep -q '^nfacctd_tls_port' "$DIR/conf"; then
        count=$(send_by_tls conf/quickstart/softflowd.pcap)
    else
        capture=${capture:-conf/quickstart/openvswitch.pcap}
        count=$("$replay" --duration 1 "$capture" "127.0.0.1:$port" | grep -o '[0-9]*' | head -1)
    fi
    check "$name, as a service: all $count datagrams arrive" wait_for 10 all_arrived "$count"
    check "$name, as a service: the plugins read them" wait_for 10 all_read
    ask_sockets "$places"
    check "$name, as a service: ends in time" daemon_end 8 TERM
    cd "$OLDPWD" || exit 1
    outcome "as a service" "$name" "$places" "$sums" "$word"
}

# total [FLAG]: packets and bytes of the capture that most recipes are tried on
total()
{
    local capture=$top/conf/quickstart/openvswitch.pcap

    timeout 30 "$SFACCTD" -P print -c none -O csv "$@" -I "$capture" >"$DIR/total.csv" 2>/dev/null </dev/null
    totals "$DIR/total.csv"
}

sampled=$(total)
whole=$(total -R)
ends=$(awk '{ print 2 * $1, 2 * $2 }' <<<"$whole")
check "the capture of the quickstart has traffic" [ "${whole% *}" -gt "${sampled% *}" ]

for file in "$top"/conf/examples/*.conf; do
    name=$(basename "$file" .conf)
    [ "${name#uacctd-}" = "$name" ] || continue
    row=$(grep "^$name  *|" <<<"$recipes")
    check "$name is a recipe of this test" [ -n "$row" ] || continue
    IFS='|' read -r name places sums word < <(sed 's/ *| */|/g' <<<"$row")
    run_example "$name" "$places" "$sums" "$word"
done
test_end
