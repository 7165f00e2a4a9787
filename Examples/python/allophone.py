"""Allophone for Python, by ctypes: what include/allophone.h declares, as classes. Needs nothing but Python.

The library is dist/c/liballophone.so, which `make capi` builds, or the file that ALLOPHONE_LIBRARY names.
"""

import array
import ctypes
import os
import pathlib
from ctypes import POINTER, byref, c_char_p, c_float, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

INTERFACE = 1
ENCODE, DECODE, SEARCH = 1, 2, 4
F32, BF16, INT8 = 0, 1, 2

_default = pathlib.Path(__file__).resolve().parents[2] / "dist/c/liballophone.so"
_library = ctypes.CDLL(os.environ.get("ALLOPHONE_LIBRARY", str(_default)))
_library.allophone_error_message.restype = c_char_p
if _library.allophone_interface() != INTERFACE:
    raise ImportError("the library has another interface than this file")


class Format(ctypes.Structure):
    _fields_ = [
        ("sample_rate", c_uint32), ("hop", c_uint32), ("level_count", c_uint32), ("bits_per_frame", c_uint32),
        ("fingerprint", c_uint8 * 32),
    ]


_FLOATS, _CODES = POINTER(c_float), POINTER(c_uint64)
_SIGNATURES = {
    "codec_open": [c_char_p, c_uint32, c_uint32, c_uint32, POINTER(c_void_p)],
    "codec_format": [c_void_p, POINTER(Format)],
    "codec_delay": [c_void_p, POINTER(c_size_t)],
    "encode": [c_void_p, _FLOATS, c_size_t, _CODES, c_size_t, POINTER(c_size_t)],
    "encode_searching": [c_void_p, c_uint32, _FLOATS, c_size_t, _CODES, c_size_t, POINTER(c_size_t)],
    "decode": [c_void_p, _CODES, c_size_t, _FLOATS, c_size_t, POINTER(c_size_t)],
    "encoder_create": [c_void_p, POINTER(c_void_p)],
    "encoder_push": [c_void_p, _FLOATS, c_size_t, _CODES, c_size_t, POINTER(c_size_t)],
    "encoder_flush": [c_void_p, _CODES, c_size_t, POINTER(c_size_t)],
    "encoder_reset": [c_void_p],
    "encoder_clone": [c_void_p, POINTER(c_void_p)],
    "decoder_create": [c_void_p, POINTER(c_void_p)],
    "decoder_push": [c_void_p, _CODES, c_size_t, _FLOATS, c_size_t, POINTER(c_size_t)],
    "decoder_flush": [c_void_p, _FLOATS, c_size_t, POINTER(c_size_t)],
    "decoder_reset": [c_void_p],
    "decoder_clone": [c_void_p, POINTER(c_void_p)],
}
for _name, _types in _SIGNATURES.items():
    getattr(_library, "allophone_" + _name).argtypes = _types
for _name in ("codec_close", "encoder_destroy", "decoder_destroy"):
    getattr(_library, "allophone_" + _name).argtypes = [c_void_p]
    getattr(_library, "allophone_" + _name).restype = None


class AllophoneError(Exception):
    """What went wrong, and `status`, an allophone_status."""

    def __init__(self, status: int):
        super().__init__(_library.allophone_error_message().decode())
        self.status = status


def _call(name: str, *arguments) -> None:
    status = getattr(_library, "allophone_" + name)(*arguments)
    if status:
        raise AllophoneError(status)


def _make(name: str, *arguments) -> c_void_p:
    handle = c_void_p()
    _call(name, *arguments, byref(handle))
    return handle


def _fill(name: str, handle: c_void_p, given, count, kind: str, unit: int, capacity: int, *options) -> array.array:
    """Calls what fills an array of up to `capacity` units; `given` is an array of the input, or None."""
    output = array.array(kind, bytes(array.array(kind).itemsize * unit * capacity))
    pointer = _CODES if kind == "Q" else _FLOATS
    written = c_size_t()
    source = []
    if given is not None:
        wanted = "f" if kind == "Q" else "Q"
        if given.typecode != wanted:
            raise TypeError(f'an array of type "{wanted}" is wanted, not "{given.typecode}"')
        source = [ctypes.cast(given.buffer_info()[0], _FLOATS if given.typecode == "f" else _CODES), count]
    place = ctypes.cast(output.buffer_info()[0], pointer)
    _call(name, handle, *options, *source, place, capacity, byref(written))
    return output[: written.value * unit]


def _frames(form: Format, codes: array.array) -> int:
    frames, rest = divmod(len(codes), form.level_count)
    if rest:
        raise ValueError(f"{len(codes)} codes are no whole frames of {form.level_count}")
    return frames


class Codec:
    """A model at work. Samples are array.array("f"), codes array.array("Q"), all levels of the first frame first."""

    def __init__(self, path: str, use: int = ENCODE | DECODE, precision: int = F32, threads: int = 1):
        self._handle = _make("codec_open", os.fsencode(path), use, precision, threads)
        self.format = Format()
        _call("codec_format", self._handle, byref(self.format))
        delay = c_size_t()
        _call("codec_delay", self._handle, byref(delay))
        self.delay = delay.value  # samples that a stream of tokens sounds late

    def __del__(self):
        if hasattr(self, "_handle"):
            _library.allophone_codec_close(self._handle)

    def encode(self, samples: array.array, paths: int = 0) -> array.array:
        """With `paths`, of a codec for SEARCH, codes are tried out: better ones, found in many times the time."""
        capacity = -(-len(samples) // self.format.hop)
        name, options = ("encode_searching", [paths]) if paths else ("encode", [])
        return _fill(name, self._handle, samples, len(samples), "Q", self.format.level_count, capacity, *options)

    def decode(self, codes: array.array) -> array.array:
        frames = _frames(self.format, codes)
        return _fill("decode", self._handle, codes, frames, "f", 1, frames * self.format.hop)

    def encoder(self) -> "Encoder":
        return Encoder(self.format, _make("encoder_create", self._handle))

    def decoder(self) -> "Decoder":
        return Decoder(self.format, self.delay, _make("decoder_create", self._handle))


class Encoder:
    """A stream of sound."""

    def __init__(self, format: Format, handle: c_void_p):
        self.format, self._handle = format, handle

    def __del__(self):
        _library.allophone_encoder_destroy(self._handle)

    def push(self, samples: array.array) -> array.array:
        """The codes of the frames that the samples complete."""
        capacity = (len(samples) + self.format.hop - 1) // self.format.hop
        return _fill("encoder_push", self._handle, samples, len(samples), "Q", self.format.level_count, capacity)

    def flush(self) -> array.array:
        """The codes of what is left, filled up with silence."""
        return _fill("encoder_flush", self._handle, None, 0, "Q", self.format.level_count, 1)

    def reset(self) -> None:
        _call("encoder_reset", self._handle)

    def clone(self) -> "Encoder":
        return Encoder(self.format, _make("encoder_clone", self._handle))


class Decoder:
    """A stream of tokens."""

    def __init__(self, format: Format, delay: int, handle: c_void_p):
        self.format, self.delay, self._handle = format, delay, handle

    def __del__(self):
        _library.allophone_decoder_destroy(self._handle)

    def push(self, codes: array.array) -> array.array:
        """The samples of the frames, or those of before that a codec with a delay gives now."""
        frames = _frames(self.format, codes)
        return _fill("decoder_push", self._handle, codes, frames, "f", 1, frames * self.format.hop)

    def flush(self) -> array.array:
        """The samples that a codec with a delay has not given yet; it ends the stream."""
        return _fill("decoder_flush", self._handle, None, 0, "f", 1, self.delay)

    def reset(self) -> None:
        _call("decoder_reset", self._handle)

    def clone(self) -> "Decoder":
        return Decoder(self.format, self.delay, _make("decoder_clone", self._handle))
