#!/usr/bin/env python3
"""Whether a model's sound is lost in its envelope or in its fine structure: PESQ and STOI of decoded clips, and of two chimeras of each.

    allophone evaluate --model MODEL --data .corpus/core --split dev --clips 24 --output out/decoded
    .venv/bin/python Benchmarks/peers/parts.py out/decoded

Spectra (windows of 32 ms, hops of 8) are divided by their mel envelope (40 bands). One chimera has the original's fine structure, voice
and phases, in the decoded envelope; the other what the decoder makes of the voice in the original's envelope. The higher a chimera is, the
less is lost in what it has of the decoded sound.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr
from pesq import pesq
from pystoi import stoi

RATE, SIZE, HOP, WINDOW = 16000, 1024, 128, 512
BANDS = librosa.filters.mel(sr=RATE, n_fft=SIZE, n_mels=40, htk=True)


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path)
    return soxr.resample(samples, rate, RATE)


def spectrum(x: np.ndarray) -> np.ndarray:
    return librosa.stft(x, n_fft=SIZE, hop_length=HOP, win_length=WINDOW)


def envelope(x: np.ndarray) -> np.ndarray:
    """The energy of each band, spread over its frequencies."""
    energy = (BANDS @ np.abs(x) ** 2) / (BANDS.sum(1)[:, None] + 1e-9)
    shares = BANDS.T / (BANDS.sum(0)[:, None] + 1e-9)
    return np.sqrt(np.maximum(shares @ energy, 1e-10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `allophone evaluate --output` wrote")
    originals = sorted(parser.parse_args().folder.glob("*.original.wav"))
    if not originals:
        parser.error("the folder has no *.original.wav")
    scores: dict[str, list[tuple[float, float]]] = {}
    for path in originals:
        x, y = read(path), read(path.with_name(path.name.replace(".original.", ".decoded.")))
        count = min(len(x), len(y))
        x, y = x[:count], y[:count]
        a, b = spectrum(x), spectrum(y)
        mine, theirs = envelope(a), envelope(b)

        def sound(chimera: np.ndarray) -> np.ndarray:
            return librosa.istft(chimera, hop_length=HOP, win_length=WINDOW, length=count)

        for name, heard in (
            ("decoded", y),
            ("decoded envelope, original fine structure", sound(a / mine * theirs)),
            ("original envelope, decoded fine structure", sound(b / theirs * mine)),
        ):
            scores.setdefault(name, []).append((pesq(RATE, x, heard, "wb"), stoi(x, heard, RATE)))
    print(f"{len(originals)} clips\n\n| | PESQ-WB | STOI |\n|---|---:|---:|")
    for name, values in scores.items():
        quality, intelligibility = np.mean(values, axis=0)
        print(f"| {name} | {quality:.2f} | {intelligibility:.3f} |")


if __name__ == "__main__":
    main()
