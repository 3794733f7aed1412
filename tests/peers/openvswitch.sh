#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real exporter, live: Open vSwitch in namespaces of our own samples known kinds of traffic and sends sFlow to our sfacctd,
# then NetFlow v5 and IPFIX to our nfacctd; tshark records the same datagrams. Packets and bytes must be what tshark decodes.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/openvswitch.sh"
test_begin
missing=$(exporter_missing) && skip "$missing"
command -v tshark >/dev/null || skip "needs tshark"

name=flowledger$$
trap 'exporter_stop >/dev/null 2>&1; test_cleanup' EXIT
exporter_start "$DIR/switch" "$name" >"$DIR/switch.log" 2>&1 || {
    note <"$DIR/switch.log"
    skip "Open vSwitch does not start here"
}
live_configuration <<END
aggregate_unknown_etype: true
sfacctd_counter_file: $DIR/counters
sfacctd_counter_output: json
END
DAEMON_PREFIX="ip netns exec $name-switch"
check "the daemon starts in the switch's namespace" daemon_start "$DIR/conf"
ip netns exec "$name-switch" timeout 120 tshark -q -i lo -f "udp port $PORT" -F pcap -w "$DIR/export.pcap" >"$DIR/tshark.log" 2>&1 &
recorder=$!
record_process $recorder
wait_for 20 eval '[ -s "$DIR/export.pcap" ]' || note <"$DIR/tshark.log"
sleep 1
exporter_sflow "127.0.0.1:$PORT" 4 1
exporter_traffic "${SECONDS_OF_TRAFFIC:-12}" >/dev/null
exporter_control clear bridge br0 sflow
sleep 2
kill -INT $(pgrep -P $recorder) $recorder 2>/dev/null
wait_for 10 gone $recorder
check "records were decoded" [ "$(book input.records_decoded)" -gt 100 ]
read -r samples bytes <<END
$(witness_sums "$DIR/export.pcap" "$PORT")
END
is "flow samples are what tshark counts" "$(book input.samples_flow)" "$samples"
check "counter samples came too" [ "$(book input.samples_counter)" -gt 0 ]
check "the memory plugin has read all" wait_for 5 plugin_idle table
"$PMACCT" -s -p "$DIR/table.socket" -O csv >"$DIR/table.csv"
is "packets and bytes in memory are what tshark decodes" "$(totals "$DIR/table.csv")" "$samples $bytes"
check "ends in time" daemon_end 10 INT
is "packets and bytes in the file are what tshark decodes" "$(totals "$ROWS")" "$samples $bytes"
for what in ',10.9.0.1,10.9.0.2,' '10.9.0.2,10.9.0.1,.*,tcp,' '10.9.0.1,10.9.0.2,40053,5353,udp,' 'fd09::2,fd09::1,8081,.*,tcp,' \
    'fd09::1,fd09::2,40053,5354,udp,' ',icmp,' ',ipv6-icmp,'; do
    check "there is a row of ${what#,}" grep -q -- "${what#,}" "$ROWS"
done
check "counter lines of the interfaces were written" grep -q '"sflow_cnt_generic"' "$DIR/counters"
is "no datagram is missing by its sequence number" "$(final input.datagrams_lost)" 0
is "nothing is malformed or unknown" "$(final input.datagrams_malformed+input.samples_malformed+input.samples_unknown+input.structures_malformed)" 0
check "the books balance" balanced "$LOG"

# netflow FORM: the same switch exports flows, in FORM (netflow is version 5, with whole frames; ipfix has IP lengths)
netflow()
{
    local form=$1 rows

    live_configuration </dev/null
    rm -f "$ROWS"
    : >"$LOG"
    check "$form: the daemon starts" daemon_start "$DIR/conf"
    RECORD_PREFIX="ip netns exec $name-switch" record_start
    if [ $form = netflow ]; then
        exporter_control -- --id=@n create netflow "targets=\"127.0.0.1:$PORT\"" active_timeout=2 \
            -- set bridge br0 netflow=@n >/dev/null
    else
        exporter_control -- --id=@i create ipfix "targets=\"127.0.0.1:$PORT\"" sampling=1 cache_active_timeout=2 \
            -- set bridge br0 ipfix=@i >/dev/null
    fi
    exporter_traffic "${SECONDS_OF_TRAFFIC:-12}" >/dev/null
    sleep 5 # flows that are idle are told then
    exporter_control clear bridge br0 $form
    sleep 2
    record_end
    check "$form: ends in time" daemon_end 10 INT
    read -r packets bytes <<END
$(witness_flows "$DIR/export.pcap" "$PORT")
END
    check "$form: flows came ($packets packets, $bytes bytes)" [ "$packets" -gt 1000 ]
    is "$form: packets and bytes of the file are what tshark decodes" "$(totals "$ROWS")" "$packets $bytes"
    # 60 datagrams of 400 octets a round, in IP packets of 428 octets and frames of 442
    rows=$(grep '10.9.0.1,10.9.0.2,40053,5353,udp,' "$ROWS" | awk -F, '{ print $NF / $(NF - 1), $(NF - 1) % 60 }')
    is "$form: the length of the known packets" "$rows" "$([ $form = netflow ] && echo 442 0 || echo 428 0)"
    is "$form: nothing is malformed or unknown" \
        "$(final input.datagrams_malformed+input.sets_malformed+input.sets_unknown)" 0
    check "$form: the books balance" balanced "$LOG"
}

SFACCTD=${NFACCTD:-$BUILD/nfacctd}
if [ -x "$SFACCTD" ]; then
    . "$TESTS/lib/netflow_witness.sh"
    netflow netflow
    netflow ipfix
fi
test_end
