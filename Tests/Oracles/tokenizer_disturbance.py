"""PESQ's disturbance by torch.stft and plain sums over bins, each clip alone, and its gradient; that it falls and rises as PESQ does is
checked against `pesq`.

Writes Tests/Fixtures/tokenizer_disturbance.safetensors: `x` and `y` [3, 12000] with noise for padding before each clip, `lengths`,
`bandwidth`, the losses with and without it, and the gradient at `y` without it.

Run from the repository root:
    python Tests/Oracles/tokenizer_disturbance.py
"""

import math

import numpy as np
import scipy.signal
import scipy.stats
import torch
from pesq import pesq
from safetensors.numpy import save_file

RATE, SAMPLES, LENGTHS, BANDWIDTH = 24000, 12000, [12000, 9600, 4800], [12000.0, 2500.0, 12000.0]
SIZE, WINDOW, HOP = 1024, 768, 384
BARKS = np.arange(0, 7 * math.asinh(8000 / 650), 0.5)
BINS = [round(650 * math.sinh(z / 7) * SIZE / RATE) for z in BARKS]
BANDS = len(BINS) - 1


def threshold(band: int) -> float:
    f = 0.65 * math.sinh((BARKS[band] + 0.25) / 7)
    return 10 ** ((3.64 * f**-0.8 - 6.5 * math.exp(-0.6 * (f - 3.3) ** 2) + 1e-3 * f**4) / 10)


def powers(clip: torch.Tensor) -> torch.Tensor:
    """`[bands, frames]`, the mean square of the signal in each."""
    clip = torch.nn.functional.pad(clip, (-len(clip) % HOP, 0))
    window = torch.hann_window(WINDOW, dtype=clip.dtype)
    power = torch.stft(clip, SIZE, HOP, WINDOW, window, center=True, pad_mode="constant", return_complex=True).abs() ** 2
    return torch.stack([power[a:b].sum(0) for a, b in zip(BINS, BINS[1:])]) / (SIZE / 2 * (window**2).sum())


def loudness(power: torch.Tensor, band: int) -> torch.Tensor:
    least = threshold(band)
    return 0.19 * (2 * least) ** 0.23 * ((0.5 + 0.5 * power.clamp(min=least) / least) ** 0.23 - 1)


def disturbance(x: torch.Tensor, y: torch.Tensor, bandwidth: float) -> torch.Tensor:
    """Of one clip."""
    a, b = powers(x), powers(y)
    loud = a.sum(0)
    scale = 10**7.9 / max(loud[loud > loud.max() * 1e-3].mean().item(), 10**-4.5) if loud.max() > 0 else 10**12.4
    a, b = a * scale, b * scale
    counted = [band for band in range(BANDS) if band == 0 or BINS[band + 1] * RATE / SIZE <= bandwidth]
    audible = [sum(p[band] * (p[band] > threshold(band)) for band in counted) for p in (a, b)]
    b = b * ((audible[0] + 5e3) / (audible[1] + 5e3)).clamp(3e-4, 5)
    squares, added = 0, 0
    for band in counted:
        u, v = loudness(a[band], band), loudness(b[band], band)
        difference = ((v - u).abs() - 0.25 * torch.minimum(u, v)).clamp(min=0)
        excess = (((b[band] + 50) / (a[band] + 50)) ** 1.2).detach()
        squares = squares + difference**2
        added = added + 0.5 * difference * torch.where(excess >= 3, excess.clamp(max=12), 0.0)
    symmetric = 0.5**0.5 * BANDS * 0.5 * (squares / BANDS).clamp(min=1e-6).sqrt()
    return ((0.1 * symmetric + 0.0309 * added) ** 2).mean().clamp(min=1e-6).sqrt()


def voiced(random: np.random.Generator, seconds: float) -> np.ndarray:
    """A buzz whose pitch and formants move, and breath, in syllables."""
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 120 * np.exp(0.2 * np.sin(2 * np.pi * 0.9 * time + random.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = np.zeros_like(time)
    for centre, width in ((500, 120), (1500, 200), (2600, 300), (4500, 800)):
        formant = centre * np.exp(0.25 * np.sin(2 * np.pi * random.uniform(1, 3) * time + random.uniform(0, 6)))
        for harmonic in range(1, 60):
            sound += np.sin(harmonic * phase) / (1 + ((harmonic * pitch - formant) / width) ** 2)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time + random.uniform(0, 6)) + 0.4, 0.001, None)
    return 0.05 * syllables * (sound / sound.std() + 0.2 * random.normal(0, 1, len(time)))


def damaged(random: np.random.Generator, clean: np.ndarray, kind: int, amount: float) -> np.ndarray:
    """Noise of its own level, noise that follows the speech, or frequencies of short spectra off by some dB."""
    if kind == 0:
        return clean + amount * 0.02 * random.normal(0, 1, len(clean))
    if kind == 1:
        return clean * (1 + amount * random.normal(0, 1, len(clean)))
    _, _, spectrum = scipy.signal.stft(clean, RATE, nperseg=512)
    spectrum *= 10 ** (amount * random.normal(0, 1, spectrum.shape) * 0.6)
    return scipy.signal.istft(spectrum, RATE, nperseg=512)[1][: len(clean)]


if __name__ == "__main__":
    random = np.random.default_rng(5)
    scores = []
    for number in range(30):
        clean = voiced(random, 4)
        other = damaged(random, clean, number % 3, random.uniform(0.1, 1))
        wide = [scipy.signal.resample_poly(s, 2, 3) for s in (clean, other)]
        mine = disturbance(torch.tensor(clean), torch.tensor(other), 12000.0).item()
        scores.append((mine, pesq(16000, *wide, "wb")))
    # Which of two kinds is worse is judged less alike than which of two amounts.
    agreement = -scipy.stats.spearmanr(*zip(*scores)).statistic
    of_a_kind = [-scipy.stats.spearmanr(*zip(*scores[kind::3])).statistic for kind in range(3)]
    assert agreement > 0.8 and min(of_a_kind) > 0.95, (agreement, of_a_kind)

    x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
    for row, length in enumerate(LENGTHS):
        x[row, -length:] = voiced(random, length / RATE)
        y[row, -length:] = damaged(random, x[row, -length:], (1, 2, 0)[row], 0.5)
    pairs = [(torch.tensor(x[i, -n:]), torch.tensor(y[i, -n:], requires_grad=True)) for i, n in enumerate(LENGTHS)]
    loss = torch.stack([disturbance(*pair, 12000.0) for pair in pairs]).mean()
    loss.backward()
    gradient = np.zeros_like(y)
    for row, (length, (_, estimate)) in enumerate(zip(LENGTHS, pairs)):
        gradient[row, -length:] = estimate.grad.numpy()
    limited = torch.stack([disturbance(*pair, top) for pair, top in zip(pairs, BANDWIDTH)]).mean()
    save_file(
        {"x": x.astype(np.float32), "y": y.astype(np.float32), "lengths": np.array(LENGTHS, np.int32),
         "bandwidth": np.array(BANDWIDTH, np.float32), "loss": np.array(loss.item()), "limited": np.array(limited.item()),
         "gradient": gradient.astype(np.float32)},
        "Tests/Fixtures/tokenizer_disturbance.safetensors")  # fmt: skip
    print(f"rank correlation with PESQ {agreement:.2f}, of a kind {min(of_a_kind):.2f}; loss {loss.item():.4f}, limited {limited.item():.4f}")
