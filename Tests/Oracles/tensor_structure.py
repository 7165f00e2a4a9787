"""Constants, and primitives that only move elements."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from tensor_fixture import DTYPES, Fixture, numbers

ANY = ["f64", "f32", "bf16", "i64", "i8", "bool"]


def cases():
    f = Fixture("tensor_structure")

    def each(name, function, *inputs):
        for dtype in ANY:
            f.case(f"{name}.{dtype}", function, *[(x > 0 if dtype == "bool" else x * 9).astype(DTYPES[dtype]) for x in inputs])

    for dtype, t in DTYPES.items():
        if dtype != "bool":
            f.case(f"constants{dtype.upper()}", lambda: [lax.broadcasted_iota(t, (2, 3, 4), 1), lax.iota(t, 5), jnp.full((2, 2), 7, t), jnp.array([1, 2, 3], t)])
    x = numbers(1, 2, 3, 4)
    each("reshape", lambda x: [x.reshape(6, 4), x.reshape(4, 6), x.reshape(24), x.reshape(2, 1, 12)], x)
    each("transpose", lambda x: [x.transpose(2, 0, 1), x.transpose(1, 0, 2), jnp.swapaxes(x, 1, 2)], x)
    each("broadcast", lambda x: [
        jnp.broadcast_to(x, (2, 3, 4)), jnp.broadcast_to(x, (5, 2, 3, 4)),
        lax.broadcast_in_dim(x, (2, 2, 3, 4), (0, 2, 3))], numbers(2, 2, 1, 4))
    each("broadcastScalar", lambda x: jnp.broadcast_to(x, (2, 3)), numbers(3))
    each("slice", lambda x: [
        lax.slice(x, (0, 1, 1), (2, 3, 4), (1, 1, 2)), x[:, 1:], x[:, :, -3:-1], x[:, 0:0], x[:, 2], x[:, :, -1], x[::2, ::2, ::3]], x)

    def pad(x, *config):
        return lax.pad(x, jnp.array(1, x.dtype), config)

    each("pad", lambda x: [
        pad(x, (1, 2, 0), (0, 0, 0), (0, 1, 0)), pad(x, (0, 0, 1), (0, 0, 2), (1, 0, 0)),
        pad(x, (-1, 0, 0), (0, -2, 0), (1, -1, 0)), pad(x, (-1, -1, 2), (-2, 3, 2), (2, -4, 1)),
        pad(x, (-2, 3, 0), (0, 0, 0), (-5, 4, 1))], x)
    each("padEmpty", lambda x: pad(x, (2, 1, 3), (0, 0, 0)), numbers(4, 0, 2))
    each("concatenate", lambda x, y, z: [
        jnp.concatenate([x, y], 1), jnp.concatenate([y, z, x], 1), jnp.stack([x, x], 0), jnp.stack([x, x, x], 2)],
        numbers(5, 2, 3, 2), numbers(6, 2, 1, 2), numbers(7, 2, 0, 2))
    each("reverse", lambda x: [lax.rev(x, (0,)), lax.rev(x, (1, 2)), lax.rev(x, (0, 1, 2))], x)
    each("split", lambda x: [*jnp.split(x, 2, 2), *jnp.split(x, 3, 1)], x)
    each("unitAxes", lambda x: [x[None], x[:, None], x[..., None], x[:, :1][:, 0], x[:1, :1, :1].reshape(1, 1)], x)
    f.write()


if __name__ == "__main__":
    cases()
