"""An adversarial training step in PyTorch: torch_alpha's model, EnCodec's MS-STFT and HiFi-GAN's multi-period discriminators."""

from __future__ import annotations

import time

import librosa
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from torch_alpha import Alpha
from weights import SAMPLE_RATE

STFT_WINDOWS, PERIODS = (2048, 1024, 512, 256, 128), (2, 3, 5, 7, 11)
MEL_SCALES = ((64, 5), (128, 10), (256, 20), (512, 40), (1024, 80), (2048, 160))


class STFTDiscriminator(nn.Module):
    def __init__(self, window: int, width: int = 32):
        super().__init__()
        self.length = window
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        inner = [
            weight_norm(nn.Conv2d(width, width, (3, 9), (1, 2), padding=(dilation, 4), dilation=(dilation, 1)))
            for dilation in (1, 2, 4)]
        self.convolutions = nn.ModuleList([
            nn.Conv2d(2, width, (3, 9), padding=(1, 4)), *inner, weight_norm(nn.Conv2d(width, width, 3, padding=1))])
        self.logits = weight_norm(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        spectrum = torch.stft(
            x, self.length, self.length // 4, window=self.window, center=False, return_complex=True)
        h = torch.stack([spectrum.real, spectrum.imag], 1).mT / self.window.square().sum().sqrt()
        features = []
        for layer in self.convolutions:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return features, self.logits(h)


class PeriodDiscriminator(nn.Module):
    def __init__(self, period: int):
        super().__init__()
        self.period = period
        widths = (1, 32, 128, 512, 1024, 1024)
        self.convolutions = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (5, 1), (3 if index < 4 else 1, 1), padding=(2, 0)))
            for index, (a, b) in enumerate(zip(widths, widths[1:])))
        self.logits = weight_norm(nn.Conv2d(1024, 1, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        x = F.pad(x[:, None], (0, self.period - x.shape[-1] % self.period), "reflect")
        h = x.unflatten(2, (-1, self.period))
        features = []
        for layer in self.convolutions:
            h = F.leaky_relu(layer(h), 0.1)
            features.append(h)
        return features, self.logits(h)


class Discriminators(nn.Module):
    def __init__(self):
        super().__init__()
        self.stft = nn.ModuleList(STFTDiscriminator(window) for window in STFT_WINDOWS)
        self.period = nn.ModuleList(PeriodDiscriminator(period) for period in PERIODS)

    def forward(self, x: Tensor) -> list[tuple[list[Tensor], Tensor]]:
        return [discriminator(x) for discriminator in [*self.stft, *self.period]]

    @torch.no_grad()
    def load_parameters(self, parameters: dict[str, np.ndarray]) -> None:
        for path, parameter in self.named_parameters():
            ours = path.replace(".parametrizations.weight.original0", ".weight.gain")
            ours = ours.replace(".parametrizations.weight.original1", ".weight.direction")
            value = torch.tensor(parameters.pop(ours))
            if value.ndim > 1:  # [space…, in, out] → [out, in, space…]
                value = value.permute(value.ndim - 1, value.ndim - 2, *range(value.ndim - 2))
            parameter.copy_(value.reshape(parameter.shape))
        if parameters:
            raise ValueError(f"no parameters are named {sorted(parameters)[:5]}")


class MelLoss(nn.Module):
    """Σ over scales of mean |Δ log10 mel|."""

    def __init__(self):
        super().__init__()
        for length, bands in MEL_SCALES:
            bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=length, n_mels=bands)
            self.register_buffer(f"bank{length}", torch.tensor(bank))
            self.register_buffer(f"window{length}", torch.hann_window(length))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        both = torch.cat([x, y])
        total = 0
        for length, _ in MEL_SCALES:
            window = self.get_buffer(f"window{length}")
            # Frames are counted from the end of the sound, with zeros beyond both edges, as ours are.
            aligned = F.pad(both, (-both.shape[-1] % (length // 4), 0))
            spectrum = torch.stft(
                aligned, length, length // 4, window=window, pad_mode="constant", return_complex=True)
            power = spectrum.real.square() + spectrum.imag.square()
            mel = self.get_buffer(f"bank{length}") @ power.clamp(min=1e-12).sqrt()
            a, b = mel.clamp(min=1e-5).log10().chunk(2)
            total = total + (a - b).abs().mean()
        return total


class TorchGANPeer:
    def __init__(self, arrays: dict[str, np.ndarray], configuration: dict, threads: int):
        torch.set_num_threads(threads)

        def side(name: str) -> dict[str, np.ndarray]:
            return {path.removeprefix(f"{name}."): value for path, value in arrays.items() if path.startswith(f"{name}.")}

        self.audio = torch.from_numpy(arrays["audio"])
        self.labels, self.frames = (torch.from_numpy(arrays[name]).long() for name in ("labels", "frames"))
        self.codec, self.discriminators, self.mel = Alpha(configuration), Discriminators(), MelLoss()
        self.codec.load_parameters(side("codec"))
        self.discriminators.load_parameters(side("discriminators"))
        settings = {"lr": 1e-4, "betas": (0.8, 0.99), "weight_decay": 0.01, "fused": True}
        self.generator_optimizer = torch.optim.AdamW(self.codec.parameters(), **settings)
        self.discriminator_optimizer = torch.optim.AdamW(self.discriminators.parameters(), **settings)

    @property
    def description(self) -> str:
        return f"PyTorch {torch.__version__}"

    def step(self) -> tuple[float, float]:
        """Both players move from the same state; what discriminators make of the sound is computed once."""
        judges = list(self.discriminators.parameters())
        decoded, logits, commitment, entropy = self.codec(self.audio[:, None])
        signal = decoded[:, 0]
        real, fake = self.discriminators(self.audio), self.discriminators(signal)
        count = len(real)
        discriminator = sum(
            (1 - r).square().mean() + f.square().mean() for (_, r), (_, f) in zip(real, fake)) / count
        adversarial = sum((1 - logits).square().mean() for _, logits in fake) / count
        features = sum(
            sum((y - x.detach()).abs().mean() for x, y in zip(xs, ys)) / len(xs)
            for (xs, _), (ys, _) in zip(real, fake)) / count
        lengths = [torch.full(labels.shape[:1], labels.shape[1]) for labels in (self.frames, self.labels)]
        ctc = F.ctc_loss(logits.log_softmax(-1).transpose(0, 1), self.labels, *lengths, reduction="sum")
        generator = (
            15 * self.mel(self.audio, signal) + adversarial + 2 * features + commitment + 2 * entropy
            + 4 * ctc / self.labels.numel() + 20 * F.cross_entropy(logits.flatten(0, 1), self.frames.flatten()))
        for parameter, gradient in zip(judges, torch.autograd.grad(discriminator, judges, retain_graph=True)):
            parameter.grad = gradient
        mine = list(self.codec.parameters())
        for parameter, gradient in zip(mine, torch.autograd.grad(generator, mine)):
            parameter.grad = gradient
        self.generator_optimizer.step()
        self.discriminator_optimizer.step()
        return discriminator.item(), generator.item()

    def time_training(self, repeat: int) -> dict[str, list]:
        seconds, losses = [], []
        for _ in range(repeat):
            start = time.perf_counter()
            losses.append(self.step())
            seconds.append(time.perf_counter() - start)
        return {"seconds": seconds, "losses": losses}
