"""What is left of speech, by codec: Allophone's model beside Opus and Codec2 on the same held-out clips.

    .venv/bin/python Benchmarks/peers/quality.py --model MODEL [--data .corpus/core] [--split dev] [--clips 64] [--search 1 4]

Writes a table in Markdown and ends with one line of JSON. `--recognizer` names a model with phonemes, by which the phonemes of what
each codec says are read and compared with the transcripts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import librosa
import numpy as np
import onnxruntime
import soundfile
import soxr
from speech_codecs import Allophone, Codec2, Opus, Original, load, run
from pesq import NoUtterancesError, pesq
from pystoi import stoi

ROOT = Path(__file__).resolve().parents[2]
# What PESQ and DNSMOS are defined for.
WIDEBAND = 16000
# `allophone evaluate` takes clips of this length, in seconds.
SECONDS = (1.0, 12.0)
# STOI, SI-SDR and mel distance compare moment by moment: a codec that delays is given what suits it best, in ms.
DELAYS = range(10, 31)
DELAY_CLIPS = 4


@dataclass
class Clip:
    path: Path
    seconds: float
    text: str | None
    language: str | None
    reference: np.ndarray = field(repr=False)  # at the model's rate


@dataclass
class Figures:
    """Means over the clips that a measure can judge."""

    pesq: list[float] = field(default_factory=list)
    stoi: list[float] = field(default_factory=list)
    si_sdr: list[float] = field(default_factory=list)
    mel: list[float] = field(default_factory=list)
    p808: list[float] = field(default_factory=list)
    bit_rate: float = 0
    delay_ms: int = 0
    phoneme_errors: float | None = None

    def summary(self) -> dict:
        means = {
            name: round(statistics.mean(values), 4) if (values := getattr(self, name)) else None
            for name in ("pesq", "stoi", "si_sdr", "mel", "p808")
        }
        return means | {
            "bit_rate": round(self.bit_rate), "delay_ms": self.delay_ms, "phoneme_error_rate": self.phoneme_errors,
        }  # fmt: skip


def si_sdr(reference: np.ndarray, decoded: np.ndarray) -> float:
    """In dB; Le Roux et al., 2019, means not removed."""
    target = np.dot(reference, decoded) / np.dot(reference, reference) * reference
    return 10 * np.log10(np.sum(target**2) / np.sum((decoded - target) ** 2))


def log_mel(samples: np.ndarray, rate: int) -> np.ndarray:
    """What `SpeechQuality.melDistance` compares: 80 Slaney bands of magnitudes, 1024-point Hann windows, a hop of 256."""
    mel = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=1024, hop_length=256, n_mels=80, power=1, pad_mode="constant", norm="slaney")
    return np.log10(np.maximum(mel, 1e-5))


class P808:
    """DNSMOS P808 as `speechmos` has it, without the networks of P.835, which take nine tenths of its time."""

    SECONDS = 9.01

    def __init__(self) -> None:
        network = files("speechmos") / "dnsmos_models" / "model_v8.onnx"
        self.session = onnxruntime.InferenceSession(network.read_bytes(), providers=["CPUExecutionProvider"])

    def __call__(self, samples: np.ndarray) -> float:
        length = int(self.SECONDS * WIDEBAND)
        while len(samples) < length:
            samples = np.append(samples, samples)
        segments = int(len(samples) // WIDEBAND - self.SECONDS) + 1
        starts = [number * WIDEBAND for number in range(segments)]
        return float(np.mean([self.segment(samples[start : start + length - 160]) for start in starts]))

    def segment(self, samples: np.ndarray) -> float:
        power = librosa.feature.melspectrogram(y=samples, sr=WIDEBAND, n_fft=321, hop_length=160, n_mels=120)
        decibels = (librosa.power_to_db(power, ref=np.max) + 40) / 40
        return self.session.run(None, {"input_1": decibels.T[np.newaxis].astype(np.float32)})[0][0][0]


def shifted(decoded: np.ndarray, delay: int, count: int) -> np.ndarray:
    """`count` samples from `delay` on, silence where there are none."""
    return np.pad(decoded[delay:], (0, max(0, count - len(decoded) + delay)))[:count]


def chosen(manifest: Path, split: str, count: int) -> list[dict]:
    """As many clips as that, spread evenly over those of the split that are neither too short nor too long."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == split and SECONDS[0] <= row["seconds"] <= SECONDS[1]]
    if not rows:
        raise SystemExit(f"quality: {manifest} has no clip of {SECONDS[0]} to {SECONDS[1]} s in split {split}")
    count = min(count, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def dataset(folder: Path, clips: list[Clip], sounds: list[np.ndarray], rate: int) -> None:
    """A folder that `allophone evaluate --data` takes: sounds and what is said in them."""
    folder.mkdir()
    with open(folder / "manifest.jsonl", "w", encoding="utf-8") as manifest:
        for number, (clip, samples) in enumerate(zip(clips, sounds)):
            soundfile.write(folder / f"{number:04d}.wav", samples, rate, subtype="FLOAT")
            row = {"path": f"{number:04d}.wav", "seconds": clip.seconds, "split": "dev"}
            row |= {key: value for key in ("text", "language") if (value := getattr(clip, key))}
            print(json.dumps(row, ensure_ascii=False), file=manifest)


def evaluate(program: Path, model: Path, folder: Path, count: int) -> dict:
    return json.loads(
        run(program, "evaluate", "--data", folder, "--split", "dev", "--clips", count, "--model", model, "--json"))


def best_delay(clips: list[Clip], decoded: list[np.ndarray], rate: int) -> int:
    def score(delay: int) -> float:
        pairs = list(zip(clips, decoded))[:: max(1, len(clips) // DELAY_CLIPS)]
        return sum(
            stoi(clip.reference, shifted(sound, delay * rate // 1000, len(clip.reference)), rate) for clip, sound in pairs)

    return max(DELAYS, key=score)


def measure(clips: list[Clip], decoded: list[np.ndarray], rate: int, figures: Figures, listener: P808) -> None:
    for clip, sound in zip(clips, decoded):
        reference = clip.reference
        wide, wide_sound = (soxr.resample(samples, rate, WIDEBAND, "HQ") for samples in (reference, sound))
        figures.stoi.append(stoi(reference, sound, rate))
        figures.mel.append(float(np.mean(np.abs(log_mel(reference, rate) - log_mel(sound, rate)))))
        if not np.array_equal(reference, sound):
            figures.si_sdr.append(float(si_sdr(reference, sound)))
        try:
            figures.pesq.append(pesq(WIDEBAND, wide, wide_sound, "wb"))
        except NoUtterancesError:
            pass  # PESQ hears no speech in it
        figures.p808.append(listener(np.clip(wide_sound, -1, 1)))


def table(rows: dict[str, dict]) -> str:
    columns = [
        ("bit/s", "bit_rate", "d"), ("PESQ-WB", "pesq", ".2f"), ("STOI", "stoi", ".3f"), ("SI-SDR, dB", "si_sdr", ".1f"),
        ("DNSMOS P808", "p808", ".2f"), ("mel distance", "mel", ".3f"), ("phoneme errors", "phoneme_error_rate", ".1%"),
    ]  # fmt: skip
    lines = ["| codec | " + " | ".join(name for name, _, _ in columns) + " |", "|---|" + "---:|" * len(columns)]
    for codec, figures in rows.items():
        cells = [format(value, style) if (value := figures[key]) else "–" for _, key, style in columns]
        lines.append(f"| {codec} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/allophone")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--recognizer", type=Path, help="a model with phonemes; MODEL, where it has them")
    parser.add_argument("--data", type=Path, default=ROOT / ".corpus/core")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--search", type=int, nargs="*", default=[], help="paths of encoders that try codes out")
    parser.add_argument("--table", type=Path, help="where the table goes; standard error without")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", module="librosa|pystoi")

    program, model = arguments.program.resolve(), arguments.model.resolve()
    information = json.loads(run(program, "info", model, "--json"))
    rate = information["sampleRate"]
    recognizer = arguments.recognizer or (model if "phonemes" in json.loads(information["configuration"]) else None)
    rows = chosen(arguments.data / "manifest.jsonl", arguments.split, arguments.clips)
    codecs = [Original(), Allophone(program, model)]
    codecs += [Allophone(program, model, width) for width in arguments.search]
    codecs += [Opus(kilobits, is_constant) for kilobits in (6, 8) for is_constant in (True, False)]
    codecs += [Codec2(mode) for mode in ("3200", "2400", "1600", "1400", "1300", "1200")]

    results: dict[str, dict] = {}
    listener = P808()
    with tempfile.TemporaryDirectory(prefix="quality") as name:
        folder = Path(name)
        clips = []
        for row in rows:
            path = arguments.data / row["path"]
            clips.append(Clip(path, row["seconds"], row.get("text"), row.get("language"), load(path, rate)))
        seconds = sum(len(clip.reference) for clip in clips) / rate
        dataset(folder / "original", clips, [clip.reference for clip in clips], rate)
        ours = evaluate(program, model, folder / "original", len(clips))
        for codec in codecs:
            print(f"quality: {codec.name}", file=sys.stderr, flush=True)
            figures, decoded, bits = Figures(), [], 0
            for number, clip in enumerate(clips):
                samples, taken = codec(folder / "original" / f"{number:04d}.wav", rate, folder)
                decoded.append(samples)
                bits += taken
            figures.delay_ms = 0 if codec.is_aligned else best_delay(clips, decoded, rate)
            delay = figures.delay_ms * rate // 1000
            decoded = [shifted(sound, delay, len(clip.reference)) for clip, sound in zip(clips, decoded)]
            figures.bit_rate = bits / seconds
            measure(clips, decoded, rate, figures, listener)
            if recognizer:
                heard = folder / codec.name.replace(" ", "-").lower() / "heard"
                heard.parent.mkdir(exist_ok=True)
                dataset(heard, clips, decoded, rate)
                figures.phoneme_errors = evaluate(program, recognizer, heard, len(clips)).get("phonemeErrorRate")
            results[codec.name] = figures.summary()
    check(results["Allophone"], ours)
    text = table(results)
    if arguments.table:
        arguments.table.parent.mkdir(parents=True, exist_ok=True)
        arguments.table.write_text(text, "utf-8")
    print(text, file=sys.stderr)
    first, peer = results["Allophone"], results["Codec2 3200"]
    print(json.dumps({
        "benchmark": "bench-quality", "measure": "STOI, ours against Codec2 3200", "ours": first["stoi"],
        "peer": peer["stoi"], "ratio": round(first["stoi"] / peer["stoi"], 3), "clips": len(clips),
        "seconds": round(seconds, 1), "phonemes_by_tokens": ours.get("phonemeErrorRate"),
        "bits": ours.get("bitMeans"), "codecs": results,
    }))  # fmt: skip


def check(measured: dict, ours: dict) -> None:
    """The measures here and those of `allophone evaluate` must say the same of the same sound."""
    for name, mine, tolerance in (("stoi", "stoi", 0.005), ("mel", "melDistance", 0.01), ("si_sdr", "scaleInvariantSDR", 1.0)):
        if abs(measured[name] - ours[mine]) > tolerance:
            raise SystemExit(f"quality: {name} is {measured[name]} here and {ours[mine]} by allophone evaluate")


if __name__ == "__main__":
    main()
