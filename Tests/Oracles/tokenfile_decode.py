"""A reader for Allophone token files, written from docs/token-format.md alone.

    python Tests/Oracles/tokenfile_decode.py FILE      prints the header and the codes as JSON
"""

import json
import struct
import sys
import zlib


def decode(data: bytes) -> dict:
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
    if version != 1:
        raise ValueError(f"version {version}")
    model = sealed(32).hex()
    levels = []
    for _ in range(level_count):
        kind, bits, zero, size = struct.unpack("<BBHI", sealed(8))
        levels.append({"kind": {1: "vq", 2: "bsq"}[kind], "bits": bits, "codebookSize": size})
    check_seal()

    frames = []
    while count := struct.unpack("<H", sealed(2))[0]:
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
    json.dump(decode(open(sys.argv[1], "rb").read()), sys.stdout, indent=2)
