#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Random templates and random data, encoded by the tests, come back from nfacctd exactly: every field of every record by
# --decode, and the sums per key through a plugin. ROUNDS (2) of each with new seeds, besides one that is always the same.
. "$(dirname "$0")/../lib/netflow.sh"
test_begin
export NFACCTD=$SFACCTD PYTHONDONTWRITEBYTECODE=1

for what in decode rows; do
    for round in $(seq 0 "${ROUNDS:-2}"); do
        seed=1
        [ "$round" = 0 ] || seed=$((RANDOM * 32768 + RANDOM))
        messages=1000
        [ $what = decode ] || messages=300
        timeout 150 python3 "$TESTS/property/netflow.py" $what --seed $seed --messages $messages >"$DIR/result" 2>&1
        status=$?
        amount=$(sed -n 's/^\([0-9]* messages, [0-9]* r[a-z]*\).*/\1/p' "$DIR/result")
        check "$what, seed $seed: $amount" [ $status = 0 ] ||
            cut -c1-1000 "$DIR/result" | note
    done
done
test_end
