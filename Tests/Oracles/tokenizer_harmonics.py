"""How little of the fine structure of spectra an estimate has, by torch.stft and plain loops, each clip alone, and its gradient.

Writes Tests/Fixtures/tokenizer_harmonics.safetensors: `x` and `y` [3, 9600] with noise for padding before each clip, `lengths`,
`bandwidth` (of which the second ends within the band), the loss, its gradient at `y`, and the losses of `sounds` beside the first of
them, a voice of 120 Hz: itself, the same with other phases, one of 150 Hz, and noise with the voice's formant.

Run from the repository root:
    python Tests/Oracles/tokenizer_harmonics.py
"""

import numpy as np
import torch
from safetensors.numpy import save_file

RATE, SAMPLES, LENGTHS, BANDWIDTH = 24000, 9600, [9600, 7200, 2400], [12000.0, 1500.0, 12000.0]
SIZE, HOP, REACH, SMALLEST = 1024, 256, 300.0, 1e-3
FREQUENCIES = np.arange(SIZE // 2 + 1) * RATE / SIZE
LOW, HIGH = 300.0, 4000.0
BAND = [i for i, f in enumerate(FREQUENCIES) if LOW <= f <= HIGH]


def magnitudes(clip: torch.Tensor) -> torch.Tensor:
    """`[frames, frequencies]`."""
    clip = torch.nn.functional.pad(clip, (-len(clip) % HOP, 0))
    window = torch.hann_window(SIZE, dtype=clip.dtype)
    spectrum = torch.stft(clip, SIZE, HOP, SIZE, window, center=True, pad_mode="constant", return_complex=True).T
    return torch.sqrt(torch.clamp(spectrum.real**2 + spectrum.imag**2, min=SMALLEST**2))


def fine(a: torch.Tensor, bin: int) -> torch.Tensor:
    """Of all frames, at one frequency."""
    weights = np.clip(1 - np.abs(FREQUENCIES - FREQUENCIES[bin]) / REACH, 0, None)
    around = sum(a[:, i] * (w / weights.sum()) for i, w in enumerate(weights) if w > 0)
    return a[:, bin] / around - 1


def disagreement(x: torch.Tensor, y: torch.Tensor, bandwidth: float = RATE) -> torch.Tensor:
    a, b = magnitudes(x), magnitudes(y)
    loudness = sum(a[:, bin] ** 2 for bin in BAND)
    counts = loudness > max(loudness.max() * 1e-3, len(BAND) * 2 * SMALLEST**2)
    assert counts.any()
    xx = xy = yy = 0
    for bin in BAND:
        if FREQUENCIES[bin] > bandwidth:
            continue
        p, q = fine(a, bin)[counts], fine(b, bin)[counts]
        xx, xy, yy = xx + (p * p).sum(), xy + (p * q).sum(), yy + (q * q).sum()
    return 1 - 2 * xy / (xx + yy + 1e-6)


random = np.random.default_rng(10)


def voice(time: np.ndarray, pitch: float, turn: float = 0) -> np.ndarray:
    """Harmonics with a formant at 1 kHz."""
    return sum(
        np.sin(2 * np.pi * pitch * k * time + turn * k * k) / (1 + ((pitch * k - 1000) / 300) ** 2)
        for k in range(1, int(5000 / pitch)))


x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
for row, length in enumerate(LENGTHS):
    time = np.arange(length) / RATE
    swell = np.exp(2 * np.sin(2 * np.pi * 4 * time))
    swell[length // 3 : length // 2] = 1e-4
    x[row, -length:] = 0.02 * swell * voice(time, 130 + 10 * row) + random.normal(0, 1e-3, length)
    y[row, -length:] = 0.7 * x[row, -length:] + random.normal(0, 0.05, length)
pairs = [(torch.tensor(x[i, -n:]), torch.tensor(y[i, -n:], requires_grad=True)) for i, n in enumerate(LENGTHS)]
loss = torch.stack([disagreement(*pair, bandwidth) for pair, bandwidth in zip(pairs, BANDWIDTH)]).mean()
loss.backward()
gradient = np.zeros_like(y)
for row, (length, (_, estimate)) in enumerate(zip(LENGTHS, pairs)):
    gradient[row, -length:] = estimate.grad.numpy()

time = np.arange(6000) / RATE
spectrum = np.fft.rfft(random.normal(0, 1, 6000))
spectrum /= 1 + ((np.fft.rfftfreq(6000, 1 / RATE) - 1000) / 300) ** 2
noise = np.fft.irfft(spectrum, 6000)
sounds = [0.05 * voice(time, 120), 0.05 * voice(time, 120, turn=0.3), 0.05 * voice(time, 150), 0.1 * noise / noise.std()]
compared = [disagreement(torch.tensor(sounds[0]), torch.tensor(sound)).item() for sound in sounds]
save_file(
    {"x": x.astype(np.float32), "y": y.astype(np.float32), "lengths": np.array(LENGTHS, np.int32),
     "bandwidth": np.array(BANDWIDTH, np.float32), "loss": np.array(loss.item()), "gradient": gradient.astype(np.float32),
     "sounds": np.stack(sounds).astype(np.float32), "compared": np.array(compared)},
    "Tests/Fixtures/tokenizer_harmonics.safetensors")  # fmt: skip
print(f"loss {loss.item():.4f}; compared {compared}")
