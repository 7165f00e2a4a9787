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
swift build "${options[@]}" --product CAllophoneStatic
objects=$(swift build "${options[@]}" --show-bin-path)/CAllophoneStatic.product/Objects.LinkFileList
resources=$(swiftc -static-stdlib -print-target-info | python3 -c \
    'import json, sys; paths = json.load(sys.stdin)["paths"]; print(paths["runtimeResourcePath"])')
swift=$resources/linux

rm -rf "$out"
mkdir -p "$out/include"
cp include/allophone.h "$out/include/"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Of Swift's archives what is needed goes in; the system's libraries, which objects and archives name, stay outside.
archives=("$swift"/lib*.a)
for file in "@$objects" "${archives[@]}"; do
    swift-autolink-extract "$file" -o "$work/named"
    cat "$work/named"
done | cat - "$swift/static-stdlib-args.lnk" | tr ' ' '\n' | grep -x -- '-l[A-Za-z0-9_+]*' | sort -u > "$work/libraries"
outside=()
while read -r flag; do
    [[ -e $swift/lib${flag#-l}.a || $flag == -lswift* ]] || outside+=("$flag")
done < "$work/libraries"

ld -r -o "$work/all.o" "$swift/$(uname -m)/swiftrt.o" "@$objects" --start-group "${archives[@]}" --end-group
# Nothing else is seen from outside, so that a program may hold another copy of Swift, or another library of it.
objcopy --wildcard --keep-global-symbol='allophone_*' --strip-debug "$work/all.o" "$work/allophone.o"
ar rcsD "$out/liballophone.a" "$work/allophone.o"
echo '{ global: allophone_*; local: *; };' > "$work/exports"
# It stays in memory once it is loaded: its threads run on, others call it when they end, and Swift cannot be loaded twice.
cc -shared -o "$out/liballophone.so" "$work/allophone.o" -Wl,-soname,liballophone.so -Wl,-z,nodelete -Wl,--no-undefined \
    -Wl,--gc-sections -Wl,--version-script="$work/exports" "${outside[@]}"
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
