"""PESQ's disturbance without its alignments, by torch.stft, each clip alone, its gradient, and PESQ itself of sounds with noise.

Writes Tests/Fixtures/tokenizer_disturbance.safetensors: `x` and `y` [3, 12000] with noise for padding before each clip, `lengths`,
`bandwidth`, the losses with and without it, and the gradient at `y` without it; `voice` [1, 24000] of harmonics, `degraded` [3, 24000] with more and more
noise, and `pesq`, what PyPI's pesq (the ITU's code) gives each of these.

Run from the repository root:
    python Tests/Oracles/tokenizer_disturbance.py
"""

import numpy as np
import soxr
import torch
from loss_fixture import RATE, loss_arrays
from pesq import pesq
from safetensors.numpy import save_file

SIZE, HOP = 768, 192
BIN = RATE / SIZE


def bark(hertz):
    return 7 * np.arcsinh(np.asarray(hertz) / 650)


EDGES = [2]
while EDGES[-1] < 256:
    wide = round(float(650 * np.sinh((bark(EDGES[-1] * BIN) + 0.4) / 7) / BIN))
    EDGES.append(min(256, max(EDGES[-1] + 1, wide)))
LOW, HIGH = np.array(EDGES[:-1]), np.array(EDGES[1:])
WIDTHS = torch.tensor(bark(HIGH * BIN) - bark(LOW * BIN))
KILOHERTZ = (LOW + HIGH - 1) / 2 * BIN / 1000
DECIBELS = 3.64 * KILOHERTZ**-0.8 - 6.5 * np.exp(-0.6 * (KILOHERTZ - 3.3) ** 2) + 1e-3 * KILOHERTZ**4
LEAST = torch.tensor(10 ** (np.minimum(DECIBELS, 60) / 10))


def power(clip: torch.Tensor) -> torch.Tensor:
    """`[frames, bins]`."""
    clip = torch.nn.functional.pad(clip, (-len(clip) % HOP, 0))
    window = torch.hann_window(SIZE, dtype=clip.dtype)
    return torch.stft(clip, SIZE, HOP, SIZE, window, center=True, pad_mode="constant", return_complex=True).abs().square().T


def sone(intensity: torch.Tensor) -> torch.Tensor:
    audible = torch.maximum(intensity, LEAST)
    return 0.187 * (LEAST / 0.5) ** 0.23 * ((0.5 + 0.5 * audible / LEAST) ** 0.23 - 1)


def disturbance(x: torch.Tensor, y: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """Of one clip."""
    powers = [power(s) for s in (x, y)]
    spoken = [k for k in range(SIZE // 2 + 1) if 300 <= k * BIN <= 3250]
    quiet = 1e-5 * SIZE * torch.hann_window(SIZE, dtype=x.dtype).square().sum() / 2
    level = 10**7.9 / torch.maximum(powers[0][:, spoken].sum(1).mean(), quiet)
    a, b = (torch.stack([p[:, i:j].sum(1) for i, j in zip(LOW, HIGH)], 1) * level for p in powers)
    u, v = sone(a), sone(b)
    heard = ((u - v).abs() - torch.minimum(u, v) / 4).clamp(min=0)
    excess = ((b + 50) / (a + 50)).detach() ** 1.2
    excess = torch.where(excess >= 3, excess.clamp(max=12), 0.0)
    counted = torch.tensor((HIGH * BIN <= bandwidth) | (np.arange(len(HIGH)) == 0))
    widths = WIDTHS * counted
    symmetric = (WIDTHS.sum() * (widths * heard.square()).sum(1)).clamp(min=1e-6 * WIDTHS.sum()).sqrt()
    return (0.1 * symmetric + 0.0309 * (widths * heard * excess).sum(1)).square().mean().sqrt()


time = np.arange(RATE) / RATE
turns = np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / RATE
voice = sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 50)) * np.sin(2 * np.pi * 2 * time) ** 2 * 0.1
noise = np.random.default_rng(11).normal(0, 0.1, len(time))
degraded = [voice + share * noise for share in (0.01, 0.05, 0.2)]
wide = [soxr.resample(s, RATE, 16000, "HQ") for s in [voice, *degraded]]
scores = [pesq(16000, wide[0], s, "wb") for s in wide[1:]]
save_file(
    loss_arrays(11, disturbance)
    | {"voice": voice[None].astype(np.float32), "degraded": np.stack(degraded).astype(np.float32), "pesq": np.array(scores, np.float32)},
    "Tests/Fixtures/tokenizer_disturbance.safetensors")  # fmt: skip
mine = [disturbance(torch.tensor(voice), torch.tensor(s), 12000.0).item() for s in degraded]
print(f"PESQ {np.round(scores, 2)}, losses {np.round(mine, 3)}")
