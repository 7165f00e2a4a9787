#!/usr/bin/env python3
"""How near a model's forced alignment comes to times that a dataset states, and whether it tells a wrong transcript.

    alignment.py --model MODEL --data FOLDER[:SPLIT[:TEXT]] ...

Of each dataset CLIPS clips, spread evenly, whose line in the manifest holds TEXT, are aligned with their transcripts by `allophone
phonemes --text`, and with the transcript of another. Beginnings are compared of the phonemes that both the alignment and the manifest
have, in the same order. Prints a table for each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from difflib import SequenceMatcher
from pathlib import Path


def clips(source: str, count: int) -> list[dict]:
    folder, split, text = (source.split(":") + ["", ""])[:3]
    manifest = Path(folder) / "manifest.jsonl"
    found = []
    for line in manifest.read_text().splitlines():
        clip = json.loads(line)
        if text in line and split in ("", clip["split"]) and clip.get("phones") and clip.get("text"):
            found.append(clip | {"file": str(Path(folder) / clip["path"])})
    if len(found) < 2:
        sys.exit(f"{manifest}: fewer than two clips of '{source}' have a transcript and 'phones'")
    return found[:: max(1, len(found) // count)][:count]


def align(program: str, model: str, clip: dict, text: str) -> dict:
    command = [program, "phonemes", clip["file"], "--model", model, "--text", text, "--language", clip["language"], "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def distances(found: list[dict], stated: list[list]) -> list[float]:
    """Seconds between beginnings, of phonemes that both have."""
    matcher = SequenceMatcher(None, [phone["ipa"] for phone in found], [phone[0] for phone in stated], autojunk=False)
    return [
        abs(found[block.a + index]["start"] - stated[block.b + index][1])
        for block in matcher.get_matching_blocks()
        for index in range(block.size)
    ]


def span(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/allophone")
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--clips", type=int, default=40)
    options = parser.parse_args()
    print("| | phonemes | median error | within 20 ms | within 50 ms | mismatch of its own transcript | of another's |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for source in options.data:
        chosen = clips(source, options.clips)
        errors, own, others = [], [], []
        for index, clip in enumerate(chosen):
            try:
                aligned = align(options.program, options.model, clip, clip["text"])
            except subprocess.CalledProcessError as error:
                sys.exit(f"{clip['file']}: {error.stderr.strip()}")
            errors += distances(aligned["phonemes"], clip["phones"])
            own.append(aligned["mismatch"])
            # Of one language, and about as long, so that there is room for it.
            alike = [other for other in chosen if other["language"] == clip["language"] and other is not clip]
            if alike:
                other = min(alike, key=lambda other: abs(other["seconds"] - clip["seconds"]))
                try:
                    others.append(align(options.program, options.model, clip, other["text"])["mismatch"])
                except subprocess.CalledProcessError:
                    pass  # More phonemes than frames: refused.

        def share(limit: float) -> str:
            return f"{100 * sum(error <= limit for error in errors) / len(errors):.1f} %"

        print(
            f"| {source} | {len(errors)} | {1000 * statistics.median(errors):.0f} ms | {share(0.020)} | {share(0.050)} "
            f"| {span(own)} | {span(others) if others else '–'} |", flush=True)


if __name__ == "__main__":
    main()
