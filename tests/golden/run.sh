#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The golden cases (TESTLIST); see golden.py. Output is TAP.
exec python3 "$(dirname "$0")/golden.py" "$@"
