"""Speech codecs as programs: each makes of a sound what its decoder says, and counts the bits that it took.

Opus comes from Debian's opus-tools, Codec2 from Debian's codec2, Allophone from the program that is measured. A codec that
`is_aligned` gives back every moment at its place; another delays.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr


def run(*command, input: bytes | None = None) -> bytes:
    words = [str(word) for word in command]
    result = subprocess.run(words, input=input, capture_output=True)
    if result.returncode != 0:
        raise SystemExit(f"quality: {' '.join(words)} failed: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout


def load(path: Path, rate: int) -> np.ndarray:
    """f32, mono, at `rate`."""
    samples, original = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), original, rate, "HQ")


@dataclass(frozen=True)
class Original:
    """No codec: what the measures say of the recording itself."""

    name: str = "original"
    is_aligned: bool = True

    def __call__(self, sound: Path, rate: int, folder: Path) -> tuple[np.ndarray, int]:
        return load(sound, rate), 0


@dataclass(frozen=True)
class Allophone:
    program: Path
    model: Path
    search: int = 0
    is_aligned: bool = True

    @property
    def name(self) -> str:
        return f"Allophone, --search {self.search}" if self.search else "Allophone"

    def __call__(self, sound: Path, rate: int, folder: Path) -> tuple[np.ndarray, int]:
        tokens, decoded = folder / "tokens.allo", folder / "decoded.wav"
        options = ["--search", self.search] if self.search else []
        done = json.loads(run(self.program, "encode", sound, tokens, "--model", self.model, "--json", *options))
        run(self.program, "decode", tokens, decoded, "--model", self.model)
        # The bits of the codes as they stand in the file, which has a header and checksums besides.
        return load(decoded, rate), round(done["bitRate"] * done["seconds"])


@dataclass(frozen=True)
class Opus:
    """libopus, told that it is speech, at a bit rate that varies, as it likes best, or is constant, as every other codec's here."""

    kilobits: int
    is_constant: bool
    is_aligned: bool = True

    @property
    def name(self) -> str:
        return f"Opus {self.kilobits} {'CBR' if self.is_constant else 'VBR'}"

    def __call__(self, sound: Path, rate: int, folder: Path) -> tuple[np.ndarray, int]:
        packets, decoded = folder / "packets.opus", folder / "decoded.wav"
        mode = "--hard-cbr" if self.is_constant else "--vbr"
        run("opusenc", "--quiet", "--speech", mode, "--bitrate", self.kilobits, sound, packets)
        run("opusdec", "--quiet", "--rate", rate, packets, decoded)
        return load(decoded, rate), 8 * payload(packets.read_bytes())


def payload(ogg: bytes) -> int:
    """Bytes of the audio packets of an Opus stream, Ogg's own (RFC 3533) and the two header packets (RFC 7845) left out."""
    position, packets, open_packet = 0, [], 0
    while position < len(ogg):
        if ogg[position : position + 4] != b"OggS":
            raise SystemExit("quality: opusenc's output is not Ogg")
        lacing = ogg[position + 27 : position + 27 + ogg[position + 26]]
        for segment in lacing:
            open_packet += segment
            if segment < 255:
                packets.append(open_packet)
                open_packet = 0
        position += 27 + len(lacing) + sum(lacing)
    return sum(packets[2:])


@dataclass(frozen=True)
class Codec2:
    """David Rowe's vocoder at 8 kHz; the highest frequency it can have is 4 kHz."""

    mode: str
    is_aligned: bool = False

    @property
    def name(self) -> str:
        return f"Codec2 {self.mode}"

    def __call__(self, sound: Path, rate: int, folder: Path) -> tuple[np.ndarray, int]:
        narrow = np.clip(load(sound, 8000), -1, 1)
        # Silence behind, or the last frame and the delay would be missing.
        pcm = np.pad(narrow, (0, 1600)) * 32767
        bits = run("c2enc", self.mode, "-", "-", input=pcm.astype("<i2").tobytes())
        decoded = np.frombuffer(run("c2dec", self.mode, "-", "-", input=bits), "<i2").astype(np.float32) / 32768
        # The mode is the rate; c2enc fills a frame's last byte up.
        return soxr.resample(decoded, 8000, rate, "HQ"), round(int(self.mode) * len(narrow) / 8000)
