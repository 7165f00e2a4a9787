"""Writes the token files in Tests/Fixtures with an encoder of its own, written from docs/token-format.md alone.

    tokenfile_example.allo   the document's worked example
    tokenfile_wide.allo      1000 frames of four levels of 1 to 63 bits, in blocks of 512
    tokenfile_wide.npy       the same codes, by numpy.save
    tokenfile_coded.allo     300 frames of two levels, in blocks of 299 and one, with a prior
    tokenfile_prior.safetensors   the prior

The Swift writer must produce these bytes. The files are read back with tokenfile_decode.py.

    python Tests/Oracles/tokenfile_fixtures.py
"""

import struct
import zlib
from pathlib import Path

import numpy
from safetensors.numpy import save_file
from tokenfile_decode import Prior, decode, identity

FIXTURES = Path(__file__).parent.parent / "Fixtures"


class RangeEncoder:
    """The number as a fraction of whole numbers, which no carry troubles."""

    def __init__(self) -> None:
        self.low, self.range, self.digits = 0, 2**56, 0

    def choose(self, choice: int, counts: list[int]) -> int:
        step = self.range // sum(counts)
        self.low, self.range = self.low + sum(counts[:choice]) * step, counts[choice] * step
        while self.range < 2**48:
            self.low, self.range, self.digits = self.low * 256, self.range * 256, self.digits + 1
        return choice

    def finish(self) -> bytes:
        number = -(-self.low // 2**48)
        return number.to_bytes(self.digits + 1, "big").rstrip(b"\0")


def encode(sample_rate, hop, model, levels, blocks, sample_count, tensors=None) -> bytes:
    """`levels`: (kind, bits, codebook size); `blocks`: lists of frames, which are lists of codes; `tensors`: a prior's."""
    out, checksum = b"", 0

    def seal(piece: bytes) -> None:
        nonlocal out, checksum
        checksum = zlib.crc32(piece, checksum)
        out += piece + struct.pack("<I", checksum)

    header = b"\x89ALLO\r\n\x1a" + struct.pack("<HBBII", 2 if tensors else 1, 1, len(levels), sample_rate, hop) + model
    header += b"".join(struct.pack("<BBHI", kind, bits, 0, size) for kind, bits, size in levels)
    seal(header + (identity(tensors) if tensors else b""))
    prior = tensors and Prior(
        tensors, [{"kind": {1: "vq", 2: "bsq"}[kind], "bits": bits, "codebookSize": size} for kind, bits, size in levels]
    )
    for block in blocks:
        if prior:
            coder = RangeEncoder()
            for frame in block:
                choices = []
                for code, (kind, bits, _) in zip(frame, levels, strict=True):
                    choices += [code] if kind == 1 else [1 - (code >> bit & 1) for bit in range(bits)]
                remaining = iter(choices)
                assert prior.frame(lambda counts: coder.choose(next(remaining), counts)) == frame
            digits = coder.finish()
            seal(struct.pack("<HI", len(block), len(digits)) + digits)
            continue
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

def prior_tensors(past: int, features: int, width: int) -> dict:
    shapes = {
        "past": [past, features, width], "present": [features, width], "head": [features, width],
        "headBias": [features], "bias": [width],
    }  # fmt: skip
    sizes = {name: int(numpy.prod(shape)) for name, shape in shapes.items()}
    values = iter([frame[0] - 100 for frame in noise(sum(sizes.values()), [201])])
    return {f"prior.{name}": (shapes[name], tuple(next(values) for _ in range(sizes[name]))) for name in shapes}


coded_levels = [(1, 3, 7), (2, 5, 0)]
tensors = prior_tensors(past=2, features=12, width=4)
coded_frames = noise(300, [7, 2**5])
coded = encode(
    24000, 480, MODEL, coded_levels, [coded_frames[:299], coded_frames[299:]], sample_count=143999, tensors=tensors
)
(FIXTURES / "tokenfile_coded.allo").write_bytes(coded)
save_file(
    {name: numpy.array(values, dtype=numpy.int16).reshape(shape) for name, (shape, values) in tensors.items()},
    FIXTURES / "tokenfile_prior.safetensors",
)

assert decode(coded, (FIXTURES / "tokenfile_prior.safetensors").read_bytes())["frames"] == coded_frames
assert decode(example)["frames"] == [[5, 0x2A3F1], [47, 0], [0, 0x3FFFF]]
assert decode(wide)["frames"] == codes
assert (numpy.load(FIXTURES / "tokenfile_wide.npy") == numpy.array(codes)).all()
for name in sorted(path.name for path in FIXTURES.glob("tokenfile_*")):
    print(f"{name}: {(FIXTURES / name).stat().st_size} bytes")
for start in range(0, len(example), 16):
    print(f"{start:4d}  {example[start:start + 16].hex(' ')}")
