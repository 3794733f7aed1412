#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who may ask the memory plugin: its owner; not another user, unless imt_group lets that user's group in.
. "$(dirname "$0")/../lib/common.sh"
test_begin
[ "$(id -u)" = 0 ] || skip "needs root"
command -v setpriv >/dev/null || skip "needs setpriv"
other=$(id -u nobody) && group=$(id -gn nobody) || skip "needs the user nobody"
python=/usr/bin/python3
[ -x $python ] || skip "needs $python"

# As another user: can it connect to the socket?
connects()
{
    setpriv --reuid="$other" --regid="$(id -g nobody)" --clear-groups timeout 5 $python -c '
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(sys.argv[1])' "$1" 2>/dev/null
}

live_configuration </dev/null
check "starts" daemon_start "$DIR/conf"
check "the owner is served" "$PMACCT" -s -p "$DIR/table.socket" -O csv >/dev/null
check "another user is not let in" eval '! connects "$DIR/table.socket"'
check "nor to the control socket" eval '! connects "$CONTROL"'
is "the socket is for its owner only" "$(stat -c %a "$DIR/table.socket" | cut -c2-)" 00
check "ends in time" daemon_end 5 INT

live_configuration <<END
imt_group[table]: $group
END
check "starts with imt_group" daemon_start "$DIR/conf"
check "a user of that group is let in" connects "$DIR/table.socket"
is "the world is not" "$(stat -c %a "$DIR/table.socket" | cut -c3)" 0
check "ends in time" daemon_end 5 INT
test_end
