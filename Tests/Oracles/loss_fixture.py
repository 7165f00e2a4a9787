"""Padded clips and what a loss of them is, each clip alone: what the oracles of losses of loudness write."""

from typing import Callable

import numpy as np
import torch

RATE, SAMPLES, LENGTHS, BANDWIDTH = 24000, 12000, [12000, 9600, 4800], [12000.0, 2500.0, 12000.0]


def loss_arrays(seed: int, loss: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]) -> dict[str, np.ndarray]:
    """`x` and `y` [3, 12000] with noise for padding before each clip, `lengths`, `bandwidth`, the means of `loss(x, y, bandwidth)` of one clip
    with it (`limited`) and without (`loss`), and the gradient at `y` without it."""
    random = np.random.default_rng(seed)
    x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
    for row, length in enumerate(LENGTHS):
        time = np.arange(length) / RATE
        swell = 0.2 * np.sin(2 * np.pi * 3 * time + row) ** 4
        x[row, -length:] = swell * (np.sin(2 * np.pi * 440 * (row + 1) * time) + random.normal(0, 0.3, length))
        y[row, -length:] = x[row, -length:] * 0.8 + random.normal(0, 0.02, length)
    pairs = [(torch.tensor(x[i, -n:]), torch.tensor(y[i, -n:], requires_grad=True)) for i, n in enumerate(LENGTHS)]
    whole = torch.stack([loss(*pair, 12000.0) for pair in pairs]).mean()
    whole.backward()
    gradient = np.zeros_like(y)
    for row, (length, (_, estimate)) in enumerate(zip(LENGTHS, pairs)):
        gradient[row, -length:] = estimate.grad.numpy()
    limited = torch.stack([loss(*pair, top) for pair, top in zip(pairs, BANDWIDTH)]).mean()
    print(f"loss {whole.item():.4f}, limited {limited.item():.4f}")
    return {
        "x": x.astype(np.float32), "y": y.astype(np.float32), "lengths": np.array(LENGTHS, np.int32),
        "bandwidth": np.array(BANDWIDTH, np.float32), "loss": np.array(whole.item()), "limited": np.array(limited.item()),
        "gradient": gradient.astype(np.float32)}  # fmt: skip
