# SPDX-License-Identifier: BSD-2-Clause
# Functions that start a real sFlow exporter: Open vSwitch with its user space datapath inside network namespaces of our
# own, two hosts on it, traffic of several kinds between them. To be sourced by bash; needs root. Nothing outside the
# namespaces and the given folder is touched, and every process is ended by the id that it recorded.
#
#   exporter_missing            prints what is not there and returns 0, or returns 1 when all is there
#   exporter_start DIR NAME     namespaces NAME-switch, NAME-a (10.9.0.1, fd09::1) and NAME-b (10.9.0.2, fd09::2)
#   exporter_sflow TARGET SAMPLING POLLING      TARGET as seen from NAME-switch, e.g. 127.0.0.1:6343
#   exporter_traffic SECONDS    several TCP flows, UDP, ping, over IPv4 and IPv6
#   exporter_stop

exporter_missing()
{
    local tool missing=""

    [ "$(id -u)" = 0 ] || missing="root"
    for tool in ovs-vsctl ovs-vswitchd ovsdb-server ovsdb-tool ip ethtool python3 curl; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -n "$missing" ] || ip netns list >/dev/null 2>&1 || missing="network namespaces"
    [ -n "$missing" ] && echo "needs: $missing"
}

exporter_start()
{
    local host

    exporter_dir=$1 exporter_name=$2 exporter_jobs=""
    mkdir -p "$exporter_dir"
    export OVS_RUNDIR=$exporter_dir OVS_LOGDIR=$exporter_dir OVS_DBDIR=$exporter_dir OVS_SYSCONFDIR=$exporter_dir
    ip netns add "$exporter_name-switch" || return 1
    ip -n "$exporter_name-switch" link set lo up
    for host in a b; do
        ip netns add "$exporter_name-$host"
        ip link add "port-$host" netns "$exporter_name-switch" type veth peer name eth0 netns "$exporter_name-$host"
        ip -n "$exporter_name-switch" link set "port-$host" up
        ip -n "$exporter_name-$host" link set lo up
        ip -n "$exporter_name-$host" link set eth0 up
        # The user space datapath hands packets on as they are: checksums must be done before.
        ip netns exec "$exporter_name-$host" ethtool -K eth0 tx off >/dev/null 2>&1
    done
    ip -n "$exporter_name-a" addr add 10.9.0.1/24 dev eth0
    ip -n "$exporter_name-b" addr add 10.9.0.2/24 dev eth0
    ip -n "$exporter_name-a" addr add fd09::1/64 dev eth0 nodad
    ip -n "$exporter_name-b" addr add fd09::2/64 dev eth0 nodad

    timeout 20 ovsdb-tool create "$exporter_dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema || return 1
    timeout 20 ip netns exec "$exporter_name-switch" ovsdb-server "$exporter_dir/conf.db" \
        --remote="punix:$exporter_dir/db.sock" --pidfile="$exporter_dir/db.pid" --detach --no-chdir \
        --log-file="$exporter_dir/db.log" -vconsole:off || return 1
    exporter_control --no-wait init || return 1
    timeout 20 ip netns exec "$exporter_name-switch" ovs-vswitchd "unix:$exporter_dir/db.sock" \
        --pidfile="$exporter_dir/vs.pid" --detach --no-chdir --log-file="$exporter_dir/vs.log" -vconsole:off \
        --disable-system --disable-system-route || return 1
    exporter_control add-br br0 -- set bridge br0 datapath_type=netdev -- \
        add-port br0 port-a -- add-port br0 port-b || return 1
}

exporter_control()
{
    timeout 20 ip netns exec "$exporter_name-switch" ovs-vsctl --db="unix:$exporter_dir/db.sock" -t 10 "$@"
}

exporter_sflow()
{
    exporter_control -- --id=@s create sflow agent=lo "target=\"$1\"" header=128 "sampling=$2" "polling=$3" \
        -- set bridge br0 sflow=@s >/dev/null
}

# A process in a host's namespace that lives until exporter_stop.
exporter_run()
{
    local host=$1

    shift
    ip netns exec "$exporter_name-$host" "$@" >/dev/null 2>&1 &
    exporter_jobs="$exporter_jobs $!"
}

exporter_traffic()
{
    local seconds=$1 end round=0 site="$exporter_dir/site"
    local a="timeout 20 ip netns exec $exporter_name-a" b="timeout 20 ip netns exec $exporter_name-b"

    mkdir -p "$site"
    head -c 120000 /dev/urandom >"$site/large"
    head -c 3000 /dev/urandom >"$site/small"
    exporter_run b python3 -m http.server --directory "$site" --bind 10.9.0.2 8080
    exporter_run b python3 -m http.server --directory "$site" --bind fd09::2 8081
    exporter_run a python3 -m http.server --directory "$site" --bind 10.9.0.1 8000
    sleep 1
    end=$((SECONDS + seconds))
    while [ $SECONDS -lt $end ]; do
        round=$((round + 1))
        $a curl -s -o /dev/null "http://10.9.0.2:8080/large"
        $a curl -s -o /dev/null "http://[fd09::2]:8081/large"
        $b curl -s -o /dev/null "http://10.9.0.1:8000/small"
        $a python3 -c '
import socket
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
four.bind(("10.9.0.1", 40053))
six.bind(("fd09::1", 40053))
for i in range(60):
    four.sendto(bytes(400), ("10.9.0.2", 5353))
    six.sendto(bytes(900), ("fd09::2", 5354))
echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
echo_six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
for i in range(16):
    # type 8, identifier 1, sequence i, no data: the checksum is easy; over IPv6 (type 128) the kernel makes it
    echo.sendto(bytes([8, 0, 0xf7, 0xfe - i, 0, 1, 0, i]), ("10.9.0.2", 0))
    echo_six.sendto(bytes([128, 0, 0, 0, 0, 1, 0, i]), ("fd09::2", 0))
'
        sleep 1
    done
    echo "$round rounds of traffic"
}

exporter_stop()
{
    local id file space

    for id in $exporter_jobs; do
        kill "$id" 2>/dev/null
    done
    for file in vs db; do
        [ -s "$exporter_dir/$file.pid" ] && kill "$(cat "$exporter_dir/$file.pid")" 2>/dev/null
    done
    wait $exporter_jobs 2>/dev/null
    for space in switch a b; do
        ip netns delete "$exporter_name-$space" 2>/dev/null
    done
    exporter_jobs=""
}
