"""Collects cases, each the inputs and outputs of one operation, and writes them as one safetensors file.

A case called `exp.f32` becomes the arrays `exp.f32/in0`, `exp.f32/out0`, and so on. What stands before the dot is the
operation, which the Swift test knows by that name; what follows is the variant, usually the dtype.
"""

import pathlib

import jax
import ml_dtypes
import numpy as np
import safetensors.numpy

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures"

DTYPES = {
    "f64": np.float64, "f32": np.float32, "bf16": ml_dtypes.bfloat16, "f16": np.float16,
    "i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8,
    "u64": np.uint64, "u32": np.uint32, "u16": np.uint16, "u8": np.uint8, "bool": np.bool_,
}
FLOATS = ["f64", "f32", "bf16", "f16"]
SIGNED = ["i64", "i32", "i16", "i8"]
UNSIGNED = ["u64", "u32", "u16", "u8"]


class Fixture:
    def __init__(self, name):
        self.name = name
        self.arrays = {}

    def case(self, name, function, *inputs):
        """Records `function` of these inputs, as they are."""
        inputs = [np.asarray(x) for x in inputs]
        outputs = function(*[jax.numpy.asarray(x) for x in inputs])
        if not isinstance(outputs, (tuple, list)):
            outputs = [outputs]
        for kind, arrays in (("in", inputs), ("out", outputs)):
            for index, array in enumerate(arrays):
                key = f"{name}/{kind}{index}"
                assert key not in self.arrays, key
                self.arrays[key] = np.ascontiguousarray(np.asarray(array)).reshape(np.shape(array))

    def each(self, dtypes, name, function, *inputs):
        """Records one variant for each dtype, with the floating inputs rounded to it."""
        for dtype in dtypes:
            cast = [x.astype(DTYPES[dtype]) if np.asarray(x).dtype == np.float64 else x for x in inputs]
            self.case(f"{name}.{dtype}", function, *cast)

    def write(self):
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{self.name}.safetensors"
        safetensors.numpy.save_file(dict(sorted(self.arrays.items())), path)
        print(f"{path.name}: {len(self.arrays)} arrays, {path.stat().st_size} bytes")


def numbers(seed, *shape):
    """Standard normal numbers in f64, exact in bf16, so that every floating variant starts from the same values."""
    values = np.random.default_rng(seed).standard_normal(shape)
    return values.astype(ml_dtypes.bfloat16).astype(np.float64)
