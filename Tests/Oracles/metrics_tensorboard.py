"""An event file written with TensorBoard's own protocol buffers and record writer, byte for byte what ours must be.

Needs the packages tensorboard and pillow. Run from the repository root:
    python Tests/Oracles/metrics_tensorboard.py
Given a folder of event files, prints instead what TensorBoard's reader finds in it.
"""

import base64
import io
import json
import struct
import sys
import wave

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

if len(sys.argv) > 1:
    events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "audio": 0, "images": 0})
    events.Reload()
    for tag in events.Tags()["scalars"]:
        print(tag, [(event.step, event.value) for event in events.Scalars(tag)])
    for tag in events.Tags()["audio"]:
        print(tag, [(event.step, event.sample_rate, event.length_frames, event.content_type) for event in events.Audio(tag)])
    for tag in events.Tags()["images"]:
        print(tag, [(event.step, event.width, event.height) for event in events.Images(tag)])
    sys.exit()

TIME = 1767225600.25
samples = [0.0, 0.5, -0.5, 1.0, -1.0]

wav = io.BytesIO()
with wave.open(wav, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(24000)
    file.writeframes(b"".join(struct.pack("<h", min(32767, round(s * 32768))) for s in samples))

png = io.BytesIO()
Image.new("RGB", (7, 3), (250, 100, 10)).save(png, "PNG")

Value = summary_pb2.Summary.Value
events = [
    event_pb2.Event(file_version="brain.Event:2"),
    event_pb2.Event(step=301, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
    event_pb2.Event(step=0, summary=summary_pb2.Summary(value=[Value(tag="loss", simple_value=0.0)])),
    event_pb2.Event(
        step=1234567, summary=summary_pb2.Summary(value=[
            Value(tag="loss/größe", simple_value=float("nan")), Value(tag="rate", simple_value=1e-4)])),
    event_pb2.Event(
        step=302, summary=summary_pb2.Summary(value=[Value(tag="clip", audio=summary_pb2.Summary.Audio(
            sample_rate=24000, num_channels=1, length_frames=len(samples), encoded_audio_string=wav.getvalue(),
            content_type="audio/wav"))])),
    event_pb2.Event(
        step=303, summary=summary_pb2.Summary(value=[Value(tag="picture", image=summary_pb2.Summary.Image(
            height=3, width=7, colorspace=3, encoded_image_string=png.getvalue()))])),
]
output = io.BytesIO()
output.close = lambda: None
writer = RecordWriter(output)
for event in events:
    event.wall_time = TIME
    writer.write(event.SerializeToString())
writer.flush()

with open("Tests/Fixtures/metrics/tensorboard.json", "w") as file:
    json.dump(
        {"time": TIME, "samples": samples, "png": base64.b64encode(png.getvalue()).decode(),
         "events": base64.b64encode(output.getvalue()).decode()}, file, indent=1)
