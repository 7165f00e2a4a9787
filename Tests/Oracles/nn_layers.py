"""Layers of Flax and PyTorch, forward and gradients -> Tests/Fixtures/nn_layers.safetensors.

Each case holds x, parameters under their paths, y, the cotangent g of y, and the gradients of sum(y * g). Everything is
computed in f64.
"""

import pathlib

import flax.linen as linen
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

jax.config.update("jax_enable_x64", True)
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
arrays = {}


def put(name, value):
    array = np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)
    arrays[name] = np.ascontiguousarray(array.astype(np.float32 if array.dtype.kind == "f" else array.dtype))


def record(name, run, inputs):
    """run: dict of tensors -> tensor; gradients of every floating input."""
    inputs = {k: v.requires_grad_() if v.is_floating_point() else v for k, v in inputs.items()}
    y = run(inputs)
    g = torch.randn_like(y)
    (y * g).sum().backward()
    put(f"{name}/y", y)
    put(f"{name}/g", g)
    for key, value in inputs.items():
        put(f"{name}/{key}", value)
        if value.is_floating_point():
            put(f"{name}/gradient.{key}", value.grad)


def randn(*shape, scale=1.0):
    return torch.randn(*shape) * scale


# --- Snake, with frequencies of both signs of size, and values far out
x = randn(2, 17, 5, scale=3.0)
x[0, 0] = torch.tensor([0.0, 1e-4, 50.0, -300.0, 1000.0])
record("snake", lambda p: p["x"] + torch.sin(p["alpha"] * p["x"]) ** 2 / (p["alpha"] + 1e-9),
       {"x": x, "alpha": torch.tensor([1.0, 0.3, 2.5, 7.0, 1.3])})

# --- Linear and embedding
record("linear", lambda p: F.linear(p["x"], p["weight"].T, p["bias"]),
       {"x": randn(2, 5, 6), "weight": randn(6, 4), "bias": randn(4)})
record("embedding", lambda p: F.embedding(p["x"].long(), p["weight"]),
       {"x": torch.randint(0, 7, (3, 9), dtype=torch.int32), "weight": randn(7, 4)})

# --- RMS norm: Flax's
norm = linen.RMSNorm(epsilon=1e-6, dtype=jnp.float64, param_dtype=jnp.float64)
x, scale, g = (np.random.default_rng(1).normal(size=s) for s in ((2, 9, 8), (8,), (2, 9, 8)))


def rms(x, scale):
    return norm.apply({"params": {"scale": scale}}, x)


y, pullback = jax.vjp(rms, x, scale)
dx, dscale = pullback(g)
for key, value in {"x": x, "scale": scale, "y": y, "g": g, "gradient.x": dx, "gradient.scale": dscale}.items():
    put(f"rmsNorm/{key}", value)


# --- AdaRMSZero: both outputs side by side
def ada(p):
    m = F.linear(F.silu(p["condition"]), p["modulation.weight"].T, p["modulation.bias"])
    shift, scale, gate = m[:, None].chunk(3, -1)
    return torch.cat([F.rms_norm(p["x"], (6,), eps=1e-6) * (1 + scale) + shift, gate.expand(p["x"].shape)], -1)


record("adaRMSZero", ada, {"x": randn(2, 5, 6), "condition": randn(2, 4), "modulation.weight": randn(4, 18),
                           "modulation.bias": randn(18)})

# --- Activations
x = torch.linspace(-6, 6, 97)
record("gelu", lambda p: F.gelu(p["x"]), {"x": x.clone()})
record("geluTanh", lambda p: F.gelu(p["x"], approximate="tanh"), {"x": x.clone()})
record("silu", lambda p: F.silu(p["x"]), {"x": x.clone()})
record("elu", lambda p: F.elu(p["x"]), {"x": x.clone()})
record("leakyReLU", lambda p: F.leaky_relu(p["x"], 0.1), {"x": x.clone() + 0.01})


# --- Attention: rotation by complex numbers at absolute positions, and PyTorch's attention with a mask
def rotate(x, base):  # [batch, heads, time, width]
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2])[:, None] * base ** (-torch.arange(half) / half)
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([z.real, z.imag], -1)


def attend(p, prefix, heads, shared, causal, window, base, mask=None, x=None):
    x = p["x"] if x is None else x
    batch, time, width = x.shape
    q, k, v = (F.linear(x, p[f"{prefix}{n}.weight"].T).view(batch, time, -1, width // heads).transpose(1, 2)
               for n in ("query", "key", "value"))
    if base:
        q, k = rotate(q, base), rotate(k, base)
    age = torch.arange(time)[:, None] - torch.arange(time)
    allowed = torch.ones(batch, 1, time, time, dtype=torch.bool)
    if causal:
        allowed &= age >= 0
    if window:
        allowed &= age < window
    if mask is not None:
        allowed &= mask[:, None, None, :]
    y = F.scaled_dot_product_attention(q, k, v, allowed, enable_gqa=True)
    return F.linear(y.transpose(1, 2).reshape(batch, time, width), p[f"{prefix}output.weight"].T)


def attention_parameters(width, heads, shared, prefix=""):
    s = width // heads * shared
    return {f"{prefix}{n}.weight": randn(width, o, scale=width ** -0.5)
            for n, o in (("query", width), ("key", s), ("value", s), ("output", width))}


# name: batch, time, width, heads, shared heads, causal, window, base
cases = {
    "full": (2, 12, 16, 2, 2, 0, 0, 0), "causal": (2, 12, 16, 2, 2, 1, 0, 10000), "window": (2, 40, 16, 4, 4, 1, 5, 10000),
    "grouped": (2, 12, 16, 4, 2, 1, 4, 100), "banded": (1, 150, 8, 2, 1, 1, 40, 10000), "narrow": (1, 70, 8, 2, 2, 1, 1, 0),
}
for name, config in cases.items():
    b, t, w, h, s, causal, window, base = config
    arrays[f"attention.{name}/config"] = np.array(config, np.int32)
    record(f"attention.{name}", lambda p: attend(p, "", h, s, causal, window, base),
           {"x": randn(b, t, w), **attention_parameters(w, h, s)})


# --- Transformer block, SwiGLU
def block(p):
    x = p["x"]
    x = x + attend(p, "attention.", 2, 2, True, 6, 10000,
                   x=F.rms_norm(x, (8,), p["attentionNorm.scale"], 1e-6)) * p["attentionScale.scale"]
    h = F.rms_norm(x, (8,), p["mlpNorm.scale"], 1e-6)
    wide = F.silu(F.linear(h, p["mlp.gate.weight"].T, p["mlp.gate.bias"])) * F.linear(
        h, p["mlp.expand.weight"].T, p["mlp.expand.bias"])
    return x + F.linear(wide, p["mlp.contract.weight"].T, p["mlp.contract.bias"]) * p["mlpScale.scale"]


record("block", block, {
    "x": randn(2, 14, 8), "attentionNorm.scale": randn(8), "attentionScale.scale": randn(8), "mlpNorm.scale": randn(8),
    "mlpScale.scale": randn(8), **attention_parameters(8, 2, 2, "attention."),
    "mlp.gate.weight": randn(8, 12), "mlp.gate.bias": randn(12), "mlp.expand.weight": randn(8, 12),
    "mlp.expand.bias": randn(12), "mlp.contract.weight": randn(12, 8), "mlp.contract.bias": randn(8),
})

save_file(arrays, pathlib.Path(__file__).parents[1] / "Fixtures" / "nn_layers.safetensors")
