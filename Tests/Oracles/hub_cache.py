#!/usr/bin/env python3
"""Writes Tests/Fixtures/hub_cache.json: the cache that Python's `huggingface_hub` makes of two files, path by path.

A server on this machine plays the Hub, for the same files as `HubTests` serves: a small one that Git keeps, and one in large
file storage. Values are `-> TARGET` for links, the SHA-256 of other files, and "" for locks.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import tempfile
import threading
import urllib.parse
from pathlib import Path

FIXTURE = Path(__file__).resolve().parent.parent / "Fixtures" / "hub_cache.json"
COMMIT = "c0ffee00" * 5
FILES = {
    "README.md": (b"# Sounds\n", False),
    "data/über 1.bin": (bytes((index * 2_654_435_761 >> 13) & 255 for index in range(300_000)), True),
}


class Hub(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, has_body: bool) -> None:
        path = urllib.parse.unquote(self.path)
        name = path.partition("/resolve/")[2].partition("/")[2]
        if name not in FILES:
            self.send_error(404)
            return
        data, is_large = FILES[name]
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{git}"')
        if is_large:
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if has_body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HF_HUB_DISABLE_XET"] = "1"
        from huggingface_hub import hf_hub_download

        for name in FILES:
            hf_hub_download(
                "someone/sounds", name, repo_type="dataset", cache_dir=cache, endpoint=f"http://127.0.0.1:{server.server_port}")
        layout = {}
        for folder, folders, names in os.walk(cache):
            for name in names:
                # Tells backup programs to pass by; whoever makes the cache first may or may not write it.
                if name == "CACHEDIR.TAG":
                    continue
                path = Path(folder) / name
                key = str(path.relative_to(cache))
                if path.is_symlink():
                    layout[key] = f"-> {os.readlink(path)}"
                else:
                    layout[key] = "" if name.endswith(".lock") else hashlib.sha256(path.read_bytes()).hexdigest()
    FIXTURE.write_text(json.dumps(layout, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
