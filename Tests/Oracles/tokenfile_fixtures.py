"""Writes the token files in Tests/Fixtures with an encoder of its own, written from docs/token-format.md alone.

    tokenfile_example.allo   the document's worked example
    tokenfile_wide.allo      1000 frames of four levels of 1 to 63 bits, in blocks of 512
    tokenfile_wide.npy       the same codes, by numpy.save

The Swift writer must produce these bytes. Both files are read back with tokenfile_decode.py.

    python Tests/Oracles/tokenfile_fixtures.py
"""

import struct
import zlib
from pathlib import Path

import numpy
from tokenfile_decode import decode

FIXTURES = Path(__file__).parent.parent / "Fixtures"


def encode(sample_rate, hop, model, levels, blocks, sample_count) -> bytes:
    """`levels`: (kind, bits, codebook size); `blocks`: lists of frames, which are lists of codes."""
    out, checksum = b"", 0

    def seal(piece: bytes) -> None:
        nonlocal out, checksum
        checksum = zlib.crc32(piece, checksum)
        out += piece + struct.pack("<I", checksum)

    header = b"\x89ALLO\r\n\x1a" + struct.pack("<HBBII", 1, 1, len(levels), sample_rate, hop) + model
    seal(header + b"".join(struct.pack("<BBHI", kind, bits, 0, size) for kind, bits, size in levels))
    for block in blocks:
        number, position = 0, 0
        for frame in block:
            for code, (_, bits, _) in zip(frame, levels, strict=True):
                number |= code << position
                position += bits
        seal(struct.pack("<H", len(block)) + number.to_bytes((position + 7) // 8, "little"))
    seal(struct.pack("<HQQ", 0, sum(map(len, blocks)), sample_count))
    return out


def noise(count: int, sizes: list[int]) -> list[list[int]]:
    """Codes from Knuth's 64-bit linear congruential generator, taken from its upper bits."""
    state, frames = 1, []
    for _ in range(count):
        frame = []
        for size in sizes:
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            frame.append((state >> 1) % size)
        frames.append(frame)
    return frames


MODEL = bytes(range(32))
example = encode(
    24000, 480, MODEL, [(1, 6, 48), (2, 18, 0)], [[[5, 0x2A3F1], [47, 0]], [[0, 0x3FFFF]]], sample_count=1200
)
(FIXTURES / "tokenfile_example.allo").write_bytes(example)

codes = noise(1000, [1025, 2**36, 2, 2**63])
levels = [(1, 11, 1025), (2, 36, 0), (1, 1, 2), (2, 63, 0)]
wide = encode(48000, 1920, MODEL, levels, [codes[:512], codes[512:]], sample_count=1919001)
(FIXTURES / "tokenfile_wide.allo").write_bytes(wide)
numpy.save(FIXTURES / "tokenfile_wide.npy", numpy.array(codes, dtype=numpy.int64))

assert decode(example)["frames"] == [[5, 0x2A3F1], [47, 0], [0, 0x3FFFF]]
assert decode(wide)["frames"] == codes
assert (numpy.load(FIXTURES / "tokenfile_wide.npy") == numpy.array(codes)).all()
for name in ["tokenfile_example.allo", "tokenfile_wide.allo", "tokenfile_wide.npy"]:
    print(f"{name}: {(FIXTURES / name).stat().st_size} bytes")
for start in range(0, len(example), 16):
    print(f"{start:4d}  {example[start:start + 16].hex(' ')}")
