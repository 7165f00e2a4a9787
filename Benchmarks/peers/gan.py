#!/usr/bin/env python3
"""Runs the adversarial training step in PyTorch: JSON requests on stdin, one answer each on stdout, a line at a time.

    {"ready": true, "peer": "PyTorch 2.13.0"}
    {"run": "train", "repeat": 3}   → {"seconds": […], "losses": [[discriminators', generator's], …]}

Steps go on from each other; the first is from the given weights. There is no warm-up: the losses of the first steps are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=("torch",), required=True)
    parser.add_argument(
        "--weights", required=True,
        help="safetensors file of `audio`, `labels`, `frames`, `codec.…` and `discriminators.…`, with Alpha's `configuration`")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    # Answers own the real stdout; whatever a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])

    from safetensors import safe_open
    from torch_gan import TorchGANPeer

    with safe_open(arguments.weights, "numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}
        configuration = json.loads(file.metadata()["configuration"])
    peer = TorchGANPeer(arrays, configuration, arguments.threads)
    print(json.dumps({"ready": True, "peer": peer.description}), file=answers)
    for line in sys.stdin:
        try:
            answer = peer.time_training(int(json.loads(line).get("repeat", 1)))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
