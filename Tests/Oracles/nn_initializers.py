"""Flax's initialisers from JAX's Threefry keys -> Tests/Fixtures/nn_initializers.safetensors."""

import pathlib

import jax
import numpy as np
from flax.linen import initializers
from safetensors.numpy import save_file

key = jax.random.PRNGKey(42)
shape = (3, 5, 4)
made = {
    "normal": initializers.normal(0.02),
    "truncatedNormal": initializers.truncated_normal(0.5),
    "lecunNormal": initializers.lecun_normal(),
    "glorotUniform": initializers.glorot_uniform(),
    "glorotNormal": initializers.glorot_normal(),
    "heNormal": initializers.he_normal(),
    "fanOutNormal": initializers.variance_scaling(1.5, "fan_out", "normal"),
}
arrays = {name: np.asarray(make(key, shape, np.float32)) for name, make in made.items()}
arrays["uniform"] = np.asarray(jax.random.uniform(key, shape, minval=-0.3, maxval=0.7))
arrays["folded"] = np.asarray(jax.random.fold_in(key, 0x9E3779B9)).astype(np.uint32)
save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "nn_initializers.safetensors")
