#!/usr/bin/env bash
# Synthetic English with the time of every phoneme: synthetic.sh OUTDIR
#
# espeak-ng speaks sentences of the Debian package fortunes in several voices. OUTDIR gets flac/** and manifest.jsonl, whose
# lines have `phones`: [IPA, start, end] in seconds. Level 1 can learn phonemes from it before it meets people.
#
#   MINUTES=60   how much speech, about
#   PYTHON=FILE  a Python 3.9 or newer that has numpy and soundfile (default /usr/bin/python3)
set -euo pipefail

say() { echo "corpus: $*" >&2; }
fail() { say "$*"; exit 1; }

[ $# -eq 1 ] || fail "usage: [MINUTES=60] $0 OUTDIR"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-/usr/bin/python3}
minutes=${MINUTES:-60}
mkdir -p "$1" || fail "cannot create $1"
out=$(cd "$1" && pwd)

recipe=$minutes-$(cat "$here"/synthetic.* | sha256sum | cut -c1-16)
if [ -f "$out/manifest.jsonl" ] && [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ]; then
    say "$out is up to date"
    exit 0
fi

tools=(espeak-ng)
"$python" -c 'import numpy, soundfile' 2>/dev/null || tools+=(python3-numpy python3-soundfile)
"$here/../setup/apt.sh" "${tools[@]}"

texts=$(mktemp -d)
trap 'rm -rf "$texts"' EXIT
(cd "$texts" && apt-get -o APT::Sandbox::User=root --quiet=2 download fortunes >/dev/null) ||
    fail "could not download the package fortunes; run 'apt-get update' and try again"
dpkg-deb --extract "$texts"/fortunes_*.deb "$texts/unpacked"

"$python" "$here/synthetic.py" --texts "$texts/unpacked/usr/share/games/fortunes" --minutes "$minutes" --out "$out"
echo "$recipe" >"$out/.recipe"
