"""One tone in every container that the reader promises, written by soundfile (libsndfile) and not by Allophone.

0.25 s; channel 0 is 0.5 sin(2 pi 440 t), the other channels are silent. Run from the repository root:
    python Tests/Oracles/audio_containers.py
"""

from pathlib import Path

import numpy as np
import soundfile

OUT = Path("Tests/Fixtures/audio")

CONTAINERS = [
    # name, rate, channels, format, subtype
    ("tone_16k_pcm16.wav", 16000, 1, "WAV", "PCM_16"),
    ("tone_8k_ulaw.wav", 8000, 1, "WAV", "ULAW"),
    ("tone_22k_float_stereo.wav", 22050, 2, "WAV", "FLOAT"),
    ("tone_11k_pcm24.aiff", 11025, 1, "AIFF", "PCM_24"),
    ("tone_44k_stereo.flac", 44100, 2, "FLAC", "PCM_16"),
    ("tone_32k_stereo.ogg", 32000, 2, "OGG", "VORBIS"),
    ("tone_48k.opus", 48000, 1, "OGG", "OPUS"),
    ("tone_22k_stereo.mp3", 22050, 2, "MP3", "MPEG_LAYER_III"),
]

for name, rate, channels, container, subtype in CONTAINERS:
    time = np.arange(rate // 4) / rate
    samples = np.zeros((len(time), channels))
    samples[:, 0] = 0.5 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(OUT / name, samples, rate, format=container, subtype=subtype)
