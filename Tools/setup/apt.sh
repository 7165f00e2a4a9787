#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages given as arguments, if any is missing.
#
# usage: apt.sh PACKAGE...
set -euo pipefail

fail() {
    printf 'apt: %s\n' "$@" >&2
    exit 1
}

(($# > 0)) || fail "no packages given; usage: $0 PACKAGE..."
command -v apt-get >/dev/null ||
    fail "this is not Debian or Ubuntu; install what these packages hold by your own package manager:" "  $*"

missing=()
for package in "$@"; do
    # A removed package may leave a record, so its state is asked for and not its presence.
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] ||
        missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "root is needed to install ${missing[*]}, and there is no sudo" \
        "as root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
fi
# Two targets at once take turns: apt itself would fail at once.
exec 9>>"${TMPDIR:-/tmp}/allophone-apt-$EUID.lock"
flock 9
printf 'apt: installing %s\n' "${missing[*]}"
"${as_root[@]}" apt-get update --quiet=2 ||
    fail "apt-get update failed: check the network and /etc/apt/sources.list"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends \
    "${missing[@]}" >/dev/null || fail "apt-get could not install ${missing[*]}" \
    "run it yourself to see why: apt-get install ${missing[*]}"
