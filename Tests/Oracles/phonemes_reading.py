"""The likeliest paths through tokens by librosa's Viterbi decoder, where a frame costs one minus the cosine between its token's entry
and the path's, and a change of entry 1.6 times what two entries differ by in the mean, at 50 frames a second.

librosa wants transitions that add up to 1: all that stay have one probability and all that change another, with the ratio that the cost
of a change asks for, so that the best path is the same.

Run from the repository root:
    python Tests/Oracles/phonemes_reading.py
"""

import librosa
import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(11)
ENTRIES, DIMENSION = 9, 4


def codes(frames: int, change: float) -> np.ndarray:
    """Runs of entries, most of which go on in each frame."""
    result = [int(rng.integers(ENTRIES))]
    for _ in range(frames - 1):
        result.append(int(rng.integers(ENTRIES)) if rng.random() < change else result[-1])
    return np.array(result, np.int32)


entries = rng.normal(size=(ENTRIES, DIMENSION))
unit = entries / np.linalg.norm(entries, axis=1, keepdims=True)
likeness = unit @ unit.T
difference = np.mean(1 - likeness[~np.eye(ENTRIES, dtype=bool)])
arrays = {"entries": entries}
for name, frames, rate, change in [
    ("one", 1, 50, 0.5), ("short", 12, 50, 0.6), ("restless", 300, 50, 0.9), ("steady", 3000, 50, 0.2), ("slow", 400, 25, 0.7),
]:  # fmt: skip
    tokens = codes(frames, change)
    stays = 1 / (1 + (ENTRIES - 1) * np.exp(-1.6 * difference * rate / 50))
    transition = np.full((ENTRIES, ENTRIES), (1 - stays) / (ENTRIES - 1))
    np.fill_diagonal(transition, stays)
    # Probabilities are below 1: the constant is the same on all paths.
    path = librosa.sequence.viterbi(np.exp(likeness[tokens].T - 2), transition)
    arrays |= {f"{name}/codes": tokens, f"{name}/path": path.astype(np.int32), f"{name}/rate": np.array(float(rate))}
    print(f"{name}: {np.mean(path != tokens):.0%} of {frames} frames are read as something else")

save_file(arrays, "Tests/Fixtures/phonemes_reading.safetensors")
