"""Mel filters, mel spectra and an expander by librosa. Run from the repository root:
    python Tests/Oracles/audio_spectrum.py
"""

import json

import librosa
import numpy as np

filters = []
for rate, fft, bands, low, high in [(24000, 1024, 80, 0, 12000), (16000, 512, 20, 40, 7600), (48000, 128, 40, 0, 24000)]:
    weights = librosa.filters.mel(sr=rate, n_fft=fft, n_mels=bands, fmin=low, fmax=high, dtype=np.float64)
    nonzero = [[int(b), int(k), float(weights[b, k])] for b, k in np.argwhere(weights > 1e-12)]
    # Every seventh weight, and the sum of all, say as much as all of them.
    filters.append(
        {"rate": rate, "fft": fft, "bands": bands, "low": low, "high": high, "sum": float(weights.sum()),
         "count": len(nonzero), "weights": nonzero[::7]})

# A signal that a test can repeat without a file: a chirp with a fading envelope.
n = np.arange(5000)
signal = (np.sin(1e-4 * n * n) * np.exp(-n / 3000)).astype(np.float32)
power = np.abs(librosa.stft(signal.astype(np.float64), n_fft=512, hop_length=200, pad_mode="constant")) ** 2
mel = librosa.feature.melspectrogram(S=power, sr=16000, n_fft=512, n_mels=20, fmin=40, fmax=7600)

# Silence on both sides, so that every window that touches the signal counts.
limit, threshold, knee, size = 12, 45, 20, 512
around = librosa.stft(np.pad(signal.astype(np.float64), size), n_fft=size, hop_length=size // 4, pad_mode="constant")
levels = 20 * np.log10(np.abs(around) + 1e-150)
quieter = limit * np.clip((levels.max() - threshold - levels) / knee, 0, 1)
expanded = librosa.istft(around * 10 ** (-quieter / 20), hop_length=size // 4, length=len(signal) + 2 * size)[size:-size]

with open("Tests/Fixtures/audio/spectrum.json", "w") as file:
    json.dump(
        {"filters": filters, "power": {"frames": power.shape[1], "columns": {str(t): power[::16, t].tolist() for t in (0, 1, 12, 25)}},
         "mel": {str(t): mel[:, t].tolist() for t in (0, 12)}, "expanded": expanded[::7].tolist()}, file)
