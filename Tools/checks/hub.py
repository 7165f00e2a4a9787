#!/usr/bin/env python3
"""Holds the program to sharing the Hub's cache with Python's `huggingface_hub`, over HTTP and HTTPS.

A server on this machine plays the Hub with a small dataset of the fixtures. What `allophone data inspect` fetched, Python must
find without a network, and what Python fetched, the program. The HTTPS server's certificate is signed by an authority that is
made for the occasion: with it the program reads, and without it must refuse.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATASET = ROOT / "Tests/Fixtures/datasets/audiofolder-jsonl"
COMMIT = "c0ffee00" * 5
REPOSITORY = "someone/sounds"


class Hub(http.server.BaseHTTPRequestHandler):
    files = {str(path.relative_to(DATASET)): path.read_bytes() for path in sorted(DATASET.rglob("*")) if path.is_file()}
    gets: list[str] = []

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, has_body: bool) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        headers = {"X-Repo-Commit": COMMIT}
        if path.startswith(f"/api/datasets/{REPOSITORY}/revision/"):
            siblings = [{"rfilename": name} for name in self.files]
            body = json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}).encode()
        elif path.startswith(f"/api/datasets/{REPOSITORY}/tree/"):
            body = json.dumps([self.entry(name) for name in self.files]).encode()
        elif (name := path.partition("/resolve/")[2].partition("/")[2]) in self.files:
            body = self.files[name]
            entry = self.entry(name)
            headers["ETag"] = f'"{entry["oid"]}"'
            if "lfs" in entry:
                headers |= {"X-Linked-Etag": f'"{entry["lfs"]["oid"]}"', "X-Linked-Size": str(len(body))}
            if has_body:
                self.gets.append(name)
        else:
            self.send_error(404)
            return
        self.send_response(200)
        for field in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(*field)
        self.end_headers()
        if has_body:
            self.wfile.write(body)

    def entry(self, name: str) -> dict:
        data = self.files[name]
        entry = {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
        if not name.endswith(".jsonl"):
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return entry

    def log_message(self, *_: object) -> None:
        pass


def serve(context: ssl.SSLContext | None = None) -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"


def certificates(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context, and the authority that vouches for it."""
    key, authority = folder / "key.pem", folder / "authority.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", authority], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    return context, authority


def inspect(program: Path, **environment: str | Path) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "SSL_", "CURL_", "REQUESTS_"))}
    return subprocess.run(
        [program, "data", "inspect", f"hf://datasets/{REPOSITORY}", "--json"], capture_output=True, text=True,
        env=kept | {name: str(value) for name, value in environment.items()})


def holds(what: str, condition: bool, detail: object = "") -> None:
    print(f"{'ok  ' if condition else 'FAIL'} {what}", flush=True)
    if not condition:
        raise SystemExit(f"{what}: {detail}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/allophone")
    program = parser.parse_args().program
    url = serve()
    os.environ |= {"HF_ENDPOINT": url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    os.environ.pop("HF_TOKEN", None)
    from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        home, other = folder / "home", folder / "other"

        fetched = inspect(program, HF_ENDPOINT=url, HF_HOME=home)
        holds("allophone reads the dataset", fetched.returncode == 0, fetched.stderr)
        for name, data in Hub.files.items():
            found = try_to_load_from_cache(REPOSITORY, name, cache_dir=home / "hub", repo_type="dataset")
            holds(f"try_to_load_from_cache finds {name}", isinstance(found, str) and Path(found).read_bytes() == data, found)
        scanned = scan_cache_dir(home / "hub")
        (repository,) = scanned.repos
        (revision,) = repository.revisions
        holds("scan_cache_dir has no warnings", not scanned.warnings, scanned.warnings)
        holds(
            "scan_cache_dir sees the repository, its revision and every file",
            (repository.repo_id, repository.repo_type, revision.commit_hash, set(revision.refs)) ==
            (REPOSITORY, "dataset", COMMIT, {"main"}) and len(revision.files) == len(Hub.files), scanned)
        Hub.gets.clear()
        path = snapshot_download(REPOSITORY, repo_type="dataset", cache_dir=home / "hub", local_files_only=True)
        holds("snapshot_download needs no network", Path(path).name == COMMIT and not Hub.gets, path)
        snapshot_download(REPOSITORY, repo_type="dataset", cache_dir=home / "hub")
        holds("snapshot_download fetches nothing anew", not Hub.gets, Hub.gets)

        snapshot_download(REPOSITORY, repo_type="dataset", cache_dir=other / "hub")
        Hub.gets.clear()
        offline = inspect(program, HF_HUB_OFFLINE="1", HF_HOME=other)
        holds("allophone reads what Python fetched, offline", offline.stdout == fetched.stdout and fetched.stdout, offline.stderr)
        online = inspect(program, HF_ENDPOINT=url, HF_HOME=other)
        holds("allophone fetches nothing anew", online.returncode == 0 and not Hub.gets, Hub.gets)

        context, authority = certificates(folder)
        secure = serve(context)
        for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]:
            shutil.rmtree(home)
            read = inspect(program, HF_ENDPOINT=secure, HF_HOME=home, **{variable: authority})
            holds(f"https, by the authority of {variable}", read.stdout == fetched.stdout, read.stderr)
        shutil.rmtree(home)
        refused = inspect(program, HF_ENDPOINT=secure, HF_HOME=home)
        holds("https without it is refused", refused.returncode == 66 and "certificate" in refused.stderr, refused.stderr)


if __name__ == "__main__":
    main()
