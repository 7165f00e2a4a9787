#!/usr/bin/env bash
# Synthetic speech with the time of every phoneme: synthetic.sh OUTDIR
#
# espeak-ng speaks sentences of Debian's packages of fortunes in several voices. OUTDIR gets flac/** and manifest.jsonl, whose
# lines have `phones`: [IPA, start, end] in seconds. Level 1 can learn phonemes from it before it meets people.
#
#   LANGUAGES=en  of bg cs de en es it pl pt ru
#   MINUTES=60    how much speech of each, about
#   PYTHON=FILE   a Python 3.9 or newer that has numpy and soundfile (default /usr/bin/python3)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/common.sh"

[ $# -eq 1 ] || fail "usage: [LANGUAGES=en] [MINUTES=60] $0 OUTDIR"
python=${PYTHON:-/usr/bin/python3}
minutes=${MINUTES:-60}
read -ra languages <<<"${LANGUAGES:-en}"
mkdir -p "$1" || fail "cannot create $1"
out=$(cd "$1" && pwd)

recipe=${languages[*]}-$minutes-$(cat "$here"/synthetic.* | sha256sum | cut -c1-16)
if [ -f "$out/manifest.jsonl" ] && [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ]; then
    say "$out is up to date"
    exit 0
fi

tools=(espeak-ng)
"$python" -c 'import numpy, soundfile' 2>/dev/null || tools+=(python3-numpy python3-soundfile)
"$here/../setup/apt.sh" "${tools[@]}"

texts=$(mktemp -d)
trap 'rm -rf "$texts"' EXIT
read -ra packages <<<"$("$python" "$here/synthetic.py" --languages "${languages[@]}")"
fortunes "$texts" "${packages[@]}"

"$python" "$here/synthetic.py" --texts "$texts" --minutes "$minutes" --languages "${languages[@]}" --out "$out"
echo "$recipe" >"$out/.recipe"
