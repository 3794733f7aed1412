#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs one test with an end: limit.sh SECONDS COMMAND...
#
# The test gets a session of its own, signals as they are by default, nothing on its standard input, and files for its outputs, so that a process it leaves behind can
# neither be overlooked nor keep the harness waiting on a pipe. A test that is still running at its limit, or at the end of the whole
# check ($TEST_DEADLINE, seconds since 1970), fails by name with a list of its processes; so does one that leaves processes running.
# $TEST_PROGRESS names a file that gets one line for every test that ended.
limit=$1
shift
name=
for word in "$@"; do name=$word; done
started=$(date +%s)
if [ -n "${TEST_DEADLINE:-}" ]; then
    left=$((TEST_DEADLINE - started))
    if [ "$left" -le 0 ]; then
        printf '1..1\nnot ok 1 - %s was not run: the time of the whole check is over\n' "$name"
        exit 1
    fi
    [ "$left" -lt "$limit" ] && limit=$left
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/flowledger-limit-XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
: >"$folder/out"
: >"$folder/errors"
setsid env --default-signal "$@" </dev/null >"$folder/out" 2>"$folder/errors" &
session=$!

ended() { ! kill -0 "$session" 2>/dev/null || grep -q '^State:.Z' "/proc/$session/status" 2>/dev/null; }
members() { ps -o pid=,stat=,args= --sid "$session" 2>/dev/null | grep -v '^ *[0-9]* Z'; }
end_members() {
    members | while read -r pid _; do kill -"$1" "$pid" 2>/dev/null; done
}

naps=0
reason=
until ended; do
    sleep 0.05
    naps=$((naps + 1))
    if [ $((naps % 20)) = 0 ] && [ $(($(date +%s) - started)) -ge "$limit" ]; then
        reason="still running after $limit s"
        break
    fi
done
left_over=$(members)
grace=60 # times 0.05 s: what was told to end may need a moment
while [ -z "$reason" ] && [ -n "$left_over" ] && [ "$grace" -gt 0 ]; do
    sleep 0.05
    grace=$((grace - 1))
    left_over=$(members)
done
if [ -n "$left_over" ]; then
    end_members TERM
    sleep 0.2
    end_members KILL
fi
wait "$session"
status=$?
cat "$folder/errors" >&2
cat "$folder/out"
[ -z "$reason" ] && [ -n "$left_over" ] && reason="left processes running"
if [ -n "$reason" ]; then
    printf 'not ok - %s %s\n' "$name" "$reason"
    printf '%s\n' "$left_over" | cut -c1-200 | sed 's/^/# /'
    [ "$status" != 0 ] || status=1
fi
[ -z "${TEST_PROGRESS:-}" ] || printf '%5d s  %5d ok  %3d not ok  %s\n' $(($(date +%s) - started)) "$(grep -c '^ok' "$folder/out")" \
    $(($(grep -c '^not ok' "$folder/out") + ${reason:+1}+0)) "${name##*/tests/}" >>"$TEST_PROGRESS"
exit "$status"
