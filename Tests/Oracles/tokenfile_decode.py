"""A reader for Allophone token files, written from docs/token-format.md alone.

    python Tests/Oracles/tokenfile_decode.py FILE [MODEL]     prints the header and the codes as JSON

A file of version 2 needs the model's file, which has the prior.
"""

import hashlib
import json
import math
import struct
import sys
import zlib


def safetensors(data: bytes) -> dict:
    """The i16 tensors of a safetensors file: name to (shape, values)."""
    (size,) = struct.unpack("<Q", data[:8])
    found = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name.startswith("prior."):
            start, end = entry["data_offsets"]
            values = struct.unpack(f"<{(end - start) // 2}h", data[8 + size + start : 8 + size + end])
            found[name] = (entry["shape"], values)
    return found


def identity(prior: dict) -> bytes:
    lines = "".join(
        f"{name} i16 {','.join(map(str, shape))} {zlib.crc32(struct.pack(f'<{len(values)}h', *values)):08x}\n"
        for name, (shape, values) in sorted(prior.items())
    )
    return hashlib.sha256(f"{lines}\n".encode()).digest()[:8]


class Prior:
    """How likely codes are, frame after frame. `choose` is given counts and gives back which was chosen."""

    def __init__(self, tensors: dict, levels: list[dict]) -> None:
        self.tensors = {name.removeprefix("prior."): values for name, (_, values) in tensors.items()}
        self.past, self.features, self.width = tensors["prior.past"][0]
        self.levels = levels
        self.recent: list[list[int]] = []

    def row(self, name: str, index: int) -> tuple:
        return self.tensors[name][index * self.width : (index + 1) * self.width]

    def frame(self, choose) -> list[int]:
        hidden = list(self.tensors["bias"])

        def add(name: str, index: int, value: int) -> None:
            if value:
                for unit, weight in enumerate(self.row(name, index)):
                    hidden[unit] += value * weight

        def score(feature: int) -> int:
            products = sum(max(0, unit) * weight for unit, weight in zip(hidden, self.row("head", feature)))
            return (64 * self.tensors["headBias"][feature] + products) >> 6

        for lag, features in enumerate(self.recent):
            for feature, value in enumerate(features):
                add("past", lag * self.features + feature, value)
        present, frame = [], []
        for level in self.levels:
            first = len(present)
            if level["kind"] == "vq":
                scores = [score(first + entry) for entry in range(level["codebookSize"])]
                gaps = [min(max(scores) - one, 768) for one in scores]
                code = choose([1 + round(65536 * math.exp(-gap / 64)) for gap in gaps])
                present += [int(entry == code) for entry in range(level["codebookSize"])]
                add("present", first + code, 1)
            else:
                code = 0
                for bit in range(level["bits"]):
                    limited = min(max(score(first + bit), -512), 512)
                    chance = min(max(round(65536 / (1 + math.exp(-limited / 64))), 32), 65504)
                    is_set = choose([chance, 65536 - chance]) == 0
                    code |= is_set << bit
                    present.append(1 if is_set else -1)
                    add("present", first + bit, present[-1])
            frame.append(code)
        self.recent = [present, *self.recent][: self.past]
        return frame


class RangeDecoder:
    def __init__(self, digits: bytes) -> None:
        # As a fraction of whole numbers: no digit is ever lost.
        self.number, self.scale = int.from_bytes(digits, "big"), 256 ** len(digits)
        self.low, self.range, self.unit = 0, 2**56, 2**56

    def choose(self, counts: list[int]) -> int:
        step = self.range // sum(counts)
        before = 0
        for choice, count in enumerate(counts):
            end = self.low + (before + count) * step
            if choice == len(counts) - 1 or self.number * self.unit < end * self.scale:
                break
            before += count
        self.low, self.range = self.low + before * step, counts[choice] * step
        while self.range < 2**48:
            self.low, self.range, self.unit = self.low * 256, self.range * 256, self.unit * 256
        return choice


def decode(data: bytes, model_file: bytes | None = None) -> dict:
    """The header's fields, `frames` as a list of lists of codes, and the number of samples."""
    position, checksum = 0, 0

    def take(count: int) -> bytes:
        nonlocal position
        if position + count > len(data):
            raise ValueError("truncated")
        position += count
        return data[position - count : position]

    def sealed(count: int) -> bytes:
        nonlocal checksum
        piece = take(count)
        checksum = zlib.crc32(piece, checksum)
        return piece

    def check_seal() -> None:
        if struct.unpack("<I", take(4))[0] != checksum:
            raise ValueError("checksum")

    if sealed(8) != b"\x89ALLO\r\n\x1a":
        raise ValueError("not a token file")
    version, channels, level_count, sample_rate, hop = struct.unpack("<HBBII", sealed(12))
    if version not in (1, 2):
        raise ValueError(f"version {version}")
    model = sealed(32).hex()
    levels = []
    for _ in range(level_count):
        kind, bits, zero, size = struct.unpack("<BBHI", sealed(8))
        levels.append({"kind": {1: "vq", 2: "bsq"}[kind], "bits": bits, "codebookSize": size})
    prior = None
    if version == 2:
        tensors = safetensors(model_file or b"\x02" + bytes(7) + b"{}")
        if sealed(8) != (identity(tensors) if tensors else None):
            raise ValueError("another prior")
        prior = Prior(tensors, levels)
    check_seal()

    frames = []
    while count := struct.unpack("<H", sealed(2))[0]:
        if prior:
            coder = RangeDecoder(sealed(struct.unpack("<I", sealed(4))[0]))
            check_seal()
            frames += [prior.frame(coder.choose) for _ in range(count)]
            continue
        bit_count = count * sum(level["bits"] for level in levels)
        number = int.from_bytes(sealed((bit_count + 7) // 8), "little")
        check_seal()
        for _ in range(count):
            frame = []
            for level in levels:
                frame.append(number & ((1 << level["bits"]) - 1))
                number >>= level["bits"]
            frames.append(frame)
        assert number == 0
    frame_count, sample_count = struct.unpack("<QQ", sealed(16))
    check_seal()
    assert position == len(data) and frame_count == len(frames) and -(-sample_count // hop) == frame_count
    return {
        "channels": channels,
        "sampleRate": sample_rate,
        "hop": hop,
        "model": model,
        "levels": levels,
        "frames": frames,
        "sampleCount": sample_count,
    }


if __name__ == "__main__":
    json.dump(decode(*(open(path, "rb").read() for path in sys.argv[1:3])), sys.stdout, indent=2)
