"""Checks what an hour of speech must not change.

Encodes and decodes it, prints the largest memory of each run, and fails where that is above the limit, where the length is
not kept, or where the tokens of the first minute are not those that the minute gives alone.

    python3 Tools/checks/long_audio.py MODEL [--program allophone] [--seconds 3600] [--limit 1024]
"""

import argparse
import array
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import wave

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "Tests/Fixtures/speech/festvox-ru-sample.flac"
MIB = 1 << 20


def write_speech(path: pathlib.Path, speech: array.array, rate: int, length: int) -> None:
    """`length` samples: the clip over and over at changing loudness, so that no two passes are alike."""
    gains = random.Random(1)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, length, "NONE", ""))
        while length:
            gain = math.exp(gains.uniform(-1.5, 0))
            part = array.array("h", (int(sample * gain) for sample in speech[:length]))
            file.writeframes(part.tobytes())
            length -= len(part)


def run(title: str, command: list, limit: float) -> None:
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    messages = process.stderr.read()
    # The usage of this process alone; that of all children would be the largest of any before.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{title} failed with {process.returncode}: {messages}")
    peak = usage.ru_maxrss * 1024 / MIB
    print(f"{title}: {time.monotonic() - start:.1f} s, peak memory {peak:.0f} MiB", flush=True)
    if peak > limit:
        sys.exit(f"{title} took more than {limit:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--program", default="allophone")
    parser.add_argument("--seconds", type=int, default=3600)
    # An hour of samples alone would be 345 MB as floats.
    parser.add_argument("--limit", type=float, default=1024, help="MiB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check(options, pathlib.Path(folder))


def numbers(path: pathlib.Path) -> array.array:
    """The int64 elements of a .npy file of version 1."""
    content = path.read_bytes()
    return array.array("q", content[10 + int.from_bytes(content[8:10], "little") :])


def check(options: argparse.Namespace, folder: pathlib.Path) -> None:
    program, model = options.program, ["--model", options.model]
    # Leaves the clip at the model's rate: another rate's resampler would look past the end of the minute.
    run("evaluate the clip", [program, "evaluate", FIXTURE, "--output", folder, *model], math.inf)
    with wave.open(str(folder / f"{FIXTURE.stem}.original.wav")) as file:
        rate, speech = file.getframerate(), array.array("h", file.readframes(file.getnframes()))

    tokens = {}
    minute = min(60, options.seconds)
    for seconds in sorted({minute, options.seconds}):
        sound, codes = folder / "speech.wav", folder / f"{seconds}.npy"
        write_speech(sound, speech, rate, seconds * rate)
        run(f"encode {seconds} s", [program, "encode", sound, codes, "--format", "npy", *model], options.limit)
        tokens[seconds] = numbers(codes)
    encoded = folder / "tokens.allo"
    run(f"encode {seconds} s as a token file", [program, "encode", sound, encoded, *model], options.limit)
    run(f"decode {seconds} s", [program, "decode", encoded, folder / "decoded.wav", *model], options.limit)

    codes = tokens[minute]
    differing = sum(one != other for one, other in zip(codes, tokens[seconds]))
    print(f"tokens: {len(tokens[seconds])} codes; {differing} of the first {len(codes)} differ")
    with wave.open(str(folder / "decoded.wav")) as file:
        length = file.getnframes()
    print(json.dumps({"decodedSamples": length, "expectedSamples": options.seconds * rate, "differing": differing}))
    if differing or length != options.seconds * rate:
        sys.exit("long audio: tokens or length are not what they must be")


if __name__ == "__main__":
    main()
