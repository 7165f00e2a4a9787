#!/usr/bin/env bash
# Puts an hour of speech through a model and checks that memory, length and tokens do not mind: see long_audio.py.
#
#   Tools/checks/long_audio.sh MODEL [SECONDS]
set -euo pipefail
model=${1:?usage: $0 MODEL [SECONDS]}
here=$(dirname "${BASH_SOURCE[0]}")
exec python3 "$here/long_audio.py" --program "${ALLOPHONE:-$here/../../.build/release/allophone}" "$model" ${2:+--seconds "$2"}
