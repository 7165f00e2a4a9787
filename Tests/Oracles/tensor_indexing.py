"""Slices at positions known only when the graph runs, with positions outside."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from tensor_fixture import DTYPES, Fixture, numbers

INDICES = np.array([[2, 0, -1], [7, 1, 1]], np.int32)


def scatter(x, indices, updates, axis, combine):
    """Every update in order; those outside the operand are dropped."""
    result = np.moveaxis(np.array(x), axis, 0)
    flat = np.moveaxis(np.asarray(updates).reshape(x.shape[:axis] + (-1,) + x.shape[axis + 1:]), axis, 0)
    for row, update in zip(np.asarray(indices).reshape(-1), flat):
        if 0 <= row < len(result):
            result[row] = combine(result[row], update)
    return np.moveaxis(result, 0, axis)


def cases():
    f = Fixture("tensor_indexing")
    x = numbers(1, 3, 4, 2) * 8
    for dtype in ["f64", "f32", "bf16", "i64", "u8", "bool"]:
        v = (x > 0 if dtype == "bool" else np.abs(x)).astype(DTYPES[dtype])
        u = (numbers(2, 2, 2, 2) > 0 if dtype == "bool" else np.abs(numbers(2, 2, 2, 2) * 8)).astype(DTYPES[dtype])
        for name, start in {"inside": (1, 2, 0), "over": (5, 3, 1), "under": (-4, -1, 0)}.items():
            at = [np.int32(i) for i in start]
            f.case(f"dynamicSlice.{name}_{dtype}", lambda x, a, b, c: lax.dynamic_slice(x, (a, b, c), (2, 2, 2), allow_negative_indices=False), v, *at)
            f.case(f"dynamicUpdateSlice.{name}_{dtype}", lambda x, u, a, b, c: lax.dynamic_update_slice(x, u, (a, b, c), allow_negative_indices=False), v, u, *at)
        f.case(f"gather.{dtype}", lambda x, i: [jnp.take(x, i, axis=a, mode="clip") for a in (0, 1, 2)], v, INDICES)
        f.case(f"gatherScalar.{dtype}", lambda x, i: jnp.take(x, i, axis=1, mode="clip"), v, np.int32(2))
    along = np.array([[[0, 3]], [[-2, 9]], [[1, 1]]], np.int32)
    f.each(["f32", "f64"], "takeAlong", lambda x, i: jnp.take_along_axis(x, jnp.clip(i, 0, 3), 1), x, along)

    combinations = {"Add": np.add, "Maximum": np.maximum, "Minimum": np.minimum}
    for dtype in ["f64", "f32", "bf16", "i32", "u8"]:
        v = np.abs(x).astype(DTYPES[dtype])
        for axis in range(3):
            shape = v.shape[:axis] + INDICES.shape + v.shape[axis + 1:]
            u = np.abs(numbers(axis + 3, *shape) * 8).astype(DTYPES[dtype])
            for name, combine in combinations.items():
                # Sums of several updates round once, from f64.
                wide = np.float64 if dtype in ("f32", "bf16") else v.dtype
                f.case(f"scatter{name}.{dtype}_{axis}", lambda x, i, u: scatter(x.astype(wide), i, u.astype(wide), axis, combine).astype(x.dtype), v, INDICES, u)
    distinct = np.array([3, -1, 0, 4], np.int32)
    for dtype in ["f64", "f32", "bf16", "i32", "bool"]:
        v = (x > 0 if dtype == "bool" else x).astype(DTYPES[dtype])
        u = (numbers(9, 3, 4, 2) > 0 if dtype == "bool" else numbers(9, 3, 4, 2)).astype(DTYPES[dtype])
        f.case(f"scatterReplace.{dtype}", lambda x, i, u: scatter(x, i, u, 1, lambda a, b: b), v, distinct, u)
    f.write()


if __name__ == "__main__":
    cases()
