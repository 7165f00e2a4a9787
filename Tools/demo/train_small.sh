#!/usr/bin/env bash
# Trains recipes/small.json on the core corpus for MINUTES (30), measures the model on speech of speakers it has not heard, and
# ends with the figures as a line of JSON. Called by `make train-small`, which builds the program and the corpus first.
#
# The run is runs/small. A second call measures again and trains no more; an interrupted one goes on where it stopped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

allophone=.build/release/allophone
data=.corpus/core
run=runs/small
model=$run/model.safetensors
# After Ctrl-C the program saves and ends well, and nothing else should follow.
trap 'exit 130' INT TERM

if [[ ! -f $run/.trained || ! -f $model ]]; then
    "$allophone" train --config recipes/small.json --data "$data" --run "$run" --minutes "${MINUTES:-30}"
    touch "$run/.trained"
fi
"$allophone" evaluate --data "$data" --split dev --clips "${CLIPS:-64}" --model "$model" --output out/small --json
