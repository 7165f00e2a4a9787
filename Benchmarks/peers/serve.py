#!/usr/bin/env python3
"""Runs a peer for a benchmark: JSON requests on stdin, one answer each on stdout, a line at a time.

    {"ready": true, "peer": "PyTorch 2.13.0", "threads": 2}     once the peer has loaded and warmed up
    {"run": "infer", "repeat": 3}   → {"seconds": […], "encoder": […], "decoder": […]}   2 s of audio, in and out
    {"run": "train", "repeat": 3}   → {"seconds": […], "losses": […]}                    AdamW steps on 1 s
    {"run": "stream", "repeat": 99} → {"seconds": […], "encoder": […], "decoder": […]}   a frame each, state carried
    {"run": "memory"}               → {"residentMB": 512.0, …}                           and what the peer says of itself
    {"run": "output", "path": "out.safetensors", "input": "in.safetensors"}   → {"path": "out.safetensors"}
    quit

EnCodec and Mimi have random weights, and serve `infer`, `stream` and `memory` alone; `stream` is not JAX's.

`output` writes `input` [1, N, 1], `latent` [1, T, 256] and `output` [1, N, 1] as computed with the given weights; its own
input is taken from `input` of the given file, or is the clip of `infer`. With `"streamed": true` PyTorch computes it a frame at a time. The times of a request are one a run. A request that
cannot be served is answered with {"error": "…"}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

INFERENCE_SECONDS, TRAINING_SECONDS = 2, 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=("torch", "jax", "encodec", "mimi"), required=True)
    parser.add_argument("--weights", type=Path, help="of torch and jax: safetensors file, laid out as weights.py says")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true", help="PyTorch only: autocast to bfloat16")
    parser.add_argument("--compile", action="store_true", help="PyTorch only: torch.compile")
    parser.add_argument("--warm-up", choices=("infer", "train", "stream", "all"), default="all", help="what to have ready; the rest warms up at its first request")
    arguments = parser.parse_args()
    has_weights = arguments.peer in ("torch", "jax")
    if has_weights and arguments.weights is None:
        parser.error("--weights is missing")
    if arguments.peer != "torch" and (arguments.bf16 or arguments.compile):
        parser.error("--bf16 and --compile are PyTorch's")

    # Answers own the real stdout; whatever a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    # Before any import that starts threads: XLA takes as many as the process may use cores.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[: arguments.threads])

    from weights import Configuration, load_parameters, noise_clip

    if has_weights:
        try:
            parameters = load_parameters(arguments.weights, Configuration())
        except Exception as error:
            sys.exit(f"cannot load {arguments.weights}: {error}")
    if arguments.peer == "torch":
        from torch_codec import TorchPeer

        peer = TorchPeer(parameters, threads=arguments.threads, bf16=arguments.bf16, compiled=arguments.compile)
    elif arguments.peer == "jax":
        from jax_codec import JAXPeer

        peer = JAXPeer(parameters)
    else:
        import published_codecs

        peer = {"encodec": published_codecs.EnCodec, "mimi": published_codecs.Mimi}[arguments.peer](arguments.threads)

    server = Server(peer, noise_clip(INFERENCE_SECONDS), noise_clip(TRAINING_SECONDS))
    server.warm_up(*(server.runs.keys() - {"stream"} if arguments.warm_up == "all" else (arguments.warm_up,)))
    print(json.dumps({"ready": True, "peer": peer.description, "threads": min(arguments.threads, len(cores))}), file=answers)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


class Server:
    def __init__(self, peer, inference_clip, training_clip):
        self.peer = peer
        self.inference_clip = inference_clip
        clips = {"infer": inference_clip, "train": training_clip, "stream": inference_clip}
        timed = {"infer": "time_inference", "train": "time_training", "stream": "time_stream"}
        self.runs = {
            name: partial(getattr(peer, method), clips[name]) for name, method in timed.items() if hasattr(peer, method)
        }
        self.warm: set[str] = set()

    def warm_up(self, *names: str) -> None:
        for name in names:
            if name not in self.warm:
                self.runs[name](2)
                self.warm.add(name)

    def answer(self, request: dict) -> dict:
        name = request["run"]
        if name == "output":
            return self.write_outputs(request["path"], request.get("input"), request.get("streamed", False))
        if name == "memory":
            return {"residentMB": resident_megabytes(), **getattr(self.peer, "facts", {})}
        if name not in self.runs:
            raise ValueError(f"unknown run {name!r}: use {', '.join(self.runs)}, memory or output")
        self.warm_up(name)
        return self.runs[name](int(request.get("repeat", 1)))

    def write_outputs(self, path: str, input_path: str | None, streamed: bool) -> dict:
        from safetensors.numpy import load_file, save_file

        clip = load_file(input_path)["input"] if input_path else self.inference_clip
        outputs = self.peer.streamed if streamed else self.peer.outputs
        save_file({"input": clip, **outputs(clip)}, path)
        return {"path": path}


def resident_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
