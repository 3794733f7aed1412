#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# pmacctd on a device, under load: kill -9 of the collector and of a plugin, SIGSTOP of a plugin. The others go on, and
# the books tell what is missing. Needs root, for namespaces of its own.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/devices.sh"
missing=$(devices_missing) && skip "$missing"
test_begin
devices_start 1 >"$DIR/devices.log" 2>&1 || skip "no veth devices here"

start()
{
    LOG=$DIR/log.$1
    packet_configuration <<END
pcap_interface: right1
END
    check "$1: the daemon starts" packets_start
}

start collector
load 10000
check "collector: frames come" wait_for 10 eval '[ "$(book input.frames_received)" -gt 10000 ]'
before=$(book collector_pid) plugin=$(book plugin:rows.pid) at=$(book input.frames_received)
kill -KILL "$before"
check "collector: back within two seconds" wait_for 2 eval \
    '[ "$(book collector_pid)" != "$before" ] && [ "$(book input.frames_received)" -gt '"$((at + 1000))"' ]'
load_end
sleep 1
is "collector: the plugin is the same process" "$(book plugin:rows.pid)" "$plugin"
check "collector: ends in time" daemon_end 10 TERM
check "collector: the books balance" balanced "$LOG"
is "collector: the rows have what the ledger says" "$(packets_in_rows)" \
    "$(final plugin:rows.plugin.packets_committed)"
is "collector: received = in the rows + counted as lost" \
    "$(final "$COMMITTED+$LOST+input.frames_lost_crash")" \
    "$(final input.frames_received)"
missing=$((SENT - $(final input.frames_received+input.frames_kernel_dropped)))
check "collector: at most two seconds of frames went by while there was none ($missing)" \
    [ $missing -ge 0 -a $missing -le 20000 ]

start plugin
load 10000
check "plugin: frames come" wait_for 10 eval '[ "$(book input.frames_received)" -gt 10000 ]'
before=$(book plugin:rows.pid) collector=$(book collector_pid)
kill -KILL "$before"
check "plugin: back within two seconds" wait_for 2 eval '[ "$(book plugin:rows.pid)" != "$before" ]'
load_end
check "plugin: the collector took every frame" taken "$SENT"
is "plugin: it is the same process" "$(book collector_pid)" "$collector"
check "plugin: ends in time" daemon_end 10 TERM
check "plugin: the books balance" balanced "$LOG"
is "plugin: sent = in the rows + counted as lost" \
    "$(($(packets_in_rows) + $(final plugin:rows.watch.records_lost_crash+input.frames_kernel_dropped)))" "$SENT"

start stopped
load 10000
plugin=$(book plugin:rows.pid)
kill -STOP "$plugin"
sleep 3
load_end
check "stopped: the collector took every frame all the same" taken "$SENT"
kill -CONT "$plugin"
check "stopped: ends in time" daemon_end 10 TERM
check "stopped: the books balance" balanced "$LOG"
dropped=$(final plugin:rows.emit.records_dropped_ring_full)
is "stopped: sent = in the rows + counted as dropped" \
    "$(($(packets_in_rows) + dropped + $(final input.frames_kernel_dropped)))" "$SENT"
is "stopped: the status tells whether records were dropped" "$STATUS" "$([ "$dropped" = 0 ] && echo 0 || echo 2)"
test_end
