#!/usr/bin/env bash
# Compiles Examples/c against the libraries in dist/c, static and shared, and fails unless both, and Python, give the tokens
# and the sound that the program `allophone` gives, and the shared one can be loaded again after dlclose().
#
#   Tools/capi/check.sh MODEL
set -euo pipefail
model=${1:?usage: $0 MODEL}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
allophone=${ALLOPHONE:-$root/.build/release/allophone}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flag() { sed -n "s/^$1: //p" "$root/dist/c/allophone.pc" | sed "s|\${prefix}|$root/dist/c|g"; }

# A tone whose pitch rises, of 16 bits, for three seconds and a bit.
python3 - "$work" <<'END'
import array, math, sys, wave
samples = array.array("h", (int(9000 * math.sin(0.01 * n + 2e-7 * n * n)) for n in range(72345)))
array.array("f", (sample / 32768 for sample in samples)).tofile(open(sys.argv[1] + "/in.f32", "wb"))
with wave.open(sys.argv[1] + "/in.wav", "wb") as file:
    file.setparams((1, 2, 24000, len(samples), "NONE", ""))
    file.writeframes(samples.tobytes())
END
"$allophone" encode --raw f32le - - --model "$model" < "$work/in.f32" > "$work/t.allo" 2> /dev/null
"$allophone" decode - - --raw f32le --model "$model" < "$work/t.allo" > "$work/expected.f32" 2> /dev/null
python3 - "$root" "$work" <<'END'
import sys
sys.path.insert(0, sys.argv[1] + "/Tests/Oracles")
from tokenfile_decode import decode
with open(sys.argv[2] + "/expected.codes", "w") as file:
    for frame in decode(open(sys.argv[2] + "/t.allo", "rb").read())["frames"]:
        print(*frame, file=file)
END

read -ra include <<< "$(flag Cflags)"
read -ra libraries <<< "$(flag Libs.private)"
cc -O2 -Wall "${include[@]}" "$root/Examples/c/live.c" "$root/dist/c/liballophone.a" "${libraries[@]}" -o "$work/static"
cc -O2 -Wall "${include[@]}" "$root/Examples/c/live.c" -L"$root/dist/c" -Wl,-rpath,"$root/dist/c" -lallophone -o "$work/shared"
for kind in static shared; do
    "$work/$kind" "$model" "$work/codes" < "$work/in.f32" > "$work/out.f32"
    cmp "$work/expected.codes" "$work/codes"
    # The program gives whole frames through a pipe, as the example does.
    cmp "$work/expected.f32" "$work/out.f32"
    echo "C, $kind: as allophone"
done
python3 - "$root/dist/c/liballophone.so" "$model" <<'END'
import _ctypes, ctypes, sys
for _ in range(2):
    library, codec = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
    if library.allophone_codec_open(sys.argv[2].encode(), 3, 0, 2, ctypes.byref(codec)) != 0:
        sys.exit("C: a library that is loaded again opens no codec")
    library.allophone_codec_close(codec)
    _ctypes.dlclose(library._handle)
END
echo "C: loaded again"
ALLOPHONE_LIBRARY=$root/dist/c/liballophone.so python3 "$root/Examples/python/roundtrip.py" "$model" "$work/in.wav" \
    "$work/out.wav" > "$work/codes"
cmp "$work/expected.codes" "$work/codes"
"$allophone" encode "$work/in.wav" "$work/s.npy" --format npy --search 2 --model "$model" 2> /dev/null
PYTHONPATH=$root/Examples/python ALLOPHONE_LIBRARY=$root/dist/c/liballophone.so python3 - "$model" "$work" <<'END'
import allophone, array, sys
samples = array.array("f", open(sys.argv[2] + "/in.f32", "rb").read())
codes = allophone.Codec(sys.argv[1], allophone.SEARCH).encode(samples, paths=2)
expected = open(sys.argv[2] + "/s.npy", "rb").read()
if not expected.endswith(codes.tobytes()) or len(expected) - len(codes) * 8 > 128:
    sys.exit("Python: a search finds other codes than the program")
END
echo "Python: as allophone"
