"""A sound file to tokens and back, whole and as a stream.

    python3 roundtrip.py MODEL IN.wav OUT.wav

IN.wav is mono, 16 bits, at the model's rate. Prints the codes, a line for each frame.
"""

import array
import sys
import wave

import allophone


def main(model: str, source: str, target: str) -> None:
    codec = allophone.Codec(model)
    form = codec.format
    with wave.open(source) as file:
        if file.getparams()[:3] != (1, 2, form.sample_rate):
            sys.exit(f"{source} is not mono of 16 bits at {form.sample_rate} Hz")
        pcm = array.array("h", file.readframes(file.getnframes()))
    samples = array.array("f", (sample / 32768 for sample in pcm))

    codes = codec.encode(samples)
    # The same as a stream, a few samples at a time, of which a copy goes on where it was made.
    encoder, streamed = codec.encoder(), array.array("Q")
    for start in range(0, len(samples), 333):
        if start == 333 * 5:
            encoder = encoder.clone()
        streamed += encoder.push(samples[start : start + 333])
    streamed += encoder.flush()
    if streamed != codes:
        sys.exit("the stream differs from the whole")

    for frame in range(0, len(codes), form.level_count):
        print(*codes[frame : frame + form.level_count])
    decoded = codec.decode(codes)[: len(samples)]
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, form.sample_rate, len(decoded), "NONE", ""))
        file.writeframes(array.array("h", (round(max(-1, min(1, sample)) * 32767) for sample in decoded)).tobytes())


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except allophone.AllophoneError as error:
        sys.exit(f"error {error.status}: {error}")
