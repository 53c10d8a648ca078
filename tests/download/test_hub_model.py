"""Models from a hub: what is downloaded, what is said, and what happens without a network, a model or a licence."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts.common.files import read_json
from scripts.download.hub_model import needed

COMMIT = "5f" * 20
FILES = {
    "config.json": b'{"model_type": "hubert"}',
    "README.md": b"---\nlicense: apache-2.0\n---\n# A model\n",
    "model.safetensors": b"w" * 5000,
    "model.fp16.safetensors": b"v" * 2500,
    "pytorch_model.bin": b"x" * 7000,
    "original/consolidated.00.pth": b"y" * 9000,
}


class Hub:
    """A hub of one model, `lab/hubert`, with another that is gated, `lab/gated`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    def start(self) -> ThreadingHTTPServer:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, body: bool) -> None:
                path = self.path.split("?")[0]
                hub.asked.append(f"{self.command} {path}")
                status, headers, content = hub.find(path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if body:
                    self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def find(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer."""
        kind, _, rest = path.removeprefix("/").partition("/")
        if kind == "api" and rest.startswith("models/lab/hubert/tree"):
            tree = [{"type": "file", "path": name, "size": len(file), "oid": "0" * 40} for name, file in FILES.items()]
            return 200, {"Content-Type": "application/json"}, json.dumps(tree).encode()
        if kind == "api" and rest.startswith("models/lab/hubert"):
            siblings = [{"rfilename": name, "size": len(content)} for name, content in FILES.items()]
            about = {"id": "lab/hubert", "sha": COMMIT, "siblings": siblings, "cardData": {"license": "apache-2.0"}}
            return 200, {"Content-Type": "application/json"}, json.dumps(about).encode()
        if path.startswith("/lab/hubert/resolve/"):
            name = path.split("/", 5)[5]
            if name in FILES:
                return 200, {"X-Repo-Commit": COMMIT, "ETag": f'"{name}-1"'}, FILES[name]
            return 404, {"X-Repo-Commit": COMMIT, "X-Error-Code": "EntryNotFound"}, b""
        if "lab/gated" in path:
            return 403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}, b""
        return 404, {"X-Error-Code": "RepoNotFound"}, b""


@pytest.fixture
def hub() -> Iterator[Hub]:
    served = Hub()
    http = served.start()
    served.url = f"http://127.0.0.1:{http.server_port}"
    yield served
    http.shutdown()
    http.server_close()


def fetch(folder: Path, endpoint: str, model: str = "lab/hubert", spare_gb: float = 0) -> tuple[int, str]:
    """Exit status and what the step printed; its cache is in the folder."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(folder / "cache"),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.download.hub_model", "--model", model),
            *("--spare-gb", str(spare_gb), "--done", str(folder / "done.json")),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_what_transformers_loads_is_needed():
    sizes = dict.fromkeys(FILES, 1)
    assert needed(sizes) == ["README.md", "config.json", "model.safetensors"]
    del sizes["model.safetensors"]
    assert needed(sizes) == ["README.md", "config.json", "pytorch_model.bin"]
    shards = [f"model-0000{part}-of-00002.safetensors" for part in (1, 2)]
    assert needed({**dict.fromkeys(shards, 1), **sizes}) == ["README.md", "config.json", *shards]


def test_a_model_is_downloaded_once_and_found_without_a_network(tmp_path, hub):
    status, said = fetch(tmp_path, hub.url)
    assert status == 0, said
    assert "download/lab/hubert: 0.000 GB in 3 files, licence apache-2.0" in said
    record = read_json(tmp_path / "done.json")
    assert record == {
        "model": "lab/hubert",
        "commit": COMMIT,
        "licence": "apache-2.0",
        "bytes": sum(len(FILES[name]) for name in record["files"]),
        "files": ["README.md", "config.json", "model.safetensors"],
    }
    got = [asked for asked in hub.asked if asked.startswith("GET /lab")]
    assert len(got) == 3, got

    (tmp_path / "done.json").unlink()
    status, said = fetch(tmp_path, "http://127.0.0.1:9")  # nothing listens there
    assert status == 0, said
    assert f"the hub cannot be reached; commit {COMMIT} is in the cache" in said
    assert read_json(tmp_path / "done.json") == record

    snapshot = tmp_path / f"cache/hub/models--lab--hubert/snapshots/{COMMIT}"
    (snapshot / "model.safetensors").rename(tmp_path / "aside")
    (tmp_path / "done.json").unlink()
    status, said = fetch(tmp_path, "http://127.0.0.1:9")
    assert status != 0
    assert "lacks the model or a part of it" in said

    load = "from transformers import AutoConfig; print(AutoConfig.from_pretrained('lab/hubert').model_type)"
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", load], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "hubert", done.stderr[-500:]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("lab/gated", "lab/gated: gated; accept its licence on "),
        ("lab/none", "lab/none: no file or folder of this name is here, and "),
        ("lab/a--b", "lab/a--b: no file or folder of this name is here, and "),
    ],
)
def test_a_model_that_cannot_be_had_is_one_line(tmp_path, hub, model, says):
    status, said = fetch(tmp_path, hub.url, model)
    assert status != 0
    assert says in said
    assert not (tmp_path / "done.json").exists()


def test_a_full_disk_is_said_before_the_first_byte(tmp_path, hub):
    status, said = fetch(tmp_path, hub.url, spare_gb=1e9)
    assert status != 0
    assert "download/lab/hubert: 0.000 GB are to come and 1e+09 GB stay free" in said
    assert not [asked for asked in hub.asked if asked.startswith("GET /lab")]


def test_without_network_and_cache_it_says_where_to_run(tmp_path):
    status, said = fetch(tmp_path, "http://127.0.0.1:9")
    assert status != 0
    assert "cannot be reached" in said
    assert "run `snakemake prefetch` where there is a network" in said
