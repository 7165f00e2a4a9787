#!/usr/bin/env bash
# Trains recipes/alpha-tiny.json on several seeds and checks that the game is stable: see gan.py.
#
#   Tools/checks/gan.sh [--steps 3000] [--seeds 0 1 2] [--data .corpus/small] [--runs runs/check-gan]
#
# A run that was stopped goes on from its newest checkpoint; a finished one is only checked. Runs of another number of steps stand
# beside it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec python3 "$here/gan.py" --program "${ALLOPHONE:-$here/../../.build/release/allophone}" "$@"
