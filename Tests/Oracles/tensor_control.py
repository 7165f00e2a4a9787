"""Loops, branches, rematerialisation and custom gradients, with gradients; and random numbers."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tensor_fixture import Fixture, numbers


def recurrence(reverse):
    """A cell with a captured matrix, a second carry that counts, and two results a step."""

    def run(state, xs, w):
        def step(carry, x):
            h, n = carry
            h = jnp.tanh(h @ w + x * (n + 1).astype(h.dtype))
            return (h, n + 1), (h.sum(), h * x)

        (h, n), (sums, products) = lax.scan(step, (state, jnp.int32(0)), xs, reverse=reverse)
        return h, n, sums, products

    def everything(state, xs, w):
        def loss(state, xs, w):
            h, _, sums, products = run(state, xs, w)
            return (h * h).sum() + (sums * sums).sum() + products.sum()

        return [*run(state, xs, w), *jax.grad(loss, (0, 1, 2))(state, xs, w)]

    return everything


def collatz(x):
    def step(state):
        value, count = state
        return jnp.where(value % 2 == 0, value // 2, 3 * value + 1), count + 1

    return lax.while_loop(lambda s: s[0] > 1, step, (x, jnp.int32(0)))


def branch(condition, x, y):
    def loss(x, y):
        return lax.cond(condition, lambda: (x * y).sum(), lambda: jnp.exp(x).sum())

    return [loss(x, y), *jax.grad(loss, (0, 1))(x, y)]


def clipped_gradient(x):
    """The identity, whose gradient is held within ±0.5."""

    @jax.custom_vjp
    def identity(x):
        return x

    identity.defvjp(lambda x: (x, None), lambda _, g: (jnp.clip(g, -.5, .5),))
    return [identity(x), jax.grad(lambda x: (identity(x) ** 3).sum())(x)]


def remat(x, w):
    def body(x, w):
        return jnp.tanh(jnp.sin(x @ w) @ w)

    return [body(x, w), *jax.grad(lambda x, w: (jax.checkpoint(body)(x, w) ** 2).sum(), (0, 1))(x, w)]


def stopped(x):
    return [x * lax.stop_gradient(x), jax.grad(lambda x: (x * lax.stop_gradient(x)).sum())(x)]


def control():
    f = Fixture("tensor_control")
    state, xs, w = numbers(1, 2, 3), numbers(2, 5, 2, 3), numbers(3, 3, 3)
    f.each(["f32", "f64"], "scan", recurrence(False), state, xs, w)
    f.each(["f32", "f64"], "scanReversed", recurrence(True), state, xs, w)
    f.each(["f32", "f64"], "scanNoSteps", recurrence(False), state, xs[:0], w)
    for value in (1, 6, 27):
        f.case(f"whileLoop.{value}", collatz, np.int32(value))
    for value in (False, True):
        for dtype in (np.float32, np.float64):
            f.case(f"conditional.{value}_{np.dtype(dtype).name}", branch, np.bool_(value), numbers(4, 3).astype(dtype), numbers(5, 3).astype(dtype))
    f.each(["f32", "f64"], "clippedGradient", clipped_gradient, numbers(6, 6))
    f.each(["f32", "f64"], "checkpoint", remat, numbers(7, 2, 3), numbers(8, 3, 3))
    f.each(["f32", "f64"], "stopGradient", stopped, numbers(9, 4))
    f.write()


def random():
    f = Fixture("tensor_random")
    for seed in (0, 42, 2**40 + 7, 2**64 - 1):
        key = jnp.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)
        if seed < 2**63:
            assert (jax.random.PRNGKey(seed) == key).all()
        f.case(f"bits.{seed}", lambda k: [jax.random.bits(k, s, np.uint32) for s in ((), (5,), (3, 4), (0,))], key)
        f.case(f"split.{seed}", lambda k: [*jax.random.split(k), *jax.random.split(k, 3)], key)
        f.case(f"fold.{seed}", lambda k: [jax.random.fold_in(k, d) for d in (0, 7, 2**32 - 1)], key)
        f.case(f"uniform.{seed}", lambda k: [
            jax.random.uniform(k, (64,), np.float32), jax.random.uniform(k, (8,), np.float32, 2, 4)], key)
        f.case(f"uniformRange.{seed}", lambda k: jax.random.uniform(k, (64,), np.float32, -3, 5.3), key)
        f.case(f"normal.{seed}", lambda k: jax.random.normal(k, (256,), np.float32), key)
        f.case(f"bernoulli.{seed}", lambda k: jax.random.bernoulli(k, np.float32(.3), (64,)), key)
        f.case(f"integers.{seed}", lambda k: (jax.random.bits(k, (32,), np.uint32) % np.uint32(100)).astype(np.int32), key)
    f.write()


if __name__ == "__main__":
    control()
    random()
