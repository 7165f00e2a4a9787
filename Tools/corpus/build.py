#!/usr/bin/env python3
"""Turns unpacked packages into flac/**, manifest.jsonl and licences/. Called by build.sh, which fetches them.

Which clips are taken, in what order and under which names depends only on their paths in the packages, so two builds
give the same corpus. A journal keeps the outcome of each clip, so an interrupted build goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

from recipes import RECIPES, Recipe
from sources import Clip, PackageError

LONGEST_SECONDS = 30
LEAST_ACTIVE_SECONDS = defaultdict(lambda: 0.35, letter=0.2, syllable=0.2, word=0.2)
LEAST_ACTIVE_PHRASE_SECONDS = 0.8
MOST_CLIPPED = 0.002


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    packages = commands.add_parser("packages", help="print the packages that a mode needs")
    build = commands.add_parser("build", help="build the corpus from unpacked packages")
    for command in (packages, build):
        command.add_argument("--mode", choices=RECIPES, required=True)
    build.add_argument("--packages", type=Path, required=True, help="folder that holds each package, unpacked, under its name")
    build.add_argument("--out", type=Path, required=True)
    build.add_argument("--recipe", required=True, help="names the version of the recipe; a journal of another is not used")
    arguments = parser.parse_args()
    recipe = RECIPES[arguments.mode]
    if arguments.command == "packages":
        print(*recipe.packages, sep="\n")
        return
    try:
        build_corpus(recipe, arguments.packages, arguments.out, arguments.recipe)
    except (PackageError, OSError) as error:
        sys.exit(f"corpus: {error}")


def build_corpus(recipe: Recipe, packages: Path, out: Path, recipe_name: str) -> None:
    clips = find_clips(recipe, packages)
    journal = Journal(out / ".journal.jsonl", recipe_name)
    progress = Progress(len(clips))
    rows, contents, dropped = [], set(), Counter()
    seconds_taken: Counter[tuple[str, str]] = Counter()
    for clip in clips:
        speaker = (clip.package, clip.speaker)
        if seconds_taken[speaker] >= recipe.limit(clip):
            outcome = {"dropped": "enough of this speaker"}
        else:
            outcome = journal.outcome(clip) or journal.record(clip, process(clip, recipe, contents, out))
            contents.add(outcome.get("content"))
        if "row" in outcome:
            rows.append(outcome["row"])
            seconds_taken[speaker] += outcome["row"]["seconds"]
        else:
            dropped[outcome["dropped"]] += 1
        progress.report(rows)

    hours = sum(row["seconds"] for row in rows) / 3600
    if hours < recipe.least_hours:
        raise PackageError(
            f"only {hours:.2f} h of usable speech where {recipe.least_hours} h is the least to expect; dropped {dict(dropped)}. "
            "A package may have changed its layout: compare it with Tools/corpus/sources.py")
    versions = {name: (packages / name / ".version").read_text().strip() for name in recipe.packages}
    rows = sorted(({**row, "package_version": versions[row["package"]]} for row in rows), key=lambda row: row["path"])
    copy_licences(recipe, packages, out / "licences")
    remove_strays(out / "flac", {out / row["path"] for row in rows})
    write_manifest(out / "manifest.jsonl", rows)
    journal.remove()
    print_summary(rows, dropped)


def find_clips(recipe: Recipe, packages: Path) -> list[Clip]:
    """Every clip of the mode's packages, in an order that mixes each speaker's material but is the same each time."""
    clips = [clip for source in recipe.sources for clip in source(packages)]
    found = {clip.package for clip in clips}
    for name in recipe.packages:
        # Some packages hold only texts, for the sound package whose name begins with theirs.
        if not any(package.startswith(name) for package in found):
            raise PackageError(f"no recordings found in {packages / name}: has the package changed its layout?")
    return sorted(clips, key=lambda clip: source_digest(clip))


def source_digest(clip: Clip) -> str:
    return hashlib.sha256(f"/{clip.package}/{clip.source}".encode()).hexdigest()


def process(clip: Clip, recipe: Recipe, contents: set[str], out: Path) -> dict:
    """Decides about one clip, and writes it if it is taken: {"row": …} or {"dropped": reason}, with its content digest."""
    # Imported here so that listing the packages needs neither numpy nor soundfile.
    import audio
    import numpy as np

    try:
        samples, rate = audio.decode(clip.file)
    except audio.DecodeError:
        return {"dropped": "undecodable"}
    if not 8000 < rate <= 48000 or len(samples) == 0:
        return {"dropped": "sample rate"}
    content = hashlib.sha256(np.round(samples * 2048).astype(np.int16).tobytes()).hexdigest()
    if content in contents:
        return {"dropped": "duplicate"}
    clipped = float((np.abs(samples) >= 0.999).mean())
    speech = audio.trim(samples, rate)
    reason = None
    if speech is None or speech.active_seconds < least_active_seconds(clip, recipe):
        reason = "short"
    elif len(speech.samples) / rate > LONGEST_SECONDS:
        reason = "long"
    elif recipe.strict and clipped > MOST_CLIPPED and clip.language != "es":  # all that there is of tuxpaint-es is clipped
        reason = "clipped"
    if reason:
        return {"dropped": reason, "content": content}

    samples = speech.samples
    peak = float(np.abs(samples).max())
    if peak > 0.99:
        samples = samples * (0.99 / peak)
    path = f"flac/{clip.speaker}/{source_digest(clip)[:6]}_{slug(clip.file.stem)[:48]}.flac"
    audio.write_flac(out / path, samples, rate)
    row = dict(
        path=path, seconds=round(len(samples) / rate, 3), sample_rate=rate, speaker=clip.speaker, language=clip.language,
        text=clip.text, text_quality=clip.text_quality, split=clip.split,
        fold=int(hashlib.sha256(path.encode()).hexdigest(), 16) % 100, kind=clip.kind,
        active_seconds=round(speech.active_seconds, 2), level_db=round(speech.level_db, 1), snr_db=round(speech.snr_db, 1),
        bandwidth_hz=audio.bandwidth(samples, rate), clipped_fraction=round(clipped, 5), licence=clip.licence,
        package=clip.package, source=clip.source)
    if clip.phones:
        row["phones"] = [
            [ipa, round(start - speech.start_seconds, 4), round(end - speech.start_seconds, 4)]
            for ipa, start, end in clip.phones if end > speech.start_seconds]  # fmt: skip
    return {"row": row, "content": content}


def least_active_seconds(clip: Clip, recipe: Recipe) -> float:
    if recipe.strict and clip.kind == "phrase":
        return LEAST_ACTIVE_PHRASE_SECONDS
    return LEAST_ACTIVE_SECONDS[clip.kind]


def slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "_", ascii_name).strip("_")


class Journal:
    """The outcomes so far of an unfinished build, one JSON object a line after a line that names the recipe."""

    def __init__(self, file: Path, recipe_name: str):
        self.file = file
        self.outcomes: dict[str, dict] = {}
        lines = file.read_text(encoding="utf8").splitlines() if file.exists() else []
        if lines[:1] == [recipe_name]:
            for line in lines[1:]:
                try:
                    entry = json.loads(line)
                except ValueError:
                    break  # the line that was being written when the build stopped
                self.outcomes[entry["clip"]] = entry["outcome"]
        # Written afresh, so that no torn line stays in the middle.
        self.stream = file.open("w", encoding="utf8")
        self.stream.write(recipe_name + "\n")
        for name, outcome in self.outcomes.items():
            self.write(name, outcome)

    @staticmethod
    def name(clip: Clip) -> str:
        return f"{clip.package}/{clip.source}"

    def outcome(self, clip: Clip) -> dict | None:
        return self.outcomes.get(self.name(clip))

    def record(self, clip: Clip, outcome: dict) -> dict:
        self.write(self.name(clip), outcome)
        return outcome

    def write(self, name: str, outcome: dict) -> None:
        self.stream.write(json.dumps({"clip": name, "outcome": outcome}, ensure_ascii=False) + "\n")
        self.stream.flush()

    def remove(self) -> None:
        self.stream.close()
        self.file.unlink()


class Progress:
    """A line every few seconds, so that it reads well in a log too."""

    INTERVAL_SECONDS = 5

    def __init__(self, clips: int):
        self.clips = clips
        self.done = 0
        self.next_report = time.monotonic() + self.INTERVAL_SECONDS

    def report(self, rows: list[dict]) -> None:
        self.done += 1
        now = time.monotonic()
        if now >= self.next_report:
            self.next_report = now + self.INTERVAL_SECONDS
            minutes = sum(row["seconds"] for row in rows) / 60
            print(f"corpus: {self.done} of {self.clips} recordings, {minutes:.1f} min kept", file=sys.stderr)


def copy_licences(recipe: Recipe, packages: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in recipe.packages:
        shutil.copyfile(packages / name / "usr/share/doc" / name / "copyright", folder / f"{name}.txt")


def remove_strays(folder: Path, wanted: set[Path]) -> None:
    """Clips of an earlier build with another recipe."""
    for file in [file for file in folder.rglob("*") if file.is_file() and file not in wanted]:
        file.unlink()
    for speaker in list(folder.iterdir()):
        if not any(speaker.iterdir()):
            speaker.rmdir()


def write_manifest(file: Path, rows: list[dict]) -> None:
    partial = file.with_suffix(".part")
    partial.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf8")
    os.replace(partial, file)


def print_summary(rows: list[dict], dropped: Counter) -> None:
    speakers: dict[tuple, list[float]] = defaultdict(list)
    splits: Counter[str] = Counter()
    for row in rows:
        speakers[row["split"], row["speaker"], row["language"], row["sample_rate"]].append(row["seconds"])
        splits[row["split"]] += row["seconds"]
    for (split, speaker, language, rate), seconds in sorted(speakers.items()):
        print(f"{split:5} {speaker:24} {language:5} {rate:5} Hz {len(seconds):5} clips {sum(seconds) / 60:6.1f} min")
    totals = ", ".join(f"{split} {seconds / 3600:.2f} h" for split, seconds in sorted(splits.items()))
    print(f"{len(rows)} clips: {totals}; left out: {dict(dropped)}")


if __name__ == "__main__":
    main()
