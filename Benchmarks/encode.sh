#!/usr/bin/env bash
# The wall time of `allophone encode` of a 10 s clip, from the start of the process to its end, caches warm: the median of
# RUNS (15) runs after two that warm up.
#
# MODEL names the model; without it one of the preset PRESET (alpha-24k-50hz) is made by a single training step, for the time
# does not depend on what the weights are. PRECISION (f32) is what native computes in. Ends with one line of JSON. There is no
# peer: `peer` is the second it may take.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

allophone=.build/release/allophone
preset=${PRESET:-alpha-24k-50hz}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# 10 s at 24 kHz, with its manifest, so that it serves as a dataset too.
python3 - "$folder" <<'PYTHON'
import array, json, math, sys, wave
rate, folder = 24000, sys.argv[1]
def sample(n):
    t = n / rate
    voice = sum(math.sin(2 * math.pi * 120 * k * t) / k for k in range(1, 9))
    return int(6000 * voice * math.sin(math.pi * 2 * t) ** 2)
with wave.open(f"{folder}/clip.wav", "wb") as file:
    file.setnchannels(1), file.setsampwidth(2), file.setframerate(rate)
    file.writeframes(array.array("h", map(sample, range(10 * rate))).tobytes())
with open(f"{folder}/manifest.jsonl", "w") as file:
    for split in ("train", "dev"):
        print(json.dumps({"path": "clip.wav", "seconds": 10, "split": split}), file=file)
PYTHON

model=${MODEL:-}
if [[ -z $model ]]; then
    echo "making a model of $preset" >&2
    printf '{"model": "%s", "steps": 1, "batchSize": 1, "clips": {"areWhole": true}, "evaluation": {"clips": 0}}' "$preset" >"$folder/recipe.json"
    "$allophone" train --config "$folder/recipe.json" --data "$folder" --run "$folder/run" 2>"$folder/log" ||
        { cat "$folder/log" >&2; exit 1; }
    model=$folder/run/model.safetensors
fi

python3 - "$allophone" "$folder/clip.wav" "$folder/clip.allo" "$model" "${PRECISION:-f32}" "${RUNS:-15}" <<'PYTHON'
import json, statistics, subprocess, sys, time
allophone, clip, tokens, model, precision, runs = sys.argv[1:]
def once():
    start = time.perf_counter()
    command = [allophone, "encode", clip, tokens, "--model", model, "--precision", precision]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
once(), once()
seconds = [once() for _ in range(int(runs))]
ours = statistics.median(seconds)
print(json.dumps({"benchmark": "bench-encode", "precision": precision, "ours": round(ours, 3), "peer": 1.0,
                  "ratio": round(1 / ours, 2), "fastest": round(min(seconds), 3), "slowest": round(max(seconds), 3)}))
PYTHON
