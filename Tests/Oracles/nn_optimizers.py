"""optax's optimizers, schedules, clipping and averages -> Tests/Fixtures/nn_optimizers.safetensors."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file

jax.config.update("jax_enable_x64", True)
random = np.random.default_rng(0)
arrays = {}

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


def trace(name, shapes, players):
    """Ten steps of optimizers, each of which moves the parameters beside it."""
    parameters = {k: random.normal(size=s) for k, s in shapes.items()}
    for k, v in parameters.items():
        arrays[f"{name}/start/{k}"] = v.astype(np.float32)
    states = [player.init({k: parameters[k] for k in own}) for player, own in players]
    average = dict(parameters)
    for step in range(10):
        # Of very different sizes, so that the bias corrections and epsilon both matter; the clip at 5 acts on some steps.
        gradients = {k: random.normal(size=s) * 10.0 ** random.uniform(-4, 1) for k, s in shapes.items()}
        for k, v in gradients.items():
            gradients[k] = v.astype(np.float32).astype(np.float64)
            arrays[f"{name}/step.{step}/gradient/{k}"] = v.astype(np.float32)
        arrays[f"{name}/step.{step}/norm"] = np.array(optax.global_norm(gradients), np.float32)
        clip = optax.clip_by_global_norm(5.0)
        gradients, _ = clip.update(gradients, clip.init(parameters))
        for i, (player, own) in enumerate(players):
            now = {k: parameters[k] for k in own}
            updates, states[i] = player.update({k: gradients[k] for k in own}, states[i], now)
            parameters.update(optax.apply_updates(now, updates))
        average = optax.incremental_update(parameters, average, 0.1)
        for k in shapes:
            arrays[f"{name}/step.{step}/parameter/{k}"] = np.asarray(parameters[k], np.float32)
            arrays[f"{name}/step.{step}/average/{k}"] = np.asarray(average[k], np.float32)


rate = optax.warmup_cosine_decay_schedule(0.0, 0.02, 4, 9, 0.001)


def adamw(shapes):
    return optax.adamw(
        rate, 0.8, 0.99, 1e-6, weight_decay=0.1, mask={k: len(s) >= 2 for k, s in shapes.items()})


shapes = {"kernel": (3, 4), "bias": (4,), "deep.0.scale": (2, 1, 3)}
trace("adamw", shapes, [(adamw(shapes), list(shapes))])

# A kernel [taps, in, out], a wide and two tall matrices of one shape; and what is left to AdamW.
matrices = {"kernel": (3, 4, 8), "wide": (4, 9), "tall.0": (9, 4), "tall.1": (9, 4)}
rest = {"bias": (8,), "codebook": (5, 3)}
axes = {k: optax.contrib.MuonDimensionNumbers(tuple(range(len(s) - 1)), len(s) - 1) for k, s in matrices.items()}
muon = optax.contrib.muon(rate, beta=0.9, weight_decay=0.1, muon_weight_dimension_numbers=axes, consistent_rms=0.2)
trace("muon", matrices | rest, [(muon, list(matrices)), (adamw(rest), list(rest))])

save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "nn_optimizers.safetensors")
