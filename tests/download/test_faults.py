"""Every server fault ends in a correct file or in one clear error, and a partial file is never accepted."""

import gzip
import hashlib
import random
import time
from pathlib import Path

import pytest

from scripts.download.fetch import Job, ensure_complete
from scripts.download.paths import part_path
from scripts.download.registry import Checksum
from scripts.download.remote import RemoteFile
from tests.download import server as faults
from tests.download.conftest import FAST_RETRY, Make, read_files, tar_of, zip_of
from tests.download.server import Server

CONTENT = random.Random(0).randbytes(300_000)

# Each fault occurs once; then the server works. The file must be correct.
TRANSIENT = {
    "drop": [faults.drop(100_000)],
    "drop at once": [faults.drop(0)],
    "three drops": [faults.drop(50_000), faults.drop(1), faults.drop(90_000)],
    "drop, then Range ignored": [faults.drop(100_000), faults.whole],
    "wrong length": [faults.says_longer],
    "shorter": [faults.drop(299_999)],
    "wrong checksum of a begun file": [faults.drop(100_000), faults.corrupt],
    "429": [faults.status(429, "0")],
    "503": [faults.status(503, "0")],
    "503 without Retry-After": [faults.status(503)],
    "503 until a date": [faults.status(503, "Thu, 01 Jan 2015 00:00:00 GMT")],
    "500, 502, 504": [faults.status(500), faults.status(502), faults.status(504)],
    "silence": [faults.hang(100_000, 1.0)],
    "trickle": [faults.trickle(200)],
    "another version between": [faults.drop(100_000), faults.other_version],
    "no length": [faults.no_length],
    "no length, dropped": [faults.drop(100_000), faults.no_length],
}
# Each fault persists. There must be one clear error that matches this, no file, and no marker.
PERMANENT = {
    "drop": (faults.drop(0), "the connection ended early|the connection broke"),
    "wrong checksum": (faults.corrupt, "its md5 is [0-9a-f]{32}, not [0-9a-f]{32}"),
    "503": (faults.status(503), "the server answers 503 Service Unavailable"),
    "503 for a day": (faults.status(503, "86400"), "Retry-After is 86,400 s, more than download.longest_wait"),
    "404": (faults.status(404), "the server answers 404 Not Found"),
    "403": (faults.status(403), "the server answers 403 Forbidden"),
    "web page": (faults.web_page, "the server sends a web page instead of the file"),
    "page in disguise": (faults.disguised_page, "its md5 is|it is not a complete tar"),
    "shorter": (faults.shorter, "its md5 is"),
    "encoded": (faults.gzipped, "in another encoding"),
    "wrong range": (faults.wrong_range, "asked for byte 0, the server sends 'bytes 3-"),
    "trickle": (faults.trickle(100), "only [0-9]+ bytes per second|no answer"),
    "redirects without end": (faults.redirect("/x"), "redirects"),
}
KINDS = ("file", "tar", "zip")


def served(kind: str, content: bytes = CONTENT) -> bytes:
    if kind == "file":
        return content
    return tar_of({"a": content}) if kind == "tar" else zip_of({"a": content})


def done(job: Job) -> Path:
    return job.folder / ".state" / "thing.done"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TRANSIENT)
def test_a_transient_fault_ends_in_a_correct_file(job: Make, server: Server, kind: str, name: str):
    task = job(served(kind), kind)
    server.fail("/x", *TRANSIENT[name])
    ensure_complete(task, done(task), content=False)
    files = read_files(task.target.parent if kind == "file" else task.target)
    assert list(files.values()) == [CONTENT]
    assert task.state.complete_record(task.dataset)["bytes"] == len(served(kind))
    assert not (task.state.folder / task.dataset.file).exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PERMANENT)
def test_a_permanent_fault_is_one_clear_error_and_no_file(job: Make, server: Server, kind: str, name: str):
    task = job(served(kind), kind)
    fault, message = PERMANENT[name]
    server.always("/x", fault)
    done(task).write_text("left over")
    with pytest.raises(OSError, match=message) as error:
        ensure_complete(task, done(task), content=False)
    assert "https://example.org/thing" in str(error.value)  # where the user may download it
    assert str(task.incoming) in str(error.value)  # and where to put it
    assert not done(task).exists()
    assert task.state.complete_record(task.dataset) is None
    if kind == "file":
        assert not task.target.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_is_followed_with_the_range(job: Make, server: Server, kind: str):
    server.files["/there"] = served(kind)
    task = job(served(kind), kind)
    server.always("/x", faults.redirect("/there"))
    server.fail("/there", faults.drop(100_000))
    ensure_complete(task, done(task), content=False)
    assert [r for r in server.requests if r[0] == "/there"] == [("/there", None), ("/there", "bytes=100000-")]


def test_a_registry_size_refuses_another_file_before_its_body(job: Make, server: Server):
    task = job(CONTENT, bytes=len(CONTENT) + 5)
    with pytest.raises(OSError, match="the server's file has 300,000 bytes, not 300,005"):
        ensure_complete(task, done(task), content=False)
    assert len(server.requests) == 1


def test_a_mirror_continues_where_the_first_failed(job: Make, server: Server):
    server.files["/mirror"] = CONTENT
    task = job(CONTENT, urls=(f"{server.base}/x", f"{server.base}/mirror"))
    server.fail("/x", faults.drop(100_000))
    server.always("/x", faults.status(503))
    ensure_complete(task, done(task), content=False)
    assert server.requests[-1] == ("/mirror", "bytes=100000-")
    assert task.target.read_bytes() == CONTENT


def test_without_a_checksum_two_mirrors_are_not_mixed(job: Make, server: Server):
    server.files["/mirror"] = CONTENT
    task = job(CONTENT, published=False, urls=(f"{server.base}/x", f"{server.base}/mirror"))
    server.fail("/x", faults.drop(100_000))
    server.always("/x", faults.status(404))
    ensure_complete(task, done(task), content=False)
    assert server.requests[-1] == ("/mirror", None)
    assert task.target.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("published", [True, False])
def test_a_file_that_changes_is_downloaded_again(job: Make, server: Server, kind: str, published: bool):
    def change(answer: faults.Answer) -> None:
        faults.drop(100_000)(answer)
        server.files["/x"] = served(kind)

    server.files["/x"] = served(kind, bytes(300_000))
    task = job(served(kind), kind, published=published)
    server.fail("/x", change)
    ensure_complete(task, done(task), content=False)
    assert list(read_files(task.target.parent if kind == "file" else task.target).values()) == [CONTENT]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_wrong_repeatedly_is_given_up(job: Make, server: Server, kind: str):
    task = job(served(kind), kind, checksum=Checksum("md5", "0" * 32))
    for _ in range(20):  # a connection breaks in every pass
        server.fail("/x", faults.drop(100_000))
        server.fail("/x", lambda answer: None)
    with pytest.raises(OSError, match="its md5 is"):
        ensure_complete(task, done(task), content=False)
    assert len(server.requests) <= 6
    assert not done(task).exists()


def test_without_a_checksum_a_disguised_page_is_no_zip(job: Make, server: Server):
    task = job(zip_of({"a": CONTENT}), "zip", published=False)
    server.always("/x", faults.disguised_page)
    with pytest.raises(OSError, match=r"it does not begin like a \.zip file"):
        ensure_complete(task, done(task), content=False)


def test_without_a_checksum_a_gzip_file_is_verified_by_its_crc(job: Make, server: Server):
    content = gzip.compress(CONTENT)
    task = job(content, published=False, file="x.jsonl.gz")
    server.fail("/x", faults.corrupt)
    with pytest.raises(OSError, match="its gzip stream is damaged"):
        ensure_complete(task, done(task), content=False)
    ensure_complete(task, done(task), content=False)
    assert task.target.read_bytes() == content


def test_a_checksum_in_a_redirect_s_header_is_used(job: Make, server: Server):
    digest = hashlib.sha256(CONTENT).hexdigest()
    server.files["/there"] = CONTENT
    task = job(CONTENT, checksum=Checksum("sha256", header="X-Linked-Etag"))
    server.always("/x", faults.redirect("/there", X_Linked_Etag=f'"{digest}"'))
    server.fail("/there", faults.corrupt)
    with pytest.raises(OSError, match=f"not {digest}"):
        ensure_complete(task, done(task), content=False)
    record = ensure_complete(task, done(task), content=False)
    assert record["checksum"] == {"sha256": digest}
    assert record["checksum_is"] == "as published"


def test_retry_after_is_waited_for_and_the_wait_doubles_otherwise(server: Server):
    server.files["/x"] = CONTENT
    waits: list[float] = []
    retry_policy = type(FAST_RETRY)(attempts=6, longest_wait=7, timeout=1, slowest=0)
    remote = RemoteFile("x", [f"{server.base}/x"], None, None, retry_policy, sleep=waits.append)
    server.fail("/x", faults.status(429, "5"), *[faults.status(503)] * 4)
    remote.open(0)
    assert b"".join(remote.blocks()) == CONTENT
    assert waits[0] == 5
    for wait, limit in zip(waits[1:], (2, 4, 7, 7), strict=True):
        assert 0.75 * limit <= wait <= limit


def test_a_slow_server_above_the_limit_is_kept(server: Server):
    server.files["/x"] = CONTENT[:600]
    retry_policy = type(FAST_RETRY)(attempts=1, longest_wait=0, timeout=0.3, slowest=100)
    remote = RemoteFile("x", [f"{server.base}/x"], None, None, retry_policy)
    server.fail("/x", faults.trickle(600))
    began = time.monotonic()
    remote.open(0)
    assert b"".join(remote.blocks()) == CONTENT[:600]
    assert time.monotonic() - began > 0.6


def test_an_unreachable_host_is_named(job: Make):
    task = job(CONTENT, urls=("http://127.0.0.1:9/x",))
    with pytest.raises(OSError, match=r"http://127\.0\.0\.1:9/x: no connection .*4 failures in a row"):
        ensure_complete(task, done(task), content=False)
    assert not part_path(task.target).exists()
