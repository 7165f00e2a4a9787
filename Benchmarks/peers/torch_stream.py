"""The reference codec in PyTorch a frame at a time: each convolution keeps the samples that its next frame looks back on."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torch_codec import CausalConv1d, CausalConvTranspose1d, Codec


class Stream:
    """Goes through the modules of a codec that was written for whole clips; its parameters stay theirs.

    A reset is a new stream.
    """

    def __init__(self, codec: Codec):
        self.codec = codec
        self.past: dict[nn.Module, Tensor] = {}

    def encode(self, x: Tensor) -> Tensor:
        """[B, 1, frames · hop] → [B, latent, frames]"""
        return self.run(self.codec.encoder, x)

    def decode(self, x: Tensor) -> Tensor:
        """[B, latent, frames] → [B, 1, frames · hop]"""
        return self.run(self.codec.decoder, x)

    def run(self, module: nn.Module, x: Tensor) -> Tensor:
        if isinstance(module, CausalConv1d):
            return self.convolve(module, x)
        if isinstance(module, CausalConvTranspose1d):
            return self.convolve_transposed(module, x)
        if isinstance(module, nn.Sequential):
            for layer in module:
                x = self.run(layer, x)
            return x
        # Everything else is made of these and of what has no memory.
        return module.forward_with(self.run, x) if hasattr(module, "forward_with") else module(x)

    def convolve(self, layer: CausalConv1d, x: Tensor) -> Tensor:
        length = (layer.kernel_size[0] - 1) * layer.dilation[0] + 1 - layer.stride[0]
        if length > 0:
            past = self.past.get(layer)
            if past is None:
                past = x.new_zeros(x.shape[0], x.shape[1], length)
            x = torch.cat((past, x), dim=-1)
            self.past[layer] = x[..., -length:]
        return F.conv1d(x, layer.weight, layer.bias, layer.stride, 0, layer.dilation)

    def convolve_transposed(self, layer: CausalConvTranspose1d, x: Tensor) -> Tensor:
        """What reaches past the frame is added to the next one; the bias is added once."""
        y = F.conv_transpose1d(x, layer.weight, None, layer.stride)
        length = layer.kernel_size[0] - layer.stride[0]
        past = self.past.get(layer)
        if past is not None:
            y[..., :length] += past
        self.past[layer] = y[..., -length:].clone()
        return y[..., :-length] + layer.bias[:, None]
