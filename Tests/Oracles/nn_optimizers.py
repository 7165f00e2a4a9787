"""optax's optimizer, schedules, clipping and averages -> Tests/Fixtures/nn_optimizers.safetensors."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file

jax.config.update("jax_enable_x64", True)
random = np.random.default_rng(0)
arrays = {}
shapes = {"kernel": (3, 4), "bias": (4,), "deep.0.scale": (2, 1, 3)}

schedules = {
    "constant": optax.constant_schedule(0.3),
    "linear": optax.linear_schedule(0.1, 1.0, 20),
    "cosine": optax.cosine_decay_schedule(2.0, 30, alpha=0.1),
    "exponential": optax.exponential_decay(0.5, 10, 0.8),
    "warmupCosine": optax.warmup_cosine_decay_schedule(0.01, 1.0, 10, 35, 0.05),
    "joined": optax.join_schedules([optax.linear_schedule(0.0, 1.0, 5), optax.exponential_decay(1.0, 7, 0.5)], [5]),
}
for name, schedule in schedules.items():
    arrays[f"schedule.{name}"] = np.array([schedule(jnp.asarray(s)) for s in range(41)], np.float32)

parameters = {k: random.normal(size=s) for k, s in shapes.items()}
for k, v in parameters.items():
    arrays[f"start/{k}"] = v.astype(np.float32)

optimizer = optax.adamw(
    optax.warmup_cosine_decay_schedule(0.0, 0.02, 4, 9, 0.001), 0.8, 0.99, 1e-6, weight_decay=0.1,
    mask={k: len(s) >= 2 for k, s in shapes.items()})
state = optimizer.init(parameters)
average = parameters
for step in range(10):
    # Of very different sizes, so that the bias corrections and epsilon both matter; the clip at 5 acts on some steps.
    gradients = {k: random.normal(size=s) * 10.0 ** random.uniform(-4, 1) for k, s in shapes.items()}
    for k, v in gradients.items():
        gradients[k] = v.astype(np.float32).astype(np.float64)
        arrays[f"step.{step}/gradient/{k}"] = v.astype(np.float32)
    arrays[f"step.{step}/norm"] = np.array(optax.global_norm(gradients), np.float32)
    clip = optax.clip_by_global_norm(5.0)
    gradients, _ = clip.update(gradients, clip.init(parameters))
    updates, state = optimizer.update(gradients, state, parameters)
    parameters = optax.apply_updates(parameters, updates)
    average = optax.incremental_update(parameters, average, 0.1)
    for k in shapes:
        arrays[f"step.{step}/parameter/{k}"] = np.asarray(parameters[k], np.float32)
        arrays[f"step.{step}/average/{k}"] = np.asarray(average[k], np.float32)

save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "nn_optimizers.safetensors")
