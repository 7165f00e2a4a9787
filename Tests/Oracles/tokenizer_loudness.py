"""The relative difference of the mel magnitudes to the power 0.7, by torch.stft and librosa's filters, each clip alone, and its gradient.

Writes Tests/Fixtures/tokenizer_loudness.safetensors: `x` and `y` [3, 12000] with noise for padding before each clip, `lengths`,
`bandwidth`, the losses with and without it, and the gradient at `y` without it.

Run from the repository root:
    python Tests/Oracles/tokenizer_loudness.py
"""

import librosa
import numpy as np
import torch
from loss_fixture import RATE, loss_arrays
from safetensors.numpy import save_file

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


save_file(loss_arrays(5, difference), "Tests/Fixtures/tokenizer_loudness.safetensors")
