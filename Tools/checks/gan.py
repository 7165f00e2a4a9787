"""Checks that adversarial training is stable, and says of each seed's run whether each of these holds:

- it took all its steps, none of which was skipped because something was not finite;
- discriminators were right between 50 and 95 % of the time in every hundred steps, once the generator had heard of them for as many;
- more than 60 % of level-1 codes are in use on held-out speech;
- the mean of every bit there lies between 0.2 and 0.8.

    python3 Tools/checks/gan.py [--steps 3000] [--seeds 0 1 2] [--data .corpus/small] [--runs runs/check-gan] [--as-they-stand]

Ends with one line of JSON, and with status 1 unless all of it holds of all seeds. `--as-they-stand` trains nothing.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = ROOT / "recipes/alpha-tiny.json"
# The accuracy of one batch of four is noisy: windows of a hundred steps, of which every tenth is logged, are what is judged.
WINDOW = 100


@dataclass
class Verdict:
    criterion: str
    found: str
    holds: bool


def train(program: pathlib.Path, run: pathlib.Path, data: pathlib.Path, steps: int, seed: int) -> int:
    command = [program, "train", "--config", RECIPE, "--data", data, "--run", run, "--steps", steps, "--seed", seed]
    return subprocess.run([str(part) for part in command]).returncode


def metrics(run: pathlib.Path) -> list[dict]:
    """One record a logged step. Where a run went back and took a step again the newest counts, but that it was skipped once stays."""
    records: dict[int, dict] = {}
    if not (run / "metrics.jsonl").exists():
        return []
    for line in (run / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        held = records.setdefault(record["step"], {})
        skipped = max(held.get("skipped", 0), record.get("skipped", 0))
        held.update(record, skipped=skipped)
    return [records[step] for step in sorted(records)]


def within(values: list[float], low: float, high: float) -> bool:
    """Whether there are any, and all lie there; what is not a number does not."""
    return bool(values) and all(math.isfinite(value) and low <= value <= high for value in values)


def extent(values: list[float]) -> str:
    if not all(map(math.isfinite, values)):
        return "not finite throughout"
    return f"{min(values):.3f} to {max(values):.3f}" if values else "nothing logged"


def accuracies(records: list[dict], begin: int) -> list[float]:
    """The mean accuracy in each whole window from step `begin` on."""
    windows: dict[int, list[float]] = {}
    for record in records:
        if record["step"] > begin and record.get("discriminator/accuracy") is not None:
            windows.setdefault((record["step"] - begin - 1) // WINDOW, []).append(record["discriminator/accuracy"])
    return [statistics.mean(values) for _, values in sorted(windows.items()) if len(values) >= WINDOW // 20]


def judge(run: pathlib.Path, steps: int) -> list[Verdict]:
    records = metrics(run)
    if not records:
        return [Verdict("steps taken", f"{run} has no metrics", False)]
    adversarial = json.loads((run / "recipe.json").read_text())["adversarial"]
    begin = adversarial["startStep"] + adversarial["warmupSteps"] + WINDOW
    taken = records[-1]["step"]
    skipped = sum(record["skipped"] > 0 for record in records)
    accuracy = accuracies(records, begin)
    last = next((record for record in reversed(records) if "held-out/stoi" in record), {})
    used = [last["held-out/level1Used"]] if "held-out/level1Used" in last else []
    bits = {int(key.rsplit("/", 1)[1]): value for key, value in last.items() if key.startswith("held-out/bits/")}
    stray = [bit for bit, mean in sorted(bits.items()) if not within([mean], 0.2, 0.8)]
    place = f"step {last['step']}, STOI {last['held-out/stoi']:.3f}" if last else "never evaluated"
    return [
        Verdict("steps taken", f"{taken} of {steps}", taken >= steps),
        Verdict("steps skipped as not finite", str(skipped), skipped == 0),
        Verdict(f"discriminators' accuracy from step {begin} on", extent(accuracy), within(accuracy, 0.5, 0.95)),
        Verdict(f"level-1 codes in use ({place})", f"{used[0]:.1%}" if used else "unknown", bool(used) and used[0] > 0.6),
        Verdict(
            f"means of {len(bits)} bits", extent(list(bits.values())) + (f", astray: {stray}" if stray else ""),
            bool(bits) and not stray),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/allophone")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".corpus/small")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs/check-gan")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--as-they-stand", action="store_true", help="judge the runs that there are")
    arguments = parser.parse_args()
    report = {}
    for seed in arguments.seeds:
        run = arguments.runs / f"{arguments.steps}-seed-{seed}"
        verdicts = []
        if not arguments.as_they_stand:
            status = train(arguments.program, run, arguments.data, arguments.steps, seed)
            verdicts.append(Verdict("training's exit status", str(status), status == 0))
        verdicts += judge(run, arguments.steps)
        print(f"seed {seed}: {run}")
        for verdict in verdicts:
            print(f"  {'holds' if verdict.holds else 'FAILS'}  {verdict.criterion}: {verdict.found}", flush=True)
        report[seed] = {verdict.criterion: [verdict.found, verdict.holds] for verdict in verdicts}
    holds = all(holds for verdicts in report.values() for _, holds in verdicts.values())
    print(json.dumps({"benchmark": "check-gan", "holds": holds, "steps": arguments.steps, "seeds": report}))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
