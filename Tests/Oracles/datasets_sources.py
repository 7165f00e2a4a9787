#!/usr/bin/env python3
"""Writes Tests/Fixtures/datasets: one small dataset in every layout that is read, each by the library that owns the layout.

    audiofolder-*/   what Hugging Face's `datasets` reads as an audiofolder, in the three forms of its metadata
    parquet/         `Dataset.to_parquet` with embedded sounds, two row groups; and pyarrow with other column types
    webdataset/      `webdataset.ShardWriter`: plain, gzip; `zstd` of the same; tarfile in ustar, pax and GNU form
    expected.json    what `datasets` and `webdataset` read back: keys, SHA-256 of the encoded sound, text, speaker, split

The sounds are tones of a tenth of a second: nobody's voice, and small.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import sys
import tarfile
from pathlib import Path
from unittest import mock

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import webdataset

# `datasets` imports what encodes arrays before it looks at a path, and no array is encoded here.
for module in ("torchcodec", "torchcodec.encoders"):
    sys.modules.setdefault(module, mock.MagicMock())

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "datasets"
RATE = 8000
CLIPS = [
    {"name": f"clip{index}", "text": text, "speaker_id": speaker, "duration": 0.1, "language": language}
    for index, (text, speaker, language) in enumerate(
        [
            ("one, \"two\"", 7, "en"),
            ("zwei\nZeilen", 7, "de"),
            ("три", 12, "ru"),
            ("quatre", 12, "fr"),
            ("五 \U0001F600", 3, "zh"),
        ]
    )
]


def tone(index: int) -> bytes:
    time = np.arange(RATE // 10) / RATE
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * (200 + 50 * index) * time), RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


SOUNDS = [tone(index) for index in range(len(CLIPS))]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def split_of(index: int) -> str:
    return "test" if index == 4 else "train"


def audiofolder(kind: str) -> None:
    root = FOLDER / f"audiofolder-{kind}"
    for split in ("train", "test"):
        rows = []
        for index, clip in enumerate(CLIPS):
            if split_of(index) != split:
                continue
            path = f"deep/{clip['name']}.flac" if index % 2 else f"{clip['name']}.flac"
            (root / split / path).parent.mkdir(parents=True, exist_ok=True)
            (root / split / path).write_bytes(SOUNDS[index])
            rows.append({"file_name": path} | {name: value for name, value in clip.items() if name != "name"})
        table = pa.Table.from_pylist(rows)
        if kind == "csv":
            table.to_pandas().to_csv(root / split / "metadata.csv", index=False)
        elif kind == "jsonl":
            table.to_pandas().to_json(root / split / "metadata.jsonl", orient="records", lines=True)
        else:
            pq.write_table(table, root / split / "metadata.parquet")


def dataset(indices: list[int]) -> datasets.Dataset:
    rows = {name: [CLIPS[index][name] for index in indices] for name in ("text", "speaker_id", "duration", "language")}
    rows["audio"] = [{"bytes": SOUNDS[index], "path": f"{CLIPS[index]['name']}.flac"} for index in indices]
    return datasets.Dataset.from_dict(rows).cast_column("audio", datasets.Audio(decode=False))


def parquet() -> None:
    folder = FOLDER / "parquet" / "data"
    folder.mkdir(parents=True)
    dataset([0, 1, 2, 3]).to_parquet(folder / "train-00000-of-00001.parquet", batch_size=2)
    dataset([4]).to_parquet(folder / "test-00000-of-00001.parquet")
    # Other writers: plain bytes, large strings, a dictionary, an unknown column, nulls, and no compression.
    table = pa.table(
        {
            "nested": pa.array([[{"a": 1}], [], None, [], []]),
            "audio": pa.array([*SOUNDS[:3], None, b""], pa.large_binary()),
            "sentence": pa.array([clip["text"] for clip in CLIPS], pa.large_string()),
            "client_id": pa.array(["x", "y", None, "y", "x"]).dictionary_encode(),
            "duration": pa.array([0.1, None, 0.1, 0.1, 0.1], pa.float32()),
        }
    )
    pq.write_table(table, FOLDER / "parquet" / "other.parquet", row_group_size=3, compression="none")
    pq.write_table(table.drop(["audio"]), FOLDER / "parquet" / "no-audio.parquet")


def members(indices: list[int]) -> list[dict]:
    return [
        {
            "__key__": CLIPS[index]["name"],
            "flac": SOUNDS[index],
            "json": {name: value for name, value in CLIPS[index].items() if name not in ("name", "text")},
            "txt": CLIPS[index]["text"],
        }
        for index in indices
    ]


def archive(path: Path, form: int) -> None:
    """The tar formats differ in how they write what a header has no room for: a long name, and one that is not ASCII."""
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in (
            (f"{'long-' * 24}name/clip0.flac", SOUNDS[0]),
            (f"{'long-' * 24}name/clip0.txt", CLIPS[0]["text"].encode()),
            ("речь/clip2.flac", SOUNDS[2]),
            ("речь/clip2.txt", CLIPS[2]["text"].encode()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def shards() -> None:
    folder = FOLDER / "webdataset"
    folder.mkdir(parents=True)
    for shard, indices in (("000000", [0, 1]), ("000001", [2, 3])):
        with webdataset.TarWriter(str(folder / f"train-{shard}.tar"), mtime=0) as writer:
            for member in members(indices):
                writer.write(member)
    with webdataset.TarWriter(str(folder / "test-000000.tar.gz"), mtime=0, compress=True) as writer:
        for member in members([4]):
            writer.write(member)
    # The header of gzip holds the time at which it was written; the fixture is to be the same every time.
    packed = folder / "test-000000.tar.gz"
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()), mtime=0))
    plain = (folder / "train-000000.tar").read_bytes()
    (FOLDER / "archives").mkdir()
    (FOLDER / "archives" / "compressed.tar.zst").write_bytes(pa.compress(plain, "zstd", asbytes=True))
    for name, form in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        archive(FOLDER / "archives" / f"{name}.tar", form)


def expected() -> dict:
    """What the libraries read: Hugging Face's for folders and tables, webdataset for shards."""
    result = {}
    for name in ("audiofolder-csv", "audiofolder-jsonl", "audiofolder-parquet", "parquet"):
        builder = "audiofolder" if name.startswith("audiofolder") else "parquet"
        source = {"data_dir": str(FOLDER / name)} if builder == "audiofolder" else {
            "data_files": {split: str(FOLDER / name / "data" / f"{split}-*.parquet") for split in ("train", "test")}
        }
        loaded = datasets.load_dataset(builder, **source, cache_dir="/tmp/allophone-oracle-cache")
        result[name] = [
            row(split, item["audio"], item["text"], item["speaker_id"], item["language"], item["duration"])
            for split, items in loaded.items()
            for item in items.cast_column("audio", datasets.Audio(decode=False))
        ]
    result["webdataset"] = []
    for split, pattern in (("train", "train-{000000..000001}.tar"), ("test", "test-000000.tar.gz")):
        for item in webdataset.WebDataset(str(FOLDER / "webdataset" / pattern), shardshuffle=False):
            known = json.loads(item["json"])
            result["webdataset"].append(
                row(split, {"bytes": item["flac"]}, item["txt"].decode(), known["speaker_id"], known["language"], known["duration"])
                | {"key": item["__key__"]}
            )
    return result


def row(split: str, audio: dict, text: str, speaker: int, language: str, seconds: float) -> dict:
    data = audio["bytes"] or Path(audio["path"]).read_bytes()
    return {
        "split": str(split), "sha256": digest(data), "text": text, "speaker": str(speaker), "language": language, "seconds": seconds,
    }


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.rmtree("/tmp/allophone-oracle-cache", ignore_errors=True)
    for kind in ("csv", "jsonl", "parquet"):
        audiofolder(kind)
    parquet()
    shards()
    (FOLDER / "expected.json").write_text(json.dumps(expected(), ensure_ascii=False, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
