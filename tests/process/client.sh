#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every flag of the client against a live daemon: what it prints, what it says when it is used wrongly, its exit status;
# and where pmacct 1.7.7 is installed, the same queries to its daemon and client, fed with the same datagrams: the same
# bytes.
#
# Where the two differ on purpose:
#   errors, warnings  on standard error here, so that they never stand among rows; on standard output there
#   formatted COMMS   the title is one column narrower than its cells there: titles are compared without their blanks
#   -a                other columns there, in other places, some of them without a title: only our own are looked at
#   -i                seconds since a clear: what it says depends on the moment
#   -t                another table, with other buckets
#   -r with -s        refused there
#   -c                a primitive that the table has not is an error here; there it matches nothing (or all, with "none"),
#                     and so do numbers out of range and queries with more or fewer values than primitives
#   -e -t             refused here, clears there
#   a flag alone      "-l" and the like print the usage there, and nothing of what was wrong
#   times             rows hold nanoseconds; a query for a time fits all that print as it
. "$(dirname "$0")/../lib/common.sh"
test_begin
generate=$(tool generate) || skip "needs a compiler"
replay=$(tool replay) || skip "needs a compiler and libpcap"

tables="table text"
table_keys="src_host, dst_host, src_port, dst_port, proto"
text_keys="src_host, as_path, std_comm, src_as, dst_as, peer_src_ip, in_iface, out_iface, vlan, tcpflags, etype"
text_keys="$text_keys, src_mac, tos"
"$generate" --out "$DIR/input.pcap" --expect "$DIR/expected.csv" --samples 2000 --keys 60 --ipv6 30 \
    --sampling-rate 64 2>"$DIR/sent"

# configuration FOLDER EXTRA...: of a daemon with the memory tables, its sockets in FOLDER
configuration()
{
    local folder=$1

    shift
    printf '%s\n' "daemonize: false" "sfacctd_ip: 127.0.0.1" "sfacctd_port: $PORT" "plugin_pipe_size: 16777216" \
        "aggregate[table]: $table_keys" "aggregate[text]: $text_keys" "imt_path[table]: $folder/table" \
        "imt_path[text]: $folder/text" "$@"
}

# The client on the table $on; what it prints goes to $DIR/out and $DIR/error, its status to $status.
on=table
client()
{
    timeout 20 "$PMACCT" -p "$DIR/ours/$on" "$@" >"$DIR/out" 2>"$DIR/error"
    status=$?
}

# says NAME STATUS TEXT ARGUMENT...: an error or a warning, its text (a part of the line), the exit status
says()
{
    local name=$1 want=$2 text=$3

    shift 3
    client "$@"
    check "$name" eval '[ $status = "$want" ] && grep -qF -e "$text" "$DIR/error"' ||
        { echo "status $status"; head -3 "$DIR/error"; } | note
}

# prints NAME TEXT ARGUMENT...: exactly this, and success
prints()
{
    local name=$1 text=$2

    shift 2
    client "$@"
    is "$name" "$status:$(cat "$DIR/out" "$DIR/error")" "0:$text"
}

# Sums of the expected rows that an awk condition takes: "packets bytes rows"
expected()
{
    awk -F, "NR > 1 && ($1) { p += \$6; b += \$7; n++ } END { print p + 0, b + 0, n + 0 }" "$DIR/expected.csv"
}

rows_are()
{
    sort "$DIR/out" >"$DIR/sorted" && sort "$1" | cmp -s - "$DIR/sorted"
}

mkdir "$DIR/ours"
PORT=$(free_port)
configuration "$DIR/ours" "control_path: $CONTROL" "plugins: memory[table], memory[text], memory[time]" \
    "sfacctd_pipe_size: 4194304" "aggregate[time]: proto, timestamp_arrival" "imt_path[time]: $DIR/ours/time" >"$DIR/conf"
check "starts" daemon_start "$DIR/conf"
is "says where each table is, as scripts await it" \
    "$(grep -c "^OK ( \(table\|text\|time\)/memory ): waiting for data on: '$DIR/ours/\(table\|text\|time\)'$" "$LOG")" 3
"$replay" --duration 1 "$DIR/input.pcap" "127.0.0.1:$PORT" >/dev/null
check "everything sent has arrived" wait_for 10 all_arrived "$(sent "$DIR/sent" datagrams)"
for on in table text time; do
    check "and is in $on" wait_for 10 plugin_idle $on
done

# -- rows and formats --
on=table
client -s -O csv
check "-s -O csv: the rows that the generator expects" rows_are "$DIR/expected.csv"
client --show --output csv --path "$DIR/ours/table"
check "long options" rows_are "$DIR/expected.csv"
sed 's/,/;/g' "$DIR/expected.csv" >"$DIR/wanted"
client -s -O csv -E ';'
check "-E ;" rows_are "$DIR/wanted"
sed 's/,/\t/g' "$DIR/expected.csv" >"$DIR/wanted"
client -s -O csv --separator '\t'
check "-E \\t" rows_are "$DIR/wanted"
sed 's/,/ /g' "$DIR/expected.csv" >"$DIR/wanted"
client -s -O csv -E '\s'
check "-E \\s" rows_are "$DIR/wanted"
sed 's/,tcp,/,6,/; s/,udp,/,17,/' "$DIR/expected.csv" >"$DIR/wanted"
client -s -u -O csv
check "-u: protocols as numbers" rows_are "$DIR/wanted"
client -s -l -O csv
check "-l" rows_are "$DIR/expected.csv"
client -s
check "formatted: the same fields, the count at the end" eval \
    '[ "$(head -n -2 "$DIR/out" | sed "s/  */,/g; s/,\$//" | sort)" = "$(sort "$DIR/expected.csv")" ] &&
     [ "$(tail -2 "$DIR/out")" = "$(printf "\nFor a total of: 60 entries")" ]'
client -s -O json
check "json: the same fields" python3 -c '
import csv, json, sys
names = ["ip_src", "ip_dst", "port_src", "port_dst", "ip_proto", "packets", "bytes"]
rows = [json.loads(line) for line in open(sys.argv[1])]
assert all(list(row) == names for row in rows)
assert sorted([str(v) for v in row.values()] for row in rows) == sorted(list(csv.reader(open(sys.argv[2])))[1:])' \
    "$DIR/out" "$DIR/expected.csv"
cut -d, -f1-5 "$DIR/expected.csv" >"$DIR/wanted"
client -s -O event_csv
check "event_csv: without counters" rows_are "$DIR/wanted"
client -s -O event_formatted
check "event_formatted: without counters" eval \
    '[ "$(head -n -2 "$DIR/out" | sed "s/  */,/g; s/,\$//" | sort)" = "$(sort "$DIR/wanted")" ]'
client -s -a -O csv
check "-a: every row has every column" eval \
    '[ "$(awk -F, "{ print NF }" "$DIR/out" | sort -u | wc -l)" = 1 ] && head -1 "$DIR/out" | grep -q "SRC_AS.*SRC_IP.*VLAN\|VLAN.*SRC_AS.*SRC_IP"'
on=text
client -s -O csv
is "texts: no packet is missing" "$(totals "$DIR/out")" "$(expected 1 | cut -d' ' -f1,2)"
check "paths and communities are texts" grep -q ',65000:1_65000:2,64512_64600_[0-9]*,' "$DIR/out"

# -- times --
on=time
client -s -O csv -0
check "-0: UTC" grep -qE '^udp,20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}Z,' "$DIR/out"
client -s -O csv -I
check "-I: seconds since 1970" grep -qE '^udp,[0-9]{10}\.[0-9]{6},' "$DIR/out"
moment=$(TZ=Asia/Tokyo "$PMACCT" -p "$DIR/ours/time" -s -O csv -T bytes,1 | sed -n 2p)
check "else local time" grep -qE '^(tcp|udp),20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}\+09:00,' <<<"$moment"
moment_time=$(cut -d, -f2 <<<"$moment")
is "a time as a query" "$(TZ=Asia/Tokyo "$PMACCT" -p "$DIR/ours/time" -c proto,timestamp_arrival \
    -N "$(cut -d, -f1 <<<"$moment"),${moment_time%+*}")" "$(cut -d, -f4 <<<"$moment")"

# -- -T --
on=table
for counter in bytes packets; do
    client -s -T $counter -O csv
    column=$([ $counter = bytes ] && echo 7 || echo 6)
    check "-T $counter: the largest first" eval \
        'rows_are "$DIR/expected.csv" && sed 1d "$DIR/out" | cut -d, -f$column | sort -rnc 2>/dev/null'
done
client -s -T bytes,3 -O csv
is "-T bytes,3" "$(cut -d, -f7 "$DIR/out" | sed 1d)" "$(sed 1d "$DIR/expected.csv" | cut -d, -f7 | sort -rn | head -3)"
client -c proto -M udp --top packets,2 -O csv
is "-T with -M" "$(cut -d, -f6 "$DIR/out" | sed 1d)" "$(grep ,udp, "$DIR/expected.csv" | cut -d, -f6 | sort -rn | head -2)"
says "-T of something else" 0 "WARN: -T, ignoring unknown counter type: color." -s -T color
says "-T with a count that is none" 1 "ERROR: -T, 'x' is not a number of rows" -s -T bytes,x

# -- -N and -M --
read -r packets bytes rows <<<"$(expected '$5 == "udp"')"
prints "-N" "$bytes" -c proto -N udp
prints "-N by number" "$bytes" -c proto -N 17
prints "-n packets" "$packets" -c proto -N udp -n packets
prints "-n flows, which are not counted" 0 -c proto -N udp -n flows
prints "-n all" "$packets $bytes 0 $rows" -c proto -N udp -n all
says "-n of something else" 0 "WARN: -n, ignoring unknown counter type: color." -c proto -N udp -n color
all=$(expected 1 | cut -d' ' -f2)
prints "several queries, a line each" "$bytes
$((all - bytes))
0" -c proto -N 'udp;tcp;icmp'
prints "-S: one sum" "$all" -c proto -N 'udp;tcp;icmp' -S
prints "-S -n all" "$(expected 1 | sed 's/ \([0-9]*\)$/ 0 \1/')" --fields proto --counters 'udp;tcp' --sum --counter all
prints "nothing matches" 0 -c src_host -N 203.0.113.1
prints "*: anything" "$all" -c src_host,proto -N '*,*'
host=$(sed -n 2p "$DIR/expected.csv" | cut -d, -f1)
prints "two primitives" "$(expected "\$1 == \"$host\" && \$5 == \"udp\"" | cut -d' ' -f2)" -c src_host,proto -N "$host,udp"
printf '! a comment\nudp\n\ntcp\n' >"$DIR/queries"
prints "file:" "$bytes
$((all - bytes))" -c proto -N "file:$DIR/queries"
grep -e SRC_IP -e ,udp, "$DIR/expected.csv" >"$DIR/wanted"
client -c proto -M udp -O csv
check "-M: the rows that match" rows_are "$DIR/wanted"
client -c proto --match "file:$DIR/queries" -O csv
check "-M file:" rows_are "$DIR/expected.csv"
client -c proto -M 'udp;udp' -O csv
check "-M: a row that matches twice comes once" rows_are "$DIR/wanted"
client -c src_host -M 203.0.113.1 -O csv
is "-M without a match: the titles only" "$(wc -l <"$DIR/out")" 1
on=text
client -s -O csv
path=$(grep -o '645[0-9]*_64600_[0-9]*' "$DIR/out" | head -1)
for query in "as_path $path" "std_comm 65000:1_65000:2" "as_path ^$" "std_comm 0"; do
    value=${query#* }
    [ "$value" != "^$" ] && [ "$value" != 0 ] || value=""
    prints "text: $query" "$(awk -F, -v value="$value" -v name="${query% *}" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == (name == "as_path" ? "AS_PATH" : "COMMS")) c = i; next }
        $c == value { b += $NF } END { print b + 0 }' <<<"$("$PMACCT" -p "$DIR/ours/text" -s -O csv)")" \
        -c "${query% *}" -N "${query#* }"
done
prints "'_' stands for a blank" "$("$PMACCT" -p "$DIR/ours/text" -c as_path -N "$path")" -c as_path -N "${path//_/ }"

# -- other questions --
on=table
client -t
is "-t: one star for each row" "$(sed 1d "$DIR/out" | tr -cd '*' | wc -c):$(head -1 "$DIR/out")" "60:* = element"
client --classes
is "-C" "$status:$(tail -1 "$DIR/out")" "0:For a total of: 0 classifiers"
client -U
is "-U: none, which the status tells" "$status:$(tr -s ' ' <"$DIR/out")" "1:NAME LEN OFF"
prints "-i: never cleared" never -i
client -V
check "-V" eval '[ $status = 0 ] && grep -q "^pmacct, client of the memory plugin, flowledger" "$DIR/out"'
client --help
check "-h" eval '[ $status = 0 ] && grep -q "^Usage: pmacct" "$DIR/out"'

# -- wrong uses --
for flags in "-s -t" "-s -C" "-t -C" "-s -N udp -c proto" "-N udp -M udp -c proto"; do
    says "exclude each other: $flags" 1 "ERROR: -s, -t, -N, -M and -C options are each mutually exclusive." $flags
done
for flags in "-N udp" "-M udp"; do
    says "$flags without -c" 1 "ERROR: -N or -M selected but -c has not been specified or is invalid." $flags
done
for flags in "-l" "-a" "-S" "-u" "-n all" "-T bytes" "-c proto"; do
    says "$flags alone" 1 "ERROR: no options specified. Either -s, -e, -t, -M, -N or -C must be supplied." $flags
done
says "-r alone" 1 "ERROR: -r selected but either -N or -M has not been specified." -r
says "-e with -t" 1 "ERROR: -e goes alone or with -s, -N or -M." -e -t
says "an unknown flag" 1 "ERROR: parameter Z unknown!" -Z
says "an unknown long flag" 1 "ERROR: parameter --color unknown!" --color
says "and the usage" 1 "Usage: pmacct" -Z
says "a value that is missing" 1 "ERROR: parameter E needs a value" -s -E
says "a word that is no flag" 1 "ERROR: 'word' is not a flag" word
says "-E of two characters" 1 "ERROR: -E option expects a single char as separator" -s -E ab
says "an unknown format" 0 "WARN: -O, ignoring unknown output value: 'xml'." -s -O xml
says "an unknown primitive" 1 "ERROR: unknown primitive 'color'" -c color -N 1
says "one that the table has not" 1 "ERROR: 'src_mac' is not in this table's aggregate" -c src_mac -N 00:00:00:00:00:01
says "label" 1 "ERROR: label: cannot be matched" -c label -N a
says "no address" 1 "ERROR: src_host: Invalid IP address: 'x'" -c src_host -N x
says "no protocol" 1 "ERROR: invalid protocol: 'x'" -c proto -N x
says "no protocol number" 1 "ERROR: invalid protocol: '256'" -c proto -N 256
says "a number out of range" 1 "ERROR: src_port: Invalid number: '65536'" -c src_port -N 65536
says "fewer values than primitives" 1 "ERROR: a query of fewer values than -c has primitives" -c src_host,proto -N 10.0.0.1
says "more values than primitives" 1 "ERROR: a query of more values than -c has primitives" -c proto -N udp,tcp
says "empty queries" 1 "ERROR: no query given" -c proto -N ';'
says "a file that is not there" 1 "ERROR: file '$DIR/none' not found" -c proto -N "file:$DIR/none"
on=none
says "no socket" 1 "ERROR: Unable to connect to '$DIR/ours/none'" -s
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$DIR/ours/silent"
on=silent
says "nobody listens" 1 "INFO: Connection refused while trying to connect to '$DIR/ours/silent'" -s
timeout 10 "$PMACCT" -s -O csv -p "$DIR/ours/table" >/dev/full 2>"$DIR/error"
is "a disk that is full" "$?:$(cat "$DIR/error")" "1:ERROR: cannot write the answer"

# -- status and top --
timeout 10 "$PMACCT" status -p "$CONTROL" >"$DIR/out"
is "status: succeeds" $? 0
check "status: what came in" grep -qE '^ +500  datagrams$' "$DIR/out"
check "status: what went out" grep -qE '^ +2,000  records to memory\[table\], 60 rows held$' "$DIR/out"
check "status: what was lost" eval 'grep -A1 "^Lost" "$DIR/out" | grep -q "^ *nothing$"'
check "status: at most 100 columns" eval '! grep -qE "^.{101}" "$DIR/out"'
check "status from a memory plugin too" eval 'timeout 10 "$PMACCT" status -p "$DIR/ours/table" | grep -q "^Exporters"'
check "status finds the socket by its variable" eval 'FLOWLEDGER_CONTROL=$CONTROL timeout 10 "$PMACCT" status | grep -q "^Books"'
timeout 10 "$PMACCT" status -p "$CONTROL" -O json >"$DIR/out"
check "status -O json" python3 -c '
import json, sys
book = json.load(open(sys.argv[1]))
assert book["input"]["samples_flow"] == 2000 and len(book["exporters"]) == 4 and len(book["plugins"]) == 3
assert all(row["balanced"] for row in book["balance"])' "$DIR/out"
timeout 10 "$PMACCT" status -p "$DIR/none" 2>"$DIR/error"
is "status without a daemon" "$?:$(cat "$DIR/error")" "1:ERROR: Unable to connect to '$DIR/none'"
timeout 60 "$generate" --udp "127.0.0.1:$PORT" --samples 6000 --keys 60 --ipv6 30 --rate 2000 2>"$DIR/sent.more" &
sender=$!
record_process $sender
timeout 20 "$PMACCT" top -p "$DIR/ours/table" -n packets -d 1 --batch 2 >"$DIR/out" 2>"$DIR/error"
is "top: succeeds" $? 0
is "top --batch 2: two pictures" "$(grep -c 'kpacket/s  60 rows, 60 active  by packets  ' "$DIR/out"):$(grep -c SRC_IP "$DIR/out")" 2:2
check "top: with a rate for the rows" grep -qE '^ +[0-9.]+[kM] +[0-9]+ .* 10\.[0-9.]+ +172\.' "$DIR/out"
timeout 10 "$PMACCT" top -p "$DIR/ours/table" </dev/null >"$DIR/out" 2>"$DIR/error"
is "top without a terminal" "$?:$(cat "$DIR/error")" "1:ERROR: this is no terminal that can be drawn on: use --batch FRAMES"
wait $sender
check "everything sent has arrived" wait_for 10 all_arrived "$(($(sent "$DIR/sent" datagrams) + $(sent "$DIR/sent.more" datagrams)))"
check "and is in the table" wait_for 10 plugin_idle table

# -- an installed pmacct, with what the daemons have from one capture --
theirs=/usr/sbin/sfacctd their_client=/usr/bin/pmacct their_daemon=""

# ask ARGUMENT...: the same question to both, about the table $on
ask()
{
    timeout 20 $their_client -p "$DIR/theirs/$on" "$@" >"$DIR/their.out" 2>&1
    their_status=$?
    client "$@"
}

agrees()
{
    [ $status = $their_status ] && [ ! -s "$DIR/error" ] && sort "$DIR/their.out" >"$DIR/wanted" && rows_are "$DIR/wanted"
}

# same ARGUMENT...: the same rows in any order, the same status. 1.7.7 now and then answers with lines that nobody asked
# for (22 zeroes after the three of three queries, seen once in some thousand); so it is asked again, while ours must give
# one and the same answer every time.
same()
{
    local tries=0 first

    ask "$@"
    while ! agrees && [ $((tries += 1)) -lt 4 ]; do
        first=$(cat "$DIR/sorted" 2>/dev/null)
        ask "$@"
        agrees
        is "the same answer again: $on $*" "$(cat "$DIR/sorted" 2>/dev/null)" "$first"
    done
    check "as pmacct 1.7.7: $on $*" agrees || diff "$DIR/wanted" "$DIR/sorted" | head -6 | note
}

their_table_is_full()
{
    [ "$($their_client -p "$DIR/theirs/$1" -s -O csv 2>/dev/null | awk -F, 'NR > 1 { p += $(NF - 1) } END { print p + 0 }')" = 2000 ]
}

their_end()
{
    local children

    children=$(pgrep -P "$their_daemon")
    kill -INT "$their_daemon" 2>/dev/null
    wait_for 3 gone "$their_daemon" || kill -KILL "$their_daemon" $children 2>/dev/null
    wait "$their_daemon" 2>/dev/null
}

compare()
{
    local format query list

    for on in $tables; do
        for format in csv json event_csv; do
            same -s -O $format
        done
        same -s -O csv -E ';'
        same -s -O csv -E '\t'
        same -s -O csv -u
        same -s -O csv -T flows
        same -s -O csv -T bytes,1
        same -s -l -O json
        same -C
        same -U
        ask -s
        check "as pmacct 1.7.7: $on -s, with the same blanks in its rows" eval \
            '[ "$(grep -v "SRC_IP" "$DIR/out" | sort)" = "$(grep -v "SRC_IP" "$DIR/their.out" | sort)" ] &&
             [ "$(grep "SRC_IP" "$DIR/out" | tr -s " ")" = "$(grep "SRC_IP" "$DIR/their.out" | tr -s " ")" ]'
    done
    on=table
    same -s
    same -s -O event_formatted
    while read -r list query; do
        for counter in bytes packets flows all; do
            same -c "$list" -N "$query" -n $counter
        done
        same -c "$list" -N "$query" -S -n all
        same -c "$list" -M "$query" -O csv
        same -c "$list" -M "$query" -O json
        same -c "$list" -M "$query" -O formatted
    done <<END
src_host $host
src_host 203.0.113.1
src_host,proto $host,tcp;*,udp
src_host,dst_host,src_port,dst_port,proto *,*,*,*,17
proto tcp;udp;icmp
proto file:$DIR/queries
src_host *
src_host 0
END
    same -c proto -M tcp -T bytes,1 -O csv
    on=text
    while read -r list query; do
        same -c "$list" -N "$query" -n all
        same -c "$list" -M "$query" -O csv
        same -c "$list" -M "$query" -O json
    done <<END
as_path $path
as_path ^$
as_path nonsense
std_comm 65000:1_65000:2
std_comm 0
etype 86dd
etype 800
src_mac 02:00:00:00:00:01
in_iface,out_iface 1,2
peer_src_ip 192.0.2.1
src_as,dst_as 65232,64732
vlan,tos 104,0
END
    same -c as_path -N "${path//_/ }"
    on=table
    for query in "-s -t" "-s -N udp -c proto" "-N udp" "-M udp" "-r" "-c color -N 1" "-c src_host -N x" "-c proto -N x" \
        "-c proto -N file:/none" "-s -E ab" "-s -T color" "-c proto -N udp -n color"; do
        ask $query
        check "as pmacct 1.7.7: its words and its status for $query" eval \
            '[ $status = $their_status ] && [ "$(grep -oE "(ERROR|WARN): .*" "$DIR/error")" = "$(grep -oE "(ERROR|WARN): .*" "$DIR/their.out")" ]'
    done
    same -e
    same -s
    same -s -O csv
    same -s -O json
    same -c proto -N udp -n all
}

on=table
prints "-e" "OK: Clearing stats." -e
prints "-i: seconds" 0 -i
prints "the table is empty" "" -s -O json
for on in text time; do
    client --clear
done
on=table
"$replay" --duration 1 "$DIR/input.pcap" "127.0.0.1:$PORT" >/dev/null
check "the capture again" wait_for 10 eval '[ "$(book input.samples_flow)" = 10000 ] && plugin_idle table && plugin_idle text'

if [ -x $theirs ] && [ -x $their_client ]; then
    mkdir "$DIR/theirs"
    PORT=$(free_port)
    configuration "$DIR/theirs" "plugins: memory[table], memory[text]" >"$DIR/their.conf"
    $theirs -f "$DIR/their.conf" >"$DIR/their.log" 2>&1 </dev/null &
    their_daemon=$!
    record_process $their_daemon
    check "pmacct's daemon starts" wait_for 10 eval '[ "$(grep -c "waiting for .*data on" "$DIR/their.log")" = 3 ]'
    sleep 0.5
    "$replay" --duration 2 "$DIR/input.pcap" "127.0.0.1:$PORT" >/dev/null
    if check "pmacct's daemon has it all" wait_for 10 eval 'their_table_is_full table && their_table_is_full text'; then
        compare
    fi
    their_end
    client -s -O json
    is "cleared" "$(wc -l <"$DIR/out")" 0
else
    echo "# pmacct 1.7.7 is not installed ($theirs, $their_client): no comparison with it"
    client -e
fi

# -- queries that change the table --
"$replay" --duration 1 "$DIR/input.pcap" "127.0.0.1:$(sed -n 's/^sfacctd_port: //p' "$DIR/conf")" >/dev/null
check "the capture once more" wait_for 10 eval '[ "$(book input.samples_flow)" = 12000 ] && plugin_idle table'
prints "-r with -N: tells, and resets what matches" "$bytes" -c proto -N udp -r
prints "then there is nothing" 0 -c proto -N udp
prints "the others are as they were" "$((all - bytes))" -c proto -N tcp
grep -v ,udp, "$DIR/expected.csv" >"$DIR/wanted"
client -s -r -O csv
check "-r with -s: rows that were reset are not shown" rows_are "$DIR/wanted"
client -s -O json
is "and now all are" "$(wc -l <"$DIR/out")" 0
"$replay" --duration 1 "$DIR/input.pcap" "127.0.0.1:$(sed -n 's/^sfacctd_port: //p' "$DIR/conf")" >/dev/null
check "and again" wait_for 10 eval '[ "$(book input.samples_flow)" = 14000 ] && plugin_idle table'
client -c proto -M udp -r -O csv
is "-r with -M" "$(totals "$DIR/out")" "$packets $bytes"
client -s -e -O csv
check "-e with -s: the last look" rows_are "$DIR/wanted"
prints "nothing after it" "" -s -O json
check "ends in time" daemon_end 5 INT
is "nothing was lost" "$STATUS" 0
check "the books balance, with what was cleared" balanced "$LOG"
test_end
