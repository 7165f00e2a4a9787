"""Convolutions of PyTorch, forward and gradients, in channels-last layout -> Tests/Fixtures/nn_convolutions.safetensors.

Each case holds a configuration, x, the parameters, y, the cotangent g of y, and the gradients of sum(y * g).
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(0)
arrays = {}


def last(t):  # [batch, channels, space...] -> [batch, space..., channels]
    return t.movedim(1, -1)


def kernel(t, transposed=False):  # [out, in, space...] -> [space..., in, out]
    order = list(range(2, t.ndim)) + ([0, 1] if transposed else [1, 0])
    return t.permute(order)


def put(name, t):
    arrays[name] = np.ascontiguousarray(t.detach().numpy().astype(np.float32))


def record(name, config, layer, x, run, transposed=False):
    layer.double()
    x = x.double().requires_grad_()
    y = run(x)
    g = torch.randn_like(y)
    (y * g).sum().backward()
    arrays[f"{name}/config"] = np.array(config, np.int32)
    put(f"{name}/x", last(x))
    put(f"{name}/y", last(y))
    put(f"{name}/g", last(g))
    put(f"{name}/gradient.x", last(x.grad))
    if hasattr(layer, "parametrizations"):
        gain, direction = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
        for path, t in (("weight.direction", direction), ("weight.gain", gain)):
            shape = (lambda t: t.flatten()) if path.endswith("gain") else (lambda t: kernel(t, transposed))
            put(f"{name}/{path}", shape(t))
            put(f"{name}/gradient.{path}", shape(t.grad))
        put(f"{name}/folded", kernel(layer.weight, transposed))
    else:
        put(f"{name}/weight", kernel(layer.weight, transposed))
        put(f"{name}/gradient.weight", kernel(layer.weight.grad, transposed))
    if layer.bias is not None:
        put(f"{name}/bias", layer.bias)
        put(f"{name}/gradient.bias", layer.bias.grad)


# inputs, outputs, kernel, stride, dilation, groups, bias, weight norm
causal = [(6, 4, k, 1, d, g, 1, 0) for k in (1, 3, 7) for d in (1, 3) for g in (1, 2)]
causal += [(4, 6, k, s, 1, g, 1, 0) for s, k in ((2, 2), (2, 4), (2, 7), (3, 5), (6, 12), (4, 9)) for g in (1, 2)]
causal += [(4, 4, 3, 1, 1, 4, 0, 0), (4, 6, 3, 1, 2, 1, 1, 1), (4, 6, 8, 4, 1, 1, 1, 1)]
for i, config in enumerate(causal):
    c, o, k, s, d, g, b, n = config
    layer = torch.nn.Conv1d(c, o, k, s, dilation=d, groups=g, bias=bool(b))
    if n:
        layer = weight_norm(layer)
        with torch.no_grad():
            layer.parametrizations.weight.original0.mul_(1.7)
    left = (k - 1) * d - (s - 1)
    record(f"causal.{i:02}", config, layer, torch.randn(2, c, 24), lambda x: layer(F.pad(x, (left, 0))))

# inputs, outputs, kernel, stride, bias, weight norm
transposed = [(4, 3, k, s, 1, 0) for s, k in ((1, 3), (2, 2), (2, 4), (2, 5), (3, 7), (6, 12))] + [(4, 3, 8, 4, 0, 1)]
for i, config in enumerate(transposed):
    c, o, k, s, b, n = config
    layer = torch.nn.ConvTranspose1d(c, o, k, s, bias=bool(b))
    if n:
        layer = weight_norm(layer, dim=1)
        with torch.no_grad():
            layer.parametrizations.weight.original0.mul_(0.6)
    record(f"transposed.{i:02}", config, layer, torch.randn(2, c, 7), lambda x: layer(x)[..., : 7 * s], transposed=True)

# inputs, outputs, kernel, stride, padding, dilation, groups, weight norm
plain = [
    (1, 4, 15, 1, 7, 1, 1, 1), (4, 8, 41, 4, 20, 1, 2, 1), (8, 8, 5, 1, 2, 1, 8, 0), (4, 6, 3, 3, 0, 1, 1, 0),
    (4, 6, 5, 2, 1, 1, 1, 0), (4, 6, 3, 1, 2, 2, 1, 0), (4, 6, 3, 2, 2, 2, 2, 0), (4, 6, 1, 3, 0, 1, 1, 0),
]
for i, config in enumerate(plain):
    c, o, k, s, p, d, g, n = config
    layer = torch.nn.Conv1d(c, o, k, s, p, d, g)
    if n:
        layer = weight_norm(layer)
    record(f"plain.{i:02}", config, layer, torch.randn(2, c, 23), layer)

# inputs, outputs, kernel 2, stride 2, padding 2, dilation 2, groups, weight norm
plane = [
    (1, 4, 5, 1, 3, 1, 2, 0, 1, 1, 1, 1), (2, 4, 3, 9, 1, 1, 1, 4, 1, 1, 1, 1), (4, 4, 3, 9, 1, 2, 2, 4, 2, 1, 1, 0),
    (4, 6, 3, 3, 1, 1, 1, 1, 1, 1, 2, 0), (4, 6, 4, 3, 2, 3, 1, 0, 1, 1, 2, 0), (2, 2, 3, 3, 2, 2, 2, 2, 2, 1, 1, 0),
]
for i, config in enumerate(plane):
    c, o, k0, k1, s0, s1, p0, p1, d0, d1, g, n = config
    layer = torch.nn.Conv2d(c, o, (k0, k1), (s0, s1), (p0, p1), (d0, d1), g)
    if n:
        layer = weight_norm(layer)
    record(f"plane.{i:02}", config, layer, torch.randn(2, c, 11, 13), layer)

save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "nn_convolutions.safetensors")
