"""Discriminators as EnCodec and DAC published them, made narrow → Tests/Fixtures/alpha_discriminators.safetensors.

Each case holds x [2, N], the parameters by our names, features.0 … and logits, and the gradients of Σ mean(m² + m) over all
maps m, for x and the parameters. Everything is laid out as ours: channels last, kernels [space…, in, out]. DAC's classes have
their widths written into them, so what makes their convolutions is given narrower ones.
"""

import pathlib

import numpy as np
import torch
from published import dac_discriminators as dac
from published import encodec_discriminators as encodec
from safetensors.numpy import save_file

torch.manual_seed(0)
SAMPLES = 192
arrays = {}


def put(name, tensor):
    arrays[name] = np.ascontiguousarray(tensor.detach().float().numpy())


def last(t):  # [batch, channels, space...] -> [batch, space..., channels]
    return t.movedim(1, -1)


def kernel(t):  # [out, in, space...] -> [space..., in, out]
    return t.permute(list(range(2, t.ndim)) + [1, 0])


def ours(name):
    """`convs.1.conv.weight_g` and `convs.1.0.weight_g` are `convolutions.1.weight.gain`."""
    name = name.replace("conv_post", "logits").replace("band_convs", "bands").replace("convs", "convolutions")
    parts = name.replace(".conv.", ".").split(".")
    if parts[0] != "logits" and len(parts) == (5 if parts[0] == "bands" else 4):
        parts.pop(-2)  # the convolution before its activation
    tail = {"weight_g": "weight.gain", "weight_v": "weight.direction"}.get(parts[-1], parts[-1])
    return ".".join(parts[:-1] + [tail])


def value(name, t):
    if name.endswith("_g"):
        return t.flatten()
    if t.ndim == 4 and t.shape[3] == 1:
        t = t[..., 0]  # a plane's kernel one period wide
    return t if name.endswith("bias") else kernel(t)


def plane(t):  # [batch, channels, first, second] -> [batch, first, second, channels]
    return last(t)


def folded(t):  # [batch, channels, time, period] -> [batch · period, time, channels]
    return t.permute(0, 3, 2, 1).flatten(0, 1)


def record(name, module, run, layout):
    """`run(x)` gives the features and the logits of x [batch, 1, samples]."""
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            if path.endswith("_g"):
                parameter.mul_(torch.rand_like(parameter) + 1)
            if path.endswith("bias"):
                parameter.normal_(0, 0.1)
    x = (torch.randn(2, 1, SAMPLES) * 0.3).requires_grad_()
    features, logits = run(x)
    sum((m.square() + m).mean() for m in [*features, logits]).backward()
    put(f"{name}/x", x[:, 0])
    put(f"{name}/gradient.x", x.grad[:, 0])
    for index, feature in enumerate(features):
        put(f"{name}/features.{index}", layout(feature))
    put(f"{name}/logits", layout(logits))
    for path, parameter in module.named_parameters():
        put(f"{name}/parameters.{ours(path)}", value(path, parameter))
        put(f"{name}/gradient.{ours(path)}", value(path, parameter.grad))


def narrowed(make, widths, groups=False):
    """`make` with each number of channels replaced by what `widths` gives for it."""

    def narrow(inputs, outputs, *args, **kwargs):
        inputs, outputs = widths.get(inputs, inputs), widths.get(outputs, outputs)
        if "groups" in kwargs:
            kwargs["groups"] = inputs // 4
        return make(inputs, outputs, *args, **kwargs)

    return narrow


stft = encodec.DiscriminatorSTFT(4, n_fft=64, hop_length=16, win_length=64)
record("stft", stft, lambda x: stft(x)[::-1], plane)

conv1d, conv2d = dac.WNConv1d, dac.WNConv2d
dac.WNConv2d = narrowed(conv2d, {32: 2, 128: 8, 512: 12, 1024: 12})
for period in (2, 7):
    mpd = dac.MPD(period)
    record(f"period.{period}", mpd, lambda x: (lambda maps: (maps[:-1], maps[-1]))(mpd(x)), folded)

dac.WNConv1d = narrowed(conv1d, {16: 4, 64: 8, 256: 8, 1024: 8})
for factor in (1, 2):
    msd = dac.MSD(factor, sample_rate=24000)
    record(f"scale.{factor}", msd, lambda x: (lambda maps: (maps[:-1], maps[-1]))(msd(x)), last)

dac.WNConv2d = narrowed(conv2d, {32: 2})
mrd = dac.MRD(64, sample_rate=24000)
record("band", mrd, lambda x: (lambda maps: (maps[:-1], maps[-1]))(mrd(x)), plane)

# The whole of DAC's discriminator takes the mean and the level out first.
x = torch.randn(2, 1, SAMPLES) * 0.2 + 0.1
put("level/x", x[:, 0])
put("level/y", dac.Discriminator.preprocess(None, x)[:, 0])

save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "alpha_discriminators.safetensors")
