#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Captures of real exporters, in the folder that FLOWLEDGER_CORPUS names, against the truth files beside them.
exec python3 "$(dirname "$0")/corpus.py" "$@"
