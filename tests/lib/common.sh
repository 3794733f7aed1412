# SPDX-License-Identifier: BSD-2-Clause
# What the process and peer tests share. To be sourced by bash. Every wait has a deadline, every process is ended by the id
# that was recorded when it was started, every port is a free one of the loopback address.
#
#   test_begin            makes $DIR; skips all when the programs are not built
#   skip REASON           ends the test as skipped
#   check NAME COMMAND..  one assertion: the command succeeds;   is NAME GOT WANT: two texts are the same
#   wait_for SECONDS COMMAND...   until the command succeeds; 1 at the deadline
#   free_port             prints a port that nobody has, for UDP and TCP;   free_ports N: as many different ones
#   tool NAME             prints the path of generate, compare_rows, measure or replay, built now if need be
#   daemon_start CONF     starts sfacctd and waits for its control socket ($CONTROL); sets $DAEMON. $DAEMON_PREFIX are words
#                         before the program, such as "ip netns exec NAME"
#   daemon_end SECONDS [SIGNAL]   sends the signal if one is named, waits for the end; sets $STATUS
#   live_configuration <<END   a configuration that listens
#   book EXPRESSION...    values of the running ledger;   final EXPRESSION...: of the last one in the log ($LOG)
#   test_end              prints the plan; the status of the script

set -u
exec 3>&1 # what is said to the harness, also where a command's output goes to a file
export LC_ALL=C TZ=UTC
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export BUILD=$(cd "${BUILD:-.}" && pwd)
SFACCTD=${SFACCTD:-$BUILD/sfacctd}
export PMACCT=${PMACCT:-$BUILD/pmacct}
test_number=0 test_failed=0 test_processes="" DAEMON="" STATUS=""

skip()
{
    echo "1..0 # SKIP $*"
    exit 0
}

test_begin()
{
    local program

    for program in "$SFACCTD" "$PMACCT"; do
        [ -x "$program" ] || skip "$program is not built"
    done
    command -v python3 >/dev/null || skip "needs python3"
    DIR=$(mktemp -d "${TMPDIR:-/tmp}/flowledger-test-XXXXXX")
    chmod 755 "$DIR"
    LOG=$DIR/log CONTROL=$DIR/control
    trap test_cleanup EXIT
    trap 'exit 1' INT TERM
}

# A process to be ended with the test, should it still be there.
record_process()
{
    test_processes="$test_processes $1"
}

test_cleanup()
{
    local id

    # A child that is signalled before it has become its program runs the traps, too; nothing here is its own.
    [ "$BASHPID" = $$ ] || return 0
    for id in $test_processes; do
        kill -CONT "$id" 2>/dev/null
        kill -TERM "$id" 2>/dev/null
    done
    for id in $test_processes; do
        wait_for 5 gone "$id" || kill -KILL "$id" 2>/dev/null
    done
    [ -n "${KEEP:-}" ] || rm -rf "$DIR"
}

gone()
{
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

wait_for()
{
    local end=$(($(date +%s%N) + $1 * 1000000000))

    shift
    until "$@"; do
        [ "$(date +%s%N)" -lt "$end" ] || return 1
        sleep 0.05
    done
}

check()
{
    local name=$1

    shift
    test_number=$((test_number + 1))
    if "$@"; then
        echo "ok $test_number - $name" >&3
    else
        echo "not ok $test_number - $name" >&3
        test_failed=1
        return 1
    fi
}

is()
{
    check "$1" [ "$2" = "$3" ] || echo "#   got '$2', expected '$3'" >&3
}

note()
{
    sed 's/^/# /' >&3
}

test_end()
{
    if [ $test_failed != 0 ] && [ -s "$LOG" ]; then
        tail -20 "$LOG" | note
    fi
    echo "1..$test_number"
    exit $test_failed
}

free_port()
{
    free_ports 1
}

# Different ones, free for UDP and TCP. Below those that the kernel gives to sockets without a wish: between here and the start
# of a daemon it would give them to somebody else.
free_ports()
{
    python3 - "$1" <<'END'
import random, socket, sys

with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
    low = int(file.read().split()[0])
chosen, held = [], []
while len(chosen) < int(sys.argv[1]):
    port = random.randrange(10000, low if low > 11000 else 60000)
    pair = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
    try:
        for one in pair:
            one.bind(("127.0.0.1", port))
    except OSError:
        continue
    held += pair  # open until all are chosen
    chosen.append(str(port))
print(*chosen)
END
}

tool()
{
    local name=$1 source folder libraries=""

    case $name in
    replay) source=$TESTS/lib/replay.c libraries=-lpcap folder=lib ;;
    generate) source=$TESTS/bench/generate.c libraries=-lm folder=bench ;;
    *) source=$TESTS/bench/$name.c folder=bench ;;
    esac
    for folder in "$BUILD/tests/$folder" "${TMPDIR:-/tmp}/flowledger-tools-$(id -u)"; do
        if [ -x "$folder/$name" ] && [ ! "$source" -nt "$folder/$name" ]; then
            echo "$folder/$name"
            return 0
        fi
    done
    mkdir -p "$folder"
    "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -o "$folder/$name.$$" "$source" $libraries >&2 || return 1
    mv "$folder/$name.$$" "$folder/$name"
    echo "$folder/$name"
}

book()
{
    python3 "$TESTS/lib/ledger.py" get "$CONTROL" "$@"
}

final()
{
    python3 "$TESTS/lib/ledger.py" get "$LOG" "$@"
}

balanced()
{
    python3 "$TESTS/lib/ledger.py" imbalance "$1" >"$DIR/imbalance" || {
        note <"$DIR/imbalance"
        return 1
    }
}

# book_is EXPRESSION VALUE: for wait_for
book_is()
{
    [ "$(book "$1")" = "$2" ]
}

book_answers()
{
    [ "$(book input.datagrams_received)" != "-" ]
}

daemon_start()
{
    rm -f "$CONTROL"
    ${DAEMON_PREFIX:-} "$SFACCTD" -f "$1" >>"$LOG" 2>&1 </dev/null &
    DAEMON=$!
    record_process $DAEMON
    wait_for 10 eval 'book_answers || gone $DAEMON'
    ! gone $DAEMON
}

daemon_end()
{
    local on_time=0

    [ $# -lt 2 ] || kill "-$2" "$DAEMON" 2>/dev/null
    wait_for "$1" gone "$DAEMON" || { on_time=1; kill -KILL "$DAEMON" 2>/dev/null; }
    wait "$DAEMON" 2>/dev/null
    STATUS=$?
    return $on_time
}

# A configuration with a memory plugin "table" and a print plugin "rows" (into $ROWS) that listens on a free port; what
# is given on standard input is added to it. Sets $PORT.
live_configuration()
{
    local daemon=${SFACCTD##*/}

    PORT=$(free_port) ROWS=$DIR/rows.csv
    cat >"$DIR/conf" <<END
daemonize: false
${daemon}_ip: 127.0.0.1
${daemon}_port: $PORT
${daemon}_pipe_size: 4194304
control_path: $CONTROL
plugins: memory[table], print[rows]
aggregate[table]: src_host, dst_host, src_port, dst_port, proto
imt_path[table]: $DIR/table.socket
aggregate[rows]: src_host, dst_host, src_port, dst_port, proto
print_output[rows]: csv
print_output_file[rows]: $ROWS
print_refresh_time[rows]: 3600
END
    cat >>"$DIR/conf"
}

# Everything that was sent has been received, or counted as dropped by the kernel. The kernel tells of drops with the next
# datagram, so this may stay false on a socket that has gone quiet.
all_arrived()
{
    book_is input.datagrams_received+input.datagrams_kernel_dropped "$1"
}

# plugin_idle NAME: it has read what was emitted to it
plugin_idle()
{
    local emitted read

    { read -r emitted && read -r read; } <<END
$(book "plugin:$1.emit.records_emitted" "plugin:$1.plugin.records_read+plugin:$1.watch.records_lost_crash")
END
    [ "$emitted" = "$read" ] || [ "$(book "plugin:$1.plugin.records_read")" = "$emitted" ]
}

# The rows of a CSV file added up: "packets bytes".
totals()
{
    awk -F, 'FNR == 1 { for (i = 1; i <= NF; i++) { if ($i == "PACKETS") p = i; if ($i == "BYTES") b = i }; next }
             NF > 1 { packets += $p; bytes += $b } END { printf "%d %d\n", packets, bytes }' "$@"
}

# What tshark reads in a capture of sFlow on a port: "samples bytes", of flow samples with a raw header.
witness_sums()
{
    timeout 60 tshark -r "$1" -d "udp.port==$2,sflow" -T fields -e sflow_245.header.frame_length 2>/dev/null | tr ',' '\n' |
        awk 'NF { samples++; bytes += $1 } END { printf "%d %d\n", samples, bytes }'
}

# How many datagrams or samples a generator's report tells: sent FILE flow_samples
sent()
{
    sed -n "s/.*$2=\([0-9]*\).*/\1/p" "$1"
}
