"""Reconstruction losses of clips of several lengths, each computed alone: torch.stft and librosa's mel filters.

Writes Tests/Fixtures/tokenizer_losses.safetensors: `x` and `y` [3, 1920] with noise for padding before each clip, `lengths`,
and the losses of the whole: means over the clips' own frames. Once more with a floor, that of white noise of QUIETEST dB.
"""

from pathlib import Path

import librosa
import numpy as np
import torch
from safetensors.numpy import save_file

RATE, SAMPLES, LENGTHS = 24000, 1920, [1920, 960, 1440]
MEL = [(64, 8), (256, 20)]
STFT = [128, 512]
QUIETEST = -23.0


def magnitude(clip: torch.Tensor, size: int, floor: float) -> torch.Tensor:
    """`[frames, frequencies]`, the last frame centred on the clip's end and zeros beyond its edges."""
    hop = size // 4
    clip = torch.nn.functional.pad(clip, (-len(clip) % hop, 0))
    spectrum = torch.stft(clip, size, hop, window=torch.hann_window(size, dtype=clip.dtype), center=True,
                          pad_mode="constant", return_complex=True)
    return spectrum.abs().square().clamp(min=floor).sqrt().T


def noise_magnitude(size: int) -> float:
    """The mean magnitude of white noise of QUIETEST dB (RMS), of a million samples of it."""
    noise = torch.tensor(np.random.default_rng(6).normal(0, 10 ** (QUIETEST / 20), 1 << 20))
    mean = magnitude(noise, size, 0.0)[4:-4, 1:-1].mean().item()
    window = torch.hann_window(size, dtype=torch.float64)
    expected = 10 ** (QUIETEST / 20) * (torch.pi / 4 * window.square().sum()).sqrt().item()
    assert abs(mean / expected - 1) < 0.01, (size, mean, expected)
    return expected


def losses(pairs: list, floors: bool) -> tuple[float, float]:
    mel = 0.0
    for size, bands in MEL:
        bank = torch.tensor(librosa.filters.mel(sr=RATE, n_fft=size, n_mels=bands, dtype=np.float64)).T
        # A filter has unit area in Hz, and a frequency is RATE / size wide.
        floor = noise_magnitude(size) * size / RATE if floors else 1e-5
        levels = [[(magnitude(s, size, 1e-12) @ bank).clamp(min=floor).log10() for s in pair] for pair in pairs]
        mel += torch.cat([(a - b).abs() for a, b in levels]).mean().item()

    stft = 0.0
    for size in STFT:
        spectra = [[magnitude(s, size, 1e-7) for s in pair] for pair in pairs]
        stft += np.mean([(torch.linalg.norm(a - b) / torch.linalg.norm(a)).item() for a, b in spectra])
        floor = noise_magnitude(size) if floors else 0.0
        levels = [[s.clamp(min=floor).log() for s in pair] for pair in spectra]
        stft += torch.cat([(a - b).abs() for a, b in levels]).mean().item()
    return mel, stft / len(STFT)


def main() -> None:
    random = np.random.default_rng(5)
    x, y = (random.normal(0, 0.1, (len(LENGTHS), SAMPLES)) for _ in range(2))
    pairs = [(torch.tensor(x[i, SAMPLES - n :]), torch.tensor(y[i, SAMPLES - n :])) for i, n in enumerate(LENGTHS)]
    mel, stft = losses(pairs, False)
    floored_mel, floored_stft = losses(pairs, True)
    assert floored_mel < 0.9 * mel and floored_stft < 0.95 * stft, (mel, floored_mel, stft, floored_stft)

    waveform = torch.cat([(a - b).abs() for a, b in pairs]).mean().item()
    save_file(
        {"x": x, "y": y, "lengths": np.array(LENGTHS, np.int32), "mel": np.array(mel),
         "stft": np.array(stft), "waveform": np.array(waveform), "floored/mel": np.array(floored_mel),
         "floored/stft": np.array(floored_stft), "quietest": np.array(QUIETEST)},
        Path(__file__).parent.parent / "Fixtures/tokenizer_losses.safetensors")


if __name__ == "__main__":
    main()
