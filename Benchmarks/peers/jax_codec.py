"""The reference codec in JAX with plain lax calls, as a user writes it: [batch, time, channels], jitted whole."""

from __future__ import annotations

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from weights import Configuration

Parameters = dict[str, Array]


def snake(parameters: Parameters, path: str, x: Array) -> Array:
    """x + sin²(αx)/α with α per channel (Ziyin et al., 2020, arXiv:2006.08195)."""
    alpha = parameters[f"{path}.alpha"]
    return x + jnp.square(jnp.sin(alpha * x)) / (alpha + 1e-9)


def causal_convolution(parameters: Parameters, path: str, x: Array, stride: int = 1, dilation: int = 1) -> Array:
    kernel = parameters[f"{path}.weight"]
    past = (kernel.shape[0] - 1) * dilation + 1 - stride
    y = lax.conv_general_dilated(
        x, kernel, window_strides=(stride,), padding=[(past, 0)], rhs_dilation=(dilation,), dimension_numbers=("NWC", "WIO", "NWC"))
    return y + parameters[f"{path}.bias"]


def causal_transposed_convolution(parameters: Parameters, path: str, x: Array, stride: int) -> Array:
    kernel = parameters[f"{path}.weight"]
    # The second padding leaves out the kernel - stride samples that would reach past the last frame.
    y = lax.conv_general_dilated(
        x, kernel[::-1], window_strides=(1,), padding=[(kernel.shape[0] - 1, stride - 1)], lhs_dilation=(stride,),
        dimension_numbers=("NWC", "WIO", "NWC"))
    return y + parameters[f"{path}.bias"]


def residual_units(parameters: Parameters, path: str, x: Array, configuration: Configuration) -> Array:
    for index, dilation in enumerate(configuration.dilations):
        unit = f"{path}.units.{index}"
        y = causal_convolution(parameters, f"{unit}.dilated", snake(parameters, f"{unit}.activations.0", x), dilation=dilation)
        x = x + causal_convolution(parameters, f"{unit}.pointwise", snake(parameters, f"{unit}.activations.1", y))
    return x


def encode(configuration: Configuration, parameters: Parameters, x: Array) -> Array:
    """[B, N, 1] → [B, N / hop, latent]"""
    x = causal_convolution(parameters, "encoder.stem", x)
    for index, stride in enumerate(configuration.strides):
        block = f"encoder.blocks.{index}"
        x = snake(parameters, f"{block}.activation", residual_units(parameters, block, x, configuration))
        x = causal_convolution(parameters, f"{block}.downsample", x, stride=stride)
    return causal_convolution(parameters, "encoder.head", snake(parameters, "encoder.activation", x))


def decode(configuration: Configuration, parameters: Parameters, x: Array) -> Array:
    """[B, T, latent] → [B, T · hop, 1]"""
    x = causal_convolution(parameters, "decoder.stem", x)
    for index, stride in enumerate(reversed(configuration.strides)):
        block = f"decoder.blocks.{index}"
        x = causal_transposed_convolution(parameters, f"{block}.upsample", snake(parameters, f"{block}.activation", x), stride)
        x = residual_units(parameters, block, x, configuration)
    return causal_convolution(parameters, "decoder.head", snake(parameters, "decoder.activation", x))


class JAXPeer:
    """Times the codec's inference and training. Arrays that go in and out are [batch, time, channels].

    XLA takes one thread for each core that the process may use: the caller sets the affinity before it imports this.
    """

    def __init__(self, parameters: dict[str, np.ndarray], configuration: Configuration = Configuration()):
        self.parameters = parameters
        self.on_device = jax.device_put(parameters)
        self.encode = jax.jit(partial(encode, configuration))
        self.decode = jax.jit(partial(decode, configuration))
        self.optimizer = optax.adamw(1e-4, weight_decay=0.01)

        def loss(parameters: Parameters, x: Array) -> Array:
            return jnp.mean(jnp.square(decode(configuration, parameters, encode(configuration, parameters, x)) - x))

        @partial(jax.jit, donate_argnums=(0, 1))
        def step(parameters: Parameters, state: optax.OptState, x: Array) -> tuple[Parameters, optax.OptState, Array]:
            value, gradients = jax.value_and_grad(loss)(parameters, x)
            updates, state = self.optimizer.update(gradients, state, parameters)
            return optax.apply_updates(parameters, updates), state, value

        self.step = step

    @property
    def description(self) -> str:
        return f"JAX {jax.__version__}"

    def outputs(self, clip: np.ndarray) -> dict[str, np.ndarray]:
        latent = self.encode(self.on_device, clip)
        return {"latent": np.asarray(latent), "output": np.asarray(self.decode(self.on_device, latent))}

    def time_inference(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        x = jax.device_put(clip)
        encoder, decoder = [], []
        for _ in range(repeat):
            start = time.perf_counter()
            latent = self.encode(self.on_device, x).block_until_ready()
            middle = time.perf_counter()
            self.decode(self.on_device, latent).block_until_ready()
            end = time.perf_counter()
            encoder.append(middle - start)
            decoder.append(end - middle)
        return {"seconds": [sum(pair) for pair in zip(encoder, decoder)], "encoder": encoder, "decoder": decoder}

    def time_training(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        """Every call starts again from the given weights, so the losses of two peers can be compared."""
        parameters = jax.tree.map(jnp.array, self.parameters)
        state = self.optimizer.init(parameters)
        x = jax.device_put(clip)
        seconds, losses = [], []
        for _ in range(repeat):
            start = time.perf_counter()
            parameters, state, loss = jax.block_until_ready(self.step(parameters, state, x))
            seconds.append(time.perf_counter() - start)
            losses.append(float(loss))
        return {"seconds": seconds, "losses": losses}
