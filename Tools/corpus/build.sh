#!/usr/bin/env bash
# Builds a corpus of real human speech from Debian (or Ubuntu) packages: build.sh OUTDIR
#
# The packages are fetched by name and unpacked; none is installed. OUTDIR gets flac/**, manifest.jsonl (README.md
# beside this script describes its fields) and licences/ with each package's copyright file.
#
#   MODE=small   about half an hour of speech, quick enough for a first run
#   MODE=core    about two hours (the default)
#   MODE=full    everything usable, about eight hours
#   CACHE=DIR    keep the downloaded packages there (otherwise they are deleted after a successful build)
#   PYTHON=FILE  a Python 3.9 or newer that has numpy and soundfile (default /usr/bin/python3)
#
# A second call with the same recipe does nothing; an interrupted one goes on where it stopped.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/common.sh"

[ $# -eq 1 ] || fail "usage: [MODE=small|core|full] $0 OUTDIR"
mode=${MODE:-core}
python=${PYTHON:-/usr/bin/python3}
mkdir -p "$1" || fail "cannot create $1"
out=$(cd "$1" && pwd)
cache=${CACHE:-$out/.cache}

case $mode in small | core | full) ;; *) fail "unknown MODE '$mode': use small, core or full" ;; esac

recipe=$mode-$(cat "$here"/build.sh "$here"/{audio,build,recipes,sources}.py | sha256sum | cut -c1-16)
up_to_date() { [ -f "$out/manifest.jsonl" ] && [ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ]; }
if up_to_date; then
    say "$out is up to date ($mode)"
    exit 0
fi

exec 9>"$out/.lock"
flock --nonblock 9 || { say "another build of $out is running; waiting for it"; flock 9; }
if up_to_date; then
    say "$out was built by the other run ($mode)"
    exit 0
fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "apt-get and dpkg-deb are needed: run this on Debian 12, Ubuntu 24.04 or newer"

tools=()
command -v ffmpeg >/dev/null || tools+=(ffmpeg)
if ! "$python" -c 'import numpy, soundfile' 2>/dev/null; then
    [ "$python" = /usr/bin/python3 ] || fail "$python lacks numpy or soundfile; run: $python -m pip install numpy soundfile"
    tools+=(python3-numpy python3-soundfile)
fi
[ ${#tools[@]} -eq 0 ] || "$here/../setup/apt.sh" "${tools[@]}"

mapfile -t packages < <("$python" "$here/build.py" packages --mode "$mode")
[ ${#packages[@]} -gt 0 ] || fail "$here/build.py lists no packages for MODE=$mode"

# One line per package: 'URL' file size ALGORITHM:digest, from lists whose signature apt has checked. Debian's have SHA-256,
# Ubuntu's SHA-512.
locate() { apt-get download --print-uris "${packages[@]}" 2>/dev/null; }
if ! located=$(locate); then
    say "refreshing apt's package lists"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    # In turn with Tools/setup/apt.sh.
    exec 9>>"${TMPDIR:-/tmp}/allophone-apt-$EUID.lock"
    flock 9
    "${as_root[@]}" apt-get update --quiet=2 || fail "apt-get update failed: check the network and /etc/apt/sources.list"
    exec 9>&-
    located=$(locate) ||
        fail "apt does not offer all of: ${packages[*]}. On Ubuntu, enable the 'universe' component and try again"
fi

mkdir -p "$cache/deb" "$cache/unpacked"
# Packages unpack to one and a half times their size; the FLAC files are smaller than what they are cut from.
needed_kib=$(awk '{ total += $3 } END { printf "%d", total * 3.5 / 1024 }' <<<"$located")
free_kib=$(df --output=avail -k "$cache" | tail -1)
[ "$free_kib" -ge "$needed_kib" ] ||
    fail "$cache has $((free_kib / 1024)) MiB free and this needs $((needed_kib / 1024)) MiB; set CACHE to a folder on another disk"

# intact FILE ALGORITHM:digest
intact() {
    case $2 in
        SHA256:* | SHA512:*) ;;
        *) fail "apt gives no SHA-256 or SHA-512 for $1, only $2; run 'apt-get update'" ;;
    esac
    local algorithm=${2%%:*}
    [ -f "$1" ] && echo "${2#*:}  $1" | "${algorithm,,}sum" --check --status
}

count=0
while read -r _ file size digest; do
    package=${file%%_*}
    count=$((count + 1))
    deb=$cache/deb/$file
    unpacked=$cache/unpacked/$package
    [ "$(cat "$unpacked/.digest" 2>/dev/null)" = "$digest" ] && continue

    if ! intact "$deb" "$digest"; then
        say "[$count/${#packages[@]}] fetching $package ($((size / 1000000)) MB)"
        rm -f "$deb"
        (cd "$cache/deb" && apt-get -o APT::Sandbox::User=root -o Acquire::Retries=3 --quiet=2 download "$package" >/dev/null) ||
            fail "could not download $package; check the network and run this again: it goes on from here"
        intact "$deb" "$digest" ||
            fail "$deb does not have the checksum that apt lists; run 'apt-get update' and try again"
    fi
    say "[$count/${#packages[@]}] unpacking $package"
    rm -rf "$unpacked" "$unpacked.part"
    dpkg-deb --extract "$deb" "$unpacked.part" || fail "could not unpack $deb; is the disk full?"
    dpkg-deb --field "$deb" Version >"$unpacked.part/.version"
    echo "$digest" >"$unpacked.part/.digest"
    mv "$unpacked.part" "$unpacked"
done <<<"$located"

"$python" "$here/build.py" build --packages "$cache/unpacked" --out "$out" --mode "$mode" --recipe "$recipe"

echo "$recipe" >"$out/.recipe.part"
mv "$out/.recipe.part" "$out/.recipe"
rm -rf "$cache/unpacked"
[ -n "${CACHE:-}" ] || rm -rf "$cache"
