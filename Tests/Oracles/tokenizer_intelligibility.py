"""The correlation of third-octave envelopes over 384 ms, by torch.stft and plain loops, each clip alone, and its gradient; that it is
what STOI measures is checked against pystoi.

Writes Tests/Fixtures/tokenizer_intelligibility.safetensors: `x` and `y` [3, 12000] with noise for padding before each clip, `lengths`,
`bandwidth`, the losses with and without it, and the gradient at `y` without it.

Run from the repository root:
    python Tests/Oracles/tokenizer_intelligibility.py
"""

import numpy as np
import pystoi
import torch
from safetensors.numpy import save_file

RATE, SAMPLES, LENGTHS, BANDWIDTH = 24000, 12000, [12000, 9600, 4800], [12000.0, 2500.0, 12000.0]
SIZE, WINDOW, HOP, SEGMENT = 1024, 614, 307, 30
EDGES = [150 * 2 ** ((2 * band - 1) / 6) for band in range(16)]
BINS = [round(edge * SIZE / RATE) for edge in EDGES]


def envelopes(clip: torch.Tensor) -> torch.Tensor:
    """`[bands, frames]`."""
    clip = torch.nn.functional.pad(clip, (-len(clip) % HOP, 0))
    window = torch.hann_window(WINDOW, dtype=clip.dtype)
    power = torch.stft(clip, SIZE, HOP, WINDOW, window, center=True, pad_mode="constant", return_complex=True).abs() ** 2
    return torch.stack([power[a:b].sum(0).clamp(min=1e-8).sqrt() for a, b in zip(BINS, BINS[1:])])


def parts(x: torch.Tensor, y: torch.Tensor, bandwidth: float, clipping: bool = False) -> list[torch.Tensor]:
    """One minus the correlations that count, of one clip; with STOI's clipping or without."""
    a, b = envelopes(x), envelopes(y)
    starts = range(a.shape[1] - SEGMENT + 1)
    loudness = [(a[:, s : s + SEGMENT] ** 2).sum().item() for s in starts]
    result = []
    for start in starts:
        if loudness[start] <= max(loudness) * 1e-4:
            continue
        for band in range(15):
            if band > 0 and BINS[band + 1] * RATE / SIZE > bandwidth:
                continue
            u, v = (e[band, start : start + SEGMENT] for e in (a, b))
            if clipping:
                v = torch.minimum(v * u.norm() / v.norm(), u * (1 + 10 ** (15 / 20)))
            u, v = u - u.mean(), v - v.mean()
            result.append(1 - (u * v).sum() / (u.norm() * v.norm()))
    return result


def speechlike(random: np.random.Generator, seconds: float, damage: float, pause: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Noise that swells and fades a few times a second, with a pause, and the same with other noise on it."""
    count = int(seconds * RATE)
    time = np.arange(count) / RATE
    swell = np.exp(sum(random.normal(0, 0.8) * np.sin(2 * np.pi * f * time + random.uniform(0, 6)) for f in (2, 3, 5, 7)))
    if pause:
        swell[count // 2 : count // 2 + count // 10] *= 1e-4
    clean = 0.1 * swell * random.normal(0, 1, count)
    return clean, clean + damage * 0.1 * random.normal(0, 1, count)


random = np.random.default_rng(8)
# STOI leaves pauses out frame by frame, and clips what is far too loud: with its clipping, and no pauses, this is STOI.
long = speechlike(random, 4, 6, pause=False)
mine = 1 - torch.stack(parts(*(torch.tensor(s) for s in long), 12000.0, clipping=True)).mean().item()
theirs = pystoi.stoi(*long, RATE)
assert abs(mine - theirs) < 0.01, (mine, theirs)

x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
for row, length in enumerate(LENGTHS):
    x[row, -length:], y[row, -length:] = speechlike(random, length / RATE, 5.0 if row else 9.0)
tensors = [(torch.tensor(x[i, -n:]), torch.tensor(y[i, -n:], requires_grad=True)) for i, n in enumerate(LENGTHS)]
# The last clip is shorter than a segment.
assert not parts(*tensors[2], 12000.0)
loss = torch.stack(sum((parts(*pair, 12000.0) for pair in tensors), [])).mean()
loss.backward()
gradient = np.zeros_like(y)
for row, (length, (_, estimate)) in enumerate(zip(LENGTHS, tensors)):
    if estimate.grad is not None:
        gradient[row, -length:] = estimate.grad.numpy()
limited = torch.stack(sum((parts(*pair, top) for pair, top in zip(tensors, BANDWIDTH)), [])).mean()
save_file(
    {"x": x.astype(np.float32), "y": y.astype(np.float32), "lengths": np.array(LENGTHS, np.int32),
     "bandwidth": np.array(BANDWIDTH, np.float32), "loss": np.array(loss.item()), "limited": np.array(limited.item()),
     "gradient": gradient.astype(np.float32)},
    "Tests/Fixtures/tokenizer_intelligibility.safetensors")  # fmt: skip
print(f"as pystoi: {mine:.4f} {theirs:.4f}; loss {loss.item():.4f}, limited {limited.item():.4f}")
