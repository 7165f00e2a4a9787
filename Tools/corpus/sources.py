"""Where the clips are: what each Debian package holds, who speaks, what is said and under which licence.

Each source yields `Clip`s without touching the audio. Speakers, not clips, are assigned to a split, so that `dev` holds
no voice that `train` has heard.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional


class PackageError(Exception):
    """A package is not laid out as this recipe expects."""


@dataclass(frozen=True)
class Clip:
    file: Path
    package: str
    source: str  # path of the recording inside its package
    licence: str
    language: str
    speaker: str
    split: str  # train or dev
    kind: str  # sentence, phrase, prompt, acted, word, syllable or letter
    text: Optional[str] = None
    # When each phoneme is said: IPA, start and end in seconds of the recording; silence lies between them.
    phones: Optional[tuple[tuple[str, float, float], ...]] = None
    text_quality: Optional[str] = None  # exact, good (length agrees with the text), approximate, label; None without text


class Package:
    """One unpacked package."""

    def __init__(self, root: Path, name: str):
        self.name = name
        self.folder = root / name
        if not self.folder.is_dir():
            raise PackageError(f"{self.folder} is missing: package {name} was not unpacked; run build.sh again")

    def files(self, *patterns: str) -> list[Path]:
        return sorted(path for pattern in patterns for path in self.folder.glob(pattern))

    def clip(self, file: Path, **labels) -> Clip:
        return Clip(file=file, package=self.name, source=str(file.relative_to(self.folder)), **labels)


def tuxpaint(root: Path) -> Iterator[Clip]:
    """A drawing program's stamps, each described aloud by one volunteer per language (44.1 kHz)."""
    package = Package(root, "tuxpaint-stamps-default")
    # The languages whose recordings are one identified voice. The texts of da, el and ca are often not what is said.
    text_quality = dict(bg="good", es="good", fr="good", ro="good", ru="good", ca="approximate", da="approximate", el="approximate")
    for file in package.files("usr/share/tuxpaint/stamps/**/*_desc_*.ogg"):
        match = re.fullmatch(r"(?P<stamp>.*)_desc_(?P<language>[A-Za-z_]+)\.ogg", file.name)
        if not match or match["language"] not in text_quality:
            continue
        folders = file.relative_to(package.folder).parts
        if "symbols" in folders and "money" not in folders:
            continue  # letters and digits are older recordings in other voices
        language = match["language"]
        text = stamp_text(file.with_name(match["stamp"] + ".txt"), language)
        yield package.clip(
            file, licence="GPL-2", language=language, speaker=f"tuxpaint-{language}", kind="phrase",
            split="dev" if language == "da" else "train", text=text, text_quality=text_quality[language] if text else None)


def stamp_text(file: Path, language: str) -> Optional[str]:
    """The last `language.utf8=` line of a stamp's captions."""
    if not file.exists():
        return None
    prefix = language + ".utf8="
    captions = [line[len(prefix):].strip() for line in read_lines(file) if line.startswith(prefix)]
    return captions[-1] or None if captions else None


# The phones of festvox-ru, in the symbols that espeak-ng has for Russian, so that alignments and transcripts agree. Doubled, a
# consonant is palatalised and a vowel stressed; ae, ay and ur are vowels of the second degree of reduction.
FESTVOX_RU = dict(
    aa="ɑ", a="ʌ", ay="ʌ", ae="i", ee="e", e="i", ii="i", i="i", oo="o", uu="u", u="u", ur="u", yy="y", y="y",
    p="p", pp="pʲ", b="b", bb="bʲ", t="t", tt="tʲ", d="d", dd="dʲ", k="k", kk="kʲ", g="ɡ", gg="ɡʲ", c="ts", ch="tʃʲ",
    f="f", ff="fʲ", v="v", vv="vʲ", s="s", ss="sʲ", z="z", zz="ʑ", sh="ʃ", sch="ɕ", zh="ʒ", h="x", hh="x", m="m", mm="mʲ",
    n="n", nn="nʲ", l="ɭ", ll="ɭʲ", r="r", rr="rʲ", j="j")  # fmt: skip


def festvox_phones(file: Path) -> Optional[tuple[tuple[str, float, float], ...]]:
    """A label file of EST: after a line `#`, the end of each phone in seconds, a number of no account, and the phone."""
    if not file.exists():
        return None
    phones, start = [], 0.0
    for line in read_lines(file):
        fields = line.split()
        if len(fields) != 3:
            continue
        end, phone = float(fields[0]), fields[2]
        if phone != "pau":
            if phone not in FESTVOX_RU:
                raise PackageError(f"{file} has a phone '{phone}' that Tools/corpus/sources.py does not know")
            phones.append((FESTVOX_RU[phone], start, end))
        start = end
    return tuple(phones)


def festvox_ru(root: Path) -> Iterator[Clip]:
    """A Festival voice: 620 read Russian sentences (16 kHz), with the time of every phone."""
    package = Package(root, "festvox-ru")
    voice = "usr/share/festival/voices/russian/msu_ru_nsh_clunits"
    texts = {}
    for line in read_lines(package.folder / voice / "etc/txt.done.data"):
        match = re.match(r'\(\s*(\S+)\s+"(.*)"\s*\)', line)
        if match:
            texts[match[1]] = match[2].replace("+", "")  # + marks stress
    for file in package.files(f"{voice}/wav/*.wav"):
        text = texts.get(file.stem)
        yield package.clip(
            file, licence="BSD-like (Shmyrev 2005, keep the notice)", language="ru", speaker="festvox-ru-nsh", split="train",
            kind="sentence", text=text, text_quality="exact" if text else None,
            phones=festvox_phones(package.folder / voice / "lab" / f"{file.stem}.lab"))


def asterisk(root: Path, languages: tuple[str, ...]) -> Iterator[Clip]:
    """A telephone exchange's studio prompts (16 kHz G.722); the text is in a second package."""
    # The Spanish prompts are by the English speaker too.
    speakers = dict(en="allison-smith", es="allison-smith", it="carlo-flora", ru="ivrvoice-ru-f")
    licences = dict(en="CC-BY-SA-3.0", es="CC-BY-SA-3.0", it="CC-BY-3.0", ru="CC-BY-3.0")
    not_speech = {"beep", "beeperr", "ascending-2tone", "descending-2tone", "tt-monkeys", "tt-monkeysintro", "tt-somethingwrong"}
    for language in languages:
        texts = prompt_texts(Package(root, f"asterisk-core-sounds-{language}"), language)
        package = Package(root, f"asterisk-core-sounds-{language}-g722")
        for file in package.files("usr/share/asterisk/sounds/*/**/*.g722"):
            voice = file.relative_to(package.folder / "usr/share/asterisk/sounds").parts[0]
            name = str(file.relative_to(package.folder / "usr/share/asterisk/sounds" / voice).with_suffix(""))
            text = texts.get(name)
            if name in not_speech or name.startswith("silence/") or (text and text[0] in "[(<"):  # "[beep]", "(tone)"
                continue
            yield package.clip(
                file, licence=licences[language], language=language, speaker=speakers[language], kind="prompt",
                split="dev" if language == "it" else "train", text=text, text_quality="exact" if text else None)


def prompt_texts(package: Package, language: str) -> dict[str, str]:
    texts = {}
    for file in package.files(f"usr/share/doc/{package.name}/core-sounds-{language}.txt*"):
        for line in read_lines(file):
            name, colon, text = line.partition(":")
            if colon and not line.startswith(";"):
                texts[name.strip()] = text.strip(' \n"“”')
    return texts


def fillets(root: Path) -> Iterator[Clip]:
    """A puzzle game's acted, processed dialogue (22.05 and 44.1 kHz); the lines are in its Lua scripts."""
    scripts = Package(root, "fillets-ng-data")
    script_folder = scripts.folder / "usr/share/games/fillets-ng/script"
    string = r'"((?:[^"\\]|\\.)*)"'
    dialogue = re.compile(
        rf'dialogId\(\s*"([^"]+)"\s*,\s*"([^"]*)"\s*,\s*{string}\s*\)(?:\s*dialogStr\(\s*{string}\s*\))?')
    for language in ("cs", "nl"):
        lines = {}
        for file in sorted(script_folder.glob(f"*/**/*dialogs_{language}.lua")):
            level = file.relative_to(script_folder).parts[0]
            for name, font, _, line in dialogue.findall(file.read_text(encoding="utf8", errors="replace")):
                lines[level, name] = (font, line)
        package = Package(root, f"fillets-ng-data-{language}")
        sound_folder = package.folder / "usr/share/games/fillets-ng/sound"
        for file in package.files(f"usr/share/games/fillets-ng/sound/*/**/{language}/*.ogg"):
            font, line = lines.get((file.relative_to(sound_folder).parts[0], file.stem), ("", ""))
            if font not in ("font_small", "font_big"):
                continue  # the two fish; the other roles carry sound effects
            text = line.replace('\\"', '"').replace("\\n", " ") or None
            yield package.clip(
                file, licence="GPL-2", language=language, speaker=f"fillets-{language}-{font[len('font_'):]}", split="train",
                kind="acted", text=text, text_quality="good" if text else None)


def klettres(root: Path) -> Iterator[Clip]:
    """A children's game that says letters and syllables, one voice per language (44.1 kHz)."""
    package = Package(root, "klettres-data")
    for file in package.files("usr/share/klettres/*/*/*.ogg"):
        language = file.parts[-3]
        if language == "tn":
            continue  # so overdriven that a voice detector finds no speech in a third of it
        yield package.clip(
            file, licence="GPL-2+", language=language, speaker=f"klettres-{language}", split="train", kind="letter")


def ktuberling(root: Path) -> Iterator[Clip]:
    """A children's game that names things, one voice per language."""
    package = Package(root, "ktuberling-data")
    sounds = "usr/share/ktuberling/sounds"
    for language in ("ca", "da", "de", "el", "en", "fr", "gl", "lt", "nn", "sl", "uk", "wa"):
        for file in package.files(*(f"{sounds}/{language}/*.{extension}" for extension in ("ogg", "wav", "opus"))):
            text = file.stem.replace("_", " ") if language == "en" else None
            yield package.clip(
                file, licence="GPL-2+", language=language, speaker=f"ktuberling-{language}", kind="word",
                # The Danish voice may be tuxpaint's, which is in dev.
                split="dev" if language == "da" else "train", text=text, text_quality="label" if text else None)


def kajongg(root: Path) -> Iterator[Clip]:
    """A mah-jongg game's calls, several voices in English and German (44.1 kHz)."""
    package = Package(root, "kajongg")
    voices = package.folder / "usr/share/kajongg/voices"
    for file in package.files("usr/share/kajongg/voices/**/*.ogg"):
        voice = file.relative_to(voices).parts[:-1]
        yield package.clip(
            file, licence="GPL-2+", language=voice[0] if len(voice) > 1 else "en", speaker="-".join(("kajongg", *voice)),
            split="train", kind="word")


def gcin_voice(root: Path) -> Iterator[Clip]:
    """Mandarin syllables with their tones, two voices (44.1 kHz); the folder is the syllable in Zhuyin."""
    package = Package(root, "gcin-voice")
    licences = {"3": "GPL-3 or LGPL-3", "5": "CC-BY-3.0"}
    for file in package.files("usr/share/gcin-voice/ogg/*/*.ogg"):
        yield package.clip(
            file, licence=licences[file.stem], language="zh", speaker=f"gcin-{file.stem}", split="train", kind="syllable",
            text=file.parent.name, text_quality="label")


def read_lines(file: Path) -> list[str]:
    data = file.read_bytes()
    if file.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("utf-8-sig", errors="replace").splitlines()
