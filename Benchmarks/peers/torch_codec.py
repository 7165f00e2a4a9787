"""The reference codec in PyTorch, as a careful user writes it: [batch, channels, time], F.pad and nn.Conv1d."""

from __future__ import annotations

import time
from contextlib import nullcontext

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weights import Configuration


class Snake(nn.Module):
    """x + sin²(αx)/α with α per channel (Ziyin et al., 2020, arXiv:2006.08195)."""

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.alpha + 1e-9).reciprocal() * torch.sin(self.alpha * x).square()


class CausalConv1d(nn.Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        past = (self.kernel_size[0] - 1) * self.dilation[0] + 1 - self.stride[0]
        return super().forward(F.pad(x, (past, 0)))


class CausalConvTranspose1d(nn.ConvTranspose1d):
    def forward(self, x: Tensor) -> Tensor:
        future = self.kernel_size[0] - self.stride[0]
        return super().forward(x)[..., :-future]


class Chain(nn.Module):
    """A module of modules. `call` runs each of them: by itself for a clip, by a stream's rules for a frame."""

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_with(lambda module, x: module(x), x)


class ResidualUnit(Chain):
    def __init__(self, channels: int, dilation: int):
        super().__init__()
        self.activations = nn.ModuleList([Snake(channels), Snake(channels)])
        self.dilated = CausalConv1d(channels, channels, 7, dilation=dilation)
        self.pointwise = CausalConv1d(channels, channels, 1)

    def forward_with(self, call, x: Tensor) -> Tensor:
        y = call(self.dilated, call(self.activations[0], x))
        return x + call(self.pointwise, call(self.activations[1], y))


class EncoderBlock(Chain):
    def __init__(self, narrow: int, wide: int, stride: int, dilations: tuple[int, ...]):
        super().__init__()
        self.units = nn.Sequential(*(ResidualUnit(narrow, dilation) for dilation in dilations))
        self.activation = Snake(narrow)
        self.downsample = CausalConv1d(narrow, wide, 2 * stride, stride=stride)

    def forward_with(self, call, x: Tensor) -> Tensor:
        return call(self.downsample, call(self.activation, call(self.units, x)))


class DecoderBlock(Chain):
    def __init__(self, wide: int, narrow: int, stride: int, dilations: tuple[int, ...]):
        super().__init__()
        self.activation = Snake(wide)
        self.upsample = CausalConvTranspose1d(wide, narrow, 2 * stride, stride=stride)
        self.units = nn.Sequential(*(ResidualUnit(narrow, dilation) for dilation in dilations))

    def forward_with(self, call, x: Tensor) -> Tensor:
        return call(self.units, call(self.upsample, call(self.activation, x)))


class Encoder(Chain):
    """[B, 1, N] → [B, latent, N / hop]"""

    def __init__(self, configuration: Configuration):
        super().__init__()
        widths, strides = configuration.widths, configuration.strides
        self.stem = CausalConv1d(1, widths[0], 7)
        self.blocks = nn.Sequential(*(
            EncoderBlock(narrow, wide, stride, configuration.dilations)
            for narrow, wide, stride in zip(widths, widths[1:], strides)))
        self.activation = Snake(widths[-1])
        self.head = CausalConv1d(widths[-1], configuration.latent, 3)

    def forward_with(self, call, x: Tensor) -> Tensor:
        return call(self.head, call(self.activation, call(self.blocks, call(self.stem, x))))


class Decoder(Chain):
    """[B, latent, T] → [B, 1, T · hop]"""

    def __init__(self, configuration: Configuration):
        super().__init__()
        widths, strides = configuration.decoder_widths, configuration.strides[::-1]
        self.stem = CausalConv1d(configuration.latent, widths[0], 7)
        self.blocks = nn.Sequential(*(
            DecoderBlock(wide, narrow, stride, configuration.dilations)
            for wide, narrow, stride in zip(widths, widths[1:], strides)))
        self.activation = Snake(widths[-1])
        self.head = CausalConv1d(widths[-1], 1, 7)

    def forward_with(self, call, x: Tensor) -> Tensor:
        return call(self.head, call(self.activation, call(self.blocks, call(self.stem, x))))


class Codec(nn.Module):
    def __init__(self, configuration: Configuration):
        super().__init__()
        self.encoder = Encoder(configuration)
        self.decoder = Decoder(configuration)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))

    @torch.no_grad()
    def load_parameters(self, parameters: dict[str, np.ndarray]) -> None:
        for path, parameter in self.named_parameters():
            parameter.copy_(self.to_torch(path, torch.tensor(parameters[path])))

    @staticmethod
    def to_torch(path: str, value: Tensor) -> Tensor:
        """From the layout of weights.py to PyTorch's."""
        if path.endswith(".alpha"):
            return value[None, :, None]
        if path.endswith(".upsample.weight"):
            return value.permute(1, 2, 0)  # [kernel, in, out] → [in, out, kernel]
        if path.endswith(".weight"):
            return value.permute(2, 1, 0)  # [kernel, in, out] → [out, in, kernel]
        return value


class TorchPeer:
    """Times the codec's inference and training. Arrays that go in and out are [batch, time, channels]."""

    def __init__(
        self, parameters: dict[str, np.ndarray], configuration: Configuration = Configuration(), threads: int = 2,
        bf16: bool = False, compiled: bool = False,
    ):
        torch.set_num_threads(threads)
        self.parameters = parameters
        self.bf16 = bf16
        self.hop = configuration.hop
        self.codec = Codec(configuration)
        self.codec.load_parameters(parameters)
        self.encoder, self.decoder = self.codec.encoder, self.codec.decoder
        self.forward = self.codec
        if compiled:
            self.encoder, self.decoder = torch.compile(self.encoder), torch.compile(self.decoder)
            self.forward = torch.compile(self.codec)

    @property
    def description(self) -> str:
        return f"PyTorch {torch.__version__}"

    def precision(self):
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.bf16 else nullcontext()

    def outputs(self, clip: np.ndarray) -> dict[str, np.ndarray]:
        self.codec.load_parameters(self.parameters)  # training changes them in place
        with torch.inference_mode(), self.precision():
            latent = self.encoder(torch.from_numpy(clip).mT)
            output = self.decoder(latent)
        return {"latent": latent.mT.float().contiguous().numpy(), "output": output.mT.float().contiguous().numpy()}

    def time_inference(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        self.codec.load_parameters(self.parameters)
        x = torch.from_numpy(clip).mT.contiguous()
        encoder, decoder = [], []
        with torch.inference_mode(), self.precision():
            for _ in range(repeat):
                start = time.perf_counter()
                latent = self.encoder(x)
                middle = time.perf_counter()
                self.decoder(latent)
                end = time.perf_counter()
                encoder.append(middle - start)
                decoder.append(end - middle)
        return {"seconds": [sum(pair) for pair in zip(encoder, decoder)], "encoder": encoder, "decoder": decoder}

    def streamed(self, clip: np.ndarray) -> dict[str, np.ndarray]:
        """`outputs`, a frame at a time."""
        from torch_stream import Stream

        self.codec.load_parameters(self.parameters)
        stream = Stream(self.codec)
        with torch.inference_mode():
            latents = [stream.encode(frame) for frame in torch.from_numpy(clip).mT.split(self.hop, dim=-1)]
            outputs = [stream.decode(latent) for latent in latents]
        joined = {"latent": torch.cat(latents, -1), "output": torch.cat(outputs, -1)}
        return {name: value.mT.contiguous().numpy() for name, value in joined.items()}

    def time_stream(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        """Each run is a frame; the clip begins anew at its end."""
        from torch_stream import Stream

        self.codec.load_parameters(self.parameters)
        frames = torch.from_numpy(clip).mT.contiguous().split(self.hop, dim=-1)
        stream = Stream(self.codec)
        encoder, decoder = [], []
        with torch.inference_mode(), self.precision():
            for index in range(repeat):
                start = time.perf_counter()
                latent = stream.encode(frames[index % len(frames)])
                middle = time.perf_counter()
                stream.decode(latent)
                end = time.perf_counter()
                encoder.append(middle - start)
                decoder.append(end - middle)
        return {"seconds": [sum(pair) for pair in zip(encoder, decoder)], "encoder": encoder, "decoder": decoder}

    def time_training(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        """Every call starts again from the given weights, so the losses of two peers can be compared."""
        self.codec.load_parameters(self.parameters)
        optimizer = torch.optim.AdamW(self.codec.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
        x = torch.from_numpy(clip).mT.contiguous()
        seconds, losses = [], []
        for _ in range(repeat):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            with self.precision():
                loss = F.mse_loss(self.forward(x), x)
            loss.backward()
            optimizer.step()
            seconds.append(time.perf_counter() - start)
            losses.append(loss.item())
        return {"seconds": seconds, "losses": losses}
