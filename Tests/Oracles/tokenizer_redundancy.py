"""How much bits tell of each other, by PyTorch and plain loops, and its gradient.

Writes Tests/Fixtures/tokenizer_redundancy.safetensors: `x` [3, 40, 6] with noise for padding before each clip, `mask`, the loss and
its gradient at `x`.

Run from the repository root:
    python Tests/Oracles/tokenizer_redundancy.py
"""

import numpy as np
import torch
from safetensors.numpy import save_file

LENGTHS, FRAMES, BITS = [40, 25, 1], 40, 6
random = np.random.default_rng(11)
# Each bit is a mixture of all, and of what it was.
x = random.normal(size=(len(LENGTHS), FRAMES, BITS)) @ random.normal(size=(BITS, BITS))
x[:, 1:] += 0.8 * x[:, :-1]
x = x.astype(np.float32)
clips = [torch.tensor(x[i, -n:], dtype=torch.float64, requires_grad=True) for i, n in enumerate(LENGTHS)]

frames = torch.cat(clips)
mean, deviation = frames.mean(0), torch.sqrt(frames.var(0, correction=0) + 1e-4)
pairs = [(clip[t - 1], clip[t]) for clip in clips for t in range(1, len(clip))]
loss = 0
for i in range(BITS):
    for j in range(BITS):
        scale = deviation[i] * deviation[j]
        if i != j:
            loss = loss + (((frames[:, i] - mean[i]) * (frames[:, j] - mean[j])).mean() / scale) ** 2
        products = torch.stack([(a[i] - mean[i]) * (b[j] - mean[j]) for a, b in pairs])
        loss = loss + (products.mean() / scale) ** 2
loss = loss / BITS
loss.backward()

gradient = np.zeros_like(x)
mask = np.zeros(x.shape[:2], bool)
for row, (length, clip) in enumerate(zip(LENGTHS, clips)):
    gradient[row, -length:] = clip.grad.numpy()
    mask[row, -length:] = True
save_file(
    {"x": x, "mask": mask, "loss": np.array(loss.item()), "gradient": gradient},
    "Tests/Fixtures/tokenizer_redundancy.safetensors")  # fmt: skip
print(f"loss {loss.item():.4f}")
