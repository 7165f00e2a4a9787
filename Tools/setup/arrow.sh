#!/usr/bin/env bash
# Makes FOLDER (default: .arrow at the package's root) hold what reads Parquet files:
#
#   FOLDER/include                              Arrow's and Parquet's headers
#   FOLDER/lib/libarrow.so.*, libparquet.so.*   their libraries
#   FOLDER/lib/liballophone_parquet.so          Tools/arrow/parquet.cpp, compiled against them: what the program loads
#
# The pyarrow wheel that holds the first two is pinned by version and SHA-256. What is already there and current is left
# alone; files are put in place by renaming, so an interrupted run leaves nothing half-written.
#
# usage: arrow.sh [FOLDER]
set -euo pipefail

version=26.0.1
fail() {
    printf 'arrow: %s\n' "$@" >&2
    exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=${1:-$root/.arrow}
source=$root/Tools/arrow/parquet.cpp
python=${PYTHON:-python3}
compiler=${CXX:-g++}
machine=$(uname -m)
[[ $(uname -s) == Linux ]] || fail "the pinned wheels are for Linux, and this is $(uname -s)"
case $machine in
    x86_64) expected=39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c ;;
    aarch64) expected=22a96a225de107eb9acd1ad9a818198ca832df2a4c0952412f754a7ed2105a98 ;;
    *) fail "no wheel is pinned for $machine: add its SHA-256 to $0" ;;
esac

mkdir -p "$folder" || fail "cannot make $folder"
folder=$(cd "$folder" && pwd)
# One run at a time; the lock goes with the process.
exec 9>"$folder/.lock"
flock 9
stamp=$(printf '%s' "$expected" | cat - "$source" "${BASH_SOURCE[0]}" | sha256sum | cut -d ' ' -f 1)
library=$folder/lib/liballophone_parquet.so
if [[ -s $library && $(cat "$folder/stamp" 2>/dev/null || true) == "$stamp" ]]; then
    printf 'arrow: Arrow %s is in %s\n' "$version" "$folder"
    exit
fi
scratch=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

if [[ $(cat "$folder/wheel.sha256" 2>/dev/null || true) != "$expected" ]]; then
    command -v "$python" >/dev/null || fail "$python is missing: apt-get install python3 python3-pip"
    "$python" -m pip --version >/dev/null 2>&1 || fail "Python's pip is missing: apt-get install python3-pip"
    printf 'arrow: downloading pyarrow %s\n' "$version"
    # The wheel for one Python, whichever is here: its C++ libraries know of none.
    "$python" -m pip download --quiet --disable-pip-version-check --no-input --no-deps --only-binary=:all: \
        --implementation cp --python-version 3.11 --platform "manylinux_2_28_$machine" --dest "$scratch/wheel" \
        "pyarrow==$version" || fail "pip could not download pyarrow $version for $machine" \
        "check the network and pip's index (pip config list), and run this again"
    wheel=$(find "$scratch/wheel" -name '*.whl' -print -quit)
    actual=$(sha256sum "$wheel" | cut -d ' ' -f 1)
    [[ $actual == "$expected" ]] || fail "$(basename "$wheel") is not the file that was pinned" \
        "expected SHA-256 $expected" "found            $actual"
    "$python" - "$wheel" "$scratch/unpacked" <<'UNPACK' || fail "cannot unpack $(basename "$wheel"): is the disk full?"
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(
        r"pyarrow/(include/(arrow|parquet)/|lib(arrow|parquet)\.so\.\d+$)", name)])
UNPACK
    rm -rf "$folder/wheel.sha256" "$folder/include" "$folder/lib"
    mkdir "$scratch/lib"
    mv "$scratch/unpacked/pyarrow/"lib*.so.* "$scratch/lib"
    mv "$scratch/unpacked/pyarrow/include" "$folder/include"
    mv "$scratch/lib" "$folder/lib"
    printf '%s\n' "$expected" >"$folder/wheel.sha256"
fi

command -v "$compiler" >/dev/null || fail "$compiler is missing: apt-get install g++, or set CXX"
# Arrow's libraries lie beside this one, also after the folder has moved.
"$compiler" -std=c++20 -O2 -shared -fPIC -fvisibility=default -I"$folder/include" -o "$scratch/parquet.so" "$source" \
    "$folder"/lib/libparquet.so.* "$folder"/lib/libarrow.so.* -Wl,-rpath,'$ORIGIN' ||
    fail "$compiler could not compile $source: Arrow's headers need C++20"
mv -f "$scratch/parquet.so" "$library"
printf '%s\n' "$stamp" >"$folder/stamp"
printf 'arrow: Arrow %s is in %s\n' "$version" "$folder"
