"""Checks that adversarial training is stable: of each seed's run no step was skipped as not finite, discriminators were right
between 50 and 95 % of the time once the generator had heard of them for a while, more than 60 % of level-1 codes are in use on
held-out speech, and every bit's mean there lies between 0.2 and 0.8.

    python3 Tools/checks/gan.py [--steps 3000] [--seeds 0 1 2] [--data .corpus/small] [--runs runs/check-gan]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = ROOT / "recipes/alpha-tiny.json"
# The accuracy of one batch of four is noisy: windows of a hundred steps are what is judged.
WINDOW = 100


def train(program: pathlib.Path, run: pathlib.Path, data: pathlib.Path, steps: int, seed: int) -> None:
    command = [program, "train", "--config", RECIPE, "--data", data, "--run", run, "--steps", steps, "--seed", seed]
    subprocess.run([str(part) for part in command], check=True)


def metrics(run: pathlib.Path) -> list[dict]:
    """One record a logged step, the newest where a step was logged twice."""
    records = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        records.setdefault(record["step"], {}).update(record)
    return [records[step] for step in sorted(records)]


def accuracies(records: list[dict], begin: int) -> list[float]:
    """The mean accuracy in each window from step `begin` on."""
    windows: dict[int, list[float]] = {}
    for record in records:
        if record["step"] > begin and "discriminator/accuracy" in record:
            windows.setdefault((record["step"] - begin - 1) // WINDOW, []).append(record["discriminator/accuracy"])
    return [statistics.mean(values) for _, values in sorted(windows.items())]


def check(run: pathlib.Path, steps: int) -> list[str]:
    """Prints what a run came to, and returns what is wrong with it."""
    records = metrics(run)
    recipe = json.loads((run / "recipe.json").read_text())
    adversarial = recipe["adversarial"]
    begin = adversarial["startStep"] + adversarial["warmupSteps"] + WINDOW
    figures = {}
    faults = []
    if records[-1]["step"] < steps:
        faults.append(f"stands at step {records[-1]['step']} of {steps}")
    figures["skipped steps"] = sum(record.get("skipped", 0) for record in records)
    if figures["skipped steps"]:
        faults.append("steps were skipped")
    accuracy = accuracies(records, begin)
    if accuracy:
        figures["accuracy"] = f"{min(accuracy):.3f} to {max(accuracy):.3f}"
        if min(accuracy) < 0.5 or max(accuracy) > 0.95:
            faults.append("discriminators lose or win")
    else:
        faults.append(f"no discriminator was heard: the warm-up lasts until step {begin}")
    last = next((record for record in reversed(records) if "held-out/level1Used" in record), None)
    if last is None:
        faults.append("was never evaluated")
    else:
        used, low, high = (last[f"held-out/{key}"] for key in ("level1Used", "lowestBitMean", "highestBitMean"))
        figures["level-1 codes used"] = f"{used:.0%}"
        figures["bit means"] = f"{low:.2f} to {high:.2f}"
        figures["STOI"] = f"{last['held-out/stoi']:.3f}"
        if used <= 0.6:
            faults.append("level 1 uses too few codes")
        if low < 0.2 or high > 0.8:
            faults.append("a bit is hardly used")
    print(f"{run}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    return [f"{run}: {fault}" for fault in faults]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/allophone")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".corpus/small")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs/check-gan")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    faults = []
    for seed in arguments.seeds:
        run = arguments.runs / f"{arguments.steps}-seed-{seed}"
        train(arguments.program, run, arguments.data, arguments.steps, seed)
        faults += check(run, arguments.steps)
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
