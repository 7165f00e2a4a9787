"""What losses of the sound are worth to PESQ and STOI: how both change when what a model decodes is moved a little against a loss's gradient.

    .venv/bin/python Benchmarks/peers/loss_directions.py --model MODEL [--data .corpus/core] [--split dev] [--clips 13]

Every loss moves the samples themselves, in twenty steps of Adam by 1 % of their RMS, so that weights and scales do not matter. A decoder
cannot follow every gradient as samples can: this says where a loss pulls, and only training what it is worth.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Callable

import librosa
import numpy as np
import soxr
import torch
from pesq import pesq
from pystoi import stoi
from quality import ROOT, WIDEBAND, chosen
from speech_codecs import Allophone, load, run

SECONDS, STEPS, SHARE = 3, 20, 0.01
SCALES = list(zip([64, 128, 256, 512, 1024, 2048], [5, 10, 20, 40, 80, 160]))


class Losses:
    """Functions of a reference and a decoded sound, f64 `[samples]`."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.filters = {size: torch.tensor(librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, dtype=np.float64))
                        for size, bands in SCALES}  # fmt: skip

    def magnitudes(self, x: torch.Tensor, size: int, hop: int) -> torch.Tensor:
        window = torch.hann_window(size, dtype=x.dtype)
        return torch.stft(x, size, hop, size, window, return_complex=True).abs().clamp(min=1e-6)

    def mels(self, x: torch.Tensor, y: torch.Tensor):
        for size, filters in self.filters.items():
            yield size, *(filters @ self.magnitudes(s, size, size // 4) for s in (x, y))

    def log_mel(self, quietest: float, root: bool) -> Callable:
        """Of logarithms, what is below white noise of `quietest` dB counting as that; their mean, or the root of that of their squares."""

        def loss(x, y):
            total = 0
            for size, *both in self.mels(x, y):
                energy = torch.hann_window(size).square().sum().item()
                floor = 10 ** (quietest / 20) * (np.pi / 4 * energy) ** 0.5 * size / self.rate
                a, b = (mel.clamp(min=floor).log10() for mel in both)
                total += (a - b).square().mean().sqrt() if root else (a - b).abs().mean()
            return total

        return loss

    def loudness(self, exponent: float) -> Callable:
        """`LoudnessLoss`, and the same of other powers."""

        def loss(x, y):
            total = 0
            for _, *both in self.mels(x, y):
                a, b = (mel.clamp(min=1e-5) ** exponent for mel in both)
                total += (a - b).norm() / a.norm()
            return total

        return loss

    def envelopes(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """`IntelligibilityLoss`, of every segment."""
        size = round(0.0256 * self.rate)
        edges = [round(150 * 2 ** ((2 * band - 1) / 6) * size / self.rate) for band in range(16)]

        def bands(s):
            power = self.magnitudes(s, size, size // 2).square()
            return torch.stack([power[a:b].sum(0).sqrt() for a, b in zip(edges, edges[1:])]).unfold(1, 30, 1)

        u, v = (s - s.mean(2, keepdim=True) for s in (bands(x), bands(y)))
        return (1 - (u * v).sum(2) / (u.norm(dim=2) * v.norm(dim=2))).mean()

    def spectra(self, x: torch.Tensor, y: torch.Tensor, low: float, high: float):
        """40 ms and more, complex, from `low` to `high` Hz, of which frames count that are within 30 dB of the loudest."""
        size = 2 ** int(np.ceil(np.log2(0.04 * self.rate)))
        window = torch.hann_window(size, dtype=x.dtype)
        whole = [torch.stft(s, size, size // 4, size, window, return_complex=True) for s in (x, y)]
        bins = torch.arange(size // 2 + 1) * self.rate / size
        band = (bins >= low) & (bins <= high)
        power = whole[0][band].abs().square().sum(0)
        return whole, bins, band, power > 1e-3 * power.max()

    def harmonics(self, low: float, high: float) -> Callable:
        """`HarmonicsLoss`, from `low` to `high` Hz."""

        def loss(x, y):
            whole, bins, band, counts = self.spectra(x, y, low, high)
            weights = (1 - (bins - bins[band].unsqueeze(1)).abs() / 300).clamp(min=0)
            weights = weights / weights.sum(1, keepdim=True)
            magnitudes = [s.abs().clamp(min=1e-3) for s in whole]
            a, b = ((m[band] / (weights.to(m) @ m) - 1)[:, counts] for m in magnitudes)
            return 1 - 2 * (a * b).sum() / (a.square().sum() + b.square().sum())

        return loss

    def phase(self, low: float, high: float) -> Callable:
        """`PhaseLoss`, from `low` to `high` Hz."""

        def loss(x, y):
            whole, _, band, counts = self.spectra(x, y, low, high)
            a, b = (s[band][:, counts] for s in whole)
            agreement = 2 * (a * b.conj()).real.sum(0) / (a.abs().square().sum(0) + b.abs().square().sum(0) + 1e-6)
            return (1 - agreement).mean()

        return loss

    def disturbance(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """`DisturbanceLoss`."""
        size = 4 * round(self.rate / 125)
        hertz = self.rate / size
        edges = [round(60 / hertz)]
        while edges[-1] < int(8000 / hertz):
            wide = 650 * np.sinh(np.arcsinh(edges[-1] * hertz / 650) + 0.4 / 7) / hertz
            edges.append(min(int(8000 / hertz), max(edges[-1] + 1, round(float(wide)))))
        bins = np.array(edges)
        widths = torch.tensor(np.diff(7 * np.arcsinh(bins * hertz / 650)))
        f = (bins[:-1] + bins[1:] - 1) / 2 * hertz / 1000
        decibels = 3.64 * f**-0.8 - 6.5 * np.exp(-0.6 * (f - 3.3) ** 2) + 1e-3 * f**4
        least = torch.tensor(10 ** (np.minimum(decibels, 60) / 10))
        powers = [self.magnitudes(s, size, size // 4).square().T for s in (x, y)]
        speech = torch.arange(size // 2 + 1) * hertz
        level = 10**7.9 / powers[0][:, (speech >= 300) & (speech <= 3250)].sum(1).mean()
        a, b = (torch.stack([p[:, low:high].sum(1) for low, high in zip(edges, edges[1:])], 1) * level for p in powers)
        u, v = (0.187 * (2 * least) ** 0.23 * ((0.5 + 0.5 * torch.maximum(p, least) / least) ** 0.23 - 1) for p in (a, b))
        heard = ((u - v).abs() - 0.25 * torch.minimum(u, v)).clamp(min=0)
        excess = ((b + 50) / (a + 50)).detach() ** 1.2
        added = (heard * torch.where(excess >= 3, excess.clamp(max=12), 0.0) * widths).sum(1)
        frames = 0.1 * (widths.sum() * (heard.square() * widths).sum(1) + 1e-6).sqrt() + 0.0309 * added
        return frames.square().mean().sqrt()


def moved(loss: Callable, reference: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    point = torch.tensor(decoded, requires_grad=True)
    optimizer = torch.optim.Adam([point], lr=SHARE * np.sqrt(np.mean(decoded**2)))
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss(torch.tensor(reference), point).backward()
        optimizer.step()
    return point.detach().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/allophone")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=ROOT / ".corpus/core")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--clips", type=int, default=13)
    arguments = parser.parse_args()
    codec = Allophone(arguments.program, arguments.model)
    rate = json.loads(run(arguments.program, "info", arguments.model, "--json"))["sampleRate"]
    losses = Losses(rate)
    kinds = {
        "log-mel, to -45 dB": losses.log_mel(-45, False), "log-mel, to -35 dB": losses.log_mel(-35, False),
        "log-mel, to -45 dB, of squares": losses.log_mel(-45, True), "log-mel, to -35 dB, of squares": losses.log_mel(-35, True),
        "loudness, power 0.3": losses.loudness(0.3), "loudness, power 0.5": losses.loudness(0.5),
        "loudness, power 0.7 (`loudness`)": losses.loudness(0.7), "mel magnitudes": losses.loudness(1), "envelopes (`intelligibility`)": losses.envelopes,
        "harmonics (`harmonics`, 300 to 4,000 Hz)": losses.harmonics(300, 4000), "harmonics, 60 to 1,500 Hz": losses.harmonics(60, 1500),
        "phase (`phase`, 60 to 600 Hz)": losses.phase(60, 600), "phase, 60 to 1,500 Hz": losses.phase(60, 1500),
        "PESQ's disturbance (`disturbance`)": losses.disturbance,
    }  # fmt: skip

    def measures(reference: np.ndarray, sound: np.ndarray) -> np.ndarray:
        wide = (soxr.resample(samples, rate, WIDEBAND, "HQ") for samples in (reference, sound))
        return np.array([pesq(WIDEBAND, *wide, "wb"), stoi(reference, sound, rate)])

    changes = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory(prefix="directions") as name:
        for row in chosen(arguments.data / "manifest.jsonl", arguments.split, arguments.clips):
            print(f"directions: {row['path']}", file=sys.stderr, flush=True)
            sound = arguments.data / row["path"]
            pair = [load(sound, rate), codec(sound, rate, Path(name))[0]]
            reference, decoded = (samples[: SECONDS * rate].astype(np.float64) for samples in pair)
            decoded = decoded[: len(reference)]
            before = measures(reference, decoded)
            for kind, loss in kinds.items():
                changes[kind].append(measures(reference, moved(loss, reference, decoded)) - before)
    means = {kind: np.mean(values, axis=0) for kind, values in changes.items()}
    print("| against the gradient of | PESQ-WB | STOI |\n|---|---:|---:|")
    for kind, (of_pesq, of_stoi) in means.items():
        print(f"| {kind} | {of_pesq:+.3f} | {of_stoi:+.3f} |")
    facts = {kind: [round(float(value), 4) for value in values] for kind, values in means.items()}
    print(json.dumps({"benchmark": "bench-directions", "clips": arguments.clips, "changes": facts}))


if __name__ == "__main__":
    main()
