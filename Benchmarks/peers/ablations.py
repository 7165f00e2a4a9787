"""What each ablation of `recipes/alpha-tiny.json` comes to: every recipe trained on the same seeds and measured on the same clips.

    .venv/bin/python Benchmarks/peers/ablations.py [--steps 3000] [--seeds 0] [--recipes alpha-tiny alpha-tiny-hinge] [--jobs 2] [--data .corpus/core]

Clips are of speakers that no run has heard. A run that was stopped goes on from its newest checkpoint; a finished one is only
measured. Runs of so small a model make more steps together, each on its share of the cores (`--jobs`), than one after another on
all of them. Writes a table in Markdown, means over seeds and half of what they differ by, and ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue

from quality import P808, ROOT, Clip, Figures, chosen, dataset, evaluate, measure, shifted
from speech_codecs import Allophone, load, run

BASE = "alpha-tiny"
COLUMNS = {
    "PESQ-WB": ("pesq", ".2f"), "STOI": ("stoi", ".3f"), "SI-SDR, dB": ("si_sdr", ".1f"), "DNSMOS P808": ("p808", ".2f"),
    "mel distance": ("mel", ".3f"), "level-1 entries used": ("used", ".0%"), "seconds a step": ("step", ".2f"),
}  # fmt: skip


def train(recipe: str, seed: int, arguments: argparse.Namespace, cores: set[int]) -> Path:
    """The file of the model that the run ends with. Of runs at once each says how it goes in a file of its own."""
    folder = arguments.runs / f"{recipe}-{arguments.steps}-seed{seed}"
    command = [
        arguments.program, "train", "--config", ROOT / f"recipes/{recipe}.json", "--data", arguments.data, "--run", folder,
        "--steps", arguments.steps, "--seed", seed,
    ]  # fmt: skip
    log = folder.with_suffix(".log")
    print(f"ablations: {folder.name}" + (f", as {log} says" if arguments.jobs > 1 else ""), file=sys.stderr, flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") if arguments.jobs > 1 else nullcontext(sys.stderr) as said:
        # XLA makes as many threads as it may use cores.
        done = subprocess.run(
            [str(word) for word in command], stdout=said, stderr=said, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    if done.returncode != 0:
        where = f"in {log}" if arguments.jobs > 1 else "above"
        raise SystemExit(f"ablations: the run in {folder} failed; what it says {where} is why")
    return folder / "model.safetensors"


def trained(runs: list[tuple[str, int]], arguments: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Recipes and the files of their models, in the order of the runs, as soon as each is there."""
    cores, shares = sorted(os.sched_getaffinity(0)), SimpleQueue()
    for job in range(arguments.jobs):
        shares.put(set(cores[job::arguments.jobs]))

    def one(recipe: str, seed: int) -> Path:
        share = shares.get()
        try:
            return train(recipe, seed, arguments, share)
        finally:
            shares.put(share)

    with ThreadPoolExecutor(arguments.jobs) as pool:
        yield from zip((recipe for recipe, _ in runs), pool.map(one, *zip(*runs)))


def seconds_a_step(folder: Path) -> float:
    """The median between steps that were logged, which neither compilation nor evaluations move."""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    times = [(record["step"], record["time"]) for record in records if "loss" in record]
    return statistics.median(
        (later[1] - earlier[1]) / (later[0] - earlier[0]) for earlier, later in zip(times, times[1:]) if later[0] > earlier[0])


def judged(program: Path, model: Path, rows: list[dict], data: Path, listener: P808) -> dict[str, float]:
    rate = json.loads(run(program, "info", model, "--json"))["sampleRate"]
    codec, figures = Allophone(program, model), Figures()
    with tempfile.TemporaryDirectory(prefix="ablations") as name:
        folder = Path(name)
        clips = [Clip(data / row["path"], row["seconds"], None, None, load(data / row["path"], rate)) for row in rows]
        dataset(folder / "original", clips, [clip.reference for clip in clips], rate)
        decoded = []
        for number, clip in enumerate(clips):
            samples, _ = codec(folder / "original" / f"{number:04d}.wav", rate, folder)
            decoded.append(shifted(samples, 0, len(clip.reference)))
        measure(clips, decoded, rate, figures, listener)
        used = evaluate(program, model, folder / "original", len(clips)).get("level1Used")
    return figures.summary() | {"used": used}


def table(results: dict[str, list[dict]]) -> str:
    lines = ["| recipe | " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for recipe, runs in results.items():
        cells = []
        for key, style in COLUMNS.values():
            values = [found[key] for found in runs if found[key] is not None]
            cell = format(statistics.mean(values), style) if values else "–"
            if len(values) > 1:
                cell += f" ± {format((max(values) - min(values)) / 2, style)}"
            cells.append(cell)
        lines.append(f"| `{recipe}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ablations = sorted(path.stem for path in (ROOT / "recipes").glob(f"{BASE}-*.json"))
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/allophone")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--recipes", nargs="+", default=[BASE, *ablations], choices=[BASE, *ablations])
    parser.add_argument("--data", type=Path, default=ROOT / ".corpus/core")
    parser.add_argument("--clips", type=int, default=64)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, default=min(2, cores), choices=range(1, cores + 1), metavar="N",
                        help="runs at once (%(default)s)")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs/ablations")
    parser.add_argument("--table", type=Path, help="where the table goes; standard error without")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", module="librosa|pystoi")

    rows = chosen(arguments.data / "manifest.jsonl", "dev", arguments.clips)
    listener = P808()
    results: dict[str, list[dict]] = {}
    # All recipes of a seed, then the next: what is there when it is stopped compares.
    runs = [(recipe, seed) for seed in arguments.seeds for recipe in arguments.recipes]
    for recipe, model in trained(runs, arguments):
        found = judged(arguments.program, model, rows, arguments.data, listener)
        results.setdefault(recipe, []).append(found | {"step": seconds_a_step(model.parent)})
        if arguments.table:
            arguments.table.parent.mkdir(parents=True, exist_ok=True)
            arguments.table.write_text(table(results), "utf-8")
    print(table(results), file=sys.stderr)
    stoi = {recipe: statistics.mean(found["stoi"] for found in runs) for recipe, runs in results.items()}
    base = stoi.get(BASE, next(iter(stoi.values())))
    print(json.dumps({
        "benchmark": "bench-ablations", "measure": "STOI of each ablation against that of the recipe", "ours": round(base, 4),
        "ratios": {recipe: round(value / base, 3) for recipe, value in stoi.items()}, "steps": arguments.steps,
        "seeds": arguments.seeds, "clips": len(rows), "recipes": results,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
