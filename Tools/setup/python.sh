#!/usr/bin/env bash
# Makes .venv at the package's root hold the pinned Python packages of the sets given (default: both):
#
#   oracles   what the generators of test fixtures need (Tests/Oracles/requirements.txt and published.txt)
#   peers     what the benchmarks compare with (Benchmarks/peers/requirements.txt)
#
# Nothing that ships needs Python. A set that is already there and current is left alone. VENV names another folder,
# PYTHON the interpreter to make it with.
#
# usage: python.sh [oracles] [peers]
set -euo pipefail

fail() {
    printf 'python: %s\n' "$@" >&2
    exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=${VENV:-$root/.venv}
python=${PYTHON:-python3}
declare -A requirements=(
    [oracles]=$root/Tests/Oracles/requirements.txt
    [peers]=$root/Benchmarks/peers/requirements.txt
)
(($# > 0)) || set -- oracles peers
published=$root/Tests/Oracles/published.txt
for name in "$@"; do
    case $name in
        oracles | peers) ;;
        -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
        *) fail "unknown set $name; see $0 --help" ;;
    esac
done

command -v "$python" >/dev/null || fail "$python is missing: apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old: the pinned packages need 3.11; set PYTHON to a newer one"

# One run at a time; the lock lies outside the folder, which may be made anew.
exec 9<"${requirements[oracles]}"
flock 9

# Both files count, because one set constrains the other. So does the interpreter: a venv is of no use to another.
stamp=$({ "$python" --version && cat "${requirements[@]}" "$published"; } | sha256sum | cut -d ' ' -f 1)
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    [[ $("$venv/bin/python" --version) != "$("$python" --version)" ]]; then
    "$python" -m venv --clear "$venv" >/dev/null ||
        fail "could not make a virtual environment in $venv: apt-get install python3-venv"
fi

for name in "$@"; do
    [[ $(cat "$venv/.installed-$name" 2>/dev/null || true) != "$stamp" ]] || continue
    printf 'python: installing the %s into %s\n' "$name" "$venv"
    # PyPI's torch for Linux brings gigabytes of CUDA, PyTorch's own index one for the CPU alone.
    index=()
    cpu_index=https://download.pytorch.org/whl/cpu
    if "$python" -c "import urllib.request as u; u.urlopen('$cpu_index/torch/', timeout=5)" 2>/dev/null; then
        index=(--extra-index-url "$cpu_index")
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "${index[@]}" \
        --requirement "${requirements[$name]}" ||
        fail "pip could not install ${requirements[$name]}" \
            "check the network and pip's index (pip config list), and run this again: it goes on from here"
    if [[ $name == oracles ]]; then
        # These ask for old versions of what the oracles pin, and for much that is never imported.
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
            --requirement "$published" ||
            fail "pip could not install $published" "check the network, and run this again: it goes on from here"
    fi
    printf '%s\n' "$stamp" >"$venv/.installed-$name.part"
    mv -f "$venv/.installed-$name.part" "$venv/.installed-$name"
done
printf 'python: %s has the %s\n' "$venv" "$*"
