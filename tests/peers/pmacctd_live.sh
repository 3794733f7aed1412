#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# pmacctd on a device of our own: known frames go in, and the rows have every packet and byte of them, beside pmacct's
# own pmacctd and tshark on the same device; fragments, sampling, and a kernel that drops. Sent = received + dropped.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/devices.sh"
missing=$(devices_missing) && skip "$missing"
test_begin
devices_start 1 >"$DIR/devices.log" 2>&1 || skip "no veth devices here: $(tail -1 "$DIR/devices.log")"
witness=/usr/sbin/pmacctd

# -- the same frames through three programs --

witnesses_start()
{
    if [ -x $witness ]; then
        cat >"$DIR/witness.conf" <<END
daemonize: false
pcap_interface: right1
plugin_pipe_size: 40960000
plugins: print[rows]
aggregate[rows]: $AGGREGATE
print_output[rows]: csv
print_output_file[rows]: $DIR/witness.csv
print_refresh_time[rows]: 3600
END
        right timeout 60 $witness -f "$DIR/witness.conf" >"$DIR/witness.log" 2>&1 </dev/null &
        witness_process=$!
        record_process $witness_process
    fi
    if command -v tshark >/dev/null; then
        right timeout 60 tshark -q -i right1 -F pcap -w "$DIR/witness.pcap" >"$DIR/tshark.log" 2>&1 </dev/null &
        tshark_process=$!
        record_process $tshark_process
        wait_for 20 test -s "$DIR/witness.pcap"
    fi
    [ ! -x $witness ] || wait_for 10 eval 'grep -q "cache entries" "$DIR/witness.log"'
    sleep 2 # neither of the two says when it listens
}

witnesses_end()
{
    local children

    sleep 1
    if [ -n "${witness_process:-}" ]; then
        children=$(pgrep -P "$witness_process")
        kill -INT $children 2>/dev/null
        wait_for 15 gone "$witness_process"
    fi
    if [ -n "${tshark_process:-}" ]; then
        kill -INT $(pgrep -P "$tshark_process") 2>/dev/null
        wait_for 15 gone "$tshark_process"
    fi
}

# What tshark counts in its recording: "frames octets", these of the IP packets.
tshark_sums()
{
    local columns="SUM(ip.len)ip.len,SUM(ipv6.plen)ipv6.plen,COUNT(ipv6.plen)ipv6.plen"

    timeout 60 tshark -r "$DIR/witness.pcap" -q -z "io,stat,0,$columns" 2>/dev/null |
        awk -F'|' '/<>/ { gsub(/ /, ""); sum = $3 + $4 + 40 * $5 } END { print sum }'
}

compare()
{
    local options="--conversations 200 --packets 50" sent

    begin "three programs" <<END
pcap_interface: right1
END
    check "promiscuous mode is on" device_is right1 "promiscuity 1"
    witnesses_start
    sent=$(send_left $options --rate 10000)
    check "$name: all $sent frames are there" taken "$sent"
    witnesses_end
    packets_end "$name"
    is "$name: none was dropped" "$(final input.frames_kernel_dropped)" 0
    is "$name: each is a record" "$(final input.frames_accounted)" "$sent"
    same_rows "$name: every row is exact" $options
    check "promiscuous mode is off again" device_is right1 "promiscuity 0"
    if [ -n "${witness_process:-}" ]; then
        frames rows "$DIR/witness.csv" >"$DIR/theirs.csv"
        check "pmacct's pmacctd has the same rows" cmp -s "$DIR/theirs.csv" "$DIR/got.csv" ||
            diff "$DIR/theirs.csv" "$DIR/got.csv" | head -5 | note
    fi
    if [ -n "${tshark_process:-}" ]; then
        is "tshark recorded as many frames" \
            "$(timeout 60 capinfos -Mrc "$DIR/witness.pcap" 2>/dev/null | awk 'END { print $NF }')" "$sent"
        is "tshark counts the same octets" "$(tshark_sums)" "$(frames sums "$ROWS" | cut -d' ' -f2)"
    fi
}

# -- fragments --

orphans()
{
    local options="--conversations 20 --orphans" sent

    begin "fragments without a first one" <<END
pcap_interface: right1
END
    sent=$(send_left $options)
    taken "$sent"
    check "$name: ten frames wait" wait_for 5 book_is input.frames_waiting 10
    packets_end "$name"
    same_rows "$name: they are in the rows without ports" $options
    is "$name: they are counted" "$(final input.fragments_orphans)" 10

    begin "fragments_orphans: drop" <<END
pcap_interface: right1
fragments_orphans: drop
END
    taken "$(send_left $options)"
    packets_end "$name"
    same_rows "$name: they are not in the rows" --conversations 20
    is "$name: they are counted" "$(final input.frames_orphans_dropped)" 10

    AGGREGATE="src_host, dst_host"
    begin "without ports" <<END
pcap_interface: right1
END
    taken "$(send_left $options)"
    is "$name: no fragment waits" "$(book input.frames_waiting)" 0
    packets_end "$name"
    same_rows "$name: fragments are packets as others" $options --columns SRC_IP,DST_IP
    AGGREGATE="src_host, dst_host, src_port, dst_port, proto, vlan"
}

# -- sampling and drops --

sampling()
{
    local sent taken out

    begin "sampling_rate" <<END
pcap_interface: right1
sampling_rate: 10
END
    sent=$(send_left --kind udp --conversations 1000 --packets 10 --rounds 3)
    taken "$sent"
    packets_end "$name"
    taken=$(final plugin:rows.emit.records_emitted) out=$(final plugin:rows.emit.records_sampled_out)
    is "$name: taken + left out = sent" $((taken + out)) "$sent"
    check "$name: about one of ten: $taken of $sent" \
        [ "$taken" -gt $((sent * 93 / 1000)) -a "$taken" -lt $((sent * 107 / 1000)) ]
    is "$name: the rows have those that were taken" "$(packets_in_rows)" "$taken"
}

drops()
{
    local sent pid dropped

    begin "a collector that stands still" <<END
pcap_interface: right1
pmacctd_pipe_size: 1048576
END
    pid=$(book collector_pid)
    kill -STOP "$pid"
    sent=$(send_left --kind udp --conversations 1000 --rounds 10)
    kill -CONT "$pid"
    check "$name: sent = received + dropped by the kernel" taken "$sent"
    packets_end "$name"
    dropped=$(final input.frames_kernel_dropped)
    check "$name: some were dropped: $dropped of $sent" [ "$dropped" -gt 0 -a "$dropped" -lt "$sent" ]
    is "$name: the rows have the others" "$(packets_in_rows)" $((sent - dropped))

    begin "as fast as it goes" <<END
pcap_interface: right1
END
    sent=$(send_left --rounds 100)
    check "$name: sent = received + dropped by the kernel" taken "$sent"
    packets_end "$name"
    dropped=$(final input.frames_kernel_dropped)
    is "$name: the rows have the others ($(tail -1 "$DIR/send.log"), $dropped dropped)" \
        "$(packets_in_rows)" $((sent - dropped))
}

compare
orphans
sampling
drops
test_end
