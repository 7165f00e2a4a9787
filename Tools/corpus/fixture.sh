#!/usr/bin/env bash
# Recreates Tests/Fixtures/speech: the first phrase of sentence ru_0004 of the Debian package festvox-ru, 2 s at 16 kHz,
# cut in the pauses around it. Needs what build.sh needs.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../Tests/Fixtures/speech" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root --quiet=2 download festvox-ru
dpkg-deb --extract festvox-ru_*.deb package
"${PYTHON:-/usr/bin/python3}" - package/usr/share/festival/voices/russian/msu_ru_nsh_clunits/wav/ru_0004.wav \
    "$folder/festvox-ru-sample.flac" <<'PYTHON'
import sys
import soundfile

source, destination = sys.argv[1:]
samples, rate = soundfile.read(source, dtype="int16", start=int(0.33 * 16000), stop=int(2.37 * 16000))
assert rate == 16000 and samples.ndim == 1
soundfile.write(destination, samples, rate, subtype="PCM_16")
PYTHON
{
    cat <<'TEXT'
festvox-ru-sample.flac comes from the Debian package festvox-ru ("Russian language support for Festival project",
http://sourceforge.net/projects/festlang.berlios). It is a modified version: seconds 0.33 to 2.37 of wav/ru_0004.wav,
re-encoded as FLAC without loss. The speaker says "Окна многоэтажных домов". The package's notice for it follows.

TEXT
    sed -n '/^Files: \*$/,/^$/{/^Files: /d;p}' package/usr/share/doc/festvox-ru/copyright
} >"$folder/LICENSE"
