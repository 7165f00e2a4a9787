"""Sentences of Debian's fortunes in the voices of Kokoro, a text-to-speech model, and in mixtures of them. Called by kokoro.sh."""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
from multiprocessing import Pool
from multiprocessing.pool import Pool as Workers
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import soundfile
from misaki.espeak import EspeakFallback, EspeakG2P

from synthetic import LANGUAGES as TEXTS
from synthetic import sentences

RATE = 24000
# Of each language, what turns its letters into Kokoro's phonemes.
LANGUAGES = {
    "cs": ("cs", lambda: EspeakG2P("cs")),
    "de": ("de", lambda: EspeakG2P("de")),
    "en-gb": ("en", lambda: EspeakFallback(british=True)),
    "en-us": ("en", lambda: EspeakFallback(british=False)),
    "es": ("es", lambda: EspeakG2P("es")),
    "it": ("it", lambda: EspeakG2P("it")),
    "pl": ("pl", lambda: EspeakG2P("pl")),
    "pt-br": ("pt", lambda: EspeakG2P("pt-br")),
}
# Kokoro has learnt to speak these; the others it speaks with whatever accent comes of their phonemes.
LEARNT = {"en-gb", "en-us", "es", "it", "pt-br"}
# Every twentieth clip is of one of these, who are never mixed into others.
HELD_OUT = {"am_puck", "bf_lily", "em_alex", "im_nicola", "zf_xiaobei"}
SINGLE_SHARE = 0.4
SPEEDS = (0.85, 1.2)
GAIN = (-8, 2)  # dB
# Whoever speaks is heard in a room: what is quieter than this is not silence in any recording.
FLOOR = (-85, -60)  # dB of full scale


class Speaker:
    """Kokoro in one process, on one thread."""

    def __init__(self, model: Path, vocabulary: Path, voices: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])
        self.tokens = json.loads(vocabulary.read_text("utf-8"))["vocab"]
        # A style for each length of what is said.
        self.styles = {path.stem: np.fromfile(path, np.float32).reshape(-1, 256) for path in sorted(voices.glob("*.bin"))}
        self.phonemizers = {}

    def phonemes(self, text: str, language: str) -> str:
        if language not in self.phonemizers:
            self.phonemizers[language] = LANGUAGES[language][1]()
        phonemizer = self.phonemizers[language]
        said, _ = phonemizer(SimpleNamespace(text=text) if isinstance(phonemizer, EspeakFallback) else text)
        return said or ""

    def say(self, phonemes: str, voices: dict[str, float], speed: float) -> np.ndarray | None:
        tokens = [self.tokens[symbol] for symbol in phonemes if symbol in self.tokens]
        styles = [self.styles[voice] * share for voice, share in voices.items()]
        if not tokens or len(tokens) >= len(styles[0]):
            return None
        style = sum(styles)[len(tokens)][np.newaxis].astype(np.float32)
        inputs = {"tokens": np.array([[0, *tokens, 0]]), "style": style, "speed": np.array([speed], np.float32)}
        samples = self.session.run(None, inputs)[0].ravel()
        return samples if np.isfinite(samples).all() and samples.any() else None


def recorded(samples: np.ndarray, chance: random.Random) -> np.ndarray:
    """Without the silence around it, at a level and with noise as recordings have."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    margin = RATE // 20
    samples = samples[max(0, loud[0] - margin) : loud[-1] + margin] * 10 ** (chance.uniform(*GAIN) / 20)
    noise = np.random.default_rng(chance.getrandbits(64)).standard_normal(len(samples))
    samples = samples + noise * 10 ** (chance.uniform(*FLOOR) / 20)
    return samples * min(1, 0.98 / np.abs(samples).max())


def write(samples: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    soundfile.write(part, samples, RATE, format="FLAC", subtype="PCM_16")
    part.replace(path)


def chosen_voices(chance: random.Random, number: int, names: list[str]) -> dict[str, float]:
    if number % 20 == 19:
        return {chance.choice(sorted(HELD_OUT)): 1.0}
    heard = [name for name in names if name not in HELD_OUT]
    if chance.random() < SINGLE_SHARE:
        return {chance.choice(heard): 1.0}
    share = round(chance.uniform(0.2, 0.5), 2)
    major, minor = chance.sample(heard, 2)
    return {major: 1 - share, minor: share}


speaker: Speaker


def start(model: Path, vocabulary: Path, voices: Path) -> None:
    global speaker
    speaker = Speaker(model, vocabulary, voices)


def clip(job: tuple[int, str, str, Path]) -> dict | None:
    """A line of the manifest, or None for a sentence that Kokoro has nothing to say for; what a build before this has said stays."""
    number, text, language, out = job
    chance = random.Random(f"{language} {number}")
    voices = chosen_voices(chance, number, sorted(speaker.styles))
    path = Path("flac") / language / f"{number:05d}.flac"
    if not (out / path).exists():
        samples = speaker.say(speaker.phonemes(text, language), voices, chance.uniform(*SPEEDS))
        if samples is None:
            return None
        write(recorded(samples, chance), out / path)
    frames = soundfile.info(out / path).frames
    name = "kokoro-" + "-".join(voice if share == 1 else f"{voice}{share:.2f}" for voice, share in voices.items())
    return {
        "path": str(path), "seconds": round(frames / RATE, 4), "sample_rate": RATE, "speaker": name,
        "language": language, "text": text, "text_quality": "exact" if language in LEARNT else "good", "kind": "sentence",
        "split": "dev" if HELD_OUT.intersection(voices) else "train", "bandwidth_hz": RATE // 2,
        "licence": "Apache-2.0", "package": TEXTS[LANGUAGES[language][0]][0], "source": "kokoro",
    }  # fmt: skip


def speak(pool: Workers, language: str, arguments: argparse.Namespace) -> list[str]:
    """Lines of the manifest of about so many minutes of a language."""
    package, folder, _ = TEXTS[LANGUAGES[language][0]]
    said = list(sentences(arguments.texts / package / folder))
    random.Random(language).shuffle(said)
    jobs = ((number, text, language, arguments.out) for number, text in enumerate(said))
    seconds, lines = 0.0, []
    # A batch at a time, for the pool would say everything before the first is taken.
    while seconds < arguments.minutes * 60 and (batch := [job for _, job in zip(range(32), jobs)]):
        for line in filter(None, pool.map(clip, batch, chunksize=4)):
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
            seconds += line["seconds"]
    print(f"corpus: {seconds / 60:.1f} minutes of '{language}'", flush=True)
    if seconds < arguments.minutes * 60:
        print(f"corpus: the texts in '{language}' last no longer")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", nargs="+", default=["en-us"], choices=LANGUAGES)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--texts", type=Path, help="a folder for each package; without it, the packages are named")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--vocabulary", type=Path)
    parser.add_argument("--voices", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.texts is None:
        print(*dict.fromkeys(TEXTS[LANGUAGES[language][0]][0] for language in arguments.languages))
        return

    lines = []
    try:
        with Pool(os.cpu_count(), start, (arguments.model, arguments.vocabulary, arguments.voices)) as pool:
            for language in arguments.languages:
                lines += speak(pool, language, arguments)
    except (OSError, soundfile.SoundFileError) as error:
        sys.exit(f"corpus: {error}; mend that and run this again, which goes on where it stopped")
    if not lines:
        sys.exit("corpus: Kokoro said nothing; run this again in an empty folder")
    part = arguments.out / "manifest.jsonl.part"
    part.write_text("".join(lines), "utf-8")
    part.replace(arguments.out / "manifest.jsonl")
    seconds = math.fsum(json.loads(line)["seconds"] for line in lines)
    print(f"corpus: {len(lines)} clips, {seconds / 3600:.2f} h in Kokoro's voices in {arguments.out}")


if __name__ == "__main__":
    main()
