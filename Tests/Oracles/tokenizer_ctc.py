"""CTC losses and their gradients by PyTorch, checked against optax, and frame cross-entropy by PyTorch.

Run from the repository root:
    python Tests/Oracles/tokenizer_ctc.py
"""

import jax
import numpy as np
import optax
import torch
from safetensors.numpy import save_file

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(11)
CLASSES = 7

# Each clip: frames, labels. Together they make a batch, padded on the left.
BATCHES = {
    "plain": [(12, [1, 2, 3]), (9, [4, 4, 5, 6]), (5, [2]), (12, [6, 5, 4, 3, 2, 1])],
    "tight": [(3, [1, 2, 3]), (5, [2, 2, 2]), (4, [3, 3, 1]), (1, [5])],
    # More labels than frames, one frame too few for the blank between equal labels, and no labels at all.
    "hostile": [(3, [1, 2, 3, 4]), (4, [2, 2, 2]), (6, []), (8, [1, 1, 2])],
    "long": [(60, list(rng.integers(1, CLASSES, 20))), (41, list(rng.integers(1, CLASSES, 25)))],
}

arrays = {}
for name, clips in BATCHES.items():
    frames, length = max(f for f, _ in clips), max(len(labels) for _, labels in clips)
    logits = rng.normal(0, 2, (len(clips), frames, CLASSES))
    labels = np.zeros((len(clips), length), np.int32)
    mask = np.zeros((len(clips), frames))
    losses, gradients = [], np.zeros_like(logits)
    for row, (count, wanted) in enumerate(clips):
        labels[row, : len(wanted)] = wanted
        mask[row, frames - count :] = 1
        x = torch.tensor(logits[row, frames - count :], requires_grad=True)
        loss = torch.nn.functional.ctc_loss(
            x.log_softmax(-1)[:, None], torch.tensor([wanted], dtype=torch.long), [count], [len(wanted)],
            reduction="none", zero_infinity=True,
        )[0]  # fmt: skip
        loss.backward()
        losses.append(loss.item())
        gradients[row, frames - count :] = x.grad.numpy()
        needed = len(wanted) + sum(a == b for a, b in zip(wanted, wanted[1:]))
        assert (loss.item() > 0) == (needed <= count)
        if needed <= count and wanted:
            other = optax.ctc_loss(
                jax.numpy.asarray(logits[row : row + 1, frames - count :]), np.zeros((1, count)),
                np.asarray([wanted]), np.zeros((1, len(wanted))),
            )  # fmt: skip
            assert abs(float(other[0]) - loss.item()) < 1e-4, (name, row, float(other[0]), loss.item())
    arrays |= {
        f"{name}/logits": logits,
        f"{name}/labels": labels,
        f"{name}/mask": mask,
        f"{name}/loss": np.array(losses),
        f"{name}/gradient": gradients,
    }

logits = rng.normal(0, 2, (2, 6, CLASSES))
labels = rng.integers(-1, CLASSES, (2, 6)).astype(np.int32)
x = torch.tensor(logits, requires_grad=True)
loss = torch.nn.functional.cross_entropy(x.reshape(-1, CLASSES), torch.tensor(labels).long().reshape(-1), ignore_index=-1)
loss.backward()
arrays |= {
    "frames/logits": logits,
    "frames/labels": labels,
    "frames/loss": np.array(loss.item()),
    "frames/gradient": x.grad.numpy(),
}
save_file({name: np.array(array, order="C") for name, array in arrays.items()}, "Tests/Fixtures/tokenizer_ctc.safetensors")
