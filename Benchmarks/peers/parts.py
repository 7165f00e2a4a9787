#!/usr/bin/env python3
"""Whether a model's sound is lost in its envelope or in its fine structure: PESQ and STOI of decoded clips, and of two chimeras of each.

    allophone evaluate --model MODEL --data .corpus/core --split dev --clips 24 --output out/decoded
    .venv/bin/python Benchmarks/peers/parts.py out/decoded

Spectra (windows of 32 ms, hops of 8) are divided by their mel envelope (40 bands). One chimera has the original's fine structure, voice
and phases, in the decoded envelope; the other what the decoder makes of the voice in the original's envelope. The higher a chimera is, the
less is lost in what it has of the decoded sound.

A decoder without noise of its own may also say the same in each frame, which is heard as a buzz. So the last line has how alike what is above 4.5 kHz
is to itself a frame later, in the ten frames of each clip where the original is loudest there: 0 is noise, 1 repeats.
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
from scipy.signal import butter, sosfilt

RATE, SIZE, HOP, WINDOW = 16000, 1024, 128, 512
HIGHS = butter(6, 4500, "highpass", fs=RATE, output="sos")
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


def loudest(x: np.ndarray, period: int) -> np.ndarray:
    """Where the loudest frames begin that have another after them and one more."""
    starts = np.arange(0, len(x) - 3 * period, period)
    return starts[np.argsort([-np.sum(x[start:start + 2 * period] ** 2) for start in starts])[:10]]


def repetition(x: np.ndarray, starts: np.ndarray, period: int) -> list[float]:
    """Correlations of two frames with what is one frame later."""
    pairs = [(x[start:start + 2 * period], x[start + period:start + 3 * period]) for start in starts]
    return [float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-20)) for a, b in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `allophone evaluate --output` wrote")
    parser.add_argument("--frame-rate", type=float, default=50, help="of the codec, in Hz (50)")
    arguments = parser.parse_args()
    originals, period = sorted(arguments.folder.glob("*.original.wav")), round(RATE / arguments.frame_rate)
    if not originals:
        parser.error("the folder has no *.original.wav")
    scores: dict[str, list[tuple[float, float]]] = {}
    repeats: dict[str, list[float]] = {"original": [], "decoded": []}
    for path in originals:
        x, y = read(path), read(path.with_name(path.name.replace(".original.", ".decoded.")))
        count = min(len(x), len(y))
        x, y = x[:count], y[:count]
        highs = {"original": sosfilt(HIGHS, x), "decoded": sosfilt(HIGHS, y)}
        starts = loudest(highs["original"], period)
        for name, sound in highs.items():
            repeats[name] += repetition(sound, starts, period)
        a, b = spectrum(x), spectrum(y)
        mine, theirs = envelope(a), envelope(b)

        def inverse(chimera: np.ndarray) -> np.ndarray:
            return librosa.istft(chimera, hop_length=HOP, win_length=WINDOW, length=count)

        for name, heard in (
            ("decoded", y),
            ("decoded envelope, original fine structure", inverse(a / mine * theirs)),
            ("original envelope, decoded fine structure", inverse(b / theirs * mine)),
        ):
            scores.setdefault(name, []).append((pesq(RATE, x, heard, "wb"), stoi(x, heard, RATE)))
    print(f"{len(originals)} clips\n\n| | PESQ-WB | STOI |\n|---|---:|---:|")
    for name, values in scores.items():
        quality, intelligibility = np.mean(values, axis=0)
        print(f"| {name} | {quality:.2f} | {intelligibility:.3f} |")
    alike = ", ".join(f"{name} {np.mean(values):.2f}" for name, values in repeats.items())
    print(f"\nalike a frame later, above 4.5 kHz: {alike}")


if __name__ == "__main__":
    main()
