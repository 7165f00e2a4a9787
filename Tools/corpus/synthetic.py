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

# The package of a language's sentences, its folder below the fortunes, and the voice files of its accents.
LANGUAGES = {
    "bg": ("fortunes-bg", "bg", {"bg": "zls/bg"}),
    "cs": ("fortunes-cs", "cs", {"cs": "zlw/cs"}),
    "de": ("fortunes-de", "de", {"de": "gmw/de"}),
    "en": ("fortunes", ".", {
        "en-us": "gmw/en-US", "en-gb": "gmw/en", "en-gb-scotland": "gmw/en-GB-scotland", "en-029": "gmw/en-029",
    }),
    "es": ("fortunes-es", "es", {"es": "roa/es", "es-419": "roa/es-419"}),
    "it": ("fortunes-it", "it", {"it": "roa/it"}),
    "pl": ("fortunes-pl", "pl", {"pl": "zlw/pl"}),
    "pt": ("fortunes-br", ".", {"pt-br": "roa/pt-BR"}),
    "ru": ("fortunes-ru", "ru", {"ru": "zle/ru"}),
}  # fmt: skip
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


def has_acronym(sentence):
    return any(len(word) > 1 and word.isupper() for word in re.findall(r"\w+", sentence))


def sentences(folder):
    """Plain sentences of the fortunes, each once, in order of files."""
    seen = set()
    for file in sorted(folder.iterdir()):
        if not file.is_file() or file.suffix in (".dat", ".u8"):
            continue
        for fortune in re.split(r"^%$", file.read_text("utf-8", "replace"), flags=re.M):
            text = " ".join(re.sub(r"^\s*--.*", "", fortune, flags=re.S | re.M).split())
            for sentence in re.split(r"(?<=[.!?])\s+", text):
                plain = re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ ,;'-]){20,130}[.!?]", sentence)
                if plain and sentence[0].isupper() and sentence not in seen and not has_acronym(sentence):
                    seen.add(sentence)
                    yield sentence


def speak(speaker, language, texts, minutes, out):
    """Lines of a manifest of about so many minutes of a language, whose clips are written to `out`."""
    package, folder, voices = LANGUAGES[language]
    chosen = random.Random(1)
    said = list(sentences(texts / package / folder))
    chosen.shuffle(said)
    seconds, lines = 0.0, []
    for number, text in enumerate(said):
        if seconds >= minutes * 60:
            break
        # Every twentieth clip is of a voice that training never hears.
        variant = chosen.choice(HELD_OUT if number % 20 == 19 else VARIANTS)
        accent = chosen.choice(sorted(voices))
        name = f"espeak-{accent}+{variant}"
        samples, phones = speaker.say(text, f"{voices[accent]}+{variant}", chosen.choice(RATES), chosen.choice(PITCHES))
        if not phones or not np.any(samples):
            continue
        path = Path("flac") / name / f"{number:05d}.flac"
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(out / path, samples, speaker.rate)
        length = len(samples) / speaker.rate
        seconds += length
        lines.append({
            "path": str(path), "seconds": round(length, 4), "sample_rate": speaker.rate, "speaker": name,
            "language": accent, "text": text, "text_quality": "exact", "kind": "sentence",
            "split": "dev" if variant in HELD_OUT else "train", "bandwidth_hz": speaker.rate // 2,
            "phones": [[ipa, round(start / speaker.rate, 4), round(end / speaker.rate, 4)] for ipa, start, end in phones],
            "package": package, "source": "espeak-ng",
        })  # fmt: skip
    if seconds < minutes * 60:
        print(f"corpus: the texts in '{language}' last {seconds / 60:.0f} minutes and no longer")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", nargs="+", default=["en"], choices=LANGUAGES)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--texts", type=Path, help="a folder for each package; without it, the packages are named")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.texts is None:
        print(*(LANGUAGES[language][0] for language in arguments.languages))
        return

    speaker = Speaker()
    lines = []
    for language in arguments.languages:
        lines += speak(speaker, language, arguments.texts, arguments.minutes, arguments.out)
    part = arguments.out / "manifest.jsonl.part"
    part.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    part.replace(arguments.out / "manifest.jsonl")
    seconds = sum(line["seconds"] for line in lines)
    print(f"corpus: {len(lines)} clips, {seconds / 60:.1f} minutes of synthetic speech in {arguments.out}")


if __name__ == "__main__":
    main()
