#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# sampling_map: the rates of the map are above what exporters tell, for every plugin alike; SIGUSR2 has it read again; a
# broken one stops the start, and later on leaves the old one in force. With nfacctd_unknown_sampling_rate: drop, a rate
# from the map or from nfacctd_ext_sampling_rate is a rate that is known. sfacctd has the same map, by agent.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin

# Exporters 1 to 4 tell a rate of 10, 5 tells none. Each sends one packet by interface 7 and one by interface 8.
encode '
sampler = Template(400, [(1, 4), (48, 1), (50, 4)], scope=1)
sampled = Template(256, [(8, 4), (10, 4), (48, 1), (2, 4), (1, 8)])
plain = Template(257, [(8, 4), (10, 4), (2, 4), (1, 8)])
rows = data(sampled, ("10.0.0.1", 7, 9, 1, 100), ("10.0.0.1", 8, 9, 1, 100))
told = [From(version9(templates9(sampler, sampled), data(sampler, (0, 9, 10)), rows), "192.0.2.%d" % n) for n in range(1, 5)]
told.append(From(version9(templates9(plain), data(plain, ("10.0.0.1", 7, 1, 100), ("10.0.0.1", 8, 1, 100))), "192.0.2.5"))
save(sys.argv[1], told)
save(sys.argv[2], [From(version9(templates9(sampled), rows), "192.0.2.%d" % n) for n in range(1, 4)])
' "$DIR/told.pcap" "$DIR/untold.pcap" || skip "the encoder failed"

# configuration LINE...: with a row for each exporter; the map is $DIR/map
configuration()
{
    ROWS=$DIR/rows.csv
    cat >"$DIR/conf" <<END
daemonize: false
control_path: $CONTROL
sampling_map: $DIR/map
plugins: memory[table], print[rows]
aggregate[table]: peer_src_ip
imt_path[table]: $DIR/table.socket
aggregate[rows]: peer_src_ip, sampling_rate
print_output[rows]: csv
print_output_file[rows]: $ROWS
print_refresh_time[rows]: 3600
END
    printf '%s\n' "$@" >>"$DIR/conf"
    rm -f "$ROWS"
    : >"$LOG"
}

# Packets by the last number of the exporter's address, "1:120 2:10 ", of a CSV file
by_exporter()
{
    awk -F, 'FNR == 1 { for (i = 1; i <= NF; i++) { if ($i == "PEER_SRC_IP") e = i; if ($i == "PACKETS") p = i }; next }
             NF > 1 { n = $e; sub(/.*\./, "", n); packets[n] += $p }
             END { for (n in packets) print n ":" packets[n] }' "$1" | sort -n | tr '\n' ' '
}

# round NUMBER: all exporters send, and everything of it is decoded
round()
{
    send "$DIR/told.pcap" >/dev/null
    check "round $1: all records" wait_for 20 book_is input.records_decoded $(($1 * 10))
}

replay_file()
{
    timeout 30 "$SFACCTD" -f "$DIR/conf" -I "$1" >>"$LOG" 2>&1 </dev/null
}

# outcome NAME PACKETS NO_RATE: of the capture whose rates are not told
outcome()
{
    replay_file "$DIR/untold.pcap"
    is "$1: status" $? 0
    is "$1: packets" "$(by_exporter "$ROWS")" "$2"
    is "$1: records without a rate" "$(final input.data_records_no_rate)" "$3"
    check "$1: the books balance" balanced "$LOG"
}

PORT=$(free_port)
printf '! by exporter\nid=100 ip=127.0.2.1 in=7\nid=20  ip=127.0.2.1\nid=5   ip=127.0.2.2/31\n' >"$DIR/map"
configuration "nfacctd_ip: 127.0.0.1" "nfacctd_port: $PORT" "nfacctd_renormalize: true"
check "starts with a map" daemon_start "$DIR/conf"
round 1
echo "id=3 ip=127.0.2.1" >"$DIR/map"
kill -USR2 "$DAEMON"
check "SIGUSR2: the new map is read" wait_for 10 grep -q "successfully (re)loaded with 1 entries" "$LOG"
round 2
printf 'id=7 ip=127.0.2.1\nid=7 ip=127.0.2.2 iin=5\n' >"$DIR/map"
kill -USR2 "$DAEMON"
check "SIGUSR2: a broken map is told with file and line" wait_for 10 grep -qF "$DIR/map:2: unknown key 'iin'" "$LOG"
round 3
check "the memory plugin has read it all" wait_for 10 plugin_idle table
"$PMACCT" -p "$DIR/table.socket" -s -O csv >"$DIR/table.csv"
check "ends in time" daemon_end 10 INT
is "the rates of each round" "$(by_exporter "$ROWS")" "1:132 2:50 3:50 4:60 5:6 "
is "are the same for another plugin" "$(by_exporter "$DIR/table.csv")" "1:132 2:50 3:50 4:60 5:6 "
is "each rate reads 1 then" "$(awk -F, 'FNR == 1 { for (i = 1; i <= NF; i++) if ($i == "SAMPLING_RATE") r = i; next }
                                        NF > 1 { print $r }' "$ROWS" | sort -u)" 1
check "the books balance" balanced "$LOG"

configuration
check "a broken map stops the start" eval '! replay_file "$DIR/told.pcap"'
check "and is told with file and line" grep -qF "$DIR/map:2: unknown key 'iin', did you mean 'in'?" "$LOG"
rm "$DIR/map"
configuration
check "so does a missing one" eval '! replay_file "$DIR/told.pcap"'
check "that is told by its name" grep -qF "'$DIR/map'" "$LOG"

printf 'id=100 ip=192.0.2.1 in=7\nid=20 ip=192.0.2.2\n' >"$DIR/map"
configuration "nfacctd_renormalize: true"
outcome "rates not told, taken" "1:101 2:40 3:2 " 0
configuration "nfacctd_renormalize: true" "nfacctd_unknown_sampling_rate: drop"
outcome "rates not told, dropped" "1:100 2:40 " 3
configuration "nfacctd_renormalize: true" "nfacctd_unknown_sampling_rate: drop" "nfacctd_ext_sampling_rate: 3"
outcome "ext_sampling_rate for the others" "1:103 2:40 3:6 " 0
configuration "nfacctd_unknown_sampling_rate: drop"
sed -i 's/, sampling_rate//' "$DIR/conf"
outcome "dropped, where nobody shows the rate" "1:1 2:2 " 3

# What the agents of sFlow tell is replaced likewise.
SFACCTD=$BUILD/sfacctd
for rate in 1 1000; do
    printf "id=$rate ip=0.0.0.0/0\nid=$rate ip=::/0\n" >"$DIR/map"
    configuration "sfacctd_renormalize: true"
    replay_file "$TESTS/data/renormalize.pcap"
    [ $rate = 1 ] && one=$(totals "$ROWS")
done
check "sfacctd: packets without a rate" [ "${one% *}" -gt 0 ]
is "sfacctd: a thousand times as much" "$(totals "$ROWS")" "$((${one% *} * 1000)) $((${one#* } * 1000))"
test_end
