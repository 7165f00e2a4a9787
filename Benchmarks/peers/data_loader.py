"""A corpus to left-padded batches at 24 kHz by Hugging Face datasets, soundfile and soxr, as `bench data` does it.

Clips in a random order are decoded by threads (soundfile and soxr let go of Python's lock), mixed down, resampled at soxr's HQ
quality, cut to the longest row, gathered in pools, sorted by length and padded on the left to a few lengths.

Speaks lines of JSON: `{"run": "pass", "repeat": 1}` is answered by `{"seconds": [...]}`, seconds for an hour of audio.
"""

import argparse
import io
import json
import math
import random
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import datasets
import numpy as np
import soundfile
import soxr

RATE = 24000


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path, required=True)
    for name, default in [("threads", 2), ("batch", 16), ("pool", 16), ("hop", 480), ("longest", 500)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def buckets(longest, shortest=50, ratio=1.4):
    lengths = [longest]
    while lengths[-1] > shortest:
        lengths.append(max(shortest, min(lengths[-1] - 1, math.ceil(lengths[-1] / ratio))))
    return lengths[::-1]


def decode(row):
    audio = row["audio"]
    samples, rate = soundfile.read(
        audio["path"] if audio["bytes"] is None else io.BytesIO(audio["bytes"]), dtype="float32", always_2d=True)
    samples = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return soxr.resample(samples, rate, RATE, quality="HQ") if rate != RATE else samples


def clips(dataset, threads, ahead):
    """Decoded clips in the dataset's order, at most `ahead` of them waiting."""
    with ThreadPoolExecutor(threads) as executor:
        waiting = deque()
        for row in dataset:
            waiting.append(executor.submit(decode, row))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def batches(dataset, options, generator):
    longest = options.longest * options.hop
    lengths = buckets(options.longest)
    pool = []
    for clip in clips(dataset, options.threads, options.batch * options.pool):
        if len(clip) > longest:
            start = generator.randrange(len(clip) - longest + 1)
            clip = clip[start : start + longest]
        pool.append(clip)
        if len(pool) < options.batch * options.pool:
            continue
        pool.sort(key=len)
        groups = [pool[i : i + options.batch] for i in range(0, len(pool), options.batch)]
        pool = []
        generator.shuffle(groups)
        for group in groups:
            frames = [-(-len(clip) // options.hop) for clip in group]
            width = next(length for length in lengths if length >= max(frames)) * options.hop
            audio = np.zeros((len(group), width, 1), np.float32)
            for row, clip, count in zip(audio, group, frames):
                start = width - count * options.hop
                row[start : start + len(clip), 0] = clip
            mask = np.arange(width)[None] >= width - np.array(frames)[:, None] * options.hop
            yield audio, mask, sum(map(len, group))


def main():
    options = parse()
    rows = [json.loads(line) for line in (options.corpus / "manifest.jsonl").open()]
    dataset = datasets.Dataset.from_dict(
        {"audio": [str(options.corpus / row["path"]) for row in rows], "text": [row["text"] for row in rows]}
    ).cast_column("audio", datasets.Audio(decode=False))

    def run(seed):
        start = time.perf_counter()
        samples = sum(count for _, _, count in batches(dataset.shuffle(seed=seed), options, random.Random(seed)))
        return (time.perf_counter() - start) / (samples / RATE) * 3600

    run(0)
    print(json.dumps({"ready": True}), flush=True)
    for number, line in enumerate(sys.stdin, 1):
        request = json.loads(line)
        print(json.dumps({"seconds": [run(number) for _ in range(request["repeat"])]}), flush=True)


if __name__ == "__main__":
    main()
