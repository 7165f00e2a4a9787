"""Sums of products: dot products, convolutions and Fourier transforms."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from tensor_fixture import DTYPES, FLOATS, Fixture, numbers


def dots(f):
    def dot(contracting, batching=((), ())):
        return lambda x, y: lax.dot_general(x, y, (contracting, batching))

    f.each(FLOATS, "matmul", lambda x, y, z: [x @ y, x[0] @ y, x @ z], numbers(1, 2, 3, 4), numbers(2, 4, 5), numbers(3, 2, 4, 2))
    f.each(["f32", "f64"], "dotBatched", dot(((3, 1), (2, 3)), ((0,), (1,))), numbers(4, 2, 3, 4, 5), numbers(5, 2, 2, 5, 3))
    f.each(["f32", "f64"], "dotTwoBatches", dot(((1,), (3,)), ((2, 0), (0, 1))), numbers(6, 2, 3, 4), numbers(7, 4, 2, 5, 3))
    f.each(["f32", "f64"], "dotOuter", dot(((), ())), numbers(8, 3), numbers(9, 2))
    f.each(["f32", "f64"], "dotEmpty", dot(((1,), (0,))), numbers(10, 3, 0), numbers(11, 0, 2))
    f.each(["f32", "f64"], "dotSpecial", dot(((1,), (0,))), np.array([[np.inf, 1], [np.nan, 1], [1, 2]]), np.array([[0.0, 1], [2, -np.inf]]))
    for dtype in ["i32", "i64", "u8", "i8"]:
        t = DTYPES[dtype]
        x = np.array([[100, 3, np.iinfo(t).max], [5, 6, 7]], t)
        f.case(f"dotIntegers.{dtype}", lambda x, y: lax.dot_general(x, y, (((1,), (0,)), ((), ())), preferred_element_type=x.dtype), x, x.T.copy())


# name: (operand shape, kernel shape, layout, keyword arguments)
NWC, NHWC, NDHWC = ("NWC", "WIO", "NWC"), ("NHWC", "HWIO", "NHWC"), ("NDHWC", "DHWIO", "NDHWC")
CONVOLUTIONS = {
    "convolutionPlain": ((2, 9, 3), (3, 3, 4), NWC, dict(padding=[(0, 0)])),
    "convolutionCausal": ((2, 9, 3), (3, 3, 4), NWC, dict(padding=[(4, 0)], rhs_dilation=(2,))),
    "convolutionStrided": ((2, 10, 3), (4, 3, 2), NWC, dict(padding=[(1, 2)], window_strides=(3,))),
    "convolutionTransposed": ((2, 5, 3), (4, 3, 2), NWC, dict(padding=[(3, 3)], lhs_dilation=(2,))),
    "convolutionCropped": ((1, 9, 2), (3, 2, 2), NWC, dict(padding=[(-2, -1)])),
    "convolutionCroppedDilated": ((1, 5, 2), (3, 2, 2), NWC, dict(padding=[(-3, 2)], lhs_dilation=(3,), rhs_dilation=(2,), window_strides=(2,))),
    "convolutionGrouped": ((2, 7, 6), (3, 2, 9), NWC, dict(padding=[(1, 1)], feature_group_count=3)),
    "convolutionDepthwise": ((2, 7, 4), (3, 1, 8), NWC, dict(padding=[(1, 1)], window_strides=(2,), feature_group_count=4)),
    "convolutionBatchGrouped": ((6, 7, 3), (3, 3, 4), NWC, dict(padding=[(1, 0)], batch_group_count=2)),
    "convolutionTooShort": ((1, 2, 3), (4, 3, 2), NWC, dict(padding=[(0, 0)])),
    "convolutionPlane": ((2, 6, 5, 3), (3, 2, 3, 4), NHWC, dict(padding=[(1, 0), (-1, 2)], window_strides=(2, 1), rhs_dilation=(1, 2), lhs_dilation=(1, 2))),
    "convolutionVolume": ((1, 3, 4, 2, 2), (2, 2, 1, 2, 3), NDHWC, dict(padding=[(0, 1), (1, 0), (0, 0)], window_strides=(1, 2, 1))),
    "convolutionChannelsFirst": ((2, 3, 9), (4, 3, 3), ("NCW", "OIW", "NCW"), dict(padding=[(1, 1)])),
    "convolutionMixedLayout": ((6, 3, 2, 5), (2, 4, 3, 3), ("HCNW", "WOHI", "WNCH"), dict(padding=[(1, 1), (0, 0)], window_strides=(2, 1))),
}


def convolutions(f):
    for name, (operand, kernel, layout, options) in CONVOLUTIONS.items():
        spatial = len(operand) - 2
        options = {"window_strides": (1,) * spatial, **options}
        dtypes = FLOATS if name in ("convolutionPlain", "convolutionStrided") else ["f32", "f64"]
        f.each(dtypes, name, lambda x, w: lax.conv_general_dilated(x, w, dimension_numbers=layout, **options),
               numbers(len(name), *operand), numbers(len(name) + 1, *kernel))
    x, w = (numbers(1, 2, 6, 2) * 9).astype(np.int32), (numbers(2, 3, 2, 3) * 9).astype(np.int32)
    f.case("convolutionPlain.i32", lambda x, w: lax.conv_general_dilated(x, w, (1,), [(0, 0)], dimension_numbers=NWC), x, w)


def fourier(f):
    def parts(z):
        return [jnp.real(z), jnp.imag(z)]

    for n in [1, 2, 3, 5, 8, 12, 30, 31]:
        half = n // 2 + 1
        x, y = numbers(n, 2, n), numbers(n + 100, 2, n)
        f.each(["f32", "f64"], f"rfft{n}", lambda x: parts(jnp.fft.rfft(x)), x)
        f.each(["f32", "f64"], f"irfft{n}", lambda x, y: jnp.fft.irfft(lax.complex(x, y), n), numbers(n, 2, half), numbers(n + 1, 2, half))
        f.each(["f32", "f64"], f"fft{n}", lambda x, y: parts(jnp.fft.fft(lax.complex(x, y))), x, y)
        f.each(["f32", "f64"], f"ifft{n}", lambda x, y: parts(jnp.fft.ifft(lax.complex(x, y))), x, y)


def cases():
    f = Fixture("tensor_products")
    dots(f)
    convolutions(f)
    fourier(f)
    f.write()


if __name__ == "__main__":
    cases()
