"""Verifying and extracting a tar as it comes, against md5sum and tar on the same disk.

Run `python -m benchmarks.download [GB]` from the repository root. The tar is like Libri-Light's small.tar: files of
13 MB and a description of 2 kB beside each. Before every command the tar is dropped from the page cache; whatever
writes is timed until the disk has it. Commands take turns, so that a disk that changes its mind changes it for all;
the median counts.
"""

import functools
import http.server
import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scripts.download.config import RetryPolicy
from scripts.download.file import digest_of
from scripts.download.local import LocalFile
from scripts.download.registry import Checksum
from scripts.download.remote import RemoteFile
from scripts.download.state import DownloadState
from scripts.download.tar import fetch_tar

FILE_BYTES, DESCRIPTION_BYTES, ROUNDS = 13_500_000, 2_000, 5


def write_tar(path: Path, gigabytes: float) -> None:
    """Random bytes, as hard to compress as FLAC."""
    rng = np.random.default_rng(0)
    with tarfile.open(path, "w") as archive:
        for i in range(round(gigabytes * 1e9 / FILE_BYTES)):
            for suffix, size in (("flac", FILE_BYTES), ("json", DESCRIPTION_BYTES)):
                entry = tarfile.TarInfo(f"small/{i % 50}/book_{i}/part.{suffix}")
                entry.size = size
                archive.addfile(entry, io.BytesIO(rng.bytes(size)))


def forget(path: Path) -> None:
    """Drop a file from the page cache."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cpu() -> float:
    """Processor seconds of this process and of those it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def seconds(command: Callable[[], object], path: Path, out: Path) -> tuple[float, float]:
    """Time of one command from a cold start until the disk has what it wrote; its processor seconds."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    os.sync()
    forget(path)
    begin, busy = time.perf_counter(), cpu()
    command()
    busy = cpu() - busy
    os.sync()
    return time.perf_counter() - begin, busy


def serve(path: Path) -> str:
    """The tar's URL on loopback."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(path.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/{path.name}"


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory(dir=".", prefix=".benchmark-") as name:
        folder = Path(name).absolute()
        path, out = folder / "small.tar", folder / "out"
        write_tar(path, gigabytes)
        checksum = Checksum("md5", digest_of(path, "md5"))
        url = serve(path)

        def plain(*command: str | Path) -> Callable[[], object]:
            return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

        def shell(command: str) -> Callable[[], object]:
            return lambda: subprocess.run(["bash", "-c", command], check=True, stdout=subprocess.DEVNULL)

        def ours(source: Callable[[], LocalFile | RemoteFile]) -> None:
            fetch_tar(source(), out / "data", DownloadState(out, "small"), lambda needed: None, "small")

        def remote() -> RemoteFile:
            return RemoteFile("small", [url], None, checksum, RetryPolicy(3, 1, 10, 0))

        commands = {
            "cat": plain("cat", path),
            "md5sum": plain("md5sum", path),
            "verify (ours)": lambda: digest_of(path, checksum.algorithm),
            "tar -x": plain("tar", "-x", "-f", path, "-C", out),
            "md5sum, then tar -x": shell(f"md5sum {path} && tar -x -f {path} -C {out}"),
            "tee >(md5sum) | tar -x": shell(f"cat {path} | tee >(md5sum) | tar -x -C {out}"),
            "verify + extract (ours)": lambda: ours(lambda: LocalFile(path, checksum)),
            "the same over HTTP": lambda: ours(remote),
        }
        times: dict[str, list[tuple[float, float]]] = {label: [] for label in commands}
        for _ in range(ROUNDS):
            for label, command in commands.items():
                times[label].append(seconds(command, path, out))
        size = path.stat().st_size
        print(f"a tar of {size / 1e9:.2f} GB, {os.cpu_count()} cores")
        print(f"{'':<26} {'seconds':>8} {'min':>7} {'max':>7} {'MB/s':>7} {'CPU s':>7}")
        for label, taken in times.items():
            walls, busy = zip(*taken, strict=True)
            middle = statistics.median(walls)
            row = f"{label:<26} {middle:>8.2f} {min(walls):>7.2f} {max(walls):>7.2f} {size / 1e6 / middle:>7.0f}"
            print(f"{row} {statistics.median(busy):>7.2f}")


if __name__ == "__main__":
    main()
