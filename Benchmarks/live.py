#!/usr/bin/env python3
"""Memory of `allophone encode - -` and `allophone decode - -`, each while a stream goes through it.

    live.py --program .build/release/allophone --model MODEL [--precision f32]

Half a minute of noise is pushed 20 ms at a time, the tokens of each frame are pushed on, and after that `VmRSS` of both is read. What of it
is neither the program's half of the parameters, as the file has them in f32, nor pages of the program's own file, is stated beside. Ends
with one line of JSON, whose `ratio` is of 30 MB to the larger of what is over the weights.
"""

from __future__ import annotations

import argparse
import array
import json
import math
import random
import struct
import subprocess
import threading

SECONDS, RATE, CHUNK = 30, 24000, 480


def parameters(path: str, half: str) -> float:
    """MB in f32 of one side and the quantizers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    shapes = [entry["shape"] for name, entry in header.items() if name.startswith((half + ".", "quantizer."))]
    return sum(4 * math.prod(shape) for shape in shapes) / 1e6


def memory(process: subprocess.Popen) -> dict[str, float]:
    with open(f"/proc/{process.pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return {name: int(lines[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "RssFile")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/allophone")
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", default="f32")
    options = parser.parse_args()
    shared = ["--model", options.model, "--precision", options.precision]
    encoder = subprocess.Popen(
        [options.program, "encode", "-", "-", "--raw", "s16le", "--rate", str(RATE), *shared],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    decoder = subprocess.Popen(
        [options.program, "decode", "-", "-", *shared], stdin=encoder.stdout, stdout=subprocess.PIPE)
    heard = threading.Event()
    sound = 0

    def listen() -> None:
        nonlocal sound
        while chunk := decoder.stdout.read(2 * CHUNK):
            sound += len(chunk) // 2
            if sound >= (SECONDS - 1) * RATE:
                heard.set()

    threading.Thread(target=listen, daemon=True).start()
    random.seed(0)
    for _ in range(SECONDS * RATE // CHUNK):
        encoder.stdin.write(array.array("h", [random.randint(-8000, 8000) for _ in range(CHUNK)]).tobytes())
        encoder.stdin.flush()
    if not heard.wait(120):
        raise SystemExit("the stream did not come out again")
    line: dict[str, object] = {"benchmark": "bench-live", "precision": options.precision}
    over = []
    for name, half, process in (("encode", "encoder", encoder), ("decode", "decoder", decoder)):
        found, weights = memory(process), parameters(options.model, half)
        over.append(found["VmRSS"] - weights)
        line[name] = {
            "residentMB": round(found["VmRSS"], 1), "weightsMB": round(weights, 1), "overWeightsMB": round(over[-1], 1),
            "ofTheProgramsFileMB": round(found["RssFile"], 1)}
    encoder.stdin.close()
    if encoder.wait() or decoder.wait():
        raise SystemExit("encode or decode failed")
    print(json.dumps(line | {"ratio": round(30 / max(over), 2)}))


if __name__ == "__main__":
    main()
