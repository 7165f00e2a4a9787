"""Tests/Fixtures/reference_codec.safetensors: a narrow codec of the benchmarks' architecture, run by PyTorch in f64.

Holds `parameters/<path>`, `input` [2, 96, 1], `latent` [2, 12, 8], `output` [2, 96, 1], the mean squared error `loss` between output
and input, its `gradients/<path>`, and `updated/<path>`: the parameters after one AdamW step (1e-4, weight decay 0.01). All are
f32, laid out as Benchmarks/peers/weights.py says. Run from the repository root:
    python Tests/Oracles/reference_codec.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

sys.path.insert(0, "Benchmarks/peers")
from torch_codec import Codec
from weights import Configuration, random_parameters

FIXTURE = Path("Tests/Fixtures/reference_codec.safetensors")
CONFIGURATION = Configuration(width=4, strides=(2, 4), latent=8)


def from_torch(path: str, value: torch.Tensor) -> np.ndarray:
    """The inverse of Codec.to_torch."""
    if path.endswith(".alpha"):
        value = value[0, :, 0]
    elif path.endswith(".upsample.weight"):
        value = value.permute(2, 0, 1)
    elif path.endswith(".weight"):
        value = value.permute(2, 1, 0)
    return value.detach().float().contiguous().numpy().copy()


def main() -> None:
    parameters = random_parameters(CONFIGURATION, seed=1)
    clip = np.random.default_rng(2).standard_normal((2, 96, 1)).astype(np.float32)
    codec = Codec(CONFIGURATION).double()
    codec.load_parameters(parameters)
    optimizer = torch.optim.AdamW(codec.parameters(), lr=1e-4, weight_decay=0.01)

    x = torch.from_numpy(clip).double().mT
    latent = codec.encoder(x)
    output = codec.decoder(latent)
    loss = torch.nn.functional.mse_loss(output, x)
    loss.backward()
    fixture = {f"parameters/{path}": value for path, value in parameters.items()}
    fixture |= {f"gradients/{path}": from_torch(path, value.grad) for path, value in codec.named_parameters()}
    optimizer.step()
    fixture |= {f"updated/{path}": from_torch(path, value) for path, value in codec.named_parameters()}
    for name, value in (("latent", latent), ("output", output)):
        fixture[name] = value.mT.detach().float().contiguous().numpy().copy()
    save_file(fixture | {"input": clip, "loss": np.array(loss.item(), np.float32)}, FIXTURE)


if __name__ == "__main__":
    main()
