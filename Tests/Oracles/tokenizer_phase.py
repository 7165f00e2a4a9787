"""The correlation of spectra from 60 to 600 Hz, frame by frame, by torch.stft and plain loops, each clip alone, and its gradient.

Writes Tests/Fixtures/tokenizer_phase.safetensors: `x` and `y` [3, 9600] with noise for padding before each clip, `lengths`, the loss,
its gradient at `y`, and the loss of a voice of 120 Hz and the same `shifts` degrees later.

Run from the repository root:
    python Tests/Oracles/tokenizer_phase.py
"""

import math

import numpy as np
import torch
from safetensors.numpy import save_file

RATE, SAMPLES, LENGTHS, SHIFTS = 24000, 9600, [9600, 7200, 2400], [0, 45, 90, 180]
SIZE, HOP = 1024, 256
BINS = range(math.floor(60 * SIZE / RATE), math.floor(600 * SIZE / RATE) + 1)


def spectra(clip: torch.Tensor) -> torch.Tensor:
    """`[frames, frequencies]`, of those in the band."""
    clip = torch.nn.functional.pad(clip, (-len(clip) % HOP, 0))
    window = torch.hann_window(SIZE, dtype=clip.dtype)
    return torch.stft(clip, SIZE, HOP, SIZE, window, center=True, pad_mode="constant", return_complex=True).T[:, BINS]


def parts(x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """One minus the correlation, of the frames of one clip that count."""
    a, b = spectra(x), spectra(y)
    loudness = (a.abs() ** 2).sum(1)
    result = []
    for frame in range(len(a)):
        if loudness[frame] <= max(loudness.max() * 1e-3, 1e-6):
            continue
        both = (a[frame] * b[frame].conj()).real.sum()
        result.append(1 - 2 * both / (loudness[frame] + (b[frame].abs() ** 2).sum() + 1e-6))
    return result


random = np.random.default_rng(9)
x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
for row, length in enumerate(LENGTHS):
    time = np.arange(length) / RATE
    swell = np.exp(2 * np.sin(2 * np.pi * 4 * time))
    swell[length // 3 : length // 2] = 1e-4
    x[row, -length:] = 0.05 * swell * sum(np.sin(2 * np.pi * 130 * k * time + k) / k for k in range(1, 9))
    y[row, -length:] = 0.7 * x[row, -length:] + random.normal(0, 0.05, length)
tensors = [(torch.tensor(x[i, -n:]), torch.tensor(y[i, -n:], requires_grad=True)) for i, n in enumerate(LENGTHS)]
counted = [parts(*pair) for pair in tensors]
assert all(counted) and len(counted[0]) < 9600 // HOP, "every clip counts, and its pause does not"
loss = torch.stack(sum(counted, [])).mean()
loss.backward()
gradient = np.zeros_like(y)
for row, (length, (_, estimate)) in enumerate(zip(LENGTHS, tensors)):
    gradient[row, -length:] = estimate.grad.numpy()

time = torch.arange(6000, dtype=torch.float64) / RATE
voices = [0.1 * torch.sin(2 * math.pi * 120 * time - math.radians(shift)) for shift in SHIFTS]
shifted = [torch.stack(parts(voices[0], voice)).mean().item() for voice in voices]
save_file(
    {"x": x.astype(np.float32), "y": y.astype(np.float32), "lengths": np.array(LENGTHS, np.int32), "loss": np.array(loss.item()),
     "gradient": gradient.astype(np.float32), "voices": torch.stack(voices).numpy().astype(np.float32),
     "shifted": np.array(shifted)},
    "Tests/Fixtures/tokenizer_phase.safetensors")  # fmt: skip
print(f"loss {loss.item():.4f}; shifted {shifted}")
