#!/usr/bin/env python3
"""The peer of `make bench-sources`: writes a dataset as Parquet and as WebDataset shards into FOLDER, then reads the one whose
name comes on a line of stdin, and answers with JSON: {"seconds", "bytes"}; for Parquet also "arrays", the seconds for Arrow's
arrays alone, without the Python objects that a training loop needs.

usage: sources.py FOLDER
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import webdataset

# Ten seconds of FLAC is about as much; its bytes do not compress, as these do not.
COUNT, SIZE = 1000, 200_000


def write(folder: Path) -> None:
    generator = random.Random(1)
    sounds = [generator.randbytes(SIZE + generator.randrange(-50_000, 50_000)) for _ in range(COUNT)]
    texts = [f"a sentence of the usual length, number {index}" for index in range(COUNT)]
    audio = pa.array([{"bytes": sound, "path": f"{index}.flac"} for index, sound in enumerate(sounds)])
    pq.write_table(pa.table({"audio": audio, "text": texts}), folder / "table.parquet", row_group_size=100)
    for shard in range(4):
        with webdataset.TarWriter(str(folder / f"shard-{shard:04}.tar")) as writer:
            for index in range(shard, COUNT, 4):
                writer.write({"__key__": f"{index:06}", "flac": sounds[index], "txt": texts[index]})


def parquet(folder: Path) -> dict:
    count, start = 0, time.perf_counter()
    for batch in pq.ParquetFile(folder / "table.parquet").iter_batches(batch_size=16, columns=["audio", "text"]):
        for row in batch.to_pylist():
            count += len(row["audio"]["bytes"]) + len(row["text"].encode())
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for batch in pq.ParquetFile(folder / "table.parquet").iter_batches(batch_size=16, columns=["audio", "text"]):
        assert batch.num_rows > 0
    return {"seconds": seconds, "bytes": count, "arrays": time.perf_counter() - start}


def shards(folder: Path) -> dict:
    count, start = 0, time.perf_counter()
    for item in webdataset.WebDataset(str(folder / "shard-{0000..0003}.tar"), shardshuffle=False, empty_check=False):
        count += len(item["flac"]) + len(item["txt"])
    return {"seconds": time.perf_counter() - start, "bytes": count}


def main() -> None:
    folder = Path(sys.argv[1])
    write(folder)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"parquet": parquet, "webdataset": shards}[line.strip()](folder)), flush=True)


if __name__ == "__main__":
    main()
