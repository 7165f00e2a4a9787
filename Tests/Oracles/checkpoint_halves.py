"""Writes Tests/Fixtures/checkpoint_halves.safetensors: numbers in f32, and what PyTorch makes of them in bf16 and f16.

`wide` holds what rounding may get wrong (halfway between two numbers of bf16, subnormals, zeros of both signs, the largest) and
500 random patterns of bits; `bf16` is those rounded, `bf16.wide` the same in f32 again. `f16` and `f16.wide` are likewise of the
numbers that f16 has room for.

    python Tests/Oracles/checkpoint_halves.py
"""

from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

PATH = Path(__file__).parent.parent / "Fixtures" / "checkpoint_halves.safetensors"

upper = [0x0000, 0x0001, 0x007F, 0x0080, 0x3F80, 0x3F81, 0x40FF, 0x7F7E]
lower = [0x0000, 0x0001, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
special = [sign << 31 | high << 16 | low for sign in (0, 1) for high in upper for low in lower]
random = numpy.random.default_rng(1).integers(0, 1 << 32, 500, dtype=numpy.uint32)
# Neither infinities nor NaN, nor what rounds to an infinity.
random = random[(random & 0x7FFFFFFF) < 0x7F7F8000]
wide = torch.from_numpy(numpy.concatenate([numpy.array(special, numpy.uint32), random]).view(numpy.float32))

bf16 = wide.to(torch.bfloat16)
f16 = wide[wide.abs() < 65504].to(torch.float16)
assert bf16.isfinite().all() and f16.isfinite().all()
tensors = {"wide": wide, "bf16": bf16, "bf16.wide": bf16.float(), "f16": f16, "f16.wide": f16.float()}
save_file(tensors, PATH)
print(f"{PATH}: {PATH.stat().st_size} bytes, {len(wide)} numbers")
