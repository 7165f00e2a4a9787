"""The discriminators and adversarial losses that other projects published, imported from their PyPI packages.

Only the modules that are wanted are loaded: the packages themselves import all of what their models need, from video readers to
experiment managers. torchaudio's compiled part is built for one CUDA version, and nothing of it is used.
"""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

import torch

extension = types.ModuleType("torchaudio._extension")
extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
extension.fail_if_no_align = lambda function: function
sys.modules["torchaudio._extension"] = extension


def without_init(package: str) -> None:
    """Makes `package` importable without running its __init__."""
    spec = importlib.util.find_spec(package)
    module = types.ModuleType(package)
    module.__path__ = [str(Path(spec.origin).parent)]
    sys.modules[package] = module


for name in ("encodec", "dac", "audiotools", "audiotools.ml", "audiocraft"):
    parent, _, child = name.rpartition(".")
    without_init(name)
    if parent:
        setattr(sys.modules[parent], child, sys.modules[name])
# dac's discriminator derives from a class that saves and loads models; here it is only called.
sys.modules["audiotools.ml"].BaseModel = torch.nn.Module
core = importlib.import_module("audiotools.core.audio_signal")
sys.modules["audiotools"].AudioSignal = core.AudioSignal
sys.modules["audiotools"].STFTParams = core.STFTParams

# dac.model and dac.nn import the whole codec; their folders are enough.
for name in ("dac.model", "dac.nn", "audiocraft.adversarial", "audiocraft.losses"):
    module = types.ModuleType(name)
    parent, _, child = name.rpartition(".")
    module.__path__ = [str(Path(sys.modules[parent].__path__[0]) / child)]
    sys.modules[name] = module

dac_discriminators = importlib.import_module("dac.model.discriminator")
dac_losses = importlib.import_module("dac.nn.loss")
encodec_discriminators = importlib.import_module("encodec.msstftd")
audiocraft_losses = importlib.import_module("audiocraft.adversarial.losses")
audiocraft_balancer = importlib.import_module("audiocraft.losses.balancer")
