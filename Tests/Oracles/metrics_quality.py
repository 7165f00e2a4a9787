"""Quality figures by pystoi, torchmetrics and librosa for pairs of synthetic speech-like signals.

Needs torchmetrics besides the common environment. Run from the repository root:
    python Tests/Oracles/metrics_quality.py
"""

import json

import librosa
import numpy as np
import scipy.signal
import soundfile
import torch
from pystoi import stoi
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

OUT = "Tests/Fixtures/metrics"
SECONDS = 0.9


def speech_like(rate, rng):
    """Pulses at a gliding pitch through moving resonances, in syllables with a pause among them."""
    count = int(SECONDS * rate)
    time = np.arange(count) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.9 * time)
    source = np.diff(np.floor(np.cumsum(pitch) / rate), prepend=0) + 0.02 * rng.standard_normal(count)
    signal = np.zeros(count)
    for formant, width, gain in [(600, 90, 1.0), (1400, 120, 0.6), (2600, 200, 0.3)]:
        radius = np.exp(-np.pi * width / rate)
        angle = 2 * np.pi * formant / rate
        signal += gain * scipy.signal.lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius * radius], source)
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time), 0, None) ** 0.5
    syllables[(time > 0.4) & (time < 0.55)] = 1e-4
    return 0.5 * signal * syllables / np.abs(signal).max()


def quantised(signal):
    return np.clip(np.round(signal * 32768), -32768, 32767).astype(np.int16)


def mel(signal, rate):
    bands = librosa.feature.melspectrogram(
        y=signal, sr=rate, n_fft=1024, hop_length=256, n_mels=80, power=1.0, pad_mode="constant")
    return np.log10(np.maximum(bands, 1e-5))


def spectrum(signal):
    power = np.abs(librosa.stft(signal, n_fft=2048, hop_length=512, pad_mode="constant")) ** 2
    return np.log10(np.maximum(power, 1e-8))


figures = {}
for rate, noise in [(10000, 0.03), (16000, 0.1), (24000, 0.02), (22050, 0.05)]:
    rng = np.random.default_rng(rate)
    clean = speech_like(rate, rng)
    # Noise, a loss of treble and a gain: what a poor codec does.
    cutoff = scipy.signal.butter(4, min(0.6, 3000 * 2 / rate))
    degraded = 0.8 * scipy.signal.lfilter(*cutoff, clean) + noise * rng.standard_normal(len(clean)) * np.abs(clean).max()
    pair = {"reference": quantised(clean), "degraded": quantised(degraded)}
    for name, samples in pair.items():
        soundfile.write(f"{OUT}/{name}_{rate}.flac", samples, rate, subtype="PCM_16")
    x, y = (pair[name].astype(np.float64) / 32768 for name in ("reference", "degraded"))
    figures[str(rate)] = {
        "stoi": float(stoi(x, y, rate)),
        "extendedStoi": float(stoi(x, y, rate, extended=True)),
        "siSDR": float(scale_invariant_signal_distortion_ratio(torch.tensor(y), torch.tensor(x))),
        "melDistance": float(np.mean(np.abs(mel(x, rate) - mel(y, rate)))),
        "logSpectralDistance": float(np.mean(np.sqrt(np.mean((spectrum(x) - spectrum(y)) ** 2, axis=0)))),
    }
    print(rate, figures[str(rate)])

with open(f"{OUT}/quality.json", "w") as file:
    json.dump(figures, file, indent=1)
