#!/usr/bin/env bash
# Fetches XLA for the CPU into FOLDER (default: .xla at the package's root):
#
#   FOLDER/include/pjrt_c_api.h                 the header that the package compiles against
#   FOLDER/cpu/xla_cpu_pjrt.so                  the plugin that programs run on
#   FOLDER/skew/pjrt_c_api_cpu_plugin.so        with --skew: a plugin of a newer XLA, for the version-skew tests
#
# The wheels are pinned by version and SHA-256. What is already there and current is left alone, and files are put in
# place by renaming, so an interrupted run leaves nothing half-written.
#
# usage: fetch_xla.sh [--skew] [FOLDER]
set -euo pipefail

fail() {
    printf 'fetch_xla: %s\n' "$@" >&2
    exit 1
}

skew=false
folder=
for argument in "$@"; do
    case $argument in
        --skew) skew=true ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
        -*) fail "unknown option $argument; see $0 --help" ;;
        *) [[ -z $folder ]] || fail "more than one folder given: $folder, $argument"; folder=$argument ;;
    esac
done
folder=${folder:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.xla}
python=${PYTHON:-python3}
machine=$(uname -m)
[[ $(uname -s) == Linux ]] || fail "the XLA plugins are built for Linux only, and this is $(uname -s)"

# The SHA-256 that FOLDER/NAME was made from, if it is complete.
current() { cat "$folder/$1/wheel.sha256" 2>/dev/null || true; }

# fetch NAME REQUIREMENT SHA256 MEMBER=TARGET...: unpacks members of a wheel to FOLDER/TARGET, and marks NAME complete.
fetch() {
    local name=$1 requirement=$2 expected=$3 pair present=true
    shift 3
    for pair in "$@"; do [[ -s $folder/${pair#*=} ]] || present=false; done
    if $present && [[ $(current "$name") == "$expected" ]]; then
        printf 'fetch_xla: %s is in %s\n' "$requirement" "$folder/$name"
        return
    fi
    command -v "$python" >/dev/null || fail "$python is missing: apt-get install python3 python3-pip"
    "$python" -m pip --version >/dev/null 2>&1 || fail "Python's pip is missing: apt-get install python3-pip"

    printf 'fetch_xla: downloading %s\n' "$requirement"
    local wheels=$scratch/$name/wheel unpacked=$scratch/$name/unpacked
    mkdir -p "$wheels" "$unpacked"
    "$python" -m pip download --quiet --disable-pip-version-check --no-input --no-deps --only-binary=:all: \
        --dest "$wheels" "$requirement" ||
        fail "pip could not download $requirement for $machine" \
            "check the network and pip's index (pip config list), and run this again"
    local wheel actual
    wheel=$(find "$wheels" -name '*.whl' -print -quit)
    actual=$(sha256sum "$wheel" | cut -d ' ' -f 1)
    [[ $actual == "$expected" ]] || fail "$(basename "$wheel") is not the file that was pinned" \
        "expected SHA-256 $expected" "found            $actual" \
        "the index served another file: use https://pypi.org/simple, or update the hash in $0 after checking it"

    "$python" -m zipfile -e "$wheel" "$unpacked" ||
        fail "cannot unpack $(basename "$wheel"): is the disk full? ($(df -h --output=avail "$folder" | tail -n 1) left)"
    # The mark goes first and comes back last: without it the folder counts as incomplete.
    mkdir -p "$folder/$name"
    rm -f "$folder/$name/wheel.sha256"
    for pair in "$@"; do
        [[ -s $unpacked/${pair%%=*} ]] || fail "$(basename "$wheel") holds no ${pair%%=*}"
        mkdir -p "$(dirname "$folder/${pair#*=}")"
        mv -f "$unpacked/${pair%%=*}" "$folder/${pair#*=}"
    done
    printf '%s\n' "$expected" >"$scratch/$name/mark"
    mv -f "$scratch/$name/mark" "$folder/$name/wheel.sha256"
    rm -rf "${scratch:?}/$name"
    printf 'fetch_xla: %s is in %s\n' "$requirement" "$folder/$name"
}

case $machine in
    x86_64) cpu_hash=55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc ;;
    aarch64) cpu_hash=8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9 ;;
    *) fail "there is no XLA CPU plugin for $machine (only x86_64 and aarch64)" \
        "build XLA's //xla/pjrt/c:pjrt_c_api_cpu_plugin.so and set ALLOPHONE_PJRT_PLUGIN to it" ;;
esac

mkdir -p "$folder" || fail "cannot make $folder"
# One run at a time; the lock goes with the process.
exec 9>"$folder/.lock"
flock 9
# In the folder itself, so that files get to their places by renaming.
scratch=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

fetch cpu xla-cpu-pjrt==0.0.1 "$cpu_hash" \
    xla_plugins/xla_cpu_pjrt/include/pjrt_c_api.h=include/pjrt_c_api.h \
    xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so=cpu/xla_cpu_pjrt.so

if $skew; then
    if [[ $machine == x86_64 ]]; then
        fetch skew lammps-jax-pjrt-cpu==0.11.2 1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1 \
            lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so=skew/pjrt_c_api_cpu_plugin.so
    else
        printf 'fetch_xla: the newer plugin is not built for %s; the version-skew tests will be skipped\n' "$machine"
    fi
fi
