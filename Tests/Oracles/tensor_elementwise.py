"""Functions of one, two and three elements, comparisons and conversions, with the edge cases of each dtype."""

import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax import lax

from tensor_fixture import DTYPES, FLOATS, SIGNED, UNSIGNED, Fixture, numbers

SPECIAL = np.array(
    [-np.inf, -100, -2.5, -1.5, -1, -0.5, -1e-3, -0.0, 0.0, 1e-3, 0.25, 0.5, 1, 1.5, 2.5, 3.5, 100, np.inf, np.nan])
PAIRED = np.array([-np.inf, -2.5, -1, -0.0, 0.0, 0.5, 3, np.inf, np.nan])
X, Y = (a.reshape(-1) for a in np.meshgrid(PAIRED, PAIRED))
HAS_NAN = np.isnan(X) | np.isnan(Y)

UNARY = {
    "negate": lax.neg, "exponential": lax.exp, "exponentialMinusOne": lax.expm1, "log": lax.log,
    "logOnePlus": lax.log1p, "squareRoot": lax.sqrt, "reciprocalSquareRoot": lax.rsqrt, "sine": lax.sin,
    "cosine": lax.cos, "tanh": lax.tanh, "logistic": lax.logistic, "absolute": lax.abs, "sign": lax.sign,
    "floor": lax.floor, "ceil": lax.ceil, "isFinite": lax.is_finite,
    "roundToEven": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
}
BINARY = {
    "add": lax.add, "subtract": lax.sub, "multiply": lax.mul, "divide": lax.div, "remainder": lax.rem,
    "maximum": lax.max, "minimum": lax.min,
}
BITS = {
    "and": lax.bitwise_and, "or": lax.bitwise_or, "xor": lax.bitwise_xor, "shiftLeft": lax.shift_left,
    "shiftRightLogical": lax.shift_right_logical,
}
COMPARISONS = [lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge]


def integers(dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return np.array(sorted({low, low + 1, low // 2, 0, 1, 2, 3, 7, high // 2, high - 1, high} | ({-1, -5} if low else set())),
                    dtype=dtype)


def cases():
    f = Fixture("tensor_elementwise")
    for name, function in UNARY.items():
        f.each(FLOATS, name, function, SPECIAL)
    for name, function in {**BINARY, "power": lax.pow, "atan2": lax.atan2}.items():
        if name in ("maximum", "minimum"):
            # XLA's CPU backend may pass over a NaN.
            f.each(FLOATS, name, function, X[~HAS_NAN], Y[~HAS_NAN])
            f.each(FLOATS, f"{name}Special", function, X[HAS_NAN], Y[HAS_NAN])
        else:
            f.each(FLOATS, name, function, X, Y)
    # Values without NaN show whether a zero kept its sign.
    f.each(["f32", "f64"], "signOfZero", lambda x: [
        1 / -x, 1 / lax.sign(x), 1 / lax.floor(x), 1 / lax.sqrt(x), 1 / lax.sin(x), 1 / (x * -1.0), 1 / (x / 2.0)],
        np.array([-0.0, 0.0]))

    for name in SIGNED + UNSIGNED:
        values = integers(DTYPES[name])
        x, y = (a.reshape(-1) for a in np.meshgrid(values, values))
        f.case(f"integers.{name}", lambda x, y: [
            *[function(x, y) for function in {**BINARY, **BITS}.values()], lax.bitwise_not(x)], x, y)
    for name in SIGNED:
        f.case(f"signedIntegers.{name}", lambda x: [lax.neg(x), lax.abs(x), lax.sign(x)], integers(DTYPES[name]))
    truths = np.array([False, False, True, True]), np.array([False, True, False, True])
    f.case("logic.bool", lambda x, y: [x & y, x | y, x ^ y, ~x], *truths)
    bases, exponents = np.meshgrid(np.array([-3, -1, 0, 1, 2, 9], np.int32), np.array([0, 1, 2, 5, 31, 33], np.int32))
    f.case("integerPower.i32", jnp.power, bases.reshape(-1), exponents.reshape(-1))

    for name in FLOATS:
        f.case(f"compare.{name}", lambda x, y: [c(x, y) for c in COMPARISONS],
               X.astype(DTYPES[name]), Y.astype(DTYPES[name]))
    for name in SIGNED + UNSIGNED:
        values = integers(DTYPES[name])
        f.case(f"compare.{name}", lambda x, y: [c(x, y) for c in COMPARISONS], values, values[::-1])
    f.case("compare.bool", lambda x, y: [c(x, y) for c in COMPARISONS], *truths)

    mask = numbers(1, 3, 4) > 0
    for name, dtype in DTYPES.items():
        f.case(f"select.{name}", lax.select, mask, (numbers(2, 3, 4) * 5).astype(dtype), (numbers(3, 3, 4) * 5).astype(dtype))
    f.case("selectBroadcast.f32", jnp.where, mask[:, :1], numbers(2, 4).astype(np.float32), np.float32(7))

    for source in FLOATS:
        values = np.concatenate([SPECIAL, [126.9, 127.5, 255.4, 256, 300, -300, 65504, 65519, 65520, 70000, 1e10, -1e10, 1e20]])
        values = values if source in ("f64", "f32", "bf16") else values[np.isnan(values) | np.isinf(values) | (np.abs(values) < 65505)]
        f.case(f"convert.{source}", lambda x: [lax.convert_element_type(x, t) for t in DTYPES.values()],
               values.astype(DTYPES[source]))
    for source in SIGNED + UNSIGNED:
        f.case(f"convert.{source}", lambda x: [lax.convert_element_type(x, t) for t in DTYPES.values()],
               integers(DTYPES[source]))
    f.case("convert.bool", lambda x: [lax.convert_element_type(x, t) for t in DTYPES.values()], truths[0])
    # Halves of the last kept bit, to either side and exactly; and subnormal halves.
    ties = np.array([1 + k * 2.0**-12 for k in range(9)] + [1 + k * 2.0**-9 for k in range(9)]
                    + [k * 2.0**-26 for k in range(9)] + [65503, 65519, 65520], dtype=np.float32)
    f.case("rounding.f32", lambda x: [lax.convert_element_type(x, DTYPES["bf16"]), lax.convert_element_type(x, np.float16)], ties)

    for source, target in [("f32", "u32"), ("f32", "i32"), ("f64", "u64"), ("f64", "i64"), ("f16", "u16"), ("bf16", "i16")]:
        f.case(f"bitcast{target.upper()}.{source}", lambda x: lax.bitcast_convert_type(x, DTYPES[target]),
               SPECIAL[:-1].astype(DTYPES[source]))
    f.case("bitcastF32.u32", lambda x: lax.bitcast_convert_type(x, np.float32),
           np.array([0, 1, 0x3F800000, 0x7F800000, 0x80000000], np.uint32))
    f.case("bitcastU8.i8", lambda x: lax.bitcast_convert_type(x, np.uint8), integers(np.int8))

    f.each(["f32", "f64"], "barrierAndStop", lambda x, y: [x, y, x], numbers(4, 3), numbers(5, 2))
    f.each(["f32", "f64"], "scalarOperators", lambda x: [
        x + 2, x - 2, x * 2, x / 2, 2 + x, 2 - x, 2 * x, 2 / x, jnp.maximum(x, .5), jnp.minimum(x, .5),
        jnp.clip(x, -.5, .5), x * x, jnp.power(x, 3.0), x == 1, x < 1, x > 1, x >= 1], np.array([-2, -1, -.25, .25, 1, 4.0]))
    f.each(["f32", "f64"], "broadcastingOperators", lambda x, y, z: [x + y, x * z, y - z, x < y],
           numbers(6, 3, 1), numbers(7, 2, 1, 4), numbers(8))
    f.case("shiftBy.u32", lambda x: [x << np.uint32(5), x >> np.uint32(9)], integers(np.uint32))
    f.case("shiftBy.i32", lambda x: [x << np.int32(5), lax.shift_right_logical(x, jnp.full_like(x, 9))], integers(np.int32))
    f.each(["f32"], "inverseErrorFunction", jax.scipy.special.erfinv, np.linspace(-.99999, .99999, 41))
    f.each(["f32", "f64"], "polynomial", lambda x: jnp.polyval(jnp.array([2, -1, 0.5, 3], x.dtype), x), numbers(9, 7))
    f.write()


if __name__ == "__main__":
    cases()
