#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# All figures in one go; see run.py --help.
exec python3 "$(dirname "$0")/run.py" "$@"
