#!/usr/bin/env bash
# Other voices of a corpus's recordings: [VARIANTS=1] voices.sh CORPUS OUTDIR
#
# Praat (the package praat-parselmouth of PyPI, in an environment of its own in OUTDIR) changes pitch, its range and formants of every
# clip of the train split, each by chance and apart from the others; the words keep their times. OUTDIR gets flac/** and
# manifest.jsonl with the fields of CORPUS's own and `voice`, the ratios.
#
#   VARIANTS=1     voices of each clip
#   PYTHON=python3 a Python 3.9 or newer with venv
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/common.sh"

[ $# -eq 2 ] || fail "usage: [VARIANTS=1] $0 CORPUS OUTDIR"
variants=${VARIANTS:-1}
[ -f "$1/manifest.jsonl" ] || fail "$1 has no manifest.jsonl; build a corpus there with $here/build.sh first"
corpus=$(cd "$1" && pwd)
mkdir -p "$2" || fail "cannot create $2"
out=$(cd "$2" && pwd)
[ "$corpus" != "$out" ] || fail "$2 is the corpus itself; name another folder"

recipe=$variants-$(cat "$corpus/manifest.jsonl" "$here"/voices.* | sha256sum | cut -c1-16)
if [ -f "$out/manifest.jsonl" ] && [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ]; then
    say "$out is up to date"
    exit 0
fi

python=$out/.python/bin/python
if ! "$python" -c 'import numpy, parselmouth, soundfile' 2>/dev/null; then
    "${PYTHON:-python3}" -m venv --clear "$out/.python" >/dev/null || fail "could not make $out/.python: apt-get install python3-venv"
    "$python" -m pip install --quiet --disable-pip-version-check --no-input praat-parselmouth==0.4.7 soundfile==0.13.1 numpy ||
        fail "pip could not install praat-parselmouth; check the network and run this again"
fi
rm -rf "$out/flac" "$out/manifest.jsonl"
"$python" "$here/voices.py" "$corpus" "$out" --variants "$variants"
cp -r "$corpus/licences" "$out" 2>/dev/null || true
echo "$recipe" >"$out/.recipe"
