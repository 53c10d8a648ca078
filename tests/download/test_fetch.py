"""Jobs with complete, partial or damaged files, with a file that the user provided, and with a small disk."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from scripts.download.checksum_list import find_digest
from scripts.download.fetch import Job, ensure_complete, remaining_bytes
from scripts.download.paths import part_path
from scripts.download.registry import Checksum
from scripts.download.state import DownloadState
from tests.download import server as faults
from tests.download.conftest import Make, read_files, tar_of, zip_of
from tests.download.server import Server

CONTENT = bytes(range(256)) * 1000
KINDS = {"file": CONTENT, "tar": tar_of({"a": CONTENT}), "zip": zip_of({"a": CONTENT})}


def done(job: Job) -> Path:
    return job.folder / ".state" / "thing.done"


def files(job: Job) -> list[bytes]:
    folder = job.target.parent if job.dataset.kind == "file" else job.target
    return list(read_files(folder).values()) if folder.exists() else []


@pytest.mark.parametrize("kind", KINDS)
def test_a_complete_dataset_is_not_requested_again(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    record = ensure_complete(task, done(task), content=False)
    server.requests.clear()
    assert ensure_complete(task, done(task), content=False) == record
    assert ensure_complete(task, done(task), content=True) == record
    assert server.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_the_registry_replaced_is_downloaded_again(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    ensure_complete(task, done(task), content=False)
    newer = {"file": CONTENT[::-1], "tar": tar_of({"a": CONTENT[::-1]}), "zip": zip_of({"a": CONTENT[::-1]})}[kind]
    server.files["/x"] = newer
    checksum = Checksum("md5", hashlib.md5(newer).hexdigest())
    task = dataclasses.replace(task, dataset=dataclasses.replace(task.dataset, checksum=checksum))
    ensure_complete(task, done(task), content=False)
    assert files(task) == [CONTENT[::-1]]


@pytest.mark.parametrize(("how", "content"), [("shorter", False), ("gone", False), ("flipped", True)])
def test_a_damaged_file_is_downloaded_again(job: Make, how: str, content: bool):
    task = job(CONTENT)
    ensure_complete(task, done(task), content=False)
    if how == "gone":
        task.target.unlink()
    else:
        task.target.write_bytes(CONTENT[:-1] if how == "shorter" else b"\1" + CONTENT[1:])
    ensure_complete(task, done(task), content=content)
    assert task.target.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_placed_by_hand_is_used_and_removed(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    task.incoming.parent.mkdir(parents=True)
    task.incoming.write_bytes(KINDS[kind])
    ensure_complete(task, done(task), content=False)
    assert files(task) == [CONTENT]
    assert server.requests == []
    assert not task.incoming.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_linked_file_is_not_changed(job: Make, tmp_path: Path, kind: str):
    task = job(KINDS[kind], kind)
    shared = tmp_path / "shared.bin"
    shared.write_bytes(KINDS[kind])
    task.incoming.parent.mkdir(parents=True)
    task.incoming.symlink_to(shared)
    ensure_complete(task, done(task), content=False)
    assert files(task) == [CONTENT]
    assert shared.read_bytes() == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_file_placed_by_hand_is_refused_and_left(job: Make, kind: str):
    task = job(KINDS[kind], kind)
    task.incoming.parent.mkdir(parents=True)
    task.incoming.write_bytes(b"<html>")
    with pytest.raises(
        OSError, match=r"incoming/x\.\w+: (its md5 is|it is not a complete tar).*put a complete copy there"
    ):
        ensure_complete(task, done(task), content=False)
    assert task.incoming.read_bytes() == b"<html>"
    assert not done(task).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_disk_is_detected_before_the_first_byte(job: Make, server: Server, kind: str):
    task = job(KINDS[kind], kind)
    task = dataclasses.replace(task, spare_gb=shutil.disk_usage("/tmp").free / 1e9)
    server.fail("/x", faults.hang(0, 0.3))  # the body has not begun when the answer is read
    with pytest.raises(OSError, match=r"thing 0\.000 GB: .* GB are to come .* GB free; make room"):
        ensure_complete(task, done(task), content=False)
    assert files(task) == []
    assert server.sent == 0


def test_what_other_datasets_still_need_is_counted(job: Make):
    task = job(CONTENT)
    other = dataclasses.replace(task.dataset, name="other", about_bytes=10**18, file="other.bin")
    with pytest.raises(OSError, match=r"thing 0\.000 GB, other 1,000,000,000\.000 GB"):
        ensure_complete(dataclasses.replace(task, others=(other,)), done(task), content=False)
    assert remaining_bytes(task.dataset, task.folder) == len(CONTENT)
    ensure_complete(task, done(task), content=False)
    assert remaining_bytes(task.dataset, task.folder) == 0


def test_a_part_without_version_and_checksum_is_downloaded_again(job: Make, server: Server):
    task = job(CONTENT, published=False)
    part = part_path(task.target)
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    ensure_complete(task, done(task), content=False)
    assert task.target.read_bytes() == CONTENT
    assert server.requests[-1] == ("/x", None)


def test_a_part_longer_than_the_file_is_downloaded_again(job: Make):
    task = job(CONTENT)
    part = part_path(task.target)
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"x")
    ensure_complete(task, done(task), content=False)
    assert task.target.read_bytes() == CONTENT


def test_a_complete_part_is_only_verified(job: Make, server: Server):
    task = job(CONTENT)
    part = part_path(task.target)
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    ensure_complete(task, done(task), content=False)
    assert server.requests == [("/x", f"bytes={len(CONTENT)}-")]
    assert server.sent == 0


def test_two_processes_do_not_write_one_dataset(job: Make, tmp_path: Path):
    state = DownloadState(tmp_path, "thing")
    with state.locked(), pytest.raises(OSError, match="another process is downloading thing"), state.locked():
        pass
    with state.locked():
        pass


def test_the_record_says_whether_the_checksum_was_published(job: Make):
    task = job(CONTENT, published=False)
    record = ensure_complete(task, done(task), content=False)
    assert record["checksum"] == {"sha256": hashlib.sha256(CONTENT).hexdigest()}
    assert record["checksum_is"] == "as received"


def test_a_list_of_checksums_with_any_keys_is_read(job: Make, server: Server):
    digest = hashlib.md5(CONTENT).hexdigest()
    entries = [
        {"name": "o", "zip_url": "https://h/o.bin", "md5sum": "0" * 32},
        {"zip_url": "https://h/x.bin", "m": digest},
    ]
    server.files["/list.json"] = json.dumps({"datasets": entries}).encode()
    assert find_digest({"datasets": entries}, "x.bin", "md5") == digest
    assert find_digest({"datasets": entries}, "y.bin", "md5") is None
    lists = {"checksum": Checksum("md5", list="list.json"), "list_urls": (f"{server.base}/list.json",)}
    task = job(CONTENT, **lists)
    assert ensure_complete(task, done(task), content=False)["checksum_is"] == "as published"
    server.files["/x"] = CONTENT[::-1]
    task.target.unlink()
    with pytest.raises(OSError, match=f"not {digest}"):
        ensure_complete(task, done(task), content=False)
