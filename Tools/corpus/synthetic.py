"""Speech by espeak-ng with the time of every phoneme.

The library's phoneme events say when each phoneme begins in the sound that it makes; the program prints no times.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import random
import re
from pathlib import Path

import numpy as np
import soundfile

# The voice files of languages.
VOICES = {"en-us": "gmw/en-US", "en-gb": "gmw/en", "en-gb-scotland": "gmw/en-GB-scotland", "en-029": "gmw/en-029"}
VARIANTS = ["m1", "m2", "m3", "m4", "m5", "m6", "f1", "f2", "f3", "f4"]
HELD_OUT = ["m7", "f5"]
RATES = range(130, 211, 10)  # words per minute
PITCHES = range(35, 66, 5)  # espeak-ng's scale, 50 being the voice's own


class Identifier(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int), ("sample", ctypes.c_int), ("user_data", ctypes.c_void_p), ("id", Identifier),
    ]  # fmt: skip


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))
RETRIEVAL, END, PHONEME = 2, 0, 7
PHONEME_EVENTS, PHONEME_IPA, DONT_EXIT = 1, 2, 0x8000
UTF8, RATE, PITCH = 1, 1, 3


class Speaker:
    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(RETRIEVAL, 0, None, PHONEME_EVENTS | PHONEME_IPA | DONT_EXIT)
        if self.rate <= 0:
            raise SystemExit("corpus: espeak-ng cannot start; is the package espeak-ng-data installed?")
        self.chunks, self.starts = [], []
        self.callback = CALLBACK(self.collect)
        self.library.espeak_SetSynthCallback(self.callback)

    def collect(self, samples, count, events):
        if samples and count:
            self.chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != END:
            if events[index].type == PHONEME:
                self.starts.append((events[index].id.string.decode("utf-8", "ignore"), events[index].sample))
            index += 1
        return 0

    def say(self, text, voice, rate, pitch):
        """Samples, and (IPA, start, end) of each phoneme in samples; what is not a phoneme is silence."""
        self.chunks, self.starts = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"corpus: espeak-ng has no voice {voice}")
        self.library.espeak_SetParameter(RATE, rate, 0)
        self.library.espeak_SetParameter(PITCH, pitch, 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        samples = np.concatenate(self.chunks) if self.chunks else np.zeros(0, np.int16)
        ends = [start for _, start in self.starts[1:]] + [len(samples)]
        phones = [
            (ipa, start, min(end, len(samples))) for (ipa, start), end in zip(self.starts, ends) if ipa and start < end
        ]
        return samples, phones


def sentences(folder):
    """Plain English sentences of the fortunes, each once, in order of files."""
    seen = set()
    for file in sorted(folder.iterdir()):
        if not file.is_file() or file.suffix in (".dat", ".u8"):
            continue
        for fortune in re.split(r"^%$", file.read_text("utf-8", "replace"), flags=re.M):
            text = " ".join(re.sub(r"^\s*--.*", "", fortune, flags=re.S | re.M).split())
            for sentence in re.split(r"(?<=[.!?])\s+", text):
                plain = re.fullmatch(r"[A-Z][A-Za-z ,;'-]{20,130}[.!?]", sentence)
                if plain and sentence not in seen and not re.search(r"\b[A-Z]{2,}\b", sentence):
                    seen.add(sentence)
                    yield sentence


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()

    chosen = random.Random(1)
    texts = list(sentences(arguments.texts))
    chosen.shuffle(texts)
    speaker = Speaker()
    seconds, lines = 0.0, []
    for number, text in enumerate(texts):
        if seconds >= arguments.minutes * 60:
            break
        # Every twentieth clip is of a voice that training never hears.
        variant = chosen.choice(HELD_OUT if number % 20 == 19 else VARIANTS)
        language = chosen.choice(sorted(VOICES))
        name = f"espeak-{language}+{variant}"
        samples, phones = speaker.say(text, f"{VOICES[language]}+{variant}", chosen.choice(RATES), chosen.choice(PITCHES))
        if not phones or not np.any(samples):
            continue
        path = Path("flac") / name / f"{number:05d}.flac"
        (arguments.out / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(arguments.out / path, samples, speaker.rate)
        length = len(samples) / speaker.rate
        seconds += length
        lines.append({
            "path": str(path), "seconds": round(length, 4), "sample_rate": speaker.rate, "speaker": name,
            "language": language, "text": text, "text_quality": "exact", "kind": "sentence",
            "split": "dev" if variant in HELD_OUT else "train", "bandwidth_hz": speaker.rate // 2,
            "phones": [[ipa, round(start / speaker.rate, 4), round(end / speaker.rate, 4)] for ipa, start, end in phones],
            "package": "fortunes", "source": "espeak-ng",
        })  # fmt: skip
    if seconds < arguments.minutes * 60:
        print(f"corpus: the texts last {seconds / 60:.0f} minutes and no longer")
    part = arguments.out / "manifest.jsonl.part"
    part.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    part.replace(arguments.out / "manifest.jsonl")
    print(f"corpus: {len(lines)} clips, {seconds / 60:.1f} minutes of synthetic speech in {arguments.out}")


if __name__ == "__main__":
    main()
