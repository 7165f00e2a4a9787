#!/usr/bin/env bash
# Trains recipes/first.json for a few minutes on a small corpus, then puts speech through the model that it has not heard, of
# speakers it has not heard. Called by `make run`, which builds the program and the corpus first.
#
#   runs/first/   the training run and its model; remove it to train again
#   out/          what was made of the speech: tokens, sound files, pictures of their spectrograms
#
# A second call trains no more, and an interrupted one goes on where it stopped. MINUTES (5) bounds the training.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

allophone=.build/release/allophone
data=.corpus/small
run=runs/first
model=$run/model.safetensors
# After Ctrl-C the program saves and ends well, and nothing else should follow.
trap 'exit 130' INT TERM
heading() { printf '\n== %s\n' "$*"; }

heading "Training"
if [[ -f $run/.trained && -f $model ]]; then
    echo "$model is trained already; remove $run to train it again"
else
    "$allophone" train --config recipes/first.json --data "$data" --run "$run" --minutes "${MINUTES:-5}"
    touch "$run/.trained"
fi

# The dev split's speakers are not in the train split. The longest clip of up to 8 s, by name where several are.
clip=$data/$(python3 - "$data/manifest.jsonl" <<'PYTHON'
import json, sys
rows = map(json.loads, open(sys.argv[1], encoding="utf8"))
clips = [(-row["seconds"], row["path"]) for row in rows if row["split"] == "dev" and row["seconds"] <= 8]
print(min(clips)[1])
PYTHON
)

heading "One clip that the model has not heard: waveform, tokens, waveform"
mkdir -p out
"$allophone" encode "$clip" out/clip.allo --model "$model"
"$allophone" info out/clip.allo
"$allophone" decode out/clip.allo out/clip.wav --model "$model"

heading "Sixteen such clips"
"$allophone" evaluate --data "$data" --split dev --clips 16 --model "$model" --output out/held-out

heading "To hear and see"
"$allophone" evaluate "$clip" --model "$model" --output out >/dev/null
name=$(basename "${clip%.*}")
printf '%-36s %s\n' "out/$name.original.wav" "the clip" "out/clip.allo" "its tokens" "out/clip.wav" "the clip, from its tokens" \
    "out/$name.svg" "the spectrograms of both" "out/held-out/" "the same of the sixteen clips"
