"""Alpha in PyTorch from its configuration: torch_codec's convolutions, transformer blocks, and both quantizers with their losses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torch_codec import Codec, Decoder, Encoder
from weights import Configuration


class Scale(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))


class Attention(nn.Module):
    """Causal, within a window, with rotary positions of pairs of channels half a head apart."""

    def __init__(self, width: int, heads: int, window: int):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.heads, self.window = heads, window

    def rotated(self, x: Tensor) -> Tensor:
        half = x.shape[-1] // 2
        rates = 10000.0 ** (-torch.arange(half) / half)
        angles = torch.arange(x.shape[-2])[:, None] * rates
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] > self.window:
            raise ValueError(f"{x.shape[1]} frames are more than the window of {self.window}, which this peer leaves out")
        q, k, v = (layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value))
        y = F.scaled_dot_product_attention(self.rotated(q), self.rotated(k), v, is_causal=True)
        return self.output(y.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.expand, self.contract = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.contract(F.gelu(self.expand(x)))


class TransformerBlock(nn.Module):
    """[B, T, latent] → the same."""

    def __init__(self, width: int, heads: int, window: int, expansion: int):
        super().__init__()
        self.attentionNorm, self.attention, self.attentionScale = Scale(width), Attention(width, heads, window), Scale(width)
        self.mlpNorm, self.mlp, self.mlpScale = Scale(width), MLP(width, expansion * width), Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        def norm(y: Tensor, scale: Scale) -> Tensor:
            return F.rms_norm(y, scale.scale.shape, scale.scale, 1e-6)

        x = x + self.attentionScale.scale * self.attention(norm(x, self.attentionNorm))
        return x + self.mlpScale.scale * self.mlp(norm(x, self.mlpNorm))


def straight(x: Tensor, quantized: Tensor) -> Tensor:
    return x + (quantized - x).detach()


class Phonemes(nn.Module):
    """Level 1, by phonemes alone: of what the decoder wants only `expand` hears."""

    def __init__(self, channels: int, size: int, dimension: int):
        super().__init__()
        self.project, self.expand = nn.Linear(channels, dimension), nn.Linear(dimension, channels)
        self.codebook, self.logScale = nn.Parameter(torch.empty(size, dimension)), nn.Parameter(torch.empty(()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        direction, entries = (F.normalize(y, dim=-1) for y in (self.project(x), self.codebook))
        similarity = direction @ entries.T
        chosen = entries[similarity.argmax(-1)]
        return self.expand(chosen.detach()), (similarity - 1) * 2 * self.logScale.exp().clamp(max=100)


class Bits(nn.Module):
    """A binary spherical quantizer; its losses are the commitment and the entropies over the temperature."""

    temperature = 10.0

    def __init__(self, channels: int, bits: int):
        super().__init__()
        self.project, self.expand, self.bits = nn.Linear(channels, bits), nn.Linear(bits, channels), bits

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        direction = F.normalize(self.project(x), dim=-1)
        corner = self.bits**-0.5
        quantized = torch.where(direction >= 0, corner, -corner)
        p = torch.sigmoid(direction * (4 * self.temperature * corner))

        def entropy(p: Tensor) -> Tensor:
            return -(p * p.clamp(min=1e-7).log() + (1 - p) * (1 - p).clamp(min=1e-7).log())

        entropies = entropy(p).sum(-1).mean() - entropy(p.mean((0, 1))).sum()
        commitment = (direction - quantized).square().sum(-1).mean()
        return self.expand(straight(direction, quantized)), commitment, entropies / self.temperature


class Quantizer(nn.Module):
    def __init__(self, levels: list[nn.Module]):
        super().__init__()
        self.levels = nn.ModuleList(levels)


class TransformedEncoder(Encoder):
    def __init__(self, configuration: Configuration, blocks: list[nn.Module]):
        super().__init__(configuration)
        self.transformer = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.transformer(super().forward(x).mT)


class TransformedDecoder(Decoder):
    def __init__(self, configuration: Configuration, blocks: list[nn.Module]):
        super().__init__(configuration)
        self.transformer = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.transformer(x).mT)


class Alpha(nn.Module):
    """[B, 1, N] → what the decoder makes of it, level 1's logits [B, T, entries], and level 2's losses."""

    def __init__(self, configuration: dict):
        super().__init__()
        latent, transformer = configuration["latentDimension"], configuration["transformer"]
        codec = Configuration(
            configuration["width"], tuple(configuration["strides"]), latent, tuple(configuration["dilations"]),
            tuple(configuration.get("decoderChannels") or ()))

        def blocks(count: int = transformer["layers"]) -> list[nn.Module]:
            sizes = [transformer[name] for name in ("heads", "window", "expansion")]
            return [TransformerBlock(latent, *sizes) for _ in range(count)]

        first, second = configuration["quantizer"]
        self.encoder = TransformedEncoder(codec, blocks())
        layers = configuration.get("phonemeLayers")
        self.phonemeEncoder = None if layers is None else TransformedEncoder(codec, blocks(layers))
        self.quantizer = Quantizer([
            Phonemes(latent, first["codebookSize"], first["dimension"]), Bits(latent, second["bits"])])
        self.decoder = TransformedDecoder(codec, blocks())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        latent = self.encoder(x)
        phonemes, bits = self.quantizer.levels
        first, logits = phonemes(latent if self.phonemeEncoder is None else self.phonemeEncoder(x))
        second, commitment, entropy = bits(latent - first.detach())
        return self.decoder(first + second), logits, commitment, entropy

    @torch.no_grad()
    def load_parameters(self, parameters: dict[str, np.ndarray]) -> None:
        for path, parameter in self.named_parameters():
            value = torch.tensor(parameters.pop(path))
            if value.ndim == 2 and path.endswith(".weight"):  # [in, out] → [out, in]
                parameter.copy_(value.T)
            else:
                parameter.copy_(Codec.to_torch(path, value))
        if parameters:
            raise ValueError(f"no parameters are named {sorted(parameters)[:5]}")
