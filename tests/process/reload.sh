#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Maps are read again while records go through them: by `pmacct reload`, which tells how many and waits for it, and by
# SIGUSR2. Each generation of the maps gives a tag, an AS, an interface name, a country and a port of its own, so that
# every row shows which maps its records have met: all of one generation, for they are swapped together. Nothing is
# lost. What cannot be read leaves the old one in force and is told by file and line. Then the same of pmacctd, on a
# capture without end. $RELOADS: how often.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
RELOADS=${RELOADS:-200} generation=0 keep_country=""

# country FILE CODE: a database that says it of our networks
country()
{
    printf '{"network": "%s", "data": {"country": {"iso_code": "'"$2"'"}}}\n' 10.0.0.0/8 192.0.2.0/24 |
        python3 "$TESTS/lib/make_mmdb.py" json "$1"
}
country "$DIR/country.0" CH && country "$DIR/country.1" JP || skip "no database could be made"

# put NAME LINE...: that file has these lines now
put()
{
    local name=$1

    shift
    printf '%s\n' "$@" >"$DIR/$name"
}

# A database is mapped into memory: only a rename may replace it.
put_country()
{
    cp "$DIR/country.$((generation % 2))" "$DIR/country.new"
    mv "$DIR/country.new" "$DIR/country"
}

# The next generation of all files; $tag_key says which records are tagged: all of them.
next_generation()
{
    generation=$((generation + 1))
    put tags "set_tag=$generation $tag_key"
    put networks $((100000 + generation)),10.0.0.0/8 $((100000 + generation)),192.0.2.0/24
    put ports $((1030 + generation % 7))
    [ "$keep_country" ] || put_country
    [ "$maps" -gt 4 ] || return 0
    put allow "! $generation" 127.0.2.0/24
    put sampling "id=3 ip=127.0.2.0/24"
    put names "index=7 name=if-$generation"
}

reload()
{
    timeout 30 "$PMACCT" reload -p "$CONTROL" >"$DIR/told" 2>"$DIR/told.errors"
}

# reload_often N: that many times, each a new generation of all maps
reload_often()
{
    local failed=0

    for _ in $(seq "$1"); do
        next_generation
        reload && [ "$(cat "$DIR/told")" = "$maps of $maps maps read again" ] && continue
        failed=$((failed + 1))
        cat "$DIR/told" "$DIR/told.errors" | note
    done
    is "$daemon: $1 reloads under load, each of $maps maps" "$failed" 0
}

# Columns of a CSV file, as words.
columns()
{
    python3 - "$@" <<'END'
import csv, sys

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):
        print(*(row[column] for column in sys.argv[2:]))
END
}

# mixed COLUMN...: rows whose tag, AS, country and name are not of one generation, or of one that never was
mixed()
{
    columns "$ROWS" "$@" | awk -v last=$generation '
        $1 < 1 || $1 > last || $2 != 100000 + $1 || $3 != ($1 % 2 ? "JP" : "CH") || NF > 3 && $4 != "if-" $1
        END { if (NR < last / 2) print "only " NR " rows for " last " generations" }'
}

# Rows whose port is not 0, and not of the list that was in force with the tag.
mixed_ports()
{
    columns "$DIR/ports.csv" TAG SRC_PORT | awk '$2 != 0 && $2 != 1030 + $1 % 7 { print } $2 != 0 { some = 1 }
                                                 END { if (!some) print "no port" }'
}

# refused NAME FILE WORDS: that file is broken and told of with these words; the others are read
refused()
{
    local before=$(book input.maps_refused)

    reload
    is "$1: status of the client" $? 1
    is "$1: the others are read" "$(cat "$DIR/told")" "$((maps - 1)) of $maps maps read again"
    check "$1: the client is told" grep -q "^1 refused, the old ones stay: see the log" "$DIR/told.errors"
    check "$1: the log tells where" grep -qF "$DIR/$2$3" "$LOG"
    check "$1: and that the old one stays" grep -q "$DIR/$2.* Rolling back old map\.$" "$LOG"
    is "$1: it is counted" "$(book input.maps_refused)" $((before + 1))
}

# configuration LINE...: the maps, and rows by what they give
configuration()
{
    ROWS=$DIR/rows.csv
    rm -f "$ROWS" "$DIR/ports.csv"
    cat >"$DIR/conf" <<END
daemonize: false
control_path: $CONTROL
pre_tag_map: $DIR/tags
networks_file: $DIR/networks
${daemon}_as: file
ports_file: $DIR/ports
geoipv2_file: $DIR/country
plugins: print[rows], print[ports]
aggregate[ports]: tag, src_port
print_output: csv
print_output_file[rows]: $ROWS
print_output_file[ports]: $DIR/ports.csv
print_refresh_time: 3600
END
    printf '%s\n' "$@" >>"$DIR/conf"
}

# -- nfacctd: twenty records in a datagram, from three exporters that may send and from one that may not --

cat >"$DIR/sender.py" <<'END'
import signal, socket, sys, time
from netflow_writer import Template, data, templates9, version9

template = Template(256, [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (10, 4), (2, 4), (1, 4)])
records = [(f"10.0.{n}.1", "192.0.2.7", 1024 + n, 53, 17, 7, 1, 100) for n in range(20)]
sets = templates9(template), data(template, *records)
stopped, sockets = [], []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
for source in ("127.0.2.1", "127.0.2.2", "127.0.2.3", "127.0.3.1"):
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sockets[-1].bind((source, 0))
begun, sent = time.monotonic(), 0
while not stopped:
    for one in sockets * 5:
        one.sendto(version9(*sets, sequence=sent // 4 + 1), ("127.0.0.1", int(sys.argv[1])))
        sent += 1
    time.sleep(max(0, begun + sent / 2000 - time.monotonic()))
print(sent)
END

load()
{
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$TESTS/data timeout 100 python3 "$DIR/sender.py" "$PORT" >"$DIR/sent" &
    sender=$!
    record_process $sender
}

load_end()
{
    kill -TERM $sender
    wait $sender
    sent=$(cat "$DIR/sent")
}

# The last words of a run under load.
nothing_lost()
{
    local decoded=$(final input.records_decoded)

    is "$1: received, or dropped by the kernel" "$(final input.datagrams_received+input.datagrams_kernel_dropped)" \
        "$sent"
    is "$1: each datagram that may come in has its records" "$decoded" \
        $((($(final input.datagrams_received) - $(final input.datagrams_denied)) * 20))
    check "$1: some may not" [ "$(final input.datagrams_denied)" -gt 0 ]
    is "$1: rows of the first plugin, at the rate of the map" "$(totals "$ROWS")" "$((decoded * 3)) $((decoded * 300))"
    is "$1: and of the second" "$(totals "$DIR/ports.csv")" "$((decoded * 3)) $((decoded * 300))"
    check "$1: the books balance" balanced "$LOG"
}

daemon=nfacctd maps=7 tag_key="ip=127.0.2.0/24" PORT=$(free_port)
maps_of_nfacctd=("nfacctd_ip: 127.0.0.1" "nfacctd_port: $PORT" "nfacctd_pipe_size: 4194304" "nfacctd_renormalize: true"
    "aggregate[rows]: tag, src_as, src_host_country, in_iface_name" "nfacctd_allow_file: $DIR/allow"
    "sampling_map: $DIR/sampling" "interface_names_map: $DIR/names")
configuration "${maps_of_nfacctd[@]}"
next_generation
check "nfacctd: starts with all kinds of maps" daemon_start "$DIR/conf"
check "nfacctd: says how many entries one has" \
    grep -qF "[$DIR/ports] map successfully (re)loaded with 1 entries." "$LOG"
load
reload_often "$RELOADS"
next_generation
loaded=$(book input.maps_loaded)
kill -USR2 "$DAEMON"
check "SIGUSR2 reads them all" wait_for 10 book_is input.maps_loaded $((loaded + maps))
check "nfacctd: records of the last generation" eval 'before=$(book input.records_decoded)
    wait_for 10 eval "[ \$(book input.records_decoded) -gt $before ]"'
load_end
check "nfacctd: all has arrived" wait_for 10 all_arrived "$sent"
check "nfacctd: ends in time" daemon_end 10 TERM
is "nfacctd: status" "$STATUS" 0
is "nfacctd: every row is of one generation" "$(mixed TAG SRC_AS SH_COUNTRY IN_IFACE_NAME)" ""
is "nfacctd: so are the ports" "$(mixed_ports)" ""
check "nfacctd: the last generation has rows" eval 'columns "$ROWS" TAG | grep -qx $generation'
nothing_lost nfacctd

# -- what is broken --

generation=0 LOG=$DIR/log.broken
configuration "${maps_of_nfacctd[@]}"
next_generation
daemon_start "$DIR/conf"
load
put tags "! one" "set_tag=9 ipp=127.0.2.0/24"
refused "a tagging map with an unknown key" tags ":2: unknown key 'ipp', did you mean 'ip'?"
put tags "set_tag=1 $tag_key"
put networks 100001,10.0.0.0/8 100001,192.0.2.0/33
refused "a network that is none" networks ":2: "
put networks 100001,10.0.0.0/8 100001,192.0.2.0/24
put ports 1031 "" 65536
refused "a port that is none" ports ":3: "
put ports 1031
put allow 127.0.2.0/24 localhost
refused "an allow file with a name" allow ":2: "
put allow 127.0.2.0/24
put sampling id=3
refused "a sampling map without ip" sampling ":1: "
rm "$DIR/sampling"
refused "a map that is gone" sampling ""
put sampling "id=3 ip=127.0.2.0/24"
head -c 3000 /dev/urandom >"$DIR/names"
refused "a map of random octets" names ":1: "
put names "index=7 name=if-1"
sleep 1 # the collector's own first look at the database, a second after its start, is over
head -c 200 "$DIR/country.0" >"$DIR/country.new"
mv "$DIR/country.new" "$DIR/country"
refused "a database that was cut" country ""
put_country
reload
is "all is well again" "$? $(cat "$DIR/told")" "0 $maps of $maps maps read again"
before=$(book collector_pid)
load_end
check "broken: all has arrived" wait_for 10 all_arrived "$sent"
is "broken: no collector had to be started again" "$(book collector_restarts) $(book collector_pid)" "0 $before"
check "broken: ends in time" daemon_end 10 TERM
is "broken: all rows are of the old maps, one" "$(columns "$ROWS" TAG SRC_AS SH_COUNTRY IN_IFACE_NAME)" \
    "1 100001 JP if-1"
nothing_lost broken

# -- who may, and what may --

generation=0 LOG=$DIR/log.fixed
configuration "${maps_of_nfacctd[@]}" "maps_refresh: false" "imt_group: $(id -gn nobody 2>/dev/null || id -gn)"
next_generation
daemon_start "$DIR/conf"
keep_country=1 # a database that is another one would be read again by itself, whatever maps_refresh says
next_generation
keep_country=""
reload
is "maps_refresh: false: the allow file alone is read" "$? $(cat "$DIR/told")" "0 1 of 1 maps read again"
load
kill -USR2 "$DAEMON"
check "so it is at SIGUSR2" wait_for 10 eval \
    '[ "$(grep -cF "[$DIR/allow] map successfully (re)loaded" "$LOG")" = 3 ]'
check "records are decoded" wait_for 10 eval '[ "$(book input.records_decoded)" -gt 1000 ]'
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && other=$(id -u nobody); then
    cp "$PMACCT" "$DIR/pmacct" # the build folder may be closed to others
    chmod 755 "$DIR/pmacct"
    loaded=$(book input.maps_loaded)
    stranger="setpriv --reuid=$other --regid=$(id -g nobody) --clear-groups timeout 20 $DIR/pmacct"
    check "a user who may read is not let reload" eval '! $stranger reload -p "$CONTROL" 2>"$DIR/told.errors"'
    check "and is told who may" grep -q "only the user that nfacctd runs as, and root" "$DIR/told.errors"
    chmod 777 "$CONTROL"
    stranger="setpriv --reuid=$other --regid=1 --clear-groups timeout 20 $DIR/pmacct"
    check "another is not let in at all" eval '! $stranger reload -p "$CONTROL" 2>"$DIR/told.errors"'
    check "and is told that" grep -q "not permitted" "$DIR/told.errors"
    is "nothing was read" "$(book input.maps_loaded)" "$loaded"
fi
load_end
check "maps_refresh: false: ends in time" daemon_end 10 TERM
is "maps_refresh: false: all rows are of the first maps" \
    "$(columns "$ROWS" TAG SRC_AS SH_COUNTRY IN_IFACE_NAME)" "1 100001 JP if-1"
check "maps_refresh: false: the books balance" balanced "$LOG"
cat >"$DIR/conf" <<END
daemonize: false
control_path: $CONTROL
nfacctd_ip: 127.0.0.1
nfacctd_port: $PORT
plugins: memory
imt_path: $DIR/table.socket
END
daemon_start "$DIR/conf"
reload
is "a daemon without maps says so" "$? $(cat "$DIR/told")" "0 no maps: nothing to read again"
check "and ends in time" daemon_end 10 TERM
reload
is "no daemon, no reload" $? 1

# -- pmacctd --

SFACCTD=$BUILD/pmacctd LOG=$DIR/log.pmacctd daemon=pmacctd maps=4 generation=0
tag_key="filter='ip and udp'"
if [ -x "$SFACCTD" ]; then
    python3 "$TESTS/lib/frames.py" write "$DIR/input.pcap" --kind udp --conversations 500 --packets 20
    configuration "aggregate[rows]: tag, src_as, src_host_country" "pcap_savefile: $DIR/input.pcap" \
        "pcap_savefile_replay: 0"
    next_generation
    check "pmacctd: starts on a capture without end" daemon_start "$DIR/conf"
    check "pmacctd: it is read" wait_for 10 eval '[ "$(book input.frames_received)" -gt 10000 ]'
    reload_often $(((RELOADS + 4) / 5))
    put tags set_tag=1 "set_tag=2 filter='udp ort 53'"
    refused "pmacctd, a filter that is none" tags ":2: "
    check "pmacctd: ends in time" daemon_end 10 TERM
    is "pmacctd: status" "$STATUS" 0
    is "pmacctd: every row is of one generation" "$(mixed TAG SRC_AS SH_COUNTRY)" ""
    is "pmacctd: so are the ports" "$(mixed_ports)" ""
    is "pmacctd: every frame is in the rows" "$(totals "$ROWS" | cut -d' ' -f1)" "$(final input.frames_received)"
    is "pmacctd: of both plugins" "$(totals "$DIR/ports.csv")" "$(totals "$ROWS")"
    check "pmacctd: the books balance" balanced "$LOG"
fi
test_end
