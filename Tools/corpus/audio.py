"""Decoding, trimming, measuring and writing one recording."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

MARGIN_SECONDS = 0.12  # kept before the first and after the last sound
LEVEL_FRAME_SECONDS = 0.02


class DecodeError(Exception):
    pass


def decode(file: Path) -> tuple[np.ndarray, int]:
    """Mono samples in [-1, 1] at the file's own rate, and that rate in Hz."""
    if file.suffix == ".g722":
        return decode_with_ffmpeg(file, 16000, "-f", "g722")
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except soundfile.SoundFileError:
        return decode_with_ffmpeg(file, 48000)
    return samples.mean(axis=1), rate


def decode_with_ffmpeg(file: Path, rate: int, *input_options: str) -> tuple[np.ndarray, int]:
    command = ["ffmpeg", "-nostdin", "-v", "error", *input_options, "-i", str(file), "-f", "s16le", "-ac", "1", "-ar", str(rate), "-"]
    result = subprocess.run(command, capture_output=True)
    if result.returncode != 0:
        raise DecodeError(result.stderr.decode(errors="replace").strip())
    return np.frombuffer(result.stdout, "<i2").astype(np.float32) / 32768, rate


@dataclass(frozen=True)
class Speech:
    samples: np.ndarray
    start_seconds: float  # of silence cut off before it
    active_seconds: float  # in frames at speech level
    level_db: float  # of the loud frames, re full scale
    snr_db: float  # loud frames over quiet ones


def trim(samples: np.ndarray, rate: int) -> Speech | None:
    """What lies between the first and the last frame at speech level, with a margin; None when nothing does.

    Speech level is within 32 dB of the loud frames, above -62 dB, and 8 dB above the noise floor unless speech itself is
    hardly louder than that.
    """
    frame = int(LEVEL_FRAME_SECONDS * rate)
    frames = len(samples) // frame
    if frames < 8:
        return None
    samples = samples - samples.mean()
    energy_db = 10 * np.log10((samples[: frames * frame].reshape(frames, frame) ** 2).mean(axis=1) + 1e-12)
    loud, quiet = np.percentile(energy_db, 95), np.percentile(energy_db, 5)
    active = np.flatnonzero(energy_db > max(loud - 32, -62, min(quiet + 8, loud - 12)))
    if len(active) == 0:
        return None
    margin = int(MARGIN_SECONDS * rate)
    start = max(0, active[0] * frame - margin)
    end = min(len(samples), (active[-1] + 1) * frame + margin)
    return Speech(samples[start:end], float(start / rate), len(active) * LEVEL_FRAME_SECONDS, float(loud), float(loud - quiet))


def bandwidth(samples: np.ndarray, rate: int, window: int = 1024) -> int | None:
    """The highest frequency (Hz) at which the smoothed spectrum of the louder frames is within 65 dB of its peak.

    Tells speech that was once 16 kHz from speech that has the band its sample rate promises.
    """
    if len(samples) < window:
        return None
    frames = samples[: len(samples) // window * window].reshape(-1, window)
    energy = (frames**2).mean(axis=1)
    frames = frames[energy > energy.max() * 1e-3]
    power = (np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2).mean(axis=0) + 1e-20
    smoothed_db = 10 * np.log10(np.convolve(power, np.ones(5) / 5, "same"))
    edge = np.flatnonzero(smoothed_db > smoothed_db.max() - 65)[-1]
    return int(np.fft.rfftfreq(window, 1 / rate)[edge])


def write_flac(file: Path, samples: np.ndarray, rate: int) -> None:
    """16-bit FLAC, written whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
    partial = file.with_suffix(".part")
    soundfile.write(partial, pcm, rate, format="FLAC", subtype="PCM_16")
    os.replace(partial, file)
