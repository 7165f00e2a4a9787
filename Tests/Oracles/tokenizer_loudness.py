"""The relative difference of the mel magnitudes to the power 0.7, by torch.stft and librosa's filters, each clip alone, and its gradient.

Writes Tests/Fixtures/tokenizer_loudness.safetensors: `x` and `y` [3, 12000] with noise for padding before each clip, `lengths`,
`bandwidth`, the losses with and without it, and the gradient at `y` without it.

Run from the repository root:
    python Tests/Oracles/tokenizer_loudness.py
"""

import librosa
import numpy as np
import torch
from safetensors.numpy import save_file

RATE, SAMPLES, LENGTHS, BANDWIDTH = 24000, 12000, [12000, 9600, 4800], [12000.0, 2500.0, 12000.0]
SCALES = list(zip([64, 128, 256, 512, 1024, 2048], [5, 10, 20, 40, 80, 160]))


def loudness(clip: torch.Tensor, size: int, bands: int) -> torch.Tensor:
    """`[bands, frames]`."""
    clip = torch.nn.functional.pad(clip, (-len(clip) % (size // 4), 0))
    window = torch.hann_window(size, dtype=clip.dtype)
    power = torch.stft(clip, size, size // 4, size, window, center=True, pad_mode="constant", return_complex=True).abs() ** 2
    filters = torch.tensor(librosa.filters.mel(sr=RATE, n_fft=size, n_mels=bands, dtype=np.float64))
    return (filters @ power.clamp(min=1e-12).sqrt()).clamp(min=1e-5) ** 0.7


def difference(x: torch.Tensor, y: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """Of one clip."""
    parts = []
    for size, bands in SCALES:
        edges = librosa.mel_frequencies(n_mels=bands + 2, fmax=RATE / 2)[2:]
        counted = (edges <= bandwidth) | (np.arange(bands) == 0)
        a, b = (loudness(s, size, bands)[torch.tensor(counted)] for s in (x, y))
        parts.append((a - b).norm() / a.norm())
    return torch.stack(parts).mean()


random = np.random.default_rng(5)
x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
for row, length in enumerate(LENGTHS):
    time = np.arange(length) / RATE
    swell = 0.2 * np.sin(2 * np.pi * 3 * time + row) ** 4
    x[row, -length:] = swell * (np.sin(2 * np.pi * 440 * (row + 1) * time) + random.normal(0, 0.3, length))
    y[row, -length:] = x[row, -length:] * 0.8 + random.normal(0, 0.02, length)
pairs = [(torch.tensor(x[i, -n:]), torch.tensor(y[i, -n:], requires_grad=True)) for i, n in enumerate(LENGTHS)]
loss = torch.stack([difference(*pair, 12000.0) for pair in pairs]).mean()
loss.backward()
gradient = np.zeros_like(y)
for row, (length, (_, estimate)) in enumerate(zip(LENGTHS, pairs)):
    gradient[row, -length:] = estimate.grad.numpy()
limited = torch.stack([difference(*pair, top) for pair, top in zip(pairs, BANDWIDTH)]).mean()
save_file(
    {"x": x.astype(np.float32), "y": y.astype(np.float32), "lengths": np.array(LENGTHS, np.int32),
     "bandwidth": np.array(BANDWIDTH, np.float32), "loss": np.array(loss.item()), "limited": np.array(limited.item()),
     "gradient": gradient.astype(np.float32)},
    "Tests/Fixtures/tokenizer_loudness.safetensors")  # fmt: skip
print(f"loss {loss.item():.4f}, limited {limited.item():.4f}")
