"""EnCodec at 24 kHz (Défossez et al., 2022, arXiv:2210.13438) and Mimi (arXiv:2410.00037) as `transformers` has them.

Their weights are random: the time of a codec does not depend on what it has learnt, and nothing is downloaded.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

# PyPI's torchaudio, which oracles have here, is built for CUDA and does not load beside PyTorch for the CPU; without it transformers does
# what these models need.
sys.modules.setdefault("torchaudio", None)

import transformers  # noqa: E402


class PublishedCodec:
    """Times a codec on [1, N, 1] at 24 kHz."""

    #: What one run of `stream` is: samples, and what of it is left out.
    frame: int
    note: str

    def __init__(self, model, threads: int):
        torch.set_num_threads(threads)
        self.model = model.eval()

    @property
    def description(self) -> str:
        return f"{type(self.model).__name__} of transformers {transformers.__version__}"

    @property
    def facts(self) -> dict:
        """What a table says beside the times."""
        weights = sum(parameter.numel() for parameter in self.model.parameters()) * 4
        return {"frameSeconds": self.frame / 24_000, "weightMB": weights / 1e6, "note": self.note}

    def time_inference(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        x = torch.from_numpy(clip).mT.contiguous()
        with torch.inference_mode():
            return times(lambda: self.encode(x), self.decode, repeat)

    def time_stream(self, clip: np.ndarray, repeat: int) -> dict[str, list[float]]:
        frames = [frame for frame in torch.from_numpy(clip).mT.contiguous().split(self.frame, dim=-1) if frame.shape[-1] == self.frame]
        self.reset()
        places = iter(range(repeat))
        with torch.inference_mode():
            return times(lambda: self.encode_frame(frames[next(places) % len(frames)]), self.decode_frame, repeat)

    def reset(self) -> None:
        pass


def times(encode, decode, repeat: int) -> dict[str, list[float]]:
    encoder, decoder = [], []
    for _ in range(repeat):
        start = time.perf_counter()
        codes = encode()
        middle = time.perf_counter()
        decode(codes)
        end = time.perf_counter()
        encoder.append(middle - start)
        decoder.append(end - middle)
    return {"seconds": [sum(pair) for pair in zip(encoder, decoder)], "encoder": encoder, "decoder": decoder}


class EnCodec(PublishedCodec):
    frame = 320
    note = "carries no state from chunk to chunk: the time of a frame of 13.3 ms alone, without its past"

    def __init__(self, threads: int):
        super().__init__(transformers.EncodecModel(transformers.EncodecConfig()), threads)

    def encode(self, x):
        # 75 frames a second, 2 codebooks of 1024: 1.5 kbit/s.
        return self.model.encode(x, bandwidth=1.5)

    def decode(self, encoded):
        return self.model.decode(encoded.audio_codes, encoded.audio_scales)

    encode_frame, decode_frame = encode, decode


class Mimi(PublishedCodec):
    frame = 1920
    note = "the encoder carries all its state, the decoder its transformer's alone"
    codebooks = 8  # 1.1 kbit/s

    def __init__(self, threads: int):
        super().__init__(transformers.MimiModel(transformers.MimiConfig()), threads)

    def encode(self, x):
        return self.model.encode(x, num_quantizers=self.codebooks)

    def decode(self, encoded):
        return self.model.decode(encoded.audio_codes)

    def reset(self) -> None:
        self.encoded = self.decoded = None

    def encode_frame(self, x):
        past = {}
        if self.encoded is not None:
            past = {"encoder_cache": self.encoded.encoder_cache, "padding_cache": self.encoded.padding_cache}
        self.encoded = self.model.encode(x, num_quantizers=self.codebooks, use_streaming=True, **past)
        return self.encoded

    def decode_frame(self, encoded):
        past = {} if self.decoded is None else {"decoder_cache": self.decoded.decoder_cache}
        self.decoded = self.model.decode(encoded.audio_codes, use_cache=True, **past)
        return self.decoded
