"""The server, archives to serve, and a job that fetches from it."""

import gzip
import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.download.config import RetryPolicy
from scripts.download.fetch import Job
from scripts.download.registry import Checksum, Dataset
from scripts.download.state import DownloadState
from tests.download.server import Server

FAST_RETRY = RetryPolicy(attempts=4, longest_wait=0.02, timeout=0.4, slowest=1000)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs none, whatever the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    http = served.start()
    yield served
    http.shutdown()
    http.server_close()


@pytest.fixture
def contents() -> dict[str, bytes]:
    """Files of an archive: large, small, empty, one block long, and with a name longer than tar's header holds."""
    noise = random.Random(1)
    sizes = {"big.flac": 700_000, "a.json": 37, "empty.json": 0, "block.bin": 512, f"{'long' * 40}.flac": 90_000}
    return {f"small/{i}/{name}": noise.randbytes(size) for i in (100, 12) for name, size in sizes.items()}


def tar_of(contents: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        top = tarfile.TarInfo("small")
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def tar_gz_of(contents: dict[str, bytes]) -> bytes:
    """The same every time: gzip's header holds no time."""
    return gzip.compress(tar_of(contents), 1, mtime=0)


def zip_of(contents: dict[str, bytes]) -> bytes:
    """The bytes do not depend on the time: ZipInfo has a fixed date."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i, (name, content) in enumerate(contents.items()):
            compression = zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
        archive.writestr(zipfile.ZipInfo("small/void/"), b"")
        archive.writestr(zipfile.ZipInfo("__MACOSX/small/._a.json"), b"notes")
    return out.getvalue()


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


Make = Callable[..., Job]


@pytest.fixture
def job(server: Server, tmp_path: Path) -> Make:
    """A job for /x, served as `content`; keyword arguments replace fields of the dataset."""

    def make(content: bytes, kind: str = "file", published: bool = True, **changes: object) -> Job:
        server.files.setdefault("/x", content)
        fields: dict[str, object] = {
            "name": "thing",
            "urls": (f"{server.base}/x",),
            "list_urls": (),
            "path": "x",
            "file": f"x.{ {'file': 'bin'}.get(kind, kind) }",
            "kind": kind,
            "to": "things",
            "bytes": None,
            "about_bytes": len(content),
            "unpacked": 1.0,
            "checksum": Checksum("md5", hashlib.md5(content).hexdigest()) if published else None,
            "page": "https://example.org/thing",
        }
        dataset = Dataset(**{**fields, **changes})
        folder = tmp_path / "data"
        return Job(dataset, folder, DownloadState(folder, dataset.name), (), FAST_RETRY, 0.0)

    return make
