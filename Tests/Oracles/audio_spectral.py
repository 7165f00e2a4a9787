"""STFT and mel spectra of librosa -> Tests/Fixtures/audio_spectral.safetensors."""
import pathlib

import librosa
import numpy as np
from safetensors.numpy import save_file

generator = np.random.default_rng(7)
signal = generator.standard_normal((2, 1500)).astype(np.float32) * 0.3
arrays = {"signal": signal}
for length, hop in [(256, 64), (200, 80), (32, 8)]:
    for mode, name in [("reflect", "reflect"), ("constant", "zeros")]:
        spectrum = librosa.stft(signal, n_fft=length, hop_length=hop, pad_mode=mode)
        spectrum = np.moveaxis(spectrum, -1, -2)
        arrays[f"stft.{length}.{hop}.{name}.real"] = np.ascontiguousarray(spectrum.real)
        arrays[f"stft.{length}.{hop}.{name}.imaginary"] = np.ascontiguousarray(spectrum.imag)
for rate, length, bands in [(24000, 256, 20), (48000, 512, 40), (16000, 200, 10)]:
    arrays[f"filterbank.{rate}.{length}.{bands}"] = librosa.filters.mel(sr=rate, n_fft=length, n_mels=bands).T.copy()
mel = librosa.feature.melspectrogram(
    y=signal, sr=24000, n_fft=256, hop_length=64, n_mels=20, power=1.0, pad_mode="reflect")
arrays["mel.magnitude"] = np.ascontiguousarray(np.moveaxis(mel, -1, -2))
mel = librosa.feature.melspectrogram(
    y=signal, sr=24000, n_fft=256, hop_length=64, n_mels=20, power=2.0, pad_mode="reflect")
arrays["mel.log10"] = np.ascontiguousarray(np.moveaxis(np.log10(np.maximum(mel, 1e-5)), -1, -2)).astype(np.float32)
save_file(
    {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in arrays.items()},
    pathlib.Path(__file__).parents[1] / "Fixtures" / "audio_spectral.safetensors")
