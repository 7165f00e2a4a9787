"""Reductions, positions of extremes, sorting and running combinations."""

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax import lax

from tensor_fixture import DTYPES, FLOATS, SIGNED, UNSIGNED, Fixture, numbers

AXES = [(0,), (1,), (2,), (0, 2), (0, 1, 2)]
SPECIAL = np.array([[1, np.nan, 3], [np.inf, 2, -np.inf], [np.inf, np.inf, 1], [-np.inf, -np.inf, -np.inf], [-0.0, 0.0, -0.0]])
TIED = np.array([[3, 1, 3, 2, 1], [np.nan, 5, -np.inf, np.nan, 5], [-0.0, 0.0, 0.0, -0.0, -1], [np.inf, 7, 7, 7, np.inf]])
# XLA treats NaN, and in sorting -0, otherwise.
TIED_NUMBERS = np.where(np.isnan(TIED), 6, TIED)
WITHOUT_MINUS_ZERO = TIED_NUMBERS + 0.0


def order(x, axis, descending):
    return jnp.argsort(x, axis=axis, descending=descending, stable=True).astype(np.int32)


def cases():
    f = Fixture("tensor_reductions")
    x = numbers(1, 2, 3, 4)
    for name, function in {"sum": jnp.sum, "product": jnp.prod, "maximum": jnp.max, "minimum": jnp.min}.items():
        f.each(FLOATS, name, lambda x: [function(x, axis=a).astype(x.dtype) for a in AXES], x)
        f.each(FLOATS, f"{name}Special", lambda x: function(x, axis=1).astype(x.dtype), SPECIAL)
        for dtype in SIGNED + UNSIGNED:
            edge = np.array([[np.iinfo(DTYPES[dtype]).max, 3, 2], [np.iinfo(DTYPES[dtype]).min, 5, 7]], DTYPES[dtype])
            options = {"dtype": DTYPES[dtype]} if name in ("sum", "product") else {}
            f.case(f"{name}Integers.{dtype}", lambda x: [function(x, axis=1, **options), function(x, **options)], edge)
    f.each(["f32", "f64"], "emptyAxis", lambda x: [
        jnp.sum(x, 1), jnp.prod(x, 1), jnp.max(x, 1, initial=-jnp.inf), jnp.min(x, 1, initial=jnp.inf)], numbers(2, 2, 0))
    truths = np.array([[True, True], [True, False], [False, False]])
    f.case("allAny.bool", lambda x: [x.all(1), x.any(1), x.all(), x.any(), x[:0].all(0), x[:0].any(0)], truths)
    f.each(["f32", "f64"], "keepingAxes", lambda x: [
        jnp.sum(x, (0, 2), keepdims=True), jnp.max(x, -1, keepdims=True), jnp.mean(x), jnp.mean(x, (0, 2)),
        jnp.mean(x, 1, keepdims=True)], x)
    # Many small terms on a large one: what is lost depends on how the sum is accumulated.
    f.each(["f32", "f64"], "longSum", lambda x: np.sum(np.asarray(x, np.float64)).astype(x.dtype),
           np.concatenate([[1e6], np.full(4000, 1e-2)]))

    f.each(["f32", "f64"], "logSumExp", lambda x: [
        jax.scipy.special.logsumexp(x, 1), jax.scipy.special.logsumexp(x, 1, keepdims=True), jax.scipy.special.logsumexp(x, 0)], SPECIAL)
    f.each(["f32", "f64"], "softmax", lambda x: [
        jax.nn.softmax(x, -1), jax.nn.softmax(x, 0), jax.nn.log_softmax(x, -1), jax.nn.log_softmax(x, 1)], x * 20)

    for dtype in FLOATS:
        for suffix, numbered, sortable in [("", TIED_NUMBERS, WITHOUT_MINUS_ZERO), ("Special", TIED, TIED)]:
            v, w = numbered.astype(DTYPES[dtype]), sortable.astype(DTYPES[dtype])
            f.case(f"argmax{suffix}.{dtype}", lambda x: [lax.argmax(x, 1, np.int32), lax.argmax(x, 0, np.int32), lax.argmin(x, 1, np.int32)], v)
            f.case(f"sort{suffix}.{dtype}", lambda x: [
                jnp.take_along_axis(x, order(x, a, d), a) if values else order(x, a, d)
                for a in (1, 0) for d in (False, True) for values in (True, False)], w)
            f.case(f"top{suffix}.{dtype}", lambda x: [jnp.take_along_axis(x, order(x, 1, True)[:, :3], 1), order(x, 1, True)[:, :3]], w)
    for dtype in SIGNED + UNSIGNED:
        low, high = np.iinfo(DTYPES[dtype]).min, np.iinfo(DTYPES[dtype]).max
        v = np.array([[3, low, high, low, 1], [high, high, low + 1, 0, 3]], DTYPES[dtype])
        f.case(f"argmax.{dtype}", lambda x: [lax.argmax(x, 1, np.int32), lax.argmax(x, 0, np.int32), lax.argmin(x, 1, np.int32)], v)
        f.case(f"sort.{dtype}", lambda x: [
            jnp.take_along_axis(x, order(x, a, d), a) if values else order(x, a, d)
            for a in (1, 0) for d in (False, True) for values in (True, False)], v)
    f.each(["f32", "f64"], "sortSeveral", lambda k, v: lax.sort([k, v, jnp.arange(8, dtype=np.int64).reshape(2, 4)], dimension=1, num_keys=1, is_stable=True),
           np.array([[2, 1, 2, 1], [0, -1, 0, 3.0]]), numbers(3, 2, 4))

    f.each(["f32", "f64"], "cumulative", lambda x: [
        jnp.cumsum(x, 1), jnp.cumsum(x, 0), jnp.cumprod(x, 2), lax.cummax(x, axis=1)], numbers(4, 3, 7, 2))
    f.case("cumulativeIntegers.i32", lambda x: [
        jnp.cumsum(x, 0, dtype=np.int32), jnp.cumprod(x, 0, dtype=np.int32), lax.cummax(x, axis=0)],
        np.array([-5, 3, -9, 100000, 7, 100000, 2], np.int32))
    f.case("cumulativeIntegers.u8", lambda x: [
        jnp.cumsum(x, 0, dtype=np.uint8), jnp.cumprod(x, 0, dtype=np.uint8), lax.cummax(x, axis=0)],
        np.array([5, 3, 9, 100, 7], np.uint8))
    f.write()


if __name__ == "__main__":
    cases()
