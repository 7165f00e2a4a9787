"""A small Alpha in Flax NNX, trained ten steps by optax -> Tests/Fixtures/alpha_parity.safetensors.

Everything that Alpha has, of tiny widths: causal, strided and transposed convolutions with weight normalisation, Snake,
transformer blocks with rotary positions and a window, VQ and BSQ with clips that pass unquantised, the mel, STFT, waveform,
commitment, codebook and entropy losses, clipping, AdamW under a schedule, codebook upkeep and the weight average. Strides
and transposes are XLA's own, attention is a full matrix with a mask, spectra are frames times `jnp.fft`, and filter banks
librosa's. All is computed in f64 from f32 weights; only random numbers are drawn in f32, as Alpha draws them.
"""

import json
import pathlib
import sys

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import optax
from flax import nnx
from safetensors.numpy import save_file
from scipy.signal.windows import hann

# f32 gives what rounding alone makes of these figures: run with it to see.
FIXTURES = pathlib.Path(__file__).parents[1] / "Fixtures"
DTYPE = jnp.float32 if "f32" in sys.argv else jnp.float64
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
# Of a few seeds, one whose codes all stay clear of their boundaries, where rounding would choose.
random = np.random.default_rng(7)

MODEL = {
    "sampleRate": 8000, "width": 4, "strides": [2, 8], "dilations": [1, 3], "latentDimension": 8,
    "transformer": {"layers": 1, "heads": 2, "window": 4, "expansion": 2},
    "quantizer": [{"kind": "vq", "codebookSize": 8, "dimension": 4, "codebook": "gradient"}, {"kind": "bsq", "bits": 6}],
    "weightNormalization": True,
}
RECIPE = {
    "model": MODEL, "steps": 12, "batchSize": 2, "quantizerWarmupSteps": 5, "seed": 3,
    "optimizer": {"learningRate": 3e-4, "beta1": 0.8, "beta2": 0.99, "weightDecay": 0.05, "warmupSteps": 3,
                  "finalShare": 0.1, "clipNorm": 14, "averageDecay": 0.9},
    "losses": {"mel": 3, "stft": 0.01, "waveform": 2, "commitment": 0.25, "codebook": 1, "entropy": 0.5,
               "melWindows": [64, 256], "melBands": [8, 20]},
}
SAMPLES, STEPS, BATCHES = 1088, 10, 3
WIDTH, LATENT, WINDOW, HEADS = MODEL["width"], MODEL["latentDimension"], 4, 2
optimizer_recipe, weights = RECIPE["optimizer"], RECIPE["losses"]


# ---- Layers, channels last

def param(*shape, scale=1.0, center=0.0):
    # Exact in f32, which is what the fixture and Alpha hold.
    value = (center + scale * random.normal(size=shape)).astype(np.float32)
    return nnx.Param(jnp.asarray(value, DTYPE))


class Kernel(nnx.Module):
    """Weight normalisation (Salimans and Kingma, 2016), a norm for each output channel."""

    def __init__(self, shape, gain=1.0):
        self.direction = param(*shape)
        self.gain = param(shape[-1], scale=0.1 * gain, center=gain)

    def __call__(self):
        v = self.direction[...]
        return self.gain[...] * v / jnp.linalg.norm(v.reshape(-1, v.shape[-1]), axis=0)


class Conv(nnx.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, dilation=1, gain=1.0):
        self.weight, self.bias = Kernel((kernel, inputs, outputs), gain), param(outputs, scale=0.1)
        self.stride, self.dilation = stride, dilation

    def __call__(self, x):
        w = self.weight()
        left = (w.shape[0] - 1) * self.dilation - (self.stride - 1)
        return self.bias[...] + jax.lax.conv_general_dilated(
            x, w, (self.stride,), [(left, 0)], rhs_dilation=(self.dilation,), dimension_numbers=("NWC", "WIO", "NWC"))


class ConvTranspose(nnx.Module):
    def __init__(self, inputs, outputs, kernel, stride):
        self.weight, self.bias = Kernel((kernel, inputs, outputs)), param(outputs, scale=0.1)
        self.stride = stride

    def __call__(self, x):
        # lax correlates; the transposed convolution of the papers is with the kernel turned round.
        y = jax.lax.conv_transpose(
            x, self.weight()[::-1], (self.stride,), "VALID", dimension_numbers=("NWC", "WIO", "NWC"))
        return self.bias[...] + y[:, : x.shape[1] * self.stride]


class Linear(nnx.Module):
    def __init__(self, inputs, outputs, bias=True):
        self.weight = param(inputs, outputs, scale=inputs**-0.5)
        self.bias = param(outputs, scale=0.1) if bias else None

    def __call__(self, x):
        return x @ self.weight[...] + (0 if self.bias is None else self.bias[...])


class Snake(nnx.Module):
    def __init__(self, channels):
        self.alpha = param(channels, scale=0.2, center=1.0)

    def __call__(self, x):
        a = self.alpha[...]
        return x + jnp.sin(a * x) ** 2 / (a + 1e-9)


class Scale(nnx.Module):
    def __init__(self, width, center):
        self.scale = param(width, scale=0.2, center=center)


def rms(x, scale):
    return x / jnp.sqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-6) * scale


class Attention(nnx.Module):
    def __init__(self, width):
        self.query, self.key, self.value, self.output = (Linear(width, width, bias=False) for _ in range(4))

    def __call__(self, x):
        batch, time, width = x.shape
        each = width // HEADS

        def heads(y):
            return y.reshape(batch, time, HEADS, each)

        # Pairs of channels half a head apart, turned as complex numbers.
        turn = jnp.exp(1j * jnp.arange(time)[:, None] * 10000.0 ** (-jnp.arange(each // 2) / (each // 2)))

        def rotate(y):
            z = (y[..., : each // 2] + 1j * y[..., each // 2:]) * turn[:, None]
            return jnp.concatenate([z.real, z.imag], -1).astype(x.dtype)

        q, k, v = rotate(heads(self.query(x))), rotate(heads(self.key(x))), heads(self.value(x))
        age = jnp.arange(time)[:, None] - jnp.arange(time)
        y = jax.nn.dot_product_attention(q, k, v, mask=((age >= 0) & (age < WINDOW))[None, None])
        return self.output(y.reshape(x.shape))


class MLP(nnx.Module):
    def __init__(self, width, hidden):
        self.expand, self.contract = Linear(width, hidden), Linear(hidden, width)

    def __call__(self, x):
        return self.contract(jax.nn.gelu(self.expand(x), approximate=False))


class Block(nnx.Module):
    def __init__(self, width):
        self.attentionNorm, self.attention, self.attentionScale = Scale(width, 1.0), Attention(width), Scale(width, 0.5)
        self.mlpNorm, self.mlp, self.mlpScale = Scale(width, 1.0), MLP(width, 2 * width), Scale(width, 0.5)

    def __call__(self, x):
        x = x + self.attentionScale.scale[...] * self.attention(rms(x, self.attentionNorm.scale[...]))
        return x + self.mlpScale.scale[...] * self.mlp(rms(x, self.mlpNorm.scale[...]))


# ---- Encoder and decoder

class Unit(nnx.Module):
    def __init__(self, channels, dilation):
        self.activations = nnx.List([Snake(channels), Snake(channels)])
        self.dilated = Conv(channels, channels, 7, dilation=dilation)
        self.pointwise = Conv(channels, channels, 1, gain=0.4)

    def __call__(self, x):
        return x + self.pointwise(self.activations[1](self.dilated(self.activations[0](x))))


class Down(nnx.Module):
    def __init__(self, channels, stride):
        self.units = nnx.List([Unit(channels, d) for d in MODEL["dilations"]])
        self.activation = Snake(channels)
        self.downsample = Conv(channels, 2 * channels, 2 * stride, stride=stride)

    def __call__(self, x):
        for unit in self.units:
            x = unit(x)
        return self.downsample(self.activation(x))


class Up(nnx.Module):
    def __init__(self, channels, stride):
        self.activation = Snake(channels)
        self.upsample = ConvTranspose(channels, channels // 2, 2 * stride, stride)
        self.units = nnx.List([Unit(channels // 2, d) for d in MODEL["dilations"]])

    def __call__(self, x):
        x = self.upsample(self.activation(x))
        for unit in self.units:
            x = unit(x)
        return x


class Encoder(nnx.Module):
    def __init__(self):
        strides = MODEL["strides"]
        self.stem = Conv(1, WIDTH, 7)
        self.blocks = nnx.List([Down(WIDTH << i, s) for i, s in enumerate(strides)])
        self.activation = Snake(WIDTH << len(strides))
        self.head = Conv(WIDTH << len(strides), LATENT, 3)
        self.transformer = nnx.List([Block(LATENT)])

    def __call__(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.head(self.activation(x))
        for block in self.transformer:
            x = block(x)
        return x


class Decoder(nnx.Module):
    def __init__(self):
        strides = MODEL["strides"]
        self.transformer = nnx.List([Block(LATENT)])
        self.stem = Conv(LATENT, WIDTH << len(strides), 7)
        self.blocks = nnx.List([Up(WIDTH << (len(strides) - i), s) for i, s in enumerate(reversed(strides))])
        self.activation = Snake(WIDTH)
        self.head = Conv(WIDTH, 1, 7, gain=0.3)

    def __call__(self, x):
        for block in self.transformer:
            x = block(x)
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.activation(x))


# ---- Quantizers

def sphere(x):
    return x / jnp.sqrt(jnp.sum(x**2, -1, keepdims=True) + 1e-12)


stop = jax.lax.stop_gradient


class VQ(nnx.Module):
    def __init__(self, size, dimension):
        self.project, self.codebook = Linear(LATENT, dimension), param(size, dimension)
        self.expand = Linear(dimension, LATENT)

    def __call__(self, x, bypass, usage, key):
        direction, entries = sphere(self.project(x)), sphere(self.codebook[...])
        codes = jnp.argmax(direction @ entries.T, -1)
        chosen = entries[codes]
        passed = jnp.where(bypass[:, None, None], direction, direction + stop(chosen - direction))
        size = entries.shape[0]
        share = jnp.bincount(codes.reshape(-1), length=size) / codes.size
        moving = 0.99 * usage + 0.01 * share
        dead = moving < 0.1 / size
        # JAX's own randint draws twice to be free of bias; Alpha takes the remainder of one draw.
        picks = jax.random.bits(key, (size,), jnp.uint32) % codes.size
        ordered = jnp.sort(direction @ entries.T, -1)
        upkeep = {"margin": jnp.min(ordered[..., -1] - ordered[..., -2]), "usage": jnp.where(dead, 1 / size, moving), "dead": dead,
                  "values": direction.reshape(-1, direction.shape[-1])[picks]}
        losses = {"commitment": jnp.mean(jnp.sum((direction - stop(chosen)) ** 2, -1)),
                  "codebook": jnp.mean(jnp.sum((stop(direction) - chosen) ** 2, -1))}
        return codes[..., None], self.expand(passed), losses, upkeep


class BSQ(nnx.Module):
    def __init__(self, bits):
        self.project, self.expand, self.bits = Linear(LATENT, bits), Linear(bits, LATENT), bits

    def __call__(self, x, bypass):
        u = sphere(self.project(x))
        codes = (u >= 0).astype(jnp.int32)
        q = jnp.where(u >= 0, 1.0, -1.0).astype(u.dtype) / self.bits**0.5
        passed = jnp.where(bypass[:, None, None], u, u + stop(q - u))

        def entropy(p):
            return -p * jnp.log(p) - (1 - p) * jnp.log(1 - p)

        p = jax.nn.sigmoid(4 * 10.0 * u / self.bits**0.5)
        each, together = jnp.mean(jnp.sum(entropy(p), -1)), jnp.sum(entropy(jnp.mean(p, (0, 1))))
        losses = {"commitment": jnp.mean(jnp.sum((u - q) ** 2, -1)), "entropy": (each - together) / 10}
        return codes, self.expand(passed), losses, jnp.min(jnp.abs(u))


class Quantizer(nnx.Module):
    def __init__(self):
        self.levels = nnx.List([VQ(8, 4), BSQ(6)])


class Alpha(nnx.Module):
    def __init__(self):
        self.encoder, self.quantizer, self.decoder = Encoder(), Quantizer(), Decoder()


# ---- Losses

def frames(x, length):
    hop = length // 4
    # Frames are counted from the end, with zeros beyond both edges.
    x = jnp.pad(x, ((0, 0), (-x.shape[1] % hop + length // 2, length // 2)))
    starts = jnp.arange((x.shape[1] - length) // hop + 1) * hop
    return x[:, starts[:, None] + jnp.arange(length)] * jnp.asarray(hann(length, sym=False), DTYPE)


def magnitude(x, length, floor):
    z = jnp.fft.rfft(frames(x, length))
    return jnp.sqrt(jnp.maximum(z.real**2 + z.imag**2, floor))


def mel_loss(x, y):
    total = 0
    for length, bands in zip(weights["melWindows"], weights["melBands"]):
        bank = jnp.asarray(librosa.filters.mel(sr=8000, n_fft=length, n_mels=bands, dtype=np.float64).T, DTYPE)
        a, b = (jnp.log10(jnp.maximum(magnitude(s, length, 1e-12) @ bank, 1e-5)) for s in (x, y))
        total += jnp.mean(jnp.abs(a - b))
    return total


def stft_loss(x, y):
    total = 0
    for length in (512, 1024, 2048):
        a, b = magnitude(x, length, 1e-7), magnitude(y, length, 1e-7)
        total += jnp.mean(jnp.linalg.norm(a - b, axis=(1, 2)) / jnp.linalg.norm(a, axis=(1, 2)))
        total += jnp.mean(jnp.abs(jnp.log(a) - jnp.log(b)))
    return total / 3


def objective(model, audio, usage, step, key):
    keys = jax.random.split(jax.random.fold_in(key, step))
    level_keys = jax.random.split(keys[0])
    share = 1 - jnp.float32(step) / RECIPE["quantizerWarmupSteps"]
    bypass = jax.random.uniform(keys[1], (audio.shape[0],), jnp.float32) < share
    vq, bsq = model.quantizer.levels
    h = model.encoder(audio[..., None])
    codes0, first, losses0, upkeep = vq(h, bypass, usage, level_keys[0])
    codes1, second, losses1, margin = bsq(h - stop(first), bypass)
    estimate = model.decoder(first + second)[..., 0]
    parts = {"mel": mel_loss(audio, estimate), "stft": stft_loss(audio, estimate),
             "waveform": jnp.mean(jnp.abs(audio - estimate))}
    for level, losses in enumerate((losses0, losses1)):
        parts.update({f"levels.{level}.{name}": value for name, value in losses.items()})
    total = sum(weights[name.split(".")[-1]] * value for name, value in parts.items())
    return total, {"parts": parts, "margin": jnp.minimum(upkeep["margin"], margin), "audio": estimate, "upkeep": upkeep,
                   "codes": jnp.concatenate([codes0, codes1], -1).astype(jnp.int32)}


# ---- Ten steps

def flat(state):
    return {".".join(str(k) for k in path): value[...] for path, value in nnx.to_flat_state(state)}


def key_of(seed):
    return jax.random.wrap_key_data(jnp.array([seed >> 32, seed & 0xFFFFFFFF], jnp.uint32))


time = np.arange(SAMPLES) / 8000
audio = np.stack([
    [sum(0.3 / n * np.sin(2 * np.pi * n * (90 + 40 * b + 70 * c) * time + n * b) for n in (1, 2, 3, 5))
     * (0.6 + 0.4 * np.sin(2 * np.pi * (3 + b) * time)) for c in range(2)] for b in range(BATCHES)])
# Much noise: where a spectrum is all but empty, the gradient of its logarithm is ill-conditioned, and f32 computes it badly.
audio = (0.5 * audio + 0.3 * random.normal(size=audio.shape)).astype(np.float32)

graph, state = nnx.split(Alpha(), nnx.Param)
start = flat(state)
treedef = jax.tree.structure(state)
paths = list(start)
# Two entries that nobody has chosen for long are dead in the first step.
usage = np.array([0.2, 0.001, 0.1, 0.2, 0.0005, 0.2, 0.1, 0.1985], np.float32)
arrays = {f"start/{k}": np.asarray(v, np.float32) for k, v in start.items()}
arrays["start/quantizer.levels.0.usage"] = usage
arrays["audio"] = audio


def objective_of(parameters, *rest):
    return objective(nnx.merge(graph, jax.tree.unflatten(treedef, [parameters[p] for p in paths])), *rest)


evaluate = jax.jit(jax.value_and_grad(objective_of, has_aux=True))
peak = optimizer_recipe["learningRate"]
adam = optax.adamw(
    optax.warmup_cosine_decay_schedule(0.0, peak, optimizer_recipe["warmupSteps"], RECIPE["steps"],
                                       peak * optimizer_recipe["finalShare"]),
    optimizer_recipe["beta1"], optimizer_recipe["beta2"], 1e-8, weight_decay=optimizer_recipe["weightDecay"],
    mask={k: v.ndim >= 2 for k, v in start.items()})
clip = optax.clip_by_global_norm(float(optimizer_recipe["clipNorm"]))
parameters, moments, average = start, adam.init(start), start
usage = jnp.asarray(usage, DTYPE)
key = key_of(RECIPE["seed"] ^ 0x5EED)
norms, resets, margins, book = [], [], [], "quantizer.levels.0.codebook"
for step in range(STEPS):
    batch = jnp.asarray(audio[step % BATCHES], DTYPE)
    (total, aux), gradients = evaluate(parameters, batch, usage, step, key)
    if step == 0:
        # The first step's clips all pass unquantised, so the straight-through path is met from the second on.
        for k, v in gradients.items():
            arrays[f"gradient/{k}"] = np.asarray(v, np.float32)
        arrays["codes"], arrays["reconstruction"] = np.asarray(aux["codes"]), np.asarray(aux["audio"], np.float32)
        # Of the rounded estimate, so that the losses can be compared alone; in f64, as the logarithms of small magnitudes want.
        rounded = jnp.asarray(arrays["reconstruction"], DTYPE)
        for name, loss in {"mel": mel_loss, "stft": stft_loss}.items():
            value, slope = jax.jit(jax.value_and_grad(loss, 1))(batch, rounded)
            arrays[f"loss.{name}/value"] = np.asarray(value, np.float32)
            arrays[f"loss.{name}/gradient"] = np.asarray(slope, np.float32)
    for name, value in {**aux["parts"], "loss": total, "gradientNorm": optax.global_norm(gradients),
                        "deadCodes": jnp.sum(aux["upkeep"]["dead"])}.items():
        arrays[f"step.{step}/{name}"] = np.asarray(value, np.float32)
    margins.append(float(aux["margin"]))
    norms.append(float(optax.global_norm(gradients)))
    gradients, _ = clip.update(gradients, clip.init(parameters))
    updates, moments = adam.update(gradients, moments, parameters)
    parameters = optax.apply_updates(parameters, updates)
    dead, values, usage = (aux["upkeep"][k] for k in ("dead", "values", "usage"))
    resets.append(int(dead.sum()))
    parameters[book] = jnp.where(dead[:, None], values, parameters[book])
    old = moments[0]
    moments = (old._replace(
        mu={**old.mu, book: jnp.where(dead[:, None], 0, old.mu[book])},
        nu={**old.nu, book: jnp.where(dead[:, None], 0, old.nu[book])}), *moments[1:])
    kept = min((1 + step) / (10 + step), optimizer_recipe["averageDecay"])
    average = optax.incremental_update(parameters, average, 1 - kept)

for group, values in {"parameters": parameters, "average": average, "first": moments[0].mu,
                      "second": moments[0].nu}.items():
    for k, v in values.items():
        arrays[f"end/{group}/{k}"] = np.asarray(v, np.float32)
arrays["end/usage"] = np.asarray(usage, np.float32)
print("least margin of a code", min(margins), "gradient norms", np.round(norms, 3), "resets", resets, "codes used", len(np.unique(arrays["codes"][..., 0])))
assert min(norms) < optimizer_recipe["clipNorm"] < max(norms), "the clip must act on some steps and not on others"
assert sum(resets) > 0

if "f32" not in sys.argv:
    path = FIXTURES / "alpha_parity.safetensors"
    save_file(arrays, path)
    (path.parent / "alpha_parity.json").write_text(json.dumps(RECIPE, indent=2) + "\n")
    print(path.name, len(arrays), "arrays", path.stat().st_size, "bytes")
else:
    from safetensors.numpy import load_file
    exact = load_file(FIXTURES / "alpha_parity.safetensors")
    errors = {k: np.linalg.norm(np.float64(v) - exact[k]) / max(np.linalg.norm(np.float64(exact[k])), 1e-30)
              for k, v in arrays.items()}
    for k in parameters:
        exact_move = np.float64(exact[f"end/parameters/{k}"]) - exact[f"start/{k}"]
        move = np.float64(arrays[f"end/parameters/{k}"]) - exact[f"start/{k}"]
        errors[f"move/{k}"] = np.linalg.norm(move - exact_move) / max(np.linalg.norm(exact_move), 1e-30)
    for group in ("move/", "gradient/", "end/parameters", "end/first", "end/second", "end/average", "step", "reconstruction", "codes"):
        worst = max((k for k in errors if k.startswith(group)), key=errors.get)
        print(f"{group:16} {worst:60} {errors[worst]:.2e}")
