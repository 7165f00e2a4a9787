"""The reference codec's parameters: their names, shapes and layouts in a safetensors file, and random values for them.

All arrays are f32. Convolution kernels are [kernel, in, out]; a transposed convolution's kernel w is [kernel, in, out] with
out[n·stride + j] += x[n]·w[j].
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import numpy as np
from safetensors.numpy import load_file, save_file

SAMPLE_RATE = 24_000


@dataclass(frozen=True)
class Configuration:
    """Causal, after DAC (Kumar et al., 2023, arXiv:2306.06546). The default is the codec of the benchmarks."""

    width: int = 32  # channels before the first stride; doubled by each
    strides: tuple[int, ...] = (2, 4, 6, 10)
    latent: int = 256
    dilations: tuple[int, ...] = (1, 3, 9)
    decoder: tuple[int, ...] = ()  # the decoder's channels, from the frame rate on; none for the encoder's

    @property
    def widths(self) -> list[int]:
        return [self.width << level for level in range(len(self.strides) + 1)]

    @property
    def decoder_widths(self) -> list[int]:
        return list(self.decoder) or self.widths[::-1]

    @property
    def hop(self) -> int:
        return math.prod(self.strides)


def parameter_shapes(configuration: Configuration) -> dict[str, tuple[int, ...]]:
    widths = configuration.widths
    levels = list(zip(configuration.strides, widths, widths[1:]))

    def convolution(path: str, kernel: int, inputs: int, outputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{path}.weight", (kernel, inputs, outputs)
        yield f"{path}.bias", (outputs,)

    def units(path: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for index in range(len(configuration.dilations)):
            unit = f"{path}.units.{index}"
            yield f"{unit}.activations.0.alpha", (channels,)
            yield f"{unit}.activations.1.alpha", (channels,)
            yield from convolution(f"{unit}.dilated", 7, channels, channels)
            yield from convolution(f"{unit}.pointwise", 1, channels, channels)

    def encoder() -> Iterator[tuple[str, tuple[int, ...]]]:
        yield from convolution("encoder.stem", 7, 1, widths[0])
        for index, (stride, narrow, wide) in enumerate(levels):
            block = f"encoder.blocks.{index}"
            yield from units(block, narrow)
            yield f"{block}.activation.alpha", (narrow,)
            yield from convolution(f"{block}.downsample", 2 * stride, narrow, wide)
        yield "encoder.activation.alpha", (widths[-1],)
        yield from convolution("encoder.head", 3, widths[-1], configuration.latent)

    def decoder() -> Iterator[tuple[str, tuple[int, ...]]]:
        outward = configuration.decoder_widths
        yield from convolution("decoder.stem", 7, configuration.latent, outward[0])
        for index, (stride, wide, narrow) in enumerate(zip(configuration.strides[::-1], outward, outward[1:])):
            block = f"decoder.blocks.{index}"
            yield f"{block}.activation.alpha", (wide,)
            yield from convolution(f"{block}.upsample", 2 * stride, wide, narrow)
            yield from units(block, narrow)
        yield "decoder.activation.alpha", (outward[-1],)
        yield from convolution("decoder.head", 7, outward[-1], 1)

    return dict(encoder()) | dict(decoder())


def random_parameters(configuration: Configuration, seed: int = 0) -> dict[str, np.ndarray]:
    """Kernels that keep the variance about constant from layer to layer; biases and α that a wrong layout would betray."""
    random = np.random.default_rng(seed)
    parameters = {}
    for path, shape in parameter_shapes(configuration).items():
        noise = random.standard_normal(shape)
        if path.endswith(".alpha"):
            value = np.exp(0.2 * noise)
        elif path.endswith(".bias"):
            value = 0.02 * noise
        else:
            kernel, inputs, _ = shape
            # Of an up-sampling kernel of twice the stride, two taps reach each output.
            fan_in = 2 * inputs if path.endswith(".upsample.weight") else kernel * inputs
            # The skip already carries the variance; what a residual unit adds is kept small.
            gain = 0.3 if path.endswith(".pointwise.weight") else 1.0
            value = noise * gain / math.sqrt(fan_in)
        parameters[path] = value.astype(np.float32)
    return parameters


def load_parameters(file: Path, configuration: Configuration) -> dict[str, np.ndarray]:
    """Refuses a file that lacks a parameter, has one too many or one of another shape."""
    parameters = load_file(file)
    expected = parameter_shapes(configuration)
    found = {path: value.shape for path, value in parameters.items()}
    if found != expected:
        differences = [
            f"{path}: expected {expected.get(path)}, found {found.get(path)}"
            for path in sorted(expected.keys() | found.keys())
            if expected.get(path) != found.get(path)
        ]
        raise ValueError("not the reference codec's parameters\n" + "\n".join(differences[:20]))
    return parameters


def noise_clip(seconds: float, seed: int = 0) -> np.ndarray:
    """[1, N, 1] at the level of speech; the time of the codec does not depend on what it hears."""
    samples = np.random.default_rng(seed).standard_normal((1, round(seconds * SAMPLE_RATE), 1))
    return (0.1 * samples).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write random weights for the reference codec.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    save_file(random_parameters(Configuration(), arguments.seed), arguments.out)


if __name__ == "__main__":
    main()
