"""How far apart features are, layer by layer, each clip without its padding, and the gradient.

Writes Tests/Fixtures/tokenizer_perceptual.safetensors: `reference.L` and `estimate.L` [2, 6, C] of three layers with noise for padding,
`lengths` in frames, and `loss` and `gradient.L` at the estimates; once more under `whole/` as if all were real.

Run from the repository root:
    python Tests/Oracles/tokenizer_perceptual.py
"""

import torch
from safetensors.torch import save_file

FRAMES, CHANNELS, LENGTHS = 6, [3, 5, 4], [6, 4]

torch.manual_seed(12)
# Layers of very different sizes count alike.
scales = [1.0, 100.0, 0.01]
reference = [torch.randn(len(LENGTHS), FRAMES, c, dtype=torch.float64) * s for c, s in zip(CHANNELS, scales)]
estimate = [(torch.randn_like(r) * 0.5 * s + r).requires_grad_() for r, s in zip(reference, scales)]


def distance(lengths: list[int]) -> torch.Tensor:
    layers = []
    for r, e in zip(reference, estimate):
        real = [(a[FRAMES - n :], b[FRAMES - n :]) for a, b, n in zip(r, e, lengths)]
        differences = torch.cat([(a - b).abs().flatten() for a, b in real])
        sizes = torch.cat([a.abs().flatten() for a, _ in real])
        layers.append(differences.mean() / sizes.mean())
    return torch.stack(layers).mean()


tensors = {"lengths": torch.tensor(LENGTHS, dtype=torch.int32)}
for prefix, lengths in (("", LENGTHS), ("whole/", [FRAMES] * len(LENGTHS))):
    loss = distance(lengths)
    tensors[f"{prefix}loss"] = loss.detach()
    for layer, slope in enumerate(torch.autograd.grad(loss, estimate)):
        tensors[f"{prefix}gradient.{layer}"] = slope
for layer, (r, e) in enumerate(zip(reference, estimate)):
    tensors |= {f"reference.{layer}": r, f"estimate.{layer}": e.detach()}
save_file(tensors, "Tests/Fixtures/tokenizer_perceptual.safetensors")
