#!/usr/bin/env python3
"""Checks that the two peers compute the same codec, through the same protocol that the benchmarks use.

With random weights: the encoder's and the decoder's outputs, and the losses of three AdamW steps (so the gradients too). Then
prints the times of a few alternating runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from weights import Configuration, random_parameters

TOLERANCE = 1e-4


class Peer:
    def __init__(self, weights: Path, name: str, *options: str):
        command = [sys.executable, str(Path(__file__).with_name("serve.py")), "--peer", name, "--weights", str(weights), *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.description = " ".join([self.read()["peer"], *options])

    def ask(self, **request) -> dict:
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.read()

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the peer ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(answer["error"])
        return answer

    def quit(self) -> None:
        self.process.communicate("quit\n")


def relative_error(value: np.ndarray, reference: np.ndarray) -> float:
    return float(np.abs(value - reference).max() / np.abs(reference).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="alternating runs to time; 0 for none")
    parser.add_argument("--variants", action="store_true", help="time PyTorch in bfloat16 and compiled too")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        save_file(random_parameters(Configuration()), weights)
        torch, jax = Peer(weights, "torch"), Peer(weights, "jax")
        results = []
        for peer, name in ((torch, "torch"), (jax, "jax")):
            path = f"{folder}/{name}.safetensors"
            peer.ask(run="output", path=path)
            results.append({**load_file(path), "losses": np.array(peer.ask(run="train", repeat=3)["losses"])})
        reference, other = results
        worst = 0.0
        for name in ("input", "latent", "output", "losses"):
            assert reference[name].shape == other[name].shape, name
            assert np.isfinite(reference[name]).all() and reference[name].std() > 0, name
            error = relative_error(other[name], reference[name])
            worst = max(worst, error)
            print(f"{name:8} {str(reference[name].shape):14} std {reference[name].std():.3f}  relative error {error:.1e}")

        path = f"{folder}/streamed.safetensors"
        torch.ask(run="output", path=path, streamed=True)
        for name, value in load_file(path).items():
            error = relative_error(value, reference[name])
            worst = max(worst, error)
            print(f"{name:8} a frame at a time, relative error {error:.1e}")

        peers = [torch, jax]
        if arguments.variants:
            peers += [Peer(weights, "torch", *options) for options in (["--bf16"], ["--compile"], ["--bf16", "--compile"])]
        for run in ("infer", "train") if arguments.repeat else ():
            times: dict[str, list[dict]] = {peer.description: [] for peer in peers}
            for _ in range(arguments.repeat):
                for peer in peers:
                    times[peer.description].append(peer.ask(run=run, repeat=1))
            for description, answers in times.items():
                columns = [key for key in ("seconds", "encoder", "decoder") if key in answers[0]]
                medians = [f"{key} {statistics.median(answer[key][0] for answer in answers):.3f}" for key in columns]
                print(f"{run}: {description:32}", *medians)
        for peer in peers:
            peer.quit()
    if worst > TOLERANCE:
        sys.exit(f"the peers differ by {worst:.1e}, more than {TOLERANCE:.0e}")


if __name__ == "__main__":
    main()
