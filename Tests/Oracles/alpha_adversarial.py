"""Adversarial losses of audiocraft and DAC, SI-SDR of DAC, EnCodec's balancer → Tests/Fixtures/alpha_adversarial.safetensors.

real.D.features.I, real.D.logits and so for fake: maps of three discriminators, [batch, frames, channels]. A loss is stored with its
gradients for what it reads of the fake side (for discriminators' losses the real logits too).
"""

import pathlib

import numpy as np
import torch
from published import audiocraft_balancer, audiocraft_losses, dac_losses
from safetensors.numpy import save_file

torch.manual_seed(0)
arrays = {}


def put(name, tensor):
    arrays[name] = tensor.detach().float().contiguous().numpy().copy()


def judgements(side):
    made = []
    for d in range(3):
        features = [torch.randn(2, 5 + d, 3).requires_grad_() for _ in range(2 + d % 2)]
        logits = (torch.randn(2, 5 + d, 1) * 1.5).requires_grad_()
        for index, feature in enumerate(features):
            put(f"{side}.{d}.features.{index}", feature)
        put(f"{side}.{d}.logits", logits)
        made.append((features, logits))
    return made


real, fake = judgements("real"), judgements("fake")


def record(name, loss, sides=("fake",)):
    put(name, loss)
    tensors = {}
    for side in sides:
        for d, (features, logits) in enumerate(real if side == "real" else fake):
            tensors |= {f"{side}.{d}.logits": logits}
            tensors |= {f"{side}.{d}.features.{i}": f for i, f in enumerate(features)}
    gradients = torch.autograd.grad(loss, list(tensors.values()), allow_unused=True)
    for path, gradient in zip(tensors, gradients):
        if gradient is not None:
            put(f"{name}/gradient.{path}", gradient)


# audiocraft averages over discriminators and layers.
for ours, theirs in (("leastSquares", "mse"), ("hinge", "hinge")):
    adversarial = audiocraft_losses.get_adv_criterion(theirs)
    loss_real, loss_fake = audiocraft_losses.get_real_criterion(theirs), audiocraft_losses.get_fake_criterion(theirs)
    record(f"{ours}.generator.mean", sum(adversarial(l) for _, l in fake) / 3)
    total = sum(loss_fake(f) + loss_real(r) for (_, f), (_, r) in zip(fake, real))
    record(f"{ours}.discriminator.mean", total / 3, ("real", "fake"))
matching = audiocraft_losses.FeatureMatchingLoss()
record("features.mean", sum(matching(f, [r.detach() for r in rs]) for (f, _), (rs, _) in zip(fake, real)) / 3)


# DAC sums over both; its loss calls the discriminator on the waveforms, which here are the maps themselves.
class Waveform:
    def __init__(self, maps):
        self.audio_data = self
        self.maps = maps

    def clone(self):
        return self

    def detach(self):
        return self


judge = lambda waveform: [[*features, logits] for features, logits in waveform.maps]
gan = dac_losses.GANLoss(judge)
adversarial, features = gan.generator_loss(Waveform(fake), Waveform(real))
record("leastSquares.generator.sum", adversarial)
record("features.sum", features)
record("leastSquares.discriminator.sum", gan.discriminator_loss(Waveform(fake), Waveform(real)), ("real", "fake"))

# SI-SDR.
reference = torch.randn(3, 1, 200) + 0.3
estimate = (reference + 0.4 * torch.randn(3, 1, 200) - 0.1).requires_grad_()
loss = dac_losses.SISDRLoss()(reference, estimate)
put("sdr/reference", reference[:, 0])
put("sdr/estimate", estimate[:, 0])
put("sdr", loss)
put("sdr/gradient", torch.autograd.grad(loss, estimate)[0][:, 0])

# The balancer over three steps: loss a is an L1 to zero, b a square, c a dot product.
balancer = audiocraft_balancer.Balancer({"a": 1.0, "b": 4.0, "c": 2.0}, ema_decay=0.9)
direction = torch.randn(2, 1, 6)
put("balancer/direction", direction[:, 0])
for step in range(3):
    output = torch.randn(2, 1, 6).requires_grad_()
    losses = {"a": output.abs().mean(), "b": 30 * output.square().mean(), "c": (output * direction).sum()}
    balancer.backward(losses, output)
    put(f"balancer/{step}/output", output[:, 0])
    put(f"balancer/{step}/cotangent", output.grad[:, 0])

save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "alpha_adversarial.safetensors")
