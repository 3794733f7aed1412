#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Captures of exporters and of packets, in the folder FLOWLEDGER_CORPUS, against the truth files beside them.
exec python3 "$(dirname "$0")/corpus.py" "$@"
