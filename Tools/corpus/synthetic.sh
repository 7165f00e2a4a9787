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

say() { echo "corpus: $*" >&2; }
fail() { say "$*"; exit 1; }

[ $# -eq 1 ] || fail "usage: [LANGUAGES=en] [MINUTES=60] $0 OUTDIR"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
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
for package in $("$python" "$here/synthetic.py" --languages "${languages[@]}"); do
    (cd "$texts" && apt-get -o APT::Sandbox::User=root --quiet=2 download "$package" >/dev/null) ||
        fail "could not download the package $package; run 'apt-get update' and try again"
    dpkg-deb --extract "$texts/$package"_*.deb "$texts/unpacked"
    mv "$texts/unpacked/usr/share/games/fortunes" "$texts/$package"
done

"$python" "$here/synthetic.py" --texts "$texts" --minutes "$minutes" --languages "${languages[@]}" --out "$out"
echo "$recipe" >"$out/.recipe"
