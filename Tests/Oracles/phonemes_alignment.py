"""Forced alignments by librosa's Viterbi decoder, over CTC's states.

librosa wants transitions that add up to 1 and lets a path end anywhere. So each step that CTC allows has one and the same
probability, what remains leads to a state that says nothing and is never likely, and a last frame, after the clip's own, is possible in
one state alone, which the two last ones lead to: the best path is then CTC's, and its score differs by a known constant.

Run from the repository root:
    python Tests/Oracles/phonemes_alignment.py
"""

import librosa
import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(5)
CLASSES = 9
STEP = 0.25

CLIPS = {
    "plain": (20, [1, 2, 3, 4]),
    "equal": (15, [3, 3, 3]),
    "tight": (7, [1, 2, 2, 5, 2, 1]),
    "single": (6, [8]),
    "silent": (5, []),
    "long": (200, list(rng.integers(1, CLASSES, 60))),
}

arrays = {}
for name, (frames, phonemes) in CLIPS.items():
    logits = rng.normal(0, 3, (frames, CLASSES))
    scores = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    states = [0]
    for phoneme in phonemes:
        states += [int(phoneme), 0]
    count = len(states)
    end, trap = count, count + 1
    transition = np.zeros((count + 2, count + 2))
    for state in range(count):
        transition[state, state] = STEP
        if state + 1 < count:
            transition[state, state + 1] = STEP
        if state + 2 < count and states[state + 2] != 0 and states[state + 2] != states[state]:
            transition[state, state + 2] = STEP
        if state >= count - 2:
            transition[state, end] = STEP
    transition[end, end] = 1
    transition[:end, trap] = 1 - transition[:end].sum(1)
    transition[trap, trap] = 1
    # In the first frame the first blank or the first phoneme.
    start = np.zeros(count + 2)
    start[: min(2, count)] = STEP
    start[trap] = 1 - start.sum()
    likelihood = np.zeros((count + 2, frames + 1))
    likelihood[:count, :frames] = np.exp(scores[:, states]).T
    likelihood[end, frames] = 1
    path, score = librosa.sequence.viterbi(likelihood, transition, p_init=start, return_logp=True)
    assert path[-1] == end and (path[:-1] < count).all(), name
    aligned = np.array([states[state] for state in path[:-1]], np.int32)
    total = sum(scores[frame, entry] for frame, entry in enumerate(aligned))
    assert abs(total + (frames + 1) * np.log(STEP) - score) < 1e-6, (name, total, score)
    arrays |= {
        f"{name}/scores": scores.astype(np.float32),
        f"{name}/phonemes": np.array(phonemes, np.int32),
        f"{name}/frames": aligned,
        f"{name}/score": np.array(total),
    }

save_file(arrays, "Tests/Fixtures/phonemes_alignment.safetensors")
print({name: arrays[f"{name}/frames"].tolist() for name in ["plain", "equal", "tight", "single", "silent"]})
