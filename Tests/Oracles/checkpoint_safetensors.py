"""Writes Tests/Fixtures/checkpoint_reference.safetensors with the reference implementation, and checks that it reads it.

One tensor of each element type, of ranks 0 to 3 and with an empty one, filled with the counting pattern that
SafetensorsTests.swift builds too; the metadata and one name need every kind of JSON escape. The Swift writer must
produce this file byte for byte, which is the proof that others can read what it writes.

    python Tests/Oracles/checkpoint_safetensors.py
"""

import hashlib
import zlib
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

PATH = Path(__file__).parent.parent / "Fixtures" / "checkpoint_reference.safetensors"
METADATA = {'re"cipe\\': 'α/β\n\t\x01\x7f𝄞'}


def counting(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    """0, 1, 2, … less 2 where the type has a sign, halved where it has fractions."""
    values = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    if dtype == torch.bool:
        return (values % 2 == 1).reshape(shape)
    if dtype.is_signed:
        values = values - 2
    if dtype.is_floating_point:
        values = values / 2
    return values.to(dtype).reshape(shape)


TENSORS = {
    "encoder.0.weight": counting(torch.float32, 2, 3, 4),
    "encoder.0.bias": counting(torch.float32, 3),
    "f64": counting(torch.float64, 5),
    "bf16": counting(torch.bfloat16, 3, 3),
    "f16": counting(torch.float16, 7),
    "i64": counting(torch.int64, 2, 2),
    "i32": counting(torch.int32, 3),
    "i16": counting(torch.int16, 5),
    "i8": counting(torch.int8, 5),
    "u64": counting(torch.uint64, 2),
    "u32": counting(torch.uint32, 3),
    "u16": counting(torch.uint16, 3),
    "u8": counting(torch.uint8, 3),
    "bool": counting(torch.bool, 3),
    "step": counting(torch.int64),
    "empty": counting(torch.float32, 0, 4),
    'a "name" \\ α': counting(torch.float32, 1),
}

save_file(TENSORS, PATH, metadata=METADATA)
with safe_open(PATH, framework="pt") as file:
    assert file.metadata() == METADATA
    assert set(file.keys()) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert file.get_tensor(name).dtype == tensor.dtype
        assert torch.equal(file.get_tensor(name), tensor), name

def fingerprint(tensors: dict[str, torch.Tensor], configuration: str) -> str:
    """The model fingerprint, as Sources/Checkpoint/Fingerprint.swift describes it."""
    table = ""
    for name in sorted(tensors, key=str.encode):
        tensor = tensors[name]
        dtype = {"torch.float32": "f32", "torch.bfloat16": "bf16", "torch.int64": "i64"}[str(tensor.dtype)]
        shape = ",".join(map(str, tensor.shape))
        table += f"{name} {dtype} {shape} {zlib.crc32(tensor.flatten().view(torch.uint8).numpy().tobytes()):08x}\n"
    return hashlib.sha256((table + "\n" + configuration).encode()).hexdigest()


subset = {name: TENSORS[name] for name in ["encoder.0.weight", "encoder.0.bias", "bf16", "i64"]}
print("fingerprint:", fingerprint(subset, '{"hop": 480}'))
print(f"{PATH}: {PATH.stat().st_size} bytes, {len(TENSORS)} tensors")
