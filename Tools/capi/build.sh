#!/usr/bin/env bash
# Builds Allophone for C and whatever calls C, into dist/c:
#
#   include/allophone.h   the interface
#   liballophone.a        everything, Swift's runtime too, behind the symbols allophone_*; needs the libraries that
#   liballophone.so       `pkg-config --static --libs allophone` names. The same, linked
#   allophone.pc          for pkg-config: PKG_CONFIG_PATH=dist/c
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=dist/c

options=(-c release --static-swift-stdlib)
swift build "${options[@]}" --product CAllophone
objects=$(swift build "${options[@]}" --show-bin-path)/CAllophone.product/Objects.LinkFileList
resources=$(swiftc -static-stdlib -print-target-info | python3 -c \
    'import json, sys; paths = json.load(sys.stdin)["paths"]; print(paths["runtimeResourcePath"])')
swift=$resources/linux

rm -rf "$out"
mkdir -p "$out/include"
cp include/allophone.h "$out/include/"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each object names the libraries that it needs. Those of Swift's that are archives go in; the system's stay outside.
swift-autolink-extract "@$objects" -o "$work/libraries"
printf '%s\n' -ldispatch -lBlocksRuntime -lswiftCore >> "$work/libraries"
inside=() outside=()
for flag in $(tr ' ' '\n' < "$work/libraries" | sort -u); do
    if [[ $flag == -l* && -e $swift/lib${flag#-l}.a ]]; then inside+=("$flag"); elif [[ $flag == -l* ]]; then outside+=("$flag"); fi
done
# The archives' own needs.
for flag in $(grep -aho -- '-l[A-Za-z0-9_+]*' "$swift/static-stdlib-args.lnk"); do
    [[ -e $swift/lib${flag#-l}.a || " ${outside[*]} " == *" $flag "* ]] || outside+=("$flag")
done

ld -r -o "$work/all.o" "$swift/$(uname -m)/swiftrt.o" "@$objects" -L"$swift" --start-group "${inside[@]}" --end-group
# Nothing else is seen from outside, so that a program may hold another copy of Swift, or another library of it.
objcopy --wildcard --keep-global-symbol='allophone_*' --strip-debug "$work/all.o" "$work/allophone.o"
ar rcsD "$out/liballophone.a" "$work/allophone.o"
cc -shared -o "$out/liballophone.so" "$work/allophone.o" -Wl,-soname,liballophone.so -Wl,--no-undefined -Wl,--gc-sections \
    "${outside[@]}"
strip --strip-unneeded "$out/liballophone.so"

cat > "$out/allophone.pc" <<END
prefix=\${pcfiledir}
Name: allophone
Description: A speech tokenizer: speech to tokens and back
Version: $(sed -n 's/^#define ALLOPHONE_INTERFACE //p' include/allophone.h)
Cflags: -I\${prefix}/include
Libs: -L\${prefix} -lallophone
Libs.private: ${outside[*]}
END
ls -l "$out" | awk 'NF > 8 { printf "%s: %.1f MB\n", $9, $5 / 1e6 }'
