"""Other voices of recorded speech: pitch, its range and formants changed apart, by Praat. Called by voices.sh."""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import parselmouth
import soundfile
from parselmouth.praat import call

SHORTEST_SECONDS = 0.25
# Where Praat looks for pitch, and where medians of people's pitch lie, in Hz.
PITCH = (70, 500)
MEDIANS = (85, 330)
LOWEST = 50
# Medians are multiplied by so much at most, and deviations from them.
MEDIAN_RATIOS = (0.7, 1.6)
RANGE_RATIOS = (0.75, 1.35)
# Higher voices come of shorter tracts, but not strictly.
FORMANTS_BY_PITCH, FORMANT_DEVIATION, FORMANT_RATIOS = 0.35, 0.08, (0.8, 1.25)


def log_uniform(chance: random.Random, low: float, high: float) -> float:
    return math.exp(chance.uniform(math.log(low), math.log(high)))


def changed(samples: np.ndarray, rate: int, chance: random.Random) -> tuple[np.ndarray, dict] | None:
    """The same words at the same times in another voice, and by what ratios it differs; None without any pitch."""
    sound = parselmouth.Sound(samples, rate)
    contour = call(sound, "To Pitch", 0.8 / PITCH[0], *PITCH)
    lowest, median = (call(contour, "Get quantile", 0, 0, share, "Hertz") for share in (0, 0.5))
    if math.isnan(median):
        return None
    low, high = max(MEDIAN_RATIOS[0], MEDIANS[0] / median), min(MEDIAN_RATIOS[1], MEDIANS[1] / median)
    if low >= high:
        return None
    pitch = log_uniform(chance, low, high)
    formants = math.exp(FORMANTS_BY_PITCH * math.log(pitch) + chance.gauss(0, FORMANT_DEVIATION))
    formants = min(max(formants, FORMANT_RATIOS[0]), FORMANT_RATIOS[1])
    spread = log_uniform(chance, *RANGE_RATIOS)
    # Praat does not come back where a wider range brings pitch down to nothing.
    if lowest < median:
        spread = min(spread, (1 - LOWEST / (median * pitch)) / (1 - lowest / median))
    voice = call([sound, contour], "Change gender", formants, median * pitch, spread, 1.0).values[0]
    peak = np.abs(voice).max()
    if not 0 < peak < math.inf:
        return None
    voice = voice * min(np.sqrt((samples**2).mean() / (voice**2).mean()), 0.98 / peak)
    return voice, {"pitch": round(pitch, 3), "formants": round(formants, 3), "range": round(spread, 3)}


def convert(job: tuple[dict, int, Path, Path]) -> dict | None:
    """A line of the manifest, or None for a clip that has no voice to change."""
    row, variant, corpus, out = job
    samples, rate = soundfile.read(corpus / row["path"], dtype="float64")
    if len(samples) < SHORTEST_SECONDS * rate:
        return None
    try:
        result = changed(samples, rate, random.Random(f"{variant} {row['path']}"))
    except parselmouth.PraatError:  # too short or too quiet for an analysis of its pitch
        return None
    if result is None:
        return None
    voice, ratios = result
    path = Path("flac") / f"{row['speaker']}+{variant}" / Path(row["path"]).name
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(out / path, voice, rate, subtype="PCM_16")
    band = min(row["bandwidth_hz"] * ratios["formants"], rate / 2)
    return row | {
        "path": str(path), "seconds": round(len(voice) / rate, 4), "speaker": f"{row['speaker']}+{variant}",
        "bandwidth_hz": int(band), "voice": ratios,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--variants", type=int, default=1)
    arguments = parser.parse_args()
    manifest = arguments.corpus / "manifest.jsonl"
    try:
        rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        sys.exit(f"corpus: {manifest} cannot be read: {error}; build the corpus with build.sh")
    # A held-out voice is none that training may come near.
    rows = [row for row in rows if row["split"] == "train"]
    jobs = [(row, variant, arguments.corpus, arguments.out) for variant in range(1, arguments.variants + 1) for row in rows]
    lines, seconds = [], 0.0
    try:
        with Pool(os.cpu_count()) as pool:
            for number, line in enumerate(pool.imap(convert, jobs, chunksize=16), 1):
                if line:
                    lines.append(json.dumps(line, ensure_ascii=False) + "\n")
                    seconds += line["seconds"]
                if number % 2000 == 0:
                    print(f"corpus: {number} of {len(jobs)} clips, {seconds / 60:.1f} min", flush=True)
    except (OSError, soundfile.SoundFileError) as error:
        sys.exit(f"corpus: {error}; mend that and run this again")
    part = arguments.out / "manifest.jsonl.part"
    part.write_text("".join(lines), "utf-8")
    part.replace(arguments.out / "manifest.jsonl")
    print(f"corpus: {len(lines)} clips, {seconds / 3600:.2f} h of other voices in {arguments.out}")


if __name__ == "__main__":
    main()
